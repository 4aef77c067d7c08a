package run

import (
	"context"

	"pimflow/internal/graph"
	"pimflow/internal/tensor"
)

// jitter is how far values are moved to see how much outputs depend on their last bits: 8 roundings of
// float32; and a difference is explained by one 64 times smaller (estimated: a rewritten graph rounds
// differently in a few places, a jittered one everywhere by a fixed size).
const (
	jitter    = 0x1p-21
	explained = 64
)

// Where values are rounded to integers of 8 bits, a last bit can move one by a step. So of such values one in
// so many is moved by a step too, which explains a difference that is so many times larger (estimated).
const (
	stepped        = 256
	explainedSteps = 4
)

// Simplified is the comparison of a graph's outputs with those of the model that it was made from.
type Simplified struct {
	Outputs []Diff
	OK      bool
	// Jittered is the comparison of the model's outputs with those that it has when each of its
	// values is moved by 8 roundings; nil where the difference needs no explanation.
	Jittered []Diff
}

// CheckSimplified compares the outputs of a simplified graph with want, those of its model. Folded
// weights round differently, by more than a tolerance where layers cancel each other. Such a difference
// is accepted if the model's own outputs depend as much on the last bits of its values.
func CheckSimplified(ctx context.Context, model *graph.Graph, inputs, want, got []*tensor.Tensor) (*Simplified, error) {
	s := &Simplified{Outputs: Compare(want, got), OK: true}
	most := tolerance(model)
	for i := range s.Outputs {
		s.OK = s.OK && s.Outputs[i].within(most)
	}
	if s.OK {
		return s, nil
	}
	larger := float64(explained)
	seed := uint32(1)
	next := func() uint32 {
		seed = seed*1664525 + 1013904223 // Numerical Recipes
		return seed
	}
	moved, err := reference(ctx, model, inputs, nil, func(id graph.ID, t *tensor.Tensor) {
		if t.Type.Float() {
			y := t.Floats()
			for i, v := range y {
				if by := float32(jitter); next()>>31 == 0 {
					y[i] = v * (1 + by)
				} else {
					y[i] = v * (1 - by)
				}
			}
		} else if model.Nodes[id].Op.Quantizes() {
			larger = explainedSteps
			step(t, next)
		}
	})
	if err != nil {
		return nil, err
	}
	s.OK, s.Jittered = true, Compare(want, moved)
	for i := range s.Outputs {
		d, j := &s.Outputs[i], &s.Jittered[i]
		s.OK = s.OK && (d.within(most) || d.Lost <= explained*j.Lost && d.MaxAbs <= larger*j.MaxAbs && d.Changed <= explained*j.Changed)
	}
	return s, nil
}

// step moves one in some integers of 8 bits by one, the first at least.
func step(t *tensor.Tensor, next func() uint32) {
	for i, v := range t.Ints() {
		if n := next(); i == 0 || n>>16%stepped == 0 {
			if v += 1 - 2*int64(n>>31); tensor.Wrap(t.Type, v) == v {
				t.Ints()[i] = v
			}
		}
	}
}

// within reports whether a difference is at most a tolerance, relative to the largest magnitude.
func (d *Diff) within(tolerance float64) bool {
	return d.Lost == 0 && d.Changed == 0 && d.MaxRel <= tolerance
}
