package pimflow

import (
	"context"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestSizes executes plans of a detector, which are made for as many boxes as there can be: for inputs with some boxes
// and with none, in values and on whole numbers.
func TestSizes(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join("docs", "detector.onnx"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	p, err := s.Plan(t.Context(), Search{})
	if err != nil {
		t.Fatal(err)
	}
	largest := map[string]int{"where": 256, "nms": 100}
	for _, z := range s.Sizes() {
		if z.Largest != largest[z.Layer] || z.Inputs != nil || z.Plan != nil {
			t.Errorf("before it is executed: %+v", z)
		}
	}
	dark := Tensor{Shape: []int{1, 3, 32, 32}, Floats: make([]float32, 3*32*32)}
	some := dark
	some.Floats = make([]float32, len(dark.Floats))
	for i := range some.Floats {
		some.Floats[i] = float32(math.Sin(float64(i * i)))
	}
	for name, in := range map[string]Tensor{"some": some, "none": dark} {
		c, err := s.Check(t.Context(), p, in)
		if err != nil || !c.OK {
			t.Fatalf("%s: %v, %s", name, err, c.Reason)
		}
		found := map[string]int{}
		for _, z := range s.Sizes() {
			if z.Inputs != nil {
				found[z.Layer] = *z.Inputs
			}
		}
		boxes, known := found["nms"]
		if name == "none" && (known || found["where"] != 0) || name == "some" && (boxes == 0 || boxes > found["where"] || found["where"] == 256) {
			t.Errorf("%s: %v", name, found)
		}
		for i, width := range []int{4, 10} {
			if got := c.Values[i].Shape; got[0] != boxes || got[1] != width {
				t.Errorf("%s: output %d is %v: %d boxes", name, i, got, boxes)
			}
		}
		got, err := s.Run(t.Context(), p, in)
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			if top := got[i].Top(3, nil); got[i].Images != 0 || len(top) != min(len(got[i].Floats), 1) {
				t.Errorf("%s: output %d of %v has %d images and %d lists: a dimension of boxes, and one list of all values wanted", name, i, got[i].Shape, got[i].Images, len(top))
			}
			if len(got[i].Floats) != len(c.Values[i].Floats) {
				t.Fatalf("%s: output %d of %d values, %d in the check", name, i, len(got[i].Floats), len(c.Values[i].Floats))
			}
			for k, v := range got[i].Floats {
				if v != c.Values[i].Floats[k] {
					t.Fatalf("%s: output %d [%d] is %v, in the check %v", name, i, k, v, c.Values[i].Floats[k])
				}
			}
		}
	}
	c, err := s.CheckExact(t.Context(), p)
	if err != nil || !c.OK {
		t.Errorf("on whole numbers: %v, %s", err, c.Reason)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Check(ctx, p); err == nil {
		t.Error("a check after the end of its context")
	}
}

// TestSizesToldByValues plans a network with the largest sizes that values may tell, and executes it with those of two inputs. It
// is not exported: a model of fixed sizes computes something else.
func TestSizesToldByValues(t *testing.T) {
	for file, largest := range map[string]Size{
		"resize.onnx": {Op: "Resize", LargestShape: []int{1, 3, 13, 6}},
		"until.onnx":  {Op: "Loop", Largest: 9},
	} {
		s, err := Open(t.Context(), filepath.Join("ortcheck", "testdata", "sizes", file), Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		p, err := s.Plan(t.Context(), Search{Policy: "by-operator"})
		if err != nil {
			t.Fatal(err)
		}
		z := s.Sizes()[0]
		if z.Op != largest.Op || z.Largest != largest.Largest || !slices.Equal(z.LargestShape, largest.LargestShape) || z.Inputs != nil || z.InputsShape != nil {
			t.Errorf("%s, before it is executed: %+v", file, z)
		}
		seen := map[string]bool{}
		for _, v := range []float32{0.2, 0.5} {
			picture := Tensor{Name: "x", Shape: []int{1, 3, 8, 8}, Floats: slices.Repeat([]float32{8 * v}, 192)}
			c, err := s.Check(t.Context(), p, picture, Tensor{Name: "p", Shape: []int{4}, Floats: []float32{0.1, v, v, v}})
			if err != nil {
				t.Fatal(err)
			}
			if !c.OK {
				t.Fatalf("%s: %s", file, c.Reason)
			}
			z := s.Sizes()[0]
			if z.LargestShape != nil && !slices.Equal(z.InputsShape, c.Values[0].Shape) || z.LargestShape == nil && z.Inputs == nil {
				t.Errorf("%s: %+v, output of %v", file, z, c.Values[0].Shape)
			}
			if z.Inputs != nil {
				seen[fmt.Sprint(*z.Inputs)] = true
			}
			seen[fmt.Sprint(z.InputsShape)] = true
		}
		if len(seen) < 2 {
			t.Errorf("%s: the same sizes for both inputs: %v", file, seen)
		}
		if _, err := s.Export(io.Discard, p); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("layer %q has sizes that depend on data", z.Layer)) {
			t.Errorf("%s is exported: %v", file, err)
		}
	}
}
