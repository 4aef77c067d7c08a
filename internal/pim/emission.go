package pim

import (
	"fmt"
	"slices"
	"strconv"

	"pimflow/internal/dram"
	"pimflow/internal/tensor"
)

// ChannelStream is the program of a channel that is not idle.
type ChannelStream struct {
	Channel int
	Stream  dram.Stream // its rows count from 0
	Rows    int         // of each bank
	Result  dram.Result
	Notes   []string // what commands mean beside their operands: the programs that they write
}

// Streams calls f for each channel that is not idle, in order, until f returns an error.
func (c *Code) Streams(f func(*ChannelStream) error) error {
	m := c.mapped()
	for i, s := range m.perChannel() {
		if len(s) == 0 {
			continue
		}
		err := f(&ChannelStream{i, c.device.stream(s), c.device.scheme.rows(s).Len(), c.device.time(s), c.device.notes(s)})
		if err != nil {
			return err
		}
	}
	return nil
}

// Commands are those of the code's streams.
func (c *Code) Commands() *Commands { return c.device.ops }

// Box is the part of the node's value that the code computes.
func (c *Code) Box() tensor.Box { return c.cut.Box }

// Opened is the banks whose rows a command opens, or all that it acts on.
func (c *Code) Opened(op dram.Op) tensor.Range {
	g, ops := &c.device.geometry, c.device.ops
	if ops.roles[op] == openRole {
		return tensor.Range{Lo: ops.index[op] * g.opened, Hi: (ops.index[op] + 1) * g.opened}
	}
	return tensor.Range{Hi: g.banks}
}

// Moved returns a stream whose rows count from another row of the banks on.
func (c *Commands) Moved(s dram.Stream, rows int) dram.Stream {
	out := make(dram.Stream, len(s))
	for i, it := range s {
		if it.Times > 0 {
			it.Body = c.Moved(it.Body, rows)
		} else if c.Has(it.Command.Op, "row") {
			if !c.Reserved(int(it.Command.Row.Base)) {
				k := *it.Command
				k.Row.Base += int64(rows)
				it.Command = &k
			}
		}
		out[i] = it
	}
	return out
}

// Reserved reports whether a row belongs to no layout of weights: it stands for registers or modes, or results are stored in it.
func (c *Commands) Reserved(row int) bool {
	return c.dialect.reserved > 0 && row >= c.dialect.reserved-scratchRows
}

// Has reports whether a command has an operand of that word.
func (c *Commands) Has(op dram.Op, word string) bool {
	return slices.ContainsFunc(c.operands[op], func(o operand) bool { return o.print == word })
}

// DRAM is the channel that times the code's streams.
func (c *Code) DRAM() *dram.Channel { return c.device.channel }

// Lanes is the elements of a column access.
func (c *Code) Lanes() int { return c.device.lanes }

// Text is a command at one iteration of the loops around it, in the notation of streams.
func (c *Commands) Text(to []byte, k *dram.Command, index []int) []byte {
	to = append(to, c.names[k.Op]...)
	for _, o := range c.operands[k.Op] {
		to = append(append(append(to, ' '), o.print...), '=')
		to = strconv.AppendInt(to, o.of(k).At(index), 10)
	}
	if c.roles[k.Op] == gatherRole {
		to = fmt.Appendf(to, " fill=%dx%d pitch=%d", k.Fill.Count, k.Fill.Len, k.Fill.Pitch)
	}
	return to
}

// Moves is the elements that a command moves over the pins.
func (c *Code) Moves(k *dram.Command) int64 {
	d := c.device
	switch d.ops.roles[k.Op] {
	case gatherRole:
		return int64(k.Fill.Len) * int64(k.Fill.Count)
	case writeRole, registerRole:
		return int64(d.traits.fill)
	case initRole, readRole:
		return int64(d.results)
	}
	return 0
}
