package space

import (
	"iter"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"sync"

	"pimflow/internal/hw"
	"pimflow/internal/nearest"
)

// MaxPoints bounds the points of a space, before constraints, unless it is sampled. Estimated: a day of points of 1 ms each.
const MaxPoints = 100_000_000

// Space is the points of a Spec. It may be used concurrently.
type Space struct {
	spec  *Spec
	axes  []axis // words, then keys of the machine in the order of the spec
	dims  []dim  // the first changes last
	size  int    // product of the dims
	where []constraint
	drawn []int // the sample, sorted; nil: all

	pairs  []pair  // machines with GPUs
	rulers []ruler // of distances

	mu      sync.Mutex
	joint   map[jointKey]jointValue
	anchors map[int]*anchors // of a family, by its first point
}

// axis is an axis with its values written out.
type axis struct {
	*Axis
	size   int // values
	values []string
	lines  []int // of the values
	dim    int
}

// dim is axes that advance together.
type dim struct {
	axes   []int
	size   int
	family bool // one of the axes is no key of the machine
}

// pair is a machine with a GPU, before keys are changed.
type pair struct {
	machine, gpu int // indexes of values
	hw           *hw.Machine
}

// New makes the space of a spec, and checks it: every word, every constraint, and every value of a key alone on each machine.
func New(spec *Spec) (*Space, error) {
	s := &Space{spec: spec, joint: map[jointKey]jointValue{}, anchors: map[int]*anchors{}}
	for _, step := range []func() error{s.name, s.known, s.group, s.expand, s.rule, s.names, s.load, s.constrain, s.draw, s.check, s.guide, s.fits} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// name makes the axes: words first, by their order, then keys.
func (s *Space) name() error {
	add := func(a *Axis) error {
		n, err := s.spec.size(a)
		s.axes = append(s.axes, axis{Axis: a, size: n})
		return err
	}
	for _, w := range words {
		a := s.spec.find(w.name)
		if a == nil && w.empty == "-" {
			return s.spec.errorf(s.spec.top(), w.name, "missing: one or more wanted")
		}
		if a == nil {
			a = &Axis{Name: w.name, Values: []Value{{Text: w.empty}}}
		}
		if err := add(a); err != nil {
			return err
		}
	}
	for i := range s.spec.Axes {
		if a := &s.spec.Axes[i]; a.key() {
			if err := add(a); err != nil {
				return err
			}
		}
	}
	for i := range s.axes {
		for _, other := range s.axes[:i] {
			if other.Name == s.axes[i].Name {
				return s.spec.errorf(s.axes[i].Line, other.Name, "it is there twice")
			}
		}
	}
	return nil
}

// expand writes out the values of the axes.
func (s *Space) expand() (err error) {
	for i := range s.axes {
		a := &s.axes[i]
		if a.values, a.lines, err = s.spec.expand(a.Axis); err != nil {
			return err
		}
	}
	return nil
}

// find is the place of an axis; -1 for none.
func (s *Space) find(name string) int {
	return slices.IndexFunc(s.axes, func(a axis) bool { return a.Name == name })
}

// group makes the dimensions: each axis, or axes of a zip at the place of the first.
func (s *Space) group() error {
	of := make([]int, len(s.axes)) // the group of an axis, from 1
	for g, z := range s.spec.Zip {
		if len(z.Axes) < 2 {
			return s.spec.errorf(z.Line, "zip", "%.80q: two or more axes wanted", strings.Join(z.Axes, ","))
		}
		first := -1
		for _, name := range z.Axes {
			i := s.find(name)
			switch {
			case i < 0 || s.spec.find(name) == nil:
				return s.spec.errorf(z.Line, "zip", "%.80q is no axis of the space%s", name, nearest.Hint(name, s.spec.axisNames()))
			case of[i] > 0:
				return s.spec.errorf(z.Line, "zip", "%s is there twice", name)
			case first >= 0 && s.axes[i].size != s.axes[first].size:
				return s.spec.errorf(z.Line, "zip", "%s has %d values and %s has %d: as many wanted", s.axes[first].Name, s.axes[first].size, name, s.axes[i].size)
			case first < 0:
				first = i
			}
			of[i] = g + 1
		}
	}
	placed := make([]int, len(s.spec.Zip)+1) // the dim of a group, from 1
	s.size = 1
	for i := range s.axes {
		if g := of[i]; g > 0 && placed[g] > 0 {
			s.axes[i].dim = placed[g] - 1
		} else {
			s.dims = append(s.dims, dim{size: s.axes[i].size})
			s.axes[i].dim = len(s.dims) - 1
			placed[g] = len(s.dims)
			high, low := bits.Mul64(uint64(s.size), uint64(s.axes[i].size))
			if s.size = int(low); high > 0 || s.size < 0 {
				return s.spec.errorf(s.axes[i].Line, s.axes[i].Name, "more points than 63 bits count: fewer values wanted")
			}
		}
		d := &s.dims[s.axes[i].dim]
		d.axes = append(d.axes, i)
		d.family = d.family || !s.axes[i].key()
	}
	if s.size > MaxPoints && s.spec.Sample == nil {
		return s.spec.errorf(s.spec.top(), "sample", "missing, and the space has %d points: at most %d wanted, or a sample of them", s.size, MaxPoints)
	}
	return nil
}

// digits sets the index of the value of each axis at a point.
func (s *Space) digits(i int, at []int) {
	for d := len(s.dims) - 1; d >= 0; d-- {
		for _, a := range s.dims[d].axes {
			at[a] = i % s.dims[d].size
		}
		i /= s.dims[d].size
	}
}

// allowed reports whether all constraints hold at a point. Where a machine refuses the point, so that a constraint has no
// value, it is allowed: its error is a result.
func (s *Space) allowed(at []int) bool {
	return !slices.ContainsFunc(s.where, func(w constraint) bool { return w.excludes(at) })
}

// within visits the points of the space from a number to another. A constraint is asked once for all points that follow each other and
// have what it reads in common.
func (s *Space) within(first, end int) iter.Seq[int] {
	return func(yield func(int) bool) {
		at, holds := make([]int, len(s.axes)), make([]int, len(s.where)) // up to which point a constraint holds
		for i := first; i < end; {
			s.digits(i, at)
			next := i + 1
			in := true
			for k, w := range s.where {
				if i < holds[k] {
					continue
				}
				same := (i/w.same + 1) * w.same
				if in = !w.excludes(at); !in {
					next = same
					break
				}
				holds[k] = same
			}
			if in && !yield(i) {
				return
			}
			i = next
		}
	}
}

// Size is the number of points before constraints and the sample.
func (s *Space) Size() int { return s.size }

// Has reports whether a point is in the space.
func (s *Space) Has(i int) bool {
	if i < 0 || i >= s.size {
		return false
	}
	if s.drawn != nil {
		_, ok := slices.BinarySearch(s.drawn, i)
		return ok
	}
	at := make([]int, len(s.axes))
	s.digits(i, at)
	return s.allowed(at)
}

// Indexes are the numbers of the points of the space, in order. They are numbers of the product of all axes: constraints and
// samples leave some out, and change none.
func (s *Space) Indexes() iter.Seq[int] {
	if s.drawn != nil {
		return slices.Values(s.drawn)
	}
	return s.within(0, s.size)
}

// Points are the points of the space, in order.
func (s *Space) Points() iter.Seq[Point] {
	return func(yield func(Point) bool) {
		for i := range s.Indexes() {
			if !yield(s.At(i)) {
				return
			}
		}
	}
}

// Count is the number of points of the space.
func (s *Space) Count() int {
	switch {
	case s.drawn != nil:
		return len(s.drawn)
	case len(s.where) == 0:
		return s.size
	}
	n := 0
	for range s.Indexes() {
		n++
	}
	return n
}

// At is the point of a number, whether it is in the space or not.
func (s *Space) At(i int) Point {
	at := make([]int, len(s.axes))
	s.digits(i, at)
	p := Point{Index: i, Effort: s.effort()}
	for a := range s.axes {
		x := &s.axes[a]
		v := x.values[at[a]]
		if f, ok := fields[x.Name]; ok {
			f(&p, v)
		} else {
			p.Set = append(p.Set, x.Name+"="+v)
		}
	}
	return p
}

// fields put the values of words into a point.
var fields = map[string]func(p *Point, v string){
	models:     func(p *Point, v string) { p.Model = v },
	machines:   func(p *Point, v string) { p.Machine = v },
	policies:   func(p *Point, v string) { p.Policy = v },
	objectives: func(p *Point, v string) { p.Objective = v },
	batches:    func(p *Point, v string) { p.Batch, _ = strconv.Atoi(v) }, // checked
	gpus: func(p *Point, v string) {
		if v != Own {
			p.GPU = v
		}
	},
}

// Keys lists the keys of the machine that the space changes, in the order of Point.Set, and whether all values of each are
// numbers.
func (s *Space) Keys() (keys []string, number []bool) {
	for _, a := range s.axes {
		if a.key() {
			keys, number = append(keys, a.Name), append(number, numbers(a.values))
		}
	}
	return keys, number
}
