// Package device is the contract between the compiler and the devices. A Device compiles a
// cut of a graph to Code. Code knows its Cost, computes its values and prints itself. The
// GPU and the PIM are the two devices.
//
// The package does not know plans or schedules.
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

// Device compiles cuts. Compile is deterministic and safe for concurrent use. Its error
// wraps ErrUnsupported if the device cannot execute the cut.
//
// In the literature: a compiler back end with its cost model.
type Device interface {
	Name() string
	Compile(g *graph.Graph, c graph.Cut) (Code, error)
}

// Code is a compiled cut.
type Code interface {
	Cost() Cost
	// Eval computes the cut's box of dst, a tensor of the whole value, from the node's
	// inputs. Each input has its whole shape; only the boxes of Graph.Need are read.
	Eval(in []*tensor.Tensor, dst *tensor.Tensor) error
	// Print writes what the device executes: kernels or DRAM commands.
	Print(w io.Writer) error
}

// Replayer is Code that can check its command streams without values.
type Replayer interface {
	// Replay returns the extent of the check. The error names the first wrong command and
	// the reason.
	Replay() (Replay, error)
}

// Replay is the extent of a check of command streams.
type Replay struct {
	Streams         int
	Commands, Timed int64 // checked in meaning; of these, checked in time
	Accesses        int64 // column accesses of the layer's products, each found once
}

// Cost is the cost of executing code alone.
type Cost struct {
	Time     Time   // from start to the last value
	Source   Source // of Time
	Launch   Time   // the part of Time in which kernels or PIM work are launched
	Fusible  Time   // the part of Launch saved when the work directly follows other work on the device and waits for no other device
	Memory   Time   // the time for which the work alone occupies the memory channels of the GPU
	Ticks    int64  // Time in cycles of the device's own clock
	Stream   int64  // the part of Ticks in the command stream of the slowest channel
	Kernels  int    // of the GPU, each with a launch: of PIM work those that finish it
	Bytes    int64  // moved between the device and its DRAM
	Commands Counts // kernels or DRAM commands by kind, over all channels
	// Additions is the number of additions outside the DRAM: an output whose sum is read
	// from the banks in n parts counts n−1.
	Additions int64
	Lanes     []Time // busy time of each channel, where the device has several
	Bound     string // the largest term of Time, in a word
	Energy    Ledger // of the work itself; standby depends on the length of the program
	Uncertain []Uncertainty
}

// Uncertainty is a part of a time with its bounds. All work of a class deviates together: a
// class is fast or slow, not a single piece of work.
//
// In the literature: interval uncertainty, one correlated factor a class.
type Uncertainty struct {
	Class           string
	Kind            UncertainKind
	Time, Low, High Time
}

// The classes of launches: the cost of the mechanism, which both devices share, and what a launch
// of PIM work differs from a kernel's under the same mechanism.
const (
	Launches    = "launch"
	PIMLaunches = "pim launch"
)

// UncertainKind says what an uncertain time is of.
type UncertainKind uint8

// The kinds of uncertain times. Those of launches come last in a cost.
const (
	OfKernel      UncertainKind = iota // the execution of modelled kernels: the error of whole networks has that of its classes in it
	OfMeasurement                      // a measured time, launches included
	OfLaunch                           // launches
)

// At is the time if each class of work takes the time that of chooses from its
// uncertainty: the time itself or a bound.
func (c *Cost) At(of func(*Uncertainty) Time) Time {
	t := c.Time
	for i := range c.Uncertain {
		t += of(&c.Uncertain[i]) - c.Uncertain[i].Time
	}
	return max(t, 0)
}

// Fused is the cost with the launch fused with that of the work before, whose uncertainty it has
// no longer. Ticks stay those of the work alone.
//
// In the literature: marginal cost.
func (c Cost) Fused() Cost {
	c.Time, c.Launch = c.Time-c.Fusible, c.Launch-c.Fusible
	for n := len(c.Uncertain); c.Fusible > 0 && n > 0 && c.Uncertain[n-1].Kind == OfLaunch; n-- {
		c.Uncertain = c.Uncertain[:n-1]
	}
	return c
}

// Bounds are the lower and the upper bound of Time. Both are Time where it is exact.
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

// UnmarshalJSON reads the object.
func (c *Counts) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return fmt.Errorf("%.80s: an object of numbers wanted", text)
	}
	*c = Counts{}
	for d.More() {
		kind, err := d.Token()
		if err != nil {
			return err
		}
		n := Count{Kind: kind.(string)}
		var number json.RawMessage
		if err := d.Decode(&number); err != nil {
			return err
		}
		if json.Unmarshal(number, &n.N) != nil { // its error has a place in number, not in the file
			return fmt.Errorf("%.80q: %.80s: a whole number wanted", n.Kind, number)
		}
		*c = append(*c, n)
	}
	return nil
}

// Named returns a device under another name.
func Named(d Device, name string) Device { return named{d, name} }

type named struct {
	Device
	name string
}

func (n named) Name() string { return n.name }

// Memo returns a device that compiles each cut of a graph once: the device itself where it is one, under another name or not. It is safe
// for concurrent use.
//
// In the literature: memoisation.
func Memo(d Device) Device {
	if memoOf(d) != nil {
		return d
	}
	return &memo{Device: d, codes: map[memoKey]*memoEntry{}}
}

// memoOf is the memory of a device of Memo; nil for others.
func memoOf(d Device) *memo {
	switch d := d.(type) {
	case *memo:
		return d
	case named:
		return memoOf(d.Device)
	}
	return nil
}

// Compiled is how many cuts a device of Memo has compiled; 0 for others.
func Compiled(d Device) int {
	m := memoOf(d)
	if m == nil {
		return 0
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.codes)
}

type memoKey struct {
	g   *graph.Graph
	cut string
}

type memoEntry struct {
	mu    sync.Mutex
	known bool // brief and err
	brief Brief
	code  Code // nil: not kept
	err   error
}

type memo struct {
	Device
	mu    sync.Mutex
	codes map[memoKey]*memoEntry
}

func (m *memo) Compile(g *graph.Graph, c graph.Cut) (Code, error) {
	e := m.entry(g, c)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.code == nil && e.err == nil {
		e.code, e.err = m.Device.Compile(g, c)
	}
	return e.code, e.err
}

func (m *memo) brief(g *graph.Graph, c graph.Cut) (Brief, error) {
	e := m.entry(g, c)
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.known && e.err == nil {
		code := e.code
		if code == nil {
			code, e.err = m.Device.Compile(g, c)
		}
		if e.err == nil {
			e.brief = briefOf(code)
		}
		if e.known = true; c.Box.Equal(tensor.Full(g.Nodes[c.Node].Shape)) { // plans of many policies have it
			e.code = code
		}
	}
	return e.brief, e.err
}

// entry is what is remembered of a cut.
func (m *memo) entry(g *graph.Graph, c graph.Cut) *memoEntry {
	var room [64]byte
	cut := binary.AppendUvarint(room[:0], uint64(c.Node))
	for _, r := range c.Box {
		cut = binary.AppendUvarint(binary.AppendUvarint(cut, uint64(r.Lo)), uint64(r.Hi))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.codes[memoKey{g, string(cut)}]
	if e == nil {
		e = &memoEntry{}
		m.codes[memoKey{g, string(cut)}] = e
	}
	return e
}
