package op

import (
	"fmt"

	"pimflow/internal/tensor"
)

// tables lists every operator, grouped as the files of this package are.
var tables = [][]Op{
	unaryOps, binaryOps, logicOps, convOps, gemmOps, poolOps, normOps, softmaxOps, reduceOps, layoutOps, blockOps, resizeOps,
	pickOps, scatterOps, alongOps, bitOps,
	quantizeOps, passedOps, integerOps,
	sampleOps, unpoolOps,
	countedOps, sizedOps, nmsOps, uniqueOps,
	detOps, recurrentOps,
}

// byName indexes the table. The rows in it do what all operators have in common:
// a value has a size that can be counted, an empty box needs nothing and is no
// work, and values are rounded to their type.
var byName = func() map[string]*Op {
	m := make(map[string]*Op)
	for _, t := range tables {
		for i := range t {
			m[t[i].Name] = guarded(&t[i])
		}
	}
	return m
}()

func guarded(row *Op) *Op {
	o := *row
	o.Shape = func(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
		s, err := row.Shape(a, in)
		if err == nil && !countable(s) {
			return nil, fmt.Errorf("a value of %v: extents of 0 or more, and at most %d numbers, wanted", s, maxSize)
		}
		return s, err
	}
	if need := row.Need; need != nil {
		o.Need = func(a Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
			if !out.Empty() {
				return need(a, in, out)
			}
			none := make([]tensor.Box, len(in))
			for i, s := range in {
				none[i] = make(tensor.Box, len(s))
			}
			return none
		}
	}
	if macs := row.MACs; macs != nil {
		o.MACs = func(a Attrs, in []tensor.Shape, out tensor.Box) int64 {
			if out.Empty() {
				return 0
			}
			return macs(a, in, out)
		}
	}
	o.Eval = func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
		if !out.Empty() {
			row.Eval(a, in, dst, out)
			narrow(dst, out)
		}
	}
	return &o
}

// maxSize is the largest number of values of one tensor, beyond any memory.
const maxSize = 1 << 40

// countable reports whether s is a shape of at most maxSize values.
func countable(s tensor.Shape) bool {
	n := 1
	for _, d := range s {
		if d < 0 || d > maxSize/max(n, 1) {
			return false
		}
		n *= d
	}
	return true
}

// narrow makes every value of the box out of t one that t's type can hold.
func narrow(t *tensor.Tensor, out tensor.Box) {
	switch t.Type {
	case tensor.Float16, tensor.BFloat16:
		y := t.Floats()
		EachRun(out, t.Shape, func(off, n int) { tensor.RoundAll(t.Type, y[off:off+n], y[off:]) })
	case tensor.Int32, tensor.Int8, tensor.Uint8:
		y := t.Ints()
		out.Runs(t.Shape, func(off, n int) {
			for i := off; i < off+n; i++ {
				y[i] = tensor.Wrap(t.Type, y[i])
			}
		})
	}
}
