package ortcheck

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"pimflow"
	"pimflow/internal/onnx"
)

var table = flag.Bool("table", false, "print a row of a table for each file that -files names")

// tied are detectors with scores so near to each other, here behind a softmax close to 1, that float32 decides which boxes
// are kept. Only their nodes are compared, each on ONNX Runtime's values of its inputs.
var tied = map[string]bool{"ssdlite.onnx": true}

// TestReduced compares networks of torchvision with few channels, which tools/export/reduced.py writes: the values of the
// outputs, and each step of a plan with every layer on the PIM that can be there.
func TestReduced(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.onnx")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files in testdata (%v)", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			f, model := opened(t, path)
			in := random(f.Graph)
			g, err := sized(f, in)
			if err != nil {
				t.Fatal(err)
			}
			if f.Counted() {
				compareValues(t, path, model, in)
			}
			if !tied[filepath.Base(path)] {
				compareNetwork(t, g, in, model)
			}
			if c := checked(t, path); !c.OK || c.PIM.Compared == 0 {
				t.Errorf("check: %s; %d values on the PIM", c.Reason, c.PIM.Compared)
			}
		})
	}
}

// checked plans a file with all that the PIM can execute there, and checks every step of the plan.
func checked(t *testing.T, path string) *pimflow.Check {
	s, err := pimflow.Open(t.Context(), path, pimflow.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	p, err := s.Plan(t.Context(), pimflow.Search{Policy: "by-operator"})
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.Check(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("check: %d PIM tiles of %d values, %d GPU tiles of %d values", c.PIMTiles, c.PIM.Compared, c.GPUTiles, c.GPU.Compared)
	return c
}

// TestTable prints a row for each file that -files names, if -table is given; zoo.sh makes a table of it.
func TestTable(t *testing.T) {
	if !*table {
		t.Skip("no -table")
	}
	paths, err := filepath.Glob(*files)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		f, err := onnx.Read(t.Context(), path, onnx.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		model, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		in := random(f.Graph)
		alone := compareValues(t, path, model, in)
		g, err := sized(f, in)
		if err != nil {
			t.Fatal(err)
		}
		want, err := onnxRuntime(model, inputNames(g), in, outputNames(g))
		if err != nil {
			t.Fatal(err)
		}
		got, err := reference(g, in)
		if err != nil {
			t.Fatal(err)
		}
		worst, err := differ(got, want, 0)
		end := fmt.Sprintf("%.1e", worst)
		if err != nil {
			end += ", not within the tolerance"
			if moved, other := sameRows(got, want); other == nil {
				end = fmt.Sprintf("%d of %d rows in another order", moved, want[0].Shape[0])
			}
		}
		verdict := "ok"
		if c := checked(t, path); !c.OK {
			verdict = c.Reason
		}
		fmt.Printf("| %s | %d | %.1e | %s | %s |\n", g.Name, len(steps(model)), alone, end, verdict)
	}
}
