package run_test

import (
	"context"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/run"
	"pimflow/internal/simplify"
	"pimflow/internal/tensor"
	"pimflow/internal/zoo"
)

// broken is a PIM whose layers all have one fault.
type broken struct {
	device.Device
	fault tileFault
	hit   []atomic.Bool // by node: the fault changes a value; pieces of a node are evaluated at the same time
}

// tileFault makes a right tile wrong: by other operands, or by what it does to the values before
// (sums) and after the epilogue.
type tileFault struct {
	name   string
	in     func(nd *graph.Node, box tensor.Box, in []*tensor.Tensor) []*tensor.Tensor
	values func(nd *graph.Node, box tensor.Box, dst, sums *tensor.Tensor)
	only   func(i int) bool // elements of the box that the fault reaches; nil: all
}

type brokenCode struct {
	device.Code
	right device.Judge
	d     *broken
	g     *graph.Graph
	cut   graph.Cut
}

func (d *broken) Compile(g *graph.Graph, c graph.Cut) (device.Code, error) {
	code, err := d.Device.Compile(g, c)
	if err != nil {
		return nil, err
	}
	return brokenCode{code, code.(device.Judge), d, g, c}, nil
}

func (c brokenCode) Eval(in []*tensor.Tensor, dst *tensor.Tensor) error {
	return c.EvalSums(device.Evaluation{In: in, Dst: dst})
}

func (c brokenCode) Deliver(t *tensor.Tensor) { c.right.Deliver(t) }

func (c brokenCode) NewSums() *tensor.Tensor { return c.right.NewSums() }

func (c brokenCode) Judge(in []*tensor.Tensor, sums *tensor.Tensor) device.Judgement {
	return c.right.Judge(in, sums)
}

func (c brokenCode) EvalSums(sets ...device.Evaluation) error {
	for _, e := range sets {
		if e.Sums == nil {
			e.Sums = tensor.New(e.Dst.Type, e.Dst.Shape)
		}
		if err := c.evalSums(e.In, e.Dst, e.Sums); err != nil {
			return err
		}
	}
	return nil
}

func (c brokenCode) evalSums(in []*tensor.Tensor, dst, sums *tensor.Tensor) error {
	nd := &c.g.Nodes[c.cut.Node]
	if err := c.right.EvalSums(device.Evaluation{In: in, Dst: dst, Sums: sums}); err != nil {
		return err
	}
	y, s := make([]float32, dst.Shape.Size()), make([]float32, dst.Shape.Size())
	c.cut.Box.Runs(dst.Shape, func(off, n int) {
		copy(y[off:off+n], dst.Floats()[off:])
		copy(s[off:off+n], sums.Floats()[off:])
	})
	if c.d.fault.in != nil {
		other := c.d.fault.in(nd, c.cut.Box, slices.Clone(in))
		if other == nil {
			return nil
		}
		wrong, raw := tensor.New(dst.Type, dst.Shape), tensor.New(dst.Type, dst.Shape)
		if err := c.right.EvalSums(device.Evaluation{In: other, Dst: wrong, Sums: raw}); err != nil {
			return err
		}
		n := 0
		c.cut.Box.Runs(dst.Shape, func(off, length int) {
			for i := off; i < off+length; i++ {
				if c.d.fault.only == nil || c.d.fault.only(n) {
					dst.Floats()[i], sums.Floats()[i] = wrong.Floats()[i], raw.Floats()[i]
				}
				n++
			}
		})
	}
	if c.d.fault.values != nil {
		c.d.fault.values(nd, c.cut.Box, dst, sums)
	}
	c.cut.Box.Runs(dst.Shape, func(off, n int) { // the rest may be written at the same time
		if !slices.EqualFunc(s[off:off+n], sums.Floats()[off:off+n], same) || !slices.EqualFunc(y[off:off+n], dst.Floats()[off:off+n], same) {
			c.d.hit[c.cut.Node].Store(true)
		}
	})
	return nil
}

func same(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) || a == b }

// changed is a list of inputs with one of them replaced by a changed copy.
func changed(in []*tensor.Tensor, i int, change func(v []float32)) []*tensor.Tensor {
	v := slices.Clone(in[i].Floats())
	change(v)
	in[i] = tensor.Floats32(in[i].Shape, v)
	return in
}

// rows calls f with the values of each row of the last two dimensions of the input.
func rows(x *tensor.Tensor, f func(v []float32, row, of int)) {
	s := x.Shape
	if len(s) < 4 {
		f(x.Floats(), 0, 1)
		return
	}
	for i := 0; i < len(x.Floats()); i += s[3] {
		f(x.Floats()[i:i+s[3]], i/s[3]%s[2], s[2])
	}
}

// weight is the place of product k of an output of a layer.
func weight(nd *graph.Node, w tensor.Shape, out, k int) int {
	if nd.Op.Name == "MatMul" || nd.Op.Name == "Gemm" && nd.Attrs.Int("transB") == 0 {
		return k*w[1] + out
	}
	return out*w[1:].Size() + k
}

// outs is the dimension of a layer's outputs, and its first one in a box.
func outs(nd *graph.Node, box tensor.Box) (dim, first int) {
	if dim = 1; nd.Op.Name == "MatMul" {
		dim = len(box) - 1
	}
	return dim, box[dim].Lo
}

// sumLength is the number of products of a layer.
func sumLength(nd *graph.Node, w tensor.Shape) int { return w.Size() / nd.Shape[1] }

// tileFaults are the faults that a check must see.
var tileFaults = []tileFault{
	{name: "no bias of the first output", in: func(nd *graph.Node, box tensor.Box, in []*tensor.Tensor) []*tensor.Tensor {
		if nd.Operands() < 3 {
			return nil
		}
		_, out := outs(nd, box)
		return changed(in, 2, func(v []float32) { v[out] = 0 })
	}},
	{name: "no product k/2 of one value", only: func(i int) bool { return i == 0 }, in: func(nd *graph.Node, box tensor.Box, in []*tensor.Tensor) []*tensor.Tensor {
		_, out := outs(nd, box)
		return changed(in, 1, func(v []float32) { v[weight(nd, in[1].Shape, out, sumLength(nd, in[1].Shape)/2)] = 0 })
	}},
	{name: "no column of one bank", in: func(nd *graph.Node, box tensor.Box, in []*tensor.Tensor) []*tensor.Tensor {
		_, out := outs(nd, box)
		return changed(in, 1, func(v []float32) {
			for k := range min(16, sumLength(nd, in[1].Shape)) {
				v[weight(nd, in[1].Shape, out, k)] = 0
			}
		})
	}},
	{name: "no last row of the halo", in: func(nd *graph.Node, box tensor.Box, in []*tensor.Tensor) []*tensor.Tensor {
		x := tensor.Floats32(in[0].Shape, slices.Clone(in[0].Floats()))
		rows(x, func(v []float32, row, of int) {
			if row == of-1 {
				clear(v)
			}
		})
		in[0] = x
		return in
	}},
	{name: "a buffer that keeps the row before", in: func(nd *graph.Node, box tensor.Box, in []*tensor.Tensor) []*tensor.Tensor {
		x := tensor.Floats32(in[0].Shape, slices.Clone(in[0].Floats()))
		var last []float32
		rows(x, func(v []float32, row, of int) {
			if row == of/2 && last != nil {
				copy(v, last)
			}
			last = v
		})
		in[0] = x
		return in
	}},
	{name: "two outputs swapped", values: func(nd *graph.Node, box tensor.Box, dst, sums *tensor.Tensor) {
		dim, a := outs(nd, box)
		if box[dim].Len() < 2 {
			return
		}
		step := dst.Shape.Strides()[dim]
		box.With(dim, tensor.Range{Lo: a, Hi: a + 1}).Runs(dst.Shape, func(off, n int) {
			for _, y := range [][]float32{dst.Floats(), sums.Floats()} {
				for i := off; i < off+n; i++ {
					y[i], y[i+step] = y[i+step], y[i]
				}
			}
		})
	}},
	{name: "no epilogue", values: func(nd *graph.Node, box tensor.Box, dst, sums *tensor.Tensor) {
		box.Runs(dst.Shape, func(off, n int) { copy(dst.Floats()[off:off+n], sums.Floats()[off:]) })
	}},
	{name: "not a number", values: func(nd *graph.Node, box tensor.Box, dst, sums *tensor.Tensor) {
		box.Runs(dst.Shape, func(off, n int) {
			for i := off; i < off+n; i++ {
				dst.Floats()[i], sums.Floats()[i] = float32(math.NaN()), float32(math.NaN())
			}
		})
	}},
}

// cancelling is a network with long sums, a dilated kernel, groups and a matrix product; with biases
// that are small beside the sums.
func cancelling(t *testing.T) *graph.Graph {
	b, r := graph.NewBuilder("cancelling"), rand.New(rand.NewPCG(7, 8))
	id := b.Input("x", tensor.Float32, tensor.Shape{1, 16, 9, 9})
	draw := func(size float64, s ...int) graph.ID {
		v := make([]float32, tensor.Shape(s).Size())
		for i := range v {
			v[i] = float32(r.NormFloat64() * size)
		}
		return b.Const("", tensor.Floats32(s, v))
	}
	for i, c := range []struct{ in, outs, group, k, dil int }{{16, 96, 1, 3, 1}, {96, 96, 96, 3, 1}, {96, 32, 1, 3, 2}, {32, 32, 4, 1, 1}} {
		pad := int64(c.dil * (c.k - 1) / 2)
		nd := graph.Node{Name: string(rune('a' + i)), In: []graph.ID{id, draw(1/math.Sqrt(float64(c.in/c.group*c.k*c.k)), c.outs, c.in/c.group, c.k, c.k), draw(0.02, c.outs)},
			Attrs: op.Attrs{"group": int64(c.group), "kernel_shape": []int64{int64(c.k), int64(c.k)}, "dilations": []int64{int64(c.dil), int64(c.dil)}, "strides": []int64{1, 1}, "pads": []int64{pad, pad, pad, pad}}}
		nd.Op, _ = op.Lookup("Conv")
		swish, _ := op.Lookup("Swish")
		nd.Post = []graph.Stage{{Op: swish, Attrs: op.Attrs{"alpha": float32(1)}}}
		next, err := b.Node(nd)
		if err != nil {
			t.Fatal(err)
		}
		id = next
	}
	flat, err := b.Op("flat", "Reshape", op.Attrs{"shape": []int64{1, 32 * 81}}, id)
	if err != nil {
		t.Fatal(err)
	}
	if id, err = b.Op("fc", "Gemm", op.Attrs{"transB": int64(1)}, flat, draw(0.02, 10, 32*81), draw(0.02, 10)); err != nil {
		t.Fatal(err)
	}
	b.Output("y", id)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// everyLayer places each layer that the PIM executes there, cut by rows where that is possible.
func everyLayer(t *testing.T, g *graph.Graph, pim device.Device) *plan.Plan {
	p := &plan.Plan{Graph: g.Fingerprint(), PIM: plan.Extended, Launch: plan.Each}
	for i := range g.Nodes {
		nd := &g.Nodes[i]
		if nd.Op == nil {
			continue
		}
		seg := plan.Whole(g, nd.ID, plan.GPU)
		if _, err := pim.Compile(g, g.Whole(nd.ID)); err == nil {
			seg = plan.Whole(g, nd.ID, plan.PIM)
			if len(nd.Shape) == 4 && nd.Shape[2] > 2 {
				if half, ok := plan.Split(g, nd.ID, plan.Rows, nd.Shape[2]/2, plan.GPU, plan.PIM); ok {
					seg = half
				}
			}
		}
		p.Segments = append(p.Segments, seg)
	}
	return p
}

// TestFaultsSeen: every layer that a fault changes is found wrong on each machine, from the model's values
// and from whole numbers, and no other layer. A product that the number format cannot resolve changes whole
// numbers alone.
func TestFaultsSeen(t *testing.T) {
	toy, err := zoo.Build("toy", 1)
	if err == nil {
		toy, err = simplify.Run(t.Context(), toy)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range []*graph.Graph{toy, cancelling(t)} {
		r := rand.New(rand.NewPCG(5, 6))
		x := tensor.New(tensor.Float32, g.Nodes[g.Inputs[0]].Shape)
		for i := range x.Floats() {
			x.Floats()[i] = float32(r.NormFloat64())
		}
		for _, machine := range []string{"newton", "aim", "artifact"} {
			ds, format := devices(t, machine), tensor.Float16
			if machine == "aim" {
				format = tensor.BFloat16
			}
			at := slices.IndexFunc(ds, func(d device.Device) bool { return d.Name() == plan.PIM })
			right := ds[at]
			p := everyLayer(t, g, right)
			check := func(f tileFault, exact bool) (wrong, hit map[graph.ID]bool) {
				b := &broken{right, f, make([]atomic.Bool, len(g.Nodes))}
				ds[at] = b
				prog, err := program.Build(g, p, ds)
				if err != nil {
					t.Fatal(err)
				}
				var v *run.Verdict
				if exact {
					v, err = run.VerifyExact(context.Background(), prog, format, nil)
				} else {
					v, err = run.Verify(context.Background(), prog, []*tensor.Tensor{x}, nil)
				}
				if err != nil {
					t.Fatal(err)
				}
				wrong, hit = map[graph.ID]bool{}, map[graph.ID]bool{}
				for _, f := range v.Faults {
					wrong[f.Node] = true
				}
				for i := range b.hit {
					if b.hit[i].Load() {
						hit[graph.ID(i)] = true
					}
				}
				if len(hit) > 0 && v.OK() {
					t.Errorf("%s on %s, %s: ok", g.Name, machine, f.name)
				}
				return wrong, hit
			}
			for _, exact := range []bool{false, true} {
				if wrong, _ := check(tileFault{}, exact); len(wrong) > 0 {
					t.Errorf("%s on %s, exact %v, no fault: %v wrong", g.Name, machine, exact, wrong)
				}
			}
			for _, f := range tileFaults {
				byValue, changedByValue := check(f, false)
				byWhole, changedByWhole := check(f, true)
				var exactOnly []string // layers whose values the fault does not change, below the format's resolution
				for id := range changedByWhole {
					if !changedByValue[id] {
						exactOnly = append(exactOnly, g.Nodes[id].Name)
					}
				}
				slices.Sort(exactOnly)
				t.Logf("%s on %s, %s: seen in %d layers by values, in %d by whole numbers; by these alone in %v", g.Name, machine, f.name, len(byValue), len(byWhole), exactOnly)
				if len(changedByWhole) == 0 || !maps.Equal(byValue, changedByValue) || !maps.Equal(byWhole, changedByWhole) {
					t.Errorf("%s on %s, %s: seen by values %v, by whole numbers %v: %v and %v wanted", g.Name, machine, f.name, byValue, byWhole, changedByValue, changedByWhole)
				}
			}
		}
	}
}

// spilling is a GPU whose code also writes the first value of the whole.
type spilling struct{ device.Device }

type spillingCode struct{ device.Code }

func (d spilling) Compile(g *graph.Graph, c graph.Cut) (device.Code, error) {
	code, err := d.Device.Compile(g, c)
	return spillingCode{code}, err
}

func (c spillingCode) Eval(in []*tensor.Tensor, dst *tensor.Tensor) error {
	err := c.Code.Eval(in, dst)
	dst.Floats()[0] = 5
	return err
}

// TestSpillSeen: a tile that writes beside its box spoils another tile.
func TestSpillSeen(t *testing.T) {
	g := relus(t, 1)
	seg, ok := plan.Split(g, 1, plan.Rows, 2, plan.GPU, plan.GPU)
	if !ok {
		t.Fatal("not split")
	}
	ds := devices(t, "toy")
	for i, d := range ds {
		ds[i] = spilling{d}
	}
	prog, err := program.Build(g, &plan.Plan{Graph: g.Fingerprint(), PIM: plan.Extended, Launch: plan.Each, Segments: []plan.Segment{seg}}, ds)
	if err != nil {
		t.Fatal(err)
	}
	prog.Steps[0].Code = prog.Steps[0].Code.(spillingCode).Code
	v, err := run.Verify(context.Background(), prog, []*tensor.Tensor{tensor.New(tensor.Float32, tensor.Shape{1, 1, 4, 2})}, nil)
	if err != nil || len(v.Faults) != 1 || v.Faults[0].Why != run.NotMade || v.Faults[0].Got != 5 {
		t.Errorf("%+v, %v", v, err)
	}
}

// TestOrderSeen: a step that reads what is not made yet is wrong, though its values come later.
func TestOrderSeen(t *testing.T) {
	g := relus(t, 3)
	p := &plan.Plan{Graph: g.Fingerprint(), PIM: plan.Extended, Launch: plan.Each}
	for id := graph.ID(1); id <= 3; id++ {
		p.Segments = append(p.Segments, plan.Whole(g, id, plan.GPU))
	}
	prog, err := program.Build(g, p, devices(t, "toy"))
	if err != nil {
		t.Fatal(err)
	}
	prog.Steps[1], prog.Steps[2] = prog.Steps[2], prog.Steps[1]
	for i := range prog.Steps {
		prog.Steps[i].After = nil
	}
	x := []*tensor.Tensor{tensor.New(tensor.Float32, tensor.Shape{1, 1, 4, 2})}
	v, err := run.Verify(context.Background(), prog, x, nil)
	if err != nil || len(v.Faults) != 1 || v.Faults[0].Node != 3 {
		t.Errorf("%+v, %v", v, err)
	}
	v, err = run.VerifyExact(context.Background(), prog, tensor.Float16, nil)
	if err != nil || len(v.Faults) != 1 || v.Faults[0].Node != 3 {
		t.Errorf("%+v, %v", v, err)
	}
}
