package ortcheck

import (
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"pimflow/internal/graph"
	"pimflow/internal/onnx"
	"pimflow/internal/simplify"
	"pimflow/internal/tensor"
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
			compareNetwork(t, g, model)
		})
	}
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
			f, err := onnx.Read(path, onnx.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			model, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			compareNetwork(t, f.Graph, model)
		})
	}
}

// compareNetwork holds g and its simplified form against ONNX Runtime's results
// for model, and those for the simplified form written again.
func compareNetwork(t *testing.T, g *graph.Graph, model []byte) {
	r := rand.New(rand.NewPCG(1, 2))
	var in []*tensor.Tensor
	for _, id := range g.Inputs {
		x := tensor.New(g.Nodes[id].Type, g.Nodes[id].Shape)
		for i := range x.Floats() {
			x.Floats()[i] = float32(r.NormFloat64())
		}
		in = append(in, x)
	}
	want, err := onnxRuntime(model, inputNames(g), in, outputNames(g))
	if err != nil {
		t.Fatal(err)
	}
	hold := func(what string, got []*tensor.Tensor, err error) {
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		worst, err := differ(got, want)
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		t.Logf("%s: largest difference %.1e of the largest magnitude, %d values", what, worst, values(want))
	}
	got, err := reference(g, in)
	hold("as read", got, err)
	s, err := simplify.Run(g)
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

func values(ts []*tensor.Tensor) int {
	n := 0
	for _, t := range ts {
		n += t.Shape.Size()
	}
	return n
}
