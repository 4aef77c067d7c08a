package local

import (
	"context"
	"slices"
	"testing"

	"pimflow/internal/candidate"
	"pimflow/internal/device"
	"pimflow/internal/fake"
	"pimflow/internal/plan"
)

// climberOf is a climber at a graph whose nodes are whole on given lanes.
func climberOf(s *candidate.Store, lanes ...int) *climber {
	var parts []*candidate.Partition
	for i, lane := range lanes {
		parts = append(parts, candidate.NewPartition(s.Whole(i, lane)))
	}
	r := Default().improvement(context.Background(), s, wholes(s), candidate.Linear{Time: 1})
	return r.newClimber((&candidate.Scheduler{Store: s}).Schedule(0, parts))
}

// TestEstimate: two nodes in two bands take 10 and 20 a row, on the GPU 10 and 21, so that the second node starts with the
// first band of the first one. The chain as it is takes the time from its first start to its last end.
func TestEstimate(t *testing.T) {
	s := store(fake.Chain(3, 2), duo(0, func(pim bool, k, lo, hi int) device.Time {
		if k == 2 && !pim {
			return 21 * device.Time(hi-lo)
		}
		return []device.Time{7, 10, 20}[k] * device.Time(hi-lo)
	}))
	c := climberOf(s, 0, 0, 1)
	b, chain := &c.bands, []int{1, 2}
	b.begin(c.bandings.of(c, chain, plan.Rows, 0), chain) // halves
	for _, x := range []struct {
		first, second int
		want          float64
	}{
		{0, 1, 10 + 20 + 20}, {1, 0, 10 + 21 + 21}, {0, 0, 20 + 42}, {1, 1, 20 + 40},
	} {
		if !b.pick(c, func(_ *climber, _, k, _ int) int { return []int{x.first, x.second}[k] }) {
			t.Fatal("no tiles")
		}
		if got := b.estimate(c); got != x.want {
			t.Errorf("lanes %d and %d: %v, want %v", x.first, x.second, got, x.want)
		}
	}
	if got := c.spanOf([]int{1, 2}); got != 20+40 {
		t.Errorf("the chain takes %v, want 60", got)
	}
	if got := c.spanOf([]int{0, 1}); got != 14+20 {
		t.Errorf("the first two take %v, want 34", got)
	}
	// 14 + 20 on the GPU and 40 on the PIM, of a value of 74; both nodes on the PIM would keep it busy for
	// 60, on the GPU for 76, which is no gain.
	for lane, want := range []bool{false, true} {
		b.pick(c, func(*climber, int, int, int) int { return lane })
		if got := b.fits(c); got != want {
			t.Errorf("all on lane %d: fits %t", lane, got)
		}
	}
}

// TestClimberState: what a climber keeps of its window beside it is what the window says, whatever moves were
// accepted; and no move makes the objective worse.
func TestClimberState(t *testing.T) {
	moved := 0
	for seed := range uint64(30) {
		s := store(drawn(seed))
		if !s.Complete() { // cost all on both devices
			for i := range s.Order {
				s.Choices(i, candidate.Linear{Time: 1})
			}
		}
		r := Default().improvement(context.Background(), s, nil, candidate.Linear{Time: 1})
		var parts []*candidate.Partition
		for i := range s.Order {
			r.choices = append(r.choices, s.Choices(i, r.o))
			parts = append(parts, r.choices[i][len(r.choices[i])-1])
		}
		c := r.newClimber((&candidate.Scheduler{Store: s}).Schedule(0, parts))
		last := c.value
		for _, m := range moves {
			for i := range parts {
				m.apply(c, i)
				var least [candidate.Lanes]device.Time
				for _, d := range c.cur.Partitions {
					for k := range least {
						least[k] += d.Least[k]
					}
				}
				if c.value > last || c.value != r.o.Cost(c.cur) || c.least != least {
					t.Fatalf("seed %d, %s at %d: value %v after %v, of the window %v; busy %v, of the window %v", seed, m.name, i, c.value, last, r.o.Cost(c.cur), c.least, least)
				}
				if c.value < last {
					moved++
				}
				last = c.value
				fresh := c.Predecessors(0, c.cur.Partitions)
				for n := range fresh {
					for tile := range fresh[n].Tiles() {
						if !slices.Equal(fresh[n].Of(tile), c.preds[n].Of(tile)) {
							t.Fatalf("seed %d, %s at %d: node %d waits for %v, by its partition for %v", seed, m.name, i, n, c.preds[n].Of(tile), fresh[n].Of(tile))
						}
					}
				}
				w := s.NewWindow(0, c.cur.Partitions, c.cur.Tiles)
				if w.Time != c.cur.Time || w.Energy != c.cur.Energy || !slices.Equal(w.Spans, c.cur.Spans) || !slices.Equal(w.Fused, c.cur.Fused) {
					t.Fatalf("seed %d, %s at %d: the window takes %d, its tiles %d", seed, m.name, i, c.cur.Time, w.Time)
				}
			}
		}
	}
	if moved < 20 {
		t.Errorf("%d moves gained", moved)
	}
}
