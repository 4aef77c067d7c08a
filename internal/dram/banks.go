package dram

// Banks is the state of a channel bank by bank: the earliest issue of each command at each
// place, the open row of each bank, and the mode. A controller asks it for the next command
// and its earliest cycle, and tells it what is issued. A copy is an independent channel.
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

// places are the indices of a bank's group and of the bank in next.
func (b *Banks) places(bank int) (group, own int) {
	g := b.c.std.Banks
	return 1 + bank/g.PerGroup, 1 + g.Groups + bank
}

// Toward is the next command on the way to op in a row of a bank: op itself, or the
// precharge or activation that it still needs, whatever the mode.
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

// Change is the next command of the mode change that op needs; false: op runs in the mode
// of the channel.
func (b *Banks) Change(op Op) (Op, bool) { return b.modes.next(op) }

// Ready is the first cycle in which the rules allow op, whatever the mode; any, if it is 0
// or less.
func (b *Banks) Ready(op Op, bank int) Cycle {
	x := max(b.next[0][op], b.modes.until)
	if b.c.std.Ops[op].Bank {
		group, own := b.places(bank)
		x = max(x, b.next[group][op], b.next[own][op])
	}
	return x
}

// Issue records a command issued at x: its holds on later commands, and its effect on the
// rows and the mode.
func (b *Banks) Issue(op Op, bank int, row int64, x Cycle) {
	g, r := b.c.std.Banks, &b.c.rows[op]
	keep(&b.next[0], r.near[ChannelLevel], x)
	touched := b.open[:g.Groups*g.PerGroup]
	if b.c.std.Ops[op].Bank {
		group, own := b.places(bank)
		keep(&b.next[group], r.near[GroupLevel], x)
		keep(&b.next[own], r.near[BankLevel], x)
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
