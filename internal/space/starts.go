package space

import (
	"iter"
	"math"
	"math/rand/v2"
	"slices"

	"pimflow/internal/plan"
	"pimflow/internal/platform"
)

// Task is a point to evaluate, and the points whose plans it starts from; none: its plan is searched.
type Task struct {
	Point
	Starts []Point
}

// Tasks are the points of the space, in order.
func (s *Space) Tasks() iter.Seq[Task] {
	return func(yield func(Task) bool) {
		for i := range s.Indexes() {
			t := Task{Point: s.At(i)}
			for _, from := range s.Starts(i) {
				t.Starts = append(t.Starts, s.At(from))
			}
			if !yield(t) {
				return
			}
		}
	}
}

// A family is the points of a model, a batch, a machine, a GPU, a policy and an objective: they differ in keys of the machine
// only. Anchors are points of a family that are searched in full; its other points take the best of the plans of the nearest.
const (
	maxCorners = 32 // anchors of a family, at most
	starts     = 4  // anchors whose plans a point takes
	tries      = 64 // points that take the place of a corner, at most
)

// Starts lists the points whose plans a point of the space takes as starts, the nearest first; none for an anchor, and for every
// point where the spec says full. They follow from the spec and the machines alone.
//
// The anchors of a family are the corners of its axes of more than one value, all where they are 32 or fewer, or else 32 of them
// by a fixed seed. In place of a corner that is not in the space, or that the machine refuses, is the nearest point that is, as far
// as 64 are tried. Distances are sums over the axes of differences of indexes, each divided by the largest; of equal ones the point
// of the least number is nearer.
func (s *Space) Starts(i int) []int {
	if s.spec.Search.Text == Full {
		return nil
	}
	list := s.anchorsOf(i)
	if slices.Contains(list, i) {
		return nil
	}
	near := nearby{most: starts}
	for _, a := range list {
		near.add(a, s.distance(a, i))
	}
	return near.points
}

// nearby is the nearest of the points that are added: the nearest first, and of equal ones the first.
type nearby struct {
	most   int
	points []int
	far    []float64 // their distances
}

func (n *nearby) add(i int, far float64) {
	at := len(n.far)
	for at > 0 && far < n.far[at-1] {
		at--
	}
	if at == n.most {
		return
	}
	n.points, n.far = slices.Insert(n.points, at, i), slices.Insert(n.far, at, far)
	n.points, n.far = n.points[:min(len(n.points), n.most)], n.far[:min(len(n.far), n.most)]
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

// anchorsOf lists the anchors of the family of a point, sorted.
func (s *Space) anchorsOf(i int) []int {
	size := s.familySize()
	first := i - i%size
	s.mu.Lock()
	list, ok := s.anchors[first]
	s.mu.Unlock()
	if ok {
		return list
	}
	var empty []int // corners that no plan can be found for
	for _, corner := range s.corners(first) {
		if s.Has(corner) && s.accepted(corner) {
			list = append(list, corner)
		} else {
			empty = append(empty, corner)
		}
	}
	if len(empty) > 0 {
		list = append(list, s.beside(empty, first, size)...)
	}
	slices.Sort(list)
	list = slices.Compact(list)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.anchors) >= maxFamilies {
		clear(s.anchors)
	}
	s.anchors[first] = list
	return list
}

// maxFamilies bounds the families whose anchors are remembered. Estimated: a few megabytes.
const maxFamilies = 1 << 14

// corners lists the corners of a family.
func (s *Space) corners(first int) []int {
	var steps []int // from the first value of a dimension to the last
	size := 1
	for d := len(s.dims) - 1; d >= 0; d-- {
		if !s.dims[d].family && s.dims[d].size > 1 {
			steps = append(steps, size*(s.dims[d].size-1))
		}
		size *= s.dims[d].size
	}
	corner := func(last func(k int) bool) int {
		i := first
		for k, step := range steps {
			if last(k) {
				i += step
			}
		}
		return i
	}
	var list []int
	if len(steps) < 6 && 1<<len(steps) <= maxCorners {
		for bits := range 1 << len(steps) {
			list = append(list, corner(func(k int) bool { return bits>>k&1 == 1 }))
		}
		return list
	}
	r := rand.New(rand.NewPCG(1, uint64(len(steps))))
	for len(list) < maxCorners {
		if i := corner(func(int) bool { return r.IntN(2) == 1 }); !slices.Contains(list, i) {
			list = append(list, i)
		}
	}
	return list
}

// beside lists the points of the family in the place of corners: for each the nearest that is in the space and that its machine does
// not refuse.
func (s *Space) beside(corners []int, first, size int) (list []int) {
	near := make([]nearby, len(corners))
	for i := range s.family(first, size) {
		for k, corner := range corners {
			near[k].most = tries
			near[k].add(i, s.distance(i, corner))
		}
	}
	for k := range near {
		if at := slices.IndexFunc(near[k].points, s.accepted); at >= 0 {
			list = append(list, near[k].points[at])
		}
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
	return func(yield func(int) bool) {
		at := make([]int, len(s.axes))
		for i := first; i < first+size; i++ {
			if s.digits(i, at); s.allowed(at) && !yield(i) {
				return
			}
		}
	}
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

// distance is that of two points of a family.
func (s *Space) distance(i, j int) (sum float64) {
	for d := len(s.dims) - 1; d >= 0 && !s.dims[d].family; d-- {
		size := s.dims[d].size
		if size > 1 {
			sum += math.Abs(float64(i%size-j%size)) / float64(size-1)
		}
		i, j = i/size, j/size
	}
	return sum
}
