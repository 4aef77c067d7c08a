package pim

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestFillings: of drawn layers on drawn numbers of channels and accumulators, no filling has an estimate below its bound or that of its
// chunks, and none is better than the best candidate.
func TestFillings(t *testing.T) {
	draws := 30
	if *long {
		draws = 1000
	}
	r := rand.New(rand.NewPCG(5, 6))
	n, near := 0, 0
	for range draws {
		c := smallSquare(r, []string{"aim", "lpddr5-aim"}[r.IntN(2)])
		c.accumulator, c.size = 1+r.IntN(8), 1+r.IntN(9)
		if r.IntN(4) == 0 && c.kernel == 3 {
			c.group, c.out = c.in/4, c.in
		}
		d, l := c.device(t), c.layer(t).first()
		best := bestEstimate(d, l)
		m := d.newScratch()
		s := &accumulatorSearch{accumulators: d.scheme.(*accumulators), memory: m, limit: math.MaxInt64, accumulatorRoom: &m.accumulators}
		for _, merge := range l.merges(d.outputs) {
			ps := s.parts(l.blocks(merge, d.lanes), 1+r.IntN(d.columns))
			w, cols := way{scheme: s, layer: l, merge: merge, parts: ps}, longest(ps)
			for _, o := range d.shares(ps, nil) {
				for i := range accumulatorDataflows {
					flow := &accumulatorDataflows[i]
					if flow.outputStationary && (len(ps) > 1 || ps[0].chunks == 1) {
						continue
					}
					slots := d.columns / cols
					x := filling{sharing: o, flow: flow, groups: 1 + r.IntN(slots)}
					x.pixels = 1 + r.IntN(slots/x.groups)
					bound, _ := s.bound(ps, &x)
					s.list, s.limit = s.list[:0], math.MaxInt64
					if s.estimateFilling(w, &x); len(s.list) == 0 {
						continue // sums that stay have too few accumulators
					}
					n++
					e := s.list[0].cycles
					if least := s.leastOf(ps); bound > e || least > e {
						t.Errorf("%+v: %v, %d x %d: estimate %d, bounds %d and %d", c, &mapping{way: s.list[0].way}, x.pixels, x.groups, e, bound, least)
					}
					if e < best {
						t.Errorf("%+v: %v, %d x %d: estimate %d, the best candidate's is %d", c, &mapping{way: s.list[0].way}, x.pixels, x.groups, e, best)
					}
					if float64(bound) > 0.9*float64(e) {
						near++
					}
				}
			}
		}
	}
	t.Logf("%d of %d bounds are within 10 %%", near, n)
	if n < 10*draws || near < n/5 {
		t.Errorf("%d of %d bounds are within 10 %%", near, n)
	}
}

// TestFewer: the numbers of groups in a row are those of which each needs another number of rows, each the fewest that does.
func TestFewer(t *testing.T) {
	for groups := 1; groups < 70; groups++ {
		rows := map[int]int{} // the fewest groups by rows
		for g := groups; g > 0; g-- {
			rows[ceilDiv(groups, g)] = g
		}
		var all []int
		for g := fewer(groups, groups+1); g > 0; g = fewer(groups, g) {
			if all = append(all, g); rows[ceilDiv(groups, g)] != g {
				t.Errorf("%d groups, %d in a row: not the fewest for as many rows", groups, g)
			}
		}
		if len(all) != len(rows) || !slices.IsSortedFunc(all, func(a, b int) int { return b - a }) {
			t.Errorf("%d groups: %v, %d wanted", groups, all, len(rows))
		}
	}
}
