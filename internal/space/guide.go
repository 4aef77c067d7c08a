package space

import (
	"fmt"
	"slices"
	"strings"

	"pimflow/internal/explore"
	"pimflow/internal/search"
)

// maxGuided bounds the points of a guided sample. Estimated: generations are ranked in seconds.
const maxGuided = 100_000

// Guide chooses the points of a space one set after the other, from the objectives of those before. Each model and batch is a
// search of its own, with as many of the points as any other.
type Guide struct {
	space   *Space
	parts   []*part
	efforts []string // of the levels of trials
	counts  []int    // of the trials that a part was asked last
}

// part is the points of a model and a batch.
type part struct {
	space  *Space
	dims   []int // that differ within the part
	first  int   // number of the point whose places on these are 0
	points int
	order  *permutation
	explore.Method
}

// Guided reports whether points are chosen from the results of others: then Guide has them, and all else has those of its first set only.
func (s *Space) Guided() bool {
	return s.spec.Sample != nil && slices.Contains([]string{NSGA2, Halving}, s.spec.Sample.Method)
}

// Guide is the guide of a space that is guided, at its beginning.
func (s *Space) Guide() *Guide {
	p := s.spec.Sample
	g := &Guide{space: s, parts: s.parts(), efforts: []string{s.effort()}}
	if p.Method == Halving {
		g.efforts = s.efforts()
	}
	for k, x := range g.parts {
		if x.points = p.Points / len(g.parts); k < p.Points%len(g.parts) {
			x.points++
		}
		over := &explore.Space{Allowed: x.allowed, Drawn: x.drawn}
		for _, d := range x.dims {
			over.Genes = append(over.Genes, explore.Gene{Size: s.dims[d].size, Ordered: s.ordered(d)})
		}
		if p.Method == Halving {
			x.Method = explore.NewHalving(over, x.points, len(g.efforts))
		} else {
			x.Method = explore.NewNSGA2(over, x.points, p.Population, p.Seed+uint64(k))
		}
	}
	return g
}

// guide takes the first set of points as the sample: anchors are among them.
func (s *Space) guide() error {
	p := s.spec.Sample
	if !s.Guided() {
		return nil
	}
	n := len(s.parts())
	switch {
	case p.Points < n || p.Points > maxGuided:
		return s.spec.errorf(p.Line, "sample", "%d points: %d to %d wanted, one or more for each model and batch", p.Points, n, maxGuided)
	case p.Method == Halving && len(s.efforts()) < 2:
		return s.spec.errorf(p.Line, "sample", "method %s with effort low and search full has one effort: more effort wanted, or search anchors", Halving)
	}
	for _, x := range s.Guide().parts {
		for _, t := range x.Ask() {
			s.drawn = append(s.drawn, x.number(t.Design))
		}
	}
	if len(s.drawn) == 0 {
		return s.spec.errorf(p.Line, "sample", "the constraints hold for no point that was drawn: fewer constraints wanted")
	}
	slices.Sort(s.drawn)
	return nil
}

// parts are the models with the batches of points.
func (s *Space) parts() []*part {
	list := []*part{{space: s}}
	step := s.size
	for d := range s.dims {
		step /= s.dims[d].size
		fixed := slices.ContainsFunc(s.dims[d].axes, func(a int) bool { return s.axes[a].Name == models || s.axes[a].Name == batches })
		var next []*part
		for _, x := range list {
			if !fixed {
				x.dims = append(x.dims, d)
				next = append(next, x)
				continue
			}
			for i := range s.dims[d].size {
				next = append(next, &part{space: s, dims: slices.Clone(x.dims), first: x.first + i*step})
			}
		}
		list = next
	}
	for k, x := range list {
		size := 1
		for _, d := range x.dims {
			size *= s.dims[d].size
		}
		x.order = newPermutation(size, s.spec.Sample.Seed+uint64(k))
	}
	return list
}

// ordered reports whether neighbouring values of a dimension are alike: they are numbers.
func (s *Space) ordered(d int) bool {
	return !slices.ContainsFunc(s.dims[d].axes, func(a int) bool {
		return slices.ContainsFunc(s.axes[a].values, func(t string) bool {
			_, ok := rational(t)
			return !ok
		})
	})
}

// number is that of the point of a design.
func (x *part) number(design []int) int {
	n, step := x.first, 1
	for d, k := len(x.space.dims)-1, len(x.dims)-1; k >= 0; d-- {
		if x.dims[k] == d {
			n += design[k] * step
			k--
		}
		step *= x.space.dims[d].size
	}
	return n
}

func (x *part) allowed(design []int) bool {
	at := make([]int, len(x.space.axes))
	x.space.digits(x.number(design), at)
	return x.space.allowed(at)
}

func (x *part) drawn(n int) ([]int, bool) {
	if n >= x.order.size {
		return nil, false
	}
	design, i := make([]int, len(x.dims)), x.order.at(n)
	for k := len(design) - 1; k >= 0; k-- {
		size := x.space.dims[x.dims[k]].size
		design[k], i = i%size, i/size
	}
	return design, true
}

// effort is that of the spec.
func (s *Space) effort() string {
	if t := s.spec.Effort.Text; t != "" {
		return t
	}
	return search.Normal.String()
}

// efforts are those of halving, the least first: low, as the spec searches, and each named one from normal on that is below the
// spec's, and that, in full. Low in full is not among them where there is more: it takes three quarters of the time of normal (mobilenet-v2).
func (s *Space) efforts() []string {
	list := []string{search.Low.String()}
	own, _ := search.ParseEffort(s.effort()) // checked
	for _, e := range []search.Effort{search.Normal, search.High} {
		if e < own {
			list = append(list, e.String())
		}
	}
	if own > search.Low || slices.Contains([]string{"", Anchors}, s.spec.Search.Text) {
		list = append(list, s.effort())
	}
	return list
}

// Ask returns the points that are evaluated next, in any order; none: there are no more.
func (g *Guide) Ask() (list []Task) {
	g.counts = nil
	for _, x := range g.parts {
		trials := x.Ask()
		g.counts = append(g.counts, len(trials))
		for _, t := range trials {
			list = append(list, g.task(x.number(t.Design), t.Level))
		}
	}
	return list
}

// task is a point at a level.
func (g *Guide) task(i, level int) Task {
	t := Task{Point: g.space.At(i)}
	if level == 0 {
		t = g.space.Task(i)
	}
	t.Effort = g.efforts[level]
	for k := range t.Starts {
		t.Starts[k].Effort = t.Effort
	}
	return t
}

// Tell takes the objectives of the points that were asked for last, in their order; nil: the point has no result.
func (g *Guide) Tell(objectives [][]float64) {
	for k, x := range g.parts {
		if n := g.counts[k]; n > 0 {
			x.Tell(objectives[:n])
			objectives = objectives[n:]
		}
	}
}

// Rungs are the numbers of evaluations at each effort, if no constraint leaves out points, and the efforts.
func (g *Guide) Rungs() (counts []int, efforts []string) {
	counts = make([]int, len(g.efforts))
	for _, x := range g.parts {
		for i, n := range explore.Rungs(min(x.points, x.order.size), len(g.efforts)) {
			counts[i] += n
		}
	}
	return counts, g.efforts
}

// String says how the points are chosen.
func (g *Guide) String() string {
	p := g.space.spec.Sample
	counts, efforts := g.Rungs()
	var list []string
	if p.Method == NSGA2 {
		size := p.Population
		if size == 0 {
			size = explore.Population(g.parts[0].points)
		}
		list = append(list, fmt.Sprintf("generations of %d", size))
	} else {
		for i, n := range counts {
			list = append(list, fmt.Sprintf("%d at effort %s", n, efforts[i]))
		}
		if efforts[0] == efforts[len(efforts)-1] {
			list[len(list)-1] += " in full"
		}
	}
	each := ""
	if len(g.parts) > 1 {
		each = ", each model and batch by itself"
	}
	return fmt.Sprintf("%s with seed %d: %s%s", p.Method, p.Seed, strings.Join(list, ", "), each)
}
