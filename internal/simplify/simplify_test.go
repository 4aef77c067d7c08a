package simplify

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
	"pimflow/internal/zoo"
)

func TestPassTable(t *testing.T) {
	var before []string
	for _, p := range Passes() {
		if p.Why == "" || slices.Contains(before, p.Name) {
			t.Errorf("pass %q: a reason and a name of its own wanted", p.Name)
		}
		for _, a := range p.After {
			if !slices.Contains(before, a) {
				t.Errorf("pass %s runs before %q", p.Name, a)
			}
		}
		before = append(before, p.Name)
	}
}

func TestObserver(t *testing.T) {
	g, err := zoo.Build("toy", 1)
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	last := g
	after, err := Run(t.Context(), g, func(pass string, before, after *graph.Graph) {
		if before != last {
			t.Errorf("pass %s starts from another graph", pass)
		}
		seen, last = append(seen, pass), after
	})
	if err != nil || after != last || len(seen) != len(Passes()) {
		t.Error(seen, err)
	}
}

// Operators that the tables name must be in the operator table, with the
// columns that the passes rely on.
func TestTablesNameOperators(t *testing.T) {
	look := func(name string) *op.Op {
		o, err := op.Lookup(name)
		if err != nil {
			t.Error(err)
			return &op.Op{}
		}
		return o
	}
	for name := range identities {
		look(name)
	}
	for name := range residuals {
		if look(name).Combine == nil {
			t.Errorf("%s does not combine", name)
		}
	}
	for name := range arithmetics {
		look(name)
	}
	for name := range layouts {
		if look(name).MACs == nil {
			t.Errorf("%s does not contract", name)
		}
	}
	for _, g := range gates {
		if look(g.op).Map == nil {
			t.Errorf("%s does not map", g.op)
		}
	}
	for _, i := range idioms {
		for _, name := range i.roots {
			look(name)
		}
	}
}

// list prints the operations of a graph: name, operator and epilogue, operands
// but constants.
func list(g *graph.Graph) string {
	var lines []string
	for i := range g.Nodes {
		nd := &g.Nodes[i]
		if nd.Op == nil {
			continue
		}
		text := nd.Name + " = " + nd.Op.Name
		for _, s := range nd.Post {
			text += "+" + s.Op.Name
			if s.Swap {
				text += "'"
			}
		}
		for _, x := range nd.In {
			if g.Nodes[x].Const == nil {
				text += " " + g.Nodes[x].Name
			}
		}
		lines = append(lines, text)
	}
	return strings.Join(lines, "\n")
}

// maker builds small graphs in tests; a failure is a panic.
type maker struct{ *graph.Builder }

func newMaker() maker { return maker{graph.NewBuilder("test")} }

func (m maker) input(name string, dims ...int) graph.ID {
	return m.Input(name, tensor.Float32, dims)
}

func (m maker) op(name, opName string, a op.Attrs, in ...graph.ID) graph.ID {
	id, err := m.Op(name, opName, a, in...)
	if err != nil {
		panic(fmt.Sprintf("%s: %v", name, err))
	}
	return id
}

// scalar appends a constant of one value and no dimension.
func (m maker) scalar(v float64) graph.ID {
	return m.Const("k", tensor.Floats32(nil, []float32{float32(v)}))
}

// ramp appends a constant whose values count from 1 to 5 and again.
func (m maker) ramp(dims ...int) graph.ID {
	v := make([]float32, tensor.Shape(dims).Size())
	for i := range v {
		v[i] = float32(i%5 + 1)
	}
	return m.Const("w", tensor.Floats32(dims, v))
}

// conv appends a 1x1 convolution with bias to m channels.
func (m maker) conv(name string, x graph.ID, out int) graph.ID {
	return m.op(name, "Conv", convAttrs(1, 1, 0, 1), x, m.ramp(out, m.Peek().Nodes[x].Shape[1], 1, 1), m.ramp(out))
}

func convAttrs(kernel, stride, pad, group int64) op.Attrs {
	return op.Attrs{
		"kernel_shape": []int64{kernel, kernel}, "strides": []int64{stride, stride}, "dilations": []int64{1, 1},
		"pads": []int64{pad, pad, pad, pad}, "group": group,
	}
}

func (m maker) graph(outputs ...graph.ID) *graph.Graph {
	for i, o := range outputs {
		m.Output(fmt.Sprintf("out%d", i), o)
	}
	g, err := m.Graph()
	if err != nil {
		panic(err)
	}
	return g
}

func run(t testing.TB, g *graph.Graph) *graph.Graph {
	t.Helper()
	after, err := Run(t.Context(), g)
	if err != nil {
		t.Fatal(err)
	}
	return after
}

func TestZoo(t *testing.T) {
	for name, want := range map[string]string{
		"efficientnet-b0": "116 of 190", // 81 Conv, 1 Gemm, 17 pools, 16 Mul, 1 Reshape
		"mnasnet-1.0":     "55 of 100",
		"mobilenet-v2":    "55 of 100",
		"resnet-50":       "57 of 122",
		"toy":             "13 of 20",
		"vgg-16":          "22 of 37", // 13 Conv, 5 pools, 1 Reshape, 3 Gemm
	} {
		g, err := zoo.Build(name, 1)
		if err != nil {
			t.Fatal(err)
		}
		count := func(g *graph.Graph) (n int) {
			for _, nd := range g.Nodes {
				if nd.Op != nil {
					n++
				}
			}
			return n
		}
		after := run(t, g)
		if got := fmt.Sprintf("%d of %d", count(after), count(g)); got != want {
			t.Errorf("%s: %s operations are left: %s wanted", name, got, want)
		}
		if again := run(t, after); list(again) != list(after) {
			t.Errorf("%s: a second run changes it", name)
		}
	}
}

// A chain of 5,000 nodes must neither overflow a stack nor take quadratic time.
func deep(n int) *graph.Graph {
	m := newMaker()
	x := m.input("x", 1, 2, 2, 2)
	for i := 0; i < n; i += 5 {
		y := m.conv(fmt.Sprintf("conv%d", i), x, 2)
		y = m.op("", "Mul", nil, y, m.scalar(0.5))
		y = m.op("", "Relu", nil, y)
		x = m.op("", "Add", nil, y, x)
		x = m.op("", "Mul", nil, m.op("", "Sigmoid", nil, x), x)
	}
	return m.graph(x)
}

func TestDeep(t *testing.T) {
	g := run(t, deep(5000))
	if n := strings.Count(list(g), "\n") + 1; n != 1000 {
		t.Errorf("%d operations left of 5000: 1000 convolutions wanted", n)
	}
}

func BenchmarkRun(b *testing.B) {
	for _, n := range []int{500, 5000, 50000} {
		g := deep(n)
		b.Run(fmt.Sprint(n, "-nodes"), func(b *testing.B) {
			for b.Loop() {
				run(b, g)
			}
		})
	}
}
