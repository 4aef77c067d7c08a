package device

import (
	"math"

	"pimflow/internal/graph"
	"pimflow/internal/tensor"
)

// Judge is Code that knows the bound of its own arithmetic.
type Judge interface {
	// EvalSums is Eval of each set of inputs, with the values before the epilogue. Commands are followed once for all sets, if
	// the operands but the first are the same tensors in all of them.
	EvalSums(sets ...Evaluation) error
	// NewSums is a tensor for those values (graph.Graph.FinishSums).
	NewSums() *tensor.Tensor
	// Deliver rounds the cut's box of finished values as the device does before others read them.
	Deliver(t *tensor.Tensor)
	// Judge holds the values before the epilogue against those that the operator defines, computed
	// from operands in the device's format.
	Judge(in []*tensor.Tensor, sums *tensor.Tensor) Judgement
}

// Definer is Code that computes a cut by definition: its Eval is graph.Graph.Eval of that cut.
type Definer interface {
	Definition() graph.Cut
}

// Evaluation is a set of inputs of code, and the tensors, of the whole value, of which the cut's box is written.
type Evaluation struct {
	In   []*tensor.Tensor
	Dst  *tensor.Tensor
	Sums *tensor.Tensor // the values before the epilogue (Judge.NewSums); nil: they are not wanted
}

// Judgement is the comparison of values with those wanted.
type Judgement struct {
	Evidence
	Wrong int64      // values further from the wanted ones than their bound
	First *Deviation // the first of them, row by row; nil: none
	Range Overruns
}

// Compare adds the comparison of an element. NaN is not compared, and infinity is wanted to be itself.
func (j *Judgement) Compare(at int, got, want, bound float64) {
	switch {
	case math.IsNaN(want):
		j.NotFinite++
		return
	case math.IsInf(want, 0):
		j.NotFinite++
	default:
		j.Compared++
	}
	if want == 0 {
		j.Zero++
	}
	if got == want || math.Abs(got-want) <= bound || math.IsInf(bound, 1) {
		return
	}
	j.Wrong++
	if j.First == nil || at < j.First.At {
		j.First = &Deviation{at, got, want, bound}
	}
}

// Merge adds the judgement of other elements.
func (j *Judgement) Merge(o Judgement) {
	j.Add(o.Evidence)
	j.Range.Add(o.Range)
	j.Wrong += o.Wrong
	if o.First != nil && (j.First == nil || o.First.At < j.First.At) {
		j.First = o.First
	}
}

// Evidence is the extent of a comparison. Values that are not finite where they are wanted so are not
// compared.
type Evidence struct {
	Compared, NotFinite int64
	Zero                int64 // of Compared, wanted to be 0
}

// Add adds the extent of another comparison.
func (e *Evidence) Add(o Evidence) {
	e.Compared, e.NotFinite, e.Zero = e.Compared+o.Compared, e.NotFinite+o.NotFinite, e.Zero+o.Zero
}

// Deviation is a value that is not as wanted.
type Deviation struct {
	At                 int // element of the whole value
	Got, Wanted, Bound float64
}

// Overruns counts values that a device's format cannot hold.
type Overruns struct{ Inputs, Weights, Results Overrun }

// Overrun counts finite values that become infinite, and values other than 0 that become 0, of so many.
type Overrun struct{ Over, Under, Of int64 }

// Any reports whether there is such a value.
func (o *Overruns) Any() bool {
	return o.Inputs.Over|o.Inputs.Under|o.Weights.Over|o.Weights.Under|o.Results.Over|o.Results.Under != 0
}

// Add adds other counts.
func (o *Overruns) Add(p Overruns) {
	for _, x := range [...]struct {
		to *Overrun
		of Overrun
	}{{&o.Inputs, p.Inputs}, {&o.Weights, p.Weights}, {&o.Results, p.Results}} {
		x.to.Over, x.to.Under, x.to.Of = x.to.Over+x.of.Over, x.to.Under+x.of.Under, x.to.Of+x.of.Of
	}
}
