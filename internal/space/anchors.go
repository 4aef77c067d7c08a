package space

import (
	"iter"
	"math/big"
	"math/bits"
	"slices"

	"pimflow/internal/plan"
	"pimflow/internal/platform"
)

// A family is the points of a model, a batch, a machine, a GPU, a policy and an objective: they differ in keys of the machine
// only. Its anchors are searched in full; its other points take the best of the plans of the nearest.

// A family has so many anchors, or one for so many points, if that is more. Measured once on points of docs/grid.yaml: with
// twice as many the mean loss of mobilenet-v2 is 1.4 % in place of 1.6 %, that of resnet-50 1.1 % in place of 1.2 %.
const (
	fewest = 16
	share  = 64
)

// draws is how many places are tried for an anchor. Estimated.
const draws = 64

// anchors are those of a family.
type anchors struct {
	points []int // sorted
	at     []int // their places, one for each ruler
}

// maxFamilies bounds the families whose anchors are remembered. Estimated: some tens of megabytes.
const maxFamilies = 1 << 10

// anchorsOf returns the anchors of the family of a point.
func (s *Space) anchorsOf(i int) *anchors {
	size := s.familySize()
	first := i - i%size
	s.mu.Lock()
	a := s.anchors[first]
	s.mu.Unlock()
	if a != nil {
		return a
	}
	a = &anchors{points: s.chosen(first, size)}
	for _, p := range a.points {
		for k := range s.rulers {
			a.at = append(a.at, s.rulers[k].place(p))
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.anchors) >= maxFamilies {
		clear(s.anchors)
	}
	s.anchors[first] = a
	return a
}

// familySize is the number of points of a family before constraints: those of the dimensions of keys, which change fastest.
func (s *Space) familySize() int {
	n := 1
	for _, d := range s.dims {
		if !d.family {
			n *= d.size
		}
	}
	return n
}

// chosen lists the anchors of a family, sorted: the first points of a lattice that are in the space and that their machines take. Where these are
// too few, as in a sample, every so many-th point is one.
func (s *Space) chosen(first, size int) (list []int) {
	n := 0
	for range s.family(first, size) {
		n++
	}
	most := min(n, maxAnchors, max(fewest, n/share))
	if s.spec.Anchors.N > 0 {
		most = min(n, s.spec.Anchors.N)
	}
	seen := map[int]bool{}
	add := func(i int) bool {
		if !seen[i] && s.Has(i) && s.accepted(i) {
			list = append(list, i)
		}
		seen[i] = true
		return len(list) < most
	}
	for i := range s.lattice(first, draws*most) {
		if !add(i) {
			break
		}
	}
	for skip := max(1, n/max(1, most)); len(list) < most && skip > 0; skip /= 2 {
		k := 0
		for i := range s.family(first, size) {
			if k++; k%skip == 0 && !add(i) {
				break
			}
		}
	}
	slices.Sort(list)
	return list
}

// lattice visits places of a family that are evenly spread, however many of them are taken: of each dimension the fractional parts of
// multiples of an irrational number, from the middle on. The numbers are powers of 1/x, where x to the number of dimensions and one
// more is x + 1.
//
// In the literature: a Kronecker sequence of low discrepancy; of these numbers, R_d (Roberts 2018).
func (s *Space) lattice(first, n int) iter.Seq[int] {
	steps := powers(len(s.rulers))
	return func(yield func(int) bool) {
		for k := range n {
			i := first
			for d := range s.rulers {
				r := &s.rulers[d]
				at, _ := bits.Mul64(1<<63+uint64(k)*steps[d], uint64(r.size))
				i += int(at) * r.step
			}
			if !yield(i) {
				return
			}
		}
	}
}

// powers are the first n powers of 1/x, where x^(n+1) = x + 1, in units of 2^-64. They have the same bits on every machine.
func powers(n int) (list []uint64) {
	if n == 0 {
		return nil
	}
	number := func(v int) *big.Float { return new(big.Float).SetPrec(128).SetInt64(int64(v)) }
	x := number(2)
	for range 64 { // Newton's method, which converges from above
		p := number(1)
		for range n {
			p.Mul(p, x)
		}
		f := new(big.Float).Mul(p, x)
		f.Sub(f, x).Sub(f, number(1))
		slope := new(big.Float).Mul(p, number(n+1))
		x.Sub(x, f.Quo(f, slope.Sub(slope, number(1))))
	}
	p := number(1).SetMantExp(number(1), 64)
	for range n {
		u, _ := p.Quo(p, x).Uint64()
		list = append(list, u)
	}
	return list
}

// family visits the points of a family that are in the space.
func (s *Space) family(first, size int) iter.Seq[int] {
	if s.drawn != nil {
		from, _ := slices.BinarySearch(s.drawn, first)
		to, _ := slices.BinarySearch(s.drawn, first+size)
		return slices.Values(s.drawn[from:to])
	}
	return s.within(first, first+size)
}

// accepted reports whether the machine takes the values of a point, and devices can be made of it.
func (s *Space) accepted(i int) bool {
	at := make([]int, len(s.axes))
	s.digits(i, at)
	m, err := s.pair(at).hw.Set(s.At(i).Set...)
	if err != nil {
		return false
	}
	_, err = platform.Devices(m, platform.Makers{}, m.Memory.PIMChannels, plan.Extended)
	return err == nil
}
