package dram

import (
	"fmt"
	"math"
	"slices"
)

// Audit holds a log of commands and cycles against every rule of a standard, bank by bank where the standard tells banks
// apart. It issues nothing, goes on after a violation, and shares only the tables of the standard with Channel. Its memory
// does not grow with the log.
//
// In the literature: a protocol checker; DRAM models are verified by replaying their command
// trace against a vendor's model (DRAMSim2, Rosenfeld et al., IEEE CAL 2011).
type Audit struct {
	std     *Standard
	book    Book
	after   [][]int     // by Op, the rules that have it in After
	until   [][]int     // by Op, the rules that have it in Before
	last    [][][]Cycle // by rule and place, the last issues of After, as many as Window, the oldest first
	at      Cycle       // the last issue
	bus     [2]Cycle    // the last issue on each command bus
	block   Cycle       // the arrival of a result that the host waits for
	rows    bool        // some command needs its row open
	place   []int       // by Op that opens a row, the bank of open: of standards that name no bank
	open    []openRow   // by bank, or by command that opens a row
	modes   modeTracker
	leads   []leader
	clock   Cycle // the last cycle of the data clock
	done    int64 // refreshes
	overdue int64 // the last refresh that was reported as late, as a number from 1
}

// openRow is the row that is open.
type openRow struct {
	open  bool
	begun bool  // its activation has had the first of two steps
	row   int64 // AnyRow: not known
	since Cycle
}

// AnyRow is a row that a log does not say, AllBanks the bank of a command of all.
const (
	AnyRow   = -1
	AllBanks = -1
)

// Names of rules that are not waits between commands.
const (
	RuleCommandBus = "command bus" // one command a cycle
	RuleMode       = "mode"        // a command runs in its modes only
	RuleResult     = "result"      // the host waits for a result
	RuleRow        = "row"         // a row is open, or closed, where a command needs it
	RuleClock      = "data clock"  // it runs where a command moves data
	RuleRefresh    = "tREFI"       // no refresh is missing
	RuleAhead      = "tREFI ahead" // nor too many of them ahead of time
	RuleOpen       = "tRAS max"    // no row is open too long
)

// Violation is a command that breaks a rule.
type Violation struct {
	Rule    string
	Command string
	Bank    int   // AllBanks: of all
	At      Cycle // in which it was issued
	By      Cycle // how much too early, or too late, it is; 0 where no other cycle would do
	Times   int64 // how often: refreshes that one command finds missing
	text    func() string
}

// String is the violation in a line.
func (v *Violation) String() string {
	return fmt.Sprintf("cycle %d: %s %s", v.At, v.Command, v.text())
}

const before = math.MinInt64 / 2 // further back than any wait

// NewAudit starts an audit at cycle 0. The error names a wrong timing parameter.
func (s *Standard) NewAudit(t Timing) (*Audit, error) {
	book, err := s.book(t)
	if err != nil {
		return nil, err
	}
	a := &Audit{
		std: s, book: book, after: make([][]int, len(s.Ops)), until: make([][]int, len(s.Ops)), last: make([][][]Cycle, len(book.Rules)),
		place: make([]int, len(s.Ops)), modes: modeTracker{modeTable: s.modeTable(t)}, leads: s.leaders(&book), clock: before,
	}
	for i, r := range book.Rules {
		for range s.places(r.Level) {
			a.last[i] = append(a.last[i], slices.Repeat([]Cycle{before}, max(r.Window, 1)))
		}
		for _, op := range r.After {
			if r.Level == ChannelLevel || s.Ops[op].Bank {
				a.after[op] = append(a.after[op], i)
			}
		}
		for _, op := range r.Before {
			if r.Level == ChannelLevel || s.Ops[op].Bank {
				a.until[op] = append(a.until[op], i)
			}
		}
	}
	n := 0
	for op, o := range s.Ops {
		a.rows = a.rows || o.Row
		if o.Opens {
			a.place[op] = n
			n++
		}
	}
	if s.Banks != nil {
		n = s.Banks.Groups * s.Banks.PerGroup
	}
	a.open = make([]openRow, n)
	return a, nil
}

// places is the number of places of a level.
func (s *Standard) places(l Level) int {
	switch {
	case l == ChannelLevel || s.Banks == nil:
		return 1
	case l == GroupLevel:
		return s.Banks.Groups
	}
	return s.Banks.Groups * s.Banks.PerGroup
}

// placeOf is the place of a level that a bank is in.
func (s *Standard) placeOf(l Level, bank int) int {
	switch {
	case l == ChannelLevel || s.Banks == nil:
		return 0
	case l == GroupLevel:
		return bank / s.Banks.PerGroup
	}
	return bank
}

// Ready is the first cycle in which the rules of time allow a command after those so far; 0 and less: any.
func (a *Audit) Ready(op Op, bank int) Cycle {
	x := max(a.free(op), a.block+1, a.modes.until)
	for _, i := range a.until[op] {
		r := &a.book.Rules[i]
		x = max(x, a.last[i][a.std.placeOf(r.Level, bank)][0]+Cycle(r.Wait))
	}
	return x
}

// Binding is the rule that Ready follows from, of several the first of the standard: it keeps a command back longest.
func (a *Audit) Binding(op Op, bank int) (rule string, ready Cycle) {
	rule, ready = RuleCommandBus, a.free(op)
	later := func(name string, x Cycle) {
		if x > ready {
			rule, ready = name, x
		}
	}
	later(RuleResult, a.block+1)
	later(RuleMode, a.modes.until)
	for _, i := range a.until[op] {
		r := &a.book.Rules[i]
		later(r.Name, a.last[i][a.std.placeOf(r.Level, bank)][0]+Cycle(r.Wait))
	}
	return rule, ready
}

// Until is the wait that keeps a command back until a cycle and no longer, whatever its mode; "" for none.
func (a *Audit) Until(op Op, bank int, at Cycle) string {
	for _, i := range a.until[op] {
		r := &a.book.Rules[i]
		if a.last[i][a.std.placeOf(r.Level, bank)][0]+Cycle(r.Wait) == at {
			return r.Name
		}
	}
	return ""
}

// Judge calls report for each rule that a command in a cycle breaks, after those that were issued. A command of all banks
// ignores bank; row is AnyRow where it is not known.
func (a *Audit) Judge(op Op, bank int, row int64, at Cycle, report func(*Violation)) {
	o := &a.std.Ops[op]
	broken := func(rule string, by Cycle, times int64, text func() string) {
		v := &Violation{rule, o.Name, AllBanks, at, by, times, text}
		if o.Bank {
			v.Bank = bank
		}
		report(v)
	}
	if free := a.free(op); at < free {
		broken(RuleCommandBus, free-at, 1, func() string {
			return fmt.Sprintf("when a command was issued in cycle %d: one a cycle wanted", a.at)
		})
	}
	if err := a.modes.allows(op, at); err != nil {
		broken(RuleMode, max(0, a.modes.until-at), 1, err.Error)
	} else if i := a.modes.started(a.modes.mode, op); i >= 0 && a.modes.step == 0 && row != AnyRow && a.std.Changes[i].Row > 0 && row != a.std.Changes[i].Row {
		broken(RuleMode, 0, 1, func() string {
			return fmt.Sprintf("of row %d: %d wanted, that of the change to %s mode", row, a.std.Changes[i].Row, a.modes.names[a.std.Changes[i].To])
		})
	}
	if at <= a.block {
		broken(RuleResult, a.block+1-at, 1, func() string { return fmt.Sprintf("before a result that is waited for, in cycle %d", a.block) })
	}
	for _, i := range a.until[op] {
		r := &a.book.Rules[i]
		if since := at - a.last[i][a.std.placeOf(r.Level, bank)][0]; int64(since) < r.Wait {
			broken(r.Name, Cycle(r.Wait)-since, 1, func() string {
				return fmt.Sprintf("%d cycles after %s: %d wanted", since, a.std.names(r.After, r.Window), r.Wait)
			})
		}
	}
	if l := &a.leads[op]; l.clock && a.clock < at {
		broken(RuleClock, 0, 1, func() string {
			return fmt.Sprintf("while the data clock stands still: %s ahead of it wanted", a.std.Ops[l.op].Name)
		})
	}
	a.judgeRefresh(op, at, broken)
	a.judgeRow(op, bank, row, at, broken)
}

func (a *Audit) judgeRefresh(op Op, at Cycle, broken func(string, Cycle, int64, func() string)) {
	f := a.std.Refresh
	if f == nil {
		return
	}
	late := Cycle(f.late() * a.book.Interval)
	if first, last := max(a.done, a.overdue)+1, int64(at-late)/a.book.Interval; at > late && first <= last {
		due := Cycle(first * a.book.Interval)
		broken(RuleRefresh, at-due-late+1, last-first+1, func() string {
			return fmt.Sprintf("while the refresh of cycle %d waits: at most %d cycles wanted", due, late)
		})
	}
	if due := Cycle((a.done + 1) * a.book.Interval); op == f.Do && at < due-late {
		broken(RuleAhead, due-late-at, 1, func() string {
			return fmt.Sprintf("%d cycles ahead of the request in cycle %d: at most %d wanted", due-at, due, late)
		})
	}
}

// judgeRow finds rows that are open, or closed, where the command needs the other.
func (a *Audit) judgeRow(op Op, bank int, row int64, at Cycle, broken func(string, Cycle, int64, func() string)) {
	o := &a.std.Ops[op]
	text := func(s string) func() string { return func() string { return s } }
	switch refresh := a.std.Refresh; {
	case o.Row:
		if !slices.ContainsFunc(a.touched(op, bank), func(r openRow) bool { return r.open }) {
			broken(RuleRow, 0, 1, text("with no row open"))
		} else if row != AnyRow && !slices.ContainsFunc(a.touched(op, bank), func(r openRow) bool { return r.open && (r.row == row || r.row == AnyRow) }) {
			broken(RuleRow, 0, 1, func() string { return fmt.Sprintf("in row %d, while another is open", row) })
		}
	case o.Opens && a.leads[op].index >= 0:
		if slices.ContainsFunc(a.touched(op, bank), func(r openRow) bool {
			return !r.begun || row != AnyRow && r.row != AnyRow && r.row != row
		}) {
			broken(RuleRow, 0, 1, func() string { return fmt.Sprintf("without %s of its row", a.std.Ops[a.leads[op].op].Name) })
		}
	case a.rows && !o.Amid && (o.Opens || a.std.activates(op)): // others of them have rows of other banks open
		if slices.ContainsFunc(a.touched(op, bank), func(r openRow) bool { return r.open || r.begun }) {
			broken(RuleRow, 0, 1, text("on banks whose row is open"))
		}
	case refresh != nil && op == refresh.Do:
		if slices.ContainsFunc(a.open, func(r openRow) bool { return r.open || r.begun }) {
			broken(RuleRow, 0, 1, text("with a row open"))
		}
	}
	if o.Closes && a.rows && a.std.Refresh != nil && a.book.Interval < neverRefreshed {
		for _, r := range a.touched(op, bank) {
			if r.open {
				a.long(r, at, broken)
				break
			}
		}
	}
}

// long reports a row that was open for too long: over nine refresh intervals (JESD79-4, tRAS max; estimated for GDDR6).
func (a *Audit) long(r openRow, at Cycle, broken func(string, Cycle, int64, func() string)) {
	if most := Cycle(9 * a.book.Interval); at-r.since > most {
		broken(RuleOpen, at-r.since-most, 1, func() string {
			return fmt.Sprintf("when a row has been open for %d cycles: at most %d wanted", at-r.since, most)
		})
	}
}

// touched are the rows that a command opens, closes or reads.
func (a *Audit) touched(op Op, bank int) []openRow {
	o := &a.std.Ops[op]
	switch {
	case a.std.Banks == nil && o.Opens:
		return a.open[a.place[op] : a.place[op]+1]
	case o.Bank:
		return a.open[bank : bank+1]
	}
	return a.open
}

// Record notes an issue, right or wrong.
func (a *Audit) Record(op Op, bank int, row int64, at Cycle) {
	o := &a.std.Ops[op]
	if f := a.std.Refresh; f != nil {
		if op == f.Do {
			a.done++
		}
		if late := int64(at)/a.book.Interval - f.late(); late > a.overdue {
			a.overdue = late
		}
	}
	switch rows := a.touched(op, bank); {
	case o.Closes:
		clear(rows)
	case a.std.activates(op):
		for i := range rows {
			rows[i] = openRow{false, true, row, at}
		}
	case o.Opens:
		for i, r := range rows {
			since := at
			if r.begun {
				since = r.since
				if row == AnyRow {
					row = r.row
				}
			}
			rows[i] = openRow{true, false, row, since}
		}
	}
	if l, ok := a.std.begins(op); ok && l.Clock {
		a.clock = max(a.clock, at+1+a.leads[l.Before].runs)
	} else if l := &a.leads[op]; l.clock {
		a.clock = max(a.clock, at+l.runs)
	}
	a.modes.force(op, at)
	for _, i := range a.after[op] {
		last := a.last[i][a.std.placeOf(a.book.Rules[i].Level, bank)]
		copy(last, last[1:])
		last[len(last)-1] = at
	}
	if o.Blocks {
		a.block = at + Cycle(a.book.Result[op])
	}
	a.at = max(a.at, at)
	a.bus[o.bus()] = max(a.bus[o.bus()], at)
}

// free is the first cycle in which a command finds its bus free.
func (a *Audit) free(op Op) Cycle {
	if a.std.Buses == OneBus {
		return a.at + 1
	}
	return max(a.at, a.bus[a.std.Ops[op].bus()]+1)
}

// bus is the index of the command bus that a command takes.
func (o *OpSpec) bus() int {
	if o.Column {
		return 1
	}
	return 0
}

// late is the number of requests that may wait before a refresh is missing. Where refreshes are
// postponed, the last is under way when one more is requested.
func (f *Refresh) late() int64 {
	if f.Postponed {
		return int64(f.Queue) + 1
	}
	return int64(f.Queue)
}

// Meant is the command of the standard that a command of a log stands for. A command that opens the row of a mode stands for the first
// command of that change of mode, whatever its name, and the command that closes the row for the second.
func (a *Audit) Meant(op Op, row int64) Op {
	if a.modes.step > 0 {
		if next := a.modes.changes[a.modes.under].issue[a.modes.step]; a.std.Ops[op].Closes && a.std.Ops[next].Closes {
			return next
		}
	}
	for i := range a.std.Changes {
		if c := &a.std.Changes[i]; c.Row > 0 && c.Row == row && c.As == op && c.From == a.modes.mode {
			return c.Issue[0]
		}
	}
	return op
}

// Issue is Judge, then Record, of what the command does.
func (a *Audit) Issue(op Op, bank int, row int64, at Cycle, report func(*Violation)) {
	op = a.Meant(op, row)
	a.Judge(op, bank, row, at, report)
	a.Record(op, bank, row, at)
}

// Refreshes is the number of refreshes that were issued, and that were requested by a cycle.
func (a *Audit) Refreshes(by Cycle) (issued, requested int64) {
	if a.std.Refresh == nil {
		return 0, 0
	}
	return a.done, int64(by) / a.book.Interval
}

// Missing is the number of refreshes that were requested by a cycle and not issued, but for those that may be postponed where a
// standard says so.
func (a *Audit) Missing(by Cycle) int64 {
	issued, requested := a.Refreshes(by)
	if f := a.std.Refresh; f != nil && f.Postponed {
		requested -= int64(f.Queue)
	}
	return max(requested-issued, 0)
}

// Finish calls report for what is wrong at the end of a log.
func (a *Audit) Finish(report func(*Violation)) {
	if !a.rows || a.std.Refresh == nil || a.book.Interval >= neverRefreshed {
		return
	}
	for _, r := range a.open {
		if r.open {
			a.long(r, a.at, func(rule string, by Cycle, times int64, text func() string) {
				report(&Violation{rule, "end", AllBanks, a.at, by, 1, text})
			})
			return
		}
	}
}

// names is the text of a rule's commands, and of the one among the last that it counts from.
func (s *Standard) names(ops []Op, nth int) string {
	text := s.Ops[ops[0]].Name
	for _, op := range ops[1:] {
		text += "/" + s.Ops[op].Name
	}
	if nth > 1 {
		text = fmt.Sprintf("the last but %d of %s", nth-1, text)
	}
	return text
}

// Closes reports whether a command leaves no bank open.
func (a *Audit) Closes(op Op) bool { return a.std.Ops[op].Closes }
