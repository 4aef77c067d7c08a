package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"pimflow/internal/fault"
	"pimflow/internal/files"
	"pimflow/internal/graph"
	"pimflow/internal/nearest"
	"pimflow/internal/onnx"
	"pimflow/internal/profile"
	"pimflow/internal/tensor"
)

// way is a library that kernels are measured with.
type way struct {
	program string   // of --runner, unless another is named
	begin   []string // arguments before all others
	flags   []string // flags of profile that are for this way only
	missing string   // what to do where there is no such program
	probe   bool     // on a GPU only the first value of a result is kept: a result is copied to the host
}

// ways lists what --with takes.
var ways = map[string]way{
	"onnxruntime": {
		program: "pimflow-onnxruntime", flags: []string{"library"}, probe: true,
		missing: `build it with "go build -C ortcheck -o DIR/ ./pimflow-onnxruntime", which needs a C compiler, and name it with --runner or put DIR into PATH`,
	},
	"torch": {
		program: "python3", begin: []string{"-c", profile.Torch}, flags: []string{"launch"},
		missing: `install Python 3, and "pip install torch onnx", and name that Python with --runner or put it into PATH`,
	},
}

// measuring lists the flags that are for any way.
var measuring = []string{"runner", "device", "repeats", "runner-timeout", "time-limit"}

// checkWith refuses an unknown way to measure, and flags of measuring without it.
func (f *surveyFlags) checkWith(changed func(string) bool) error {
	known := slices.Sorted(maps.Keys(ways))
	if _, ok := ways[f.with]; f.with != "" && !ok {
		return fault.Usagef("--with %s is not known%s: %s wanted", f.with, nearest.Hint(f.with, known), strings.Join(known, " or "))
	}
	for _, name := range measuring {
		if f.with == "" && changed(name) {
			return fault.Usagef("--%s is for --with %s", name, strings.Join(known, " or "))
		}
	}
	for _, with := range known {
		for _, name := range ways[with].flags {
			if f.with != with && changed(name) {
				return fault.Usagef("--%s is for --with %s", name, with)
			}
		}
	}
	if !slices.Contains([]string{"", "graph", "stream"}, f.launch) {
		return fault.Usagef("--launch %.80q: graph or stream wanted", f.launch)
	}
	if f.repeats < 1 {
		return fault.Usagef("--repeats %d: at least 1 wanted", f.repeats)
	}
	if f.wait <= 0 {
		return fault.Usagef("--runner-timeout %v: more than 0 wanted", f.wait)
	}
	if f.within <= 0 {
		return fault.Usagef("--time-limit %v: more than 0 wanted", f.within)
	}
	return nil
}

// runner starts the program that measures.
func (f *surveyFlags) start(ctx context.Context) (*profile.Runner, error) {
	how := ways[f.with]
	program := f.runner
	if program == "" {
		program = how.program
	}
	args := append(slices.Clone(how.begin), "--repeats", strconv.Itoa(f.repeats), "--device", f.device)
	if f.launch != "" {
		args = append(args, "--launch", f.launch)
	}
	if f.library != "" {
		library, err := filepath.Abs(f.library)
		if err != nil {
			return nil, err
		}
		args = append(args, "--library", library)
	}
	r, err := profile.Start(ctx, f.wait, program, args...)
	if errors.Is(err, profile.ErrNoRunner) {
		return nil, fmt.Errorf("%w: %s", err, how.missing)
	}
	return r, err
}

// measure measures the kernel of each row in order, writes its time into the row, and reports the rows without a time.
func (f *surveyFlags) measure(ctx context.Context, rows []profile.Row, progress func(done, total int), stderr io.Writer) error {
	begin := time.Now()
	r, err := f.start(ctx)
	if err != nil {
		return fmt.Errorf("--with %s: %w", f.with, err)
	}
	dir, remove, err := files.Folder()
	if err != nil {
		return errors.Join(err, r.Close())
	}
	defer remove()
	var clocks []float64
	unsupported, late := map[string]int{}, 0
	for i := range rows {
		if time.Since(begin) > f.within {
			late = len(rows) - i
			break
		}
		a, err := measureRow(ctx, r, &rows[i], filepath.Join(dir, "kernel.onnx"), ways[f.with].probe)
		switch {
		case errors.Is(err, profile.ErrUnsupported):
			unsupported[err.Error()]++
		case err != nil:
			r.Close() // its own error is not the first
			return fmt.Errorf("--with %s: %s, %v: %w", f.with, rows[i].Layer, &rows[i].Kernel, err)
		case a.Clock > 0:
			clocks = append(clocks, a.Clock)
		}
		if progress != nil {
			progress(i+1, len(rows))
		}
	}
	for _, why := range slices.Sorted(maps.Keys(unsupported)) {
		fmt.Fprintf(stderr, "pimflow: %d of %d kernels have no time: %s\n", unsupported[why], len(rows), why)
	}
	if late > 0 {
		fmt.Fprintf(stderr, "pimflow: %d of %d kernels have no time: --time-limit %v was over; the others are those with the largest effect\n", late, len(rows), f.within)
	}
	if len(clocks) > 0 {
		fmt.Fprintf(stderr, "pimflow: the GPU's clock was %.0f to %.0f MHz while it measured\n", slices.Min(clocks), slices.Max(clocks))
	}
	return r.Close()
}

// measureRow writes the kernel of a row to a file and measures it. On a CPU floating values are
// float32, whatever the machine's type: libraries have few CPU kernels for others.
func measureRow(ctx context.Context, r *profile.Runner, row *profile.Row, file string, probe bool) (a profile.Answer, err error) {
	var g *graph.Graph
	switch {
	case r.Device == "cpu":
		g, _, err = row.Alone(tensor.Float32)
	case row.Type != tensor.Float16 && row.Type != tensor.Float32:
		err = fmt.Errorf("dtype %v on %s: float16 or float32 wanted", row.Type, r.Device)
	case probe: // its memory is not the host's
		g, err = row.Probe(row.Type)
	default:
		g, _, err = row.Alone(row.Type)
	}
	if err != nil {
		return a, err
	}
	if err := files.Write(ctx, files.File{Name: file, Write: func(w io.Writer) error { return onnx.Write(w, g) }}); err != nil {
		return a, err
	}
	if a, err = r.Measure(file); err == nil {
		r.Set(row, a)
	}
	return a, err
}
