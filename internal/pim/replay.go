package pim

import (
	"fmt"
	"math/bits"

	"pimflow/internal/device"
	"pimflow/internal/dram"
)

// Violation is a command of a stream that does not do what it must.
type Violation struct {
	Channel int // -1: all together
	Command int // in its stream, from 0; -1: none
	Rule    string
}

func (v *Violation) Error() string {
	switch {
	case v.Channel < 0:
		return "all channels: " + v.Rule
	case v.Command < 0:
		return fmt.Sprintf("channel %d: %s", v.Channel, v.Rule)
	}
	return fmt.Sprintf("channel %d, command %d: %s", v.Channel, v.Command, v.Rule)
}

// Replay follows the streams of all channels by their addresses, without values: each
// product of the layer is computed once, from columns of a buffer that were filled and
// columns of a row that is open, and each sum is read before another is begun. Of each
// stream the first commands, at most timedCommands, are held against the rules of the
// DRAM; where that is all of them, their cycles against the cost. The error is a
// *Violation.
func (c *mappedCode) Replay() (device.Replay, error) {
	shares, m := c.perChannel(), streamMemories.Get().(*streamMemory)
	defer streamMemories.Put(m)
	return c.replay(func(channel int) dram.Stream { return c.device.streamIn(m, shares[channel]) })
}

// replay is Replay of given streams.
func (c *mappedCode) replay(stream func(channel int) dram.Stream) (device.Replay, error) {
	var r device.Replay
	p, err := c.newProducts()
	if err != nil {
		return r, err
	}
	for i, s := range c.perChannel() {
		st := stream(i)
		commands, err := c.follow(p, i, s, st)
		if err != nil {
			return r, err
		}
		n, err := c.replayTime(i, s, st)
		if err != nil {
			return r, err
		}
		if commands > 0 {
			r.Streams++
		}
		r.Commands += int64(commands)
		r.Timed += n
	}
	for _, w := range p.bits {
		r.Accesses += int64(bits.OnesCount64(w))
	}
	return r, p.complete()
}

// follow follows the stream of a channel, and counts its commands.
func (c *mappedCode) follow(p *productSet, channel int, s share, st dram.Stream) (int, error) {
	if f, ok := c.device.scheme.(programs); ok {
		return f.follow(p, channel, s, st)
	}
	w := &follower{productSet: p, held: p.layout(s), channel: channel}
	err := w.follow(st)
	return w.n, err
}

// follower follows a stream by its addresses.
type follower struct {
	*productSet
	held    []rowContents // by row
	channel int
	n       int // commands done

	open    []int // by quarter of the banks, the open row; -1: none
	columns [][]bufferColumn
	sums    []int // by accumulator, the first product of the sum in it, mayBeAdded or mustBeSet
	wrong   *Violation
}

// bufferColumn is the contents of a column of a buffer.
type bufferColumn struct {
	source int // column of the source matrices; -1: nothing
	used   bool
}

func (f *follower) follow(st dram.Stream) error {
	d := f.device
	for range d.sums {
		f.sums = append(f.sums, f.afterRead())
	}
	for range d.acts {
		f.open = append(f.open, -1)
	}
	for range d.buffers {
		b := make([]bufferColumn, d.buffer)
		for i := range b {
			b[i] = bufferColumn{-1, true}
		}
		f.columns = append(f.columns, b)
	}
	const depth = 16 // of loops, estimated: more of them take memory of their own
	if f.run(st, make([]int, 0, depth)) {
		f.end()
	}
	if f.wrong != nil {
		return f.wrong
	}
	return nil
}

// run follows a stream inside loops of the given indices, and reports whether all is right.
func (f *follower) run(s dram.Stream, index []int) bool {
	for i := range s {
		it := &s[i]
		if it.Times == 0 {
			f.command(it.Command, index)
			f.n++
		}
		inner := append(index, 0)
		for n := 0; n < it.Times && f.wrong == nil; n++ {
			inner[len(index)] = n
			if f.run(it.Body, inner) && n == 0 && f.device.ops.alongRow(it, len(index)) {
				n = f.alike(it.Body[0].Command, inner, it.Times-1)
				f.n += n
			}
		}
		if f.wrong != nil {
			return false
		}
	}
	return true
}

// alike multiplies the columns that follow the one that was multiplied last, along the row and the buffer, as long as they follow it in
// the inputs too and were not multiplied before, and says how many: at most the given number.
func (f *follower) alike(c *dram.Command, index []int, most int) int {
	col, buf := int(c.Col.At(index)), int(f.device.ops.multiplied(c).At(index))
	h, columns := &f.held[c.Row.At(index)], f.columns[f.device.ops.index[c.Op]][buf:]
	k, bit := h.k+col%h.cols, f.sums[c.Acc.At(index)]+h.k+col%h.cols
	most = min(most, f.device.columns-1-col, h.cols-1-col%h.cols, h.matrixRun.k-1-k, len(columns)-1)
	for n := 1; n <= most; n++ {
		if columns[n].source != columns[0].source+n || f.done(bit+n) {
			return n - 1
		}
		columns[n].used = true
	}
	return max(0, most)
}

func (f *follower) violated(format string, a ...any) {
	if f.wrong == nil {
		f.wrong = &Violation{f.channel, f.n, fmt.Sprintf(format, a...)}
	}
}

func (f *follower) command(c *dram.Command, index []int) {
	ops := f.device.ops
	switch n := ops.index[c.Op]; ops.roles[c.Op] {
	case gatherRole:
		f.gather(c.Fill, int(c.Data.At(index)), n)
	case writeRole:
		f.fill(n, int(c.Buf.At(index)), int(c.Data.At(index)))
	case openRole:
		f.activate(n, int(c.Row.At(index)))
	case closeRole:
		if !ops.outlasts() {
			f.unread(ops.names[c.Op])
		}
		for q := range f.open {
			f.open[q] = -1
		}
	case compRole:
		row, col := int(c.Row.At(index)), int(c.Col.At(index))
		buf := ops.multiplied(c)
		if sum := f.sum(c, index); sum != nil {
			f.comp(sum, n, row, col, int(buf.At(index)))
		}
	case initRole:
		if sum := f.sum(c, index); sum != nil {
			f.init(sum)
		}
	case readRole:
		if sum := f.sum(c, index); sum != nil {
			f.read(sum, int(c.Data.At(index)))
		}
	default:
		f.violated("%s is no command for streams", ops.names[c.Op])
	}
}

func (f *follower) gather(g dram.Gather, at, buffer int) {
	lanes := f.device.lanes
	if g.Len%lanes != 0 {
		f.violated("a fill in runs of %d elements: whole columns of %d wanted", g.Len, lanes)
		return
	}
	for i := range g.Count {
		for j := range g.Len / lanes {
			f.fill(buffer, i*(g.Len/lanes)+j, at+i*g.Pitch+j*lanes)
		}
	}
}

// fill puts a column of the source matrices, from the given element on, into a buffer.
func (f *follower) fill(buffer, col, at int) {
	lanes := f.device.lanes
	switch {
	case buffer >= len(f.columns):
		f.violated("buffer %d is written: there are %d", buffer, len(f.columns))
	case col < 0 || col >= len(f.columns[buffer]):
		f.violated("column %d of buffer %d is written: it has %d", col, buffer, len(f.columns[buffer]))
	case at < 0 || at%lanes != 0 || at/lanes >= f.sources:
		f.violated("element %d of the source matrices is read: a multiple of %d below %d wanted", at, lanes, f.sources*lanes)
	case !f.columns[buffer][col].used:
		f.violated("column %d of buffer %d is overwritten before it is multiplied", col, buffer)
	default:
		f.columns[buffer][col] = bufferColumn{source: at / lanes}
	}
}

func (f *follower) activate(quarter, row int) {
	switch {
	case row < 0 || row >= len(f.held) || row >= f.device.rows:
		f.violated("row %d is activated: the channel holds %d, a bank has %d", row, len(f.held), f.device.rows)
	case !f.device.ops.reopened() && f.open[quarter] >= 0:
		f.violated("row %d is activated in quarter %d of the banks, where row %d is open", row, quarter, f.open[quarter])
	default:
		f.open[quarter] = row
	}
}

// comp multiplies a column of a buffer by one of a row.
func (f *follower) comp(into *int, buffer, row, col, buf int) {
	d := f.device
	switch {
	case row < 0 || row >= len(f.held):
		f.violated("COMP in row %d: the channel holds %d", row, len(f.held))
		return
	case col < 0 || col >= d.columns:
		f.violated("COMP of column %d of a row: it has %d", col, d.columns)
		return
	case buffer >= len(f.columns) || buf < 0 || buf >= len(f.columns[buffer]) || f.columns[buffer][buf].source < 0:
		f.violated("COMP of column %d of buffer %d, which was not filled", buf, buffer)
		return
	}
	h := &f.held[row]
	group, k := h.group, h.k+col%h.cols
	slot := col / h.cols % h.period
	if slot >= h.packs {
		f.violated("COMP of column %d of row %d, which holds %d output groups of %d columns", col, row, h.packs, h.cols)
		return
	}
	group += slot
	m := h.matrixRun
	outs := min(d.outputs, m.outs-group*d.outputs)
	for q := range d.activations(outs) {
		if f.open[q] != row {
			f.violated("COMP in row %d, which is not open in quarter %d of the banks", row, q)
			return
		}
	}
	x := &f.columns[buffer][buf]
	x.used = true
	at := x.source - m.source
	if at < 0 || at >= m.count*m.pixels*m.k || at/(m.k*m.pixels) != h.matrix || at%m.k != k {
		f.violated("COMP of column %d of row %d, weights of matrix %d and products %d to %d, and column %d of buffer %d, inputs of others",
			col, row, m.number+h.matrix, k*d.lanes, (k+1)*d.lanes, buf, buffer)
		return
	}
	sum := m.first + (at/m.k*m.groups+group)*m.k
	switch {
	case *into == mustBeSet:
		f.violated("COMP for %s to a sum that has not been set", f.name(sum))
		return
	case *into >= 0 && *into != sum:
		f.violated("COMP for %s when %s has not been read", f.name(sum), f.name(*into))
		return
	}
	*into = sum
	if f.done(sum + k) {
		f.violated("products %d to %d of %s are computed again", k*d.lanes, (k+1)*d.lanes, f.name(sum))
	}
}

func (f *follower) end() {
	f.unread("the end")
	f.unset()
	for b, buffer := range f.columns {
		for i := range buffer {
			if !buffer[i].used {
				f.violated("column %d of buffer %d is not multiplied before the end", i, b)
			}
		}
	}
	for q, row := range f.open {
		if row >= 0 && !f.device.ops.reopened() {
			f.violated("row %d is open in quarter %d of the banks at the end", row, q)
		}
	}
}
