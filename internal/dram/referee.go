package dram

import (
	"fmt"
	"math"
	"slices"
)

// Referee times a stream cycle by cycle, with the queues of the published simulator's front
// end and controller. It shares only the tables of the standard with Channel, and in each
// cycle searches the rules and the whole history of issues: the reference of the tests. The
// error names a wrong timing parameter, or says that more refreshes waited than the queue
// holds.
//
// In the literature: a reference model, or golden model.
func (s *Standard) Referee(t Timing, st Stream) (Result, error) {
	book, err := s.book(t)
	if err != nil {
		return Result{}, err
	}
	r := referee{std: s, book: book, history: make([][]int64, len(s.Ops)), modes: modeTracker{modeTable: s.engineModes(t)}, leads: s.leaders(&book), clock: math.MinInt64}
	if s.Buses == RowAndColumn {
		return r.simulateTwo(st), nil
	}
	var trace []Op
	st.Walk(func(c *Command, _ []int) bool { trace = append(trace, c.Op); return true })
	return r.simulate(trace)
}

// commandQueue is the depth of the published controller's queue of PIM requests.
const commandQueue = 32

type referee struct {
	std      *Standard
	book     Book
	history  [][]int64 // cycles of issue, by Op
	queue    []Op
	refresh  int // requests that wait
	injected int64
	serving  bool // refreshes go first
	pending  []int64
	open     bool
	modes    modeTracker
	leads    []leader
	begun    bool  // an activation has had its first step
	clock    int64 // the last cycle of the data clock
}

// simulate runs the front end until nothing is left anywhere: each cycle one command into
// the queue, if there is room, then a cycle of the controller.
func (r *referee) simulate(trace []Op) (Result, error) {
	next, end, now := 0, false, int64(0)
	for {
		now++
		switch {
		case next == len(trace):
			end = true // the front end needs a cycle to find the end
		case len(r.queue) < commandQueue:
			r.queue = append(r.queue, trace[next])
			next++
		}
		if err := r.tick(now); err != nil {
			return Result{}, err
		}
		if end && len(r.queue) == 0 && r.refresh == 0 && len(r.pending) == 0 {
			break
		}
	}
	issued := make([]int64, len(r.history))
	for op, h := range r.history {
		issued[op] = int64(len(h))
	}
	return Result{Cycles: Cycle(now), Issued: issued}, nil
}

// tick is one cycle of the controller.
func (r *referee) tick(now int64) error {
	r.pending = slices.DeleteFunc(r.pending, func(arrives int64) bool { return arrives <= now })
	f := r.std.Refresh
	if f != nil && now-r.injected >= r.book.Interval {
		if r.refresh == f.Queue {
			return fmt.Errorf("cycle %d: a refresh is due and %d wait already, all the queue holds", now, f.Queue)
		}
		r.refresh++
		r.injected = now
	}
	if r.refresh == 0 {
		r.serving = false
	} else if len(r.queue) == 0 {
		r.serving = true
	}
	switch {
	case r.serving && r.open:
		r.try(f.Close, now)
	case r.serving:
		if r.try(f.Do, now) {
			r.refresh--
		}
	case len(r.queue) > 0:
		op := r.queue[0]
		if !r.try(op, now) {
			return nil
		}
		r.queue = r.queue[1:]
		if r.std.Ops[op].Yields {
			r.serving = true
		}
		if wait := r.book.Result[op]; wait > 0 {
			r.pending = append(r.pending, now+wait)
		}
	}
	return nil
}

// try issues op, or the next command of the mode change that op needs, or the lead of op, if no
// rule forbids it now. A change starts in the first cycle in which op could be issued but for
// its mode; a lead is issued in the cycle before that in which op can be, or later.
func (r *referee) try(op Op, now int64) bool {
	if change, needed := r.modes.next(op); needed {
		if (r.modes.step > 0 || r.allowed(op, now)) && r.allowed(change, now) {
			r.record(change, now)
		}
		return false
	}
	l, at := r.leads[op], now
	if !r.allowed(op, now) {
		at++
	}
	switch {
	case !r.allowed(op, at):
		return false
	case l.index >= 0 && (l.clock && r.clock < at || !l.clock && !r.begun):
		if r.allowed(l.op, now) {
			r.record(l.op, now)
			if r.begun = !l.clock; l.clock {
				r.clock = max(r.clock, now+1)
			}
		}
		return false
	case at > now:
		return false
	}
	r.record(op, now)
	if r.begun = false; l.clock {
		r.clock = max(r.clock, now+int64(l.runs))
	}
	return true
}

// record notes an issue.
func (r *referee) record(op Op, now int64) {
	r.modes.issue(op, Cycle(now))
	r.history[op] = append(r.history[op], now)
	if r.std.Ops[op].Opens {
		r.open = true
	}
	if r.std.Ops[op].Closes {
		r.open = false
	}
}

// allowed reports whether no rule forbids op now.
func (r *referee) allowed(op Op, now int64) bool {
	for _, rule := range r.book.Rules {
		if at, ok := r.last(rule, op); ok && now < at+rule.Wait {
			return false
		}
	}
	for after, h := range r.history {
		if r.std.Ops[after].Blocks && len(h) > 0 && now <= h[len(h)-1]+r.book.Result[Op(after)] {
			return false
		}
	}
	return Cycle(now) >= r.modes.until
}

// last is the cycle that a rule counts from for op; false: the rule does not apply.
func (r *referee) last(rule Rule, op Op) (int64, bool) {
	concerned := false
	for _, b := range rule.Before {
		concerned = concerned || b == op
	}
	if !concerned || rule.Level != ChannelLevel {
		return 0, false
	}
	left := map[Op]int{} // issues not yet passed, going back in time
	for _, a := range rule.After {
		left[a] = len(r.history[a])
	}
	at := int64(0)
	for range max(rule.Window, 1) {
		at = 0
		from := Op(0)
		for a, n := range left {
			if n > 0 && r.history[a][n-1] > at {
				at, from = r.history[a][n-1], a
			}
		}
		if at == 0 {
			return 0, false
		}
		left[from]--
	}
	return at, true
}
