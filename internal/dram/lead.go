package dram

import "fmt"

// Lead is a command that goes right ahead of another: the first of two steps of an activation,
// or the command that starts the data clock. No stream contains it; engines issue it for the
// command, in the cycle before.
//
// In the literature: ACTIVATE-1 and CAS of LPDDR5 (JESD209-5).
type Lead struct {
	Issue, Before Op
	// Clock: it starts the data clock, which runs up to the last data of all that it was started
	// for, and Book.Postamble cycles on. Meanwhile the command needs no lead.
	Clock bool
}

// leader is the lead of a command under given timing parameters.
type leader struct {
	op    Op
	index int // in Standard.Leads, -1 without one
	clock bool
	runs  Cycle // for which the data clock runs after the issue of the command
}

// leaders returns the lead of each command, and panics if the table contradicts itself.
func (s *Standard) leaders(b *Book) []leader {
	list := make([]leader, len(s.Ops))
	for i := range list {
		list[i].index = -1
	}
	wrong := func(format string, a ...any) { panic("dram: standard " + s.Name + ": " + fmt.Sprintf(format, a...)) }
	for i, l := range s.Leads {
		lead, op := &s.Ops[l.Issue], &s.Ops[l.Before]
		switch {
		case s.Buses != OneBus:
			wrong("%s goes ahead of %s: a bus for all commands wanted", lead.Name, op.Name)
		case list[l.Before].index >= 0:
			wrong("two commands go ahead of %s", op.Name)
		case b.longest(ChannelLevel, l.Issue, l.Before) > 1:
			wrong("%s waits for %s, which goes right ahead of it", op.Name, lead.Name)
		case lead.Opens || lead.Closes || lead.Yields || lead.Blocks || lead.Row || lead.Bank != op.Bank:
			wrong("%s goes ahead of %s and does something else too", lead.Name, op.Name)
		case l.Clock == op.Opens || !l.Clock && s.Banks == nil:
			wrong("%s goes ahead of %s: to start the data clock, or an activation of a bank", lead.Name, op.Name)
		}
		list[l.Before] = leader{l.Issue, i, l.Clock, Cycle(b.Result[l.Before] + b.Postamble)}
	}
	return list
}

// begins is the lead of a command that starts the data clock for it, or begins its activation.
// ok: op is a lead.
func (s *Standard) begins(op Op) (l Lead, ok bool) {
	for _, l := range s.Leads {
		if l.Issue == op {
			return l, true
		}
	}
	return Lead{}, false
}

// activates reports whether a command is the first of the two steps of an activation.
func (s *Standard) activates(op Op) bool {
	l, ok := s.begins(op)
	return ok && !l.Clock
}

// LeadsOthers reports whether a command goes ahead of others, and does nothing else.
func (s *Standard) LeadsOthers(op Op) bool {
	_, ok := s.begins(op)
	return ok
}

// Hidden reports whether a command is in no stream because engines issue it for others: in a
// change of mode, or ahead of a command.
func (s *Standard) Hidden(op Op) bool { return s.ChangesMode(op) || s.LeadsOthers(op) }

// lead issues the lead of a command that is free from cycle x on, if it needs one, in cycle u or
// later. It returns the first cycle for the command.
func (c *Channel) lead(s *state, r *row, u, x Cycle) Cycle {
	l := &r.lead
	if l.index < 0 {
		return x
	}
	if !l.clock || s.next[c.clock] < x {
		at := max(u, s.t+1, s.next[l.op%maxSlots], x-1)
		c.fire(s, l.op, at)
		s.changes[len(c.modes.changes)+l.index]++
		x = at + 1
	}
	if l.clock {
		s.next[c.clock] = max(s.next[c.clock], x+l.runs)
	}
	return x
}
