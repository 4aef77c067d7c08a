package dram

// simulateTwo runs a stream on two command buses, cycle by cycle: in each as many commands as
// find their bus free, in order.
func (r *referee) simulateTwo(st Stream) Result {
	st.Walk(func(c *Command, _ []int) bool { r.queue = append(r.queue, c.Op); return true })
	empty := len(r.queue) == 0
	f, due, now, last, end := r.std.Refresh, r.book.Interval, int64(0), int64(0), int64(0)
	if f == nil {
		due = neverRefreshed
	}
	late := func(op Op) int64 {
		if o := &r.std.Ops[op]; o.Column || o.Amid {
			return int64(f.Queue) * r.book.Interval
		}
		return 0
	}
	x := int64(-1)               // when the head of the queue can be issued; before now: not known
	owed, reopen := false, false // a refresh is to be issued; then a row is to be opened again
	issue := func(op Op) bool {
		if !r.ready(op, now) {
			return false
		}
		r.record(op, now)
		last, x = now, -1
		if wait := r.book.Result[op]; wait > 0 {
			end = max(end, now+wait)
		}
		return true
	}
	// next issues one command if it can.
	next := func() bool {
		if owed {
			if r.open {
				return issue(f.Close)
			}
			if now < due || now <= last || !issue(f.Do) {
				return false
			}
			if due += r.book.Interval; due > now {
				owed = false
			}
			return true
		}
		if reopen {
			reopen = !issue(f.Reopen)
			return !reopen
		}
		if len(r.queue) == 0 {
			return false
		}
		op := r.queue[0]
		o := &r.std.Ops[op]
		if x < now { // the commands so far say when the next can be issued
			for x = now; !r.ready(op, x); x++ {
			}
		}
		overdue := f != nil && x >= due+late(op) && (!o.Column || r.open)
		if overdue && !o.Closes {
			owed, reopen = true, o.Column
			return true
		}
		if x > now || !issue(op) {
			return false
		}
		owed, r.queue = overdue, r.queue[1:]
		return true
	}
	for len(r.queue) > 0 || owed {
		now++
		for next() {
		}
	}
	issued := make([]int64, len(r.history))
	for op, h := range r.history {
		issued[op] = int64(len(h))
	}
	if empty {
		last = 1
	}
	return Result{Cycles: Cycle(max(last, end)), Issued: issued}
}

// ready reports whether op could be issued now: by the rules, and on its bus.
func (r *referee) ready(op Op, now int64) bool {
	for other, h := range r.history {
		if r.std.Ops[other].Column == r.std.Ops[op].Column && len(h) > 0 && h[len(h)-1] == now {
			return false
		}
	}
	return r.allowed(op, now)
}
