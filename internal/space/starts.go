package space

import (
	"iter"
	"math"
	"math/rand/v2"
	"slices"

	"pimflow/internal/plan"
	"pimflow/internal/platform"
)

// Task is a point to evaluate, and the points whose plans it starts from; none: its plan is searched. Search says what it does with them:
// Anchors, or All.
type Task struct {
	Point
	Starts []Point
	Search string
}

// Tasks are the points of the space, in order.
func (s *Space) Tasks() iter.Seq[Task] {
	return func(yield func(Task) bool) {
		for i := range s.Indexes() {
			t := Task{Point: s.At(i), Search: s.spec.Search.Text}
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
// point where the spec says full. Where it says all, they are those of the family, itself first; none where it is alone. They follow from
// the spec and the machines alone.
//
// The anchors of a family are the corners of its axes of more than one value, all where they are 32 or fewer, or else 32 of them
// by a fixed seed. Where the spec allows more anchors than corners, the widest spaced axis gets one more value, evenly spaced, as long as
// they are not too many. In place of an anchor that is not in the space, or that the machine refuses, is the nearest point that is, as
// far as 64 are tried. Distances are sums over the axes of differences of indexes, each divided by the largest; of equal ones the point
// of the least number is nearer.
func (s *Space) Starts(i int) []int {
	switch s.spec.Search.Text {
	case Full:
		return nil
	case All:
		return s.withItself(i)
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

// withItself lists a point and the others of its family.
func (s *Space) withItself(i int) []int {
	size, list := s.familySize(), []int{i}
	for k := range s.family(i-i%size, size) {
		if k != i {
			list = append(list, k)
		}
	}
	if len(list) == 1 {
		return nil
	}
	return list
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
	var empty []int // places that no plan can be found for
	for _, corner := range s.ideal(first) {
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

// ideal lists the anchors of a family before it is asked whether they are in the space.
func (s *Space) ideal(first int) (list []int) {
	var axes []levels
	step, all := 1, 1
	most := max(maxCorners, s.spec.Anchors.N)
	for d := len(s.dims) - 1; d >= 0; d-- {
		if size := s.dims[d].size; !s.dims[d].family && size > 1 {
			axes = append(axes, levels{size, step, 2})
			all = min(2*all, most+1)
		}
		step *= s.dims[d].size
	}
	if all > most {
		r := rand.New(rand.NewPCG(1, uint64(len(axes))))
		for len(list) < most {
			i := first
			for _, a := range axes {
				i += a.at(r.IntN(2))
			}
			if !slices.Contains(list, i) {
				list = append(list, i)
			}
		}
		return list
	}
	for refined(axes, s.spec.Anchors.N) {
	}
	list = []int{first}
	for _, a := range axes {
		var next []int
		for _, i := range list {
			for k := range a.n {
				next = append(next, i+a.at(k))
			}
		}
		list = next
	}
	return list
}

// levels are values of a dimension, evenly spaced from the first to the last.
type levels struct {
	size int // of the dimension
	step int // between the numbers of points of neighbouring values
	n    int // 2 or more
}

// at is the difference of the numbers of the first value's point and that of a level.
func (l *levels) at(k int) int { return (2*k*(l.size-1) + l.n - 1) / (2 * (l.n - 1)) * l.step }

// refined gives the widest spaced dimension one more level, if that makes at most so many anchors of all.
func refined(axes []levels, most int) bool {
	all, widest := 1, -1
	for _, a := range axes {
		all *= a.n
	}
	for i, a := range axes {
		if a.n < a.size && all/a.n*(a.n+1) <= most && (widest < 0 || (a.size-1)*(axes[widest].n-1) > (axes[widest].size-1)*(a.n-1)) {
			widest = i
		}
	}
	if widest >= 0 {
		axes[widest].n++
	}
	return widest >= 0
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
