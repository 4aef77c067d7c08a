package op

import (
	"testing"

	"pimflow/internal/tensor"
)

// TestRoundings holds operators on quantised values to integers that ONNX Runtime 1.28 computes on x86-64 with AVX2, where other orders of
// the same operations are a step off.
func TestRoundings(t *testing.T) {
	type coding struct {
		scale float32
		zero  int64
	}
	for _, c := range []struct {
		name   string
		a      Attrs
		shapes []tensor.Shape
		x      [][]int64
		codes  []coding
		want   []int64
	}{
		{"QLinearAdd", nil, []tensor.Shape{{2}, {2}}, [][]int64{{190, 0}, {146, 0}}, // 114.499997 of a ResNet-50's
			[]coding{{0.038803115, 130}, {0.043245476, 125}, {0.028264996, 0}}, []int64{115, 0}},
		// 0.5 beside an odd zero point: rounded behind the addition.
		{"QLinearMul", nil, []tensor.Shape{{1}, {1}}, [][]int64{{1}, {1}}, []coding{{0.5, 0}, {1, 0}, {1, 3}}, []int64{4}},
		{"QLinearAveragePool", Attrs{"kernel_shape": []int64{1, 2}, "strides": []int64{1, 1}, "dilations": []int64{1, 1}, "pads": make([]int64, 4)}, []tensor.Shape{{1, 1, 1, 2}}, [][]int64{{0, 1}}, []coding{{1, 0}, {1, 3}}, []int64{4}},
		{"QLinearGlobalAveragePool", nil, []tensor.Shape{{1, 1, 1, 2}}, [][]int64{{0, 1}}, []coding{{1, 0}, {1, 3}}, []int64{3}},
		{"QLinearIdentity", nil, []tensor.Shape{{1}}, [][]int64{{1}}, []coding{{0.5, 0}, {1, 3}}, []int64{3}},
	} {
		o, err := Lookup(c.name)
		if err != nil {
			t.Fatal(err)
		}
		var in []*tensor.Tensor
		shapes := append([]tensor.Shape{}, c.shapes...)
		for i, x := range c.x {
			v := tensor.New(tensor.Uint8, c.shapes[i])
			copy(v.Ints(), x)
			in = append(in, v)
		}
		for _, k := range c.codes {
			scale, zero := tensor.New(tensor.Float32, tensor.Shape{}), tensor.New(tensor.Uint8, tensor.Shape{})
			scale.Floats()[0], zero.Ints()[0] = k.scale, k.zero
			in, shapes = append(in, scale, zero), append(shapes, tensor.Shape{}, tensor.Shape{})
		}
		a, err := c.a.Complete(o)
		if err != nil {
			t.Fatal(err)
		}
		s, err := o.Shape(a, shapes)
		if err != nil {
			t.Fatal(err)
		}
		y := tensor.New(tensor.Uint8, s)
		o.Eval(a, in, y, tensor.Full(s))
		for i, w := range c.want {
			if got := y.Ints()[i]; got != w {
				t.Errorf("%s: [%d] is %d: %d wanted", c.name, i, got, w)
			}
		}
	}
}
