package space

import (
	"math/rand/v2"
	"slices"
	"strings"

	"pimflow/internal/nearest"
)

// maxSample bounds the points of a sample, and maxDraws the points that are looked at for them. Estimated: the numbers of a
// sample are in memory, and a point with constraints is looked at in less than a microsecond.
const (
	maxSample = 10_000_000
	maxDraws  = 200_000_000
)

// draw draws the sample.
func (s *Space) draw() error {
	p := s.spec.Sample
	if p == nil {
		return nil
	}
	if !slices.Contains(Methods, p.Method) {
		return s.spec.errorf(p.Line, "sample", "method %.80q: one of %s wanted%s", p.Method, strings.Join(Methods, ", "), nearest.Hint(p.Method, Methods))
	}
	if p.Points < 1 || p.Points > maxSample {
		return s.spec.errorf(p.Line, "sample", "%d points: 1 to %d wanted", p.Points, maxSample)
	}
	if p.Population < 0 || p.Population > 0 && p.Method != NSGA2 {
		return s.spec.errorf(p.Line, "population", "%d: 1 or more wanted, and method %s", p.Population, NSGA2)
	}
	switch p.Method {
	case Random:
		s.random(p)
	case Latin:
		s.latin(p)
	default:
		return nil // guide
	}
	if len(s.drawn) == 0 {
		return s.spec.errorf(p.Line, "sample", "no point of those that were drawn is allowed: fewer constraints wanted, or a method %s", Random)
	}
	slices.Sort(s.drawn)
	return nil
}

// random takes the first points of a permutation that are allowed.
func (s *Space) random(p *Sample) {
	order := newPermutation(s.size, p.Seed)
	at := make([]int, len(s.axes))
	for n := range min(s.size, maxDraws) {
		i := order.at(n)
		if s.digits(i, at); s.allowed(at) {
			if s.drawn = append(s.drawn, i); len(s.drawn) == p.Points {
				return
			}
		}
	}
}

// latin draws a Latin hypercube of the dimensions: of its n points, each value of a dimension of m values is in n/m, rounded up
// or down. Points that are there twice, or that constraints leave out, are not drawn again.
func (s *Space) latin(p *Sample) {
	rows := make([]int, p.Points) // numbers of points, a dimension after the other
	column := make([]int, p.Points)
	for d := range s.dims {
		r := rand.New(rand.NewPCG(p.Seed, uint64(d)))
		shift := r.IntN(s.dims[d].size) // which values are in one more point
		for i := range column {
			column[i] = (i + shift) % s.dims[d].size
		}
		if p.Points < s.dims[d].size { // one of each stratum
			first := func(i int) int { return (i*s.dims[d].size + p.Points - 1) / p.Points }
			for i := range column {
				column[i] = first(i) + r.IntN(first(i+1)-first(i))
			}
		}
		r.Shuffle(len(column), func(i, j int) { column[i], column[j] = column[j], column[i] })
		for i := range rows {
			rows[i] = rows[i]*s.dims[d].size + column[i]
		}
	}
	slices.Sort(rows)
	at := make([]int, len(s.axes))
	for _, i := range slices.Compact(rows) {
		if s.digits(i, at); s.allowed(at) {
			s.drawn = append(s.drawn, i)
		}
	}
}

// permutation is a seeded order of the numbers below size, without a list of them.
//
// In the literature: a Feistel network with cycle walking (Black and Rogaway 2002).
type permutation struct {
	size int
	half uint // bits
	keys [rounds]uint64
}

const rounds = 6

func newPermutation(size int, seed uint64) *permutation {
	p := &permutation{size: size, half: 1}
	for size > 1<<(2*p.half) && 2*p.half < 62 {
		p.half++
	}
	r := rand.New(rand.NewPCG(seed, uint64(size)))
	for i := range p.keys {
		p.keys[i] = r.Uint64()
	}
	return p
}

// at is the n-th number.
func (p *permutation) at(n int) int {
	x := uint64(n)
	for {
		mask := uint64(1)<<p.half - 1
		left, right := x>>p.half, x&mask
		for _, key := range p.keys {
			left, right = right, left^mix(right^key)&mask
		}
		if x = left<<p.half | right; x < uint64(p.size) {
			return int(x)
		}
	}
}

// mix is the finaliser of SplitMix64.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
