package onnx

import (
	"context"
	"slices"
	"testing"

	"pimflow/internal/tensor"
)

// TestScanImages sums up the rows of two images, of 3 and of 2 rows, as opset 8 has it: from the first row and from the last.
func TestScanImages(t *testing.T) {
	body := graphAttr("body", input("sum", 1), input("row", 1), call("Add", "sum row", "next"), result("next"), call("Identity", "next", "out"), result("out"))
	start, rows := tensor.Floats32(tensor.Shape{2, 1}, []float32{0, 100}), tensor.Floats32(tensor.Shape{2, 3, 1}, []float32{1, 2, 3, 10, 20, 30})
	for _, c := range []struct {
		name      string
		lengths   string
		direction int64
		last, all []float32
	}{
		{"whole", "_", 0, []float32{6, 160}, []float32{1, 3, 6, 110, 130, 160}},
		{"lengths", "n", 0, []float32{6, 130}, []float32{1, 3, 6, 110, 130, 0}},
		{"from the last", "n", 1, []float32{6, 130}, []float32{3, 5, 6, 120, 130, 0}},
	} {
		f := &File{}
		err := f.decode(context.Background(), memory(model(8, initial("n", tensor.Ints64(tensor.Shape{2}, []int64{3, 2})), initial("start", start), initial("x", rows),
			result("last"), result("all"), call("Scan", c.lengths+" start x", "last all", body, attr("num_scan_inputs", int64(1)), attr("directions", []int64{c.direction})))), "m", Options{}, nil)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		got := results(f.Graph)
		if !got[0].Shape.Equal(tensor.Shape{2, 1}) || !got[1].Shape.Equal(tensor.Shape{2, 3, 1}) || !slices.Equal(got[0].Floats(), c.last) || !slices.Equal(got[1].Floats(), c.all) {
			t.Errorf("%s: %v %v, %v %v: %v, %v wanted", c.name, got[0].Shape, got[0].Floats(), got[1].Shape, got[1].Floats(), c.last, c.all)
		}
	}
}

// TestNoSteps: a Scan of no rows, and a Loop of no steps, keep what they carry and stack nothing, of the shape that a step would
// make; later operators read it.
func TestNoSteps(t *testing.T) {
	body := graphAttr("body", input("sum", 2), input("row", 2, 3), call("Add", "row k", "next"), call("Identity", "sum", "kept"), result("kept"), call("Transpose", "next", "out"), result("out"))
	for rows := range 3 {
		g := decode(t, model(13, floats("start", 4, 5), input("k", 3), initial("x", tensor.New(tensor.Float32, tensor.Shape{2, rows, 3})), input("more", 3, 1, 2),
			result("last"), result("all"), result("both"), call("Scan", "start x", "last all", body, attr("num_scan_inputs", int64(1)), attr("scan_input_axes", []int64{1}), attr("scan_output_axes", []int64{-2})),
			call("Concat", "more all", "both", attr("axis", int64(1)))), "g")
		x := tensor.Floats32(tensor.Shape{3, 1, 2}, []float32{1, 2, 3, 4, 5, 6})
		got := evalGraph(g, map[string]*tensor.Tensor{"k": tensor.New(tensor.Float32, tensor.Shape{3}), "more": x})
		if !slices.Equal(got[0].Floats(), []float32{4, 5}) || !got[1].Shape.Equal(tensor.Shape{3, rows, 2}) || !got[2].Shape.Equal(tensor.Shape{3, 1 + rows, 2}) {
			t.Errorf("%d rows: %v, %v and %v", rows, got[0].Floats(), got[1].Shape, got[2].Shape)
		}
		if rows == 0 && !slices.Equal(got[2].Floats(), x.Floats()) {
			t.Errorf("%v: %v wanted", got[2].Floats(), x.Floats())
		}
	}
}

// TestTopOfNone: TopK of no values, which other operators read.
func TestTopOfNone(t *testing.T) {
	g := decode(t, model(13, input("x", 2, 3), result("v"), result("i"), result("y"), ints("k", 0), call("TopK", "x k", "v i"), call("Concat", "v x", "y", attr("axis", int64(1)))), "g")
	x := tensor.Floats32(tensor.Shape{2, 3}, []float32{1, 2, 3, 4, 5, 6})
	got := evalGraph(g, map[string]*tensor.Tensor{"x": x})
	if none := (tensor.Shape{2, 0}); !got[0].Shape.Equal(none) || !got[1].Shape.Equal(none) || !slices.Equal(got[2].Floats(), x.Floats()) {
		t.Errorf("%v, %v and %v", got[0].Shape, got[1].Shape, got[2].Floats())
	}
}
