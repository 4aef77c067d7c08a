package dram

import (
	"fmt"
	"maps"
	"slices"

	"pimflow/internal/nearest"
)

// Standard is a rulebook as its datasheet states it: the commands, what they do
// to the banks, the modes they run in, how long one must wait after another, and
// when the channel is refreshed.
type Standard struct {
	Name    string
	Ops     []OpSpec          // indexed by Op
	Timing  []string          // the parameters the rules are made of, in cycles
	Rules   func(Timing) Book // needs every parameter of Timing
	Refresh *Refresh          // nil: never refreshed
	Banks   *BankSpec         // nil: every command acts on all the banks of its name
	Modes   []string          // the operating modes, that after reset first; none: there is one
	Changes []Change          // of mode; a command that can reach several modes takes the first
}

// OpSpec is a command of a standard.
type OpSpec struct {
	Name   string
	Opens  bool // leaves a bank open
	Closes bool // leaves no bank open
	Yields bool // refreshes that are due are served right after it
	Blocks bool // the host sends nothing more before its result has arrived
	Row    bool // needs its row open wherever it acts: a stream opens it itself
	Bank   bool // acts on one bank, else on all; for standards with Banks

	Modes ModeSet // in which it runs: elsewhere the mode is changed for it
}

// BankSpec says how many banks a channel has, and which commands a controller puts
// before another to open its row.
type BankSpec struct {
	Groups, PerGroup  int
	Open, Close       Op // one bank
	OpenAll, CloseAll Op
}

// Book holds the durations of a standard under given timing parameters.
type Book struct {
	Rules    []Rule
	Result   map[Op]int64 // cycles from the issue of a command to its result's arrival, 0 when missing
	Interval int64        // cycles from one refresh request to the next; 0: none is ever requested
}

// Rule demands that no command of Before is issued less than Wait cycles after
// the Window-th last command of After (0 and 1: the last) that acted at the same
// place of the Level: the same bank, the same group of banks or the same channel.
type Rule struct {
	Level         Level
	After, Before []Op
	Wait          int64
	Window        int
}

// Level is how far a rule reaches; the zero value is the whole channel.
type Level uint8

// The levels, the largest first.
const (
	ChannelLevel Level = iota
	GroupLevel
	BankLevel
	levels
)

// Refresh says how refreshes are served: Close first if any bank is open, then Do.
type Refresh struct {
	Close, Do Op
	Queue     int // requests that may wait at once: the room for them, or how many may be postponed
}

// Timing gives the value in cycles of each parameter, named as in the machine
// file ("rcdr_ck").
type Timing map[string]int64

// neverRefreshed is an interval that no stream reaches the end of.
const neverRefreshed = 1 << 50

// maxTiming bounds the parameters so that sums of a few fit 32 bits.
const maxTiming = 100_000_000

var standards = []*Standard{artifact, newton, aim}

// Lookup returns the standard of that name; the error names the nearest.
func Lookup(name string) (*Standard, error) {
	var known []string
	for _, s := range standards {
		if s.Name == name {
			return s, nil
		}
		known = append(known, s.Name)
	}
	return nil, fmt.Errorf("DRAM standard %q is unknown%s; known: %q", name, nearest.Hint(name, known), known)
}

// Op returns the command of that name; it panics if the standard has none.
func (s *Standard) Op(name string) Op {
	for i := range s.Ops {
		if s.Ops[i].Name == name {
			return Op(i)
		}
	}
	panic("dram: standard " + s.Name + " has no command " + name)
}

// Parameters returns the names that Timing must have, sorted.
func (s *Standard) Parameters() []string { return slices.Sorted(slices.Values(s.Timing)) }

// book returns the rules under t, or the first parameter that is missing, unknown
// or out of range.
func (s *Standard) book(t Timing) (Book, error) {
	known := s.Parameters()
	for _, p := range slices.Sorted(maps.Keys(t)) {
		if !slices.Contains(known, p) {
			return Book{}, fmt.Errorf("timing parameter %q is unknown to DRAM standard %s%s; it has %q", p, s.Name, nearest.Hint(p, known), known)
		}
		if v := t[p]; v < 0 || v > maxTiming {
			return Book{}, fmt.Errorf("timing parameter %s: %d: 0 to %d cycles wanted", p, v, maxTiming)
		}
	}
	for _, p := range known {
		if _, ok := t[p]; !ok {
			return Book{}, fmt.Errorf("timing parameter %s of DRAM standard %s is missing", p, s.Name)
		}
	}
	b := s.Rules(t)
	if s.Refresh != nil && b.Interval == 0 {
		b.Interval = neverRefreshed
	}
	if f := s.Refresh; f != nil {
		// One refresh must be over before the next is due, else they never end.
		need := 2 + b.longest(ChannelLevel, f.Close, f.Do) + b.longest(ChannelLevel, f.Do, f.Do) + b.longest(ChannelLevel, f.Do, f.Close)
		if b.Interval < need {
			return Book{}, fmt.Errorf("DRAM standard %s: a refresh every %d cycles: at least %d wanted, as long as one takes", s.Name, b.Interval, need)
		}
	}
	return b, nil
}

// longest is the longest wait from the last after to before at a level, 0 if
// there is none.
func (b Book) longest(l Level, after, before Op) int64 {
	wait := int64(0)
	for _, r := range b.Rules {
		if r.Level == l && r.Window <= 1 && slices.Contains(r.After, after) && slices.Contains(r.Before, before) {
			wait = max(wait, r.Wait)
		}
	}
	return wait
}
