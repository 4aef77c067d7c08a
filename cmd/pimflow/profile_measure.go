package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"

	"pimflow/internal/fault"
	"pimflow/internal/files"
	"pimflow/internal/graph"
	"pimflow/internal/nearest"
	"pimflow/internal/onnx"
	"pimflow/internal/profile"
	"pimflow/internal/tensor"
)

// checkWith refuses an unknown way to measure, and flags of measuring without --with.
func (f *surveyFlags) checkWith(changed func(string) bool) error {
	known := []string{"onnxruntime"}
	if f.with != "" && f.with != known[0] {
		return fault.Usagef("--with %s is not known%s: onnxruntime wanted", f.with, nearest.Hint(f.with, known))
	}
	for _, name := range []string{"runner", "library", "device", "repeats", "runner-timeout"} {
		if f.with == "" && changed(name) {
			return fault.Usagef("--%s is for --with onnxruntime", name)
		}
	}
	if f.repeats < 1 {
		return fault.Usagef("--repeats %d: at least 1 wanted", f.repeats)
	}
	if f.wait <= 0 {
		return fault.Usagef("--runner-timeout %v: more than 0 wanted", f.wait)
	}
	return nil
}

// measure writes the measured time of its kernel into each row, one after the other.
func (f *surveyFlags) measure(ctx context.Context, rows []profile.Row, progress func(done, total int)) error {
	args := []string{"--repeats", strconv.Itoa(f.repeats), "--device", f.device}
	if f.library != "" {
		library, err := filepath.Abs(f.library)
		if err != nil {
			return err
		}
		args = append(args, "--library", library)
	}
	r, err := profile.Start(ctx, f.wait, f.runner, args...)
	if errors.Is(err, profile.ErrNoRunner) {
		return fmt.Errorf("--with onnxruntime: %w: build it with \"go build -C ortcheck -o DIR/ ./pimflow-onnxruntime\", which needs a C compiler, and name it with --runner or put DIR into PATH", err)
	}
	if err != nil {
		return fmt.Errorf("--with onnxruntime: %w", err)
	}
	dir, remove, err := files.Folder()
	if err != nil {
		return errors.Join(err, r.Close())
	}
	defer remove()
	for i := range rows {
		if err := measureRow(ctx, r, &rows[i], filepath.Join(dir, "kernel.onnx")); err != nil {
			r.Close() // its own error is not the first
			return fmt.Errorf("--with onnxruntime: %s, %v: %w", rows[i].Layer, &rows[i].Kernel, err)
		}
		if progress != nil {
			progress(i+1, len(rows))
		}
	}
	return r.Close()
}

// measureRow writes the kernel of a row to a file and measures it. On a CPU floating values are
// float32, whatever the machine's type: ONNX Runtime has few CPU kernels for others.
func measureRow(ctx context.Context, r *profile.Runner, row *profile.Row, file string) error {
	var g *graph.Graph
	var err error
	switch {
	case r.Device == "cpu":
		g, _, err = row.Alone(tensor.Float32)
	case row.Type != tensor.Float16 && row.Type != tensor.Float32:
		err = fmt.Errorf("dtype %v on %s: float16 or float32 wanted", row.Type, r.Device)
	default: // its memory is not the host's
		g, err = row.Probe(row.Type)
	}
	if err != nil {
		return err
	}
	if err := files.Write(ctx, files.File{Name: file, Write: func(w io.Writer) error { return onnx.Write(w, g) }}); err != nil {
		return err
	}
	a, err := r.Measure(file)
	if err != nil {
		return err
	}
	r.Set(row, a)
	return nil
}
