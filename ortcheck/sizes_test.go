package ortcheck

import (
	"math/rand/v2"
	"path/filepath"
	"testing"

	"pimflow/internal/graph"
	"pimflow/internal/tensor"
)

// TestSizesToldByValues compares networks in which values tell sizes, which tools/export/sizes.py writes, on inputs with other
// sizes each. No value is larger than planned.
func TestSizesToldByValues(t *testing.T) {
	paths, err := filepath.Glob("testdata/sizes/*.onnx")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files in testdata/sizes (%v)", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			f, model := opened(t, path)
			if !f.Counted() {
				t.Fatal("no size depends on data")
			}
			seen := map[string]bool{}
			for seed := range uint64(12) {
				in := random(f.Graph)
				r := rand.New(rand.NewPCG(seed, 3))
				for _, x := range in {
					for i := range x.Floats() {
						x.Floats()[i] = float32(r.NormFloat64())
					}
				}
				g, err := sized(f, in)
				if err != nil {
					t.Fatal(err)
				}
				compareNetwork(t, g, in, model)
				seen[notLarger(t, g, f.Graph)] = true
			}
			if len(seen) < 3 {
				t.Errorf("%d sizes in all", len(seen))
			}
			if c := checked(t, path); !c.OK {
				t.Errorf("check: %s", c.Reason)
			}
		})
	}
}

// notLarger compares the shapes of values with the largest, and returns them.
func notLarger(t *testing.T, g, largest *graph.Graph) (sizes string) {
	at := map[string]tensor.Shape{}
	for i := range largest.Nodes {
		at[largest.Nodes[i].Name] = largest.Nodes[i].Shape
	}
	for i := range g.Nodes {
		nd := &g.Nodes[i]
		most, known := at[nd.Name]
		sizes += nd.Shape.String() + " "
		for d := range most {
			if known && len(most) == len(nd.Shape) && nd.Shape[d] > most[d] {
				t.Errorf("%s is %v: at most %v planned", nd.Name, nd.Shape, most)
			}
		}
	}
	return sizes
}
