// Package hbmhost times traces of an open model of HBM3 with units in its banks (DCC, ISCA 2026,
// its folder src/Ramulator2/HBMPIM), with the omissions of the model. A timing and instructions go
// in; the ticks of the commands come out.
//
// The scope is one channel with two pseudo-channels, whose banks open rows together. The model
// issues a row and a column command a tick. It checks a precharge and a refresh against the
// commands of all banks only, and starves them while accesses of all banks follow each other.
// Streams of this project do not come here: they have the rules of the standard hbm-pim.
package hbmhost

import (
	"fmt"
	"iter"

	"pimflow/internal/dram"
)

// Command is a command that the model issues, an index into Commands.
type Command int

// The commands, in the order of Commands.
const (
	act Command = iota
	pre
	prea
	rd
	wr
	refab
	actab
	macab
	wrgb
	mvsb
	mvgb
)

// Commands are the names of the commands.
var Commands = []string{"ACT", "PRE", "PREA", "RD", "WR", "REFab", "ACTAB", "MACAB", "WRGB", "MVSB", "MVGB"}

// Hosts reports whether traces of the model are those of a machine of a standard.
func Hosts(std *dram.Standard) bool { return std.Name == "hbm-pim" }

// Issue is a command and its tick.
type Issue struct {
	Command Command
	At      int64
}

// ErrOrder says that the model would reorder requests, and why.
type ErrOrder struct{ Line string }

func (e *ErrOrder) Error() string {
	return e.Line + ": the model's controller reorders requests, which is not simulated"
}

// Run times instructions in order, and calls seen for each command. It returns the cycles: the tick of the last
// command, refreshes that are pending then included. stop is asked now and then; its error ends the run.
func Run(t *Timing, trace iter.Seq[Instruction], seen func(Issue), stop func() error) (cycles int64, err error) {
	next, end := iter.Pull(trace)
	defer end()
	m := &model{t: t, row: closed, refresh0: before, seen: seen}
	for i := range m.last {
		m.last[i] = before
	}
	for i := range m.moved {
		m.moved[i], m.movedIn[i] = before, [groups]int64{before, before, before, before}
	}
	advance := func() {
		m.barred = false
		for {
			in, ok := next()
			if m.head, m.ended = in, !ok; !ok || in.kind != barrier {
				return
			}
			m.barred = true
		}
	}
	// Refreshes come at the same pace for ever: what they hold back for longer than two of them never comes.
	patient := 2*(t.Interval+t.Refresh+t.RC+t.RAS+t.RP+t.RCD+t.RTPL+t.BL+t.CCDS+t.CCDL+t.CCDAB) + 64
	for advance(); !m.ended || len(m.pending) > 0; {
		m.now++
		if m.now%4096 == 0 && stop != nil {
			if err := stop(); err != nil {
				return 0, err
			}
		}
		if !m.ended && m.now-m.worked > patient {
			return 0, fmt.Errorf("refi %d, rfc %d: the model never ends here: a refresh is due again before a row may open: refi greater than rfc wanted", t.Interval, t.Refresh)
		}
		if !m.ended && (m.head.kind == readBank || m.head.kind == writeBank) {
			return 0, &ErrOrder{instructions[m.head.kind].name}
		}
		m.tick(advance)
	}
	if m.barred { // a barrier at the very end takes a tick
		m.now++
	}
	return m.now, nil
}

const (
	closed = -1
	before = -1 << 40
)

// model is the state of the channel.
type model struct {
	t        *Timing
	now      int64
	row      int64 // that all banks have open
	last     [11]int64
	refresh0 int64          // the last refresh of pseudo-channel 0
	moved    [pchs]int64    // the last move of a pseudo-channel
	movedIn  [pchs][4]int64 // and of its groups
	pending  []int          // refreshes, by pseudo-channel
	head     Instruction    // the first that is not finished
	ended    bool           // there is none
	barred   bool           // a barrier is before it
	done     int64          // the tick of the last finished instruction
	worked   int64          // the tick of the last command that is no refresh's
	seen     func(Issue)
}

// next is the next command of the head; false: the head has to wait for a barrier, or there is none.
func (m *model) next() (Command, bool) {
	switch {
	case m.ended || m.barred && m.now <= m.done:
		return 0, false
	case m.head.kind != macAB:
		return wrgb + Command(m.head.kind-moves), true
	case m.row == closed:
		return actab, true
	case m.row != m.head.row:
		return prea, true
	}
	return macab, true
}

func column(c Command) bool { return c == macab || c >= wrgb }

// ready reports whether no rule forbids a command now.
func (m *model) ready(c Command) bool {
	after := func(a Command, wait int64) bool { return m.now >= m.last[a]+wait }
	t := m.t
	switch c {
	case actab:
		return after(actab, max(t.RC, 2)) && after(prea, t.RP) && m.now >= m.refresh0+t.Refresh
	case macab:
		return after(actab, t.RCD) && after(macab, t.CCDAB)
	case prea:
		return after(actab, max(t.RAS, 2)) && after(macab, t.RTPL)
	case refab:
		return after(actab, 2)
	}
	p := m.head.pch
	return m.now >= m.moved[p]+max(t.BL, t.CCDS) && m.now >= m.movedIn[p][m.head.group]+t.CCDL
}

func (m *model) issue(c Command) {
	m.last[c] = m.now
	switch {
	case c == actab:
		m.row = m.head.row
	case c == prea:
		m.row = closed
	case c >= wrgb:
		m.moved[m.head.pch], m.movedIn[m.head.pch][m.head.group] = m.now, m.now
	}
	if m.seen != nil {
		m.seen(Issue{c, m.now})
	}
}

// step issues the next command of the head if it is ready.
func (m *model) step(c Command, advance func()) {
	m.issue(c)
	m.worked = m.now
	if column(c) {
		m.done = m.now
		advance()
	}
}

// tick is a cycle: in the first slot a refresh that is pending, else the head; in the second the
// head, if it takes the other bus.
func (m *model) tick(advance func()) {
	if m.t.Interval > 0 && m.now%m.t.Interval == 0 {
		m.pending = append(m.pending, 0, 1)
	}
	row, taken := false, false // what the first slot is
	waiting := len(m.pending) > 0
	if waiting {
		row, taken = true, true
		if m.row != closed {
			if m.ready(prea) {
				m.issue(prea)
			}
		} else if m.ready(refab) {
			m.issue(refab)
			if m.pending[0] == 0 {
				m.refresh0 = m.now
			}
			m.pending = m.pending[1:]
		}
	} else if c, ok := m.next(); ok && m.ready(c) {
		m.step(c, advance)
		row, taken = !column(c), true
	}
	if !taken {
		return
	}
	if c, ok := m.next(); ok && column(c) == row && (row || len(m.pending) == 0) && m.ready(c) {
		m.step(c, advance)
	}
}
