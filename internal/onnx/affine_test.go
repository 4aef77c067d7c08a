package onnx

import (
	"testing"

	"pimflow/internal/tensor"
)

// TestCol2Im adds the blocks of three dimensions, dilated, strided and padded, one by one.
func TestCol2Im(t *testing.T) {
	image, block, strides, dilations, pads := []int64{6, 5, 4}, []int64{2, 2, 1}, []int64{2, 1, 1}, []int64{3, 2, 1}, []int64{1, 0, 1, 0, 1, 0}
	blocks, columns, taps := [3]int{}, 1, 4
	for d := range blocks {
		blocks[d] = int((image[d]+pads[d]+pads[3+d]-dilations[d]*(block[d]-1)-1)/strides[d]) + 1
		columns *= blocks[d]
	}
	g := decode(t, model(18, input("x", 1, 2*taps, columns), ints("i", image...), ints("b", block...), result("y"),
		call("Col2Im", "x i b", "y", attr("strides", strides), attr("dilations", dilations), attr("pads", pads))), "g")
	x := tensor.New(tensor.Float32, tensor.Shape{1, 2 * taps, columns})
	want := tensor.New(tensor.Float32, tensor.Shape{1, 2, 6, 5, 4})
	for i := range x.Floats() {
		x.Floats()[i] = float32(i%11 - 5)
		column, tap, c := i%columns, i/columns%taps, i/columns/taps
		at, inside := 0, true
		for d, st := range []int{blocks[1] * blocks[2], blocks[2], 1} {
			k := tap / []int{2, 1, 1}[d] % int(block[d])
			p := column/st%blocks[d]*int(strides[d]) - int(pads[d]) + k*int(dilations[d])
			inside = inside && p >= 0 && p < int(image[d])
			at = at*int(image[d]) + p
		}
		if inside {
			want.Floats()[c*120+at] += x.Floats()[i]
		}
	}
	if err := compare(evalGraph(g, map[string]*tensor.Tensor{"x": x})[0], want, 0, 0); err != nil {
		t.Error(err)
	}
}
