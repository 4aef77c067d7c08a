package run_test

import (
	"context"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/op"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/run"
	"pimflow/internal/tensor"
)

// codes is a tensor of integers of 8 bits from a seed.
func codes(t *rapid.T, typ tensor.Type, s tensor.Shape) *tensor.Tensor {
	x := tensor.New(typ, s)
	seed := rapid.Uint32().Draw(t, "seed")
	for i := range x.Ints() {
		seed = seed*1664525 + 1013904223
		x.Ints()[i] = tensor.Wrap(typ, int64(seed>>24))
	}
	return x
}

// quantised is a chain of products on integers: convolutions with values of 8 bits, one whose value is real
// numbers, and a matrix product.
func quantised(t *rapid.T) (*graph.Graph, []graph.ID, []*tensor.Tensor) {
	b := graph.NewBuilder("integers")
	must := func(id graph.ID, err error) graph.ID {
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	eight := func() tensor.Type { return rapid.SampledFrom([]tensor.Type{tensor.Int8, tensor.Uint8}).Draw(t, "type") }
	scales := func(s tensor.Shape, least float32) graph.ID {
		x := tensor.New(tensor.Float32, s)
		for i := range x.Floats() {
			x.Floats()[i] = least * float32(1+rapid.IntRange(0, 100).Draw(t, "scale"))
		}
		return b.Const("scale", x)
	}
	typ := eight()
	shape := tensor.Shape{rapid.IntRange(1, 2).Draw(t, "images"), rapid.SampledFrom([]int{3, 8, 32}).Draw(t, "channels"), rapid.IntRange(5, 9).Draw(t, "h"), 6}
	x := codes(t, typ, shape)
	id := b.Input("x", typ, shape)
	scale, zero := scales(tensor.Shape{}, 1e-3), b.Const("zero", codes(t, typ, tensor.Shape{}))
	var ids []graph.ID
	for i, row := range []string{"QLinearConv", "QLinearConv", "ConvIntegerToFloat"} {
		in := b.Peek().Nodes[id].Shape
		group := 1
		if i == 1 && rapid.Bool().Draw(t, "depthwise") {
			group = in[1]
		}
		out := 8 * rapid.IntRange(1, 3).Draw(t, "outputs")
		if group > 1 {
			out = group
		}
		of := tensor.Shape{}
		if rapid.Bool().Draw(t, "scales of outputs") {
			of = tensor.Shape{out}
		}
		wt := eight()
		operands := []graph.ID{id, b.Const("w", codes(t, wt, tensor.Shape{out, in[1] / group, 3, 3})), scale, zero, scales(of, 1e-4), b.Const("wz", codes(t, wt, of))}
		attrs := op.Attrs{"kernel_shape": []int64{3, 3}, "strides": []int64{1 + int64(i%2), 1}, "pads": []int64{1, 0, 1, 1}, "dilations": []int64{1, 1}, "group": int64(group)}
		nd := graph.Node{Name: fmt.Sprintf("conv%d", i), Attrs: attrs}
		nd.Op, _ = op.Lookup(row)
		if row == "QLinearConv" {
			typ = eight()
			// As large as sums mostly are, so that values do not all saturate.
			scale, zero = scales(tensor.Shape{}, 1e-3), b.Const("zero", codes(t, typ, tensor.Shape{}))
			bias := tensor.New(tensor.Int32, tensor.Shape{out})
			for k := range bias.Ints() {
				bias.Ints()[k] = int64(k*7919%20001 - 10000)
			}
			operands = append(operands, scale, zero, b.Const("b", bias))
		} else {
			relu, _ := op.Lookup("Relu")
			nd.Post = []graph.Stage{{Op: relu, Attrs: op.Attrs{}}}
			bias := tensor.New(tensor.Float32, tensor.Shape{out})
			for k := range bias.Floats() {
				bias.Floats()[k] = float32(k%5) / 3
			}
			operands = append(operands, b.Const("b", bias))
		}
		nd.In = operands
		id = must(b.Node(nd))
		ids = append(ids, id)
	}
	b.Output("y", id)
	b.Output("z", ids[1])
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return g, ids, []*tensor.Tensor{x}
}

// integerCase is a chain and where its parts run.
type integerCase struct {
	g   *graph.Graph
	ids []graph.ID
	x   []*tensor.Tensor
	p   *plan.Plan
}

func drawIntegerCase(t *rapid.T) (c integerCase) {
	c.g, c.ids, c.x = quantised(t)
	c.p = &plan.Plan{Graph: c.g.Fingerprint(), PIM: plan.Extended, Launch: plan.Each}
	for _, id := range c.ids {
		s := plan.Whole(c.g, id, plan.PIM)
		dim := rapid.SampledFrom([]int{plan.Images, plan.Channels, plan.Rows}).Draw(t, "dim")
		if cut, ok := plan.Split(c.g, id, dim, rapid.IntRange(1, c.g.Nodes[id].Shape[dim]).Draw(t, "at"), plan.GPU, plan.PIM); ok {
			s = cut
		}
		c.p.Segments = append(c.p.Segments, s)
	}
	return c
}

// TestIntegers: products on integers that run whole or in parts on the PIM are within the bound of its format, and
// equal where the format is int8.
func TestIntegers(t *testing.T) {
	cases := 10
	if testing.Short() {
		cases = 3
	}
	for _, row := range []struct{ machine, format string }{{"newton", "fp16"}, {"aim", "bf16"}, {"newton", "int8"}, {"aim", "int8"}, {"artifact", "int8"}} {
		t.Run(row.machine+" in "+row.format, func(t *testing.T) {
			m, err := hw.Load(row.machine)
			if err != nil {
				t.Fatal(err)
			}
			m.PIM.Format = row.format
			ds := devicesOf(t, m)
			for seed := range cases {
				c := rapid.Custom(drawIntegerCase).Example(seed)
				prog, err := program.Build(c.g, c.p, ds)
				if err != nil {
					t.Fatal(err)
				}
				v, err := run.Verify(context.Background(), prog, c.x, nil)
				if err != nil {
					t.Fatal(err)
				}
				if !v.OK() || v.PIM.Tiles < len(c.ids) {
					t.Fatalf("case %d: %+v, %d tiles on the PIM", seed, v.Faults, v.PIM.Tiles)
				}
				for i, d := range run.Compare(v.Defined, v.Outputs) {
					if row.format == "int8" && d.MaxAbs > 0 {
						t.Fatalf("case %d: output %d differs by %v", seed, i, d.MaxAbs)
					}
				}
			}
		})
	}
}
