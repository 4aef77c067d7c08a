package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// installed is a folder that has the program, as pimflow.
func installed(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(self, filepath.Join(dir, "pimflow")); err != nil { // testscript.Main runs the command when the test binary is called by its name
		t.Fatal(err)
	}
	return dir
}

// start starts a command; it is killed at the end of the test.
func start(t *testing.T, dir, bin string, env []string, name string, args ...string) *exec.Cmd {
	t.Helper()
	if name == "pimflow" {
		name = filepath.Join(bin, name)
	}
	c := exec.Command(name, args...)
	c.Dir, c.Stderr, c.Stdout = dir, &bytes.Buffer{}, &bytes.Buffer{}
	c.Env = append(append(os.Environ(), env...), "XDG_CACHE_HOME="+filepath.Join(dir, ".cache"), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	return c
}

// read returns the text of a file.
func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// small is a sweep of 36 points, with a model in a file.
var small = []string{"sweep", "--model", "toy,m.graph", "--machine", "toy,m.json", "--policy", "auto", "--set", "memory.pim_channels=1..3", "--set", "pim.timing.ccds_ck=2..4", "--effort", "low", "--search", "full"}

// smallFolder is a folder with its files, and the rows of the sweep in this process.
func smallFolder(t *testing.T, bin string) (dir, rows string) {
	t.Helper()
	dir = t.TempDir()
	for file, args := range map[string][]string{"m.graph": {"graph", "toy", "--values"}, "m.json": {"machine", "toy"}} {
		c := exec.Command(filepath.Join(bin, "pimflow"), args...)
		out, err := c.Output()
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, file), out, 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	c := start(t, dir, bin, nil, "pimflow", append(small, "-o", "own.csv", "--store", "own")...)
	if err := c.Wait(); err != nil {
		t.Fatal(err, c.Stderr)
	}
	rows = read(t, filepath.Join(dir, "own.csv"))
	if strings.Count(rows, "\n") != 37 {
		t.Fatal(rows)
	}
	return dir, rows
}

// TestCluster: a sweep in this process, one of three workers at a NATS server, and that after three kills have the same bytes, and
// again without a worker.
func TestCluster(t *testing.T) {
	server, err := exec.LookPath("nats-server")
	if err != nil && os.Getenv("CI") != "" {
		t.Fatal("nats-server is not installed: .ci/run installs it")
	}
	if err != nil {
		t.Skip("nats-server is not installed: go install github.com/nats-io/nats-server/v2@v2.15.2")
	}
	bin := installed(t)
	dir, want := smallFolder(t, bin)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	env := []string{"NATS_USER=u", "NATS_PASSWORD=p"}
	serve := func() *exec.Cmd {
		return start(t, dir, bin, nil, server, "-js", "-sd", "store", "-a", "127.0.0.1", "-p", fmt.Sprint(port), "--user", "u", "--pass", "p")
	}
	url := fmt.Sprintf("nats://127.0.0.1:%d", port)
	work := func(i int) *exec.Cmd {
		return start(t, t.TempDir(), bin, env, "pimflow", "worker", "--nats", url, "--parallel", "1", "--lease", "1s", "--cache", "files")
	}
	sweep := func(out string) *exec.Cmd {
		return start(t, dir, bin, env, "pimflow", append(small, "-o", out, "--nats", url)...)
	}
	parts := []*exec.Cmd{serve(), work(1), work(2), work(3), sweep("killed.csv")}
	for i, again := range []func() *exec.Cmd{serve, func() *exec.Cmd { return work(1) }, nil, nil, func() *exec.Cmd { return sweep("killed.csv") }} {
		if again == nil {
			continue
		}
		time.Sleep(300 * time.Millisecond)
		parts[i].Process.Kill()
		parts[i].Wait()
		parts[i] = again()
	}
	for _, out := range []string{"killed.csv", "again.csv"} {
		if out == "again.csv" { // all is known
			for _, w := range parts[1:4] {
				w.Process.Kill()
				w.Wait()
			}
			parts[4] = sweep(out)
		}
		if err := parts[4].Wait(); err != nil {
			t.Fatal(err, parts[4].Stderr)
		}
		if got := read(t, filepath.Join(dir, out)); got != want {
			t.Errorf("%s has other rows than a sweep in one process:\n%s\n%s", out, got, want)
		}
	}
}

// TestSlurmScript: the script runs as tasks of an array do, here on one machine.
func TestSlurmScript(t *testing.T) {
	bin := installed(t)
	dir, want := smallFolder(t, bin)
	c := start(t, dir, bin, nil, "pimflow", append(small, "-o", "it's.csv", "--emit", "slurm", "--emit-workers", "2", "--emit-cpus", "1")...)
	if err := c.Wait(); err != nil {
		t.Fatal(err, c.Stderr)
	}
	if err := os.WriteFile(filepath.Join(dir, "job.sh"), c.Stdout.(*bytes.Buffer).Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	var tasks []*exec.Cmd
	for i := range 3 {
		tasks = append(tasks, start(t, dir, bin, []string{"SLURM_ARRAY_JOB_ID=7", fmt.Sprint("SLURM_ARRAY_TASK_ID=", i), "PIMFLOW_IDLE=200ms", "NATS_URL="}, "bash", "job.sh"))
	}
	for i, c := range tasks {
		if err := c.Wait(); err != nil {
			t.Error("task", i, err, c.Stderr)
		}
	}
	if got := read(t, filepath.Join(dir, "it's.csv")); got != want {
		t.Errorf("other rows than without the script:\n%s\n%s", got, want)
	}
}
