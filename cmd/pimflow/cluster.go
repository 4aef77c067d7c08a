package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/spf13/pflag"

	"pimflow/internal/budget"
	"pimflow/internal/dispatch"
	"pimflow/internal/evaluate"
	"pimflow/internal/fault"
	"pimflow/internal/job"
	"pimflow/internal/queue"
	"pimflow/internal/report"
)

// clusterFlags are those of the commands that share a work queue.
type clusterFlags struct {
	login    queue.Login
	patience time.Duration
	parallel int
	memory   string
	timeout  time.Duration
	retries  int
	lease    time.Duration
	cache    string
}

// add adds them.
func (f *clusterFlags) add(fl *pflag.FlagSet) {
	fl.StringVar(&f.login.URL, "nats", "", "NATS server, as nats://host:4222 or tls://host:4222; user, password and token are those of NATS_USER, NATS_PASSWORD and NATS_TOKEN")
	fl.StringVar(&f.login.Context, "nats-context", "", "a context of the nats command, or its .json file, that says server and credentials")
	fl.StringVar(&f.login.Creds, "nats-creds", "", "file of NATS credentials (default: NATS_CREDS)")
	fl.StringVar(&f.login.NKey, "nats-nkey", "", "file of an nkey's seed (default: NATS_NKEY)")
	fl.StringVar(&f.login.CA, "nats-ca", "", "file of the certificates that the server's is signed with (default: NATS_CA)")
	fl.StringVar(&f.login.Cert, "nats-cert", "", "file of a TLS certificate (default: NATS_CERT)")
	fl.StringVar(&f.login.Key, "nats-key", "", "file of its key (default: NATS_KEY)")
	fl.DurationVar(&f.patience, "patience", time.Minute, "how long a server that does not answer is tried at the beginning")
	fl.IntVar(&f.parallel, "parallel", 0, "points evaluated at once in this process (default: one a processor, and none in a sweep with --nats)")
	fl.StringVar(&f.memory, "memory", "", "memory that the points evaluated at once may take together, as 8GB (default: three quarters of the machine's)")
	fl.DurationVar(&f.timeout, "point-timeout", time.Hour, "time of a point, after which its row is an error; 0: no limit")
	fl.IntVar(&f.retries, "retries", 3, "how often work is tried again whose worker ended, before it is tried point by point, and then each point")
	fl.DurationVar(&f.lease, "lease", 20*time.Second, "how long work stays with a worker that gives no sign of life; all workers the same")
	fl.StringVar(&f.cache, "cache", "", "folder for the files of models and machines that come from the server (default: in the user's cache)")
}

// leastLease is the least of --lease. Estimated: signs of life need a fourth of it.
const leastLease = 100 * time.Millisecond

// remote reports whether a server is named.
func (f *clusterFlags) remote() bool { return f.login.URL != "" || f.login.Context != "" }

// dial connects with the server that is named.
func (f *clusterFlags) dial(ctx context.Context, warn func(string)) (*nats.Conn, error) {
	f.login.Environment()
	return queue.Dial(ctx, f.login, f.patience, warn)
}

// check refuses numbers that are too small.
func (f *clusterFlags) check() error {
	for _, x := range []struct {
		flag         string
		given, least any
		ok           bool
	}{
		{"parallel", f.parallel, 0, f.parallel >= 0},
		{"retries", f.retries, 1, f.retries >= 1},
		{"point-timeout", f.timeout, 0, f.timeout >= 0},
		{"lease", f.lease, leastLease, f.lease >= leastLease},
		{"patience", f.patience, 0, f.patience >= 0},
	} {
		if !x.ok {
			return fault.Usagef("--%s %v: %v or more wanted", x.flag, x.given, x.least)
		}
	}
	_, err := f.budget()
	return err
}

// budget is that of --memory, 0 where it is not given.
func (f *clusterFlags) budget() (budget.Memory, error) {
	if f.memory == "" {
		return 0, nil
	}
	m, err := budget.Parse(f.memory)
	if err != nil {
		return 0, fault.Usagef("--%w", err)
	}
	return m, nil
}

// worker is a worker of this process.
func (f *clusterFlags) worker(s *queue.Store, cache *queue.Cache) (queue.Worker, error) {
	memory, err := f.budget()
	if err != nil {
		return queue.Worker{}, err
	}
	n := f.parallel
	if n == 0 {
		n = runtime.GOMAXPROCS(0)
	}
	by := &evaluate.Evaluator{Open: func(ctx context.Context, r job.Ref) (string, error) { return cache.Open(ctx, s, r) }}
	return queue.Worker{
		Evaluator: by, Names: dispatch.Names(), Cache: cache, Parallel: n, Memory: memory, Timeout: f.timeout, Retries: f.retries,
		Wait: f.lease,
	}, nil
}

// files is the folder of the files that come from a server.
func (f *clusterFlags) files() (*queue.Cache, error) {
	folder, err := userFolder(f.cache, "files")
	return &queue.Cache{Folder: folder, Most: mostFile}, err
}

// mostFile bounds a file of a model, in bytes. Estimated: what an .onnx file keeps of weights in one.
const mostFile = 64 << 30

// userFolder is a folder, or one of the user's cache.
func userFolder(given, name string) (string, error) {
	if given != "" {
		return given, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no folder for %s: %w: --store or --cache FOLDER wanted", name, err)
	}
	return filepath.Join(dir, "pimflow", name), nil
}

// away is how long a server may be away while there is work. Estimated: a machine starts again in less.
const away = time.Hour

// openStore is the store at a connection.
func (f *clusterFlags) openStore(ctx context.Context, nc *nats.Conn, away time.Duration, warn func(string)) (*queue.Store, error) {
	return queue.OpenStore(ctx, nc, version(), f.patience, away, warn)
}

// version is that of results: the program's, and where no commit says all that it was built from, the hash of its file.
var version = sync.OnceValue(func() string {
	v := report.Version()
	if !strings.HasPrefix(v, "unknown") && !strings.Contains(v, "+changes") {
		return v
	}
	sum := sha256.New()
	name, err := os.Executable()
	if err == nil {
		var f *os.File
		if f, err = os.Open(name); err == nil {
			_, err = io.Copy(sum, f)
			f.Close()
		}
	}
	if err != nil {
		return fmt.Sprintf("%s process %d of %v", v, os.Getpid(), time.Now()) // results of nobody else
	}
	return fmt.Sprintf("%s file %.12x", v, sum.Sum(nil))
})

// warner prints warnings as lines.
func warner(w io.Writer) func(string) {
	return func(text string) { fmt.Fprintln(w, "pimflow: warning:", fault.Line(fmt.Errorf("%s", text))) }
}
