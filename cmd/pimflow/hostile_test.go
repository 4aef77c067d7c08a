package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"pimflow/internal/hostile"
)

// outcome is how one process ended.
type outcome struct {
	Code           int
	Stdout, Stderr string
	Bytes          int64 // the most memory that it had at once
	Time           time.Duration
}

// measure is a command of its own: it runs `pimflow run --check FILE` for each line of its standard input, or
// `pimflow --help` for an empty one, and prints an outcome a line. It is a process between the test and the command because
// Linux counts the memory of a process that starts another as that of the other.
func measure() {
	out := json.NewEncoder(os.Stdout)
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		args := []string{"run", "--check", in.Text()}
		if in.Text() == "" {
			args = []string{"--help"}
		}
		c := exec.Command(os.Args[1], args...)
		var stdout, stderr bytes.Buffer
		c.Stdout, c.Stderr = &stdout, &stderr
		begin := time.Now()
		err := c.Run()
		took := time.Since(begin)
		if c.ProcessState == nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if err := out.Encode(outcome{c.ProcessState.ExitCode(), stdout.String(), stderr.String(), peak(c.ProcessState), took}); err != nil {
			os.Exit(1)
		}
	}
}

// runHostile runs the command on every hostile file, each in a process. The first outcome is that of --help.
func runHostile(t testing.TB) ([]hostile.File, []outcome) {
	if runtime.GOOS != "linux" {
		t.Skip("memory is measured on Linux only")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// testscript.Main runs the commands when the test binary is called by their names.
	bin := t.TempDir()
	for _, name := range []string{"pimflow", "measure"} {
		if err := os.Symlink(self, filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	files, err := hostile.Write(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	lines := "\n"
	for _, f := range files {
		lines += f.Path + "\n"
	}
	c := exec.Command(filepath.Join(bin, "measure"), filepath.Join(bin, "pimflow"))
	c.Stdin, c.Stderr = strings.NewReader(lines), os.Stderr
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	var list []outcome
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var o outcome
		if err := d.Decode(&o); err != nil {
			t.Fatal(err)
		}
		list = append(list, o)
	}
	if len(list) != len(files)+1 {
		t.Fatalf("%d outcomes for %d files", len(list), len(files))
	}
	return files, list
}

// TestHostile: every hostile file is refused in one line, with little more memory than no file at all.
func TestHostile(t *testing.T) {
	files, list := runHostile(t)
	if len(files) < 80 {
		t.Errorf("%d files", len(files))
	}
	idle := list[0].Bytes
	for i, o := range list[1:] {
		f := files[i]
		name := filepath.Base(f.Path)
		if o.Code != 3 || o.Stdout != "" {
			t.Errorf("%s: exit code %d, %s", name, o.Code, o.Stdout)
		}
		if !strings.HasPrefix(o.Stderr, "pimflow: ") || strings.Count(o.Stderr, "\n") != 1 || !strings.HasSuffix(o.Stderr, "\n") || !strings.Contains(o.Stderr, f.Want) || len(o.Stderr) > 4000 {
			t.Errorf("%s: %d bytes, %q wanted:\n%.500s", name, len(o.Stderr), f.Want, o.Stderr)
		}
		if more := o.Bytes - idle; more >= 64<<20 {
			t.Errorf("%s: %d MB more than idle", name, more>>20)
		}
	}
}

// BenchmarkHostile reports how long the command takes to refuse a hostile file, start of the process included.
func BenchmarkHostile(b *testing.B) {
	for b.Loop() {
		files, list := runHostile(b)
		slowest := slices.MaxFunc(files, func(x, y hostile.File) int {
			return int(list[1+slices.Index(files, x)].Time - list[1+slices.Index(files, y)].Time)
		})
		var times []time.Duration
		most := int64(0)
		for _, o := range list[1:] {
			times, most = append(times, o.Time), max(most, o.Bytes-list[0].Bytes)
		}
		slices.Sort(times)
		b.Logf("slowest of %d: %s; --help takes %v", len(files), filepath.Base(slowest.Path), list[0].Time)
		b.ReportMetric(float64(times[len(times)/2].Microseconds())/1e3, "median-ms")
		b.ReportMetric(float64(times[len(times)-1].Microseconds())/1e3, "most-ms")
		b.ReportMetric(float64(most)/1e6, "most-MB")
	}
}
