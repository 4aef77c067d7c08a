package pim

import (
	"encoding/binary"
	"math"

	"pimflow/internal/dram"
	"pimflow/internal/pim/unit"
)

// tooLong is beyond the estimate of any share.
const tooLong = math.MaxInt64

// registerTicks are the cycles that estimates use.
type registerTicks struct {
	comp, write, read int64 // a command to the next of its kind
	store             int64 // a row cycle with one write
	load, more        int64 // registers are written with one write, and with one more
	visit             int64 // a row cycle with one read
	least             int64 // the shortest row cycle
	mode              int64 // a change of mode
	host              int64 // the rows of all units are opened for the host, and closed
	fence             int64 // a wait of the host
	busy              float64
}

func (c *registers) newTicks() registerTicks {
	w := func(after, before dram.Op) int64 { return int64(c.d.channel.Wait(after, before)) }
	act, pre := c.d.ops.Open[0], c.d.ops.Close[0]
	comp, write, read := c.d.ops.Comp[0], c.d.ops.Write[0], c.d.ops.Read
	t := registerTicks{
		comp: w(comp, comp), write: w(write, write), read: w(read, read),
		store: max(w(act, write)+w(write, pre), w(act, pre)) + w(pre, act),
		visit: w(act, comp) + w(comp, pre) + w(pre, act), least: max(w(act, pre)+w(pre, act), w(act, act)),
		mode:  w(c.more.enter, c.more.leave) + w(c.more.leave, act),
		host:  (unit.Units-1)*w(c.more.host, c.more.host) + w(c.more.host, read) + w(read, pre) + w(pre, c.more.enter),
		fence: c.d.timing["fence_ck"], busy: 1,
	}
	if t.load, t.more = t.store, t.write; c.beside {
		t.more = w(c.more.register, c.more.register)
		t.load = t.more
	}
	if r := &c.refresh; r.cycles > 0 && r.interval > r.cycles {
		t.busy = 1 - (r.cycles+float64(w(pre, act)))/r.interval
	}
	return t
}

// work counts commands in the stream. Of the writes, those that store an accumulator move nothing over the pins; the host reads
// it from each unit.
func (c *registers) work(s share) (w work) {
	w = c.count(s, c.stream)
	for i := range s {
		w.visits += s[i].visited()
	}
	return w
}

// count counts the commands that stream writes for a share.
func (c *registers) count(s share, stream func(writer, share) dram.Stream) (w work) {
	if len(s) == 0 {
		return w
	}
	n := make([]int64, len(c.d.ops.names))
	room := c.d.enter()
	stream(writer{d: c.d, bare: true, batches: &room.batches, arena: &room.arena}, s).Count(n)
	room.arena.reset()
	c.d.leave(room)
	w.reads = n[c.d.ops.Read]
	w.inits = w.reads / unit.Units
	w.writes = n[c.d.ops.Write[0]] + n[c.more.register] - w.inits
	w.acts = n[c.d.ops.Open[0]] + n[c.more.enter] + n[c.more.host]
	w.comps = n[c.d.ops.Comp[0]]
	w.moved = (w.writes + w.reads) * unit.Lanes
	return w
}

// visited is the number of row cycles of weights.
func (s *span) visited() int64 {
	x := s.sets()
	rows := (x.sets-1)*ceilDiv(x.groups, groupsRow) + ceilDiv(x.last, groupsRow)
	return int64(s.at[byMatrix].Len()) * int64(s.at[byChunk].Len()) * int64(s.selected()) * int64(rows*s.slices())
}

// estimate adds up row cycles. It is off by programs that are loaded again, and by the place of refreshes.
func (c *registers) estimate(s share) estimate {
	t, cycles := &c.t, int64(0)
	e := estimate{rows: c.rows(s).Len(), timely: true}
	for i := range s {
		sp := &s[i]
		x, times, blocks := sp.sets(), int64(sp.at[byMatrix].Len()*sp.at[byChunk].Len()), sp.selected()
		if sp.together() {
			times, blocks = 1, sp.at[byMatrix].Len()
		}
		block := func(groups int) (ticks, moved int64) {
			vectors, writes := c.d.program.file == unit.GRFA, int64(groups) // zeros
			if ticks = int64(groups) * t.more; !vectors {
				ticks += t.load - t.more
			}
			add := func(times, k int64) {
				row := func(groups int) int64 { return max(t.visit+(int64(groups)*k-1)*t.comp, t.least) }
				each, n := t.load+row(min(groups, groupsRow))+t.fence*int64(1+groups), int64(1)
				if groups > groupsRow {
					each += row(groups - groupsRow)
				}
				if vectors {
					each, n = each+(k-1)*t.more, k
				}
				ticks, writes = ticks+times*each, writes+times*n
			}
			add(int64(sp.cols/slice), slice)
			if rest := sp.cols % slice; rest > 0 {
				add(1, int64(rest))
			}
			ticks += t.store + int64(groups-1)*t.write + int64(unit.Units*groups)*t.read
			return ticks, (writes + int64(unit.Units*groups)) * unit.Lanes
		}
		set := func(sets, groups int) {
			n := newTurns(sp.cols*groups, groups, blocks)
			ticks, moved := block(groups)
			v, programs := int64(n.full), int64(n.full*n.entries+n.lastEntries)
			if n.tail > 0 {
				v++
			}
			cycles += times * int64(sets) * (int64(blocks)*ticks + v*(2*t.mode+t.host) + programs*(t.load+t.fence))
			e.moved += times * int64(sets) * (int64(blocks)*moved + programs*unit.Lanes)
		}
		set(x.sets-1, x.groups)
		set(1, x.last)
		cycles += t.load // its program
	}
	e.cycles = int64(float64(cycles) / t.busy)
	return e
}

// breakdown charges commands with the cycles from another of their kind, and row cycles with the rest of theirs.
func (c *registers) breakdown(w work, r dram.Result) (list []cycleTerm, rest string) {
	t, n := &c.t, r.Issued
	if n == nil {
		return nil, "wait"
	}
	loads := n[c.d.ops.Open[0]] - w.visits
	written := (n[c.d.ops.Write[0]]-loads)*t.write + loads*t.store + n[c.more.register]*t.more
	return []cycleTerm{
		{"mac", float64(t.comp * w.comps)},
		{"activate", float64((t.visit - t.comp) * w.visits)},
		{"write", float64(written)},
		{"read", float64(t.read*w.reads + t.host*(n[c.more.host]/unit.Units))},
		{"mode", float64(t.mode * n[c.more.enter])},
		{"refresh", c.refresh.cycles * float64(n[c.refresh.op])},
	}, "wait"
}

func (c *registers) shape(key []byte, s share) []byte {
	for i := range s {
		sp := &s[i]
		x := sp.sets()
		for _, v := range [...]int{sp.at[byMatrix].Len(), sp.at[byChunk].Len(), x.sets, x.groups, x.last, sp.cols, sp.selected()} {
			key = binary.AppendUvarint(key, uint64(v))
		}
	}
	return key
}
