package emit_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/emit"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/npy"
	"pimflow/internal/op"
	"pimflow/internal/pim"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/run"
	"pimflow/internal/tensor"
	"pimflow/internal/trace"
	"pimflow/internal/zoo"
)

// small are machines whose banks have too few rows for networks of ImageNet.
var small = []string{"toy"}

// TestRoundTrip: streams are written with images, read, timed, performed and audited: the cycles and commands are those of the manifest, the
// values those of the plan's execution, to the bit, and no rule is broken. With -long for every network and machine; TestRoundTrip/vgg-16/aim is one.
func TestRoundTrip(t *testing.T) {
	for _, network := range zoo.Names() {
		t.Run(network, func(t *testing.T) {
			for _, machine := range pim.Machines() {
				t.Run(machine, func(t *testing.T) {
					switch {
					case network == "toy":
						roundTrip(t, sourceOf(t, network, machine, "by-operator"))
					case !*long:
						t.Skip("-long")
					case slices.Contains(small, machine):
						t.Skip("its banks are too small")
					default:
						roundTrip(t, openSource(t, network, machine, longPolicy(t, network, machine)))
					}
				})
			}
		})
	}
}

// longPolicy is that of plans of networks of ImageNet: the best plans; of small networks, of which a GPU beside HBM leaves the PIM a layer or two, all layers
// that the PIM executes.
func longPolicy(t *testing.T, network, machine string) string {
	m, err := hw.Load(machine)
	if err != nil {
		t.Fatal(err)
	}
	if pim.Programmed(m) && slices.Contains([]string{"mobilenet-v2", "mnasnet-1.0"}, network) {
		return "by-operator"
	}
	return "auto"
}

// TestRoundTripIntegers: on machines that add integers, images are int32: the integers less their zero points, and their sums.
func TestRoundTripIntegers(t *testing.T) {
	file := quantised(t)
	for _, machine := range []string{"newton", "aim", "artifact"} {
		src := openSource(t, file, machine, "by-operator", "pim.number_format=int8")
		src.Values = []*tensor.Tensor{codes(tensor.Uint8, 3, 1, 32, 14, 14)}
		folder, man := roundTrip(t, src)
		step := man.Steps[0]
		f, err := os.Open(filepath.Join(folder, step.Images.Inputs.Name))
		if err != nil {
			t.Fatal(err)
		}
		x, err := npy.Read(f)
		f.Close()
		if err != nil || x.Type != tensor.Int32 || slices.Max(x.Ints()) != 127 || slices.Min(x.Ints()) != -128 {
			t.Errorf("%s: inputs of %v: %v", machine, x.Type, err)
		}
		for _, c := range []struct {
			file emit.File
			edit func([]byte) []byte
			want string
		}{
			{step.Channels[0].Images.Reads, func(b []byte) []byte { b[128]++; return b }, "value 0 that is read is "},
			{step.Images.Results, func(b []byte) []byte { b[131] ^= 1; return b }, "result 0 of the streams is "},
			{step.Images.Inputs, func(b []byte) []byte { b[129] ^= 1; return b }, ": -255 to 255 wanted"},
			{step.Images.Inputs, func(b []byte) []byte { return bytes.Replace(b, []byte("<i4"), []byte("<f4"), 1) }, ": int32 numbers in a row wanted"},
		} {
			name := filepath.Join(folder, c.file.Name)
			edited(t, name, c.edit, func() {
				_, err := emit.Perform(t.Context(), folder, man, src.Machine, nil, nil)
				if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), folder) {
					t.Errorf("%s: %v: %q wanted", name, err, c.want)
				}
			})
		}
	}
}

// codes is a tensor of integers of 8 bits.
func codes(typ tensor.Type, seed uint32, shape ...int) *tensor.Tensor {
	x := tensor.New(typ, shape)
	for i := range x.Ints() {
		seed = seed*1664525 + 1013904223
		x.Ints()[i] = tensor.Wrap(typ, int64(seed>>24))
	}
	return x
}

// quantised is the file of a convolution on integers of 8 bits with zero points.
func quantised(t *testing.T) (file string) {
	b := graph.NewBuilder("integers")
	scale := b.Const("scale", tensor.Floats32(tensor.Shape{}, []float32{0.01}))
	zero := b.Const("zero", tensor.Lazy(tensor.Uint8, tensor.Shape{}, func() ([]float32, []int64) { return nil, []int64{128} }))
	x := b.Input("x", tensor.Uint8, tensor.Shape{1, 32, 14, 14})
	bias := tensor.New(tensor.Int32, tensor.Shape{64})
	for i := range bias.Ints() {
		bias.Ints()[i] = int64(i*7919%20001 - 10000)
	}
	nd := graph.Node{
		Name: "conv", Attrs: op.Attrs{"kernel_shape": []int64{3, 3}, "strides": []int64{1, 1}, "pads": []int64{1, 1, 1, 1}, "dilations": []int64{1, 1}, "group": int64(1)},
		In: []graph.ID{
			x, b.Const("w", codes(tensor.Int8, 1, 64, 32, 3, 3)), scale, zero, scale, b.Const("wz", codes(tensor.Int8, 2)), scale, zero, b.Const("bias", bias),
		},
	}
	nd.Op, _ = op.Lookup("QLinearConv")
	id, err := b.Node(nd)
	if err != nil {
		t.Fatal(err)
	}
	b.Output("y", id)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "integers.graph")
	f, err := os.Create(file)
	if err == nil {
		err = errors.Join(g.Print(f, true), f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func roundTrip(t *testing.T, src emit.Source) (folder string, man *emit.Manifest) {
	folder = filepath.Join(t.TempDir(), "out")
	if _, err := emit.Folder(t.Context(), folder, src, emit.Options{Format: "pimflow", Images: true, Gzip: src.Machine.Name == "toy"}, nil); err != nil {
		t.Fatal(err)
	}
	man, m, err := emit.Read(folder)
	if err == nil {
		err = man.Verify(t.Context(), folder)
	}
	if err != nil {
		t.Fatal(err)
	}
	timed(t, folder, man, m)
	results := map[int]*pim.Sums{}
	done, err := emit.Perform(t.Context(), folder, man, m, nil, func(s *emit.Step, r *pim.Sums) { results[s.Step] = r })
	if err != nil {
		t.Fatal(err)
	}
	compared := equalValues(t, src, results)
	if done.Steps != len(man.Steps) || done.Channels != len(man.AllChannels()) || done.Reads < 1000 || done.Results < 1000 || compared < 1000 {
		t.Errorf("%+v, %d values compared", done, compared)
	}
	t.Logf("%s on %s: %d steps, %d channels, %d commands, %d bytes of streams, %d values read, %d results, %d values compared, %d MB of files",
		src.Model, m.Name, done.Steps, done.Channels, man.Commands, man.Bytes, done.Reads, done.Results, compared, size(t, folder)>>20)
	return folder, man
}

// timed holds what streams take against the manifest, and their cycles against the rules.
func timed(t *testing.T, folder string, man *emit.Manifest, m *hw.Machine) {
	s, err := trace.New(m, false)
	if err != nil {
		t.Fatal(err)
	}
	quiet := func(string) func(done, total int) { return nil }
	names := man.Files(folder)
	list, err := s.Streams(t.Context(), names, nil, false, quiet)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range man.AllChannels() {
		x := &list.Streams[i]
		if err := man.Hold(names[i], c, &emit.Taken{Cycles: x.Cycles, Issued: x.Issued, Timed: x.Timed, Unrefreshed: x.Unrefreshed, Commands: x.Own}); err != nil {
			t.Error(err)
		}
	}
	audit, err := s.Audit(t.Context(), names, nil, 3, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if audit.Violations > 0 || audit.Commands < man.Commands || audit.Refreshes.Missing > 0 {
		t.Errorf("%d violations in %d commands, %d refreshes missing: %+v", audit.Violations, audit.Commands, audit.Refreshes.Missing, audit.First)
	}
}

// equalValues holds the values that follow from the results of streams against those of the plan's execution.
func equalValues(t *testing.T, src emit.Source, results map[int]*pim.Sums) (compared int) {
	p := src.Timeline.Program
	var mu sync.Mutex
	_, err := run.EvalSeen(t.Context(), p, src.Values, nil, func(s *program.Step, in []*tensor.Tensor, dst *tensor.Tensor) error {
		if s.Device != plan.PIM {
			return nil
		}
		i := slices.IndexFunc(p.Steps, func(x program.Step) bool { return x.Device == plan.PIM && x.Node == s.Node && x.Box.Equal(s.Box) })
		got := tensor.New(dst.Type, dst.Shape)
		device.Bare(s.Code).(*pim.Code).Finish(in, results[i], got)
		mu.Lock()
		defer mu.Unlock()
		s.Box.Runs(dst.Shape, func(off, n int) {
			compared += n
			if x, y, differ := unequal(got, dst, off, n); differ {
				t.Errorf("step %d: %v, %v wanted", i, x, y)
			}
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return compared
}

// unequal finds values that differ in a bit.
func unequal(a, b *tensor.Tensor, off, n int) (x, y any, differ bool) {
	if !a.Type.Float() {
		for i := off; i < off+n; i++ {
			if a.Ints()[i] != b.Ints()[i] {
				return a.Ints()[i], b.Ints()[i], true
			}
		}
		return nil, nil, false
	}
	_, here, there, differ := (&pim.Sums{Rounded: a.Floats()[off : off+n]}).Differ(0, &pim.Sums{Rounded: b.Floats()[off : off+n]})
	return here, there, differ
}

// size is the bytes of a folder's files.
func size(t *testing.T, folder string) (n int64) {
	err := filepath.WalkDir(folder, func(_ string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		n += info.Size()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
