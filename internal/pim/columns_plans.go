package pim

import "slices"

// cutSize is a number of teams and a size of chunks.
type cutSize struct{ teams, size int }

// plans lists the ways to execute a layer whose weights fit the banks. If none
// fits, need is the smallest number of rows that one wanted.
func (c *columns) plans(l *layer, r *scratch) (plans []planned, need int) {
	var seen [][]part
	shares, plans := r.set(0, c.d.channels), r.plans[:0]
	defer func() { r.plans = plans }()
	var likely []cutSize
	for _, o := range c.orders(l) {
		l, merge, before := o.layer, o.merge, len(plans)
		for _, size := range c.sizes(l, o.blocks) {
			ps := c.parts(l, o.blocks, size)
			if slices.ContainsFunc(seen, func(o []part) bool { return slices.EqualFunc(o, ps, part.equal) }) {
				continue
			}
			seen = append(seen, slices.Clone(ps))
			for i := range ps {
				ps[i].sumUp()
			}
			counts := c.d.teamCounts(ps)
			if l.byTap { // the others are not likely to be better now
				counts = slices.DeleteFunc(counts, func(n int) bool { return !slices.Contains(likely, cutSize{n, size}) })
			}
			patterns := c.patterns(ps[0].cols)
			made := make([][]part, len(patterns)) // with each of them
			for _, teams := range counts {
				p := planned{way: way{scheme: c, layer: l, merge: merge, teams: teams, parts: ps}, size: size}
				p.assign(shares)
				for k, pattern := range patterns {
					for i := range ps {
						ps[i].pattern = pattern
						ps[i].pack = max(1, c.d.columns/ps[i].cols)
					}
					p.foreseen = c.all(shares, c.foresee)
					if p.rows <= c.d.rows && p.timely {
						if made[k] == nil {
							made[k] = slices.Clone(ps)
						}
						q := p
						q.parts = made[k]
						plans = append(plans, q)
					} else if p.rows > c.d.rows && (need == 0 || p.rows < need) {
						need = p.rows
					}
				}
			}
		}
		if !l.byTap {
			likely = best(plans[before:])
		}
	}
	return plans, need
}

// best are teams and sizes of the plans with the best estimates.
func best(plans []planned) (all []cutSize) {
	const most = 8 // of 20 and more, with which golden layers are no faster
	for len(all) < most {
		best := -1
		for i := range plans {
			if p := &plans[i]; (best < 0 || p.estimate < plans[best].estimate) && !slices.Contains(all, cutSize{p.teams, p.size}) {
				best = i
			}
		}
		if best < 0 {
			break
		}
		all = append(all, cutSize{plans[best].teams, plans[best].size})
	}
	return all
}

// order is a layer in an order of K, its groups taken together.
type order struct {
	*layer
	merge  int
	blocks []block
}

// orders are those that are tried: channel by channel, and tap by tap where padding can
// be left out.
func (c *columns) orders(l *layer) (all []order) {
	for _, merge := range l.merges(c.d.outputs) {
		for _, l := range []*layer{l, l.skipping(merge, c.d.lanes)} {
			if l == nil {
				continue
			}
			o := order{l, merge, l.blocks(merge, c.d.lanes)}
			for i := range o.blocks {
				o.blocks[i].skips = l.skips(&o.blocks[i])
			}
			all = append(all, o)
		}
	}
	return all
}
