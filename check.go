package pimflow

import (
	"context"
	"fmt"
	"slices"

	"pimflow/internal/budget"
	"pimflow/internal/candidate"
	"pimflow/internal/device"
	"pimflow/internal/fault"
	"pimflow/internal/graph"
	"pimflow/internal/pim"
	"pimflow/internal/program"
	"pimflow/internal/run"
	"pimflow/internal/tensor"
)

// Check says whether a plan is right, and what the PIM's number format costs in its outputs. Only the
// former can fail.
type Check struct {
	OK     bool   `json:"ok"`
	Reason string `json:"reason,omitempty"` // why it is not OK
	Exact  bool   `json:"exact"`            // tiles computed on whole numbers, and equal to the bit
	Whole  bool   `json:"-"`                // the PIM adds integers, which are never rounded: its tiles are wanted to be equal

	PIMTiles   int         `json:"pim_tiles"`
	GPUTiles   int         `json:"gpu_tiles"`
	PIM        Evidence    `json:"pim"` // of its tiles, each computed from exact inputs
	GPU        Evidence    `json:"gpu"`
	Faults     []TileFault `json:"faults,omitempty"`  // tiles with wrong values, in the order of the plan
	Inexact    []string    `json:"inexact,omitempty"` // of an exact check: PIM layers with sums beyond the format's whole numbers, held to their bound instead
	Simplified OutputCheck `json:"simplified"`        // of the simplified graph's outputs from the model's; the largest of all

	// Replay counts the commands of the PIM's streams that were checked without values.
	Replay struct {
		OK       bool   `json:"ok"`
		Streams  int    `json:"streams"`
		Commands int64  `json:"commands"`
		Timed    int64  `json:"timed"`           // of Commands, also held against the DRAM's rules of time
		Accesses int64  `json:"accesses"`        // column accesses of the layers' products, each found once
		Error    string `json:"error,omitempty"` // the first that is wrong
	} `json:"replay"`

	// The plan's outputs beside the model's, for the given inputs; nothing of it can fail. Zero from
	// an exact check.
	MaxAbs  float64       `json:"max_abs"`
	MaxRel  float64       `json:"max_rel"`                // relative to the output's largest magnitude
	Outputs []OutputCheck `json:"outputs"`                // nil where the replay failed
	Lost    []string      `json:"lost_outputs,omitempty"` // outputs with finite values in the model, and none in the plan
	Format  []LayerRange  `json:"format"`                 // PIM layers with values that its number format cannot hold

	MaxError float64  `json:"max_error,omitempty"` // the limit of the outputs' relative errors; 0: none
	GPUOnly  []string `json:"gpu_only,omitempty"`  // layers that were kept off the PIM for it

	simplified []OutputCheck // of each output

	Layers []LayerError `json:"-"` // of each layer of the report
	Values []Tensor     `json:"-"` // the plan's outputs
}

// Evidence counts the values of a comparison.
type Evidence struct {
	Compared  int64 `json:"compared"`
	NotFinite int64 `json:"not_finite"` // beside those compared
	Zero      int64 `json:"zero"`       // of those compared, wanted to be 0
}

// TileFault is the first wrong value of a tile.
type TileFault struct {
	Layer  string  `json:"layer"`
	Device string  `json:"device"`
	Box    string  `json:"box"`
	Index  []int   `json:"index"` // of the value
	Got    number  `json:"got"`
	Wanted number  `json:"wanted"`
	Bound  number  `json:"bound"`  // that the difference is above
	Values int64   `json:"values"` // that are wrong
	Why    run.Why `json:"why"`
}

// String says it in a line.
func (f TileFault) String() string {
	return fmt.Sprintf("layer %.80q, %s%s: %d values wrong: value %v %s: got %.9g, %.9g wanted, bound %.3g",
		f.Layer, f.Device, f.Box, f.Values, f.Index, f.Why, float64(f.Got), float64(f.Wanted), float64(f.Bound))
}

// OutputCheck is the difference of an output from its reference, as far as both are finite. Relative ones
// are relative to the largest magnitude of the reference.
type OutputCheck struct {
	Name string `json:"name,omitempty"` // "": of all outputs, the largest
	Evidence
	MaxAbs  float64 `json:"max_abs"`
	MaxRel  float64 `json:"max_rel"`
	Changed int64   `json:"changed"` // values of integers that differ; MaxRel is then their share
	Lost    int64   `json:"lost"`    // values that are finite in the reference alone

	Vanished int64 `json:"vanished,omitempty"` // values that are 0, and not in the reference
}

// LayerRange counts finite values of a PIM layer that become infinite (over), and values other than 0 that
// become 0 (under), in the PIM's number format: for exact inputs, with scaled weights. Those that several
// tiles read count for each.
type LayerRange struct {
	Layer        string `json:"layer"`
	Inputs       int64  `json:"inputs"`
	InputsOver   int64  `json:"inputs_over"`
	InputsUnder  int64  `json:"inputs_under"`
	Weights      int64  `json:"weights"`
	WeightsOver  int64  `json:"weights_over"`
	WeightsUnder int64  `json:"weights_under"`
	Results      int64  `json:"results"`
	ResultsOver  int64  `json:"results_over"`
	ResultsUnder int64  `json:"results_under"`
}

// LayerError is the difference of a layer's values from those that the graph defines. Relative
// errors are relative to the largest magnitude of the value.
type LayerError struct {
	OwnAbs float64 `json:"own_max_abs"` // of its PIM part, computed from exact inputs
	OwnRel float64 `json:"own_max_rel"`
	Abs    float64 `json:"max_abs"` // with the errors of the layers before
	Rel    float64 `json:"max_rel"`
	Evidence
	absent  bool  // no value of the layer is executed for these inputs
	ownLost int64 // values of its PIM part that are not finite, from exact inputs
}

// Run executes a plan, PIM layers by their command streams, and returns the model's outputs in
// order. Inputs that are not given are seeded noise.
func (s *Session) Run(ctx context.Context, p *Plan, inputs ...Tensor) (_ []Tensor, err error) {
	defer s.whole(&err)
	_, z, values, err := s.prepare(ctx, p, inputs, 1)
	if err != nil {
		return nil, err
	}
	got, err := run.Eval(ctx, z.program, values, s.phase("execute the plan"))
	if err != nil {
		return nil, err
	}
	return s.outputs(got), nil
}

// Check replays the plan's command streams; executes each tile from exact inputs and holds its values to
// the bound of the PIM's arithmetic or, on the GPU, to equality; and executes the model as it was read
// and the plan, and compares their outputs. A difference is no error: OK is false. If the replay fails,
// nothing is executed. Inputs are those of Run.
func (s *Session) Check(ctx context.Context, p *Plan, inputs ...Tensor) (_ *Check, err error) {
	defer s.whole(&err)
	p, z, values, err := s.prepare(ctx, p, inputs, checked)
	if err != nil {
		return nil, err
	}
	c := &Check{}
	if err := c.replay(ctx, s, z.program); err != nil || !c.Replay.OK {
		return c, err
	}
	v, err := run.Verify(ctx, z.program, values, s.phase("execute the plan"))
	if err != nil {
		return nil, err
	}
	if z.want == nil {
		if z.want, err = run.Reference(ctx, z.model, values, s.phase("execute the graph")); err != nil {
			return nil, err
		}
	}
	simple, err := run.CheckSimplified(ctx, z.model, values, z.want, v.Defined)
	if err != nil {
		return nil, err
	}
	c.verified(s, p, z, v)
	format, err := pim.Format(s.machine)
	c.Whole = err == nil && !format.Float()
	c.simplified = make([]OutputCheck, len(simple.Outputs))
	for i, d := range simple.Outputs {
		c.Simplified.add(d)
		c.simplified[i].add(d)
	}
	if c.OK && !simple.OK {
		c.refuse("the simplified graph's outputs differ from the model's by %.3g of the largest", c.Simplified.MaxRel)
	}
	if c.OK && c.Simplified.Compared == 0 && !empty(z.want) {
		c.refuse("no finite value of the outputs was compared")
	}
	c.compared(s, run.Compare(z.want, v.Outputs))
	c.Values = s.outputs(v.Outputs)
	return c, nil
}

// CheckExact replays the plan's command streams and executes each tile on small whole numbers, drawn in
// place of weights and values, whose sums every number format of the machine holds: values must be
// equal to those of the graph.
func (s *Session) CheckExact(ctx context.Context, p *Plan) (_ *Check, err error) {
	defer s.whole(&err)
	p, z, _, err := s.prepare(ctx, p, nil, checked)
	if err != nil {
		return nil, err
	}
	c := &Check{Exact: true}
	if err := c.replay(ctx, s, z.program); err != nil || !c.Replay.OK {
		return c, err
	}
	format, err := pim.Format(s.machine)
	if err != nil { // the GPU alone does without
		format = tensor.Float32
	}
	v, err := run.VerifyExact(ctx, z.program, format, s.phase("execute the plan on whole numbers"))
	if err != nil {
		return nil, err
	}
	c.verified(s, p, z, v)
	return c, nil
}

// refuse says why the check is not OK.
func (c *Check) refuse(format string, a ...any) {
	c.OK, c.Reason = false, fmt.Sprintf(format, a...)
}

// replay fills in the replay. It comes first: executing a stream that is wrong may end in a panic.
func (c *Check) replay(ctx context.Context, s *Session, p *program.Program) error {
	r, err := run.Replay(ctx, p, s.phase("replay the streams"))
	if err != nil {
		c.Replay.Error = err.Error()
		c.refuse("%s", err)
		return ctx.Err()
	}
	c.Replay.OK, c.Replay.Streams, c.Replay.Commands, c.Replay.Timed, c.Replay.Accesses = true, r.Streams, r.Commands, r.Timed, r.Accesses
	return nil
}

// verified fills in what the tiles compute.
func (c *Check) verified(s *Session, p *Plan, z *sized, v *run.Verdict) {
	c.OK = true
	name := func(id graph.ID) string { return z.graph.Nodes[id].Name }
	errs := map[string]LayerError{}
	c.PIMTiles, c.GPUTiles, c.PIM, c.GPU = v.PIM.Tiles, v.GPU.Tiles, newEvidence(v.PIM.Evidence), newEvidence(v.GPU.Evidence)
	for _, f := range v.Faults {
		c.Faults = append(c.Faults, TileFault{name(f.Node), f.Device, f.Box.String(), f.Index, number(f.Got), number(f.Wanted), number(f.Bound), f.Wrong, f.Why})
	}
	for _, x := range v.Inexact {
		if n := name(x.Node); !slices.Contains(c.Inexact, n) {
			c.Inexact = append(c.Inexact, n)
		}
	}
	for _, e := range v.Layers {
		errs[name(e.Node)] = LayerError{OwnAbs: e.Own.MaxAbs, OwnRel: e.Own.MaxRel, Abs: e.Total.MaxAbs, Rel: e.Total.MaxRel, Evidence: newEvidence(e.Total.Evidence), ownLost: e.Own.Lost}
		if r := e.Range; r.Any() && !c.Exact {
			c.Format = append(c.Format, LayerRange{
				name(e.Node), r.Inputs.Of, r.Inputs.Over, r.Inputs.Under, r.Weights.Of, r.Weights.Over, r.Weights.Under, r.Results.Of, r.Results.Over, r.Results.Under,
			})
		}
	}
	for _, id := range candidate.Operations(s.graph) {
		e, known := errs[s.graph.Nodes[id].Name]
		e.absent = !known
		c.Layers = append(c.Layers, e)
	}
	s.planned = map[string]int{}
	for _, n := range v.Counted {
		s.planned[name(n.Node)] = n.Count
	}
	switch {
	case len(c.Faults) > 0:
		c.refuse("%v", c.Faults[0])
	case !v.OK():
		c.refuse("no finite value was compared")
	}
}

func (c *Check) compared(s *Session, diffs []run.Diff) {
	for i, d := range diffs {
		o := OutputCheck{Name: s.model.Outputs[i].Name}
		o.add(d)
		c.MaxAbs, c.MaxRel = max(c.MaxAbs, d.MaxAbs), max(c.MaxRel, d.MaxRel)
		c.Outputs = append(c.Outputs, o)
		if o.Compared == 0 && o.Lost > 0 {
			c.Lost = append(c.Lost, o.Name)
		}
	}
}

func newEvidence(e device.Evidence) Evidence { return Evidence{e.Compared, e.NotFinite, e.Zero} }

// add merges the difference of another value.
func (d *OutputCheck) add(o run.Diff) {
	d.Compared, d.NotFinite, d.Zero = d.Compared+o.Compared, d.NotFinite+o.NotFinite, d.Zero+o.Zero
	d.MaxAbs, d.MaxRel = max(d.MaxAbs, o.MaxAbs), max(d.MaxRel, o.MaxRel)
	d.Changed, d.Lost, d.Vanished = d.Changed+o.Changed, d.Lost+o.Lost, d.Vanished+o.Vanished
}

// checked is how many copies of a value are alive in a check: of the plan, by definition, and as tiles make it.
const checked = 3

// prepare returns the plan on the session's machine, a value for each input, and the model and its program with the extents
// that these give, if memory holds so many copies of all values.
func (s *Session) prepare(ctx context.Context, p *Plan, inputs []Tensor, copies int) (*Plan, *sized, []*tensor.Tensor, error) {
	ctx = budget.With(ctx, s.memory)
	p, err := s.own(p)
	if err != nil {
		return nil, nil, nil, err
	}
	values, err := s.values(inputs)
	if err != nil {
		return nil, nil, nil, err
	}
	z, err := s.sized(ctx, p, values)
	if err == nil {
		if err = run.Fits(ctx, z.model, copies); err != nil {
			err = fmt.Errorf("%s: %w", fault.Name(s.name), err)
		}
	}
	return p, z, values, err
}

// empty reports whether no value has a number.
func empty(values []*tensor.Tensor) bool {
	return !slices.ContainsFunc(values, func(t *tensor.Tensor) bool { return t.Shape.Size() > 0 })
}

func (s *Session) outputs(values []*tensor.Tensor) []Tensor {
	var list []Tensor
	for i, x := range values {
		t := newTensor(s.graph.Outputs[i].Name, x)
		t.Images = s.images(s.graph.Outputs[i].ID)
		list = append(list, t)
	}
	return list
}

// images is the first dimension of a value if it is that of all inputs, else 0. An extent that depends on data is the
// largest there.
func (s *Session) images(id graph.ID) int {
	of := s.graph.Nodes[id].Shape
	if len(of) < 2 {
		return 0
	}
	for _, in := range s.graph.Inputs {
		if x := s.graph.Nodes[in].Shape; len(x) < 2 || x[0] != of[0] {
			return 0
		}
	}
	return of[0]
}
