package dram

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// lpddr5Timing is that of the machine lpddr5-aim.
func lpddr5Timing() Timing {
	return Timing{
		"bl_ck": 2, "ccds_ck": 4, "cl_ck": 20, "clreg_ck": 0, "cwl_ck": 11, "cwlgb_ck": 1, "cwlreg_ck": 1, "faw_ck": 16, "modch_ck": 13, "ppd_ck": 2,
		"ras_ck": 34, "rc_ck": 49, "rcd_ck": 15, "rcdewmul_ck": 15, "rcdrdaf_ck": 35, "rcdrdcp_ck": 27, "rcdrdmac_ck": 23, "rcdwrcp_ck": 23,
		"refi_ck": 3124, "rfc_ck": 304, "rpab_ck": 17, "rppb_ck": 15, "rrd_ck": 4, "rtp_ck": 4, "wckpst_ck": 1, "wr_ck": 28, "wtrl_ck": 10, "wtrs_ck": 5,
	}
}

// lpddr5Waits are the cycles from a command to another in the same channel, by row and column in
// the order of the standard's commands. Where both move data: bl 2, tCCD 4; RD to WR 20+2+2-11, to a
// register 20+2+2-1; a register's read to its write 2+2-1; WR to RD 11+2+5, WR to the registers and
// WRA16 to both 11+2+10; WRGB to reads 1+2+5, WRMAC16 to reads 1+2+10; a write to precharge
// 11+2+28, and of all banks to an activation 17 more; EWMUL16 to precharge 11+28.
const lpddr5Waits = `
ACT-1     4 34  .  .  . 49  . 23 35 15  .  .  .  .  .  . 15  . 49
PREA     17  2  2  .  . 17  .  .  .  .  .  .  .  .  .  .  .  . 17
PRE       .  2  2  .  . 15  .  .  .  .  .  .  .  .  .  .  .  . 15
RD        .  4  .  4 13  .  4  4  .  4  4  . 23  4  4 23 13  .  .
WR        . 41  . 18  4  .  .  .  .  4  .  4  4 23 23  4  4  .  .
ACT16-1  49 34 34 15 15 49 23 23 35 15 27 23  .  .  .  . 15  . 49
MAC       .  4  .  4  .  .  4  4  .  4  4  .  .  4  4  .  .  .  .
MAC16     .  4  4  4  .  .  4  4  .  4  4  .  .  4  4  .  .  .  .
AF16      .  4  4  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
EWMUL16   . 39 39  4  4  .  4  4  .  4  4  4  .  4  4  4  4  .  .
RDCP      .  4  .  4  .  .  4  4  .  4  4  .  .  4  4  .  .  .  .
WRCP      . 41  .  .  4  .  .  .  .  4  .  4  4  .  .  4  4  .  .
WRGB      .  .  .  8  4  .  .  .  .  .  .  4  2  8  8  2  4  .  .
RDMAC16   .  .  .  4  .  .  4  4  .  4  4  .  3  2  2  3  .  .  .
RDAF16    .  .  .  4  .  .  4  4  .  4  4  .  3  2  2  3  .  .  .
WRMAC16   .  .  . 13  4  .  .  .  .  4  .  4  2 13 13  2  4  .  .
WRA16    58  .  . 23  4 58  .  .  .  4  .  4  4 23 23  4  4  . 58
TMOD      .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
REFab   304  .  .  .  . 304 .  .  .  .  .  .  .  .  .  .  .  . 304
`

// TestLPDDR5Waits: the rules come to the waits at each level.
func TestLPDDR5Waits(t *testing.T) {
	book, err := lpddr5.book(lpddr5Timing())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int64{
		"1 WR RD":       23,
		"2 ACT-1 ACT-1": 49, "2 ACT-1 PRE": 34, "2 ACT-1 RD": 15, "2 ACT-1 WR": 15, "2 ACT-1 MAC": 23, "2 ACT-1 RDCP": 27, "2 ACT-1 WRCP": 23,
		"2 PRE ACT-1": 15, "2 PRE PRE": 15, "2 RD PRE": 4, "2 MAC PRE": 4, "2 RDCP PRE": 4, "2 WR PRE": 41, "2 WRCP PRE": 41,
	}
	for _, line := range strings.Split(strings.TrimSpace(lpddr5Waits), "\n") {
		cells := strings.Fields(line)
		for i, cell := range cells[1:] {
			if cell == "." {
				continue
			}
			n, err := strconv.ParseInt(cell, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			want["0 "+cells[0]+" "+lpddr5.Ops[i].Name] = n
		}
	}
	got := map[string]int64{}
	for l := range levels {
		for a := range lpddr5.Ops {
			for b := range lpddr5.Ops {
				if w := book.longest(l, Op(a), Op(b)); w > 0 {
					got[fmt.Sprint(l, " ", lpddr5.Ops[a].Name, " ", lpddr5.Ops[b].Name)] = w
				}
			}
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if w := book.Rules[len(book.Rules)-4]; w.Name != "tFAW" || w.Wait != 16 || w.Window != 4 {
		t.Errorf("%+v: tFAW wanted", w)
	}
}

// TestLPDDR5Leads: the commands that go ahead of others, by hand: in the cycle before, and where the
// data clock has stopped.
func TestLPDDR5Leads(t *testing.T) {
	for _, row := range []struct {
		name string
		ops  []Op
		want string
	}{
		{"a row is opened in two steps, and waits count from the first", []Op{lpACT162, aimMAC16, aimMAC16, aimPREA, lpACT162},
			"ACT16-1 1, ACT16-2 2, MAC16 24, MAC16 28, PREA 35, ACT16-1 52, ACT16-2 53"},
		{"the clock starts after the change of mode, and runs while writes follow", []Op{aimWRGB, aimWRGB, aimWRGB, aimWRMAC16},
			"TMOD 1, CASWRGB 14, WRGB 15, WRGB 17, WRGB 19, WRMAC16 21"},
		// The clock runs up to 21+1+2+1 = 25.
		{"it starts right ahead of what must wait", []Op{aimWRGB, aimWRMAC16, aimRDMAC16}, "TMOD 1, CASWRGB 14, WRGB 15, WRMAC16 17, CASRDMAC16 29, RDMAC16 30"},
		// The host has a result 2 cycles after its read, and the clock runs one more.
		{"reads that the host waits for are within its postamble", []Op{aimRDMAC16, aimRDMAC16, aimWRGB}, "TMOD 1, CASRDMAC16 14, RDMAC16 15, RDMAC16 18, WRGB 21"},
		{"a write to all banks opens its row and closes it", []Op{lpACT162, aimWRA16, lpACT162}, "ACT16-1 1, ACT16-2 2, CASWRA16 15, WRA16 16, ACT16-1 74, ACT16-2 75"},
		{"products need no clock", []Op{aimWRGB, lpACT162, aimMAC16}, "TMOD 1, CASWRGB 14, WRGB 15, TMOD 16, ACT16-1 29, ACT16-2 30, MAC16 52"},
	} {
		log, _ := observe(t, channel(t, lpddr5, lpddr5Timing()), row.ops)
		var got []string
		for _, x := range log {
			got = append(got, fmt.Sprint(lpddr5.Ops[x.op].Name, " ", x.at))
		}
		if g := strings.Join(got, ", "); g != row.want {
			t.Errorf("%s:\n%s\n%s wanted", row.name, g, row.want)
		}
	}
	timing := lpddr5Timing()
	timing["wckpst_ck"] = 0
	log, _ := observe(t, channel(t, lpddr5, timing), []Op{aimRDMAC16, aimRDMAC16})
	if last := log[len(log)-1]; last.at != 19 || log[3].op != lpCASRDMAC16 {
		t.Errorf("%+v: without a postamble the clock starts again for the second read, in cycle 19", log)
	}
}

// TestLPDDR5Wait: Wait is the time from a command to the next, with what goes ahead of it.
func TestLPDDR5Wait(t *testing.T) {
	c := channel(t, lpddr5, lpddr5Timing())
	for _, row := range []struct {
		after, before Op
		want          Cycle
	}{
		{lpACT162, aimMAC16, 22}, {aimPREA, lpACT162, 18}, {aimREF, lpACT162, 305}, {lpACT162, aimPREA, 33}, {aimWRGB, aimWRGB, 2}, {aimRDMAC16, aimRDMAC16, 3},
		{aimRDMAC16, aimWRGB, 3}, {aimTMOD, aimWRGB, 14}, {aimTMOD, lpACT162, 14}, {aimTMOD, aimMAC16, 13}, {aimWRMAC16, aimRDMAC16, 13}, {lpACT162, lpACT162, 49},
	} {
		if got := c.Wait(row.after, row.before); got != row.want {
			t.Errorf("%s to %s: %d, %d wanted", lpddr5.Ops[row.after].Name, lpddr5.Ops[row.before].Name, got, row.want)
		}
	}
}

// TestLPDDR5Refresh: refreshes come at a precharge of all banks, and eight may wait for it.
func TestLPDDR5Refresh(t *testing.T) {
	visit := func(n int) Stream { // 35 cycles beside the products, and then 17 to the refresh
		return Stream{Do(Command{Op: lpACT162}), Loop(n, Do(Command{Op: aimMAC16})), Do(Command{Op: aimPREA})}
	}
	for n, late := range map[int]bool{100: false, 6200: false, 7100: true} {
		s := Stream{Loop(3, visit(n)...)}
		same(t, lpddr5, lpddr5Timing(), s)
		if r := channel(t, lpddr5, lpddr5Timing()).Time(s); r.Overflow != late {
			t.Errorf("%d products in a row: late %v, %d refreshes", n, r.Overflow, r.Issued[aimREF])
		}
	}
	log, _ := observe(t, channel(t, lpddr5, lpddr5Timing()), []Op{lpACT162, aimPREA, lpACT162})
	if log[2].at != 35 {
		t.Errorf("%+v", log)
	}
	run := channel(t, lpddr5, lpddr5Timing()).Run()
	run.Issue(lpACT162)
	for range 800 {
		run.Issue(aimMAC16)
	}
	closed := run.Issue(aimPREA)
	if at := run.Issue(lpACT162); at != closed+17+304+1 {
		t.Errorf("the second step of an activation %d cycles after PREA: 17 to the refresh, 304 and 1 wanted", at-closed)
	}
}

// TestLPDDR5Blocks: blocks as the mapping writes them, in all engines.
func TestLPDDR5Blocks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := func(name string, lo, hi int) int { return rapid.IntRange(lo, hi).Draw(t, name) }
		do := func(op Op) Item { return Do(Command{Op: op}) }
		timing := lpddr5Timing()
		timing["wckpst_ck"] = rapid.Int64Range(0, 2).Draw(t, "postamble")
		sums := n("sums", 1, 4)
		block := Stream{
			Loop(sums, do(aimWRMAC16)), Loop(n("rows", 1, 3), do(lpACT162), Loop(n("products", 1, 64), do(aimMAC16)), do(aimPREA)), Loop(sums, do(aimRDMAC16)),
		}
		same(t, lpddr5, timing, Stream{Loop(n("fills", 1, 8), Loop(n("fill", 1, 64), do(aimWRGB)), Loop(n("blocks", 1, 60), block...)), do(aimWRGB)})
	})
}

// TestLPDDR5Audit: states that no wait is about.
func TestLPDDR5Audit(t *testing.T) {
	all := func(op Op, at Cycle) entry { return entry{op, AllBanks, AnyRow, at} }
	for _, c := range []struct {
		what string
		log  []entry
		want []report
	}{
		{"an activation of one step", []entry{all(lpACT162, 50)}, []report{{0, RuleRow, 0, 1}}},
		{"a second step of another row", []entry{{aimACT, 2, 7, 50}, {lpACT2, 2, 8, 51}}, []report{{1, RuleRow, 0, 1}}},
		{"of another bank", []entry{{aimACT, 2, 7, 50}, {lpACT2, 3, 7, 51}}, []report{{1, RuleRow, 0, 1}}},
		{"two first steps", []entry{{aimACT, 2, 7, 50}, {aimACT, 2, 7, 150}}, []report{{1, RuleRow, 0, 1}}},
		{"a row that is half open", []entry{all(aimACT16, 50), all(aimMAC16, 150)}, []report{{1, RuleRow, 0, 1}}},
		{"a refresh of a row that is half open", []entry{all(aimACT16, 50), all(aimREF, 3150)}, []report{{1, RuleRow, 0, 1}}},
		{"a row", []entry{all(aimACT16, 50), all(lpACT162, 60), all(aimMAC16, 150), all(aimPREA, 200)}, nil},
		{"no data clock", []entry{all(aimTMOD, 50), all(aimWRGB, 99)}, []report{{1, RuleClock, 0, 1}}},
		// CASWRGB in cycle 99 has the clock run up to 99+1+1+2+1, and WRGB up to 4 cycles after it.
		{"a data clock that has stopped", []entry{all(aimTMOD, 50), all(lpCASWRGB, 99), all(aimWRGB, 104), all(aimWRGB, 108), all(aimWRGB, 113)}, []report{{4, RuleClock, 0, 1}}},
		{"a row open for too long, from the first step", []entry{
			{aimACT, 1, 5, 100}, {lpACT2, 1, 5, 101}, all(aimREF, 3150), all(aimREF, 6300), all(aimREF, 9400), all(aimREF, 12500), all(aimREF, 15700), {aimPRE, 1, 5, 101 + 9*3124},
		}, []report{{2, RuleRow, 0, 1}, {3, RuleRow, 0, 1}, {4, RuleRow, 0, 1}, {5, RuleRow, 0, 1}, {6, RuleRow, 0, 1}, {7, RuleOpen, 1, 1}}},
	} {
		if d := cmp.Diff(c.want, audited(t, lpddr5, lpddr5Timing(), c.log), cmp.AllowUnexported(report{})); d != "" {
			t.Errorf("%s: %s", c.what, d)
		}
	}
}

// TestLeadTables: tables of leads that contradict themselves are refused.
func TestLeadTables(t *testing.T) {
	for what, change := range map[string]func(s *Standard){
		"two ahead of one":           func(s *Standard) { s.Leads = append(s.Leads, Lead{Issue: lpCASRD, Before: aimRD, Clock: true}) },
		"a lead that opens":          func(s *Standard) { s.Leads = []Lead{{Issue: aimWRA16, Before: aimWRGB, Clock: true}} },
		"a lead of one bank for all": func(s *Standard) { s.Leads = []Lead{{Issue: lpCASRD, Before: aimWRGB, Clock: true}} },
		"no clock and no activation": func(s *Standard) { s.Leads = []Lead{{Issue: lpCASWRGB, Before: aimWRGB}} },
		"a wait between the two": func(s *Standard) {
			s.Rules = func(t Timing) Book {
				b := lpddr5Rules(t)
				b.Rules = append(b.Rules, Rule{Name: "tCAS", After: []Op{lpCASRD}, Before: []Op{aimRD}, Wait: 2})
				return b
			}
		},
	} {
		s := *lpddr5
		change(&s)
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", what)
				}
			}()
			_, _ = s.New(lpddr5Timing())
		}()
	}
}
