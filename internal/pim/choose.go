package pim

import (
	"math"
	"sync"

	"pimflow/internal/device"
	"pimflow/internal/dram"
)

// way is a mapping without its shares: the form of the layer, the tiling of K, the teams and
// the parts.
//
// In the literature: a mapping (loop order, tiling and spatial partition), as in Timeloop
// (Parashar et al., ISPASS 2019).
type way struct {
	scheme scheme
	layer  *layer // in the order of K of the mapping
	merge  int    // groups of the convolution in a matrix
	tiling string // name of the tiling of K, if any
	teams  int    // of channels; 0: even shares
	used   int    // channels that get work; 0: all
	parts  []part
}

// mapping is a way and the work of each channel under it.
type mapping struct {
	way
	shares  []share       // by channel; kept while mappings are compared, as what follows
	results []dram.Result // of each channel's stream; nil: not all are simulated
	costed  *device.Cost
	place   int  // among the candidates
	work    work // of all channels

	most    int        // the channel that issues most commands
	total   int64      // commands of all channels
	moved   int64      // elements, to and from all channels
	merged  int64      // results left when each channel has added up its own sums of an output; set of the chosen one
	slowest dram.Cycle // of the channels that were simulated
	elapsed dram.Cycle // the longer of slowest and the link's time
	beaten  bool       // a channel was slower than the best mapping; the channels after it were not simulated
}

// candidate is a mapping that has not been simulated.
type candidate struct {
	way
	estimate      // of the slowest channel
	work     work // of all channels, where the link decides and they are counted
}

// chosenMapping is the mapping of layers of one form, computed once.
type chosenMapping struct {
	once sync.Once
	best *mapping
	cost device.Cost
	err  error
}

// mappingOf chooses the mapping of a layer, once for all layers of its form. Networks have
// many.
func (d *Device) mappingOf(l *layer) *chosenMapping {
	f := l.form(d.traits.padding)
	d.mu.Lock()
	c := d.chosen[f]
	if c == nil {
		c = &chosenMapping{}
		d.chosen[f] = c
	}
	d.mu.Unlock()
	c.once.Do(func() {
		r := d.enter()
		defer d.leave(r)
		if c.best, c.err = d.best(l, r); c.err == nil {
			c.cost, c.best.merged = *d.costOf(c.best), d.merged(c.best)
			c.best.shares, c.best.results, c.best.costed = nil, nil, nil
		}
	})
	return c
}

// choose simulates candidates by ascending estimate until all others are estimated to be slower by
// traits.beyond, and returns the one with the least elapsed time, of equal ones that of least energy,
// and all that were simulated. The shares are in the scratch memory; those of best stay there.
//
// In the literature: a mapper that ranks candidates by an analytical model and simulates the
// best.
func (d *Device) choose(l *layer, memory *scratch) (best *mapping, tried []*mapping, err error) {
	c := comparison{Device: d, memory: memory, keep: true}
	if err = c.compare(l); err != nil {
		return nil, nil, err
	}
	c.best.results = nil
	return c.best, c.tried, nil
}

// best is the mapping that choose returns. Candidates that certainly lose are not simulated.
func (d *Device) best(l *layer, memory *scratch) (*mapping, error) {
	c := comparison{Device: d, memory: memory}
	if err := c.compare(l); err != nil {
		return nil, err
	}
	return c.best, nil
}

// afterLink makes the estimate of a candidate that of the link where that takes longer.
func (d *Device) afterLink(p *candidate) {
	p.cycles = max(p.cycles, int64(d.link.cycles(p.moved*int64(d.element), d.m.Clock)))
}

// count adds up the commands of the channels.
func (m *mapping) count() {
	var most int64
	var w work
	for i, s := range m.shares {
		if i == 0 || !s.alike(m.shares[i-1]) {
			w = m.scheme.work(s)
		}
		n := w.commands()
		if n > most {
			m.most, most = i, n
		}
		m.total += n
		m.moved += w.moved
		m.work = m.work.with(w)
	}
}

// work is the commands of a share by what they do, the visits to a row, and the elements moved
// over the bus.
type work struct{ writes, acts, visits, comps, inits, reads, moved int64 }

// with is the work of both.
func (w work) with(o work) work {
	return work{w.writes + o.writes, w.acts + o.acts, w.visits + o.visits, w.comps + o.comps, w.inits + o.inits, w.reads + o.reads, w.moved + o.moved}
}

// times is the work of so many channels.
func (w work) times(n int64) work {
	return work{w.writes * n, w.acts * n, w.visits * n, w.comps * n, w.inits * n, w.reads * n, w.moved * n}
}

func (w work) commands() int64 { return w.writes + w.acts + w.comps + w.inits + w.reads }

// slowest returns the cycle at which the last channel ends. At the first channel that takes
// longer than limit it stops, with done false. The results of all channels go to those of the mapping, if it has any.
func (d *Device) slowest(m *mapping, limit dram.Cycle) (t dram.Cycle, done bool) {
	busy := func(i int) (r dram.Result) {
		r = d.time(m.shares[i])
		t = max(t, dram.Cycle(d.busy(m, m.shares[i], r)))
		return r
	}
	// The channel with most commands nearly always decides.
	var last dram.Result
	most := busy(m.most)
	for i := 0; i < len(m.shares) && t <= limit; i++ {
		switch {
		case i == m.most:
			last = most
		case i == 0 || !m.shares[i].alike(m.shares[i-1]):
			last = busy(i)
		}
		if m.results != nil {
			m.results[i] = last
		}
	}
	return t, t <= limit
}

// tooLate is the time of a stream that delays a refresh for longer than the DRAM allows. A
// simulator's limit is no such rule.
const tooLate = dram.Cycle(math.MaxInt64)

// cycles are those of a result.
func (d *Device) cycles(r dram.Result) dram.Cycle {
	if r.Overflow && d.traits.refresh.strict {
		return tooLate
	}
	return r.Cycles
}

// refreshes are the refreshes of a channel. The zero value is a channel without.
type refreshes struct {
	op       dram.Op
	cycles   float64 // of one refresh
	closing  float64 // from the end of a stream to a refresh that is still due
	interval float64 // from a refresh to the next
	strict   bool    // a stream that delays one for too long is not allowed
}

// time simulates a share on a channel. Shares of one shape are simulated once.
func (d *Device) time(s share) dram.Result {
	if len(s) == 0 {
		return dram.Result{}
	}
	var buf [256]byte
	key := d.scheme.shape(buf[:0], s)
	d.mu.Lock()
	r, ok := d.timed[string(key)]
	d.mu.Unlock()
	if !ok {
		room := d.enter()
		r = d.channel.Time(d.scheme.stream(writer{d: d, bare: true, batches: &room.batches, arena: &room.arena}, s))
		room.arena.reset()
		d.leave(room)
		d.mu.Lock()
		d.timed[string(key)] = r
		d.mu.Unlock()
	}
	return r
}

// scratch is the memory in which the mappings of a layer are compared. It is used for one
// layer after another.
//
// In the literature: a scratch arena.
type scratch struct {
	shares       [3][]share       // of the candidate being made, and of the two mappings being compared
	results      [2][]dram.Result // of these two
	tied         []tied
	candidates   []candidate
	every        bool // also candidates that share the work out as others do
	columns      columnRoom
	accumulators accumulatorRoom
	arena        arena
	batches      batchArena // of streams without addresses
}

func (d *Device) newScratch() *scratch {
	const spans = 6 // of most channels
	m := new(scratch)
	for i := range m.results {
		m.results[i] = make([]dram.Result, d.channels)
	}
	for i := range m.shares {
		all := make(share, d.channels*spans)
		for c := range d.channels {
			m.shares[i] = append(m.shares[i], all[c*spans:c*spans:(c+1)*spans])
		}
	}
	return m
}

// enter returns scratch memory that nobody else uses until it is left.
func (d *Device) enter() *scratch {
	if r, ok := d.scratches.Get().(*scratch); ok {
		return r
	}
	return d.newScratch()
}

func (d *Device) leave(r *scratch) { d.scratches.Put(r) }
