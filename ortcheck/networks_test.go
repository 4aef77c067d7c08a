package ortcheck

import (
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/onnx"
	"pimflow/internal/platform"
	"pimflow/internal/run"
	"pimflow/internal/search"
	"pimflow/internal/simplify"
	"pimflow/internal/tensor"
	"pimflow/internal/transform"
	"pimflow/internal/zoo"
)

var (
	long  = flag.Bool("long", false, "also the networks with hundreds of MB of weights")
	files = flag.String("files", "", "also compare the .onnx files that match this pattern")
)

// TestNetworks compares every network of the zoo, as built and as simplified,
// with what ONNX Runtime makes of the file that is written of it.
func TestNetworks(t *testing.T) {
	for _, name := range zoo.Names() {
		t.Run(name, func(t *testing.T) {
			if name == "vgg-16" && !*long {
				t.Skip("528 MB of weights: with -long only")
			}
			g, err := zoo.Build(name, 1)
			if err != nil {
				t.Fatal(err)
			}
			model, err := encoded(g)
			if err != nil {
				t.Fatal(err)
			}
			compareNetwork(t, g, random(g), model)
		})
	}
}

// TestPlans executes the plans that are found for networks of the zoo, in parts on
// GPU and PIM.
func TestPlans(t *testing.T) {
	for _, name := range []string{"toy", "mobilenet-v2", "efficientnet-b0", "mnasnet-1.0"} {
		t.Run(name, func(t *testing.T) {
			g, err := zoo.Build(name, 1)
			if err != nil {
				t.Fatal(err)
			}
			model, err := encoded(g)
			if err != nil {
				t.Fatal(err)
			}
			in := random(g)
			want, err := onnxRuntime(model, inputNames(g), in, outputNames(g))
			if err != nil {
				t.Fatal(err)
			}
			if g, err = simplify.Run(t.Context(), g); err != nil {
				t.Fatal(err)
			}
			r := best(t, g)
			got, err := run.Eval(t.Context(), r.Timeline.Program, in, nil)
			if err != nil {
				t.Fatal(err)
			}
			worst, err := differ(got, want, 0)
			if err != nil {
				t.Error(err)
			}
			steps := map[string]int{}
			for _, s := range r.Timeline.Program.Steps {
				steps[s.Device]++
			}
			t.Logf("%s, %v steps: largest difference %.1e of the largest magnitude, %d values", g.Name, steps, worst, values(want))
			tiled, err := transform.Run(g, r.Plan)
			if err != nil {
				t.Fatal(err)
			}
			if model, err = encoded(tiled.Graph); err != nil {
				t.Fatal(err)
			}
			if got, err = onnxRuntime(model, inputNames(g), in, outputNames(g)); err != nil {
				t.Fatal(err)
			}
			if worst, err = differ(got, want, 0); err != nil || len(tiled.Uncut) > 0 {
				t.Errorf("exported, in ONNX Runtime: %v; whole: %v", err, tiled.Uncut)
			}
			t.Logf("%s, exported as %d nodes with a device, in ONNX Runtime: largest difference %.1e", g.Name, len(tiled.Places), worst)
		})
	}
}

// best searches with the default policy on the published machine, whose PIM computes in
// float32 here: the values of the commands are then held to the tolerance of operators.
func best(t *testing.T, g *graph.Graph) *search.Result {
	m, _, err := hw.LoadWith("artifact", "", []string{"pim.number_format=fp32", "memory.bytes_per_element=4"})
	if err != nil {
		t.Fatal(err)
	}
	to, err := platform.Target(m, platform.Makers{})
	if err != nil {
		t.Fatal(err)
	}
	policy, err := search.Lookup(search.Default)
	if err != nil {
		t.Fatal(err)
	}
	r, err := search.Best(t.Context(), g, policy, to)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// opened reads a file, and its bytes.
func opened(t *testing.T, path string) (*onnx.File, []byte) {
	t.Helper()
	f, err := onnx.Read(t.Context(), path, onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	model, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return f, model
}

// TestFiles compares the files that -files names.
func TestFiles(t *testing.T) {
	if *files == "" {
		t.Skip("no -files")
	}
	paths, err := filepath.Glob(*files)
	if err != nil || len(paths) == 0 {
		t.Fatalf("-files %s: no files (%v)", *files, err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			f, model := opened(t, path)
			in := random(f.Graph)
			if *within {
				compareValues(t, path, model, in)
				return
			}
			g, err := sized(f, in)
			if err != nil {
				t.Fatal(err)
			}
			compareNetwork(t, g, in, model)
		})
	}
}

// TestDetector compares a detector whose extents depend on data: with some boxes, with none, and as it is written with the
// largest extents, twice over.
func TestDetector(t *testing.T) {
	path := "../docs/detector.onnx"
	for range 2 {
		f, err := onnx.Read(t.Context(), path, onnx.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		model, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		none := random(f.Graph)
		clear(none[0].Floats())
		for _, in := range [][]*tensor.Tensor{random(f.Graph), none} {
			g, err := sized(f, in)
			if err != nil {
				t.Fatal(err)
			}
			compareNetwork(t, g, in, model)
		}
		if model, err = encoded(f.Graph); err != nil {
			t.Fatal(err)
		}
		path = filepath.Join(t.TempDir(), "largest.onnx")
		if err := os.WriteFile(path, model, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// compareNetwork holds g and its simplified form against ONNX Runtime's results
// for a model on inputs, and those for the simplified form written again.
func compareNetwork(t *testing.T, g *graph.Graph, in []*tensor.Tensor, model []byte) {
	want, err := onnxRuntime(model, inputNames(g), in, outputNames(g))
	if err != nil {
		t.Fatal(err)
	}
	hold := func(what string, got []*tensor.Tensor, err error) {
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		worst, err := differ(got, want, 0)
		if err != nil {
			if moved, other := sameRows(got, want); other == nil && moved > 0 {
				t.Logf("%s, %s: equal, %d of %d rows in another order", g.Name, what, moved, want[0].Shape[0])
				return
			}
			t.Errorf("%s: %v", what, err)
		}
		t.Logf("%s, %s: largest difference %.1e of the largest magnitude, %d values", g.Name, what, worst, values(want))
	}
	got, err := reference(g, in)
	hold("as read", got, err)
	s, err := simplify.Run(t.Context(), g)
	if err != nil {
		t.Fatal(err)
	}
	got, err = reference(s, in)
	hold("simplified", got, err)
	if model, err = encoded(s); err != nil {
		t.Fatal(err)
	}
	got, err = onnxRuntime(model, inputNames(s), in, outputNames(s))
	hold("simplified, written, in ONNX Runtime", got, err)
}

// random draws inputs as normalised images are: of mean 0 and variance 1.
func random(g *graph.Graph) []*tensor.Tensor {
	r := rand.New(rand.NewPCG(1, 2))
	var in []*tensor.Tensor
	for _, id := range g.Inputs {
		x := tensor.New(g.Nodes[id].Type, g.Nodes[id].Shape)
		for i := range x.Floats() {
			x.Floats()[i] = float32(r.NormFloat64())
		}
		in = append(in, x)
	}
	return in
}

func values(ts []*tensor.Tensor) int {
	n := 0
	for _, t := range ts {
		n += t.Shape.Size()
	}
	return n
}
