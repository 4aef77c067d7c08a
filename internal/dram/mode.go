package dram

import (
	"fmt"
	"slices"
)

// Mode is an operating mode of a channel, an index into Standard.Modes. A channel
// starts in mode 0.
//
// In the literature: the single-bank, all-bank and all-bank-PIM modes of HBM-PIM
// (Lee et al., ISCA 2021).
type Mode uint8

// ModeSet is a set of modes, bit m for mode m. As OpSpec.Modes the empty set means
// every mode.
type ModeSet uint8

// In returns a set of modes.
func In(modes ...Mode) (s ModeSet) {
	for _, m := range modes {
		s |= 1 << m
	}
	return s
}

// Has reports whether the set contains a mode.
func (s ModeSet) Has(m Mode) bool { return s>>(m&7)&1 == 1 }

// Change is an entry of the table of mode changes of a standard: the commands that take a
// channel from one mode to another, and the time that they take.
type Change struct {
	From, To Mode
	// Issue are the commands, in order. They occur in changes only: no stream contains
	// them, and none opens or closes a row. A change of no commands takes no time.
	Issue []Op
	// Wait names a timing parameter: the cycles for which every command waits after the
	// last of Issue. "": only the rules of the commands count.
	Wait string
	// Row, unless 0, is the row that the first of Issue opens. As is the ordinary command that opens it in logs of others, and whatever
	// closes it there is the second of Issue (Audit.Meant).
	Row int64
	As  Op
}

// maxChanges bounds Standard.Changes: three modes, each to each other. maxHidden bounds them and
// the leads.
const maxChanges, maxHidden = 6, 12

// changeCount counts what engines issue by themselves: changes of mode, by their number in the
// table, and then leads, by theirs.
type changeCount [maxHidden]int64

// add adds k times o.
func (n *changeCount) add(o *changeCount, k int64) {
	for i := range n {
		n[i] += k * o[i]
	}
}

// since is what was added to o.
func (n *changeCount) since(o *changeCount) *changeCount {
	d := *n
	d.add(o, -1)
	return &d
}

// modeTable is the modes of a standard under given timing parameters. Every engine asks it
// for the change that a command needs.
type modeTable struct {
	names   []string
	runs    []ModeSet // the modes of each Op, never empty
	changes []change
	belongs []bool // by Op: it occurs in changes only
}

// change is a Change under given timing parameters.
type change struct {
	from, to Mode
	issue    []Op
	wait     Cycle
}

// engineModes is the table for engines, which issue streams. Where these change the mode themselves
// there is one.
func (s *Standard) engineModes(t Timing) *modeTable {
	if s.Explicit {
		one := &Standard{Name: s.Name, Ops: slices.Clone(s.Ops)}
		for i := range one.Ops {
			one.Ops[i].Modes = 0
		}
		return one.modeTable(t)
	}
	return s.modeTable(t)
}

// modeTable compiles the table. It panics if the table contradicts itself.
func (s *Standard) modeTable(t Timing) *modeTable {
	m := &modeTable{names: s.Modes, belongs: make([]bool, len(s.Ops))}
	if len(m.names) == 0 {
		m.names = []string{"the only"}
	}
	wrong := func(format string, a ...any) { panic("dram: standard " + s.Name + ": " + fmt.Sprintf(format, a...)) }
	for _, o := range s.Ops {
		runs := o.Modes
		if runs == 0 {
			runs = 1<<len(m.names) - 1
		}
		m.runs = append(m.runs, runs)
	}
	if len(s.Changes) > maxChanges || len(s.Changes)+len(s.Leads) > maxHidden {
		wrong("more than %d changes of mode, or than %d with the commands that go ahead of others", maxChanges, maxHidden)
	}
	for i, c := range s.Changes {
		if c.Wait != "" && (len(c.Issue) == 0 || !slices.Contains(s.Timing, c.Wait)) {
			wrong("change %d waits for %.80q after %d commands", i, c.Wait, len(c.Issue))
		}
		m.changes = append(m.changes, change{c.From, c.To, c.Issue, Cycle(t[c.Wait])})
		for _, op := range c.Issue {
			m.belongs[op] = true
			if o := &s.Ops[op]; (o.Opens || o.Closes) && !s.Explicit || o.Yields || o.Blocks || o.Row || o.Bank {
				wrong("%s changes the mode and does something else too", o.Name)
			}
		}
		for _, d := range s.Changes[:i] {
			if d.From == c.From && len(c.Issue) > 0 && len(d.Issue) > 0 && d.Issue[0] == c.Issue[0] {
				wrong("two changes from mode %s start with %s", m.names[c.From], s.Ops[c.Issue[0]].Name)
			}
		}
	}
	for op := range s.Ops {
		for at := range m.names {
			if !m.belongs[op] && !m.runs[op].Has(Mode(at)) && m.needed(Mode(at), Op(op)) < 0 {
				wrong("no change from mode %s to one of %s", m.names[at], s.Ops[op].Name)
			}
		}
	}
	return m
}

// needed is the number of the change that op needs in a mode: the first in the table that
// leads to a mode of op. It is -1 if op runs in the mode.
func (m *modeTable) needed(at Mode, op Op) int {
	if m.runs[op].Has(at) {
		return -1
	}
	return slices.IndexFunc(m.changes, func(c change) bool { return c.from == at && m.runs[op].Has(c.to) })
}

// started is the number of the change from a mode that starts with op, -1 if none does.
func (m *modeTable) started(at Mode, op Op) int {
	return slices.IndexFunc(m.changes, func(c change) bool { return c.from == at && len(c.issue) > 0 && c.issue[0] == op })
}

// wait is the least Wait of the changes that end with op, 0 without one.
func (m *modeTable) wait(op Op) (least Cycle) {
	first := true
	for _, c := range m.changes {
		if n := len(c.issue); n > 0 && c.issue[n-1] == op && (first || c.wait < least) {
			least, first = c.wait, false
		}
	}
	return least
}

// modeTracker follows the mode of a channel command by command.
type modeTracker struct {
	*modeTable
	mode  Mode
	step  int   // commands issued of the change under way
	under int   // the change under way, if step > 0
	until Cycle // nothing is issued before this cycle, because of the last change
}

// next is the next command of the mode change that op needs; false: op runs in the mode.
func (t *modeTracker) next(op Op) (Op, bool) {
	if t.step > 0 {
		return t.changes[t.under].issue[t.step], true
	}
	if i := t.needed(t.mode, op); i >= 0 && len(t.changes[i].issue) > 0 {
		return t.changes[i].issue[0], true
	}
	return 0, false
}

// allows checks a command in a cycle. The error is the reason that the modes forbid it.
func (t *modeTracker) allows(op Op, at Cycle) error {
	switch {
	case at < t.until:
		return fmt.Errorf("before the change to %s mode is over in cycle %d", t.names[t.mode], t.until)
	case t.step > 0:
		if c := &t.changes[t.under]; op != c.issue[t.step] {
			return fmt.Errorf("amid the change to %s mode", t.names[c.to])
		}
	case t.belongs[op]:
		if t.started(t.mode, op) < 0 {
			return fmt.Errorf("in %s mode, from which it starts no change", t.names[t.mode])
		}
	default:
		if i := t.needed(t.mode, op); i >= 0 && len(t.changes[i].issue) > 0 {
			return fmt.Errorf("in %s mode", t.names[t.mode])
		}
	}
	return nil
}

// issue records an issue that the modes allow.
func (t *modeTracker) issue(op Op, at Cycle) {
	if !t.belongs[op] {
		if i := t.needed(t.mode, op); i >= 0 { // a change without commands
			t.mode = t.changes[i].to
		}
		return
	}
	if t.step == 0 {
		t.under = t.started(t.mode, op)
	}
	if c := &t.changes[t.under]; t.step < len(c.issue)-1 {
		t.step++
	} else {
		t.mode, t.until, t.step = c.to, at+c.wait, 0
	}
}

// force is issue of a command that the modes may forbid: the channel then is in a mode of the command.
func (t *modeTracker) force(op Op, at Cycle) {
	if t.belongs[op] {
		if t.step > 0 && op != t.changes[t.under].issue[t.step] || t.step == 0 && t.started(t.mode, op) < 0 {
			t.step = 0
			return
		}
	} else if t.step > 0 || !t.runs[op].Has(t.mode) {
		t.step = 0
		if i := t.needed(t.mode, op); i >= 0 {
			t.mode = t.changes[i].to
		}
		return
	}
	t.issue(op, at)
}
