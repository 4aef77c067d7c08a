package pim

import "pimflow/internal/dram"

// stream writes buffers, each followed by the items that multiply it.
func (f *fills) stream(w writer, s share) dram.Stream {
	var st dram.Stream
	first := f.rows(s).Lo
	for i := range s {
		sp := &s[i]
		matrix, unit, chunk, group := w.distances(sp.part)
		w := w
		w.address = sp.start()
		w.address.row -= first
		w = w.ahead(sp.at[byMatrix].Lo, matrix).ahead(sp.at[byUnit].Lo, unit)
		w = w.ahead(sp.at[byChunk].Lo, chunk).ahead(sp.at[byGroup].Lo, group)
		st = append(st, w.loop(sp.at[byMatrix].Len(), matrix, func(w writer) dram.Stream {
			full := sp.full()
			body := w.loop(full, unit, func(w writer) dram.Stream { return f.unit(w, sp, sp.fold) })
			if sp.short() {
				body = append(body, f.unit(w.ahead(full, unit), sp, sp.tail)...)
			}
			return body
		})...)
	}
	return st
}

// unit writes the items of a buffer of so many pixels, for each chunk.
func (f *fills) unit(w writer, s *span, pixels int) dram.Stream {
	_, _, chunk, group := w.distances(s.part)
	return w.loop(s.at[byChunk].Len(), chunk, func(w writer) dram.Stream {
		full, acts := f.groups(s)
		write := w.command(f.d.ops.Write[0])
		if !w.bare {
			write.Command.Fill = dram.Gather{Len: s.cols * s.lanes, Count: pixels, Pitch: s.pitch}
		}
		st := append(make(dram.Stream, 0, 3), write)
		st = append(st, w.loop(full, group, func(w writer) dram.Stream { return f.item(w, s, f.d.acts, pixels) })...)
		if acts > 0 {
			st = append(st, f.item(w.ahead(full, group), s, acts, pixels)...)
		}
		return st
	})
}

// item writes an item. Without addresses there are few different items.
func (f *fills) item(w writer, s *span, acts, pixels int) dram.Stream {
	if !w.bare {
		return f.write(w, s, acts, pixels)
	}
	key := [3]int{acts, pixels, s.cols}
	f.mu.Lock()
	defer f.mu.Unlock()
	st := f.items[key]
	if st == nil {
		w.arena = nil // it stays
		st = f.write(w, s, acts, pixels)
		f.items[key] = st
	}
	return st
}

// write writes activations, then the multiplications and the result of each pixel in the
// buffer.
func (f *fills) write(w writer, s *span, acts, pixels int) dram.Stream {
	st := make(dram.Stream, 0, acts+2)
	for _, o := range f.d.ops.Open[:acts] {
		st = append(st, w.command(o))
	}
	pixel := address{col: s.cols, result: s.outs}
	return append(st, w.loop(pixels, pixel, func(w writer) dram.Stream {
		st := w.loop(s.cols, address{col: 1}, func(w writer) dram.Stream {
			return dram.Stream{w.command(f.d.ops.Comp[0])}
		})
		return append(st, w.command(f.d.ops.Read))
	})...)
}
