package dram

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// The commands of the standard three, in the order of its Ops.
const (
	thrACT Op = iota
	thrRD
	thrACTAB
	thrRDAB
	thrMAC
	thrPRE
	thrABMR // single to all: two commands
	thrABPRE
	thrSBMR  // all to single
	thrOPACT // all to compute: three commands
	thrOPWR
	thrOPPRE
	thrBOTH // single to compute
	thrQUIT // compute to single
	thrREF
)

// three is a standard of three modes, as HBM-PIM has: changes of no command to three,
// with and without a wait, commands that run in one mode, two or all, and refreshes in
// one mode that are asked for in all.
var three = &Standard{
	Name: "three",
	Ops: []OpSpec{
		thrACT:   {Name: "ACT", Opens: true, Modes: In(0)},
		thrRD:    {Name: "RD", Modes: In(0)},
		thrACTAB: {Name: "ACTAB", Opens: true, Modes: In(1, 2)},
		thrRDAB:  {Name: "RDAB", Modes: In(1), Blocks: true},
		thrMAC:   {Name: "MAC", Modes: In(2)},
		thrPRE:   {Name: "PRE", Closes: true, Yields: true},
		thrABMR:  {Name: "ABMR"}, thrABPRE: {Name: "ABPRE"}, thrSBMR: {Name: "SBMR"},
		thrOPACT: {Name: "OPACT"}, thrOPWR: {Name: "OPWR"}, thrOPPRE: {Name: "OPPRE"}, thrBOTH: {Name: "BOTH"}, thrQUIT: {Name: "QUIT"},
		thrREF: {Name: "REF", Modes: In(0)},
	},
	Timing: []string{"ccd_ck", "rcd_ck", "rp_ck", "ras_ck", "rd_ck", "mr_ck", "op_ck", "both_ck", "rfc_ck", "refi_ck"},
	Rules: func(t Timing) Book {
		return Book{
			Rules: []Rule{
				{After: []Op{thrACT, thrACTAB}, Before: []Op{thrRD, thrRDAB, thrMAC}, Wait: t["rcd_ck"]},
				{After: []Op{thrRD, thrRDAB, thrMAC}, Before: []Op{thrRD, thrRDAB, thrMAC}, Wait: t["ccd_ck"]},
				{After: []Op{thrACT, thrACTAB}, Before: []Op{thrPRE}, Wait: t["ras_ck"]},
				{After: []Op{thrMAC}, Before: []Op{thrQUIT, thrBOTH}, Wait: t["ras_ck"]}, // the first command of a change may wait too
				{After: []Op{thrPRE, thrABPRE, thrOPPRE}, Before: []Op{thrACT, thrACTAB, thrREF, thrOPACT}, Wait: t["rp_ck"]},
				{After: []Op{thrABMR}, Before: []Op{thrABPRE, thrMAC}, Wait: t["ras_ck"]},
				{After: []Op{thrOPACT}, Before: []Op{thrOPWR, thrPRE}, Wait: t["rcd_ck"]},
				{After: []Op{thrOPWR}, Before: []Op{thrOPPRE}, Wait: t["rd_ck"]},
				{After: []Op{thrSBMR}, Before: []Op{thrSBMR}, Wait: t["both_ck"]},
				{After: []Op{thrREF}, Before: []Op{thrACT, thrACTAB, thrREF}, Wait: t["rfc_ck"]},
			},
			Result:   map[Op]int64{thrRDAB: t["rd_ck"]},
			Interval: t["refi_ck"],
		}
	},
	Refresh: &Refresh{Close: thrPRE, Do: thrREF, Queue: 8},
	Banks:   &BankSpec{Groups: 1, PerGroup: 2},
	Modes:   []string{"single", "all", "compute"},
	Changes: []Change{
		{From: 0, To: 1, Issue: []Op{thrABMR, thrABPRE}, Wait: "mr_ck"},
		{From: 1, To: 0, Issue: []Op{thrSBMR}},
		{From: 1, To: 2, Issue: []Op{thrOPACT, thrOPWR, thrOPPRE}, Wait: "op_ck"},
		{From: 2, To: 1},
		{From: 0, To: 2, Issue: []Op{thrBOTH}, Wait: "both_ck"},
		{From: 2, To: 0, Issue: []Op{thrQUIT}, Wait: "mr_ck"},
	},
}

func threeTiming() Timing {
	return Timing{"ccd_ck": 4, "rcd_ck": 14, "rp_ck": 14, "ras_ck": 34, "rd_ck": 22, "mr_ck": 10, "op_ck": 3, "both_ck": 50, "rfc_ck": 260, "refi_ck": maxTiming}
}

// TestModes: cycles of commands and changes by hand.
func TestModes(t *testing.T) {
	log, _ := observe(t, channel(t, three, threeTiming()), []Op{
		thrACT, thrRD, thrPRE, // 1, 15, 35
		// RDAB could go at 36: ABMR there, ABPRE 34 later at 70, all free 10 later.
		thrRDAB, // 80
		// The result arrives at 102. MAC could go at 103: OPACT, OPWR 14 later at 117,
		// OPPRE 22 later at 139, all free 3 later.
		thrMAC, // 142
		// RDAB takes a change without commands: only ccd_ck counts.
		thrRDAB, // 146
		thrMAC,  // at 169 it could go: OPACT 169, OPWR 183, OPPRE 205: 208
		// RD could go at 212, and QUIT only 34 after MAC at 242: 10 later.
		thrRD,  // 252
		thrMAC, // 256 it could go: BOTH waits 34 after MAC at 208, which was long ago; 50 later: 306
	})
	want := []issued{
		{thrACT, 1, true}, {thrRD, 15, true}, {thrPRE, 35, true}, {thrABMR, 36, false}, {thrABPRE, 70, false}, {thrRDAB, 80, true},
		{thrOPACT, 103, false}, {thrOPWR, 117, false}, {thrOPPRE, 139, false}, {thrMAC, 142, true}, {thrRDAB, 146, true},
		{thrOPACT, 169, false}, {thrOPWR, 183, false}, {thrOPPRE, 205, false}, {thrMAC, 208, true}, {thrQUIT, 242, false}, {thrRD, 252, true},
		{thrBOTH, 256, false}, {thrMAC, 306, true},
	}
	if d := cmp.Diff(want, log, cmp.AllowUnexported(issued{})); d != "" {
		t.Error(d)
	}
}

// TestBanksModes: with all banks alike and no refresh, the engine of single banks issues
// what a run does, changes of mode included.
func TestBanksModes(t *testing.T) {
	ops := slices.DeleteFunc(streamOps(three), func(op Op) bool { return op == thrRDAB }) // the host's waiting is not the banks'
	seen := map[Op]bool{}
	rapid.Check(t, func(t *rapid.T) {
		timing := anyTiming(t, three)
		timing["refi_ck"] = maxTiming
		c, err := three.New(timing)
		if err != nil {
			t.Fatal(err)
		}
		list := rapid.SliceOfN(rapid.SampledFrom(ops), 1, 60).Draw(t, "ops")
		log, _ := observe(t, c, list)
		b, at := c.Banks(), Cycle(0)
		var got []issued
		issue := func(op Op, from Cycle, own bool) {
			at = max(at+1, from, b.Ready(op, 0))
			b.Issue(op, 0, 0, at)
			got = append(got, issued{op, at, own})
			seen[op] = true
		}
		for _, op := range list {
			could := b.Ready(op, 0)
			for {
				change, needed := b.Change(op)
				if !needed {
					break
				}
				issue(change, could, false)
			}
			issue(op, 0, true)
		}
		if d := cmp.Diff(log, got, cmp.AllowUnexported(issued{})); d != "" {
			t.Fatal(d)
		}
	})
	if len(seen) < len(three.Ops)-4 { // all but RDAB, REF and the changes from mode all, which the rest has no use for
		t.Errorf("only commands %v were issued", slices.Sorted(maps.Keys(seen)))
	}
}

// TestModeChecks: the check says which mode a command is in.
func TestModeChecks(t *testing.T) {
	for _, row := range []struct {
		log  []issued
		want string
	}{
		{[]issued{{op: thrRDAB, at: 1}}, "cycle 1: RDAB in single mode"},
		{[]issued{{op: thrABMR, at: 1}, {op: thrRD, at: 40}}, "cycle 40: RD amid the change to all mode"},
		{[]issued{{op: thrSBMR, at: 1}}, "cycle 1: SBMR in single mode, from which it starts no change"},
		{[]issued{{op: thrABMR, at: 1}, {op: thrABPRE, at: 35}, {op: thrPRE, at: 44}}, "cycle 44: PRE before the change to all mode is over in cycle 45"},
		{[]issued{{op: thrBOTH, at: 1}, {op: thrMAC, at: 51}, {op: thrRDAB, at: 55}, {op: thrMAC, at: 78}}, "cycle 78: MAC in all mode"},
	} {
		k, err := three.NewCheck(threeTiming())
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range row.log {
			if err = k.Issue(x.op, x.at); err != nil && i < len(row.log)-1 {
				t.Fatal(err)
			}
		}
		if err == nil || err.Error() != row.want {
			t.Errorf("%v: %s wanted", err, row.want)
		}
	}
}

// TestModeTable: a table that contradicts itself is found when it is compiled.
func TestModeTable(t *testing.T) {
	for name, broken := range map[string]func(*Standard){
		"no way to a mode":            func(s *Standard) { s.Changes = s.Changes[:4] },
		"the same first command":      func(s *Standard) { s.Changes[4].Issue = []Op{thrABMR} },
		"a wait behind no command":    func(s *Standard) { s.Changes[3].Wait = "mr_ck" },
		"an unknown parameter":        func(s *Standard) { s.Changes[1].Wait = "mode_ck" },
		"a change that opens":         func(s *Standard) { s.Changes[1].Issue = []Op{thrACT} },
		"more changes than are there": func(s *Standard) { s.Changes = append(s.Changes, s.Changes[0]) },
	} {
		s := *three
		s.Changes = slices.Clone(three.Changes)
		broken(&s)
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: compiled", name)
				}
			}()
			s.New(threeTiming())
		}()
	}
}
