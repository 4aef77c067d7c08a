package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// program is the path of a pimflow for commands of their own.
func program(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// testscript.Main runs the command when the test binary is called by its name.
	name := filepath.Join(t.TempDir(), "pimflow")
	if err := os.Symlink(self, name); err != nil {
		t.Fatal(err)
	}
	return name
}

// stopRow is a command that is stopped, in a folder with what prepare puts there.
type stopRow struct {
	line  string
	waits bool // it never ends by itself
	plan  bool // it prints a plan so far as soon as it searches
	files string
	long  bool // only with -long
}

// stopRows has every command that takes long, and what may wait for ever: pipes, a runner.
var stopRows = []stopRow{
	{line: "run resnet-50 -o x.plan --trace x.json --output out", plan: true, files: "x.json x.plan"},
	{line: "run toy -o pipe", waits: true, plan: true},
	{line: "export resnet-50 -o x.onnx"},
	{line: "sweep --model resnet-50,vgg-16 --set memory.pim_channels=1..31 --store st -o x.csv", files: "st"},
	{line: "run pipe.graph", waits: true},
	{line: "run toy --labels pipe --top 1", waits: true},
	{line: "profile toy --machine toy --with onnxruntime --runner ./runner -o x.csv", waits: true},
	{line: "plot pipe.json --figure speedup -o x.pdf", waits: true},
	{line: "zoo vgg-16 -o x.onnx", files: "x.onnx"},
	{line: "calibrate --data all -o x.json", files: "x.json"},
	{line: "run vgg-16 --check --json", plan: true, long: true},
	{line: "run mobilenet-v2 --pareto -v", plan: true, long: true},
	{line: "run resnet-50 --pim-channels auto --json", plan: true, long: true},
	{line: "run toy --machine pipe.json", waits: true, long: true},
	{line: "run toy --gpu pipe.json", waits: true, long: true},
	{line: "run toy --gpu-profile pipe", waits: true, long: true},
	{line: "run toy --plan pipe", waits: true, long: true},
	{line: "run toy --input pipe.npy", waits: true, long: true},
	{line: "run toy --input pipe.png", waits: true, long: true},
	{line: "compare toy resnet-50 vgg-16", long: true},
	{line: "sensitivity mobilenet-v2", long: true},
	{line: "launches", long: true},
	{line: "sweep pipe", waits: true, long: true},
	{line: "sweep --model toy --machine pipe.json", waits: true, long: true},
	{line: "reproduce", long: true},
	{line: "map densenet-121", long: true},
	{line: "explain densenet-121", long: true},
	{line: "profile mobilenet-v2 -o x.csv", files: "x.csv", long: true},
	{line: "graph vgg-16 --values", long: true},
	{line: "validate", long: true},
	{line: "validate --data pipe", waits: true, long: true},
	{line: "layer --csv pipe --all", waits: true, long: true},
	{line: "sim pipe", waits: true, long: true},
	{line: "sim --machine aim pipe", waits: true, long: true},
	{line: "sim --machine aim --csv pipe", waits: true, long: true},
	{line: "sim -", waits: true, long: true},
	{line: "diff pipe pipe", waits: true, long: true},
	{line: "pareto pipe.json", waits: true, long: true},
	{line: "diff pipe.plan pipe.plan", waits: true, long: true},
}

// progressLine is how far a sweep is.
var progressLine = regexp.MustCompile(`(?m)^pimflow: \d+ of \d+ points?\b.*\n`)

// instants is when a command is stopped after its start.
var instants = []time.Duration{10 * time.Millisecond, 60 * time.Millisecond, 300 * time.Millisecond, time.Second, 3 * time.Second}

// TestStop: INT, TERM and HUP end each command at any time with their exit code, and leave no temporary file, no child
// and no half of an output.
func TestStop(t *testing.T) {
	name := program(t)
	stoppedOnes := 0
	for i, row := range stopRows {
		if row.long && !*long {
			continue
		}
		for j, at := range instants {
			for k := range stops {
				if !*long && ((i+j)%len(stops) != k || j == 0 || j > 3) { // a sample
					continue
				}
				t.Run(fmt.Sprintf("%s/%v/%v", row.line, stops[k].word, at), func(t *testing.T) {
					if stopOne(t, name, &row, &stops[k], at) {
						stoppedOnes++
					}
				})
			}
		}
	}
	if stoppedOnes < 8 {
		t.Errorf("only %d commands were still at work when they were stopped", stoppedOnes)
	}
}

// stopOne reports whether the command was still at work.
func stopOne(t *testing.T, program string, row *stopRow, by *stopped, at time.Duration) bool {
	dir := t.TempDir()
	for _, name := range []string{"pipe", "pipe.graph", "pipe.json", "pipe.npy", "pipe.png", "pipe.plan"} {
		if err := syscall.Mkfifo(filepath.Join(dir, name), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	runner := "#!/bin/sh\nsleep 1000 & echo $! >child\nwait\n"
	if err := os.WriteFile(filepath.Join(dir, "runner"), []byte(runner), 0o777); err != nil {
		t.Fatal(err)
	}
	temporary := t.TempDir()
	var out, stderr bytes.Buffer
	c := exec.Command(program, strings.Fields(row.line)...)
	c.Dir, c.Stdout, c.Stderr = dir, &out, &stderr
	c.Env = append(os.Environ(), "TMPDIR="+temporary)
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	atWork := true
	select {
	case err = <-ended:
		atWork = false
	case <-time.After(at):
		c.Process.Signal(by.by)
		select {
		case err = <-ended:
		case <-time.After(time.Minute):
			c.Process.Kill()
			t.Fatal("it goes on after the signal")
		}
	}
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	switch {
	case !atWork && (row.waits || code != 0):
		t.Errorf("it ended by itself with exit code %d: %s", code, &stderr)
	case !atWork:
	case code == -1 && out.Len()+stderr.Len() == 0: // the signal came before it had begun, as starting takes long on a busy machine
	case code != by.code && code != 0: // 0: it ended at the same time
		t.Errorf("exit code %d: %d wanted: %s", code, by.code, &stderr)
	case code != 0 && strings.Count(progressLine.ReplaceAllString(stderr.String(), ""), "\n") != 1:
		t.Errorf("no one line: %s", &stderr)
	}
	if text := out.String(); text != "" && !strings.HasSuffix(text, "\n") && !strings.HasPrefix(row.line, "graph") {
		t.Errorf("half an output: …%q", text[max(0, len(text)-80):])
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if name := e.Name(); !strings.HasPrefix(name, "pipe") && name != "runner" && name != "child" && !strings.Contains(row.files, name) {
			t.Errorf("%s is left", name)
		}
	}
	if entries, err = os.ReadDir(temporary); err != nil || len(entries) > 0 {
		t.Errorf("temporary files are left: %v, %v", entries, err)
	}
	if row.plan && code == by.code && strings.Contains(stderr.String(), "the search was stopped") {
		if _, err := os.Stat(filepath.Join(dir, "x.plan")); err == nil {
			text, err := os.ReadFile(filepath.Join(dir, "x.plan"))
			if err != nil || !bytes.Contains(text, []byte("\nstopped # ")) {
				t.Errorf("a plan that does not say that its search was stopped: %v\n%.200s", err, text)
			}
		}
		if out.Len() == 0 {
			t.Error("the plan so far is not printed")
		}
	}
	if text, err := os.ReadFile(filepath.Join(dir, "child")); err == nil {
		gone(t, strings.TrimSpace(string(text)))
	}
	return atWork
}

// gone wants a process to be no more, or a dead one that nobody has waited for.
func gone(t *testing.T, pid string) {
	if pid == "" { // the shell had not yet written it
		return
	}
	for range 100 {
		f, err := os.Open("/proc/" + pid + "/stat")
		if err != nil {
			return
		}
		text, _ := io.ReadAll(f)
		f.Close()
		if strings.Contains(string(text), ") Z ") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("the runner's child %s lives on", pid)
}

// TestNohup: HUP does not end a command that was started to outlive its terminal.
func TestNohup(t *testing.T) {
	name, dir := program(t), t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.graph"), 0o666); err != nil {
		t.Fatal(err)
	}
	c := exec.Command("sh", "-c", `trap "" HUP; exec "$0" run pipe.graph`, name)
	var stderr bytes.Buffer
	c.Dir, c.Stderr = dir, &stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	// The command opens the pipe when it is at work, and waits for what is written to it.
	pipe, err := os.OpenFile(filepath.Join(dir, "pipe.graph"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	c.Process.Signal(syscall.SIGHUP)
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	select {
	case err := <-ended:
		t.Fatalf("HUP ended it: %v: %s", err, &stderr)
	case <-time.After(300 * time.Millisecond):
	}
	c.Process.Signal(syscall.SIGTERM)
	var exit *exec.ExitError
	if err := <-ended; !errors.As(err, &exit) || exit.ExitCode() != 143 {
		t.Errorf("after TERM: %v: %s", err, &stderr)
	}
}
