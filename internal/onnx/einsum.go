package onnx

import (
	"slices"
	"strings"

	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// term is an operand of an Einsum: a value with a label for each dimension. Labels of
// the dimensions behind an ellipsis are numbers, counted from the last.
type term struct {
	v      *value
	labels []rune
}

// einsum lowers Einsum: diagonals by Slice, sums by ReduceSum, and products of two
// terms, from the left, by MatMul where something is summed, else by Mul.
func einsum(n *node) []*value {
	equation := strings.ReplaceAll(n.str("equation", ""), " ", "")
	left, right, explicit := strings.Cut(equation, "->")
	spelled := strings.Split(left, ",")
	if len(spelled) > maxTerms {
		n.fail("equation of %d terms: at most %d wanted", len(spelled), maxTerms)
	}
	n.arity(len(spelled), len(spelled))
	var terms []term
	extent := map[rune]int{}
	count := map[rune]int{}
	ellipsis := 0 // dimensions behind it
	for i, x := range n.all() {
		t := term{x, n.labels(spelled[i], len(x.shape))}
		for d, l := range t.labels {
			count[l]++
			if l < ellipsisEnd {
				ellipsis = max(ellipsis, int(l)+1)
			}
			first := slices.Index(t.labels, l)
			switch e, has := x.shape[d], count[l] > 1; {
			case e != x.shape[first]:
				n.fail("equation %.80q: extents %d and %d of one dimension", equation, x.shape[first], e)
			case !has || extent[l] == 1:
				extent[l] = e
			case e != 1 && e != extent[l]:
				n.fail("equation %.80q: extents %d and %d of one dimension", equation, extent[l], e)
			}
		}
		terms = append(terms, t)
	}
	var result []rune
	if explicit {
		if !strings.Contains(right, "...") {
			ellipsis = 0
		}
		result = n.labels(right, len(strings.Replace(right, "...", "", 1))+ellipsis)
	} else { // the ellipsis, and every label that is there once
		for l := range count {
			if l < ellipsisEnd || count[l] == 1 {
				result = append(result, l)
			}
		}
		slices.SortFunc(result, func(a, b rune) int {
			if a < ellipsisEnd && b < ellipsisEnd {
				return int(b - a)
			}
			return int(a - b)
		})
	}
	for i, l := range result {
		if count[l] == 0 || slices.Contains(result[:i], l) {
			n.fail("equation %.80q: each dimension of the value once, and in an input, wanted", equation)
		}
	}
	acc := term{}
	for i := range terms {
		t := n.diagonals(terms[i], extent)
		later := slices.Clone(result)
		for _, u := range terms[i+1:] {
			later = append(later, u.labels...)
		}
		if i == 0 {
			acc = n.summed(t, later)
			continue
		}
		acc = n.summed(acc, append(slices.Clone(later), t.labels...))
		acc = n.product(acc, n.summed(t, append(slices.Clone(later), acc.labels...)), later)
	}
	return n.arranged(acc, result, extent)
}

// maxTerms bounds the terms of an equation, since every term is compared with those after it. Estimated: models have 2.
const maxTerms = 64

// ellipsisEnd is above all labels of the dimensions behind an ellipsis.
const ellipsisEnd = 'A'

// labels reads the labels of an operand or value of the given rank.
func (n *node) labels(s string, rank int) []rune {
	before, after, open := strings.Cut(s, "...")
	var out []rune
	for _, l := range before {
		out = append(out, l)
	}
	hidden := rank - len(before) - len(after)
	if hidden < 0 || hidden > 0 && !open || hidden >= ellipsisEnd {
		n.fail("equation %.80q: %.80q of %d dimensions", n.str("equation", ""), s, rank)
	}
	for d := range hidden {
		out = append(out, rune(hidden-1-d))
	}
	for _, l := range after {
		out = append(out, l)
	}
	for _, l := range before + after {
		if l < 'A' || l > 'Z' && l < 'a' || l > 'z' {
			n.fail("equation %.80q: letters, commas, one ellipsis a term and -> wanted", n.str("equation", ""))
		}
	}
	return out
}

// transposed puts the dimensions of a term in an order.
func (n *node) transposed(t term, order []rune) term {
	if slices.Equal(t.labels, order) {
		return t
	}
	perm := []int64{}
	for _, l := range order {
		perm = append(perm, int64(slices.Index(t.labels, l)))
	}
	return term{n.sub("Transpose", op.Attrs{"perm": perm}, t.v), order}
}

// shaped is v in another shape.
func (n *node) shaped(v *value, s tensor.Shape) *value {
	if v.shape.Equal(s) {
		return v
	}
	return n.via(v, s)
}

// diagonals leaves each label of a term once, and drops the dimensions of one value
// that others have more of.
func (n *node) diagonals(t term, extent map[rune]int) term {
	var s tensor.Shape
	var labels []rune
	for d, l := range t.labels {
		if e := t.v.shape[d]; e != 1 || extent[l] == 1 {
			s, labels = append(s, e), append(labels, l)
		}
	}
	t = term{n.shaped(t.v, s), labels}
	for i := 0; i < len(t.labels); i++ {
		l := t.labels[i]
		j := slices.Index(t.labels[i+1:], l)
		if j < 0 {
			continue
		}
		j += i + 1
		// Both dimensions last and as one, of which every n+1st value is on the diagonal.
		rank, e := len(t.labels), t.v.shape[i]
		perm, rest, s := []int64{}, []rune{}, tensor.Shape{}
		for d := range rank {
			if d != i && d != j {
				perm, rest, s = append(perm, int64(d)), append(rest, t.labels[d]), append(s, t.v.shape[d])
			}
		}
		v := t.v
		if j != rank-1 || i != rank-2 {
			v = n.sub("Transpose", op.Attrs{"perm": append(perm, int64(i), int64(j))}, v)
		}
		v = n.shaped(v, append(s, e*e))
		v = n.sub("Slice", op.Attrs{"starts": []int64{0}, "ends": []int64{int64(e * e)}, "axes": []int64{int64(rank - 2)}, "steps": []int64{int64(e + 1)}}, v)
		t, i = term{v, append(rest, l)}, -1
	}
	return t
}

// summed sums the dimensions whose labels nothing reads later.
func (n *node) summed(t term, later []rune) term {
	axes, labels := []int64{}, []rune{}
	for d, l := range t.labels {
		if slices.Contains(later, l) {
			labels = append(labels, l)
		} else {
			axes = append(axes, int64(d))
		}
	}
	if len(axes) == 0 {
		return t
	}
	return term{n.sub("ReduceSum", op.Attrs{"axes": axes, "keepdims": int64(0)}, t.v), labels}
}

// product multiplies two terms, and sums what both have and nothing reads later.
func (n *node) product(a, b term, later []rune) term {
	var both, left, inner, right []rune
	for _, l := range a.labels {
		switch {
		case !slices.Contains(b.labels, l):
			left = append(left, l)
		case slices.Contains(later, l):
			both = append(both, l)
		default:
			inner = append(inner, l)
		}
	}
	for _, l := range b.labels {
		if !slices.Contains(a.labels, l) {
			right = append(right, l)
		}
	}
	a = n.transposed(a, slices.Concat(both, left, inner))
	b = n.transposed(b, slices.Concat(both, inner, right))
	labels := slices.Concat(both, left, right)
	s := append(a.v.shape[:len(both)+len(left)].Clone(), b.v.shape[len(both)+len(inner):]...)
	p, m, k, q := a.v.shape[:len(both)], a.v.shape[len(both):len(both)+len(left)].Size(), b.v.shape[len(both):len(both)+len(inner)].Size(), b.v.shape[len(both)+len(inner):].Size()
	shape := func(dims ...int) tensor.Shape { return append(p.Clone(), dims...) }
	switch {
	case len(inner) == 0:
		return term{n.shaped(n.sub("Mul", nil, n.shaped(a.v, shape(m, 1)), n.shaped(b.v, shape(1, q))), s), labels}
	case a.v.typ.Float():
		return term{n.shaped(n.sub("MatMul", nil, n.shaped(a.v, shape(m, k)), n.shaped(b.v, shape(k, q))), s), labels}
	}
	// MatMul has no integers.
	b = n.transposed(b, slices.Concat(both, right, inner))
	v := n.sub("Mul", nil, n.shaped(a.v, shape(m, 1, k)), n.shaped(b.v, shape(1, q, k)))
	v = n.sub("ReduceSum", op.Attrs{"axes": []int64{int64(len(p) + 2)}, "keepdims": int64(0)}, v)
	return term{n.shaped(v, s), labels}
}

// arranged makes the node's value: the dimensions in the order of the result.
func (n *node) arranged(t term, result []rune, extent map[rune]int) []*value {
	s := tensor.Shape{}
	for _, l := range result {
		s = append(s, extent[l])
	}
	return n.to(n.transposed(t, result).v, s)
}
