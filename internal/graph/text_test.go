package graph_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// print is the text of g.
func print(t rapid.TB, g *graph.Graph, values bool) string {
	t.Helper()
	var b strings.Builder
	if err := g.Print(&b, values); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// node is a Builder.Node that must not fail.
func node(t rapid.TB, b *graph.Builder, nd graph.Node) graph.ID {
	t.Helper()
	id, err := b.Node(nd)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func lookup(t rapid.TB, name string) *op.Op {
	t.Helper()
	o, err := op.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// small is a graph with every piece of the text in it.
func small(t rapid.TB) *graph.Graph {
	b := graph.NewBuilder("a net")
	x := b.Input("x", tensor.Float32, tensor.Shape{1, 3, 4, 4})
	w := b.Const("w", tensor.Floats32(tensor.Shape{2, 3, 1, 1}, []float32{1, -2.5, 0.1, 1e-30, 4, 5}))
	r := b.Input("r \"q\"\n", tensor.Float32, tensor.Shape{1, 2, 4, 4})
	c := node(t, b, graph.Node{
		Name: "conv", Op: lookup(t, "Conv"), In: []graph.ID{x, w, r, r},
		Attrs: op.Attrs{"kernel_shape": []int64{1, 1}, "strides": []int64{1, 1}, "pads": []int64{0, 0, 0, 0}, "dilations": []int64{1, 1}},
		Post: []graph.Stage{
			{Op: lookup(t, "Add"), Operand: 2},
			{Op: lookup(t, "Clip"), Attrs: op.Attrs{"min": float32(0), "max": float32(6)}},
			{Op: lookup(t, "Sub"), Operand: 3, Swap: true},
		},
	})
	k := b.Const("many", tensor.New(tensor.Int32, tensor.Shape{3, 3}))
	i := b.Const("idx", tensor.Ints64(tensor.Shape{}, []int64{-1}))
	b.Output("y", c)
	b.Output("k", node(t, b, graph.Node{Name: "pick", Op: lookup(t, "Gather"), In: []graph.ID{k, i}}))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestPrint(t *testing.T) {
	const want = `graph "a net"
%0 "x" = input float32 1x3x4x4
%1 "w" = const float32 2x3x1x1 [1 -2.5 0.1 1e-30 4 5]
%2 "r \"q\"\n" = input float32 1x2x4x4
%3 "conv" = Conv(%0, %1) {dilations=[1 1] group=1 kernel_shape=[1 1] pads=[0 0 0 0] strides=[1 1]} + Add(%2) + Clip {max=6 min=0} + Sub(%2, .) -> float32 1x2x4x4
%4 "many" = const int32 3x3 ...
%5 "idx" = const int64 scalar [-1]
%6 "pick" = Gather(%4, %5) {axis=0} -> int32 3
output "y" = %3
output "k" = %6
`
	g := small(t)
	if got := print(t, g, false); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	text := print(t, g, true)
	p, err := graph.Parse(strings.NewReader(text), "g.txt")
	if err != nil {
		t.Fatal(err)
	}
	if got := print(t, p, true); got != text {
		t.Errorf("got:\n%s\nwant:\n%s", got, text)
	}
	if p.Fingerprint() != g.Fingerprint() {
		t.Error("the fingerprint differs")
	}
}

func TestParseByHand(t *testing.T) {
	g, err := graph.Parse(strings.NewReader(`# a comment
  graph "g"

%x "in" = input float32 2x2
%7 "r" = Relu(%x)   # not a comment, but an error
`), "g.txt")
	if err == nil || g != nil {
		t.Fatal("a comment after a node was taken")
	}
	g, err = graph.Parse(strings.NewReader("# a comment\n\n  graph \"g\"\n%x \"in\" = input float32 2x2\n%7 \"r\"=LeakyRelu( %x ){ }+Relu()\noutput \"y\" = %7"), "g.txt")
	if err != nil {
		t.Fatal(err)
	}
	const want = `graph "g"
%0 "in" = input float32 2x2
%1 "r" = LeakyRelu(%0) {alpha=0.01} + Relu -> float32 2x2
output "y" = %1
`
	if got := print(t, g, false); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestParseErrors(t *testing.T) {
	const head = "graph \"g\"\n%0 \"x\" = input float32 2x2\n"
	for _, c := range []struct{ text, want string }{
		{"", `g.txt: nothing in it: a graph wanted`},
		{"plan", `g.txt:1: "plan": graph "name" wanted first`},
		{"graph g", `g.txt:1: a quoted name wanted at "g"`},
		{"graph \"g\" x", `g.txt:1: the end of the line wanted at "x"`},
		{head, `g.txt: graph "g" has no output`},
		{head + "x = 1", `g.txt:3: "x": a node (%1 "name" = …) or output "name" = %1 wanted`},
		{head + `%0 "y" = Relu(%0)`, `g.txt:3: a second %0`},
		{head + `%1 "x" = Relu(%0)`, `g.txt:3: name "x" is empty, or has been there`},
		{head + `%1 "y" = Rellu(%0)`, `g.txt:3: operator "Rellu" is not known (did you mean "Relu"?)`},
		{head + `%1 "y" = Relu(%2)`, `g.txt:3: "%2": a node before this one wanted, as %1`},
		{head + `%1 "y" = Relu(%0, .)`, `g.txt:3: a dot stands for a value, in an epilogue alone`},
		{head + `%1 "y" = Relu(%0) + Add(., %0)`, `g.txt:3: the dot stands for the value, as the last operand`},
		{head + `%1 "y" = Relu(%0) + Add`, `g.txt:3: epilogue Add of 0 operands: 1 wanted`},
		{head + `%1 "y" = Relu(%0) + MatMul(%0)`, `g.txt:3: MatMul cannot be an epilogue`},
		{head + `%1 "y" = Relu(%0) {alpha=1}`, `g.txt:3: attribute "alpha" is not known to Relu`},
		{head + `%1 "y" = Elu(%0) {alpa=1}`, `g.txt:3: attribute "alpa" is not known to Elu (did you mean "alpha"?)`},
		{head + `%1 "y" = Elu(%0) {alpha=x}`, `g.txt:3: attribute "alpha": "x": a float32 wanted`},
		{head + `%1 "y" = Elu(%0) {alpha=1 alpha=1}`, `g.txt:3: attribute "alpha" is there twice`},
		{head + `%1 "y" = Elu(%0) {alpha=1`, `g.txt:3: attribute "" is not known to Elu`},
		{head + `%1 "y" = Transpose(%0) {perm=[0 1.5]}`, `g.txt:3: attribute "perm": "1.5": an integer wanted`},
		{head + `%1 "y" = Relu(%0) -> float32 2x3`, `g.txt:3: it says float32 2x3, the operator makes float32 2x2`},
		{head + `%1 "y" = const float32 3 ...`, `g.txt:3: the constant's values were left out: a graph printed with --values wanted`},
		{head + `%1 "y" = const float32 3 [1 2]`, `g.txt:3: 2 values for float32 3: 3 wanted`},
		{head + `%1 "y" = const float16 1 [0.1]`, `g.txt:3: 0.1 is not a float16`},
		{head + `%1 "y" = const uint8 1 [256]`, `g.txt:3: 256 is not a uint8`},
		{head + `%1 "y" = const float32 1 base64:AAAA`, `g.txt:3: base64 of 3 bytes for float32 1: 4 wanted`},
		{head + `%1 "y" = const float32 1 base64:?`, `g.txt:3: base64: illegal base64 data at input byte 0`},
		{head + `%1 "y" = input float33 1`, `g.txt:3: element type "float33": one of float32, float16, bfloat16, float64, int64, int32, int8, uint8, bool wanted`},
		{head + `%1 "y" = input float32 1xx`, `g.txt:3: shape "1xx": extents like 1x3x224x224 wanted`},
		{head + `%1 "y" = input float32 1048576x1048576x2`, `g.txt:3: shape 1048576x1048576x2: at most 2^40 values wanted`},
	} {
		_, err := graph.Parse(strings.NewReader(c.text), "g.txt")
		if err == nil || err.Error() != c.want {
			t.Errorf("%q:\n got %v\nwant %s", c.text, err, c.want)
		}
	}
}

// TestParsePrint builds graphs at random and wants each back from its text.
func TestParsePrint(t *testing.T) {
	types := []tensor.Type{
		tensor.Float32, tensor.Float16, tensor.BFloat16, tensor.Float64,
		tensor.Int64, tensor.Int32, tensor.Int8, tensor.Uint8, tensor.Bool,
	}
	rapid.Check(t, func(t *rapid.T) {
		b := graph.NewBuilder(rapid.String().Draw(t, "name"))
		x := b.Input(rapid.String().Draw(t, "input"), tensor.Float32, tensor.Shape{2, 3})
		ids := []graph.ID{x}
		for i := range rapid.IntRange(0, 8).Draw(t, "nodes") {
			name := rapid.String().Draw(t, "node")
			at := func() graph.ID { return rapid.SampledFrom(ids).Draw(t, "operand") }
			f := rapid.Float32().Draw(t, "float")
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
				typ := rapid.SampledFrom(types).Draw(t, "type")
				s := tensor.Shape{rapid.IntRange(0, 3).Draw(t, "d0"), rapid.IntRange(1, 5).Draw(t, "d1")}
				data := rapid.SliceOfN(rapid.Byte(), s.Size()*typ.Bytes(), s.Size()*typ.Bytes()).Draw(t, "data")
				if typ == tensor.Float64 {
					data = make([]byte, len(data)) // a double that is no float32 is rounded
				}
				b.Const(name, tensor.FromBytes(typ, s, data))
			case 1:
				ids = append(ids, node(t, b, graph.Node{Name: name, Op: lookup(t, "LeakyRelu"), In: []graph.ID{at()}, Attrs: op.Attrs{"alpha": f}}))
			case 2:
				ids = append(ids, node(t, b, graph.Node{
					Name: name, Op: lookup(t, "Add"), In: []graph.ID{at(), at(), at()},
					Post: []graph.Stage{
						{Op: lookup(t, "Relu")},
						{Op: lookup(t, "Sub"), Operand: 2, Swap: rapid.Bool().Draw(t, "swap")},
					},
				}))
			case 3:
				ids = append(ids, node(t, b, graph.Node{
					Name: fmt.Sprint(name, i), Op: lookup(t, "Pad"), In: []graph.ID{at()},
					Attrs: op.Attrs{"pads": []int64{0, 0, 0, 0}, "mode": "edge", "value": f},
				}))
			}
		}
		b.Output(rapid.String().Draw(t, "output"), ids[len(ids)-1])
		g, err := b.Graph()
		if err != nil {
			t.Fatal(err)
		}
		text := print(t, g, true)
		p, err := graph.Parse(strings.NewReader(text), "g")
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if again := print(t, p, true); again != text || p.Fingerprint() != g.Fingerprint() {
			t.Fatalf("printed:\n%s\nparsed:\n%s", text, again)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add(print(f, small(f), true))
	f.Add("graph \"g\"\n%0 \"x\" = const float16 2 [NaN 1]\n%1 \"y\" = const bool 2 [1 0]\noutput \"y\" = %0")
	f.Add("graph \"g\"\n%0 \"x\" = input float32 1x8x6x6\n%1 \"y\" = MaxPool(%0) {kernel_shape=[2 2] strides=[1 1] pads=[0 0 0 0] dilations=[1 1]}\noutput \"y\" = %1")
	f.Fuzz(func(t *testing.T, text string) {
		g, err := graph.Parse(strings.NewReader(text), "g")
		if err != nil {
			return
		}
		first := print(t, g, true)
		p, err := graph.Parse(strings.NewReader(first), "g")
		if err != nil {
			t.Fatalf("%v in\n%s", err, first)
		}
		if second := print(t, p, true); second != first {
			t.Fatalf("printed:\n%s\nparsed:\n%s", first, second)
		}
	})
}
