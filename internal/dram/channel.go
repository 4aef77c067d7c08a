package dram

import (
	"math"
	"slices"
	"sync"
)

// Channel is a standard compiled for given timing parameters. It issues at most one command
// a cycle and bus, in the order of the stream, the first in cycle 1. It is safe for concurrent use.
type Channel struct {
	std      *Standard
	rows     []row // by Op
	modes    *modeTable
	slots    []Cycle // the wait of the window that each slot belongs to
	clock    int     // the slot of the last cycle of the data clock, as an index into state.next
	interval Cycle
	two      bool  // command buses (step)
	gap      Cycle // the least wait between two commands: 1, of two buses 0
	mu       sync.Mutex
	jumps    []*jump // free memories of Time
}

// row is the effect of issuing a command.
type row struct {
	holds                 []hold         // on later commands of a stream, by rules of the channel and the host's waiting
	near                  [levels][]hold // by the rules alone, by level
	windows               []window
	opens, closes, yields bool
	column                bool  // on a bus of its own
	late                  Cycle // for which a refresh that is due waits for it, of two buses
	only                  bool  // it has holds and nothing else: no window, no row opened or closed, no lead
	lead                  leader
	begins                bool    // the first of two steps of an activation
	starts                Cycle   // for which it starts the data clock
	modes                 ModeSet // in which it runs
	result                Cycle
}

// hold keeps a command back for wait cycles after the issue.
type hold struct {
	op   Op
	wait Cycle
}

// window is a rule over the last n > 1 issues. Slots lo to hi of a state hold the cycles of
// the n-1 before this one, the oldest first.
type window struct {
	lo, hi int
	before []Op
	wait   Cycle
}

// Result is the outcome of timing a stream.
type Result struct {
	// Cycles is the length of the run: the last result has arrived, and all refreshes due by
	// then are done. It is 1 for an empty stream.
	Cycles Cycle
	// Issued counts commands by Op, with those of refreshes and mode changes.
	Issued []int64
	// Overflow: at some point more refreshes waited than the standard allows
	// (Refresh.Queue). The published simulator of artifact aborts there; elsewhere they are late.
	Overflow bool
}

// never is a cycle before all that any rule looks back at.
const never = math.MinInt64 / 4

// maxSlots bounds the commands of a standard and the slots of its windows together.
const maxSlots = 32

// New compiles the standard. The error names a parameter that is missing, unknown (with the
// nearest known name) or out of range. New panics if the tables of the standard contradict
// each other.
func (s *Standard) New(t Timing) (*Channel, error) {
	book, err := s.book(t)
	if err != nil {
		return nil, err
	}
	c := &Channel{std: s, rows: make([]row, len(s.Ops)), modes: s.engineModes(t), interval: math.MaxInt64 / 4, gap: 1}
	if s.Buses == RowAndColumn {
		c.two, c.gap = true, 0
		if len(c.modes.changes) > 0 {
			panic("dram: standard " + s.Name + " has two buses and changes of mode that streams leave to the channel")
		}
	}
	if s.Refresh != nil {
		c.interval = Cycle(book.Interval)
	}
	leaders := s.leaders(&book)
	for a, o := range s.Ops {
		r := row{lead: leaders[a], opens: o.Opens, closes: o.Closes, yields: o.Yields, modes: c.modes.runs[a], result: Cycle(book.Result[Op(a)])}
		if r.column = o.Column; (o.Column || o.Amid) && s.Refresh != nil {
			r.late = c.interval * Cycle(s.Refresh.Queue)
		}
		for b := range s.Ops {
			// A wait of gap needs no hold.
			for l := range levels {
				if w := book.longest(l, Op(a), Op(b)); w > 1 {
					r.near[l] = append(r.near[l], hold{Op(b), Cycle(w)})
				}
			}
			w := book.longest(ChannelLevel, Op(a), Op(b))
			if o.Blocks {
				w = max(w, book.Result[Op(a)]+1)
			}
			if o.Column == s.Ops[b].Column {
				w = max(w, 1)
			}
			if w > int64(c.gap) {
				r.holds = append(r.holds, hold{Op(b), Cycle(w)})
			}
		}
		c.rows[a] = r
	}
	for _, r := range book.Rules {
		if r.Window <= 1 {
			continue
		}
		lo := len(c.slots)
		c.slots = append(c.slots, slices.Repeat([]Cycle{Cycle(r.Wait)}, r.Window-1)...)
		for _, a := range r.After {
			c.rows[a].windows = append(c.rows[a].windows, window{lo, len(c.slots), r.Before, Cycle(r.Wait)})
		}
	}
	if len(s.Leads) > 0 {
		c.clock = len(c.rows) + len(c.slots)
		c.slots = append(c.slots, 1)
	}
	for i := range c.rows {
		r := &c.rows[i]
		r.only = r.windows == nil && !r.opens && !r.closes && r.lead.index < 0
	}
	for _, l := range s.Leads {
		r := &c.rows[l.Issue]
		if l.Clock {
			r.starts = 1 + leaders[l.Before].runs
		} else { // a begun activation is no closed bank
			r.begins, r.opens, r.only = true, true, false
		}
	}
	if len(c.rows)+len(c.slots) > maxSlots {
		panic("dram: standard " + s.Name + " needs more state than maxSlots")
	}
	return c, nil
}

// Wait is the least number of cycles from an issue of after to the next issue of before, by
// the rules between the two, the change of mode that after completes, and the leads of both:
// the data clock stands still after a command that does not need it.
func (c *Channel) Wait(after, before Op) Cycle {
	a, b := &c.rows[after], &c.rows[before]
	wait := c.waitFrom(after, before)
	if a.lead.index >= 0 && !a.lead.clock {
		wait = max(wait, c.waitFrom(a.lead.op, before)-1)
	}
	if b.lead.index < 0 || b.lead.clock && a.lead.clock && wait <= a.lead.runs {
		return wait
	}
	led := c.waitFrom(after, b.lead.op)
	if a.lead.index >= 0 && !a.lead.clock {
		led = max(led, c.waitFrom(a.lead.op, b.lead.op)-1)
	}
	return max(wait, led+1)
}

// waitFrom is Wait without leads.
func (c *Channel) waitFrom(after, before Op) Cycle {
	wait := max(c.gap, c.modes.wait(after))
	for _, h := range c.rows[after].holds {
		if h.op == before {
			wait = max(wait, h.wait)
		}
	}
	return wait
}

// Standard is the standard that the channel was compiled from.
func (c *Channel) Standard() *Standard { return c.std }

// Unrefreshed returns the channel without refreshes.
func (c *Channel) Unrefreshed() *Channel {
	return &Channel{std: c.std, rows: c.rows, modes: c.modes, slots: c.slots, clock: c.clock, two: c.two, gap: c.gap, interval: math.MaxInt64 / 4}
}

// ResultAfter is the number of cycles from the issue of a command to the arrival of its
// result, 0 for a command without one.
func (c *Channel) ResultAfter(op Op) Cycle { return c.rows[op].result }

// Longest is the longest wait of the channel: between two commands, for a result, or of a
// change of mode. It is at least 1.
func (c *Channel) Longest() Cycle {
	longest := Cycle(1)
	for _, r := range c.rows {
		longest = max(longest, r.result)
		for _, holds := range r.near {
			for _, h := range holds {
				longest = max(longest, h.wait)
			}
		}
	}
	for _, m := range c.modes.changes {
		longest = max(longest, m.wait)
	}
	return longest
}

// Postponable is the number of cycles for which a refresh may be postponed.
func (c *Channel) Postponable() Cycle {
	if c.std.Refresh == nil {
		return c.interval
	}
	return c.interval * Cycle(c.std.Refresh.Queue)
}

// hides reports whether there are commands that engines issue by themselves.
func (c *Channel) hides() bool { return len(c.modes.changes)+len(c.std.Leads) > 0 }

// state is the state of a channel between two commands.
type state struct {
	next      [maxSlots]Cycle // the earliest issue by Op; then the slots of the windows
	t         Cycle           // the last issue, 0 before the first
	due       Cycle           // when the next refresh is requested
	result    Cycle           // when the last result arrives
	look      Cycle           // the cycle after the last service of refreshes, in which none was due
	closes    int64           // commands issued for refreshes
	refreshes int64
	reopens   int64
	changes   *changeCount // of mode, and leads, counted up
	open      bool         // some bank is open
	mode      Mode
	yield     bool // the last command lets refreshes pass
	overflow  bool
	seen      func(Op, Cycle) // the observer of issues; nil: none
}

func (c *Channel) start() state {
	s := state{due: c.interval, changes: &changeCount{}}
	for i := range c.slots {
		s.next[len(c.rows)+i] = never
	}
	for op := range c.rows {
		s.next[op] = 1
	}
	return s
}

// issue issues the next command in the first cycle that the rules allow. Refreshes that are
// due go first, if the command before yields to them.
func (c *Channel) issue(s *state, op Op) {
	if c.two {
		c.step(s, op)
		return
	}
	u := s.t + 1
	if s.yield && u >= s.due {
		for u >= s.due {
			u = c.refresh(s, u) + 1
		}
		s.look = u
	}
	r, x := &c.rows[op], max(u, s.next[op%maxSlots])
	if !r.modes.Has(s.mode) {
		x = c.change(s, op, x)
	}
	if r.only && s.seen == nil {
		keep(&s.next, r.holds, x)
	} else {
		x = c.lead(s, r, u, x)
		c.fire(s, op, x)
	}
	s.t = x
	s.yield = r.yields
	if r.result > 0 {
		s.result = max(s.result, x+r.result)
	}
}

// enter changes the mode if op needs another. The change starts at x, the first cycle in
// which op could be issued but for its mode. enter returns the first cycle for op.
func (c *Channel) enter(s *state, op Op, x Cycle) Cycle {
	if c.rows[op].modes.Has(s.mode) {
		return x
	}
	return c.change(s, op, x)
}

func (c *Channel) change(s *state, op Op, x Cycle) Cycle {
	i := c.modes.needed(s.mode, op)
	m := &c.modes.changes[i]
	for _, o := range m.issue {
		x = max(x, s.next[o])
		c.fire(s, o, x)
		s.t = x
		x++
	}
	if m.wait > 0 {
		for o := range c.rows {
			s.next[o] = max(s.next[o], x-1+m.wait)
		}
	}
	s.mode = m.to
	s.changes[i]++
	return max(x, s.next[op])
}

// fire applies the rules for a command issued at x.
func (c *Channel) fire(s *state, op Op, x Cycle) {
	if s.seen != nil {
		s.seen(op, x)
	}
	r := &c.rows[op]
	keep(&s.next, r.holds, x)
	if r.windows != nil {
		c.slide(&s.next, r.windows, x)
	}
	if r.opens {
		s.open = true
	} else if r.closes {
		s.open = false
	}
}

// keep applies the holds of a command issued at x.
func keep(next *[maxSlots]Cycle, holds []hold, x Cycle) {
	for i := range holds {
		h := &holds[i]
		next[h.op%maxSlots] = max(next[h.op%maxSlots], x+h.wait)
	}
}

// slide applies the windows of a command issued at x.
func (c *Channel) slide(next *[maxSlots]Cycle, windows []window, x Cycle) {
	for i := range windows {
		w := &windows[i]
		last := next[len(c.rows)+w.lo : len(c.rows)+w.hi]
		for _, b := range w.before {
			next[b] = max(next[b], last[0]+w.wait)
		}
		copy(last, last[1:])
		last[len(last)-1] = x
	}
}

// refresh serves one refresh from cycle u on and returns the cycle of its issue.
func (c *Channel) refresh(s *state, u Cycle) Cycle {
	f := c.std.Refresh
	if s.open {
		u = c.enter(s, f.Close, max(u, s.next[f.Close]))
		c.fire(s, f.Close, u)
		s.closes++
		u++
	}
	u = c.enter(s, f.Do, max(u, s.next[f.Do]))
	if (u-s.due)/c.interval >= Cycle(f.Queue) {
		s.overflow = true // this one, and a queue's worth requested since
	}
	c.fire(s, f.Do, u)
	s.refreshes++
	s.due += c.interval
	return u
}

// finish ends a run of n commands and returns its cycles.
func (c *Channel) finish(s *state, n int64) Cycle {
	if n == 0 {
		return 1
	}
	x := max(s.t, s.result)
	if c.two {
		return x
	}
	// The front end sends one command a cycle and needs one more cycle to see the end. That
	// cycle counts only if no command has ever waited.
	if s.t == Cycle(n) {
		x = max(x, s.t+1)
	}
	u := s.t + 1
	for s.due <= x { // requested before the run could end
		u = c.refresh(s, max(u, s.due))
		x = max(x, u)
		u++
	}
	return x
}
