package bound

import (
	"pimflow/internal/candidate"
	"pimflow/internal/tensor"
)

// starts is when the pieces of w may start, given when those of v end.
func (x *forward) starts(from *history, v, w *variant, waits wait, l *stage, sealed bool, ends *[maxPieces]float64, done float64) (start [maxPieces]float64) {
	all := sealed || w.dim == candidate.Uncut && l.closed // what waits for all of v waits for all before, loose nodes too
	for p := range w.pieces {
		start[p] = x.ready(from, v, waits[p], w.pieces[p].reads, w.pieces[p].lane == pimLane, all, ends, done)
	}
	return start
}

// ready is when a tile may start that waits so for v, whose pieces end at given times, and reads ranges of it.
func (x *forward) ready(from *history, v *variant, m uint8, reads []tensor.Range, onPIM, all bool, ends *[maxPieces]float64, done float64) (s float64) {
	switch m {
	case 0:
		if s = from.some; v.zones != nil && reads != nil {
			s = max(s, v.zones.start(&from.zoned, reads[v.dim]))
		}
	case waitsForAll:
		s = done
		for j := 0; all && j < x.paths(len(v.pieces)); j++ {
			s = max(s, from.top[j])
		}
	}
	for j := range v.pieces {
		if m>>j&1 == 0 {
			continue
		}
		s = max(s, ends[j])
		if onPIM && x.launch > 0 && v.pieces[j].lane == gpuLane {
			if s = max(s, ends[j]+x.launch); all && m == waitsForAll {
				s = max(s, from.launched[j])
			}
		}
	}
	return s
}

// crossed is starts if an order says which of two crossing pieces is first; false: none is.
func (x *forward) crossed(from *history, v, w *variant, waits wait, l *stage, sealed bool, order int) (start [maxPieces]float64, ok bool) {
	start = x.starts(from, v, w, waits, l, sealed, &from.ends, from.done)
	if x.kept == 1 || x.Serial || v.at == 0 {
		return start, true
	}
	if x.sharing(w) {
		order >>= 1
	}
	ends, done, earlier := from.ends, from.done, 0
	for p := range w.pieces {
		j := crossing(v, w, p, waits)
		if j < 0 {
			continue
		}
		if order&1 == 0 {
			start[p] = max(start[p], ends[j])
		} else {
			earlier++
			ends[j] = max(ends[j], start[p]+w.pieces[p].time+v.pieces[j].time)
			done = max(done, ends[j])
		}
		order >>= 1
	}
	if earlier > 0 {
		again := x.starts(from, v, w, waits, l, sealed, &ends, done)
		for p := range start {
			start[p] = max(start[p], again[p])
		}
	}
	return start, earlier < 2 // each would wait for the other
}
