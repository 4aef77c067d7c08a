package explore

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// grid is a space of all designs of genes, whose random order is that of a seed: of the many of a large space 100,000 draws.
func grid(seed uint64, genes ...Gene) *Space {
	size := 1
	for _, g := range genes {
		size *= g.Size
	}
	r := rand.New(rand.NewPCG(seed, 99))
	order := make([]int, 100_000)
	if size <= len(order) {
		order = r.Perm(size)
	} else {
		for i := range order {
			order[i] = r.IntN(size)
		}
	}
	return &Space{
		Genes:   genes,
		Allowed: func([]int) bool { return true },
		Drawn: func(n int) ([]int, bool) {
			if n >= len(order) {
				return nil, false
			}
			d, at := make([]int, len(genes)), order[n]
			for i := range d {
				d[i], at = at%genes[i].Size, at/genes[i].Size
			}
			return d, true
		},
	}
}

// explored runs a method to its end, and returns the designs that it asked for, with their objectives at the last level.
func explored(t testing.TB, m Method, f func(d []int, level int) []float64) (list []outcome) {
	at := map[string]int{}
	for {
		trials := m.Ask()
		if len(trials) == 0 {
			return list
		}
		var told [][]float64
		for _, x := range trials {
			o := f(x.Design, x.Level)
			told = append(told, o)
			i, ok := at[key(x.Design)]
			if ok == (x.Level == 0) {
				t.Fatalf("%v at level %d: known %v", x.Design, x.Level, ok)
			}
			if !ok {
				i = len(list)
				at[key(x.Design)], list = i, append(list, outcome{})
			}
			list[i] = outcome{design: slices.Clone(x.Design), objectives: o}
		}
		m.Tell(told)
	}
}

// hypervolume is the area that two objectives dominate within 0 to most in each.
//
// In the literature: the hypervolume indicator (Zitzler and Thiele 1998).
func hypervolume(list []outcome, most float64) (area float64) {
	var points [][]float64
	for _, x := range list {
		if x.objectives != nil && x.objectives[0] < most && x.objectives[1] < most {
			points = append(points, x.objectives)
		}
	}
	slices.SortFunc(points, func(a, b []float64) int { return slices.Compare(a, b) })
	low := most
	for _, p := range points {
		if p[1] < low {
			area += (most - p[0]) * (low - p[1])
			low = p[1]
		}
	}
	return area
}

// ordered are n genes of so many values.
func ordered(n, size int) (genes []Gene) {
	for range n {
		genes = append(genes, Gene{size, true})
	}
	return genes
}

// Test problems with known fronts (Deb et al. 2002, table I), on a grid: SCH has its front where x is from 0 to 2, ZDT1 and ZDT2 where all genes
// but the first are 0.
var problems = []struct {
	name  string
	genes []Gene
	of    func(d []int) []float64
	front func(d []int) bool
	most  float64
}{
	{"SCH", ordered(1, 4001), func(d []int) []float64 {
		x := float64(d[0]-2000) / 100
		return []float64{x * x, (x - 2) * (x - 2)}
	}, func(d []int) bool { return d[0] >= 2000 && d[0] <= 2200 }, 10},
	{"ZDT1", ordered(5, 16), func(d []int) []float64 {
		f, g := zdt(d)
		return []float64{f, g * (1 - math.Sqrt(f/g))}
	}, flat, 6},
	{"ZDT2", ordered(5, 16), func(d []int) []float64 {
		f, g := zdt(d)
		return []float64{f, g * (1 - f*f/(g*g))}
	}, flat, 6},
	// Two categories: the first gene chooses between fronts, of which one dominates the other.
	{"categories", []Gene{{5, false}, {64, true}, {7, false}}, func(d []int) []float64 {
		f := float64(d[1]) / 63
		shift := []float64{3, 1, 0, 2, 4}[d[0]] + []float64{1, 2, 3, 0, 4, 5, 6}[d[2]]/2
		return []float64{f + shift, 1 - f + shift}
	}, func(d []int) bool { return d[0] == 2 && d[2] == 3 }, 8},
}

func zdt(d []int) (f, g float64) {
	for _, x := range d[1:] {
		g += float64(x) / 15
	}
	return float64(d[0]) / 15, 1 + 9*g/float64(len(d)-1)
}

func flat(d []int) bool { return !slices.ContainsFunc(d[1:], func(x int) bool { return x > 0 }) }

// TestNSGA2 searches fronts that are known: half of the last generation or more is on them, and the hypervolume is larger than that of as many
// designs at random.
func TestNSGA2(t *testing.T) {
	for _, p := range problems {
		for seed := range uint64(3) {
			s := grid(seed, p.genes...)
			of := func(d []int, _ int) []float64 { return p.of(d) }
			m := NewNSGA2(s, 600, 0, seed)
			got := explored(t, m, of)
			if len(got) != 600 {
				t.Fatalf("%s: %d designs", p.name, len(got))
			}
			on := 0
			for _, x := range m.parents {
				if p.front(x.design) {
					on++
				}
			}
			var random []outcome
			for n := range 600 {
				d, _ := s.Drawn(n)
				random = append(random, outcome{objectives: p.of(d)})
			}
			a, b := hypervolume(got, p.most), hypervolume(random, p.most)
			t.Logf("%s, seed %d: %d of %d on the front, hypervolume %.3f, at random %.3f", p.name, seed, on, len(m.parents), a, b)
			if 2*on < len(m.parents) || a <= b {
				t.Errorf("%s, seed %d: %d of %d on the front, hypervolume %.3f, at random %.3f", p.name, seed, on, len(m.parents), a, b)
			}
		}
	}
}

// TestAsked: whatever the space, no design is asked for that is not allowed, or twice; the same seed asks for the same; a space that is small is
// searched to its end; designs without objectives are last.
func TestAsked(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var genes []Gene
		size := 1
		for range rapid.IntRange(1, 4).Draw(r, "genes") {
			g := Gene{rapid.IntRange(1, 6).Draw(r, "size"), rapid.Bool().Draw(r, "ordered")}
			genes, size = append(genes, g), size*g.Size
		}
		s := grid(rapid.Uint64().Draw(r, "order"), genes...)
		modulus := rapid.IntRange(1, 5).Draw(r, "modulus")
		sum := func(d []int) (n int) {
			for i, x := range d {
				n += (i + 1) * x
			}
			return n
		}
		allowed := 0
		for n := range size {
			if d, _ := s.Drawn(n); sum(d)%modulus == 0 {
				allowed++
			}
		}
		s.Allowed = func(d []int) bool { return sum(d)%modulus == 0 }
		designs, seed := rapid.IntRange(1, 60).Draw(r, "designs"), rapid.Uint64().Draw(r, "seed")
		levels := rapid.IntRange(1, 3).Draw(r, "levels")
		population := rapid.IntRange(0, 9).Draw(r, "population")
		value := func(d []int, level int) []float64 {
			if sum(d)%3 == 1 {
				return nil
			}
			return []float64{float64(sum(d) % 7), float64(d[0])}
		}
		for name, make := range map[string]func() Method{
			"nsga2":   func() Method { return NewNSGA2(s, designs, population, seed) },
			"halving": func() Method { return NewHalving(s, designs, levels) },
		} {
			a := explored(t, make(), value)
			if b := explored(t, make(), value); fmt.Sprint(a) != fmt.Sprint(b) {
				r.Fatalf("%s: %v, then %v", name, a, b)
			}
			if len(a) != min(designs, allowed) {
				r.Fatalf("%s: %d designs of %d allowed, %d wanted", name, len(a), allowed, designs)
			}
			for _, x := range a {
				if !s.Allowed(x.design) {
					r.Fatalf("%s: %v", name, x.design)
				}
			}
		}
	})
}

// TestRank compares ranks with their definition: a design of rank n is dominated by one of rank n-1, and by none of its own.
func TestRank(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var list []*outcome
		for range rapid.IntRange(1, 30).Draw(r, "designs") {
			x := &outcome{}
			if rapid.IntRange(0, 5).Draw(r, "with") > 0 {
				for range 3 {
					x.objectives = append(x.objectives, float64(rapid.IntRange(0, 4).Draw(r, "objective")))
				}
			}
			list = append(list, x)
		}
		rank(list)
		for _, x := range list {
			above := x.rank == 0
			for _, y := range list {
				if dominates(y.objectives, x.objectives) {
					above = above || y.rank == x.rank-1
					if y.rank >= x.rank {
						r.Fatalf("%v of rank %d, %v of rank %d", y.objectives, y.rank, x.objectives, x.rank)
					}
				}
			}
			if !above {
				r.Fatalf("%v of rank %d: nothing of the rank before dominates it", x.objectives, x.rank)
			}
		}
	})
}

// TestCrowd: distances are by hand.
func TestCrowd(t *testing.T) {
	front := []*outcome{{objectives: []float64{0, 10}}, {objectives: []float64{1, 5}}, {objectives: []float64{4, 4}}, {objectives: []float64{10, 0}}}
	rank(front)
	for i, want := range []float64{math.Inf(1), 0.4 + 0.6, 0.9 + 0.5, math.Inf(1)} {
		if got := front[i].crowding; math.Abs(got-want) > 1e-12 && got != want {
			t.Errorf("design %d: %v, %v wanted", i, got, want)
		}
	}
	if got := best(front, 3); got[2] != front[2] {
		t.Errorf("%v is kept: the one with the most room wanted", got[2].objectives)
	}
}

// TestHalving: the best third goes on, and those without objectives do not.
func TestHalving(t *testing.T) {
	s := grid(1, ordered(1, 27)...)
	levels := make([][]int, 4)
	explored(t, NewHalving(s, 27, 4), func(d []int, level int) []float64 {
		levels[level] = append(levels[level], d[0])
		if d[0] == 5 && level == 0 || (d[0] < 3 || d[0] > 4) && level == 1 {
			return nil
		}
		return []float64{float64(d[0]), float64(d[0])}
	})
	for _, l := range levels {
		slices.Sort(l)
	}
	want := [][]int{levels[0], {0, 1, 2, 3, 4, 6, 7, 8, 9}, {3, 4}, {3}}
	if len(levels[0]) != 27 || fmt.Sprint(levels) != fmt.Sprint(want) {
		t.Errorf("%v, %v wanted", levels, want)
	}
	if got := Rungs(27, 4); !slices.Equal(got, []int{27, 9, 3, 1}) {
		t.Error(got)
	}
}

func BenchmarkNSGA2(b *testing.B) {
	p := problems[1]
	for b.Loop() {
		explored(b, NewNSGA2(grid(0, ordered(3, 32)...), 2000, 0, 1), func(d []int, _ int) []float64 { return p.of(d) })
	}
}
