package dram

// step issues the next command of a standard with two command buses in the first cycle that
// the rules allow. A refresh that is due is served before a row command, and before a column
// command once it cannot be postponed any more. It returns the cycle of the command.
func (c *Channel) step(s *state, op Op) (x Cycle) {
	r := &c.rows[op]
	x = max(s.t, s.next[op%maxSlots])
	for ; !r.column || s.open; x = max(s.t, s.next[op%maxSlots]) {
		look := x - r.late
		if s.look = max(s.look, look); look < s.due {
			break
		}
		if r.closes { // the command of the stream closes the rows for the refresh too
			c.fire(s, op, x)
			s.t = x
			c.serve(s)
			return x
		}
		if f := c.std.Refresh; s.open {
			s.t = max(s.t, s.next[f.Close])
			c.fire(s, f.Close, s.t)
			s.closes++
		}
		c.serve(s)
		if r.column {
			o := c.std.Refresh.Reopen // of the refreshes, which later ones do not come before
			s.t = max(s.t, s.next[o])
			c.fire(s, o, s.t)
			s.reopens++
		}
	}
	c.fire(s, op, x)
	s.t = x
	if r.result > 0 {
		s.result = max(s.result, x+r.result)
	}
	return x
}

// serve serves the refreshes that are due, at least one. The rows are closed.
func (c *Channel) serve(s *state) {
	f := c.std.Refresh
	for first := true; first || s.due <= s.t; first = false {
		s.t = max(s.t+1, s.due, s.next[f.Do])
		c.fire(s, f.Do, s.t)
		s.refreshes++
		s.due += c.interval
	}
	s.look = max(s.look, s.t) // none is due any more
}
