package emit_test

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/emit"
	"pimflow/internal/hw"
	"pimflow/internal/pim"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/run"
	"pimflow/internal/tensor"
)

// TestValues: the streams of a folder, performed on its images, return results from which each step's values follow as the plan's execution
// makes them, to the bit.
func TestValues(t *testing.T) {
	networks := []string{"toy"}
	if *long {
		networks = append(networks, "mobilenet-v2")
	}
	for _, network := range networks {
		for _, machine := range hw.Names() {
			src := sourceOf(t, network, machine)
			folder := filepath.Join(t.TempDir(), "out")
			if _, err := emit.Folder(t.Context(), folder, src, emit.Options{Format: "pimflow", Images: true, Gzip: machine == "toy"}, nil); err != nil {
				t.Fatal(err)
			}
			man, m, err := emit.Read(folder)
			if err == nil {
				err = man.Verify(t.Context(), folder)
			}
			if err != nil {
				t.Fatal(err)
			}
			results := map[int][]float32{}
			done, err := emit.Perform(t.Context(), folder, man, m, nil, func(s *emit.Step, r []float32) { results[s.Step] = r })
			if err != nil {
				t.Fatal(err)
			}
			if done.Steps != len(man.Steps) || done.Reads < 1000 || done.Results < 1000 {
				t.Errorf("%s on %s: %+v", network, machine, done)
			}
			p := src.Timeline.Program
			var mu sync.Mutex
			compared := 0
			_, err = run.EvalSeen(t.Context(), p, src.Values, nil, func(s *program.Step, in []*tensor.Tensor, dst *tensor.Tensor) error {
				if s.Device != plan.PIM {
					return nil
				}
				i := slices.IndexFunc(p.Steps, func(x program.Step) bool { return x.Device == plan.PIM && x.Node == s.Node && x.Box.Equal(s.Box) })
				got := tensor.New(dst.Type, dst.Shape)
				device.Bare(s.Code).(*pim.Code).Finish(in, results[i], got)
				mu.Lock()
				defer mu.Unlock()
				s.Box.Runs(dst.Shape, func(off, n int) {
					for k := range n {
						if compared++; math.Float32bits(got.Floats()[off+k]) != math.Float32bits(dst.Floats()[off+k]) {
							t.Fatalf("%s on %s: step %d, value %d is %v, %v wanted", network, machine, i, off+k, got.Floats()[off+k], dst.Floats()[off+k])
						}
					}
				})
				return nil
			})
			if err != nil || compared < 1000 {
				t.Errorf("%s on %s: %d values compared: %v", network, machine, compared, err)
			}
		}
	}
}

// TestValuesWrong: a weight, an input or a stream that is another is found.
func TestValuesWrong(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "out")
	if _, err := emit.Folder(t.Context(), folder, source(t, "newton"), emit.Options{Format: "pimflow", Images: true, Layer: "fc"}, nil); err != nil {
		t.Fatal(err)
	}
	man, m, err := emit.Read(folder)
	if err != nil {
		t.Fatal(err)
	}
	step := man.Steps[0]
	c := step.Channels[0]
	for _, x := range []struct {
		file string
		edit func(text []byte) []byte
		want string
	}{
		{c.Images.Weights.Name, func(b []byte) []byte { b[131] ^= 1; return b }, "that is read is"},
		{step.Images.Inputs.Name, func(b []byte) []byte { b[131] ^= 1; return b }, "that is read is"},
		{step.Images.Results.Name, func(b []byte) []byte { b[130] ^= 1; return b }, "result 0 of the streams is"},
		{c.Images.Reads.Name, func(b []byte) []byte { b[130] ^= 1; return b }, "value 0 that is read is"},
		{c.File, func(b []byte) []byte { return []byte(strings.Replace(string(b), "buf=0", "buf=1", 1)) }, "which was not filled"},
		{c.Images.Rows.Name, func(b []byte) []byte { return []byte(strings.Replace(string(b), ",0,", ",x,", 1)) }, `:2: "x": a number wanted`},
		{c.Images.Rows.Name, func(b []byte) []byte { return b[1:] }, ":1: lines of row,chunk,"},
		{c.Images.Weights.Name, func(b []byte) []byte { return b[:100] }, "the file ends"},
	} {
		name := filepath.Join(folder, x.file)
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, x.edit(slices.Clone(text)), 0o666); err != nil {
			t.Fatal(err)
		}
		_, err = emit.Perform(t.Context(), folder, man, m, nil, nil)
		if err == nil || !strings.Contains(err.Error(), x.want) || !strings.HasPrefix(err.Error(), folder) {
			t.Errorf("%s: %v, %q wanted", x.file, err, x.want)
		}
		if err := man.Verify(t.Context(), folder); err == nil || !strings.HasPrefix(err.Error(), name+": SHA-256") {
			t.Errorf("%s: %v", x.file, err)
		}
		if err := os.WriteFile(name, text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := emit.Perform(t.Context(), folder, man, m, nil, nil); err != nil {
		t.Error(err)
	}
}
