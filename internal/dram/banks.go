package dram

import "slices"

// Banks is the state of a channel bank by bank: the earliest issue of each command at each
// place, the open rows of each bank, the data clock and the mode. A controller asks it for the next
// command and its earliest cycle, and tells it what is issued. A copy is an independent channel.
type Banks struct {
	c     *Channel
	next  [1 + maxGroups + maxBanks][maxSlots]Cycle // by place: the channel, its groups, its banks
	open  [maxBanks]bankRows
	clock Cycle // the last cycle of the data clock
	eager bool
	modes modeTracker
}

// bankRows are the rows of a bank: one, but for an activation whose second step is of another row.
type bankRows struct {
	state bankState
	row   int64
	more  []int64 // never changed in place
}

type bankState uint8

const (
	closed bankState = iota
	begun            // its activation has had the first of two steps
	opened
)

func (r *bankRows) has(row int64) bool {
	return r.state != closed && (r.row == row || slices.Contains(r.more, row))
}

func (r *bankRows) add(row int64) {
	switch {
	case r.state == closed:
		r.row = row
	case !r.has(row):
		r.more = append(slices.Clip(r.more), row)
	}
}

const (
	maxGroups = 4
	maxBanks  = 16
)

// Banks returns the banks of the channel, all of them closed; it panics for a standard
// that does not tell them apart.
func (c *Channel) Banks() Banks {
	if b := c.std.Banks; b.Groups > maxGroups || b.Groups*b.PerGroup > maxBanks {
		panic("dram: standard " + c.std.Name + " has more banks than maxBanks")
	}
	b := Banks{c: c, clock: never, modes: modeTracker{modeTable: c.modes}}
	for i := range c.slots {
		b.next[0][len(c.rows)+i] = never
	}
	return b
}

// Eager makes the banks follow the published controller of LPDDR5-AiM: the command that starts the
// data clock goes out at once, though the command that it is for must still wait, and again
// whenever the clock has stopped meanwhile; the last command alone says when the clock stops;
// and any request takes the second step of an activation, with a row of its own.
func (b *Banks) Eager() { b.eager = true }

// places are the indices of a bank's group and of the bank in next.
func (b *Banks) places(bank int) (group, own int) {
	g := b.c.std.Banks
	return 1 + bank/g.PerGroup, 1 + g.Groups + bank
}

// all are the banks that there are.
func (b *Banks) all() []bankRows {
	g := b.c.std.Banks
	return b.open[:g.Groups*g.PerGroup]
}

// Closed reports whether no bank is open, or about to be.
func (b *Banks) Closed() bool {
	return !slices.ContainsFunc(b.all(), func(r bankRows) bool { return r.state != closed })
}

// begin is the first step of an activation that ends with open.
func (b *Banks) begin(open Op) Op {
	if l := &b.c.rows[open].lead; l.index >= 0 {
		return l.op
	}
	return open
}

// Toward is the next command on the way to op in a row of a bank: op itself, or the
// precharge or activation that it still needs, whatever the mode and the data clock.
func (b *Banks) Toward(op Op, bank int, row int64) Op {
	g, o := b.c.std.Banks, &b.c.std.Ops[op]
	switch {
	case !o.Row:
		return op
	case o.Bank:
		switch r := &b.open[bank]; {
		case r.state == closed:
			return b.begin(g.Open)
		case r.state == begun && (b.eager || r.has(row)):
			return g.Open
		case r.has(row):
			return op
		}
		return g.Close
	}
	next := op
	for i := range b.all() {
		switch r := &b.open[i]; {
		case r.state == closed:
			next = b.begin(g.OpenAll)
		case r.state == begun && (b.eager || r.has(row)):
			if next == op {
				next = g.OpenAll
			}
		case !r.has(row):
			return g.CloseAll
		}
	}
	return next
}

// Next is the next command on the way to op from cycle n on, with the command that starts the
// data clock, and its first cycle. The mode is left out but for this: the clock starts after a
// change of it.
func (b *Banks) Next(op Op, bank int, row int64, n Cycle) (Op, Cycle) {
	next := b.Toward(op, bank, row)
	x := b.Ready(next, bank)
	l := &b.c.rows[next].lead
	if !l.clock {
		return next, x
	}
	switch lead := b.Ready(l.op, bank); {
	case b.eager && b.clock < n:
		return l.op, lead
	case b.eager && x > b.clock:
		return l.op, max(lead, b.clock+1)
	case b.eager || b.clock >= max(x, n):
	default:
		if _, changes := b.Change(op); !changes {
			return l.op, max(lead, x-1)
		}
	}
	return next, x
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
// rows, the data clock and the mode.
func (b *Banks) Issue(op Op, bank int, row int64, x Cycle) {
	r := &b.c.rows[op]
	keep(&b.next[0], r.near[ChannelLevel], x)
	b.c.slide(&b.next[0], r.windows, x)
	touched := b.all()
	if b.c.std.Ops[op].Bank {
		group, own := b.places(bank)
		keep(&b.next[group], r.near[GroupLevel], x)
		keep(&b.next[own], r.near[BankLevel], x)
		touched = b.open[bank : bank+1]
	}
	for i := range touched {
		t := &touched[i]
		switch {
		case r.begins:
			t.add(row)
			t.state = begun
		case r.opens:
			t.add(row)
			t.state = opened
		case r.closes:
			*t = bankRows{}
		}
	}
	if r.starts > 0 {
		b.run(x + r.starts)
	} else if r.lead.clock {
		b.run(x + r.lead.runs)
	}
	b.modes.issue(op, x)
}

// run keeps the data clock running up to a cycle.
func (b *Banks) run(to Cycle) {
	if b.eager {
		b.clock = to
	}
	b.clock = max(b.clock, to)
}
