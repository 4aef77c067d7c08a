package dram

// Stream is the program of one channel: a loop nest of commands with affine
// addresses. It is timed, performed, printed and checked as it stands; nothing
// ever writes it out command by command.
type Stream []Item

// Item is a command, or a loop over a body.
type Item struct {
	Command *Command // when Times is 0; items may share one, and none changes it
	Times   int      // iterations of Body, at least 1; 0: the item is Command
	Body    Stream
}

// Command is one DRAM command of a stream. Op is its timing class, an index into
// Standard.Ops; the addresses are its meaning, and no rule of timing looks at
// them.
type Command struct {
	Op   Op
	Row  Affine // DRAM row: an activation, and a column access in it
	Col  Affine // column of a column access, in units of one access
	Buf  Affine // column of the buffer that is written or multiplied, where commands name one
	Acc  Affine // sum of each bank that is set, added to or read, where there are several
	Data Affine // first element of the host-side matrix that is read or written
	Fill Gather // what a buffer write takes from there
}

// Gather is a strided read: Count runs of Len elements, Pitch apart.
type Gather struct{ Len, Count, Pitch int }

// Affine is an address: Base plus Stride[d] times the index of the d-th loop
// around the command, the outermost loop first. Missing strides are 0.
type Affine struct {
	Base   int64
	Stride []int64
}

// At is the address for the given loop indices, the outermost first.
func (a Affine) At(index []int) int64 {
	v := a.Base
	for d, s := range a.Stride {
		v += s * int64(index[d])
	}
	return v
}

// Do is the item of one command.
func Do(c Command) Item { return Item{Command: &c} }

// Loop is the item that repeats body; it panics unless times is at least 1.
func Loop(times int, body ...Item) Item {
	if times < 1 {
		panic("dram: a loop of no iterations")
	}
	return Item{Times: times, Body: body}
}

// Walk calls f for each command in order with the indices of the loops around
// it, the outermost first (valid during the call only), until f returns false.
// It reports whether it reached the end.
func (s Stream) Walk(f func(c *Command, index []int) bool) bool { return s.walk(nil, f) }

func (s Stream) walk(index []int, f func(*Command, []int) bool) bool {
	for i := range s {
		it := &s[i]
		if it.Times == 0 {
			if !f(it.Command, index) {
				return false
			}
			continue
		}
		inner := append(index, 0)
		for n := range it.Times {
			inner[len(inner)-1] = n
			if !it.Body.walk(inner, f) {
				return false
			}
		}
	}
	return true
}

// Count adds the number of commands of each kind to n, which is indexed by Op.
func (s Stream) Count(n []int64) { s.count(1, n) }

func (s Stream) count(times int64, n []int64) {
	for i := range s {
		if it := &s[i]; it.Times == 0 {
			n[it.Command.Op] += times
		} else {
			it.Body.count(times*int64(it.Times), n)
		}
	}
}
