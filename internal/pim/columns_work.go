package pim

import "encoding/binary"

// columnWork counts the commands of a share of single columns.
func (d *Device) columnWork(s share) work {
	if d.ops.sets() {
		w, _ := d.registerWork(s)
		return w
	}
	var w work
	for i := range s {
		sp := &s[i]
		p, all := sp.packed(d), sp.all()
		chunks := int64(sp.at[byMatrix].Len() * sp.at[byChunk].Len())
		pixels := chunks * int64(sp.selected())
		w.reads += pixels * int64(sp.at[byGroup].Len())
		w.comps += pixels * int64(sp.at[byGroup].Len()*sp.cols)
		visits := func(groups int) int64 {
			n := sp.depth
			if !sp.inputs {
				n = d.run(sp, groups)
			}
			return int64(ceilDiv(all.units(), n))
		}
		before, last := chunks*int64(p.rows-1)*visits(p.groups), chunks*visits(p.last)
		w.visits += before + last
		w.acts += before*int64(d.acts()) + last*int64(p.acts)
		if sp.inputs {
			w.writes += pixels * int64(sp.cols)
		} else {
			w.writes += pixels * int64(p.rows*sp.cols)
		}
	}
	return w
}

// columnShape appends what the timing of a share of single columns depends on.
func (d *Device) columnShape(key []byte, s share) []byte {
	if d.ops.sets() {
		return d.registerShape(key, s)
	}
	for i := range s {
		sp := &s[i]
		p, all := sp.packed(d), sp.all()
		mode := 0
		if sp.inputs {
			mode = 1
		}
		if sp.double {
			mode += 2
		}
		if sp.cols*sp.lanes == sp.pitch {
			mode += 4
		}
		for _, v := range [...]int{
			sp.at[byMatrix].Len(), sp.at[byChunk].Len(), p.rows, p.groups, p.last, p.acts, sp.cols, all.full, all.tail, sp.fold, sp.depth, mode,
		} {
			key = binary.AppendUvarint(key, uint64(v))
		}
	}
	return key
}

// period is after how many chunks of columns the groups of a row, so many of them, stand
// in it again for the next pixel of the buffer: never where a buffer's columns are not
// those of the row, and as in the fill where that stays.
func (s *span) period(d *Device, groups int) int {
	switch {
	case !d.ops.same:
		return d.m.Columns
	case s.inputs:
		return s.packed(d).groups
	}
	return groups
}

// rows is the number of packed rows of a span.
func (s *span) rows(d *Device) int {
	return s.at[byMatrix].Len() * s.at[byChunk].Len() * s.packed(d).rows
}
