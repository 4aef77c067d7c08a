package queue

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pimflow/internal/job"
)

// free is a port that nobody listens to.
func free(t testing.TB) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// natsServer is the server that NATS publishes, built by go install github.com/nats-io/nats-server/v2@v2.15.2.
func natsServer(t testing.TB) string {
	path, err := exec.LookPath("nats-server")
	if err != nil && os.Getenv("CI") != "" {
		t.Fatal("nats-server is not installed: .ci/run installs it")
	}
	if err != nil {
		t.Skip("nats-server is not installed: go install github.com/nats-io/nats-server/v2@v2.15.2")
	}
	return path
}

// cluster is a server, workers and a coordinator as processes, each of which may be killed and started again.
type cluster struct {
	t       *testing.T
	parts   []string // of running
	start   map[string]func() *exec.Cmd
	running map[string]*exec.Cmd
	log     string
	out     string
}

// newCluster starts one of a server. Each job lasts so long.
func newCluster(t *testing.T, server func(port int, folder string) *exec.Cmd, workers, points int, last time.Duration) *cluster {
	dir, port := t.TempDir(), free(t)
	c := &cluster{t: t, start: map[string]func() *exec.Cmd{}, running: map[string]*exec.Cmd{}, log: filepath.Join(dir, "log"), out: filepath.Join(dir, "out")}
	env := []string{fmt.Sprintf("QUEUE_TEST_URL=nats://127.0.0.1:%d", port), "QUEUE_TEST_LOG=" + c.log, "QUEUE_TEST_OUT=" + c.out,
		"QUEUE_TEST_WAIT=1s", "QUEUE_TEST_LAST=" + last.String(), fmt.Sprint("QUEUE_TEST_POINTS=", points)}
	c.start["server"] = func() *exec.Cmd {
		cmd := server(port, filepath.Join(dir, "store"))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	for i := range workers {
		c.start[fmt.Sprint("worker ", i)] = func() *exec.Cmd { return process(t, "worker", env...) }
	}
	c.start["sweep"] = func() *exec.Cmd { return process(t, "sweep", env...) }
	for name := range c.start {
		c.parts = append(c.parts, name)
		c.running[name] = c.start[name]()
	}
	t.Cleanup(func() {
		for _, cmd := range c.running {
			cmd.Process.Kill()
			cmd.Wait()
		}
	})
	return c
}

// kill kills a part and starts it again.
func (c *cluster) kill(name string) {
	c.running[name].Process.Kill()
	c.running[name].Wait()
	c.running[name] = c.start[name]()
}

// wait waits for the coordinator and returns what it wrote.
func (c *cluster) wait() string {
	c.t.Helper()
	err := c.running["sweep"].Wait()
	data, read := os.ReadFile(c.out)
	if err != nil || read != nil {
		c.t.Fatal(err, read)
	}
	return string(data)
}

// own is a server of this package as a process; published is NATS's.
func own(port int, folder string) *exec.Cmd {
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), "QUEUE_TEST_ROLE=server", "QUEUE_TEST_STORE="+folder, fmt.Sprint("QUEUE_TEST_PORT=", port))
	c.Stderr = os.Stderr
	return c
}

func published(path string) func(port int, folder string) *exec.Cmd {
	return func(port int, folder string) *exec.Cmd {
		return exec.Command(path, "-js", "-sd", folder, "-a", "127.0.0.1", "-p", fmt.Sprint(port), "--user", "u", "--pass", "p")
	}
}

func init() {
	roles["server"] = func() error {
		var port int
		fmt.Sscan(os.Getenv("QUEUE_TEST_PORT"), &port)
		_, err := Serve(os.Getenv("QUEUE_TEST_STORE"), &Listen{Host: "127.0.0.1", Port: port, User: "u", Password: "p"})
		if err == nil {
			select {}
		}
		return err
	}
}

// TestKills: workers, coordinator and server are killed again and again; the rows are those of an undisturbed sweep in one
// process, and only jobs in flight are evaluated twice.
func TestKills(t *testing.T) {
	t.Run("own", func(t *testing.T) { kills(t, own) })
	t.Run("nats-server", func(t *testing.T) { kills(t, published(natsServer(t))) })
}

func kills(t *testing.T, server func(port int, folder string) *exec.Cmd) {
	n := 3
	if *long {
		n = 120
	}
	const workers = 3
	total := 120 * n
	_, s := serve(t, t.TempDir())
	want, _ := run(t, s, Sweep{}, Worker{Evaluator: fake{}, Names: names}, points(total))
	c := newCluster(t, server, workers, total, 5*time.Millisecond)
	seed := uint64(time.Now().UnixNano())
	draw := rand.New(rand.NewPCG(seed, 0))
	for { // the workers are at work
		if data, err := os.ReadFile(c.log); err == nil && bytes.Count(data, []byte("\n")) > 3*workers {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	flight := 0
	for i := range n {
		time.Sleep(time.Duration(50+draw.IntN(200)) * time.Millisecond)
		if _, err := os.Stat(c.out); err == nil {
			t.Fatalf("seed %d: the sweep ended after %d of %d kills", seed, i, n)
		}
		name := c.parts[draw.IntN(len(c.parts))]
		if i < 3 && n == 3 {
			name = []string{"worker 1", "server", "sweep"}[i]
		}
		flight += map[bool]int{true: workers, false: 1}[name == "server"]
		c.kill(name)
	}
	if got := c.wait(); got != want {
		t.Errorf("seed %d: other rows than those of a sweep in one process: %d and %d bytes", seed, len(got), len(want))
	}
	all, again := logged(t, c.log)
	if again > flight {
		t.Errorf("seed %d: %d jobs of %d were evaluated again, %d may have been in flight", seed, again, all, flight)
	}
	t.Logf("%d kills, %d jobs, %d evaluated again", n, total, again)
}

// TestPoison: a job that ends its worker fails alone; the others of its block have results.
func TestPoison(t *testing.T) {
	srv, s := serveAt(t, t.TempDir(), &Listen{Host: "127.0.0.1", Port: -1, User: "u", Password: "p"})
	log := filepath.Join(t.TempDir(), "log")
	stop, stopped := make(chan struct{}), make(chan int)
	go func() { // as a cluster starts workers again
		ends := 0
		for {
			cmd := process(t, "worker", "QUEUE_TEST_URL="+srv.URL(), "QUEUE_TEST_LOG="+log, "QUEUE_TEST_WAIT=400ms")
			end := make(chan struct{})
			go func() { cmd.Wait(); close(end) }()
			select {
			case <-end:
				ends++
			case <-stop:
				cmd.Process.Kill()
				<-end
				stopped <- ends
				return
			}
		}
	}()
	jobs := []job.Job{point(0), point(1, "kill=1"), point(2), point(3)}
	var b bytes.Buffer
	err := s.Sweep(t.Context(), Sweep{Block: 4}, list(jobs...), lines(&b))
	close(stop)
	ends := <-stopped
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(strings.TrimSpace(b.String()), "\n")
	for i, row := range rows {
		if poisoned := strings.Contains(row, `"error":"evaluation ended 3 workers"`); poisoned != (i == 1) || !poisoned && !strings.Contains(row, `"error":""`) {
			t.Errorf("row %d: %s", i, row)
		}
	}
	// Three deliveries of the block and three of the job; less where a worker was too slow to give a sign of life.
	if all, _ := logged(t, log); len(rows) != 4 || ends < 2 || ends > 6 || all > 9 {
		t.Errorf("%d rows, %d workers ended, %d evaluations: 4, 2 to 6, at most 9 wanted", len(rows), ends, all)
	}
}
