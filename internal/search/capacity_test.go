package search

import (
	"math"
	"math/rand/v2"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/fake"
	"pimflow/internal/graph"
	"pimflow/internal/memory"
	"pimflow/internal/plan"
	"pimflow/internal/program"
)

// TestFill: no set of loads that fits gains more, by trying all.
func TestFill(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		list, rows := make([]load, random.IntN(9)), random.IntN(60)
		for i := range list {
			list[i] = load{1 + random.IntN(20), float64(random.IntN(40) - 8)}
		}
		sum := func(in func(i int) bool) (n int, gain float64) {
			for i, x := range list {
				if in(i) {
					n, gain = n+x.rows, gain+x.gain
				}
			}
			return n, gain
		}
		most := 0.0
		for set := range 1 << len(list) {
			if n, gain := sum(func(i int) bool { return set>>i&1 == 1 }); n <= rows {
				most = max(most, gain)
			}
		}
		stays := fill(rows, list)
		n, gain := sum(func(i int) bool { return stays[i] })
		if n > rows || gain != most {
			t.Errorf("%v in %d rows: %v take %d and gain %v: %v wanted", list, rows, stays, n, gain, most)
		}
		for i, x := range list {
			if stays[i] && x.gain <= 0 {
				t.Errorf("%v stays", x)
			}
		}
	}
}

// banks is a memory in which each node on the PIM wants rows that are drawn, in two layouts if it is cut there.
type banks struct {
	seed uint64
	rows int
}

// fits is Target.Fits.
func (b banks) fits(p *program.Program) error {
	full, want, at := &memory.FullError{Rows: b.rows}, 0, map[graph.ID]int{}
	for _, s := range p.Steps {
		if s.Device != plan.PIM {
			continue
		}
		rows := 1 + rand.New(rand.NewPCG(b.seed, uint64(s.Node))).IntN(6)
		k, ok := at[s.Node]
		if !ok {
			k = len(full.Demands)
			at[s.Node], full.Demands = k, append(full.Demands, memory.Demand{Node: s.Node})
		}
		if full.Demands[k].Rows < 2*rows {
			full.Demands[k].Rows += rows
			if want += rows; want > b.rows {
				full.Nodes = append(full.Nodes, s.Node)
			}
		}
	}
	if want <= b.rows {
		return nil
	}
	return full
}

// TestMoreRowsNoSlower: a plan takes no longer where banks have more rows, as long as not all weights fit.
func TestMoreRowsNoSlower(t *testing.T) {
	auto, err := Lookup("auto")
	if err != nil {
		t.Fatal(err)
	}
	differ := 0
	for seed := range uint64(8) {
		random := rand.New(rand.NewPCG(seed, 5))
		g := fake.Wild(random, 4+random.IntN(5), 1, 2, 4)
		search := func(fits func(*program.Program) error) *Result {
			to := synthetic(seed, 5)
			to.Unbounded, to.Fits = true, fits
			s := newSearch(g, to)
			s.always = 0
			r, err := s.best(t.Context(), auto)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		free := search(nil)
		before := device.Time(math.MaxInt64)
		for rows := 0; (banks{seed, rows}).fits(free.Timeline.Program) != nil; rows++ {
			r := search(banks{seed, rows}.fits)
			if r.Timeline.Total > before {
				t.Errorf("seed %d: %v with %d rows, %v with fewer", seed, r.Timeline.Total, rows, before)
			} else if r.Timeline.Total < before && rows > 0 {
				differ++
			}
			before = r.Timeline.Total
		}
	}
	if differ < 10 {
		t.Errorf("%d times more rows are faster", differ)
	}
}
