package run

import (
	"cmp"
	"math"
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/tensor"
)

// at returns a value of a tensor as a float64.
func at(t *tensor.Tensor) func(i int) float64 {
	if t.Type.Float() {
		y := t.Floats()
		return func(i int) float64 { return float64(y[i]) }
	}
	y := t.Ints()
	return func(i int) float64 { return float64(y[i]) }
}

// equal compares the values of a box to the bit; zeros of both signs are equal.
func equal(got, want *tensor.Tensor, box tensor.Box) (j device.Judgement) {
	g, w := at(got), at(want)
	differ := func(i int) {
		x, y := g(i), w(i)
		j.Compare(i, x, y, 0)
		if (math.IsNaN(y) && !math.IsNaN(x)) || (math.IsInf(y, 0) && x != y) {
			j.Wrong++
			if j.First == nil {
				j.First = &device.Deviation{At: i, Got: x, Wanted: y}
			}
		}
	}
	box.Runs(want.Shape, func(off, n int) {
		if !want.Type.Float() {
			for i := off; i < off+n; i++ {
				differ(i)
			}
			return
		}
		var same, zero int64
		ws := want.Floats()[off : off+n]
		for i, v := range got.Floats()[off : off+n] {
			if v == ws[i] && v-v == 0 { // nearly all
				same, zero = same+1, zero+isZero(float64(v))
			} else {
				differ(off + i)
			}
		}
		j.Compared, j.Zero = j.Compared+same, j.Zero+zero
	})
	return j
}

// isZero is 1 for zeros of both signs and 0 for other numbers, without a jump: about half of all values are 0.
func isZero(x float64) int64 { return int64((math.Float64bits(x)&^(1<<63) - 1) >> 63) }

// Diff is the difference of a value from its reference.
type Diff struct {
	device.Evidence         // values that are finite on both sides are compared
	Changed         int64   // values that differ, of a type that is no floating one
	MaxAbs          float64 // largest absolute difference of the values compared
	MaxRel          float64 // MaxAbs over the largest magnitude of the reference; of integers, the share of those that differ
	Lost            int64   // values that are finite in the reference alone
	Vanished        int64   // values that are 0, and not in the reference, of a floating type
	top             float64 // the largest magnitude
	whole           bool    // the type is no floating one
}

// Compare compares the outputs of a graph with reference values.
func Compare(want, got []*tensor.Tensor) []Diff {
	out := make([]Diff, len(want))
	for i := range want {
		out[i] = compare(want[i], got[i])
	}
	return out
}

func compare(want, got *tensor.Tensor) Diff {
	return compareBox(want, got, tensor.Full(want.Shape))
}

func compareBox(want, got *tensor.Tensor, box tensor.Box) (d Diff) {
	d.whole = !want.Type.Float()
	box.Runs(want.Shape, func(off, n int) {
		if d.whole {
			compareRun(&d, want.Ints()[off:off+n], got.Ints()[off:off+n])
		} else {
			compareRun(&d, want.Floats()[off:off+n], got.Floats()[off:off+n])
		}
	})
	d.relate(d)
	return d
}

func compareRun[T float32 | int64](to *Diff, want, got []T) {
	d, vanished := *to, int64(0) // in registers
	for i, v := range got[:len(want)] {
		x, y := float64(want[i]), float64(v)
		if x-x != 0 || y-y != 0 {
			d.NotFinite++
			if x-x == 0 {
				d.Lost++
			}
			continue
		}
		d.Compared, d.Zero = d.Compared+1, d.Zero+isZero(x)
		if x != y && d.whole {
			d.Changed++
		}
		vanished += isZero(y) &^ isZero(x)
		if off := math.Abs(x - y); off > d.MaxAbs {
			d.MaxAbs = off
		}
		if size := math.Abs(x); size > d.top {
			d.top = size
		}
	}
	if !d.whole {
		d.Vanished += vanished
	}
	*to = d
}

// relate sets MaxRel by the largest magnitude of the reference, which another comparison knows.
func (d *Diff) relate(to Diff) {
	d.top = max(d.top, to.top)
	if d.whole && d.Compared > 0 {
		d.MaxRel = float64(d.Changed) / float64(d.Compared)
	} else if d.MaxAbs > 0 {
		d.MaxRel = min(d.MaxAbs/max(d.top, math.SmallestNonzeroFloat64), math.MaxFloat64)
	}
}

// merge adds the comparison of other values of the same tensor.
func (d *Diff) merge(o Diff) {
	d.whole = o.whole
	d.Add(o.Evidence)
	d.Changed, d.Lost, d.Vanished, d.MaxAbs = d.Changed+o.Changed, d.Lost+o.Lost, d.Vanished+o.Vanished, max(d.MaxAbs, o.MaxAbs)
	d.relate(o)
}

func sortInexact(list []Inexact) {
	slices.SortFunc(list, func(a, b Inexact) int {
		return cmp.Or(cmp.Compare(a.Node, b.Node), slices.CompareFunc(a.Box, b.Box, func(x, y tensor.Range) int { return cmp.Compare(x.Lo, y.Lo) }))
	})
}

// tolerances are the differences that are accepted between two orders of the same sums,
// relative to the largest magnitude of the output, by the type that values are rounded to.
// Estimated: a few hundred roundings of float32 sums, 2^-24 each, through the depth of a CNN;
// or 8 roundings of values to 11 or 8 bits, in which folded weights and fused layers differ.
var tolerances = map[tensor.Type]float64{
	tensor.Float32:  1e-4,
	tensor.Float64:  1e-4, // held as float32
	tensor.Float16:  8 * 0x1p-11,
	tensor.BFloat16: 8 * 0x1p-8,
}

// tolerance follows from the coarsest type of a graph.
func tolerance(g *graph.Graph) float64 {
	most := tolerances[tensor.Float32]
	for i := range g.Nodes {
		most = max(most, tolerances[g.Nodes[i].Type])
	}
	return most
}
