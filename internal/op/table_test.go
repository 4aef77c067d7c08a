package op

import (
	"math"
	"runtime"
	"slices"
	"testing"

	"pimflow/internal/tensor"
)

// TestRows walks the table.
func TestRows(t *testing.T) {
	total := 0
	for _, rows := range tables {
		total += len(rows)
	}
	if len(Names()) != total {
		t.Errorf("%d names in %d rows", len(Names()), total)
	}
	for _, name := range Names() {
		o, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		if o.Name != name || o.Shape == nil || o.Eval == nil || o.MinIn < 1 || o.MaxIn >= 0 && o.MaxIn < o.MinIn {
			t.Errorf("%s: %+v", name, o)
		}
		if o.Map != nil && o.MaxIn != 1 || o.Combine != nil && o.MaxIn != 2 {
			t.Errorf("%s: an element-wise function of another number of inputs than %d", name, o.MaxIn)
		}
		var seen []string
		for _, d := range o.Attrs {
			if slices.Contains(seen, d.Name) {
				t.Errorf("%s: attribute %s twice", name, d.Name)
			}
			seen = append(seen, d.Name)
			if d.Default == nil {
				continue
			}
			if k, ok := kindOf(d.Default); !ok || k != d.Kind {
				t.Errorf("%s: default of %s is %T: %s wanted", name, d.Name, d.Default, kindNames[d.Kind])
			}
			if s, ok := d.Default.(string); ok && d.OneOf != nil && !slices.Contains(d.OneOf, s) {
				t.Errorf("%s: default %q of %s is none of %q", name, s, d.Name, d.OneOf)
			}
		}
	}
}

// TestEpiloguesAreTheirOperators compares Map and Combine with Eval.
func TestEpiloguesAreTheirOperators(t *testing.T) {
	x, y := fillFloats(tensor.Float32, tensor.Shape{33}, 1), fillFloats(tensor.Float32, tensor.Shape{33}, 2)
	for _, name := range Names() {
		o, _ := Lookup(name)
		in, attrs := []*tensor.Tensor{x, y}, Attrs{}
		if name == "Mod" {
			attrs["fmod"] = int64(1)
		}
		if o.Map != nil {
			in = in[:1]
		} else if o.Combine == nil {
			continue
		}
		_, a, v := prepare(t, name, instance{attrs, in})
		o.Eval(a, in, v, tensor.Full(v.Shape))
		want := tensor.New(tensor.Float32, v.Shape)
		for i := range want.Floats() {
			if o.Map != nil {
				o.Map(a)(want.Floats()[i:i+1], x.Floats()[i:i+1])
			} else {
				o.Combine(want.Floats()[i:i+1], x.Floats()[i:i+1], y.Floats()[i:i+1])
			}
		}
		if !sameBits(v, want) {
			t.Errorf("%s: %v, its function makes %v", name, v.Floats(), want.Floats())
		}
	}
}

// TestProcessorsDoNotCount evaluates on one processor and on three.
func TestProcessorsDoNotCount(t *testing.T) {
	x := fillIrrational(tensor.Shape{2, 24, 20, 20}, 1)
	conv := func(group int64) Attrs {
		return Attrs{"kernel_shape": ints(3, 3), "strides": ints(1, 1), "pads": ints(1, 1, 1, 1), "dilations": ints(1, 1), "group": group}
	}
	for _, c := range []struct {
		name string
		x    instance
	}{
		{"Conv", instance{conv(1), []*tensor.Tensor{x, fillIrrational(tensor.Shape{70, 24, 3, 3}, 2)}}},
		{"Conv", instance{conv(24), []*tensor.Tensor{x, fillIrrational(tensor.Shape{24, 1, 3, 3}, 2)}}},
		{"MatMul", instance{nil, []*tensor.Tensor{x, x}}},
		{"Softmax", instance{nil, []*tensor.Tensor{x}}},
		{"Sigmoid", instance{nil, []*tensor.Tensor{x}}},
		{"Mul", instance{nil, []*tensor.Tensor{x, x}}},
		{"GlobalAveragePool", instance{nil, []*tensor.Tensor{x}}},
	} {
		var values [2]*tensor.Tensor
		for i, n := range []int{1, 3} {
			old := runtime.GOMAXPROCS(n)
			o, a, y := prepare(t, c.name, c.x)
			o.Eval(a, c.x.in, y, tensor.Full(y.Shape))
			runtime.GOMAXPROCS(old)
			values[i] = y
		}
		if !sameBits(values[0], values[1]) {
			t.Errorf("%s differs with the number of processors", c.name)
		}
	}
}

// TestNeedIsTight gives boxes by hand.
func TestNeedIsTight(t *testing.T) {
	conv := Attrs{"kernel_shape": ints(3, 2), "strides": ints(2, 1), "pads": ints(1, 0, 2, 1), "dilations": ints(2, 1), "group": int64(2)}
	zeros := func(s ...int) *tensor.Tensor { return tensor.New(tensor.Float32, s) }
	for _, c := range []struct {
		name string
		x    instance
		box  string
		want []string
	}{
		// Rows 2·1-1 = 1 to 2·2-1+4 = 7; channels of the second group.
		{"Conv", instance{conv, []*tensor.Tensor{zeros(1, 4, 20, 8), zeros(6, 2, 3, 2), zeros(6)}}, "[0:1 3:5 1:3 7:8]",
			[]string{"[0:1 2:4 1:8 7:8]", "[3:5 0:2 0:3 0:2]", "[3:5]"}},
		{"Conv", instance{conv, []*tensor.Tensor{zeros(1, 4, 20, 8), zeros(6, 2, 3, 2)}}, "[0:1 2:4 0:1 0:1]",
			[]string{"[0:1 0:4 0:4 0:2]", "[2:4 0:2 0:3 0:2]"}},
		{"Concat", instance{Attrs{"axis": int64(0)}, []*tensor.Tensor{zeros(3), zeros(4), zeros(2)}}, "[1:5]", []string{"[1:3]", "[0:2]", "[0:0]"}},
		{"Slice", instance{Attrs{"starts": ints(8), "ends": ints(0), "axes": ints(0), "steps": ints(-3)}, []*tensor.Tensor{zeros(9)}}, "[1:3]", []string{"[2:6]"}},
		{"Pad", instance{Attrs{"pads": ints(3, 2)}, []*tensor.Tensor{zeros(4)}}, "[1:3]", []string{"[0:0]"}},
		{"MatMul", instance{nil, []*tensor.Tensor{zeros(1, 4, 5), zeros(3, 5, 6)}}, "[1:3 2:3 4:6]", []string{"[0:1 2:3 0:5]", "[1:3 0:5 4:6]"}},
		{"Add", instance{nil, []*tensor.Tensor{zeros(2, 8, 9), zeros(8, 1)}}, "[1:2 3:5 0:9]", []string{"[1:2 3:5 0:9]", "[3:5 0:1]"}},
		{"ConvTranspose", instance{Attrs{"kernel_shape": ints(2), "strides": ints(2), "pads": ints(0, 0), "dilations": ints(1), "output_padding": ints(0)},
			[]*tensor.Tensor{zeros(1, 3, 9), zeros(3, 4, 2)}}, "[0:1 1:2 5:8]", []string{"[0:1 0:3 2:4]", "[0:3 1:2 0:2]"}},
		{"LRN", instance{Attrs{"size": int64(5)}, []*tensor.Tensor{zeros(1, 9, 2)}}, "[0:1 4:5 0:2]", []string{"[0:1 2:7 0:2]"}},
		{"Resize", instance{Attrs{"sizes": ints(16), "mode": "linear"}, []*tensor.Tensor{zeros(8)}}, "[4:8]", []string{"[1:5]"}},
		{"DepthToSpace", instance{Attrs{"blocksize": int64(2)}, []*tensor.Tensor{zeros(1, 12, 4, 4)}}, "[0:1 1:2 2:3 3:4]", []string{"[0:1 4:5 1:2 1:2]"}},
	} {
		o, a, _ := prepare(t, c.name, c.x)
		box, err := tensor.ParseBox(c.box)
		if err != nil {
			t.Fatal(err)
		}
		for i, b := range o.Need(a, c.x.shapes(), box) {
			if b.String() != c.want[i] {
				t.Errorf("%s %s: input %d %v, %s wanted", c.name, c.box, i, b, c.want[i])
			}
		}
	}
}

// TestMACs counts by hand.
func TestMACs(t *testing.T) {
	zeros := func(s ...int) *tensor.Tensor { return tensor.New(tensor.Float32, s) }
	conv := Attrs{"kernel_shape": ints(3, 3), "strides": ints(1, 1), "pads": ints(1, 1, 1, 1), "dilations": ints(1, 1)}
	up := Attrs{"kernel_shape": ints(3, 3), "strides": ints(2, 2), "pads": ints(1, 1, 1, 1), "dilations": ints(1, 1), "output_padding": ints(1, 1)}
	for _, c := range []struct {
		name string
		x    instance
		want int64
	}{
		{"Conv", instance{conv, []*tensor.Tensor{zeros(1, 64, 56, 56), zeros(128, 64, 3, 3)}}, 128 * 56 * 56 * 64 * 9},
		{"ConvTranspose", instance{up, []*tensor.Tensor{zeros(1, 6, 7, 7), zeros(6, 5, 3, 3)}}, 6 * 7 * 7 * 5 * 9},
		{"Gemm", instance{Attrs{"transA": int64(1)}, []*tensor.Tensor{zeros(7, 2), zeros(7, 3)}}, 2 * 3 * 7},
		{"MatMul", instance{nil, []*tensor.Tensor{zeros(4, 2, 7), zeros(7, 3)}}, 4 * 2 * 3 * 7},
	} {
		o, a, y := prepare(t, c.name, c.x)
		if got := o.MACs(a, c.x.shapes(), tensor.Full(y.Shape)); got != c.want {
			t.Errorf("%s: %d, %d wanted", c.name, got, c.want)
		}
	}
}

func TestInteger(t *testing.T) {
	for x, want := range map[float32]int64{math.MaxFloat32: math.MaxInt64, -math.MaxFloat32: math.MinInt64, -3.5: -3} {
		if got := integer(x); got != want {
			t.Errorf("%v: %d, %d wanted", x, got, want)
		}
	}
}
