package onnx

import (
	"context"
	"strings"
	"testing"

	"pimflow/internal/graph"
	"pimflow/internal/tensor"
)

// told is a network of numbers p with sizes that they tell: k is p[0] between 1 and 6, free is p[1].
func told(t *testing.T, fields ...[]byte) (*File, error) {
	t.Helper()
	ints := func(name string, v ...int64) []byte { return initial(name, tensor.Ints64(tensor.Shape{len(v)}, v)) }
	all := append([][]byte{
		valueInfo(11, "p", tensor.Float32, 2), valueInfo(11, "x", tensor.Float32, 2, 3, 8), result("y"), result("k"),
		ints("zero", 0), ints("one", 1), ints("two", 2), ints("five", 5), flagOf("yes", 1),
		initial("lo", tensor.Floats32(tensor.Shape{}, []float32{1})), initial("hi", tensor.Floats32(tensor.Shape{}, []float32{6})),
		call("Gather", "p zero", "p0"), call("Clip", "p0 lo hi", "p1"), call("Cast", "p1", "k", attr("to", int64(tensor.Int64))),
		call("Gather", "p one", "q0"), call("Cast", "q0", "free", attr("to", int64(tensor.Int64))), call("Add", "free five", "end"),
	}, fields...)
	f := &File{}
	return f, f.decode(context.Background(), memory(model(16, all...)), "m", Options{}, nil)
}

// TestToldSizes reads networks with the largest sizes and, again, with those that values tell. A size without a bound is refused.
func TestToldSizes(t *testing.T) {
	step := graphAttr("body", valueInfo(11, "i", tensor.Int64), valueInfo(11, "c", tensor.Bool), input("a"),
		call("Less", "i told", "more"), call("Exp", "a", "b"), call("ReduceMax", "b", "m"), result("more"), result("b"), result("m"))
	for _, c := range []struct {
		name           string
		largest, value string // the shape of y with p unknown, and with p = 3, 2
		fields         [][]byte
	}{
		{"Resize", "1x3x6", "1x3x3", [][]byte{call("Concat", "one three k", "s", attr("axis", int64(0))), initial("three", tensor.Ints64(tensor.Shape{1}, []int64{3})), call("Slice", "x zero one zero", "x1"), call("Resize", "x1 _ _ s", "y", attr("mode", "nearest"))}},
		{"Slice to", "2x3x6", "2x3x3", [][]byte{call("Slice", "x zero k two", "y")}},
		{"Slice of anything", "2x3x8", "2x3x2", [][]byte{call("Slice", "x zero free two", "y")}},
		{"Slice of a length", "2x3x5", "2x3x5", [][]byte{call("Slice", "x free end two", "y")}},
		{"Slice backwards", "2x3x8", "2x3x2", [][]byte{call("Slice", "x k zero two minus", "y0"), call("Slice", "x free _0 two minus", "y"), initial("minus", tensor.Ints64(tensor.Shape{1}, []int64{-1})), initial("_0", tensor.Ints64(tensor.Shape{1}, []int64{0}))}},
		{"Pad", "2x3x14", "2x3x11", [][]byte{call("Concat", "zero zero zero zero zero k", "s", attr("axis", int64(0))), call("Pad", "x s", "y")}},
		{"ConstantOfShape", "5x6", "5x3", [][]byte{call("Concat", "five k", "s", attr("axis", int64(0))), call("ConstantOfShape", "s", "y")}},
		{"Expand", "6x2x3x8", "3x2x3x8", [][]byte{call("Concat", "k one one one", "s", attr("axis", int64(0))), call("Expand", "x s", "y")}},
		{"Tile", "2x3x48", "2x3x24", [][]byte{call("Concat", "one one k", "s", attr("axis", int64(0))), call("Tile", "x s", "y")}},
		{"Range", "5", "2", [][]byte{call("Range", "one k one", "y")}},
		{"Range of a length", "5", "5", [][]byte{call("Range", "free end one", "y")}},
		{"TopK", "2x3x6", "2x3x3", [][]byte{call("TopK", "x k", "y i")}},
		{"TopK of anything", "2x3x8", "2x3x2", [][]byte{call("TopK", "x free", "y i")}},
		{"Split", "2x3x6", "2x3x3", [][]byte{call("Sub", "eight k", "rest"), initial("eight", tensor.Ints64(tensor.Shape{1}, []int64{8})), call("Concat", "k rest", "s", attr("axis", int64(0))), call("Split", "x s", "y z", attr("axis", int64(2)))}},
		{"Loop of a number of steps", "6x1x1x1", "3x1x1x1", [][]byte{call("Add", "k one", "told"), call("Loop", "k _ x", "e y", step)}},
		{"Loop that values end", "5x1x1x1", "4x1x1x1", [][]byte{call("Identity", "k", "told"), call("Loop", "five _ x", "e y", step)}},
	} {
		f, err := told(t, c.fields...)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		shape := func(g *graph.Graph) string { return g.Nodes[g.Outputs[0].ID].Shape.String() }
		if got := shape(f.Graph); got != c.largest || !f.Counted() {
			t.Errorf("%s: the largest is %v: %s wanted", c.name, got, c.largest)
		}
		p := map[string]*tensor.Tensor{"p": tensor.Floats32(tensor.Shape{2}, []float32{3, 2}), "x": tensor.New(tensor.Float32, tensor.Shape{2, 3, 8})}
		g, err := f.Sized(context.Background(), func(g *graph.Graph, id graph.ID) (*tensor.Tensor, error) { return evalNodes(g, p)[id], nil })
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := shape(g); got != c.value {
			t.Errorf("%s: for these values it is %v: %s wanted", c.name, got, c.value)
		}
		for _, g := range []*graph.Graph{f.Graph, g} {
			if !waits(g) {
				t.Errorf("%s: y does not wait for a value that tells its size", c.name)
			}
		}
	}
	for name, c := range map[string]struct {
		want   string
		fields [][]byte
	}{
		"Tile":    {`node "y" (Tile): repeats (input 1, "s") depends on the model's inputs: a constant wanted; --until "v" ends the network before it`, [][]byte{call("Exp", "x", "v"), call("Concat", "one one free", "s", attr("axis", int64(0))), call("Tile", "v s", "y")}},
		"Range":   {`node "y" (Range): limit (input 1, "free") depends on the model's inputs`, [][]byte{call("Range", "one free one", "y")}},
		"start":   {`node "y" (Range): start (input 0, "free") depends on the model's inputs`, [][]byte{call("Range", "free five one", "y")}},
		"step":    {`node "y" (Range): delta (input 2, "k") depends on the model's inputs`, [][]byte{call("Range", "one five k", "y")}},
		"Loop":    {`node "e" (Loop): M (input 0, "free") depends on the model's inputs`, [][]byte{call("Identity", "k", "told"), call("Loop", "free _ x", "e y", step)}},
		"endless": {`node "e" (Loop): the condition that the body makes depends on the model's inputs`, [][]byte{call("Identity", "k", "told"), call("Loop", "_ yes x", "e y", step)}},
	} {
		if _, err := told(t, c.fields...); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: %v: %s wanted", name, err, c.want)
		}
	}
}

// waits reports whether the first output is made of an operation Sized.
func waits(g *graph.Graph) bool {
	made := make([]bool, len(g.Nodes))
	for i := range g.Nodes {
		made[i] = g.Nodes[i].Sized()
		for _, x := range g.Nodes[i].In {
			made[i] = made[i] || made[x]
		}
	}
	return made[g.Outputs[0].ID]
}

// TestLongest tries all starts and ends in their intervals: a cut is as long as the longest of them, or longer.
func TestLongest(t *testing.T) {
	const extent = 5
	place := func(k int64) int64 {
		if k < 0 {
			k += extent
		}
		return min(max(k, 0), extent)
	}
	exact, all := 0, 0
	for start0 := int64(-7); start0 < 8; start0++ {
		for start1 := start0; start1 < 8; start1++ {
			for end0 := int64(-7); end0 < 8; end0++ {
				for end1 := end0; end1 < 8; end1 += 2 {
					for _, d := range [][2]int64{{-20, 20}, {2, 3}, {-1, 2}} {
						most := int64(0)
						for s := start0; s <= start1; s++ {
							for e := max(end0, s+d[0]); e <= min(end1, s+d[1]); e++ {
								most = max(most, place(e)-place(s))
							}
						}
						from, to := longest(extent, [2]int64{start0, start1}, [2]int64{end0, end1}, d)
						if from < 0 || to > extent || to-from < most {
							t.Fatalf("starts %d to %d, ends %d to %d at distances %v: %d to %d, %d values wanted", start0, start1, end0, end1, d, from, to, most)
						}
						if all++; to-from == most {
							exact++
						}
					}
				}
			}
		}
	}
	if exact < all*3/4 {
		t.Errorf("%d of %d cuts are no longer than they must be", exact, all)
	}
}
