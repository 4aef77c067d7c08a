package pim

import (
	"cmp"
	"fmt"

	"pimflow/internal/dram"
)

// Usage follows what a channel spends its cycles on, command by command.
type Usage struct {
	meter  *Meter
	audit  *dram.Audit
	last   dram.Cycle
	spent  Spent
	opened []dram.Cycle // by command that opens rows, since when; 0: closed

	// A change of mode begins in the first cycle in which the command that it is for could be issued but for its mode: what keeps that back is known
	// when it comes.
	change dram.Cycle // in which the change under way began; 0: none
	before dram.Cycle // cycles that the change began later than its own rules allow
	// What goes ahead of a command does so in the last cycle before it could be issued: the same holds.
	lead  dram.Cycle // in which it was issued; 0: the last command was none
	ahead dram.Cycle // cycles later than its own rules allow
}

// Spent is where the cycles of a channel go. Commands and Stalls add up to Cycles.
type Spent struct {
	Cycles   dram.Cycle
	Commands int64   // each occupies the command bus for a cycle
	Stalls   []Stall // in the order in which they first occur
	Open     []Open
}

// Stall is cycles without a command, by the rule that kept the next one back: "end" is the wait for the last result, "idle" that for whoever
// issued a command later than the rules allow.
type Stall struct {
	Rule   string
	Cycles dram.Cycle
}

// Open is the cycles in which rows of some banks are open.
type Open struct {
	Banks  string // as 4-7
	Cycles dram.Cycle
}

const (
	stallEnd  = "end"
	stallIdle = "idle"
)

// Usage starts at cycle 0.
func (m *Meter) Usage() (*Usage, error) {
	a, err := m.Audit()
	if err != nil {
		return nil, err
	}
	d := m.device
	u := &Usage{meter: m, audit: a, opened: make([]dram.Cycle, len(d.ops.Open))}
	for i := range d.ops.Open {
		u.spent.Open = append(u.spent.Open, Open{Banks: fmt.Sprintf("%d-%d", i*d.opened, (i+1)*d.opened-1)})
	}
	return u, nil
}

// Issue notes a command of all banks, in ascending cycles.
func (u *Usage) Issue(op dram.Op, at dram.Cycle) {
	rule, ready := u.audit.Binding(op, dram.AllBanks)
	u.stall(rule, min(ready, at)-u.last-1)
	late := max(at-max(ready, u.last+1), 0)
	switch std := u.meter.device.standard; {
	case std.ChangesMode(op) && u.change == 0:
		u.change, u.before = at, late
	case std.ChangesMode(op):
		u.before += late
	case std.LeadsOthers(op):
		u.lead, u.ahead = at, late
	default:
		if u.change > 0 {
			u.stall(cmp.Or(u.audit.Until(op, dram.AllBanks, u.change), stallIdle), u.before)
		}
		if u.lead > 0 {
			u.stall(cmp.Or(u.audit.Until(op, dram.AllBanks, u.lead+1), stallIdle), u.ahead)
		}
		u.change, u.lead = 0, 0
		u.stall(stallIdle, late)
	}
	u.audit.Record(op, dram.AllBanks, dram.AnyRow, at)
	u.spent.Commands++
	u.last = at
	switch ops := u.meter.device.ops; {
	case ops.roles[op] == openRole:
		if i := ops.index[op]; u.opened[i] == 0 {
			u.opened[i] = at
		}
	case u.audit.Closes(op):
		u.close(at)
	}
}

func (u *Usage) close(at dram.Cycle) {
	for i, since := range u.opened {
		if since > 0 {
			u.spent.Open[i].Cycles += at - since
		}
		u.opened[i] = 0
	}
}

func (u *Usage) stall(rule string, cycles dram.Cycle) {
	if cycles <= 0 {
		return
	}
	for i := range u.spent.Stalls {
		if s := &u.spent.Stalls[i]; s.Rule == rule {
			s.Cycles += cycles
			return
		}
	}
	u.spent.Stalls = append(u.spent.Stalls, Stall{rule, cycles})
}

// Finish ends at a cycle, that of the last result.
func (u *Usage) Finish(end dram.Cycle) *Spent {
	if u.change > 0 {
		u.stall(stallIdle, u.before)
	}
	if u.lead > 0 {
		u.stall(stallIdle, u.ahead)
	}
	u.stall(stallEnd, end-u.last)
	u.close(end)
	u.spent.Cycles = max(end, u.last)
	return &u.spent
}
