// Package device is the contract between the compiler and what executes cuts:
// a Device compiles a cut of a graph to Code, which knows its cost, computes its
// values and prints itself. The GPU and the PIM are the two devices.
//
// The package does not know what a plan or a schedule is.
package device

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"pimflow/internal/graph"
	"pimflow/internal/tensor"
)

// Time is a duration or an instant in picoseconds.
type Time int64

// NS is the time in nanoseconds.
func (t Time) NS() float64 { return float64(t) / 1e3 }

// String prints nanoseconds, as "1234.567 ns".
func (t Time) String() string { return fmt.Sprintf("%.3f ns", t.NS()) }

// ErrUnsupported is wrapped by Compile for a cut that the device cannot execute.
var ErrUnsupported = errors.New("not supported by the device")

// Device compiles cuts. Compile is safe for concurrent use and deterministic.
type Device interface {
	Name() string
	Compile(g *graph.Graph, c graph.Cut) (Code, error)
}

// Code is a compiled cut.
type Code interface {
	Cost() Cost
	// Eval computes the cut's box of dst, a tensor of the whole value, from the
	// values of the node's inputs (each of its whole shape; only the boxes that
	// Graph.Need names are read).
	Eval(in []*tensor.Tensor, dst *tensor.Tensor) error
	// Print writes what the device executes: kernels or DRAM commands.
	Print(w io.Writer) error
}

// Replayer is Code that can check its command streams without performing them.
type Replayer interface {
	// Replay returns what was checked, or the first command that is wrong and why.
	Replay() (Replay, error)
}

// Replay is how much of command streams was checked.
type Replay struct {
	Streams         int
	Commands, Timed int64 // all for what they mean, Timed of them for when they are issued
}

// Cost is what executing a piece of code takes.
type Cost struct {
	Time     Time   // from start to the last value
	Source   Source // of Time
	Launch   Time   // the part of Time that is launching kernels, or PIM work
	Fusible  Time   // the part of Launch that is not needed after other work of the device, while nothing of another device is waited for
	Memory   Time   // how long the memory channels of the GPU are busy with it, if with nothing else
	Ticks    int64  // Time in cycles of the device's own clock
	Stream   int64  // the part of Ticks that is the command stream of the slowest channel
	Bytes    int64  // moved between the device and its DRAM
	Commands Counts // kernels or DRAM commands by kind, over all channels
	// Additions is how many elements are added up outside of the DRAM: each sum of products
	// that is read from the banks in n parts counts n−1 times for each output.
	Additions int64
	Lanes     []Time // busy time of each channel, where the device has several
	Bound     string // what limits it, in a word
	Energy    Ledger // of the work itself: standby depends on how long the program takes
	Uncertain []Uncertainty
}

// Uncertainty is a part of a time that is not known exactly, and its bounds. All work of a
// class is wrong together: a class is fast or slow, not a piece of work.
type Uncertainty struct {
	Class           string
	Time, Low, High Time
}

// At is the time where each class of work takes as long as of says: its time, or a
// bound.
func (c *Cost) At(of func(*Uncertainty) Time) Time {
	t := c.Time
	for i := range c.Uncertain {
		t += of(&c.Uncertain[i]) - c.Uncertain[i].Time
	}
	return max(t, 0)
}

// Fused is the cost where the launch of the work before is its launch too. Ticks are
// those of the work alone.
func (c Cost) Fused() Cost {
	c.Time, c.Launch = c.Time-c.Fusible, c.Launch-c.Fusible
	return c
}

// Bounds is what Time may be at least and at most; both are Time where it is exact.
func (c *Cost) Bounds() (low, high Time) {
	return c.At(func(x *Uncertainty) Time { return x.Low }), c.At(func(x *Uncertainty) Time { return x.High })
}

// Count is a number of commands of one kind.
type Count struct {
	Kind string
	N    int64
}

// Counts lists commands by kind, in the device's order. As JSON it is one object in that
// order: {"GWRITE":1,…}.
type Counts []Count

// MarshalJSON writes the object.
func (c Counts) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, n := range c {
		if i > 0 {
			b.WriteByte(',')
		}
		kind, err := json.Marshal(n.Kind)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%s:%d", kind, n.N)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// Named returns a device under another name.
func Named(d Device, name string) Device { return named{d, name} }

type named struct {
	Device
	name string
}

func (n named) Name() string { return n.name }

// Memo returns a device that compiles each cut of one graph once. It is safe for
// concurrent use.
func Memo(d Device) Device { return &memo{Device: d, codes: map[memoKey]*memoEntry{}} }

type memoKey struct {
	g   *graph.Graph
	cut string
}

type memoEntry struct {
	once sync.Once
	code Code
	err  error
}

type memo struct {
	Device
	mu    sync.Mutex
	codes map[memoKey]*memoEntry
}

func (m *memo) Compile(g *graph.Graph, c graph.Cut) (Code, error) {
	var room [64]byte
	cut := binary.AppendUvarint(room[:0], uint64(c.Node))
	for _, r := range c.Box {
		cut = binary.AppendUvarint(binary.AppendUvarint(cut, uint64(r.Lo)), uint64(r.Hi))
	}
	m.mu.Lock()
	e := m.codes[memoKey{g, string(cut)}]
	if e == nil {
		e = &memoEntry{}
		m.codes[memoKey{g, string(cut)}] = e
	}
	m.mu.Unlock()
	e.once.Do(func() { e.code, e.err = m.Device.Compile(g, c) })
	return e.code, e.err
}
