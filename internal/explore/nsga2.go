package explore

import (
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
)

// NSGA2 is a genetic search for a Pareto front. The first generation is drawn; each later one has the children of parents that win
// tournaments among the best so far. No design is asked for twice.
//
// In the literature: NSGA-II (Deb et al. 2002), with uniform crossover (Syswerda 1989) and, as genes are places on axes, a mutation in whole
// steps in place of polynomial mutation. Crossover and mutation have the probabilities of the paper: 0.9, and one over the number of genes.
type NSGA2 struct {
	space      *Space
	population int
	left       int // designs that may still be asked for
	seed       uint64
	generation uint64
	order      order
	known      map[string]bool
	asked      [][]int
	parents    []*outcome // ranked
}

// The chance of a crossover, in tenths, and how many children are made for one that is allowed and new before a design is
// drawn in its place (estimated).
const crossover, tries = 9, 50

// Population is how large generations of a search of so many designs are, unless it is said: as many as there are generations. On the problems of
// the tests, hypervolumes of 100 to 1,000 designs are the larger the smaller the generations are, down to a twentieth of the designs; but designs of a
// generation only are evaluated at the same time.
func Population(designs int) int {
	return min(designs, max(4, int(math.Round(math.Sqrt(float64(designs))))))
}

// NewNSGA2 is a search that asks for so many designs at most, in generations of a population; 0: Population's.
func NewNSGA2(s *Space, designs, population int, seed uint64) *NSGA2 {
	if population == 0 {
		population = Population(designs)
	}
	return &NSGA2{space: s, population: population, left: designs, seed: seed, order: order{space: s}, known: map[string]bool{}}
}

// Ask implements Method.
func (m *NSGA2) Ask() (list []Trial) {
	r := rand.New(rand.NewPCG(m.seed, m.generation))
	m.generation++
	m.asked = nil
	for len(list) < min(m.population, m.left) {
		d, ok := m.child(r)
		if !ok {
			break
		}
		m.known[key(d)] = true
		m.asked = append(m.asked, d)
		list = append(list, Trial{Design: d})
	}
	m.left -= len(list)
	return list
}

// Tell implements Method.
func (m *NSGA2) Tell(objectives [][]float64) {
	all := slices.Clip(m.parents)
	for i, d := range m.asked {
		all = append(all, &outcome{design: d, objectives: objectives[i]})
	}
	m.parents = best(all, m.population)
	rank(m.parents)
}

func key(d []int) string { return fmt.Sprint(d) }

// child is a design that is allowed and new; false where there is none.
func (m *NSGA2) child(r *rand.Rand) ([]int, bool) {
	known := func(d []int) bool { return m.known[key(d)] }
	if len(m.parents) > 0 {
		for range tries {
			d := slices.Clone(m.tournament(r).design)
			if other := m.tournament(r).design; r.IntN(10) < crossover {
				for g := range d {
					if r.IntN(2) == 0 {
						d[g] = other[g]
					}
				}
			}
			m.mutate(r, d)
			if m.space.Allowed(d) && !known(d) {
				return d, true
			}
		}
	}
	return m.order.design(known)
}

// tournament is the better of two parents.
func (m *NSGA2) tournament(r *rand.Rand) *outcome {
	a, b := m.parents[r.IntN(len(m.parents))], m.parents[r.IntN(len(m.parents))]
	if crowded(b, a) < 0 {
		return b
	}
	return a
}

// mutate changes genes of more than one value, one on average: to any other value or, of an ordered one, by a step whose logarithm is evenly
// distributed.
func (m *NSGA2) mutate(r *rand.Rand, d []int) {
	free := 0
	for _, g := range m.space.Genes {
		if g.Size > 1 {
			free++
		}
	}
	for i, g := range m.space.Genes {
		if g.Size < 2 || r.IntN(free) > 0 {
			continue
		}
		if !g.Ordered {
			d[i] = (d[i] + 1 + r.IntN(g.Size-1)) % g.Size
			continue
		}
		step := 1 + r.IntN(1<<r.IntN(bits.Len(uint(g.Size-1))))
		if r.IntN(2) == 0 {
			step = -step
		}
		if to := d[i] + step; to < 0 || to >= g.Size {
			step = -step
		}
		d[i] = min(max(d[i]+step, 0), g.Size-1)
	}
}
