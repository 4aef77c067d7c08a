package utilization

import (
	"cmp"
	"slices"

	"pimflow/internal/graph"
	"pimflow/internal/program"
	"pimflow/internal/run"
)

// Limit is what the time of a class of layers goes to. Times are in half picoseconds. Those of all classes, with the idle time, add up to
// twice the totals.
type Limit struct {
	Class    string
	Layers   int
	Baseline Split                // the GPU alone
	Plan     [program.Lanes]Split // by device; an instant in which both work is shared equally
}

// All is the class of every layer, Idle that of instants in which no device works.
const (
	All  = "all"
	Idle = "idle"
)

// Limits are those of all layers and of each class, the longest on the GPU alone first, and of instants in which no device works, if
// there are any.
func Limits(g *graph.Graph, baseline, tl *run.Timeline) []Limit {
	by := map[string]*Limit{All: {Class: All}}
	counted := map[graph.ID]bool{}
	of := func(id graph.ID) []*Limit {
		class := Class(g, id)
		if by[class] == nil {
			by[class] = &Limit{Class: class}
		}
		if !counted[id] {
			counted[id] = true
			by[class].Layers++
			by[All].Layers++
		}
		return []*Limit{by[All], by[class]}
	}
	for k, t := range []*run.Timeline{baseline, tl} {
		shares, idle := Shares(t)
		for i := range t.Program.Steps {
			s := &t.Program.Steps[i]
			split := SplitOf(sharedTerms(t, i, shares[i]))
			for _, l := range of(s.Node) {
				to := &l.Baseline
				if k == 1 {
					to = &l.Plan[program.Lane(s.Device)]
				}
				to.Add(split)
			}
		}
		for lane, n := range idle {
			if n == 0 {
				continue
			}
			if by[Idle] == nil {
				by[Idle] = &Limit{Class: Idle}
			}
			for _, class := range []string{All, Idle} {
				to := &by[class].Baseline
				if k == 1 {
					to = &by[class].Plan[lane]
				}
				to[Moving] += n
			}
		}
	}
	var list []Limit
	for _, l := range by {
		list = append(list, *l)
	}
	slices.SortFunc(list, func(a, b Limit) int {
		return cmp.Or(compareBool(b.Class == All, a.Class == All), compareBool(a.Class == Idle, b.Class == Idle),
			cmp.Compare(b.Baseline.Sum(), a.Baseline.Sum()), cmp.Compare(a.Class, b.Class))
	})
	return list
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// Add adds another time, kind by kind.
func (s *Split) Add(o Split) {
	for k, t := range o {
		s[k] += t
	}
}

// PlanSum is the time of both devices.
func (l *Limit) PlanSum() (t Half) {
	for _, s := range l.Plan {
		t += s.Sum()
	}
	return t
}
