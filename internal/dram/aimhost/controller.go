package aimhost

import (
	"slices"

	"pimflow/internal/dram"
)

// controller is the published simulator's controller of one channel, or of several with the
// same requests so far. It issues at most one command a cycle.
//
// In the literature: FR-FCFS for ordinary accesses (Rixner et al., ISCA 2000), with write
// draining; PIM requests are in order.
type controller struct {
	channel  *dram.Channel
	std      *dram.Standard
	banks    dram.Banks
	channels uint32     // bit 31-i: channel i
	device   *Published // nil: that of the standard
	refi     dram.Cycle // a refresh is due in every cycle that is a multiple; 0: in none
	due      int64      // refreshes that wait

	pim      []request // in order
	reads    []request // ordinary accesses
	writes   []request
	active   []request // ordinary accesses whose row is activated
	overflow request   // the request that finds no room in the queues …
	left     int64     // … and how often it is still to be sent
	writing  bool      // writes go before reads

	answers []answer
	busy    dram.Cycle // when the last of the others is over

	at         dram.Cycle // the cycle it has done
	wake       dram.Cycle // the next in which anything can happen
	issued     []int64    // by Op
	seen       func(Issued)
	lit        uint16 // the banks that count as open
	idle, open int64
}

// request is a request for a command, or for an answer once all before it is done (sync).
type request struct {
	op     dram.Op
	sync   bool
	access access
	blocks bool // the host waits for the answer
	bank   int8
	row    int64
	arrive dram.Cycle
}

// access tells the ordinary accesses from all other requests.
type access uint8

const (
	noAccess access = iota
	readAccess
	writeAccess
)

// answer is an answer to the host. Answers depart in order, one a cycle.
type answer struct {
	depart       dram.Cycle
	sync, blocks bool
}

const (
	// queueLimit is the length of a full queue: a limit of 32, tested before the push
	// (aim_simulator, request buffers).
	queueLimit = 33
	// Writes go first once there are writeHigh, or no reads, until only writeLow are left
	// (0.8 and 0.2 of 32).
	writeHigh, writeLow = 26, 6
	forever             = dram.Cycle(1) << 62
)

// clone splits some of the channels off to a controller in the same state.
func (c *controller) clone(channels uint32) *controller {
	d := *c
	for _, q := range []*[]request{&d.pim, &d.reads, &d.writes, &d.active} {
		*q = slices.Clone(*q)
	}
	d.answers, d.issued = slices.Clone(c.answers), slices.Clone(c.issued)
	d.channels = channels
	c.channels &^= channels
	return &d
}

// accept takes a request in cycle n, before the tick. false: the request has to wait.
func (c *controller) accept(r request, n dram.Cycle) bool {
	queue := &c.pim
	others := len(c.reads) + len(c.writes)
	if r.access != noAccess {
		others = len(c.pim)
		queue = &c.reads
		if r.access == writeAccess {
			queue = &c.writes
		}
	}
	if others > 0 {
		return false
	}
	c.catchUp(n - 1)
	c.wake = n
	if r.access == readAccess && len(c.writes) > 0 {
		// The published simulator compares addresses that are never set: any waiting write
		// answers every read.
		c.answers = append(c.answers, answer{depart: n})
		return true
	}
	if len(*queue) >= queueLimit {
		return false
	}
	r.arrive = n - 1
	*queue = append(*queue, r)
	return true
}

// drain sends requests that have waited for room.
func (c *controller) drain(n dram.Cycle) {
	for c.left > 0 && c.accept(c.overflow, n) {
		c.left--
	}
}

// catchUp counts the cycles up to n, in which nothing happens.
func (c *controller) catchUp(n dram.Cycle) {
	if n <= c.at {
		return
	}
	if len(c.pim)+len(c.reads)+len(c.writes)+len(c.answers) == 0 {
		c.idle += int64(max(0, n-max(c.at, c.busy-1)))
	}
	if c.lit != 0 {
		c.open += int64(n - c.at)
	}
	c.at = n
}

// tick simulates cycle n. It reports whether an awaited answer went to the host, and whether a
// queue got room.
func (c *controller) tick(n dram.Cycle) (answered, room bool) {
	c.catchUp(n - 1)
	c.at = n
	quiet := true
	if c.refi > 0 && n%c.refi == 0 {
		c.due++
	}
	if len(c.answers) > 0 {
		if a := c.answers[0]; a.depart <= n && (!a.sync || c.busy < n) {
			c.answers = slices.Delete(c.answers, 0, 1)
			answered, quiet = a.blocks, false
		}
	}
	issued, room := c.serve(n)
	quiet = quiet && !issued
	if !issued && c.busy <= n && len(c.pim)+len(c.reads)+len(c.writes)+len(c.answers) == 0 {
		c.idle++
	}
	if c.lit != 0 {
		c.open++
	}
	c.wake = c.next(n, quiet)
	return answered, room
}

// serve selects a request and issues its next command, if one is ready.
func (c *controller) serve(n dram.Cycle) (issued, room bool) {
	if i, op := c.best(c.active, n); i >= 0 {
		return c.advance(&c.active, i, op, n)
	}
	if c.due > 0 {
		return c.refresh(n), false
	}
	if len(c.pim) > 0 {
		r := &c.pim[0]
		if r.sync {
			c.answers = append(c.answers, answer{depart: n, sync: true, blocks: true})
			c.pim = slices.Delete(c.pim, 0, 1)
			return true, true
		}
		op, ready := c.banks.Next(r.op, int(r.bank), r.row, n)
		if ready > n {
			return false, false
		}
		return c.advance(&c.pim, 0, op, n)
	}
	if c.writing {
		c.writing = len(c.writes) > writeLow || len(c.reads) == 0
	} else {
		c.writing = len(c.writes) >= writeHigh || len(c.reads) == 0
	}
	queue := &c.reads
	if c.writing {
		queue = &c.writes
	}
	if i, op := c.best(*queue, n); i >= 0 {
		return c.advance(queue, i, op, n)
	}
	return false, false
}

// best is the index of the oldest ready request, and its next command; -1 if none is ready.
func (c *controller) best(queue []request, n dram.Cycle) (int, dram.Op) {
	at, command := -1, dram.Op(0)
	for i := range queue {
		r := &queue[i]
		if at >= 0 && r.arrive >= queue[at].arrive {
			continue
		}
		if op, ready := c.banks.Next(r.op, int(r.bank), r.row, n); ready <= n {
			at, command = i, op
		}
	}
	return at, command
}

// advance issues op, the next command of the i-th request of a queue.
func (c *controller) advance(queue *[]request, i int, op dram.Op, n dram.Cycle) (issued, room bool) {
	r := (*queue)[i]
	g := c.std.Banks
	if op == g.Close && slices.ContainsFunc(c.active, func(a request) bool { return a.bank == r.bank }) {
		return false, false // an access to the open row is pending
	}
	if change, needed := c.banks.Change(r.op); needed {
		op = change
	}
	c.issue(op, int(r.bank), r.row, n)
	switch {
	case op == r.op:
		depart := n + c.channel.ResultAfter(op)
		if r.blocks || r.access == readAccess {
			c.answers = append(c.answers, answer{depart: depart, blocks: r.blocks})
		} else {
			c.busy = max(c.busy, depart, n+1) // the end is noticed in the next cycle at the earliest
		}
	case op == g.Open && r.access != noAccess && queue != &c.active:
		c.active = append(c.active, r)
	default:
		return true, false
	}
	*queue = slices.Delete(*queue, i, i+1)
	return true, true
}

// issue issues a command in cycle n.
func (c *controller) issue(op dram.Op, bank int, row int64, n dram.Cycle) {
	c.banks.Issue(op, bank, row, n)
	c.issued[op]++
	if c.seen != nil {
		c.seen(Issued{Channels: c.channels, Op: op, Bank: bank, Row: row, At: n})
	}
	c.light(op, bank)
}

// refreshing is the next command of the refresh that waits.
func (c *controller) refreshing() dram.Op {
	if c.banks.Closed() {
		return c.std.Refresh.Do
	}
	return c.std.Refresh.Close
}

// refresh issues the next command of the refresh that waits, if it is ready.
func (c *controller) refresh(n dram.Cycle) bool {
	op := c.refreshing()
	if c.banks.Ready(op, 0) > n {
		return false
	}
	if change, needed := c.banks.Change(op); needed {
		op = change
	}
	c.issue(op, 0, 0, n)
	if op == c.std.Refresh.Do {
		c.due--
		c.busy = max(c.busy, n+1)
	}
	return true
}

// light follows the simulator's statistic of open banks, in which an activation or precharge of
// one bank counts for the bank of that index in the first group.
func (c *controller) light(op dram.Op, bank int) {
	g, o := c.std.Banks, &c.std.Ops[op]
	bits := uint16(1<<(g.Groups*g.PerGroup) - 1)
	if o.Bank {
		bits = 1 << (bank % g.PerGroup)
	}
	if o.Opens {
		c.lit |= bits
	} else if o.Closes || c.device != nil && op == c.device.dark {
		c.lit &^= bits
	}
}

// next is the first cycle after n in which anything can happen without a new request. quiet:
// nothing happened in n, so all that was ready waits for something else.
func (c *controller) next(n dram.Cycle, quiet bool) dram.Cycle {
	if !quiet && len(c.active)+len(c.reads)+len(c.writes) > 0 {
		return n + 1
	}
	wake := forever
	when := func(x dram.Cycle) {
		if x > n {
			wake = min(wake, x)
		} else if !quiet {
			wake = n + 1
		}
	}
	if len(c.answers) > 0 {
		if a := &c.answers[0]; a.sync {
			when(max(a.depart, c.busy+1))
		} else {
			when(a.depart)
		}
	}
	for _, queue := range [][]request{c.active, c.reads, c.writes, c.pim[:min(1, len(c.pim))]} {
		for i := range queue {
			r := &queue[i]
			if r.sync {
				when(n) // at the head it waits only for a waiting PRE
			} else {
				_, ready := c.banks.Next(r.op, int(r.bank), r.row, n)
				when(ready)
			}
		}
	}
	if c.due > 0 {
		when(c.banks.Ready(c.refreshing(), 0))
	}
	if c.refi > 0 {
		when(n - n%c.refi + c.refi)
	}
	return wake
}
