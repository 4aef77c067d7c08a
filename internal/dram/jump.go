package dram

import "math"

// Time times a stream exactly without visiting each command. It is safe for concurrent use.
//
// A node of the loop nest has the same effect whenever it is entered in the same state,
// with times counted from its entry, as long as no refresh is served in it. With a refresh
// the effect also depends on the place of the refresh. Effects are memoised (move). A loop
// whose body returns to its state is multiplied, not repeated (perform). Iterations with
// refreshes are multiplied once they return to a state at the same distance from the next
// request (loop, leap).
//
// In the literature: a max-plus linear system. The earliest issues after a command are
// maxima of sums of those before it, so a loop becomes periodic, and a period's length is
// the eigenvalue of its max-plus matrix (Baccelli, Cohen, Olsder, Quadrat, Synchronization
// and Linearity, 1992). The states of a period are found by memoisation, not from the matrix.
func (c *Channel) Time(s Stream) Result {
	j := c.borrow()
	defer c.giveBack(j)
	return j.time(s)
}

// borrow takes a memory that nobody else uses until it is given back.
func (c *Channel) borrow() *jump {
	j := c.idle()
	if j == nil {
		j = &jump{c: c, bodies: map[*Item]int32{}}
		j.forget()
	}
	return j
}

func (c *Channel) giveBack(j *jump) {
	if len(j.forms) > keptForms || len(j.rowMoves) > keptMoves {
		j.forget()
	}
	c.mu.Lock()
	c.jumps = append(c.jumps, j)
	c.mu.Unlock()
}

// idle takes a memory that is not in use; nil: there is none.
func (c *Channel) idle() (j *jump) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.jumps) - 1; n >= 0 {
		j, c.jumps = c.jumps[n], c.jumps[:n]
	}
	return j
}

// keptForms and keptMoves bound the memory kept from one stream to the next, to half a
// megabyte and one. Estimated.
const keptForms, keptMoves = 1 << 11, 1 << 14

// jump is a memory of Time: states and the effects of straight runs of commands, which hold
// for all streams of a channel, and the nodes of the stream at hand.
type jump struct {
	c     *Channel
	nodes []node // the first is the whole stream
	// bodies are the nodes of loops of one iteration, by their first item: a body that stands
	// in several places is one node.
	bodies map[*Item]int32

	forms []form // by state, from 1
	ids   map[form]int32

	rowCounts, counts []changeCount // of mode: by move, of rows and of other nodes

	ops      []Op           // the commands of all straight runs
	rows     map[rowKey]int // the number of a straight run: its place in ops
	rowMoves []move         // of straight runs without a refresh, found by run and state
	rowAt    table
	looks    []Cycle // of rowMoves

	pieces []piece // while nodes are built
	moves  []move  // of other nodes without a refresh, found by node and state
	moveAt table

	served   []move // with one refresh, found by node, state and the place of the refresh
	servedAt table

	marks  []mark        // found by visit to a loop, state and cycles to the next request
	marked []changeCount // by mark, where there are changes of mode
	markAt table
	visit  int32

	at      int32 // the form of the state now; its times are in clock
	clock   clock
	changes changeCount // of mode, so far
	late    bool
}

// form is a state relative to its last issue: the cycles for which each command is still
// held back (1: not at all), the same for the slots, and the flags.
type form struct {
	next        [maxSlots]int32
	open, yield bool
	mode        Mode
}

// move is the effect of a node on a state, in cycles since the issue before it.
type move struct {
	at      int32 // the state afterwards
	lo, hi  int32 // of a straight run: all looks, in jump.looks
	closes  int32 // commands Close issued for the refresh, if there is one
	changes int32 // of mode, by number (note)
	took    Cycle // its last issue
	look    Cycle // the last look for refreshes, never if there is none
	result  Cycle // the arrival of the last result, never if there is none
}

// then appends k times m. If k > 1, m returns to its own state.
func (a *move) then(m *move, k int) {
	base := a.took + Cycle(k-1)*m.took
	if m.look != never {
		a.look = max(a.look, base+m.look)
	}
	if m.result != never {
		a.result = max(a.result, base+m.result)
	}
	a.took = base + m.took
	a.at = m.at
}

// clock is the absolute times and counts of a state, which form leaves out.
type clock struct {
	t, due, result    Cycle
	look              Cycle // the last look for refreshes
	closes, refreshes int64
	reopens           int64
}

// mark is the iteration and the clock at which a state and phase were met.
type mark struct {
	i     int
	clock clock
}

// forget drops the memory that is kept from one stream to the next.
func (j *jump) forget() {
	j.forms, j.ids = append(j.forms[:0], form{}), map[form]int32{}
	j.ops, j.rows = j.ops[:0], map[rowKey]int{}
	j.rowMoves, j.rowCounts, j.looks = j.rowMoves[:0], j.rowCounts[:0], j.looks[:0]
	j.rowAt.clear()
}

// prepare makes the nodes of a stream.
func (j *jump) prepare(s Stream) {
	j.nodes = append(j.nodes[:0], node{})
	j.build(0, s)
	clear(j.bodies)
	j.moves, j.served, j.counts, j.visit, j.late = j.moves[:0], j.served[:0], j.counts[:0], 0, false
	j.marks, j.marked = j.marks[:0], j.marked[:0]
	for _, t := range []*table{&j.moveAt, &j.servedAt, &j.markAt} {
		t.clear()
	}
}

func (j *jump) time(s Stream) Result {
	j.prepare(s)
	st := j.c.start()
	j.at, j.clock, j.changes = j.intern(&st), clock{due: st.due}, changeCount{}
	j.run(0)

	issued := make([]int64, len(j.c.rows))
	s.Count(issued)
	var n int64
	for _, k := range issued {
		n += k
	}
	j.load(&st)
	return j.c.result(&st, n, issued)
}

// intern returns the number of a state's form.
func (j *jump) intern(s *state) int32 {
	f := form{open: s.open, yield: s.yield, mode: s.mode}
	rows := len(j.c.rows)
	for i := range rows {
		f.next[i] = int32(max(s.next[i]-s.t, j.c.gap))
	}
	for i, wait := range j.c.slots {
		f.next[rows+i] = int32(max(s.next[rows+i]-s.t, 1-wait)) // earlier: holds nothing back any more
	}
	id, ok := j.ids[f]
	if !ok {
		id = int32(len(j.forms))
		j.ids[f] = id
		j.forms = append(j.forms, f)
	}
	return id
}

// note keeps a count of mode changes and returns its number, 0 for none. The counts of
// straight runs are kept from one stream to the next and have numbers below 0.
func (j *jump) note(n *changeCount, row bool) int32 {
	switch {
	case *n == (changeCount{}):
		return 0
	case row:
		j.rowCounts = append(j.rowCounts, *n)
		return -int32(len(j.rowCounts))
	}
	j.counts = append(j.counts, *n)
	return int32(len(j.counts))
}

// count adds k times the changes of a move.
func (j *jump) count(n *changeCount, m *move, k int) {
	if m.changes != 0 {
		j.noted(m.changes, n, int64(k))
	}
}

func (j *jump) noted(number int32, n *changeCount, k int64) {
	if number < 0 {
		n.add(&j.rowCounts[-number-1], k)
	} else {
		n.add(&j.counts[number-1], k)
	}
}

// thaw sets s to a form whose last issue is at cycle t.
func (j *jump) thaw(s *state, at int32, t Cycle) {
	f := &j.forms[at]
	*s = state{open: f.open, yield: f.yield, mode: f.mode, t: t, due: math.MaxInt64, result: never}
	for i := range len(j.c.rows) + len(j.c.slots) {
		s.next[i] = t + Cycle(f.next[i])
	}
}

// load sets s to the state now; store sets the state now to s.
func (j *jump) load(s *state) {
	k := &j.clock
	j.thaw(s, j.at, k.t)
	s.due, s.result, s.closes, s.refreshes, s.reopens, s.changes, s.overflow = k.due, k.result, k.closes, k.refreshes, k.reopens, &j.changes, j.late
}

func (j *jump) store(s *state) {
	j.at = j.intern(s)
	k := &j.clock
	k.t, k.due, k.result, k.closes, k.refreshes, k.reopens, j.late = s.t, s.due, s.result, s.closes, s.refreshes, s.reopens, s.overflow
}

// move returns the effect of node n on a state, without a refresh.
func (j *jump) move(n, at int32) *move {
	nd := &j.nodes[n]
	moves, found, key := &j.moves, &j.moveAt, pair(n, at)
	if !nd.nodes {
		moves, found, key = &j.rowMoves, &j.rowAt, pair(nd.lo, at)
	}
	if nd.lastAt != at {
		i, ok := found.get(key, 0)
		if !ok {
			m := j.perform(nd, at)
			i = int32(len(*moves))
			*moves = append(*moves, m)
			found.put(key, 0, i)
		}
		nd.lastAt, nd.last = at, i
	}
	return &(*moves)[nd.last]
}

func (j *jump) perform(nd *node, at int32) move {
	if !nd.nodes {
		var s state
		var changes changeCount
		j.thaw(&s, at, 0)
		s.changes, s.look = &changes, never
		m := move{lo: int32(len(j.looks)), look: never}
		for _, op := range j.ops[nd.lo:nd.hi] {
			if s.yield {
				m.look = s.t + 1
				j.looks = append(j.looks, m.look)
			}
			j.c.issue(&s, op)
			if j.c.two && s.look > m.look {
				m.look = s.look
				j.looks = append(j.looks, m.look)
			}
		}
		m.at, m.hi, m.took, m.result, m.changes = j.intern(&s), int32(len(j.looks)), s.t, s.result, j.note(&changes, true)
		return m
	}
	all, changes := move{at: at, look: never, result: never}, changeCount{}
	if nd.times == 0 {
		for n := nd.lo; n < nd.hi; n++ {
			m := j.move(n, all.at)
			all.then(m, 1)
			j.count(&changes, m, 1)
		}
	}
	for i := 0; i < nd.times; {
		m, k := j.move(nd.lo, all.at), 1
		if m.at == all.at {
			k = nd.times - i
		}
		all.then(m, k)
		j.count(&changes, m, k)
		i += k
	}
	all.changes = j.note(&changes, false)
	return all
}

// run performs node n from the state now.
func (j *jump) run(n int32) {
	m := j.move(n, j.at)
	if j.clock.t+m.look < j.clock.due {
		j.repeat(m, 1)
		return
	}
	if m.took >= j.c.interval { // more than one refresh
		j.visitNode(n)
		return
	}
	k := &j.clock
	key, look := pair(n, j.at), k.due-k.t
	if !j.c.two { // there the place of a refresh depends on when it is due
		look = j.firstLook(n, j.at, look)
	}
	if i, ok := j.servedAt.get(key, look); ok {
		if m := &j.served[i]; k.t+m.look < k.due+j.c.interval {
			j.repeat(m, 1)
			k.due += j.c.interval
			k.closes += int64(m.closes)
			k.refreshes++
			return
		}
	}
	was, changes := *k, j.changes
	k.result = never
	j.visitNode(n)
	if k.refreshes == was.refreshes+1 && k.reopens == was.reopens {
		j.servedAt.put(key, look, int32(len(j.served)))
		m := move{at: j.at, closes: int32(k.closes - was.closes), took: k.t - was.t, look: k.look - was.t, result: never, changes: j.note(j.changes.since(&changes), false)}
		if k.result != never {
			m.result = k.result - was.t
		}
		j.served = append(j.served, m)
	}
	k.result = max(k.result, was.result)
}

// visitNode performs node n piece by piece.
func (j *jump) visitNode(n int32) {
	nd := &j.nodes[n]
	switch {
	case !nd.nodes:
		var s state
		j.load(&s)
		for _, op := range j.ops[nd.lo:nd.hi] {
			if s.yield {
				j.clock.look = s.t + 1
			}
			j.c.issue(&s, op)
			j.clock.look = max(j.clock.look, s.look)
		}
		j.store(&s)
	case nd.times == 0:
		for n := nd.lo; n < nd.hi; n++ {
			j.run(n)
		}
	default:
		j.loop(nd.times, nd.lo)
	}
}

// repeat performs k times m, in which no other refresh is served.
func (j *jump) repeat(m *move, k int) {
	c := &j.clock
	all := move{took: c.t, look: c.look, result: c.result}
	all.then(m, k)
	j.at, c.t, c.look, c.result = m.at, all.took, all.look, all.result
	j.count(&j.changes, m, k)
}

// firstLook is the first look for refreshes in node n that is rest cycles or more after the
// issue before the node. There must be one, and no refresh before it.
func (j *jump) firstLook(n, at int32, rest Cycle) Cycle {
	base := Cycle(0)
	for {
		nd := &j.nodes[n]
		if !nd.nodes {
			m := j.move(n, at)
			for _, look := range j.looks[m.lo:m.hi] {
				if base+look >= rest {
					return base + look
				}
			}
			panic("dram: no look where there must be one")
		}
		for n = nd.lo; ; {
			m := j.move(n, at)
			if base+m.look >= rest {
				break
			}
			switch {
			case nd.times == 0:
				n++
			case m.at == at: // the same until the one that looks late enough
				base += (rest - base - m.look - 1) / m.took * m.took
			}
			base += m.took
			at = m.at
		}
	}
}

// often is the least number of iterations left for which the search for a period pays.
// Estimated.
const often = 8

// loop performs node n times over. Iterations up to the next refresh are multiplied. Where a
// refresh is served, loop searches an earlier iteration that started in the same state at
// the same distance from a request, and repeats the iterations since.
func (j *jump) loop(times int, n int32) {
	j.visit++
	visit, leapt := j.visit, false
	for i := 0; i < times; {
		k := &j.clock
		if m := j.move(n, j.at); k.t+m.look < k.due {
			reps := 1
			if m.at == j.at {
				reps = times - i
				if m.look != never {
					reps = int(min(Cycle(reps), (k.due-1-k.t-m.look)/m.took+1))
				}
			}
			j.repeat(m, reps)
			i += reps
			continue
		}
		if !leapt && i > 0 && times-i >= often {
			key, rest := pair(visit, j.at), k.due-k.t
			if at, ok := j.markAt.get(key, rest); ok {
				was := &j.marks[at]
				n := k.leap(&was.clock, (times-i)/(i-was.i))
				if j.c.hides() {
					j.changes.add(j.changes.since(&j.marked[at]), int64(n))
				}
				i += n * (i - was.i)
				leapt = true
				continue
			}
			j.markAt.put(key, rest, int32(len(j.marks)))
			j.marks = append(j.marks, mark{i, *k})
			if j.c.hides() {
				j.marked = append(j.marked, j.changes)
			}
		}
		j.run(n)
		i++
	}
}

// leap repeats the iterations since was up to n times, and returns the number of times.
func (k *clock) leap(was *clock, n int) int {
	if k.result == was.result && n > 0 {
		n-- // an earlier, longer wait for a result hides the period's own: one is left to happen
	}
	took := Cycle(n) * (k.t - was.t)
	if k.result > was.result {
		k.result += took
	}
	k.t += took
	k.look += took
	k.due += took
	k.closes += int64(n) * (k.closes - was.closes)
	k.refreshes += int64(n) * (k.refreshes - was.refreshes)
	k.reopens += int64(n) * (k.reopens - was.reopens)
	return n
}
