package dram

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// hbmWaits are the waits from a command to others in the same channel, by hand from the rules: the name, then the commands that wait for it.
const hbmWaits = `
ACTAB: RDAB 14, WRAB 10, PREA 34, PREMR 34, PRE 34, ACTAB 48, ACTMR 48, ACT 48, ACTSB 48, REFab 2
ACTMR: RDAB 14, WRAB 10, PREA 34, PREMR 34, PRE 34, ACTAB 48, ACTMR 48, ACT 48, ACTSB 48, REFab 2
ACTSB: RDSB 14, PREA 34, PREMR 34, PRE 2, ACTAB 48, ACTMR 48, ACT 48, ACTSB 4, REFab 2
ACT: ACT 4, ACTAB 48, ACTMR 48, PREA 34, PREMR 34, ACTSB 2, PRE 2, REFab 2
RDAB: RDAB 4, WRAB 16, PREA 5, PREMR 5
WRAB: WRAB 4, RDAB 19, PREA 26, PREMR 26
RDSB: RDSB 2, PREA 5, PREMR 5
RD: RD 2, WR 16, PREA 5, PREMR 5
WR: WR 2, RD 16, PREA 26, PREMR 26
WRREG: WRREG 4, RDAB 4, WRAB 4
PREA: ACTAB 14, ACTMR 14, ACT 14, ACTSB 14, REFab 14
PREMR: ACTAB 21, ACTMR 21, ACT 21, ACTSB 21, REFab 14
PRE: ACTAB 14, ACTMR 14, REFab 14
REFab: ACTAB 260, ACTMR 260, ACT 260, ACTSB 260, REFab 260
`

// TestHBMWaits: the rules of a channel come to these waits, with a change of mode that takes 7 cycles more; those within groups and banks
// are JEDEC's.
func TestHBMWaits(t *testing.T) {
	timing := hbmTiming()
	timing["mode_extra_ck"] = 7
	book, err := hbm.book(timing)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int64{
		"1 ACT ACT": 6, "1 RD RD": 4, "1 WR WR": 4, "1 WR RD": 19,
		"2 ACT ACT": 48, "2 ACT RD": 14, "2 ACT WR": 10, "2 ACT PRE": 34, "2 RD PRE": 5, "2 WR PRE": 26, "2 PRE ACT": 14,
	}
	for _, line := range strings.Split(strings.TrimSpace(hbmWaits), "\n") {
		after, list, _ := strings.Cut(line, ": ")
		for _, w := range strings.Split(list, ", ") {
			var before string
			var n int64
			if _, err := fmt.Sscan(w, &before, &n); err != nil {
				t.Fatal(err)
			}
			want["0 "+after+" "+before] = n
		}
	}
	got := map[string]int64{}
	for l := range levels {
		for a := range hbm.Ops {
			for b := range hbm.Ops {
				if w := book.longest(l, Op(a), Op(b)); w > 0 {
					got[fmt.Sprint(l, " ", hbm.Ops[a].Name, " ", hbm.Ops[b].Name)] = w
				}
			}
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestHBMSwitches: turns that take a column, registers on the bus, and fences.
func TestHBMSwitches(t *testing.T) {
	for _, c := range []struct {
		set   map[string]string
		fence int64
		ops   []Op
		want  []Cycle
	}{
		{nil, 0, []Op{hbmACTAB, hbmRDAB, hbmWRAB, hbmRDAB, hbmWRREG, hbmWRREG, hbmRDAB}, []Cycle{1, 15, 31, 50, 51, 55, 59}},
		{map[string]string{"pim_turnaround": "column"}, 0, []Op{hbmACTAB, hbmRDAB, hbmWRAB, hbmRDAB}, []Cycle{1, 15, 19, 23}},
		{map[string]string{"reg_access": "free-bus"}, 0, []Op{hbmACTAB, hbmRDAB, hbmWRREG, hbmWRREG, hbmRDAB}, []Cycle{1, 15, 16, 18, 19}},
		{map[string]string{"reg_access": "", "mac_rounding": "separate"}, 30, []Op{hbmACTAB, hbmRDAB, hbmFENCE, hbmRDAB, hbmPREA}, []Cycle{1, 15, 16, 46, 51}},
		{nil, 0, []Op{hbmACTAB, hbmWRREG, hbmWRREG, hbmRDAB}, []Cycle{1, 1, 5, 15}}, // a command of each bus in a cycle
	} {
		std, err := hbm.With(c.set)
		if err != nil {
			t.Fatal(err)
		}
		timing := hbmTiming()
		timing["fence_ck"] = c.fence
		run := channel(t, std, timing).Run()
		var got []Cycle
		for _, op := range c.ops {
			got = append(got, run.Issue(op))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%v: %v, %v wanted", c.set, got, c.want)
		}
	}
	for _, set := range []map[string]string{{"reg_acces": "row"}, {"reg_access": "rows"}} {
		if _, err := hbm.With(set); err == nil {
			t.Errorf("%v is accepted", set)
		}
	}
	if _, err := aim.With(map[string]string{"reg_access": "row"}); err == nil {
		t.Error("aim has a switch")
	}
}

// TestHBMProgram: a product of 512 outputs and 16 inputs on a channel with outputs on lanes, command by command, by hand.
func TestHBMProgram(t *testing.T) {
	var ops []Op
	add := func(list ...Op) { ops = append(ops, list...) }
	visit := func(op Op, n int) { add(hbmACTAB); add(slices.Repeat([]Op{op}, n)...); add(hbmPREA) }
	add(hbmACTMR, hbmPREMR)
	visit(hbmWRAB, 1) // program
	visit(hbmWRAB, 1) // start
	for range 2 {
		visit(hbmWRAB, 1) // 8 scalars
		visit(hbmRDAB, 32)
	}
	visit(hbmWRAB, 4) // sums
	add(hbmACTMR, hbmPREMR)
	var list []Cycle // of a run the first and the last
	run := channel(t, hbm, hbmTiming()).Run()
	for i, op := range ops {
		if at := run.Issue(op); op != hbmRDAB || ops[i-1] != hbmRDAB || ops[i+1] != hbmRDAB {
			list = append(list, at)
		}
	}
	want := []Cycle{1, 35, 49, 59, 85, 99, 109, 135, 149, 159, 185, 199, 213, 337, 342, 356, 366, 392, 406, 420, 544, 549, 563, 573, 577, 581, 585, 611, 625, 659}
	if !slices.Equal(list, want) {
		t.Errorf("%v: %v wanted", list, want)
	}
	if at := run.Issue(hbmACTSB); at != 673 {
		t.Errorf("the next activation in cycle %d: 673 wanted", at)
	}
}

// TestHBMRefresh: a refresh that is due waits for a row command, at most until a ninth would wait; then the row is closed and opened again.
func TestHBMRefresh(t *testing.T) {
	timing := hbmTiming()
	timing["refi_ck"], timing["rfc_ck"] = 400, 20
	for _, c := range []struct {
		columns int
		want    string
	}{
		{32, "ACTAB@1 PREA@144"},
		{97, "ACTAB@1 PREA@404 REFab@418"}, // PREA itself is due
		{96, "ACTAB@1 PREA@400 REFab@414"}, // at the cycle of the request
		{95, "ACTAB@1 PREA@396"},           // before it
		{897, "ACTAB@1 PREA@3604 REFab@3618 REFab@3638 REFab@3658 REFab@3678 REFab@3698 REFab@3718 REFab@3738 REFab@3758 REFab@3778"},                      // nine are due
		{899, "ACTAB@1 PREA@3604 REFab@3618 REFab@3638 REFab@3658 REFab@3678 REFab@3698 REFab@3718 REFab@3738 REFab@3758 REFab@3778 ACTAB@3798 PREA@3832"}, // broken off before column 898, which could come at 3603
	} {
		run := channel(t, hbm, timing).Run()
		var log []string
		run.Observe(func(op Op, at Cycle) {
			if op != hbmRDAB {
				log = append(log, fmt.Sprintf("%s@%d", hbm.Ops[op].Name, at))
			}
		})
		run.Issue(hbmACTAB)
		for range c.columns {
			run.Issue(hbmRDAB)
		}
		run.Issue(hbmPREA)
		if got := strings.Join(log, " "); got != c.want {
			t.Errorf("%d columns: %s: %s wanted", c.columns, got, c.want)
		}
	}
}

// TestHBMRequest: a refresh does not come before it is requested, and a run ends when the data of its last read have arrived.
func TestHBMRequest(t *testing.T) {
	timing := hbmTiming()
	timing["mode_extra_ck"], timing["refi_ck"] = 50, 580
	run := channel(t, hbm, timing).Run()
	var log []string
	run.Observe(func(op Op, at Cycle) { log = append(log, fmt.Sprintf("%s@%d", hbm.Ops[op].Name, at)) })
	for range 5 {
		run.Issue(hbmACTMR)
		run.Issue(hbmPREMR)
	}
	run.Issue(hbmACTMR)
	if got := strings.Join(log[8:], " "); got != "ACTMR@393 PREMR@427 ACTMR@491" {
		t.Errorf("%s", got)
	}
	run.Issue(hbmPREMR)
	run.Issue(hbmACTSB) // could come at 589: REFab could at 539
	run.Issue(hbmRDSB)
	if got := strings.Join(log[11:], " "); got != "PREMR@525 ACTSB@589 RDSB@603" {
		t.Errorf("%s", got)
	}
	if r := run.Finish(); r.Cycles != 603+22 {
		t.Errorf("%d cycles: %d wanted", r.Cycles, 603+22)
	}
	run = channel(t, hbm, timing).Run()
	log = nil
	run.Observe(func(op Op, at Cycle) { log = append(log, fmt.Sprintf("%s@%d", hbm.Ops[op].Name, at)) })
	for range 6 {
		run.Issue(hbmACTMR)
		run.Issue(hbmPREMR)
	}
	run.Issue(hbmACTAB)
	if got := strings.Join(log[12:], " "); got != "REFab@580 ACTAB@840" {
		t.Errorf("%s", got)
	}
}

// TestHBMLong: what is multiplied is what command by command comes to: rows that are opened again and again, and runs of columns
// at the end of what is repeated.
func TestHBMLong(t *testing.T) {
	timing := hbmTiming()
	read := func(n int) Item { return Loop(n, Do(Command{Op: hbmRDAB})) }
	row := func(n int) Stream { return Stream{Do(Command{Op: hbmACTAB}), read(n), Do(Command{Op: hbmPREA})} }
	for _, refi := range []int64{700, 3900} {
		timing["refi_ck"], timing["rfc_ck"] = refi, 150
		c := channel(t, hbm, timing)
		for i, s := range []Stream{
			row(200_000), {Loop(3000, row(32)...)}, {Loop(900, row(100)...)}, {Loop(40, row(5000)...)},
			{Loop(900, Do(Command{Op: hbmPREA}), Do(Command{Op: hbmACTAB}), read(100))},
		} {
			if d := cmp.Diff(c.plain(s), c.Time(s)); d != "" {
				t.Errorf("every %d cycles, stream %d: %s", refi, i, d)
			}
		}
	}
}

// TestHBMAudit: each wait is found broken where a command is a cycle early, and kept where it is not; a command of each bus in a cycle is allowed.
func TestHBMAudit(t *testing.T) {
	timing := hbmTiming()
	timing["mode_extra_ck"] = 7
	book, err := hbm.book(timing)
	if err != nil {
		t.Fatal(err)
	}
	pairs := 0
	for l := range levels {
		for a := range hbm.Ops {
			for b := range hbm.Ops {
				wait := book.longest(l, Op(a), Op(b))
				if wait < 2 {
					continue
				}
				for _, early := range []Cycle{1, 0} {
					audit, err := hbm.NewAudit(timing)
					if err != nil {
						t.Fatal(err)
					}
					bank := []int{9, 2, 3}[l] // of any group, of the same, the same
					audit.Record(Op(a), 3, AnyRow, 1000)
					found := false
					audit.Judge(Op(b), bank, AnyRow, 1000+Cycle(wait)-early, func(v *Violation) {
						found = found || v.By == early && early > 0 && v.Rule != RuleMode && v.Rule != RuleRow
					})
					longer := false // at a larger level or a smaller the wait may be longer
					for m := range levels {
						longer = longer || m != l && book.longest(m, Op(a), Op(b)) > wait
					}
					if found != (early == 1) && !longer {
						t.Errorf("%s, %d cycles after %s: found %v", hbm.Ops[b].Name, wait-int64(early), hbm.Ops[a].Name, found)
					}
				}
				pairs++
			}
		}
	}
	if pairs < 80 {
		t.Errorf("%d pairs", pairs)
	}
	audit, err := hbm.NewAudit(timing)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []entry{{hbmACTMR, AllBanks, 0x3ffe, 1}, {hbmPREMR, AllBanks, AnyRow, 35}, {hbmWRREG, AllBanks, AnyRow, 56}, {hbmACTAB, AllBanks, 3, 56}, {hbmRDAB, AllBanks, 3, 70}} {
		audit.Issue(e.op, e.bank, e.row, e.at, func(v *Violation) { t.Errorf("%v", v) })
	}
	rules := ""
	audit.Issue(hbmRDSB, AllBanks, 3, 80, func(v *Violation) { rules += v.Rule })
	audit.Issue(hbmWRREG, AllBanks, 3, 80, func(v *Violation) { rules += " " + v.Rule })
	if want := RuleMode + " " + RuleCommandBus + " " + RuleMode; rules != want { // RDSB is of single banks, after which the channel is
		t.Errorf("%s", rules)
	}
}
