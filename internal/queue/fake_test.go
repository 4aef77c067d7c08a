package queue

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"pimflow/internal/job"
	"pimflow/internal/result"
)

var long = flag.Bool("long", false, "also a hundred kills, and a hundred thousand results")

// TestMain is the test binary, or a process of a sweep where a test asks for one.
func TestMain(m *testing.M) {
	if role := os.Getenv("QUEUE_TEST_ROLE"); role != "" {
		if err := roles[role](); err != nil {
			fmt.Fprintln(os.Stderr, role, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	// nats.go v1.55.0 leaves a goroutine of an upload that ends before the goroutine looks for its channel.
	known := goleak.IgnoreTopFunction("github.com/nats-io/nats.go/jetstream.(*jetStream).resetPendingAcksOnReconnect")
	err := goleak.Find(known)
	for n := 0; err != nil && n < 20; n++ { // servers take a while to end on a busy machine
		err = goleak.Find(known)
	}
	if code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// names are what the fake evaluator has built in.
var names = &job.Names{Models: []string{"toy", "net"}, Machines: []string{"newton"}, GPUs: []string{"t4"}, Policies: []string{"auto"}, Objectives: []string{"latency"}}

const version = "test 1"

// fake evaluates a job to numbers that its key and its plans decide. What a job is told by its changed keys: "fail" has an
// error, "panic" panics, "kill" ends the process, "hang" waits for the end of its context, "stuck" for longer.
type fake struct {
	log  string // file that takes a line for each evaluation; "": none
	last time.Duration
}

func (f fake) Evaluate(ctx context.Context, j *job.Job, plans []string) (result.Row, string, error) {
	if f.log != "" {
		l, err := os.OpenFile(f.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
		if err != nil {
			return result.Row{}, "", err
		}
		fmt.Fprintln(l, j.Key())
		l.Close()
	}
	for _, s := range j.Set {
		switch word, _, _ := strings.Cut(s, "="); word {
		case "fail":
			return result.Row{}, "", errors.New("no such machine")
		case "panic":
			panic("at the disco")
		case "kill":
			p, _ := os.FindProcess(os.Getpid())
			p.Kill()
			time.Sleep(time.Minute)
		case "hang":
			<-ctx.Done()
			return result.Row{}, "", ctx.Err()
		}
	}
	if !sleep(ctx, f.last) {
		return result.Row{}, "", ctx.Err()
	}
	r := failed(j, "")
	h := sha256.Sum256([]byte(string(j.Key()) + strings.Join(plans, "\n")))
	r.Total, r.PIMLaunches, r.Search = float64(binary.LittleEndian.Uint32(h[:])), len(plans), "full"
	return r, "plan of " + string(j.Key()), nil
}

// points are n jobs that differ in a number.
func points(n int) iter.Seq2[job.Work, error] {
	return func(yield func(job.Work, error) bool) {
		for i := range n {
			if !yield(job.Work{Index: i, Job: point(i)}, nil) {
				return
			}
		}
	}
}

func point(i int, set ...string) job.Job {
	return job.Job{
		Schema: job.Schema, Version: version, Model: job.Ref{Name: "toy"}, Machine: job.Ref{Name: "newton"},
		Set: append([]string{fmt.Sprintf("memory.channels=%d", i)}, set...), Policy: "auto", Objective: "latency", Effort: "low",
	}
}

func list(jobs ...job.Job) iter.Seq2[job.Work, error] {
	return func(yield func(job.Work, error) bool) {
		for i, j := range jobs {
			if !yield(job.Work{Index: i, Job: j}, nil) {
				return
			}
		}
	}
}

// lines is an emit that writes rows as JSON lines.
func lines(b *bytes.Buffer) func(*result.Row, bool) error {
	return func(r *result.Row, _ bool) error { return json.NewEncoder(b).Encode(r) }
}

// serve starts a server for a test, and its store.
func serve(t testing.TB, folder string) (*Server, *Store) { return serveAt(t, folder, nil) }

// serveAt is serve with a server that others reach, unless listen is nil.
func serveAt(t testing.TB, folder string, listen *Listen) (*Server, *Store) {
	t.Helper()
	srv, err := Serve(folder, listen)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Close)
	nc, err := srv.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	s, err := OpenStore(t.Context(), nc, version, time.Hour, time.Hour, func(text string) { t.Log(text) })
	if err != nil {
		t.Fatal(err)
	}
	return srv, s
}

// run is a sweep with workers of this process.
func run(t testing.TB, s *Store, o Sweep, w Worker, works iter.Seq2[job.Work, error]) (rows string, c Count) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan Count)
	go func() {
		c, err := s.Work(ctx, w)
		if !errors.Is(err, context.Canceled) {
			t.Error("worker:", err)
		}
		done <- c
	}()
	var b bytes.Buffer
	if err := s.Sweep(ctx, o, works, lines(&b)); err != nil {
		t.Error("sweep:", err)
	}
	cancel()
	return b.String(), <-done
}

// roles are the processes of a sweep that a test starts and kills.
var roles = map[string]func() error{
	"worker": func() error {
		s, done, err := join()
		if err != nil {
			return err
		}
		defer done()
		last, _ := time.ParseDuration(os.Getenv("QUEUE_TEST_LAST"))
		wait, err := time.ParseDuration(os.Getenv("QUEUE_TEST_WAIT"))
		if err != nil {
			return err
		}
		_, err = s.Work(context.Background(), Worker{Evaluator: fake{os.Getenv("QUEUE_TEST_LOG"), last}, Names: names, Retries: 2, Wait: wait})
		return err
	},
	"sweep": func() error {
		s, done, err := join()
		if err != nil {
			return err
		}
		defer done()
		var b bytes.Buffer
		var n int
		fmt.Sscan(os.Getenv("QUEUE_TEST_POINTS"), &n)
		if err := s.Sweep(context.Background(), Sweep{Block: 4}, points(n), lines(&b)); err != nil {
			return err
		}
		return os.WriteFile(os.Getenv("QUEUE_TEST_OUT"), b.Bytes(), 0o666)
	},
}

func join() (*Store, func(), error) {
	warn := func(string) {}
	nc, err := Dial(context.Background(), Login{URL: os.Getenv("QUEUE_TEST_URL"), User: "u", Password: "p"}, time.Minute, warn)
	if err != nil {
		return nil, nil, err
	}
	s, err := OpenStore(context.Background(), nc, version, time.Hour, time.Hour, warn)
	return s, nc.Close, err
}

// process starts a role.
func process(t *testing.T, role string, env ...string) *exec.Cmd {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), append(env, "QUEUE_TEST_ROLE="+role)...)
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

// logged counts the evaluations in a log, and those of the same job.
func logged(t *testing.T, file string) (all, again int) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for l := range strings.Lines(string(data)) {
		if all++; seen[l] {
			again++
		}
		seen[l] = true
	}
	return all, again
}
