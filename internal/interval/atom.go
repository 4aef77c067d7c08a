package interval

import (
	"cmp"
	"math"
	"slices"
)

// atom is an element of a value, in an interval and between linear forms of atoms made before it. One that stands for many
// elements has no forms, and is in none.
type atom struct {
	order        int
	lo, hi       float64
	many         bool
	below, above []form
}

// form is the sum of a number and of multiples of atoms, the last made first.
type form struct {
	c     float64
	terms []term
}

type term struct {
	k float64
	x *atom
}

func (a *Analysis) atom(lo, hi float64, many bool) *atom {
	if math.IsNaN(lo) {
		lo = math.Inf(-1)
	}
	if math.IsNaN(hi) {
		hi = math.Inf(1)
	}
	a.made++
	return &atom{order: a.made, lo: lo, hi: hi, many: many}
}

// between is an atom in an interval and between two forms of others.
func (a *Analysis) between(lo, hi float64, below, above form) *atom {
	x := a.atom(lo, hi, false)
	x.below, x.above = []form{below}, []form{above}
	x.lo, x.hi = max(x.lo, -upper(below.times(-1))), min(x.hi, upper(above))
	return x
}

// union is one of some atoms.
func (a *Analysis) union(list ...*atom) *atom {
	if !slices.ContainsFunc(list, func(x *atom) bool { return x != list[0] }) {
		return list[0]
	}
	lo, hi := list[0].lo, list[0].hi
	for _, x := range list[1:] {
		lo, hi = min(lo, x.lo), max(hi, x.hi)
	}
	return a.atom(lo, hi, true)
}

// exact reports whether an atom is a number.
func (x *atom) exact() bool { return x.lo == x.hi && !math.IsInf(x.lo, 0) }

// plus is f and k times an atom.
func (f form) plus(k float64, x *atom) form {
	if x.exact() {
		f.c += k * x.lo
		return f
	}
	return f.and(form{terms: []term{{k, x}}})
}

func (f form) times(k float64) form {
	g := form{c: f.c * k, terms: make([]term, len(f.terms))}
	for i, t := range f.terms {
		g.terms[i] = term{t.k * k, t.x}
	}
	return g
}

// and is the sum of two forms.
func (f form) and(g form) form {
	all := append(slices.Clone(f.terms), g.terms...)
	slices.SortFunc(all, func(s, t term) int { return cmp.Compare(t.x.order, s.x.order) })
	y := form{c: f.c + g.c}
	for _, t := range all {
		if n := len(y.terms); n > 0 && y.terms[n-1].x == t.x {
			if y.terms[n-1].k += t.k; y.terms[n-1].k == 0 {
				y.terms = y.terms[:n-1]
			}
			continue
		}
		y.terms = append(y.terms, t)
	}
	return y
}

// Bounds of a search for a bound. Estimated: the edges of a box are made in some ten steps.
const (
	mostForms = 64 // that are tried
	mostTerms = 16 // of a form
)

// upper is an upper bound of a form: the least that is found by replacing atoms by what bounds them.
func upper(f form) float64 {
	best, tried := math.Inf(1), 0
	for open := []form{f}; len(open) > 0 && tried < mostForms; tried++ {
		f, open = open[0], open[1:]
		best = min(best, f.most())
		if len(f.terms) > mostTerms {
			continue
		}
		for i, t := range f.terms {
			bounds := t.x.above
			if t.k < 0 {
				bounds = t.x.below
			}
			if len(bounds) == 0 {
				continue
			}
			rest := form{f.c, slices.Delete(slices.Clone(f.terms), i, i+1)}
			for _, b := range bounds {
				open = append(open, rest.and(b.times(t.k)))
			}
			break
		}
	}
	return best
}

// most is the upper bound of a form by the intervals of its atoms.
func (f form) most() float64 {
	y := f.c
	for _, t := range f.terms {
		x := t.x.hi
		if t.k < 0 {
			x = t.x.lo
		}
		y += t.k * x
	}
	if math.IsNaN(y) {
		return math.Inf(1)
	}
	return y
}
