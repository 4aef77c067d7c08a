package dram

// Banks is a channel whose banks are told apart: how long each command is held back at
// each place, which row each bank has open, and the mode. It issues nothing by itself;
// a controller asks which command comes next and when, and says what it issues. A copy
// is a channel of its own.
type Banks struct {
	c     *Channel
	next  [1 + maxGroups + maxBanks][maxSlots]Cycle // by place: the channel, its groups, its banks
	open  [maxBanks]int64                           // the row, or closed
	modes modeTracker
}

const (
	maxGroups = 4
	maxBanks  = 16
	closed    = -1
)

// Banks returns the banks of the channel, all of them closed; it panics for a standard
// that does not tell them apart.
func (c *Channel) Banks() Banks {
	if b := c.std.Banks; b.Groups > maxGroups || b.Groups*b.PerGroup > maxBanks {
		panic("dram: standard " + c.std.Name + " has more banks than maxBanks")
	}
	b := Banks{c: c, modes: modeTracker{modeTable: c.modes}}
	for i := range b.open {
		b.open[i] = closed
	}
	return b
}

// places are the group and the bank in next.
func (b *Banks) places(bank int) (group, own int) {
	g := b.c.std.Banks
	return 1 + bank/g.PerGroup, 1 + g.Groups + bank
}

// Toward is the command that comes next on the way to op in a row of a bank: itself, or
// the precharge or activation that it still needs. Modes are Change's.
func (b *Banks) Toward(op Op, bank int, row int64) Op {
	g, o := b.c.std.Banks, &b.c.std.Ops[op]
	switch {
	case !o.Row:
		return op
	case o.Bank:
		switch b.open[bank] {
		case row:
			return op
		case closed:
			return g.Open
		}
		return g.Close
	}
	next := op
	for _, r := range b.open[:g.Groups*g.PerGroup] {
		switch r {
		case row:
		case closed:
			next = g.OpenAll
		default:
			return g.CloseAll
		}
	}
	return next
}

// Change is the command of a change of mode that must be issued before op; false: op
// runs in the mode that the channel is in.
func (b *Banks) Change(op Op) (Op, bool) { return b.modes.next(op) }

// Ready is the first cycle in which the rules allow op, whatever its mode; 0 and less:
// any.
func (b *Banks) Ready(op Op, bank int) Cycle {
	x := max(b.next[0][op], b.modes.until)
	if b.c.std.Ops[op].Bank {
		group, own := b.places(bank)
		x = max(x, b.next[group][op], b.next[own][op])
	}
	return x
}

// Issue applies the rules for a command issued at x and what it does to the banks and
// the mode.
func (b *Banks) Issue(op Op, bank int, row int64, x Cycle) {
	g, r := b.c.std.Banks, &b.c.rows[op]
	b.hold(0, r.near[ChannelLevel], x)
	touched := b.open[:g.Groups*g.PerGroup]
	if b.c.std.Ops[op].Bank {
		group, own := b.places(bank)
		b.hold(group, r.near[GroupLevel], x)
		b.hold(own, r.near[BankLevel], x)
		touched = b.open[bank : bank+1]
	}
	switch {
	case r.opens:
		for i := range touched {
			touched[i] = row
		}
	case r.closes:
		for i := range touched {
			touched[i] = closed
		}
	}
	b.modes.issue(op, x)
}

func (b *Banks) hold(place int, holds []hold, x Cycle) {
	next := &b.next[place]
	for _, h := range holds {
		next[h.op] = max(next[h.op], x+h.wait)
	}
}
