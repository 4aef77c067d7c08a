package pim

import (
	"fmt"
	"sync"

	"pimflow/internal/dram"
)

// columns is the scheme of channels on which a command writes one column of a buffer
// (newton). A row of the banks holds several output groups of one chunk of K, side by side.
// Either the row stays open while the pixels pass it, each fill of the buffers being
// written while the one before is multiplied; or a fill stays while all rows pass it.
type columns struct {
	packing
	rates rates

	mu     sync.Mutex
	pieces map[string]dram.Stream // without addresses, by what they depend on
}

func newColumns(d *Device) scheme {
	return &columns{packing: newPacking(d), rates: d.measure(), pieces: map[string]dram.Stream{}}
}

func (c *columns) stream(w writer, s share) dram.Stream {
	var st dram.Stream
	row := 0
	for i := range s {
		sp := &s[i]
		matrix, _, chunk, group := w.distances(sp.part)
		p := sp.packed(&c.d.geometry)
		matrix.row, chunk.row, group.row = sp.at[byChunk].Len()*p.rows, p.rows, 0
		x := w
		x.place = sp.start()
		x = x.ahead(sp.at[byMatrix].Lo, matrix).ahead(sp.at[byChunk].Lo, chunk).ahead(sp.at[byGroup].Lo, group)
		x.place.row = row
		row += sp.at[byMatrix].Len() * matrix.row
		*w.made = (*w.made)[:0]
		v := visitor{c, sp, p, w.made}
		st = w.join(st, x.loop(sp.at[byMatrix].Len(), matrix, func(w writer) dram.Stream {
			all := w.made.add(sp.batches)
			if sp.inputs {
				return v.fills(w, chunk, all)
			}
			return v.chunks(w, chunk, all, v.eachRow)
		})...)
	}
	return st
}

// spent counts commands, each times the cycles that one more of them takes, and refreshes;
// what is left is the wait for writes, which are mostly hidden.
func (c *columns) spent(w work, result dram.Result) (list []spent, rest string) {
	r := c.rates
	return []spent{
		{"mac", r.comp * float64(w.comps)}, {"activate", r.act * float64(w.acts)},
		{"refresh", c.refresh.cycles * float64(result.Issued[c.refresh.op])}, {"read", r.read * float64(w.reads)},
	}, "write"
}

func (c *columns) layout(key []byte, _ *mapping, s share) []byte {
	return c.packing.layout(key, s, func(*span, packed) []int { return nil })
}

// standing: a buffer's columns are not those of the row, which has each weight once.
func (c *columns) standing(_ *mapping, s share, row int) standing {
	x, _ := c.packing.standing(s, row)
	x.period, x.copies = c.d.columns, 1
	return x
}

func (c *columns) describe(p *part) (dataflow, place string) {
	dataflow = p.stays()
	switch n := p.depth * p.wide; {
	case p.double:
		dataflow += fmt.Sprintf(", %d buffers", 2*n)
	case n == 1:
		dataflow += ", 1 buffer"
	default:
		dataflow += fmt.Sprintf(", %d buffers", n)
	}
	return dataflow, fmt.Sprintf("%d of them in a row", p.pack)
}

// longest is how long a step with so many units and groups takes at most, and what is
// around the steps of a visit: every command at its longest, each fill with both turns of
// the bus.
func (c *columns) longest(s *span, groups, units int) (step, around int64) {
	w, pixels := &c.waits, int64(units)*int64(s.fold)
	step = pixels*(int64(s.cols)*w.write+int64(groups)*int64(s.cols+2)*w.comp) + w.toRead + w.toWrite + w.ready
	return step, int64(c.d.acts)*w.act + w.open + w.close + w.shut + pixels*int64(s.cols)*w.write
}

// timely reports whether no visit of a span keeps refreshes waiting for too long.
func (c *columns) timely(s *span, p packed) bool {
	if !s.inputs {
		return true // by the length of its runs
	}
	step, around := c.longest(s, p.groups, min(s.depth, s.at[byUnit].Len()))
	return step+around <= c.waits.postpone
}

// runs says how many units pass a row before it is closed.
type runs struct{ most, grain int }

// runs is that of a span's rows of so many groups: few enough for refreshes never to wait
// too long; where fills stay, a fill.
func (c *columns) runs(s *span, groups int) runs {
	if s.inputs {
		return runs{s.depth, s.depth}
	}
	step, around := c.longest(s, groups, s.depth)
	grain := s.depth
	if s.double {
		grain *= 2
	}
	most := max(1, int((c.waits.postpone-around)/step)*s.depth)
	if most > grain {
		most -= most % grain
	}
	return runs{most, grain}
}

// length is the units of a run, of so many: runs are of about one length.
func (r runs) length(units int) int {
	if units <= r.most {
		return min(r.most, roundUp(units, r.grain))
	}
	n := ceilDiv(units, ceilDiv(units, r.most))
	return min(r.most, roundUp(n, r.grain))
}

// visits is how often a row is opened for so many units of a chunk.
func (r runs) visits(units int) int {
	if units <= r.most && units > 0 { // and not above the length
		return 1
	}
	return ceilDiv(units, r.length(units))
}

func scaled(p place, n int) place { return place{}.plus(p, n) }
