package local

import (
	"context"
	"hash/fnv"
	"math/rand/v2"
	"slices"

	"pimflow/internal/candidate"
)

// sizes are how many nodes the groups of an iteration have at most, by round.
var sizes = []int{20, 12, 5}

// Iterate goes on from windows that Improve returned, in rounds: groups of windows, each time with
// other borders, are left at random places and climbed again. A group keeps what is better. No round
// begins after so many tiles are placed or looked at for each node. What a group tries depends on its
// nodes and on the round alone, so that the result depends on the effort and not on threads. A round
// that ctx ends changes nothing: reached is the effort that has the same result. tell is told after each
// round how many steps of how many are taken. enough is asked before the first round, and then from the effort on that it names, whether
// windows are good enough after so much effort: then no round follows.
//
// After some effort (Alone) a second list goes on beside the first. It follows a kick for more schedules, begins each round with the
// better parts of both, and at first also has those of second, windows from another start, of which there may be none. The first goes
// on as before. The result is the better of the two.
//
// In the literature: iterated local search (Lourenço, Martin and Stützle 2003), with a threshold of
// acceptance that is drawn (simulated annealing at a constant temperature); memetic search with a population of two.
func (opt *Options) Iterate(ctx context.Context, s *candidate.Store, choices [][]*candidate.Partition, list []*candidate.Window, o candidate.Linear, effort int64, second func() []*candidate.Window, enough func(list []*candidate.Window, effort int64) (end bool, next int64), tell func(steps, of int64)) (better []*candidate.Window, reached int64) {
	n := int64(len(s.Order))
	if n == 0 {
		return list, effort
	}
	r := opt.improvement(ctx, s, choices, o)
	var other []*candidate.Window // the second list
	asked := int64(0)             // the effort after which enough is asked again
	for round := 0; r.steps.Load() < effort*n; round++ {
		steps := r.steps.Load()
		if effort := steps / n; effort >= asked {
			var end bool
			if end, asked = enough(r.shorter(list, other), effort); end {
				break
			}
		}
		first := r.round(list, round, 0)
		next := other
		if steps >= r.Alone*n {
			from := crossover(first, other, o)
			if other == nil {
				from = crossover(from, second(), o)
			}
			next = r.round(from, round, 1)
		}
		if ctx.Err() != nil {
			return r.shorter(list, other), steps / n
		}
		list, other = first, next
		tell(r.steps.Load(), effort*n)
	}
	return r.shorter(list, other), effort
}

// shorter is the list of the lower objective as one window; the first on a tie. The second may be nil.
func (r *improvement) shorter(a, b []*candidate.Window) []*candidate.Window {
	of := func(list []*candidate.Window) float64 {
		w := r.Merge(list)
		return r.o.Of(w.Time, w.Energy)
	}
	if b != nil && of(b) < of(a) {
		return b
	}
	return a
}

// round leaves and climbs the windows of one of the two lists.
func (r *improvement) round(list []*candidate.Window, round, which int) (better []*candidate.Window) {
	groups := groupsOf(list, r.sizes[round%len(r.sizes)], round/len(r.sizes)%2 == 1)
	of := r.outcomes(groups, nil, map[string]*outcome{}, func(w []*candidate.Window, key string) func(*climber) {
		seed := uint64(w[0].Lo)
		if key != "" { // groups alike have one outcome
			h := fnv.New64a()
			h.Write([]byte(key))
			seed = h.Sum64()
		}
		random := rand.New(rand.NewPCG(seed, uint64(round)+uint64(which)<<32))
		return func(c *climber) { c.kick(random, r.patiences[which]) }
	})
	for i, w := range groups {
		if b := r.apply(of[i], w[0].Lo); b != nil {
			w = b
		}
		better = append(better, w...)
	}
	return better
}

// kick changes random nodes at random and climbs, over and over. It goes on from where that ends
// unless that is longer by more than a share that is drawn with the mean Heat, and returns to the
// best in the end. patience is how many schedules follow a kick at most.
func (c *climber) kick(random *rand.Rand, patience int) {
	best, value := c.cur, c.value
	for range c.Kicks * len(c.pending) {
		if c.exhausted() || c.ctx.Err() != nil {
			break
		}
		cur, at := c.cur, c.value
		parts := slices.Clone(cur.Partitions)
		lo := random.IntN(len(parts))
		hi := min(len(parts), lo+1+random.IntN(c.Kick))
		c.kicks[random.IntN(len(c.kicks))](c, random, parts[lo:hi], lo)
		c.preds = c.Predecessors(cur.Lo, parts)
		c.adopt(c.Schedule(cur.Lo, parts))
		clear(c.pending)
		for i := lo; i < hi; i++ {
			c.mark(i)
		}
		c.trials, c.maxTrials = 0, patience
		c.climb()
		if c.value < value {
			best, value = c.cur, c.value
		}
		if c.value > at+c.Heat*value*random.ExpFloat64() {
			c.preds = c.Predecessors(cur.Lo, cur.Partitions)
			c.adopt(cur)
		}
	}
	c.adopt(best)
}

// kick is a random change of consecutive nodes, of which the first is the lo-th of the window.
type kick func(c *climber, random *rand.Rand, parts []*candidate.Partition, lo int)

// kicks is the table of random changes.
var kicks = []kick{anyPartitions, anyDevice, alike}

// anyPartitions gives each node any of its partitions.
func anyPartitions(c *climber, random *rand.Rand, parts []*candidate.Partition, lo int) {
	for i := range parts {
		list := c.choices[c.cur.Lo+lo+i]
		parts[i] = list[random.IntN(len(list))]
	}
}

// anyDevice puts all nodes on one device.
func anyDevice(c *climber, random *rand.Rand, parts []*candidate.Partition, lo int) {
	lane := random.IntN(len(c.Store.Devices))
	for i := range parts {
		if p := c.asked.Whole(c.cur.Lo+lo+i, lane); p != nil {
			parts[i] = candidate.NewPartition(p)
		}
	}
}

// alike cuts all nodes along one dimension in two parts of the same shares.
func alike(c *climber, random *rand.Rand, parts []*candidate.Partition, lo int) {
	dims := c.Store.Dims(c.cur.Lo + lo)
	if len(dims) == 0 || len(c.Store.Devices) < candidate.Lanes {
		return
	}
	dim, share, first := dims[random.IntN(len(dims))], random.Float64(), random.IntN(2)
	for i := range parts {
		nd := c.Store.Node(c.cur.Lo + lo + i)
		if !slices.Contains(c.Store.Dims(c.cur.Lo+lo+i), dim) {
			continue
		}
		extent := nd.Shape[dim]
		at := int(share * float64(extent))
		if at < 1 || at >= extent {
			continue
		}
		if d := c.asked.Cut(c.cur.Lo+lo+i, dim, []int{at, extent}, []int{first, 1 - first}); d != nil {
			parts[i] = d
		}
	}
}
