package op

import (
	"math"
	"testing"

	"pimflow/internal/tensor"
)

// TestWithin has the least and the greatest place of each operand of places, and those beside them.
func TestWithin(t *testing.T) {
	f := func(s ...int) *tensor.Tensor { return tensor.New(tensor.Float32, s) }
	i := func(s ...int) *tensor.Tensor { return tensor.New(tensor.Int64, s) }
	axis := Attrs{"axis": int64(1)}
	state := Attrs{"hidden_size": int64(1)}
	for name, c := range map[string]struct {
		attrs   Attrs
		in      []*tensor.Tensor
		element int // of the operand
		lo, hi  int64
		wanted  string // of hi + 1
	}{
		"Gather":          {axis, []*tensor.Tensor{f(2, 3, 4), i(2, 2)}, 3, -3, 2, "input 1 at [1 1] is 3: -3 to 2 wanted"},
		"GatherElements":  {axis, []*tensor.Tensor{f(2, 3), i(2, 5)}, 6, -3, 2, "input 1 at [1 1] is 3: -3 to 2 wanted"},
		"GatherND":        {Attrs{"batch_dims": int64(1)}, []*tensor.Tensor{f(2, 3, 4), i(2, 2)}, 3, -4, 3, "input 1 at [1 1] is 4: -4 to 3 wanted"},
		"ScatterElements": {axis, []*tensor.Tensor{f(2, 3), i(1, 2), f(1, 2)}, 1, -3, 2, "input 1 at [0 1] is 3: -3 to 2 wanted"},
		"ScatterND":       {nil, []*tensor.Tensor{f(2, 3, 4), i(2, 2), f(2, 4)}, 2, -2, 1, "input 1 at [1 0] is 2: -2 to 1 wanted"},
		"ReverseSequence": {nil, []*tensor.Tensor{f(4, 3), i(3)}, 2, 0, 4, "input 1 at [2] is 5: 0 to 4 wanted"},
		"RoiAlign":        {nil, []*tensor.Tensor{f(2, 1, 3, 3), f(3, 4), i(3)}, 1, 0, 1, "input 2 at [1] is 2: 0 to 1 wanted"},
		"MaxUnpool":       {Attrs{"kernel_shape": []int64{2, 2}, "strides": []int64{2, 2}, "pads": make([]int64, 4)}, []*tensor.Tensor{f(1, 2, 2, 2), i(1, 2, 2, 2)}, 3, 0, 31, "input 1 at [0 0 1 1] is 32: 0 to 31 wanted"},
		"RNN":             {state, sequences(1, 0), 1, 0, 5, "input 4 at [1] is 6: 0 to 5 wanted"},
		"GRU":             {state, sequences(3, 0), 1, 0, 5, "input 4 at [1] is 6: 0 to 5 wanted"},
		"LSTM":            {state, sequences(4, 2), 1, 0, 5, "input 4 at [1] is 6: 0 to 5 wanted"},
	} {
		o, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		a, err := withActivations(c.attrs, name).Complete(o)
		if err != nil {
			t.Fatal(err)
		}
		s, err := o.Shape(a, shapesOf(c.in))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		list := c.in[places[name].operand].Ints()
		for _, v := range []int64{c.lo - 1, c.lo, c.hi, c.hi + 1} {
			list[c.element] = v
			err := o.Within(a, c.in, tensor.Full(s))
			if (err == nil) != (v >= c.lo && v <= c.hi) {
				t.Errorf("%s of %d, from %d to %d: %v", name, v, c.lo, c.hi, err)
			}
			if v > c.hi && err != nil && err.Error() != c.wanted {
				t.Errorf("%s: %q, %q wanted", name, err, c.wanted)
			}
		}
	}
	for name := range places {
		if _, err := Lookup(name); err != nil {
			t.Error(err)
		}
	}
}

// sequences are operands of a recurrent operator of 5 steps of 2 sequences.
func sequences(gates, more int) []*tensor.Tensor {
	f := func(s ...int) *tensor.Tensor { return tensor.New(tensor.Float32, s) }
	in := []*tensor.Tensor{f(5, 2, 1), f(1, gates, 1), f(1, gates, 1), f(1, 2*gates), tensor.New(tensor.Int64, tensor.Shape{2}), f(1, 2, 1)}
	if more > 0 {
		in = append(in, f(1, 2, 1), f(1, 3))
	}
	return in
}

// withActivations adds the functions of a recurrent operator.
func withActivations(a Attrs, name string) Attrs {
	functions := map[string]string{"RNN": "Tanh", "GRU": "Sigmoid Tanh", "LSTM": "Sigmoid Tanh Tanh"}
	n := map[string]int{"RNN": 1, "GRU": 2, "LSTM": 3}[name]
	if n == 0 {
		return a
	}
	return a.with("activations", functions[name]).with("activation_alpha", make([]float32, n)).with("activation_beta", make([]float32, n))
}

// TestWithinOfABox asks for nothing that the box does not need.
func TestWithinOfABox(t *testing.T) {
	o, err := Lookup("Gather")
	if err != nil {
		t.Fatal(err)
	}
	in := []*tensor.Tensor{tensor.New(tensor.Float32, tensor.Shape{2, 3}), tensor.New(tensor.Int64, tensor.Shape{3})}
	copy(in[1].Ints(), []int64{0, 1, 9})
	a := Attrs{"axis": int64(0)}
	for hi, ok := range []bool{true, true, true, false} {
		if err := o.Within(a, in, tensor.Box{{Lo: 0, Hi: hi}, {Lo: 0, Hi: 3}}); (err == nil) != ok {
			t.Errorf("the first %d indices: %v", hi, err)
		}
	}
}

// TestDivisors: an integer is divided by no 0 that the box needs, a real number by any.
func TestDivisors(t *testing.T) {
	for _, name := range []string{"Div", "Mod"} {
		o, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		a, err := Attrs{}.Complete(o)
		if err != nil {
			t.Fatal(err)
		}
		x, y := tensor.New(tensor.Int64, tensor.Shape{2, 2}), tensor.New(tensor.Int64, tensor.Shape{2})
		y.Ints()[0] = -1
		in := []*tensor.Tensor{x, y}
		if err := o.Within(a, in, tensor.Full(x.Shape)); err == nil || err.Error() != "input 1 at [1] is 0: a divisor other than 0 wanted" {
			t.Errorf("%s: %v", name, err)
		}
		if err := o.Within(a, in, tensor.Box{{Lo: 0, Hi: 2}, {Lo: 0, Hi: 1}}); err != nil {
			t.Errorf("%s of the first column: %v", name, err)
		}
		in = []*tensor.Tensor{tensor.New(tensor.Float32, x.Shape), tensor.New(tensor.Float32, y.Shape)}
		if err := o.Within(a, in, tensor.Full(x.Shape)); err != nil {
			t.Errorf("%s of real numbers: %v", name, err)
		}
	}
}

// TestRoiImages: the first number of a box is one of the images, cut to a whole number as ONNX Runtime does; the others are numbers.
func TestRoiImages(t *testing.T) {
	o, err := Lookup("MaxRoiPool")
	if err != nil {
		t.Fatal(err)
	}
	a, err := Attrs{"pooled_shape": []int64{1, 1}}.Complete(o)
	if err != nil {
		t.Fatal(err)
	}
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, c := range []struct {
		at   int // of the second box
		v    float32
		want string
	}{
		{0, -0.5, ""}, {0, 1.75, ""}, {1, -9, ""}, {4, inf, ""},
		{0, 2, "input 1 at [1 0] is 2: 0 to 1 wanted"},
		{0, -1, "input 1 at [1 0] is -1: 0 to 1 wanted"},
		{0, inf, "input 1 at [1 0] is +Inf: 0 to 1 wanted"},
		{0, nan, "input 1 at [1 0] is NaN: a number wanted"},
		{4, nan, "input 1 at [1 4] is NaN: a number wanted"},
	} {
		x, rois := tensor.New(tensor.Float32, tensor.Shape{2, 1, 3, 3}), tensor.New(tensor.Float32, tensor.Shape{2, 5})
		rois.Floats()[5+c.at] = c.v
		got := ""
		if err := o.Within(a, []*tensor.Tensor{x, rois}, tensor.Box{{Lo: 0, Hi: 2}, {Lo: 0, Hi: 1}, {Lo: 0, Hi: 1}, {Lo: 0, Hi: 1}}); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%v at %d: %q, %q wanted", c.v, c.at, got, c.want)
		}
		if err := o.Within(a, []*tensor.Tensor{x, rois}, tensor.Box{{Lo: 0, Hi: 1}, {Lo: 0, Hi: 1}, {Lo: 0, Hi: 1}, {Lo: 0, Hi: 1}}); err != nil {
			t.Errorf("the first box: %v", err)
		}
	}
	// Box 0 is of image -0.5, which is 0, and box 1 of image 1.
	x := tensor.Floats32(tensor.Shape{2, 1, 1, 1}, []float32{3, 4})
	y := tensor.New(tensor.Float32, tensor.Shape{2, 1, 1, 1})
	maxRoiPool(a, []*tensor.Tensor{x, tensor.Floats32(tensor.Shape{2, 5}, []float32{-0.5, 0, 0, 0, 0, 1.5, 0, 0, 0, 0})}, y, tensor.Full(y.Shape))
	if got := y.Floats(); got[0] != 3 || got[1] != 4 {
		t.Errorf("%v: 3 and 4 wanted", got)
	}
}
