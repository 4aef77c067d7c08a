package pim

import "pimflow/internal/dram"

// address is a place of each kind that commands name, or the distance between two places.
type address struct {
	row, col       int
	buf, into      int // columns of a buffer: multiplied, written
	source, result int
	acc            int
}

func (p address) plus(q address, n int) address {
	return address{
		p.row + n*q.row, p.col + n*q.col, p.buf + n*q.buf, p.into + n*q.into, p.source + n*q.source, p.result + n*q.result,
		p.acc + n*q.acc,
	}
}

// writer writes commands: where it stands, and the steps of the loops around it.
type writer struct {
	d       *Device
	bare    bool // leaves addresses out
	batches *batchArena
	arena   *arena // memory of what is written; nil: the heap
	address
	steps []address
}

// loop writes body n times, each a step further. A single iteration is written without a loop, and an empty body not at all.
func (w writer) loop(n int, step address, body func(w writer) dram.Stream) dram.Stream {
	switch n {
	case 0:
		return nil
	case 1:
		return body(w)
	}
	if !w.bare {
		w.steps = append(w.steps, step) // in place of that of the loop before: its body is written
	}
	st := body(w)
	if len(st) == 0 { // nothing is left of it without padding
		return nil
	}
	return w.join(nil, dram.Loop(n, st...))
}

// join appends items to a stream.
func (w writer) join(st dram.Stream, more ...dram.Item) dram.Stream {
	if w.arena != nil && cap(st)-len(st) < len(more) {
		st = w.arena.grown(st, len(more))
	}
	return append(st, more...)
}

// ahead returns the writer n steps further.
func (w writer) ahead(n int, step address) writer {
	w.address = w.plus(step, n)
	return w
}

// command is the item of one command, with the operands that its dialect says. Without
// addresses there is one of each kind.
func (w writer) command(op dram.Op) dram.Item {
	if w.bare {
		return dram.Item{Command: &w.d.bare[op]}
	}
	c := dram.Command{Op: op}
	for _, o := range w.d.ops.operands[op] {
		*o.of(&c) = w.affine(o.pick)
	}
	if w.arena != nil {
		return dram.Item{Command: w.arena.command(c)}
	}
	return dram.Do(c)
}

// affine is an address under the loops around it.
func (w writer) affine(pick func(p address) int) dram.Affine {
	a := dram.Affine{Base: int64(pick(w.address))}
	for n := len(w.steps); n > 0; n-- {
		if pick(w.steps[n-1]) == 0 {
			continue
		}
		a.Stride = w.arena.strides(n)
		for d := range a.Stride {
			a.Stride[d] = int64(pick(w.steps[d]))
		}
		break
	}
	return a
}

// stream is the command stream of a share. Its first row is row 0.
func (d *Device) stream(s share) dram.Stream { return d.streamIn(new(streamMemory), s) }

// streamIn is stream in memory that the next stream takes over.
func (d *Device) streamIn(m *streamMemory, s share) dram.Stream {
	const depth = 16 // of loops, estimated: more of them take memory of their own
	if m.steps == nil {
		m.steps = make([]address, 0, depth)
	}
	m.arena.reset()
	return d.scheme.stream(writer{d: d, batches: &m.batches, arena: &m.arena, steps: m.steps}, s)
}

// start is the address of a part's first item.
func (p *part) start() address {
	return address{row: p.row, source: p.block.source + p.k0*p.lanes, result: p.block.result}
}

// distances are the steps from an item of a part to the next along each dimension.
func (w writer) distances(p *part) (matrix, unit, chunk, group address) {
	matrix = address{row: p.chunks * p.groups, source: p.pixels * p.pitch, result: p.pixels * p.outs}
	unit = address{source: p.fold * p.pitch, result: p.fold * p.outs}
	chunk = address{row: p.groups, source: p.cols * p.lanes}
	group = address{row: 1, result: w.d.outputs}
	return matrix, unit, chunk, group
}
