package dram

import (
	"fmt"
	"math"
	"slices"
)

// Check holds a log of issued commands against the rules of a standard. It issues nothing,
// and shares only the tables of the standard with Channel.
//
// In the literature: a protocol checker; DRAM models are verified by replaying their command
// trace against a vendor's model (DRAMSim2, Rosenfeld et al., IEEE CAL 2011).
type Check struct {
	std   *Standard
	book  Book
	after [][]int   // by Op, the rules that have it in After
	until [][]int   // by Op, the rules that have it in Before
	last  [][]Cycle // by rule, the last issues of After, as many as Window, the oldest first
	at    Cycle     // the last issue
	block Cycle     // the arrival of a result that the host waits for
	open  []bool    // by Op, the rows that it opens are open
	rows  bool      // some command needs its row open
	modes modeTracker
	done  int64 // refreshes
}

// NewCheck starts a check at cycle 0, of commands of all banks. The error names a wrong
// timing parameter.
func (s *Standard) NewCheck(t Timing) (*Check, error) {
	book, err := s.book(t)
	if err != nil {
		return nil, err
	}
	c := &Check{
		std: s, book: book, after: make([][]int, len(s.Ops)), until: make([][]int, len(s.Ops)),
		last: make([][]Cycle, len(book.Rules)), open: make([]bool, len(s.Ops)), modes: modeTracker{modeTable: s.modeTable(t)},
	}
	const before = math.MinInt64 / 2 // further back than any wait
	for i, r := range book.Rules {
		c.last[i] = slices.Repeat([]Cycle{before}, max(r.Window, 1))
		if r.Level != ChannelLevel { // between commands of single banks
			continue
		}
		for _, op := range r.After {
			c.after[op] = append(c.after[op], i)
		}
		for _, op := range r.Before {
			c.until[op] = append(c.until[op], i)
		}
	}
	for _, o := range s.Ops {
		c.rows = c.rows || o.Row
	}
	return c, nil
}

// Issue checks a command issued in a cycle. The error names the rule that it breaks.
func (c *Check) Issue(op Op, at Cycle) error {
	o := &c.std.Ops[op]
	broken := func(format string, a ...any) error {
		return fmt.Errorf("cycle %d: %s %s", at, o.Name, fmt.Sprintf(format, a...))
	}
	if at <= c.at {
		return broken("when a command was issued in cycle %d: one a cycle wanted", c.at)
	}
	if o.Bank {
		return broken("of a single bank: commands of all banks wanted")
	}
	if err := c.modes.allows(op, at); err != nil {
		return broken("%v", err)
	}
	if at <= c.block {
		return broken("before a result that is waited for, in cycle %d", c.block)
	}
	for _, i := range c.until[op] {
		if r, since := &c.book.Rules[i], at-c.last[i][0]; int64(since) < r.Wait {
			return broken("%d cycles after %s: %d wanted", since, c.names(r.After, r.Window), r.Wait)
		}
	}
	if err := c.refresh(op, at, broken); err != nil {
		return err
	}
	if err := c.row(op, broken); err != nil {
		return err
	}
	c.modes.issue(op, at)
	for _, i := range c.after[op] {
		last := c.last[i]
		copy(last, last[1:])
		last[len(last)-1] = at
	}
	if o.Blocks {
		c.block = at + Cycle(c.book.Result[op])
	}
	c.at = at
	return nil
}

// refresh checks that no refresh waits longer than the standard allows, and that none is
// served before its request.
func (c *Check) refresh(op Op, at Cycle, broken func(string, ...any) error) error {
	f := c.std.Refresh
	if f == nil {
		return nil
	}
	due := (c.done + 1) * c.book.Interval
	if late := int64(at) - due; late >= int64(f.Queue)*c.book.Interval {
		return broken("while the refresh of cycle %d waits: at most %d cycles wanted", due, int64(f.Queue)*c.book.Interval)
	}
	if op == f.Do {
		if int64(at) < due {
			return broken("before the refresh is requested in cycle %d", due)
		}
		c.done++
	}
	return nil
}

// row checks that rows are open, or closed, where the command needs it.
func (c *Check) row(op Op, broken func(string, ...any) error) error {
	o := &c.std.Ops[op]
	any := false
	for _, open := range c.open {
		any = any || open
	}
	switch {
	case o.Row && !any:
		return broken("with no row open")
	case o.Opens && c.rows && c.open[op]:
		return broken("on banks whose row is open")
	case c.std.Refresh != nil && op == c.std.Refresh.Do && any:
		return broken("with a row open")
	}
	if o.Closes {
		clear(c.open)
	} else if o.Opens {
		c.open[op] = true
	}
	return nil
}

// Finish checks the end of a run. The error names a refresh that is missing.
func (c *Check) Finish(end Cycle) error {
	if due := (c.done + 1) * c.book.Interval; c.std.Refresh != nil && due <= int64(end) {
		return fmt.Errorf("cycle %d: the refresh of cycle %d is missing", end, due)
	}
	return nil
}

// names is the text of a rule's commands, and of the one among the last that it counts from.
func (c *Check) names(ops []Op, nth int) string {
	s := c.std.Ops[ops[0]].Name
	for _, op := range ops[1:] {
		s += "/" + c.std.Ops[op].Name
	}
	if nth > 1 {
		s = fmt.Sprintf("the last but %d of %s", nth-1, s)
	}
	return s
}
