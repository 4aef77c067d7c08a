package pim

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"sync"

	"pimflow/internal/dram"
	"pimflow/internal/tensor"
)

// fills is the scheme of channels with a command that fills a whole buffer (artifact). An item
// of work is one row of all banks, opened for the pixels in the buffer. The row has the
// weights of one output group for one chunk of K. Rows are numbered over the layer.
type fills struct {
	d     *Device
	rates rates

	mu    sync.Mutex
	items map[[3]int]dram.Stream // without addresses, by activations, pixels and columns
}

func newFills(d *Device) scheme {
	return &fills{d: d, rates: d.measure(), items: map[[3]int]dram.Stream{}}
}

// traits: all candidates are simulated. Late refreshes are the simulator's affair.
func (f *fills) traits() traits { return traits{fill: f.d.m.BufferElements(), beyond: math.Inf(1)} }

// candidates leaves out each mapping that another one beats: it could be faster only by the
// place of its refreshes, by less than one of them.
func (f *fills) candidates(l *layer, m *scratch) (list []candidate, need int) {
	var seen [][]part
	var kept []counted
	shares := m.shares[0]
	for _, merge := range l.merges(f.d.outputs) {
		for _, c := range kTilings {
			ps := f.parts(l, merge, c)
			if slices.ContainsFunc(seen, func(o []part) bool { return slices.EqualFunc(o, ps, part.equal) }) {
				continue
			}
			seen = append(seen, ps)
			for _, teams := range f.d.counts(ps) {
				w := way{scheme: f, layer: l, merge: merge, tiling: c.name, teams: teams, parts: ps}
				w.assign(shares)
				k := f.counted(w, shares)
				if k.rows > f.d.rows {
					if need == 0 || k.rows < need {
						need = k.rows
					}
					continue
				}
				if slices.ContainsFunc(kept, func(o counted) bool { return o.beats(&k) }) {
					continue
				}
				kept = append(slices.DeleteFunc(kept, func(o counted) bool { return k.beats(&o) }), k)
			}
		}
	}
	slices.SortStableFunc(kept, func(a, b counted) int { return cmp.Compare(a.estimate, b.estimate) })
	for _, k := range kept {
		list = append(list, candidate{way: k.way, estimate: estimate{cycles: int64(k.estimate)}})
	}
	return list, need
}

// counted is a way and the commands that its channels issue.
type counted struct {
	way
	busiest  work  // the most of each command that any channel issues
	total    int64 // commands of all channels
	rows     int   // the most of a channel
	estimate float64
}

// counted counts the commands of a way. The estimate is about the cycles of the channel with
// most commands.
func (f *fills) counted(w way, shares []share) counted {
	k := counted{way: w}
	var busy work
	for _, s := range shares {
		w := f.work(s)
		if w.commands() > busy.commands() {
			busy = w
		}
		k.busiest = k.busiest.max(w)
		k.total += w.commands()
		k.rows = max(k.rows, f.rows(s).Len())
	}
	r := f.rates
	k.estimate = r.write*float64(busy.writes) + r.act*float64(busy.acts) + r.comp*float64(busy.comps) + r.read*float64(busy.reads)
	return k
}

// beats reports whether no channel has more commands of any kind under k than under o, and all
// channels together no more where these are equal.
func (k *counted) beats(o *counted) bool {
	return k.busiest.within(o.busiest) && (k.busiest != o.busiest || k.total <= o.total)
}

// within reports whether no count of w is above that of o.
func (w work) within(o work) bool {
	return w.writes <= o.writes && w.acts <= o.acts && w.comps <= o.comps && w.inits <= o.inits && w.reads <= o.reads
}

// max is the larger of both in each count of commands.
func (w work) max(o work) work {
	return work{
		writes: max(w.writes, o.writes), acts: max(w.acts, o.acts), visits: max(w.visits, o.visits),
		comps: max(w.comps, o.comps), inits: max(w.inits, o.inits), reads: max(w.reads, o.reads),
	}
}

// parts cuts a layer, with merge groups of the convolution in a matrix and K tiled by c.
func (f *fills) parts(l *layer, merge int, c kTiling) []part {
	var ps []part
	row := 0
	size := min(f.d.buffer, f.d.columns)
	for i, bs := 0, l.blocks(merge, f.d.lanes); i < len(bs); i++ {
		b := &bs[i]
		groups := ceilDiv(b.outs, f.d.outputs)
		k := b.pitch / f.d.lanes
		for _, pc := range c.cut(k, size, shortestChunk(k, size, b.count*b.pixels*groups, f.d.channels)) {
			p := part{
				block: b, k0: pc.k0, cols: pc.cols, chunks: pc.chunks, row: row,
				groups: groups, ends: b.outs - (groups-1)*f.d.outputs,
			}
			p.fold = b.layer.level(size/p.cols, p.rows(), f.d.channels)
			p.units = ceilDiv(p.pixels, p.fold)
			p.tail = p.pixels - (p.units-1)*p.fold
			row += p.rows()
			ps = append(ps, p)
		}
	}
	return ps
}

// kTile is a stretch of K: chunks of cols columns each, from k0 on.
type kTile struct{ k0, cols, chunks int }

// kTiling is a way to tile k columns with chunks that fit a buffer of size columns. spread is
// a shorter length of chunk, for more items.
type kTiling struct {
	name string
	cut  func(k, size, spread int) []kTile
}

// equalChunks tiles k columns with chunks of size, and one shorter chunk.
func equalChunks(k, size int) []kTile {
	var ps []kTile
	if k >= size {
		ps = append(ps, kTile{0, size, k / size})
	}
	if k%size > 0 {
		ps = append(ps, kTile{k - k%size, k % size, 1})
	}
	return ps
}

// kTilings are the tilings that are tried.
var kTilings = []kTiling{
	{"fold", func(k, size, _ int) []kTile { return equalChunks(k, size) }},
	// The rest in tiles that fill rows without a gap.
	{"pack", func(k, size, _ int) []kTile {
		var ps []kTile
		at := 0
		for cols := size; at < k; cols-- {
			if n := (k - at) / cols; n > 0 && size%cols == 0 {
				ps = append(ps, kTile{at, cols, n})
				at += n * cols
			}
		}
		return ps
	}},
	// Shorter chunks, where there are more channels than items.
	{"spread", func(k, _, spread int) []kTile { return equalChunks(k, spread) }},
}

func (f *fills) work(s share) work {
	var w work
	for i := range s {
		sp := &s[i]
		times := int64(sp.at[byMatrix].Len() * sp.at[byChunk].Len())
		groups := int64(sp.at[byGroup].Len())
		units := times * int64(sp.at[byUnit].Len())
		pixels := times * int64(sp.selected())
		full, acts := f.groups(sp)
		w.writes += units
		w.acts += units * int64(full*f.d.acts+acts)
		w.visits += units * groups
		w.reads += pixels * groups
		w.comps += pixels * groups * int64(sp.cols)
		w.moved += pixels * (int64(sp.cols*sp.lanes) + groups*int64(f.d.results))
	}
	return w
}

// groups is the number of output groups of a span that need all banks, and the activations of
// the last group: 0 if it needs all banks or is not in the span.
func (f *fills) groups(s *span) (full, acts int) {
	full = s.at[byGroup].Len()
	if a := f.d.activations(s.ends); s.at[byGroup].Hi == s.groups && a < f.d.acts {
		return full - 1, a
	}
	return full, 0
}

func (f *fills) rows(s share) tensor.Range {
	var r tensor.Range
	for i := range s {
		sp := &s[i]
		lo := sp.rowOf(sp.at[byMatrix].Lo, sp.at[byChunk].Lo, sp.at[byGroup].Lo)
		hi := sp.rowOf(sp.at[byMatrix].Hi-1, sp.at[byChunk].Hi-1, sp.at[byGroup].Hi-1) + 1
		if i == 0 {
			r = tensor.Range{Lo: lo, Hi: hi}
		}
		r = tensor.Range{Lo: min(r.Lo, lo), Hi: max(r.Hi, hi)}
	}
	return r
}

func (f *fills) shape(key []byte, s share) []byte {
	for i := range s {
		sp := &s[i]
		tail := 0
		if sp.short() {
			tail = sp.tail
		}
		groups, acts := f.groups(sp)
		for _, v := range [...]int{
			sp.at[byMatrix].Len(), sp.full(), tail, sp.fold, sp.at[byChunk].Len(), groups, acts, sp.cols,
		} {
			key = binary.AppendUvarint(key, uint64(v))
		}
	}
	return key
}

// breakdown charges each command with the cycles that one more of it takes. The rest is
// refreshes.
func (f *fills) breakdown(w work, _ dram.Result) (list []cycleTerm, rest string) {
	r := f.rates
	return []cycleTerm{
		{"mac", r.comp * float64(w.comps)}, {"activate", r.act * float64(w.acts)},
		{"write", r.write * float64(w.writes)}, {"read", r.read * float64(w.reads)},
	}, "refresh"
}

func (f *fills) layout(key []byte, m *mapping, _ share) []byte {
	for i := range m.parts {
		p := &m.parts[i]
		for _, v := range append(p.weightKey(), p.row, p.count, p.chunks, p.groups, p.fold) {
			key = binary.AppendUvarint(key, uint64(v))
		}
	}
	return key
}

func (f *fills) rowWeights(m *mapping, _ share, row int) rowWeights {
	for i := range m.parts {
		p := &m.parts[i]
		if at := row - p.row; at >= 0 && at < p.rows() {
			chunk := at / p.groups
			return rowWeights{p, chunk / p.chunks, chunk % p.chunks, at % p.groups, 1, 1, p.fold}
		}
	}
	panic(fmt.Sprintf("pim: no weights for row %d", row))
}

func (f *fills) describe(p *part) (flow, where string) {
	return "", fmt.Sprintf("rows %d:%d", p.row, p.row+p.rows())
}
