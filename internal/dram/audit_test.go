package dram

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// entry is a command of a log.
type entry struct {
	op   Op
	bank int
	row  int64
	at   Cycle
}

// report is a violation, and the command that it is of.
type report struct {
	command int
	rule    string
	by      Cycle
	times   int64
}

func audited(t rapid.TB, std *Standard, timing Timing, log []entry) (list []report) {
	t.Helper()
	a, err := std.NewAudit(timing)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range log {
		a.Issue(e.op, e.bank, e.row, e.at, func(v *Violation) {
			if v.String() == "" || v.At != e.at || v.Command != std.Ops[e.op].Name {
				t.Fatalf("command %d: %+v", i, v)
			}
			list = append(list, report{i, v.Rule, v.By, v.Times})
		})
	}
	return list
}

// early are the waits that a log breaks from a command on, found by search of all that was issued before.
func early(std *Standard, timing Timing, log []entry, first int) (list []report) {
	book, _ := std.book(timing)
	for i := first; i < len(log); i++ {
		e := log[i]
		if i > 0 && e.at <= log[i-1].at {
			list = append(list, report{i, RuleCommandBus, log[i-1].at + 1 - e.at, 1})
		}
		for _, r := range book.Rules {
			if !slices.Contains(r.Before, e.op) || r.Level != ChannelLevel && !std.Ops[e.op].Bank {
				continue
			}
			nth := max(r.Window, 1)
			for k := i - 1; k >= 0; k-- {
				b := log[k]
				switch {
				case !slices.Contains(r.After, b.op):
					continue
				case r.Level == GroupLevel && (!std.Ops[b.op].Bank || b.bank/std.Banks.PerGroup != e.bank/std.Banks.PerGroup):
					continue
				case r.Level == BankLevel && (!std.Ops[b.op].Bank || b.bank != e.bank):
					continue
				}
				if nth--; nth == 0 {
					if wait := b.at + Cycle(r.Wait) - e.at; wait > 0 {
						list = append(list, report{i, r.Name, wait, 1})
					}
					break
				}
			}
		}
	}
	return list
}

// legal is a log of some hundred commands that breaks no rule, as fast as most of them can follow each other.
func legal(t rapid.TB, r *rand.Rand, std *Standard, timing Timing, n int) (log []entry) {
	a, err := std.NewAudit(timing)
	if err != nil {
		t.Fatal(err)
	}
	banks := 1
	if std.Banks != nil {
		banks = std.Banks.Groups * std.Banks.PerGroup
	}
	issue := func(op Op, bank int, row int64) {
		at := a.Ready(op, bank)
		if r.IntN(8) == 0 {
			at += Cycle(r.IntN(20))
		}
		at = max(at, 1)
		log = append(log, entry{op, bank, row, at})
		a.Issue(op, bank, row, at, func(v *Violation) { t.Fatalf("%v in %v", v, log) })
	}
	put := func(op Op, bank int, row int64) {
		for {
			change, needed := a.modes.next(op)
			if l := a.leads[op]; !needed && l.index >= 0 && !(l.clock && a.clock >= max(a.Ready(op, bank), 1)) {
				ready := a.Ready(op, bank)
				at := max(a.Ready(l.op, bank), ready-1-Cycle(r.IntN(3)), 1)
				log = append(log, entry{l.op, bank, row, at}, entry{op, bank, row, max(at+1, ready)})
				for _, e := range log[len(log)-2:] {
					a.Issue(e.op, e.bank, e.row, e.at, func(v *Violation) { t.Fatalf("%v in %v", v, log) })
				}
				return
			} else if !needed && l.clock { // no later than the data clock runs
				at := max(a.Ready(op, bank), 1)
				log = append(log, entry{op, bank, row, at})
				a.Issue(op, bank, row, at, func(v *Violation) { t.Fatalf("%v in %v", v, log) })
				return
			}
			if !needed {
				issue(op, bank, row)
				return
			}
			issue(change, bank, AnyRow)
		}
	}
	anyOpen := func(rows []openRow) bool { return slices.ContainsFunc(rows, func(o openRow) bool { return o.open }) }
	var openers []Op
	for op := range std.Ops {
		if std.Ops[op].Opens {
			openers = append(openers, Op(op))
		}
	}
	// A few commands that come again and again meet the rules between each other.
	var often []Op
	for len(log) < n {
		if len(log)%40 == 0 || often == nil {
			often = nil
			for range 3 {
				op := Op(r.IntN(len(std.Ops)))
				for std.Hidden(op) {
					op = Op(r.IntN(len(std.Ops)))
				}
				often = append(often, op)
			}
		}
		if f := std.Refresh; f != nil && a.book.Interval < neverRefreshed && int64(a.at) > (a.done+1)*a.book.Interval {
			if anyOpen(a.open) {
				put(f.Close, 0, AnyRow)
			}
			put(f.Do, 0, AnyRow)
			continue
		}
		op, bank, row := often[r.IntN(len(often))], r.IntN(min(banks, 1+r.IntN(banks))), int64(r.IntN(3))
		o := &std.Ops[op]
		switch {
		case std.Refresh != nil && op == std.Refresh.Do:
			continue
		case o.Opens && a.rows && anyOpen(a.touched(op, bank)):
			if std.Banks == nil || !o.Bank {
				put(std.Refresh.Close, 0, AnyRow)
			} else {
				put(std.Banks.Close, bank, AnyRow)
			}
		case o.Row && !anyOpen(a.touched(op, bank)):
			open := openers[r.IntN(len(openers))]
			if std.Banks != nil && r.IntN(2) == 0 {
				open = std.Banks.OpenAll
			} else if std.Banks != nil {
				open = std.Banks.Open
			}
			if anyOpen(a.touched(open, bank)) {
				continue
			}
			put(open, bank, row)
		}
		if o.Row {
			row = AnyRow
		}
		put(op, bank, row)
	}
	return log
}

// TestAuditPlanted: a log that breaks no rule has no report, and one with a command that is too early has exactly those of the
// rules that it breaks. Every rule is broken alone, but for those that another one always goes beyond.
func TestAuditPlanted(t *testing.T) {
	alone := map[string]int{}
	timings := []Timing{newtonTiming(), hiding(), aimTiming(), aimTiming(), lpddr5Timing(), lpddr5Timing()}
	timings[0]["rc_ck"] = 45 // waits that others go beyond
	timings[1]["comp_act_ck"], timings[1]["act_act_ck"] = 13, 40
	timings[3]["modch_ck"], timings[3]["wtrl_ck"] = 2, 40
	timings[4]["refi_ck"], timings[4]["rpab_ck"], timings[4]["wtrs_ck"] = 1200, 22, 30
	for name, v := range (Timing{"modch_ck": 2, "wtrl_ck": 40, "bl_ck": 6, "rc_ck": 65, "faw_ck": 60, "refi_ck": 700, "rpab_ck": 10, "ras_ck": 20}) {
		timings[5][name] = v
	}
	standards := []*Standard{newton, artifact, aim, aim, lpddr5, lpddr5}
	for i, std := range standards {
		timing := timings[i]
		r := rand.New(rand.NewPCG(1, 2))
		for range 80 {
			log := legal(t, r, std, timing, 200)
			if got := audited(t, std, timing, log); got != nil {
				t.Fatalf("%s: %v in a legal log", std.Name, got)
			}
			for range 45 {
				j := r.IntN(len(log))
				from := Cycle(0)
				if j > 0 {
					from = log[j-1].at
				}
				if log[j].at-from < 2 {
					continue
				}
				bad := slices.Clone(log)
				bad[j].at -= 1 + Cycle(r.IntN(min(3, int(log[j].at-from-1))))
				want := early(std, timing, bad, j)
				got := slices.DeleteFunc(audited(t, std, timing, bad), func(p report) bool { return p.rule == RuleMode || p.rule == RuleResult || p.rule == RuleClock })
				if diff := cmp.Diff(want, got, cmp.AllowUnexported(report{}), cmpopts.EquateEmpty()); diff != "" {
					t.Fatalf("%s: command %d, %s in cycle %d instead of %d: %s", std.Name, j, std.Ops[bad[j].op].Name, bad[j].at, log[j].at, diff)
				}
				if len(want) == 1 && want[0].command == j {
					alone[std.Name+" "+want[0].rule]++
				}
			}
		}
	}
	for i, std := range standards {
		book, _ := std.book(timings[i])
		for _, rule := range book.Rules {
			if rule.Name == "" {
				t.Errorf("%s: a rule without a name after %v", std.Name, rule.After)
			}
			// tCCDL is no longer than tCCD between any banks.
			if alone[std.Name+" "+rule.Name] == 0 && rule.Wait > 1 && !strings.HasPrefix(rule.Name, "tCCDL") {
				t.Errorf("%s: %s is never broken alone", std.Name, rule.Name)
			}
		}
	}
}

// TestAuditStates: what is no matter of waits is reported once, and the log goes on as if it had been right.
func TestAuditStates(t *testing.T) {
	n, a := newtonTiming(), aimTiming()
	all := func(op Op, at Cycle) entry { return entry{op, AllBanks, AnyRow, at} }
	for _, c := range []struct {
		what   string
		std    *Standard
		timing Timing
		log    []entry
		want   []report
	}{
		{"two commands in a cycle", newton, n, []entry{all(newREADRES, 5), all(newREADRES, 5)}, []report{{1, RuleCommandBus, 1, 1}, {1, "tCCD reads", 2, 1}}},
		{"no row", newton, n, []entry{all(newCOMP0, 50)}, []report{{0, RuleRow, 0, 1}}},
		{"another row", newton, n, []entry{{newGACT0, AllBanks, 3, 50}, {newCOMP0, AllBanks, 4, 99}, {newCOMP0, AllBanks, 3, 199}}, []report{{1, RuleRow, 0, 1}}},
		{"a row over another", newton, n, []entry{all(newGACT0, 50), all(newGACT0, 150)}, []report{{1, RuleRow, 0, 1}}},
		{"a row of another quarter", newton, n, []entry{all(newGACT0, 50), all(newGACT1, 150)}, nil},
		{"a refresh over a row", newton, n, []entry{all(newGACT0, 50), all(newREF, 1500)}, []report{{1, RuleRow, 0, 1}}},
		{"a bank open twice", aim, a, []entry{{aimACT, 2, 0, 50}, {aimACT, 3, 0, 150}, {aimACT, 2, 0, 250}}, []report{{2, RuleRow, 0, 1}}},
		{"a bank that is closed", aim, a, []entry{{aimACT, 2, 0, 50}, {aimRD, 3, 0, 250}}, []report{{1, RuleRow, 0, 1}}},
		{"a change of mode that is left out", aim, a, []entry{all(aimWRGB, 50), all(aimTMOD, 150), all(aimACT16, 250)}, []report{{0, RuleMode, 0, 1}}},
		{"a command amid a change of mode", aim, a, []entry{all(aimTMOD, 50), all(aimWRGB, 60)}, []report{{1, RuleMode, 22, 1}}},
		{"a result that is waited for", aim, func() Timing { t := aimTiming(); t["clreg_ck"] = 100; return t }(),
			[]entry{all(aimTMOD, 50), all(aimRDMAC16, 100), all(aimTMOD, 150)}, []report{{2, RuleResult, 53, 1}}},
		// Refreshes are due in cycles 1458 and 2916, and may wait for eight intervals.
		{"a refresh in time", newton, n, []entry{all(newREF, 1458*9-1), all(newREF, 1458*9+99)}, nil},
		{"a late refresh", newton, n, []entry{all(newREF, 1458*9+4), all(newREF, 1458*9+99)}, []report{{0, RuleRefresh, 5, 1}}},
		{"ten refreshes missing", newton, n, []entry{all(newREADRES, 1458*18), all(newREADRES, 1458*18+9)}, []report{{0, RuleRefresh, 1458*9 + 1, 10}}},
		{"refreshes ahead of time", newton, n, func() (log []entry) {
			for i := range 9 {
				log = append(log, all(newREF, Cycle(100+95*i)))
			}
			return log
		}(), []report{{8, RuleAhead, 1458 - 860, 1}}},
		{"a row that is open too long", newton, n, []entry{
			all(newGACT0, 100), all(newREF, 1500), all(newREF, 3000), all(newREF, 5000), all(newREF, 6000), all(newREF, 7500), all(newPREA, 13300),
		}, []report{{1, RuleRow, 0, 1}, {2, RuleRow, 0, 1}, {3, RuleRow, 0, 1}, {4, RuleRow, 0, 1}, {5, RuleRow, 0, 1}, {6, RuleOpen, 13200 - 13122, 1}}},
	} {
		if diff := cmp.Diff(c.want, audited(t, c.std, c.timing, c.log), cmp.AllowUnexported(report{})); diff != "" {
			t.Errorf("%s: %s", c.what, diff)
		}
	}
}

// TestAuditEnd: a row that is never closed is found, and refreshes are counted.
func TestAuditEnd(t *testing.T) {
	a, err := newton.NewAudit(newtonTiming())
	if err != nil {
		t.Fatal(err)
	}
	none := func(v *Violation) { t.Error(v) }
	a.Issue(newREF, AllBanks, AnyRow, 1458, none)
	a.Issue(newGACT0, AllBanks, AnyRow, 1600, none)
	a.Issue(newREADRES, AllBanks, AnyRow, 1458*10-1, none)
	a.Finish(none)
	a.Issue(newREADRES, AllBanks, AnyRow, 1458*11, func(v *Violation) {
		if v.Rule != RuleRefresh {
			t.Error(v)
		}
	})
	n := 0
	a.Finish(func(v *Violation) {
		if n++; v.Rule != RuleOpen || v.By != 1458*11-1600-1458*9 {
			t.Errorf("%+v", v)
		}
	})
	if issued, requested := a.Refreshes(1458 * 11); n != 1 || issued != 1 || requested != 11 {
		t.Errorf("%d reports; %d refreshes of %d", n, issued, requested)
	}
}

// BenchmarkAudit: commands of a legal log, a second.
func BenchmarkAudit(b *testing.B) {
	log := legal(b, rand.New(rand.NewPCG(1, 2)), aim, aimTiming(), 10000)
	a, err := aim.NewAudit(aimTiming())
	if err != nil {
		b.Fatal(err)
	}
	from := Cycle(0)
	n := 0
	for b.Loop() {
		for _, e := range log {
			a.Issue(e.op, e.bank, e.row, from+e.at, func(*Violation) {})
		}
		from += log[len(log)-1].at
		n += len(log)
	}
	b.ReportMetric(float64(n)/1e6/b.Elapsed().Seconds(), "Mcommands/s")
}
