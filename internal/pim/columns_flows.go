package pim

// flow lists the dataflows of an option. A unit is spread over more buffers than it needs where a channel has no other, so that
// one is written while another is multiplied.
func (s *columnSearch) flow(t *tiling, o *option) []dataflow {
	n, all := s.d.buffers, s.flows[:0]
	defer func() { s.flows = all }()
	if s.d.basic {
		n = 1
	}
	p, teams, cols := &t.parts[0], o.teams, longest(t.parts)
	if teams == 0 {
		teams = o.used
	}
	units := ceilDiv(p.count*ceilDiv(p.pixels, o.fold), teams) // of a channel
	least := ceilDiv(cols*o.fold, s.d.buffer)
	for wide := least; wide <= n && (wide == least || units == 1 && o.fold == 1 && wide <= cols); wide++ {
		f := dataflow{unitBuffers: wide, bufferColumns: s.d.buffer}
		if wide > 1 {
			f.bufferColumns = ceilDiv(cols, wide)
		}
		for h := 1; h*wide <= n && (h == 1 || h <= units); h++ {
			f.fillUnits = h
			f.inputStationary, f.doubleBuffered = true, false
			all = append(all, f)
			f.inputStationary, f.doubleBuffered = false, 2*h*wide <= n
			if units > 1 && (f.doubleBuffered || h == 1) {
				all = append(all, f)
			}
		}
	}
	return all
}
