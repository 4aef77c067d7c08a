package dram

import (
	"fmt"
	"maps"
	"slices"

	"pimflow/internal/nearest"
)

// Cycle is an instant or a duration in ticks of the command clock.
type Cycle int64

// Op indexes a standard's commands (Standard.Ops).
type Op uint8

// Standard is a rulebook as its datasheet states it: the commands, what they do
// to the banks, the modes they run in, how long one must wait after another, and
// when the channel is refreshed.
//
// In the literature: the timing constraints and state diagram of a JEDEC standard, as
// DRAM simulators tabulate them (Ramulator 2.0, Luo et al., IEEE CAL).
type Standard struct {
	Name    string
	Ops     []OpSpec          // indexed by Op
	Timing  []string          // the parameters the rules are made of, in cycles
	Rules   func(Timing) Book // needs every parameter of Timing
	Limits  []Limit           // what no DRAM of the standard breaks
	Refresh *Refresh          // nil: never refreshed
	Buses   Buses             // the zero value: one
	Banks   *BankSpec         // nil: every command acts on all the banks of its name
	Modes   []string          // the operating modes, the one after reset first; none: there is one
	Changes []Change          // of mode; where several lead to a mode of a command, the first is taken
	Leads   []Lead            // commands that go right ahead of others
	Extends *Standard         // another, whose commands and parameters this one has in the same meaning; nil: none

	// Explicit: streams have the commands of changes themselves, which open and close rows; only an audit asks for the mode.
	Explicit bool
	Switches []Switch // choices between rules (With)
	Kept     int      // rows of each bank, the last, that hold no weights
	variant  func(values map[string]string) *Standard
}

// OpSpec is a command of a standard.
type OpSpec struct {
	Name   string
	Opens  bool // leaves a bank open
	Closes bool // leaves no bank open
	Yields bool // refreshes that are due are served right after it
	Blocks bool // the host sends nothing more until its result has arrived
	Row    bool // needs an open row in each bank that it acts on; a stream opens rows itself
	Bank   bool // acts on one bank, otherwise on all; only in standards with Banks
	Amid   bool // comes amid others that open rows one by one: a refresh that is due waits for it as for a column command
	Column bool // takes the column bus, otherwise the row bus; only in standards with two buses

	Modes ModeSet // the modes it runs in; in any other the mode is changed for it
}

// Buses is the command buses of a channel. A bus carries a command a cycle, in the order of the
// stream over all buses.
type Buses uint8

// OneBus carries all commands, of RowAndColumn one those on rows and one those on columns
// (JESD235, HBM: row and column commands have pins of their own).
const (
	OneBus Buses = iota
	RowAndColumn
)

// BankSpec is the banks of a channel, and the commands that a controller issues to open
// and close their rows. Where an activation has two steps, Open and OpenAll are the second.
type BankSpec struct {
	Groups, PerGroup  int
	Open, Close       Op // one bank
	OpenAll, CloseAll Op
}

// Book is the waits of a standard in cycles, under given timing parameters.
type Book struct {
	Rules    []Rule
	Result   map[Op]int64 // cycles from the issue of a command to its result's arrival, 0 when missing
	Interval int64        // cycles from one refresh request to the next (tREFI); 0: no refresh

	Postamble int64 // cycles for which the data clock runs on after data, where commands start it (tWCKPST)
}

// Rule is a timing constraint: a command of Before is issued Wait cycles or more after the
// Window-th last command of After (0 and 1: the last) that acted at the same place of the
// Level: the same bank, group of banks or channel. tFAW is a rule with Window 4.
type Rule struct {
	Name          string // in the words of a datasheet; rules between different commands may share it
	Level         Level
	After, Before []Op
	Wait          int64
	Window        int
}

// Level is the reach of a rule; the zero value is the whole channel.
type Level uint8

// The levels, the largest first.
const (
	ChannelLevel Level = iota
	GroupLevel
	BankLevel
	levels
)

// Refresh is how a refresh is served: Close, if any bank is open, then Do.
type Refresh struct {
	Close, Do Op
	Queue     int // requests that may wait at once
	// Postponed is of standards with two buses: a refresh that is due waits for the first row
	// command of the stream. A run of column commands is broken off before a column command
	// that could be issued when Queue more requests wait; Reopen opens the row again. Others
	// serve refreshes after commands that yield (OpSpec).
	Postponed bool
	Reopen    Op
}

// Timing is the value of each timing parameter in cycles, named as in the machine file:
// "rcdr_ck" is tRCDR.
type Timing map[string]int64

// neverRefreshed is an interval longer than any stream.
const neverRefreshed = 1 << 50

// maxTiming bounds a parameter: a sum of twenty fits 32 bits.
const maxTiming = 100_000_000

var standards = []*Standard{artifact, newton, aim, lpddr5, hbm, aimSplit}

// Lookup returns the standard of that name; the error names the nearest.
func Lookup(name string) (*Standard, error) {
	var known []string
	for _, s := range standards {
		if s.Name == name {
			return s, nil
		}
		known = append(known, s.Name)
	}
	return nil, fmt.Errorf("DRAM standard %.80q is unknown%s; known: %.80q", name, nearest.Hint(name, known), known)
}

// Paced is the standard with one rule more: each of the commands waits so many cycles for the
// last of them, as under a limit of their power.
func (s *Standard) Paced(ops []Op, wait int64) *Standard {
	paced := *s
	paced.Rules = func(t Timing) Book {
		b := s.Rules(t)
		b.Rules = append(slices.Clone(b.Rules), Rule{Name: "power limit", After: ops, Before: ops, Wait: wait})
		return b
	}
	return &paced
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

// ChangesMode reports whether a command occurs in changes of mode only, and in no stream.
func (s *Standard) ChangesMode(op Op) bool {
	return !s.Explicit && slices.ContainsFunc(s.Changes, func(c Change) bool { return slices.Contains(c.Issue, op) })
}

// Parameters returns the names that Timing must have, sorted.
func (s *Standard) Parameters() []string { return slices.Sorted(slices.Values(s.Timing)) }

// book returns the rules under t. The error names the first parameter that is missing,
// unknown or out of range.
func (s *Standard) book(t Timing) (Book, error) {
	known := s.Parameters()
	for _, p := range slices.Sorted(maps.Keys(t)) {
		if !slices.Contains(known, p) {
			return Book{}, fmt.Errorf("timing parameter %.80q is unknown to DRAM standard %s%s; it has %.80q", p, s.Name, nearest.Hint(p, known), known)
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

// longest is the longest wait at a level from the last after to before, 0 without a rule.
func (b Book) longest(l Level, after, before Op) int64 {
	wait := int64(0)
	for _, r := range b.Rules {
		if r.Level == l && r.Window <= 1 && slices.Contains(r.After, after) && slices.Contains(r.Before, before) {
			wait = max(wait, r.Wait)
		}
	}
	return wait
}
