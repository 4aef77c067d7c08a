package dram

// node is a part of a stream: a straight run of commands (nodes false), a sequence of nodes
// (times 0), or a loop of one node.
type node struct {
	nodes  bool
	times  int
	lo, hi int32 // in jump.ops or jump.nodes
	lastAt int32 // the state of the last question, 0 before the first, and its answer
	last   int32
}

// leaf bounds the commands of a straight run. Loops of no more commands, all iterations
// counted, are unrolled into one. Estimated.
const leaf = 48

// build makes nodes[at] the node of s.
func (j *jump) build(at int32, s Stream) {
	first := len(j.pieces)
	for rest := s; len(rest) > 0; {
		n, commands := firstPiece(rest)
		j.pieces = append(j.pieces, piece{n, commands})
		rest = rest[n:]
	}
	defer func() { j.pieces = j.pieces[:first] }()
	pieces := len(j.pieces) - first
	if pieces == 1 {
		j.piece(at, s, j.pieces[first].commands)
		return
	}
	lo := int32(len(j.nodes))
	for range pieces {
		j.nodes = append(j.nodes, node{})
	}
	j.nodes[at] = node{nodes: true, lo: lo, hi: lo + int32(pieces)}
	for i := range pieces {
		p := j.pieces[first+i]
		j.piece(lo+int32(i), s[:p.items], p.commands)
		s = s[p.items:]
	}
}

// rowKey identifies a straight run.
type rowKey struct {
	n   int
	ops [leaf]Op
}

// piece is the number of items of one node, and of its commands if it is a straight run.
type piece struct{ items, commands int }

// firstPiece is the number of items of the first node of s, and of its commands if it is a
// straight run.
func firstPiece(s Stream) (n, commands int) {
	for n < len(s) {
		k, ok := short(&s[n], leaf-commands)
		if !ok {
			break
		}
		commands += k
		n++
	}
	return max(n, 1), commands
}

// short is the number of commands of an item; false: more than most.
func short(it *Item, most int) (int, bool) {
	n := 1
	if it.Times > 0 {
		n = 0
		for i := range it.Body {
			k, ok := short(&it.Body[i], most-n)
			if !ok {
				return 0, false
			}
			n += k
		}
		if n > 0 && it.Times > most/n { // the product may overflow
			return 0, false
		}
		n *= it.Times
	}
	return n, n <= most
}

func (j *jump) piece(at int32, s Stream, n int) {
	if len(s) == 1 && n == 0 && s[0].Times > 0 {
		body := int32(len(j.nodes))
		if s[0].Times == 1 && len(s[0].Body) > 0 {
			if known, ok := j.bodies[&s[0].Body[0]]; ok {
				j.nodes[at] = node{nodes: true, times: 1, lo: known, hi: known + 1}
				return
			}
			j.bodies[&s[0].Body[0]] = body
		}
		j.nodes = append(j.nodes, node{})
		j.nodes[at] = node{nodes: true, times: s[0].Times, lo: body, hi: body + 1}
		j.build(body, s[0].Body)
		return
	}
	lo := len(j.ops)
	j.row(s)
	key := rowKey{n: len(j.ops) - lo}
	copy(key.ops[:], j.ops[lo:])
	if known, ok := j.rows[key]; ok {
		j.ops, lo = j.ops[:lo], known
	} else {
		j.rows[key] = lo
		if key.n == 0 { // its place must be its own
			j.ops = append(j.ops, 0)
		}
	}
	j.nodes[at] = node{lo: int32(lo), hi: int32(lo + key.n)}
}

// row appends the commands of s to ops.
func (j *jump) row(s Stream) {
	for i := range s {
		if it := &s[i]; it.Times == 0 {
			j.ops = append(j.ops, it.Command.Op)
		} else {
			for range it.Times {
				j.row(it.Body)
			}
		}
	}
}

// table maps a pair and a number of cycles to an index. It is a hash table with linear
// probing. Clearing it only starts a new round: a short stream must not pay for the size of
// the one before.
type table struct {
	slots []slot
	used  int
	round uint32
}

type slot struct {
	key   uint64
	rest  Cycle
	value int32
	round uint32
}

func pair(a, b int32) uint64 { return uint64(a)<<32 | uint64(uint32(b)) }

func (t *table) clear() {
	t.used = 0
	if t.round++; t.round == 0 { // overflow: old slots would count as new
		clear(t.slots)
		t.round = 1
	}
}

// find returns the slot of the key, or the free slot for it.
func (t *table) find(key uint64, rest Cycle) *slot {
	// Multiplying by 2^64 over the golden ratio spreads small numbers (Knuth,
	// The Art of Computer Programming 3, 6.4).
	h := (key*0x9e3779b97f4a7c15 ^ uint64(rest)) * 0x9e3779b97f4a7c15 >> 32
	for {
		s := &t.slots[h&uint64(len(t.slots)-1)]
		if s.round != t.round || s.key == key && s.rest == rest {
			return s
		}
		h++
	}
}

func (t *table) get(key uint64, rest Cycle) (int32, bool) {
	if t.used == 0 {
		return 0, false
	}
	s := t.find(key, rest)
	return s.value, s.round == t.round
}

func (t *table) put(key uint64, rest Cycle, value int32) {
	if 2*t.used >= len(t.slots) {
		old := t.slots
		t.slots = make([]slot, max(64, 2*len(old)))
		for _, s := range old {
			if s.round == t.round {
				*t.find(s.key, s.rest) = s
			}
		}
	}
	s := t.find(key, rest)
	if s.round != t.round {
		t.used++
	}
	*s = slot{key, rest, value, t.round}
}
