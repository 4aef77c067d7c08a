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
