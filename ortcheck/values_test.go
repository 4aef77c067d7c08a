package ortcheck

import (
	"cmp"
	"flag"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"pimflow/internal/graph"
	"pimflow/internal/onnx"
	"pimflow/internal/tensor"
)

var within = flag.Bool("values", false, "of the files that -files names, compare instead the value of each node, computed from ONNX Runtime's values of its inputs")

// step is a node of a file: its operator and the values that it makes.
type step struct {
	name, op string
	out      []string
}

// steps lists the nodes of a file whose values can be compared. Sequences are no tensors.
func steps(model []byte) (list []step) {
	for _, p := range fields(fields(model, 7)[0], 1) {
		s := step{op: string(fields(p, 4)[0])}
		if s.op == "Constant" || s.op == "SplitToSequence" || strings.HasPrefix(s.op, "Sequence") && s.op != "SequenceAt" {
			continue
		}
		for _, name := range fields(p, 2) {
			if len(name) > 0 {
				s.out = append(s.out, string(name))
			}
		}
		if name := fields(p, 3); len(name) > 0 {
			s.name = string(name[0])
		}
		s.name = cmp.Or(s.name, s.out[0])
		list = append(list, s)
	}
	return list
}

// theirs is a graph's values where ONNX Runtime made the inputs: values has those of nodes and of inputs.
type theirs struct {
	values map[graph.ID]*tensor.Tensor
	names  map[string]*tensor.Tensor // by the name of a node that makes one value
}

// compute evaluates a node from ONNX Runtime's values, and operations between them, which have no name in the file, by
// definition.
func (v *theirs) compute(g *graph.Graph, id graph.ID) *tensor.Tensor {
	nd := &g.Nodes[id]
	in := make([]*tensor.Tensor, len(nd.In))
	for i, x := range nd.In {
		in[i] = v.value(g, x)
	}
	y := tensor.New(nd.Type, nd.Shape)
	g.Eval(g.Whole(id), in, y)
	return y
}

func (v *theirs) value(g *graph.Graph, id graph.ID) *tensor.Tensor {
	nd := &g.Nodes[id]
	if nd.Const != nil {
		return nd.Const
	}
	if v.values[id] == nil {
		if y := v.names[nd.Name]; y != nil && y.Type == nd.Type && y.Shape.Equal(nd.Shape) {
			v.values[id] = y
		} else {
			v.values[id] = v.compute(g, id)
		}
	}
	return v.values[id]
}

// cancels is the largest magnitude of what a node adds up, which rounding is relative to where the sum is near 0; 0 for other
// operators.
func (v *theirs) cancels(g *graph.Graph, id graph.ID, op string) (top float64) {
	if !slices.Contains([]string{"Add", "Sub", "ReduceMean", "ReduceSum"}, op) {
		return 0
	}
	for _, x := range g.Nodes[id].In {
		if y := v.value(g, x); y.Type.Float() {
			for _, f := range y.Floats() {
				top = max(top, math.Abs(float64(f)))
			}
		}
	}
	return top
}

// compareValues holds the value of every node of a file against ONNX Runtime's, each computed from ONNX Runtime's values of
// the node's inputs: rounding of one node is not passed on to the next. It returns the largest difference, relative to the
// largest magnitude of a value.
func compareValues(t *testing.T, path string, model []byte, in []*tensor.Tensor) (worst float64) {
	list := steps(model)
	var names []string
	for _, s := range list {
		names = append(names, s.out...)
	}
	f, err := onnx.Read(t.Context(), path, onnx.Options{Until: names})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	// A message that stands twice is merged (protobuf.dev, encoding): the graph gets more outputs. The binding takes no scalar.
	var more []byte
	var asked []string
	for _, o := range f.Graph.Outputs {
		if len(f.Graph.Nodes[o.ID].Shape) > 0 {
			asked = append(asked, o.Name)
			more = msg(more, 12, str(nil, 1, o.Name))
		}
	}
	made, err := onnxRuntime(msg(model, 7, more), inputNames(f.Graph), in, asked)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]*tensor.Tensor{}
	for k, name := range asked {
		want[name] = made[k]
	}
	v := &theirs{map[graph.ID]*tensor.Tensor{}, map[string]*tensor.Tensor{}}
	for _, s := range list {
		if len(s.out) == 1 {
			v.names[s.name] = want[s.out[0]]
		}
	}
	for i, id := range f.Graph.Inputs {
		v.names[f.Graph.Nodes[id].Name] = in[i]
	}
	g := f.Graph
	if f.Counted() {
		g, err = f.Sized(t.Context(), func(g *graph.Graph, id graph.ID) (*tensor.Tensor, error) { return v.value(g, id), nil })
		if err != nil {
			t.Fatal(err)
		}
		clear(v.values)
	}
	at := map[string]graph.ID{}
	for _, o := range g.Outputs {
		at[o.Name] = o.ID
		if y := want[o.Name]; y != nil && g.Nodes[o.ID].Const == nil && y.Shape.Equal(g.Nodes[o.ID].Shape) {
			v.values[o.ID] = y
		}
	}
	largest := map[string]float64{}
	compared := 0
	for _, s := range list {
		for _, name := range s.out {
			y := want[name]
			if y == nil {
				continue
			}
			got := g.Nodes[at[name]].Const
			if g.Nodes[at[name]].Op != nil {
				got = v.compute(g, at[name])
			} else if got == nil {
				continue // an input, handed on
			}
			d, err := differOne(got, y, v.cancels(g, at[name], s.op))
			if err != nil {
				t.Errorf("%s of %s: %v", name, s.op, err)
			}
			compared++
			worst, largest[s.op] = max(worst, d), max(largest[s.op], d)
		}
	}
	ops := slices.SortedFunc(maps.Keys(largest), func(a, b string) int {
		return cmp.Or(cmp.Compare(largest[b], largest[a]), cmp.Compare(a, b))
	})
	t.Logf("%d values, each of ONNX Runtime's inputs; largest differences, of the largest magnitude:", compared)
	for _, name := range ops {
		if largest[name] > 0 {
			t.Logf("  %-20s %.1e", name, largest[name])
		}
	}
	return worst
}

// fields lists the bytes of a message's fields of one number.
func fields(b []byte, number protowire.Number) (list [][]byte) {
	for len(b) > 0 {
		n, typ, k := protowire.ConsumeTag(b)
		if k < 0 {
			return nil
		}
		b = b[k:]
		if n == number && typ == protowire.BytesType {
			v, _ := protowire.ConsumeBytes(b)
			list = append(list, v)
		}
		if k = protowire.ConsumeFieldValue(n, typ, b); k < 0 {
			return nil
		}
		b = b[k:]
	}
	return list
}
