package profile

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"pimflow/internal/device"
	"pimflow/internal/jsontext"
)

// Protocol names the protocol of runners. A runner prints a Hello as a line of JSON. For each
// line that it reads, the path of an .onnx file, it prints an Answer.
const Protocol = "pimflow.runner/1"

// Hello is the first line of a runner.
type Hello struct {
	Protocol string `json:"protocol"`
	Device   string `json:"device"` // cpu or cuda
	On       string `json:"on"`     // for people: library, version, processor, types
}

// Answer is the time of a model, from its inputs on the device to its outputs.
type Answer struct {
	Median  float64 `json:"median_ns"`
	Spread  float64 `json:"spread_ns"` // from the first to the third quartile
	Repeats int     `json:"repeats"`
	Clock   float64 `json:"clock_mhz,omitempty"` // of the GPU's processors, right after; 0: unknown
	Error   string  `json:"error,omitempty"`

	Unsupported bool `json:"unsupported,omitempty"` // the error is that this runner never measures such a model
}

// Torch is a runner that a Python with PyTorch executes: the program python3 with the arguments -c and this text.
//
//go:embed pytorch_runner.py
var Torch string

// Runner is a program that measures models.
type Runner struct {
	Hello
	name   string
	wait   time.Duration // for an answer
	c      *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr *first
}

// ErrNoRunner reports that the runner's program is missing.
var ErrNoRunner = errors.New("there is no such program")

// ErrUnsupported reports a model that a runner does not measure, and says so.
var ErrUnsupported = errors.New("not measured by this runner")

// Start starts a runner, whose answers take at most wait each. It ends with ctx, and all that it started with it.
func Start(ctx context.Context, wait time.Duration, program string, args ...string) (*Runner, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return nil, fmt.Errorf("%s: %w in PATH", program, ErrNoRunner)
		}
		var why *exec.Error
		if errors.As(err, &why) { // its text quotes the program again
			err = why.Err
		}
		return nil, fmt.Errorf("%s: %w: %w", program, ErrNoRunner, err)
	}
	r := &Runner{name: program, wait: wait, c: exec.CommandContext(ctx, path, args...), stderr: &first{}}
	r.c.Stderr = r.stderr
	group(r.c)
	r.c.Cancel = r.end
	r.c.WaitDelay = time.Second // for children in groups of their own; estimated
	if r.in, err = r.c.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := r.c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	r.out = bufio.NewReader(out)
	if err := r.c.Start(); err != nil {
		return nil, err
	}
	if err := r.read(&r.Hello); err != nil {
		return nil, err
	}
	if r.Protocol != Protocol {
		r.kill()
		return nil, fmt.Errorf("%s speaks %.80q: %.80q wanted", program, r.Protocol, Protocol)
	}
	return r, nil
}

// Measure measures the model in a file.
func (r *Runner) Measure(file string) (a Answer, err error) {
	if _, err := fmt.Fprintln(r.in, file); err != nil {
		r.kill()
		return a, r.ended(err)
	}
	if err := r.read(&a); err != nil {
		return a, err
	}
	return a, a.check(r.name)
}

// check refuses an answer that is no measurement.
func (a *Answer) check(name string) error {
	if a.Unsupported {
		return fmt.Errorf("%w: %.*s", ErrUnsupported, maxFirst, a.Error)
	}
	if a.Error != "" {
		return fmt.Errorf("%.*s", maxFirst, a.Error)
	}
	if !(a.Median >= 1e-3 && a.Median*1e3 <= float64(longest)) || !(a.Spread >= 0 && a.Spread <= math.MaxInt32*1e6) || a.Repeats < 1 || !(a.Clock >= 0 && a.Clock <= math.MaxInt32) {
		return fmt.Errorf("%s measured %v ns, spread %v, %d times", name, a.Median, a.Spread, a.Repeats)
	}
	return nil
}

// Set writes an answer into a row.
func (r *Runner) Set(row *Row, a Answer) {
	row.Time, row.Spread, row.Repeats, row.MeasuredOn = rounded(a.Median*1e3), device.Time(math.Round(a.Spread*1e3)), a.Repeats, r.On
}

// Close ends the runner by closing its input.
func (r *Runner) Close() error {
	r.in.Close()
	late := time.AfterFunc(r.wait, func() { r.end() })
	defer late.Stop()
	if err := r.c.Wait(); err != nil {
		return r.ended(err)
	}
	return nil
}

// end kills the runner and its children.
func (r *Runner) end() error { return killGroup(r.c) }

// kill ends the runner. Its standard error is complete afterwards.
func (r *Runner) kill() {
	r.in.Close() // it may end by itself, with a message
	late := time.AfterFunc(time.Second, func() { r.end() })
	defer late.Stop()
	r.c.Wait() // its error is that it was killed
}

// read reads a line of JSON.
func (r *Runner) read(v any) error {
	late := time.AfterFunc(r.wait, func() { r.end() })
	line, err := r.out.ReadSlice('\n')
	if !late.Stop() {
		r.kill()
		return fmt.Errorf("%s: no answer within %v", r.name, r.wait)
	}
	if err != nil {
		r.kill()
		return r.ended(err)
	}
	if err := json.Unmarshal(line, v); err != nil {
		r.kill()
		return fmt.Errorf("%s printed %.80q: %s", r.name, line, jsontext.Words(line, err))
	}
	return nil
}

// ended is the error of a runner that ended, with its message if there is one.
func (r *Runner) ended(err error) error {
	if s := strings.TrimSpace(r.stderr.String()); s != "" {
		return fmt.Errorf("%s: %s", r.name, strings.TrimPrefix(s, filepath.Base(r.name)+": "))
	}
	if err == io.EOF {
		err = errors.New("it ended without an answer")
	}
	return fmt.Errorf("%s: %w", r.name, err)
}

// first keeps the first bytes that are written to it.
type first struct{ strings.Builder }

// maxFirst bounds a message, in bytes. Estimated.
const maxFirst = 2000

func (t *first) Write(p []byte) (int, error) {
	t.Builder.Write(p[:min(len(p), maxFirst-t.Len())])
	return len(p), nil
}
