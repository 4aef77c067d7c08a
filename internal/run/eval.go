package run

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"

	"pimflow/internal/graph"
	"pimflow/internal/program"
	"pimflow/internal/tensor"
)

// Progress is called with the amount done and the total of a long computation.
type Progress func(done, total int)

// Eval computes the outputs of the graph by executing the steps of a program on tensors. The
// devices run concurrently, each its steps in order. inputs has a tensor for each input of
// the graph, of its shape and type. progress, unless nil, is called concurrently with the
// number of finished steps.
func Eval(ctx context.Context, p *program.Program, inputs []*tensor.Tensor, progress Progress) ([]*tensor.Tensor, error) {
	return eval(ctx, p, inputs, progress, nil)
}

// eval is Eval that also shows each finished value, concurrently.
func eval(ctx context.Context, p *program.Program, inputs []*tensor.Tensor, progress Progress, show func(graph.ID, *tensor.Tensor)) ([]*tensor.Tensor, error) {
	v, err := newValues(p.Graph, inputs)
	if err != nil {
		return nil, err
	}
	for _, s := range p.Steps {
		v.expect(s.Node)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make([]chan struct{}, len(p.Steps))
	lanes := map[string][]int{}
	for i, s := range p.Steps {
		done[i] = make(chan struct{})
		lanes[s.Device] = append(lanes[s.Device], i)
	}
	var wg sync.WaitGroup
	var finished atomic.Int64
	for _, lane := range lanes {
		wg.Go(func() {
			for _, i := range lane {
				for _, j := range p.Steps[i].After {
					select {
					case <-done[j]:
					case <-ctx.Done():
						return
					}
				}
				if ctx.Err() != nil {
					return
				}
				s := p.Steps[i]
				in, dst := v.open(s.Node)
				if err := s.Code.Eval(in, dst); err != nil {
					cancel(fmt.Errorf("node %%%d %.80q on %s: %w", s.Node, p.Graph.Nodes[s.Node].Name, s.Device, err))
					return
				}
				if last := v.made(s.Node); last && show != nil {
					show(s.Node, dst)
				}
				v.close(s.Node)
				close(done[i])
				if n := finished.Add(1); progress != nil {
					progress(int(n), len(p.Steps))
				}
			}
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	return v.outputs(), nil
}

// Reference computes the outputs of the graph by definition: every node whole, in order.
// inputs and progress are as for Eval.
func Reference(ctx context.Context, g *graph.Graph, inputs []*tensor.Tensor, progress Progress) ([]*tensor.Tensor, error) {
	return reference(ctx, g, inputs, progress, nil)
}

// reference is Reference that also shows each finished value.
func reference(ctx context.Context, g *graph.Graph, inputs []*tensor.Tensor, progress Progress, show func(graph.ID, *tensor.Tensor)) ([]*tensor.Tensor, error) {
	v, err := newValues(g, inputs)
	if err != nil {
		return nil, err
	}
	for i := range g.Nodes {
		if g.Nodes[i].Op != nil {
			v.expect(graph.ID(i))
		}
	}
	for i := range g.Nodes {
		if g.Nodes[i].Op == nil {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		in, dst := v.open(graph.ID(i))
		g.Eval(g.Whole(graph.ID(i)), in, dst)
		if show != nil {
			show(graph.ID(i), dst)
		}
		v.close(graph.ID(i))
		if progress != nil {
			progress(i+1, len(g.Nodes))
		}
	}
	return v.outputs(), nil
}

// values holds the tensors of a graph under evaluation. Each is dropped after the last step
// that reads it.
//
// In the literature: reference-counted buffer liveness.
type values struct {
	g     *graph.Graph
	mu    sync.Mutex
	t     []*tensor.Tensor
	reads []int // unfinished readers of each value; an output counts as one more
	steps []int // unfinished steps that make a part of each value
}

// MaxSize bounds the elements of a value that is executed: 8 GiB of float32. Estimated.
const MaxSize = 1 << 31

// Fits checks that all values are small enough to execute, before any is allocated. The
// error names the first that is not.
func Fits(g *graph.Graph) error {
	for i := range g.Nodes {
		if nd := &g.Nodes[i]; nd.Shape.Size() > MaxSize {
			return fmt.Errorf("node %%%d %.80q of %v is too large to execute: at most 2^31 numbers wanted", i, nd.Name, nd.Shape)
		}
	}
	return nil
}

func newValues(g *graph.Graph, inputs []*tensor.Tensor) (*values, error) {
	if err := Fits(g); err != nil {
		return nil, err
	}
	if len(inputs) != len(g.Inputs) {
		return nil, fmt.Errorf("graph %.80q has %d inputs: %d given", g.Name, len(g.Inputs), len(inputs))
	}
	v := &values{g: g, t: make([]*tensor.Tensor, len(g.Nodes)), reads: make([]int, len(g.Nodes)), steps: make([]int, len(g.Nodes))}
	for i, id := range g.Inputs {
		nd, x := &g.Nodes[id], inputs[i]
		if !x.Shape.Equal(nd.Shape) || x.Type.Float() != nd.Type.Float() {
			return nil, fmt.Errorf("input %.80q is %v %v: %v %v wanted", nd.Name, x.Type, x.Shape, nd.Type, nd.Shape)
		}
		v.t[id] = x
		v.reads[id]++
	}
	for i := range g.Nodes {
		if c := g.Nodes[i].Const; c != nil {
			v.t[i] = c
			v.reads[i]++
		}
	}
	for _, o := range g.Outputs {
		v.reads[o.ID]++
	}
	return v, nil
}

// made records the end of a step of a node, and reports whether it was the node's last.
func (v *values) made(id graph.ID) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.steps[id]--
	return v.steps[id] == 0
}

// expect announces a step of a node: its inputs are kept for it.
func (v *values) expect(id graph.ID) {
	v.steps[id]++
	for _, x := range v.g.Nodes[id].In {
		v.reads[x]++
	}
}

// open returns the inputs of a node and the tensor of its value.
func (v *values) open(id graph.ID) (in []*tensor.Tensor, dst *tensor.Tensor) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, x := range v.g.Nodes[id].In {
		in = append(in, v.tensor(x)) // empty so far, if the step reads none of it
	}
	return in, v.tensor(id)
}

// tensor returns the tensor of a node. The first call allocates it.
func (v *values) tensor(id graph.ID) *tensor.Tensor {
	if nd := &v.g.Nodes[id]; v.t[id] == nil {
		v.t[id] = tensor.New(nd.Type, nd.Shape)
	}
	return v.t[id]
}

// close releases the tensors that open returned.
func (v *values) close(id graph.ID) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, x := range v.g.Nodes[id].In {
		if v.reads[x]--; v.reads[x] == 0 {
			v.t[x] = nil
		}
	}
}

func (v *values) outputs() []*tensor.Tensor {
	var out []*tensor.Tensor
	for _, o := range v.g.Outputs {
		out = append(out, v.tensor(o.ID)) // no step makes a value without numbers
	}
	return out
}

// tolerances are the differences that Compare accepts between two orders of the same sums,
// relative to the largest magnitude of the output, by the type that values are rounded to.
// Estimated: a few hundred roundings of float32 sums, 2^-24 each, through the depth of a CNN;
// or 8 roundings of values to 11 or 8 bits, in which folded weights and fused layers differ.
// Up to 3 were observed in 120 random networks in float16.
var tolerances = map[tensor.Type]float64{
	tensor.Float32:  1e-4,
	tensor.Float64:  1e-4, // held as float32
	tensor.Float16:  8 * 0x1p-11,
	tensor.BFloat16: 8 * 0x1p-8,
}

// Tolerance is the largest difference to accept in the outputs of a graph, relative to the
// largest magnitude of the output. It follows from the coarsest type among those of the graph
// and of the devices.
func Tolerance(g *graph.Graph, devices ...tensor.Type) float64 {
	most := tolerances[tensor.Float32]
	for _, t := range devices {
		most = max(most, tolerances[t])
	}
	for i := range g.Nodes {
		most = max(most, tolerances[g.Nodes[i].Type])
	}
	return most
}

// Diff is the difference of an output from its reference.
type Diff struct {
	Output string
	MaxAbs float64 // largest absolute difference
	MaxRel float64 // MaxAbs over the largest magnitude of the reference
	OK     bool    // MaxRel is within the tolerance, and each value is finite where the reference is
}

// Compare compares the outputs of a graph with reference values.
func Compare(g *graph.Graph, want, got []*tensor.Tensor, tolerance float64) []Diff {
	out := make([]Diff, len(want))
	for i := range want {
		out[i] = compare(want[i], got[i], tolerance)
		out[i].Output = g.Outputs[i].Name
	}
	return out
}

func compare(want, got *tensor.Tensor, tolerance float64) Diff {
	at := func(t *tensor.Tensor, i int) float64 { return float64(t.Ints()[i]) }
	if want.Type.Float() {
		at = func(t *tensor.Tensor, i int) float64 { return float64(t.Floats()[i]) }
	}
	d, top, same := Diff{}, 0.0, true
	for i := range want.Shape.Size() {
		w, g := at(want, i), at(got, i)
		if w == g || math.IsNaN(w) && math.IsNaN(g) {
			if !math.IsInf(w, 0) && !math.IsNaN(w) {
				top = max(top, math.Abs(w))
			}
			continue
		}
		if e := math.Abs(w - g); math.IsNaN(e) || math.IsInf(e, 0) {
			same = false
			d.MaxAbs = math.MaxFloat64
		} else {
			d.MaxAbs = max(d.MaxAbs, e)
			top = max(top, math.Abs(w))
		}
	}
	if d.MaxAbs > 0 {
		d.MaxRel = d.MaxAbs / max(top, math.SmallestNonzeroFloat64)
	}
	d.MaxRel = min(d.MaxRel, math.MaxFloat64) // JSON has no infinity
	d.OK = same && d.MaxRel <= tolerance
	return d
}
