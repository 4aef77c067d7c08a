package dram

// Run is the plain engine: it times commands one by one.
type Run struct {
	c      *Channel
	s      state
	n      int64
	issued []int64
}

// Run starts a run of the channel at cycle 0.
func (c *Channel) Run() *Run {
	return &Run{c: c, s: c.start(), issued: make([]int64, len(c.rows))}
}

// Observe makes f the observer of the run: it is told of every command and its cycle in
// order, with the commands of refreshes and mode changes.
func (r *Run) Observe(f func(op Op, at Cycle)) { r.s.seen = f }

// Issue issues op in the first cycle that the rules allow and returns that cycle.
func (r *Run) Issue(op Op) Cycle {
	r.n++
	r.issued[op]++
	if r.c.two { // a refresh may follow
		return r.c.step(&r.s, op)
	}
	r.c.issue(&r.s, op)
	return r.s.t
}

// Finish ends the run. Nothing may be issued after it.
func (r *Run) Finish() Result {
	return r.c.result(&r.s, r.n, r.issued)
}

// result ends the run of a state, and adds to issued the commands of refreshes and mode
// changes, and those that go ahead of others. It panics if the stream had one of these, or a
// command of a single bank: the commands of a stream name no bank.
func (c *Channel) result(s *state, n int64, issued []int64) Result {
	for op, k := range issued {
		if k > 0 && (c.std.Ops[op].Bank || c.std.Hidden(Op(op))) {
			panic("dram: " + c.std.Ops[op].Name + " is not for streams")
		}
	}
	cycles := c.finish(s, n)
	for i := range c.modes.changes {
		for _, op := range c.modes.changes[i].issue {
			issued[op] += s.changes[i]
		}
	}
	for i, l := range c.std.Leads {
		issued[l.Issue] += s.changes[len(c.modes.changes)+i]
	}
	if f := c.std.Refresh; f != nil {
		issued[f.Close] += s.closes
		issued[f.Do] += s.refreshes
		issued[f.Reopen] += s.reopens
	}
	return Result{Cycles: cycles, Issued: issued, Overflow: s.overflow}
}

// plain times a stream command by command.
func (c *Channel) plain(s Stream) Result {
	r := c.Run()
	r.stream(s)
	s.Count(r.issued)
	for _, n := range r.issued {
		r.n += n
	}
	return r.Finish()
}

func (r *Run) stream(s Stream) {
	for i := range s {
		if it := &s[i]; it.Times == 0 {
			r.c.issue(&r.s, it.Command.Op)
		} else {
			for range it.Times {
				r.stream(it.Body)
			}
		}
	}
}
