package dram

import "math"

// Time times a stream exactly without visiting each command, and is safe for
// concurrent use. Between refreshes a piece of a loop nest does the same whenever
// it is entered in the same state, seen from its first cycle. What it does is
// kept; iterations that return to their state are multiplied, and so are runs of
// iterations with refreshes that return to their state and phase.
func (c *Channel) Time(s Stream) Result {
	j, _ := c.jumps.Get().(*jump)
	if j == nil {
		j = &jump{c: c, ids: map[form]int32{}, moves: map[key]int32{}, seen: map[phase]mark{}}
	}
	r := j.time(s)
	if len(j.known)+len(j.seen) <= keep {
		c.jumps.Put(j)
	}
	return r
}

// keep bounds the memory that is reused, since clearing costs by its size.
const keep = 1 << 11

// leaf bounds a run of commands that is timed one by one.
const leaf = 64

// jump is the memory of timing one stream.
type jump struct {
	c     *Channel
	nodes []node // the first is the whole stream
	ops   []Op

	forms []form // by state
	ids   map[form]int32
	known []move
	moves map[key]int32
	seen  map[phase]mark
	visit int32 // to a loop, counted

	at    int32 // the state now; its times are in clock
	clock clock
	late  bool
}

// node is a piece of a stream: commands in a row (nodes false), a sequence of
// nodes (times 0) or a loop of one node.
type node struct {
	nodes  bool
	times  int
	lo, hi int32 // in ops or nodes
	lastAt int32 // the state last asked about, never 0 once asked, and the answer
	last   int32
}

// form is a state without its times: how long each command is still held back
// after the last issue (1: no longer), the same for the slots, and the flags.
type form struct {
	next        [maxSlots]int32
	open, yield bool
}

// key is a piece entered in a state.
type key struct{ node, at int32 }

// move is what a piece does when no refresh is served in it, in cycles since the
// issue before it.
type move struct {
	at     int32 // the state afterwards
	took   Cycle // its last issue
	looks  Cycle // when refreshes are last looked for, never if nowhere
	result Cycle // its last result, never if none
}

// then adds k times m, which returns to its own state if k > 1.
func (a *move) then(m move, k int) {
	base := a.took + Cycle(k-1)*m.took
	if m.looks != never {
		a.looks = base + m.looks
	}
	if m.result != never {
		a.result = max(a.result, base+m.result)
	}
	a.took = base + m.took
	a.at = m.at
}

// clock is the part of a state that form leaves out.
type clock struct {
	t, due, result    Cycle
	closes, refreshes int64
}

// phase is the start of an iteration in one visit to a loop: a state, and the
// cycles to the next refresh request.
type phase struct {
	visit, at int32
	rest      Cycle
}

// mark is where a phase was met.
type mark struct {
	i     int
	clock clock
}

func (j *jump) time(s Stream) Result {
	j.nodes, j.ops = append(j.nodes[:0], node{}), j.ops[:0]
	j.build(0, s)
	j.forms, j.known, j.visit, j.late = append(j.forms[:0], form{}), j.known[:0], 0, false
	clear(j.ids)
	clear(j.moves)
	clear(j.seen)

	st := j.c.start()
	j.at, j.clock = j.intern(&st), clock{due: st.due}
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

// build makes nodes[at] the node of s.
func (j *jump) build(at int32, s Stream) {
	pieces := 0
	for rest := s; len(rest) > 0; pieces++ {
		rest = rest[first(rest):]
	}
	if pieces == 1 {
		j.piece(at, s)
		return
	}
	lo := int32(len(j.nodes))
	for range pieces {
		j.nodes = append(j.nodes, node{})
	}
	j.nodes[at] = node{nodes: true, lo: lo, hi: lo + int32(pieces)}
	for ; len(s) > 0; lo++ {
		n := first(s)
		j.piece(lo, s[:n])
		s = s[n:]
	}
}

// first is the length of the first piece of s: a loop, or commands in a row.
func first(s Stream) int {
	n := 0
	for n < len(s) && n < leaf && s[n].Times == 0 {
		n++
	}
	return max(n, 1)
}

func (j *jump) piece(at int32, s Stream) {
	if s[0].Times > 0 {
		body := int32(len(j.nodes))
		j.nodes = append(j.nodes, node{})
		j.nodes[at] = node{nodes: true, times: s[0].Times, lo: body, hi: body + 1}
		j.build(body, s[0].Body)
		return
	}
	lo := int32(len(j.ops))
	for i := range s {
		j.ops = append(j.ops, s[i].Command.Op)
	}
	j.nodes[at] = node{lo: lo, hi: int32(len(j.ops))}
}

// intern returns the number of a state's form, from 1.
func (j *jump) intern(s *state) int32 {
	f := form{open: s.open, yield: s.yield}
	rows := len(j.c.rows)
	for i := range rows {
		f.next[i] = int32(max(s.next[i]-s.t, 1))
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

// thaw sets s to a form with its last issue at cycle 0 and no refresh due.
func (j *jump) thaw(s *state, at int32) {
	f := &j.forms[at]
	*s = state{open: f.open, yield: f.yield, due: math.MaxInt64, result: never}
	for i := range len(j.c.rows) + len(j.c.slots) {
		s.next[i] = Cycle(f.next[i])
	}
}

// load sets s to the state now, store the state now to s.
func (j *jump) load(s *state) {
	j.thaw(s, j.at)
	k := &j.clock
	for i := range len(j.c.rows) + len(j.c.slots) {
		s.next[i] += k.t
	}
	s.t, s.due, s.result, s.closes, s.refreshes, s.overflow = k.t, k.due, k.result, k.closes, k.refreshes, j.late
}

func (j *jump) store(s *state) {
	j.at = j.intern(s)
	j.clock = clock{s.t, s.due, s.result, s.closes, s.refreshes}
	j.late = s.overflow
}

// move returns what node n does from a state.
func (j *jump) move(n, at int32) move {
	nd := &j.nodes[n]
	if nd.lastAt != at {
		i, ok := j.moves[key{n, at}]
		if !ok {
			m := j.perform(nd, at)
			i = int32(len(j.known))
			j.known = append(j.known, m)
			j.moves[key{n, at}] = i
		}
		nd.lastAt, nd.last = at, i
	}
	return j.known[nd.last]
}

func (j *jump) perform(nd *node, at int32) move {
	all := move{at: at, looks: never, result: never}
	if !nd.nodes {
		var s state
		j.thaw(&s, at)
		for _, op := range j.ops[nd.lo:nd.hi] {
			if s.yield {
				all.looks = s.t + 1
			}
			j.c.issue(&s, op)
		}
		return move{at: j.intern(&s), took: s.t, looks: all.looks, result: s.result}
	}
	if nd.times == 0 {
		for n := nd.lo; n < nd.hi; n++ {
			all.then(j.move(n, all.at), 1)
		}
		return all
	}
	for i := 0; i < nd.times; {
		m, k := j.move(nd.lo, all.at), 1
		if m.at == all.at {
			k = nd.times - i
		}
		all.then(m, k)
		i += k
	}
	return all
}

// run performs node n from the state now.
func (j *jump) run(n int32) {
	nd := &j.nodes[n]
	if m := j.move(n, j.at); j.clock.t+m.looks < j.clock.due {
		j.repeat(m, 1)
		return
	}
	switch {
	case !nd.nodes:
		var s state
		j.load(&s)
		for _, op := range j.ops[nd.lo:nd.hi] {
			j.c.issue(&s, op)
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

// repeat performs k times m, in which no refresh is served.
func (j *jump) repeat(m move, k int) {
	k0 := &j.clock
	all := move{took: k0.t, result: k0.result}
	all.then(m, k)
	j.at, k0.t, k0.result = m.at, all.took, all.result
}

// loop performs node n times over. Where no refresh is served it goes as far as
// the next one at once; where one is, it looks whether an earlier iteration
// started in the same state as long before a request, and then repeats what
// happened since.
func (j *jump) loop(times int, n int32) {
	j.visit++
	visit, leapt := j.visit, false
	for i := 0; i < times; {
		k := &j.clock
		if m := j.move(n, j.at); k.t+m.looks < k.due {
			reps := 1
			if m.at == j.at {
				reps = times - i
				if m.looks != never {
					reps = int(min(Cycle(reps), (k.due-1-k.t-m.looks)/m.took+1))
				}
			}
			j.repeat(m, reps)
			i += reps
			continue
		}
		if !leapt {
			p := phase{visit, j.at, k.due - k.t}
			if was, ok := j.seen[p]; ok {
				leaps := (times - i) / (i - was.i)
				k.leap(was.clock, int64(leaps))
				i += leaps * (i - was.i)
				leapt = true
				continue
			}
			j.seen[p] = mark{i, *k}
		}
		j.run(n)
		i++
	}
}

// leap repeats n times what happened since was.
func (k *clock) leap(was clock, n int64) {
	took := Cycle(n) * (k.t - was.t)
	k.t += took
	k.due += took
	if k.result > was.result {
		k.result += took
	}
	k.closes += n * (k.closes - was.closes)
	k.refreshes += n * (k.refreshes - was.refreshes)
}
