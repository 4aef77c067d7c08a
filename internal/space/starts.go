package space

import (
	"iter"
	"math"
	"slices"
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
			if !yield(s.Task(i)) {
				return
			}
		}
	}
}

// Task is the task of a point.
func (s *Space) Task(i int) Task {
	t := Task{Point: s.At(i), Search: s.spec.Search.Text}
	for _, from := range s.Starts(i) {
		t.Starts = append(t.Starts, s.At(from))
	}
	return t
}

// starts is how many anchors a point takes the plans of. Measured once, on 40 points and before layers ran alone: with two the median loss of
// mobilenet-v2 is 2.5 %, with four 1.3 %.
const starts = 4

// Starts lists the points whose plans a point of the space takes as starts, the nearest first; none for an anchor, and for every
// point where the spec says full. Where it says all, they are those of the family, itself first; none where it is alone. They follow from
// the spec and the machines alone. Of anchors that are equally near the one of the least number is nearer.
func (s *Space) Starts(i int) []int {
	switch s.spec.Search.Text {
	case Full:
		return nil
	case All:
		return s.withItself(i)
	}
	a := s.anchorsOf(i)
	if _, is := slices.BinarySearch(a.points, i); is {
		return nil
	}
	at := make([]int, len(s.rulers))
	for k := range s.rulers {
		at[k] = s.rulers[k].place(i)
	}
	near := nearby{most: starts}
	for k, p := range a.points {
		near.add(p, s.distance(at, a.at[k*len(at):]))
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
	far    []int // their distances
}

func (n *nearby) add(i, far int) {
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

// ruler has the places of the values of a dimension: two differ by their distance.
type ruler struct {
	size int // values
	step int // between the numbers of points of neighbouring values
	at   []int
	far  int // between values that are in one place and differ; 0: none do
}

// scale is the distance from the least value of a dimension to its largest, and apart that between texts. Estimated: plans for another way to launch
// are worth less than those for other numbers.
const (
	scale = 1 << 20
	apart = 3 * scale
)

// rule makes the rulers, of the dimensions of keys that have more than one value.
func (s *Space) rule() error {
	step := 1
	for d := len(s.dims) - 1; d >= 0 && !s.dims[d].family; d-- {
		if size := s.dims[d].size; size > 1 {
			r := ruler{size: size, step: step, far: apart}
			for k := range size {
				r.at = append(r.at, k)
			}
			for _, a := range s.dims[d].axes {
				if at := places(s.axes[a].values); at != nil {
					r.at, r.far = at, 0
					break
				}
			}
			s.rulers = append(s.rulers, r)
		}
		step *= s.dims[d].size
	}
	return nil
}

// places are those of numbers between 0 and scale, by their logarithms where all are above 0: twice as many channels are as far from the half
// as from the double. nil for texts.
func places(values []string) (at []int) {
	list := make([]float64, len(values))
	for i, t := range values {
		x, ok := rational(t)
		if !ok {
			return nil
		}
		list[i] = x
	}
	if slices.Min(list) > 0 {
		for i, x := range list {
			list[i] = math.Log(x)
		}
	}
	least, most := slices.Min(list), slices.Max(list)
	if least == most { // texts of one number
		return nil
	}
	for _, x := range list {
		at = append(at, int(math.Round((x-least)/(most-least)*scale)))
	}
	return at
}

// place is that of a point's value.
func (r *ruler) place(i int) int { return r.at[i/r.step%r.size] }

// distance is the sum of the distances of values.
func (s *Space) distance(a, b []int) (sum int) {
	for k := range s.rulers {
		d := max(a[k]-b[k], b[k]-a[k])
		if s.rulers[k].far > 0 {
			d = min(d, 1) * s.rulers[k].far
		}
		sum += d
	}
	return sum
}
