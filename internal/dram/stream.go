package dram

// Stream is the program of one channel: a loop nest of commands with affine addresses. It
// is timed, performed, printed and checked in this form, and never expanded.
//
// In the literature: a static control part with affine accesses (polyhedral model,
// Feautrier 1991).
type Stream []Item

// Item is a command or a loop over a body.
type Item struct {
	Command *Command // where Times is 0; several items may share it, and nothing changes it
	Times   int      // iterations of Body, at least 1; 0: the item is Command
	Body    Stream
}

// Command is one DRAM command of a stream. Op alone decides its timing. The addresses are
// its meaning.
type Command struct {
	Op   Op
	Row  Affine // DRAM row: an activation, and a column access in it
	Col  Affine // column of a column access, in units of one access
	Buf  Affine // column of the buffer that is written or multiplied, where commands name one
	Acc  Affine // accumulator of each bank that is set, added to or read, where there are several
	Data Affine // first element of the host's matrix that is read or written
	Fill Gather // the elements that a buffer write takes from there
}

// Gather is a strided read: Count runs of Len elements, Pitch apart.
type Gather struct{ Len, Count, Pitch int }

// Affine is an address: Base plus, for each loop around the command, Stride[d] times its
// index, the outermost loop first. Missing strides are 0.
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

// Do returns the item of one command.
func Do(c Command) Item { return Item{Command: &c} }

// Loop returns the item that repeats body; it panics unless times is at least 1.
func Loop(times int, body ...Item) Item {
	if times < 1 {
		panic("dram: a loop of no iterations")
	}
	return Item{Times: times, Body: body}
}

// Walk calls f for each command in order until f returns false, with the indices of the
// loops around it, the outermost first (valid during the call only). It reports whether it
// reached the end.
func (s Stream) Walk(f func(c *Command, index []int) bool) bool {
	const depth = 16 // of loops, estimated: more of them take memory of their own
	return s.walk(make([]int, 0, depth), f)
}

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

// Count adds the number of commands of each Op to n[Op].
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
