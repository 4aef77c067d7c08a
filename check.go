package pimflow

import (
	"context"

	"pimflow/internal/device"
	"pimflow/internal/pim"
	"pimflow/internal/run"
	"pimflow/internal/tensor"
)

// Check compares a plan's outputs with the model's.
type Check struct {
	OK      bool          `json:"ok"` // every output is, and the replay
	MaxAbs  float64       `json:"max_abs"`
	MaxRel  float64       `json:"max_rel"` // relative to the output's largest magnitude
	Outputs []OutputCheck `json:"outputs"` // nil where the replay failed
	// Replay counts the commands of the PIM's streams that were checked without values.
	Replay struct {
		OK       bool   `json:"ok"`
		Streams  int    `json:"streams"`
		Commands int64  `json:"commands"`
		Timed    int64  `json:"timed"`           // of Commands, also held against the DRAM's rules of time
		Error    string `json:"error,omitempty"` // the first that is wrong
	} `json:"replay"`

	Tolerance float64      `json:"-"` // the largest MaxRel that is accepted, by the formats of the model and of the PIM
	Layers    []LayerError `json:"-"` // of each layer of the report
	Values    []Tensor     `json:"-"` // the plan's outputs
}

// OutputCheck is the check of one output.
type OutputCheck struct {
	Name   string  `json:"name"`
	OK     bool    `json:"ok"`
	MaxAbs float64 `json:"max_abs"`
	MaxRel float64 `json:"max_rel"`
}

// Run executes a plan, PIM layers by their command streams, and returns the model's outputs in
// order. Inputs that are not given are seeded noise.
func (s *Session) Run(ctx context.Context, p *Plan, inputs ...Tensor) (_ []Tensor, err error) {
	defer s.whole(&err)
	p, values, err := s.prepare(p, inputs)
	if err != nil {
		return nil, err
	}
	got, err := run.Eval(ctx, p.result.Timeline.Program, values, s.phase("execute the plan"))
	if err != nil {
		return nil, err
	}
	return s.outputs(got), nil
}

// Check replays the plan's command streams, executes the model as it was read and the plan, and
// compares their outputs. A difference is no error: OK is false. If the replay fails, nothing is
// executed. Inputs are those of Run.
func (s *Session) Check(ctx context.Context, p *Plan, inputs ...Tensor) (_ *Check, err error) {
	defer s.whole(&err)
	p, values, err := s.prepare(p, inputs)
	if err != nil {
		return nil, err
	}
	c := &Check{Tolerance: s.tolerance()}
	program := p.result.Timeline.Program
	// First: executing a stream that is wrong may end in a panic.
	replayed, err := run.Replay(ctx, program, s.phase("replay the streams"))
	if err != nil {
		c.Replay.Error = err.Error()
		return c, ctx.Err()
	}
	c.replayed(replayed)
	got, errs, err := run.EvalLayers(ctx, program, values, s.phase("execute the plan"))
	if err != nil {
		return nil, err
	}
	want, err := run.Reference(ctx, s.model, values, s.phase("execute the graph"))
	if err != nil {
		return nil, err
	}
	c.compared(run.Compare(s.model, want, got, c.Tolerance))
	for _, e := range errs {
		c.Layers = append(c.Layers, LayerError{e.Own.MaxAbs, e.Own.MaxRel, e.Total.MaxAbs, e.Total.MaxRel})
	}
	c.Values = s.outputs(got)
	return c, nil
}

func (c *Check) replayed(r device.Replay) {
	c.Replay.OK, c.Replay.Streams, c.Replay.Commands, c.Replay.Timed = true, r.Streams, r.Commands, r.Timed
}

func (c *Check) compared(diffs []run.Diff) {
	c.OK = true
	for _, d := range diffs {
		c.OK = c.OK && d.OK
		c.MaxAbs, c.MaxRel = max(c.MaxAbs, d.MaxAbs), max(c.MaxRel, d.MaxRel)
		c.Outputs = append(c.Outputs, OutputCheck{d.Output, d.OK, d.MaxAbs, d.MaxRel})
	}
}

// prepare returns the plan on the session's machine and a value for each input.
func (s *Session) prepare(p *Plan, inputs []Tensor) (*Plan, []*tensor.Tensor, error) {
	p, err := s.own(p)
	if err == nil {
		err = run.Fits(s.model)
	}
	if err != nil {
		return nil, nil, err
	}
	values, err := s.values(inputs)
	return p, values, err
}

func (s *Session) outputs(values []*tensor.Tensor) []Tensor {
	var list []Tensor
	for i, x := range values {
		list = append(list, newTensor(s.graph.Outputs[i].Name, x))
	}
	return list
}

// tolerance returns the accepted difference, by the formats of the model and of the PIM.
func (s *Session) tolerance() float64 {
	format, err := pim.Format(s.machine)
	if err != nil { // the GPU alone does without
		format = tensor.Float32
	}
	return run.Tolerance(s.model, format)
}
