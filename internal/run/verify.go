package run

import (
	"context"
	"math"
	"slices"
	"sync"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/tensor"
)

// Verdict says whether the steps of a program compute what the graph defines, and what the number
// format of the PIM costs.
type Verdict struct {
	PIM, GPU Verified
	Faults   []Fault // by step
	Layers   []LayerError
	Counted  []Counted
	Inexact  []Inexact // VerifyExact: PIM steps that are within the bound, but not equal
	// Outputs are those of the program, Defined those of its graph by definition; nil from VerifyExact.
	Outputs, Defined []*tensor.Tensor
}

// Verified is the extent of the comparison of a device's steps.
type Verified struct {
	device.Evidence
	Tiles int
}

// OK reports whether there is no fault, and each device with steps has a finite value to show for it.
func (v *Verdict) OK() bool {
	seen := func(d *Verified) bool { return d.Compared > 0 || d.Tiles == 0 }
	return len(v.Faults) == 0 && seen(&v.PIM) && seen(&v.GPU) && v.PIM.Tiles+v.GPU.Tiles > 0
}

// Fault is a step whose values are wrong.
type Fault struct {
	graph.Cut
	Device string
	Index  []int // of the first wrong element
	Why    Why
	Wrong  int64 // elements
	device.Deviation
}

// Why says what is wrong with a step.
type Why string

// The kinds of faults.
const (
	BeyondBound Why = "differs by more than the bound of its arithmetic"
	NotEqual    Why = "differs from the graph's"
	Epilogue    Why = "differs from the epilogue of its own sum"
	NotMade     Why = "is made by no tile, or by a wrong one"
)

// Counted is a value with an extent that depends on data, which the program's own values make another than it is.
type Counted struct {
	Node  graph.ID
	Count int
}

// Inexact is a PIM step that could not be compared to the bit: some partial sum of its whole numbers
// is beyond those that the device's format holds.
type Inexact struct {
	graph.Cut
	Values int64 // that differ, within the bound
}

// LayerError is the difference of an operation's value from its definition by the graph, in
// float32 or the type of the model.
type LayerError struct {
	Node  graph.ID
	Own   Diff            // computed from exact inputs: the error of this operation alone; zero if none of it is on the PIM
	Total Diff            // computed in the program: the error accumulated up to here
	Range device.Overruns // of its PIM part, computed from exact inputs
}

// Verify executes a program as Eval does and, beside it, each step from exact inputs: those values of
// the graph by definition that steps before it have made. What a step makes of them must be within
// the bound of its device's arithmetic (device.Judge), or equal to the definition where the device
// has no bound. Inputs are those of Eval.
func Verify(ctx context.Context, p *program.Program, inputs []*tensor.Tensor, progress Progress) (*Verdict, error) {
	v, err := newVerifier(p, inputs)
	if err != nil {
		return nil, err
	}
	if v.actual, err = newValues(p.Graph, inputs); err != nil {
		return nil, err
	}
	v.actual.expectSteps(p)
	if err := execute(ctx, p, progress, v.step); err != nil {
		return nil, err
	}
	return v.verdict(), nil
}

// verifier executes steps from exact inputs.
type verifier struct {
	p      *program.Program
	g      *graph.Graph
	actual *values   // of the program executed as it is; nil: it is not
	draw   *integers // replaces constants and values; nil: they stay
	nodes  []verified

	mu     sync.Mutex
	out    Verdict
	faults map[*program.Step]*Fault
}

// verified is the state of a value.
type verified struct {
	once    sync.Once
	defined *tensor.Tensor // by the graph
	shown   *tensor.Tensor // what the operations after it read: defined, unless that is replaced
	seen    *tensor.Tensor // of shown, the boxes that steps have made; else NaN; nil: none is made, and none was asked for
	uses    int            // unfinished: definitions of its readers, their steps, its own steps
	tiles   int            // its own steps
	steps   int            // of these, unfinished
	whole   bool           // all is made, and seen has the values of shown
	same    bool           // all is made, and equal to what the program executed as it is has made
	errs    LayerError
}

func newVerifier(p *program.Program, inputs []*tensor.Tensor) (*verifier, error) {
	g := p.Graph
	if _, err := newValues(g, inputs); err != nil {
		return nil, err
	}
	v := &verifier{p: p, g: g, nodes: make([]verified, len(g.Nodes)), faults: map[*program.Step]*Fault{}}
	for i := range g.Nodes {
		nd := &g.Nodes[i]
		v.nodes[i].errs.Node = nd.ID
		if nd.Const != nil {
			v.show(nd.ID, nd.Const)
		}
		if nd.Op != nil {
			for _, x := range nd.In {
				v.nodes[x].uses++
			}
		}
	}
	for i, id := range g.Inputs {
		v.show(id, inputs[i])
	}
	for _, o := range g.Outputs {
		v.nodes[o.ID].uses++
	}
	for _, s := range p.Steps {
		n := &v.nodes[s.Node]
		n.tiles, n.steps, n.uses = n.tiles+1, n.steps+1, n.uses+1
		for _, x := range g.Nodes[s.Node].In {
			v.nodes[x].uses++
		}
	}
	return v, nil
}

// show sets a value that no step makes.
func (v *verifier) show(id graph.ID, t *tensor.Tensor) {
	n := &v.nodes[id]
	n.once.Do(func() { n.defined, n.shown, n.seen, n.whole, n.same = t, t, t, true, true })
	n.uses++
}

// define returns the value of a node by definition, computed on first use.
func (v *verifier) define(id graph.ID) *verified {
	n := &v.nodes[id]
	n.once.Do(func() {
		nd := &v.g.Nodes[id]
		in := make([]*tensor.Tensor, len(nd.In))
		for i, x := range nd.In {
			in[i] = v.define(x).shown
		}
		t := tensor.New(nd.Type, nd.Shape)
		v.g.Eval(v.g.Whole(id), in, t)
		n.defined, n.shown = t, t
		if v.draw != nil && nd.Type.Float() {
			n.shown = v.draw.value(nd)
		}
		v.mu.Lock()
		defer v.mu.Unlock()
		for _, x := range nd.In {
			v.nodes[x].release()
		}
	})
	return n
}

// made is what steps have made of a value.
func (v *verifier) made(id graph.ID) *tensor.Tensor {
	n := &v.nodes[id]
	if n.seen == nil {
		n.seen = nothing(&v.g.Nodes[id])
	}
	return n.seen
}

// nothing is the value of a node of which nothing is made.
func nothing(nd *graph.Node) *tensor.Tensor {
	t := tensor.New(nd.Type, nd.Shape)
	if nd.Type.Float() {
		y := t.Floats()
		for i := range y {
			y[i] = float32(math.NaN())
		}
		return t
	}
	y := t.Ints()
	for i := range y {
		y[i] = math.MinInt64
	}
	return t
}

// release ends a use of a value.
func (n *verified) release() {
	if n.uses--; n.uses == 0 {
		n.defined, n.shown, n.seen = nil, nil, nil
	}
}

// step executes a step, from what was made before it and from exact inputs. Where both are the same,
// what it makes of the one is what it makes of the other.
func (v *verifier) step(s *program.Step) error {
	n, nd := v.define(s.Node), &v.g.Nodes[s.Node]
	in, exact, same, whole := make([]*tensor.Tensor, len(nd.In)), make([]*tensor.Tensor, len(nd.In)), true, true
	v.mu.Lock()
	for i, x := range nd.In {
		in[i], exact[i], same = v.made(x), v.nodes[x].shown, same && v.nodes[x].same
		whole = whole && v.nodes[x].whole
	}
	if whole && n.tiles == 1 && defines(s, nd) {
		n.seen, n.whole = n.shown, true
	} else {
		v.made(s.Node)
	}
	v.mu.Unlock()
	var also *device.Evaluation // as the program is executed
	var actual *tensor.Tensor
	if v.actual != nil {
		in, dst := v.actual.open(s.Node)
		defer v.actual.close(s.Node)
		if err := v.g.Within(graph.Cut{Node: s.Node, Box: s.Box}, in); err != nil {
			return err
		}
		if nd.Counted() && !same {
			if k := nd.Op.Count(nd.Attrs, in[:nd.Operands()]); k != nd.Attrs.Int("size") {
				v.counted(Counted{s.Node, k})
			}
		}
		if actual = dst; !same {
			also = &device.Evaluation{In: in, Dst: dst}
		}
	}
	if err := v.compare(s, n, in, exact, also); err != nil {
		return err
	}
	if actual != nil && same {
		assign(actual, n.seen, s.Box)
	}
	if !n.whole {
		assign(n.seen, n.shown, s.Box)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if n.steps--; n.steps == 0 {
		if !n.whole {
			if j := equal(n.seen, n.shown, tensor.Full(nd.Shape)); j.Wrong > 0 {
				v.fault(s, NotMade, j)
			} else {
				n.seen, n.whole = n.shown, true // a copy less
			}
		}
		if actual != nil {
			n.errs.Total = compare(n.defined, actual)
			n.same = n.errs.Total.MaxAbs == 0 && equal(actual, n.defined, tensor.Full(nd.Shape)).Wrong == 0
		}
	}
	n.release()
	for _, x := range nd.In {
		v.nodes[x].release()
	}
	return nil
}

// defines reports whether a step computes its node by definition, and all of it: from whole inputs its values are those of define,
// which is the same call.
func defines(s *program.Step, nd *graph.Node) bool {
	d, ok := s.Code.(device.Definer)
	if !ok {
		return false
	}
	cut := d.Definition()
	return cut.Node == s.Node && cut.Box.Equal(s.Box) && s.Box.Equal(tensor.Full(nd.Shape))
}

func (v *verifier) counted(c Counted) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.out.Counted = append(v.out.Counted, c)
}

// compare executes a step from exact inputs, and from those of another evaluation unless it is nil, and compares what it makes
// of the exact ones.
func (v *verifier) compare(s *program.Step, n *verified, in, exact []*tensor.Tensor, also *device.Evaluation) error {
	code, bounded := s.Code.(device.Judge)
	if !bounded {
		got := n.defined // by the same call
		if !n.whole {
			got = n.seen
			if err := s.Code.Eval(in, got); err != nil {
				return err
			}
		}
		v.judged(s, n, NotEqual, equal(got, n.defined, s.Box))
		if also != nil {
			return s.Code.Eval(also.In, also.Dst)
		}
		return nil
	}
	sums := code.NewSums()
	sets := []device.Evaluation{{In: in, Dst: n.seen, Sums: sums}}
	if also != nil {
		sets = append(sets, *also)
	}
	if err := code.EvalSums(sets...); err != nil {
		return err
	}
	v.judged(s, n, BeyondBound, code.Judge(exact, sums))
	if v.draw != nil {
		want := tensor.New(n.seen.Type, n.seen.Shape)
		assign(want, n.defined, s.Box)
		code.Deliver(want)
		if j := equal(n.seen, want, s.Box); j.Wrong > 0 {
			v.mu.Lock()
			v.out.Inexact = append(v.out.Inexact, Inexact{s.Cut, j.Wrong})
			v.mu.Unlock()
		}
	}
	finished := sums
	if sums.Type != n.seen.Type || v.g.Nodes[s.Node].Op.Real != "" {
		finished = tensor.New(n.seen.Type, n.seen.Shape)
	}
	v.g.FinishSums(s.Cut, exact, sums, finished)
	code.Deliver(finished)
	if j := equal(n.seen, finished, s.Box); j.Wrong > 0 {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.fault(s, Epilogue, j)
	}
	return nil
}

// judged records the judgement of a step.
func (v *verifier) judged(s *program.Step, n *verified, why Why, j device.Judgement) {
	own := Diff{}
	if s.Device == plan.PIM {
		own = compareBox(n.defined, n.seen, s.Box)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	to := &v.out.GPU
	if s.Device == plan.PIM {
		to = &v.out.PIM
		n.errs.Own.merge(own)
	}
	to.Tiles++
	to.Add(j.Evidence)
	n.errs.Range.Add(j.Range)
	if j.Wrong > 0 {
		v.fault(s, why, j)
	}
}

// fault records the first fault of a step.
func (v *verifier) fault(s *program.Step, why Why, j device.Judgement) {
	if v.faults[s] == nil {
		v.faults[s] = &Fault{s.Cut, s.Device, indices(v.g.Nodes[s.Node].Shape, j.First.At), why, j.Wrong, *j.First}
	}
}

func (v *verifier) verdict() *Verdict {
	for i := range v.p.Steps {
		if f := v.faults[&v.p.Steps[i]]; f != nil {
			v.out.Faults = append(v.out.Faults, *f)
			v.out.Inexact = slices.DeleteFunc(v.out.Inexact, func(x Inexact) bool { return x.Node == f.Node && x.Box.Equal(f.Box) })
		}
	}
	if v.actual != nil {
		v.out.Outputs = v.actual.outputs()
		for _, o := range v.g.Outputs {
			v.out.Defined = append(v.out.Defined, v.define(o.ID).defined)
		}
	}
	for i := range v.g.Nodes {
		if nd := &v.g.Nodes[i]; nd.Op != nil && nd.Shape.Size() > 0 {
			n := &v.nodes[i]
			n.errs.Own.relate(n.errs.Total)
			v.out.Layers = append(v.out.Layers, n.errs)
		}
	}
	sortInexact(v.out.Inexact)
	return &v.out
}

// indices are those of an element in each dimension.
func indices(s tensor.Shape, at int) []int {
	index := make([]int, len(s))
	for d, step := range s.Strides() {
		index[d] = at / step % s[d]
	}
	return index
}

// assign copies a box.
func assign(to, from *tensor.Tensor, box tensor.Box) {
	box.Runs(to.Shape, func(off, n int) {
		if to.Type.Float() {
			copy(to.Floats()[off:off+n], from.Floats()[off:])
		} else {
			copy(to.Ints()[off:off+n], from.Ints()[off:])
		}
	})
}
