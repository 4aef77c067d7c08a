package explore

// Halving evaluates many designs cheaply, the best third of them more thoroughly, the best third of these still more, and
// so on.
//
// In the literature: successive halving (Jamieson and Talwalkar 2016), the inner loop of Hyperband (Li et al. 2018), whose share of a third it
// has; designs are compared as in NSGA-II (Schmucker et al. 2021).
type Halving struct {
	levels int
	level  int // of those that are asked for
	list   []*outcome
	order  order
}

// eta is one over the share of designs that go on.
const eta = 3

// Rungs are how many of so many designs are evaluated at each level.
func Rungs(designs, levels int) (list []int) {
	for range levels {
		list = append(list, designs)
		designs = (designs + eta - 1) / eta
	}
	return list
}

// NewHalving is a search of so many designs, at most, at level 0, and fewer at each of the others.
func NewHalving(s *Space, designs, levels int) *Halving {
	h := &Halving{levels: levels, order: order{space: s}}
	for len(h.list) < designs {
		d, ok := h.order.design(func([]int) bool { return false })
		if !ok {
			break
		}
		h.list = append(h.list, &outcome{design: d})
	}
	return h
}

// Ask implements Method.
func (h *Halving) Ask() (list []Trial) {
	if h.level == h.levels {
		return nil
	}
	for _, x := range h.list {
		list = append(list, Trial{x.design, h.level})
	}
	return list
}

// Tell implements Method.
func (h *Halving) Tell(objectives [][]float64) {
	for i, x := range h.list {
		x.objectives = objectives[i]
	}
	h.level++
	h.list = best(h.list, (len(h.list)+eta-1)/eta)
	for len(h.list) > 0 && h.list[len(h.list)-1].objectives == nil {
		h.list = h.list[:len(h.list)-1]
	}
}
