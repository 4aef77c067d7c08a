package candidate

import (
	"encoding/binary"

	"pimflow/internal/tensor"
)

// tileSet is a set of tiles of nodes alike, by number.
type tileSet []uint64

func (t tileSet) has(id int32) bool { return int(id/64) < len(t) && t[id/64]>>(id%64)&1 > 0 }

func (t *tileSet) add(id int32) {
	for int(id/64) >= len(*t) {
		*t = append(*t, 0)
	}
	(*t)[id/64] |= 1 << (id % 64)
}

func (t *tileSet) join(o tileSet) {
	for len(*t) < len(o) {
		*t = append(*t, 0)
	}
	for k, w := range o {
		(*t)[k] |= w
	}
}

// Asked is a store that remembers which tiles of consecutive nodes were asked for. Each goroutine has its own.
type Asked struct {
	*Store
	lo     int
	by     []tileSet // by node; nil: see listed
	listed bool      // list has what is asked, otherwise nothing is remembered
	list   []asking
}

// asking is a tile, by number, that was asked of the i-th node.
type asking struct{ i, id int32 }

// Ask begins to remember what is asked of n nodes from the lo-th on.
func (s *Store) Ask(lo, n int) *Asked { return &Asked{Store: s, lo: lo, by: make([]tileSet, n)} }

// List is Ask of few tiles, of any nodes: it takes less memory.
func (s *Store) List() *Asked { return &Asked{Store: s, listed: true} }

// Tile is Store.Tile.
func (a *Asked) Tile(i int, at Span) *Tile {
	t, id := a.tile(i, at)
	if id != none && a.nodes[i].many { // of others nothing is ever repeated
		a.add(i, id)
	}
	return t
}

func (a *Asked) add(i int, id int32) {
	switch {
	case a.by != nil:
		a.by[i-a.lo].add(id)
	case a.listed:
		a.list = append(a.list, asking{int32(i), id})
	}
}

// Whole is Store.Whole.
func (a *Asked) Whole(i, dev int) *Tile { return a.Tile(i, Span{Lane: dev, Dim: Uncut}) }

// Cut is Store.Cut.
func (a *Asked) Cut(i, dim int, ends, lanes []int) *Partition {
	return a.CutIn(&Partition{}, i, dim, ends, lanes)
}

// CutIn is Cut in the memory of another partition.
func (a *Asked) CutIn(d *Partition, i, dim int, ends, lanes []int) *Partition {
	tiles, lo := d.Tiles[:0], 0
	for k, hi := range ends {
		at := Span{lanes[k], dim, tensor.Range{Lo: lo, Hi: hi}}
		if len(ends) == 1 {
			at = Span{Lane: lanes[k], Dim: Uncut}
		} else if hi <= lo {
			return nil
		}
		t := a.Tile(i, at)
		if t == nil {
			return nil
		}
		tiles, lo = append(tiles, t), hi
	}
	d.Set(tiles)
	return d
}

// Join also remembers what another lists.
func (a *Asked) Join(o *Asked) {
	for _, x := range o.list {
		a.add(int(x.i), x.id)
	}
}

// Repeat has the same tiles asked of the nodes alike that are so many positions further on.
func (a *Asked) Repeat(further int) {
	for k, set := range a.by {
		n := &a.nodes[a.lo+k+further]
		n.mu.Lock()
		n.asked.join(set)
		n.mu.Unlock()
	}
}

// Form appends what the moves of a window depend on in the nodes from the lo-th on: the kind of each, whether memory has room for
// it, and which of the nodes it reads. ok is false if some node is the only one of its kind.
func (s *Store) Form(b []byte, lo, n int) (_ []byte, ok bool) {
	for i := lo; i < lo+n; i++ {
		nd := &s.nodes[i]
		if !nd.many {
			return b, false
		}
		full := int64(0)
		if nd.full {
			full = 1
		}
		b = binary.AppendVarint(binary.AppendVarint(b, int64(nd.number)), full)
		for _, in := range s.Reads[i] {
			b = binary.AppendVarint(b, int64(max(in.Pos-lo, -1)))
		}
	}
	return b, true
}

// Moved is a window of the nodes alike that are so many positions further on.
func (s *Store) Moved(w *Window, further int) *Window {
	m := *w
	m.Lo += further
	m.Partitions, m.Tiles = make([]*Partition, len(w.Partitions)), make([]*Tile, len(w.Tiles))
	to := make(map[*Tile]*Tile, len(w.Tiles))
	for i, p := range w.Partitions {
		q := *p
		q.Tiles = make([]*Tile, len(p.Tiles))
		for j, t := range p.Tiles {
			q.Tiles[j] = s.nodes[m.Lo+i].tile(s, m.Lo+i, t.id)
			to[t] = q.Tiles[j]
		}
		m.Partitions[i] = &q
	}
	for i, t := range w.Tiles {
		m.Tiles[i] = to[t]
	}
	return &m
}
