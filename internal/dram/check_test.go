package dram

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// issued is a command as the engine issues it; own where the stream has it.
type issued struct {
	op  Op
	at  Cycle
	own bool
}

func observe(t rapid.TB, c *Channel, ops []Op) ([]issued, Result) {
	t.Helper()
	var log []issued
	run := c.Run()
	run.Observe(func(op Op, at Cycle) { log = append(log, issued{op: op, at: at}) })
	for _, op := range ops {
		before := len(log)
		at := run.Issue(op)
		own := len(log) - 1
		for c.two && own > before && log[own].op == c.std.Refresh.Do { // a refresh may follow
			own--
		}
		if log[own].at != at || log[own].op != op {
			t.Fatalf("%v observed last, command %d in cycle %d issued", log[own], op, at)
		}
		log[own].own = true
	}
	return log, run.Finish()
}

// visits draws a stream of visits to rows, as rows must be on newton.
func visits(t *rapid.T) []Op {
	var ops []Op
	for range rapid.IntRange(1, 40).Draw(t, "visits") {
		acts := rapid.Permutation([]Op{newGACT0, newGACT1, newGACT2, newGACT3}).Draw(t, "acts")
		ops = append(ops, acts[:rapid.IntRange(1, 4).Draw(t, "opened")]...)
		ops = append(ops, rapid.SliceOfN(rapid.SampledFrom([]Op{
			newGWRITE0, newGWRITE1, newGWRITE2, newGWRITE3, newCOMP0, newCOMP1, newCOMP2, newCOMP3, newREADRES,
		}), 0, 30).Draw(t, "columns")...)
		ops = append(ops, newPREA)
	}
	return ops
}

// aimVisits draws a stream of visits to rows, as rows must be on aim.
func aimVisits(t *rapid.T) []Op {
	some := func(ops ...Op) []Op { return rapid.SliceOfN(rapid.SampledFrom(ops), 0, 20).Draw(t, "columns") }
	var ops []Op
	for range rapid.IntRange(1, 40).Draw(t, "visits") {
		ops = append(ops, some(aimWRGB, aimWRMAC16)...)
		ops = append(append(ops, aimACT16), some(aimMAC16, aimAF16, aimEWMUL16, aimWRGB, aimWRMAC16, aimRDMAC16, aimRDAF16)...)
		ops = append(append(ops, rapid.SampledFrom([]Op{aimPREA, aimWRA16}).Draw(t, "close")), some(aimRDMAC16, aimRDAF16)...)
	}
	return ops
}

// TestCheckEngine: the engine breaks no rule, and issues every command in the first
// cycle in which it breaks none.
func TestCheckEngine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		std, timing := machine(t)
		var ops []Op
		switch std.Name {
		case "newton":
			ops = visits(t)
		case "aim":
			ops = aimVisits(t)
		case "hbm-pim":
			ops = hbmVisits(t)
		case "lpddr5-aim":
			for _, op := range aimVisits(t) {
				if op == aimACT16 {
					op = lpACT162
				}
				ops = append(ops, op)
			}
		default:
			nest(t, std, 3, 500).Walk(func(c *Command, _ []int) bool { ops = append(ops, c.Op); return true })
		}
		ch, err := std.New(timing)
		if err != nil {
			t.Fatal(err)
		}
		log, r := observe(t, ch, ops)
		c, err := std.NewCheck(timing)
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range log {
			if x.own || x.op == std.Refresh.Do {
				if err := c.Issue(x.op, x.at-1); err == nil {
					t.Fatalf("command %d, %s in cycle %d, could go a cycle before", i, std.Ops[x.op].Name, x.at)
				}
			}
			if err := c.Issue(x.op, x.at); err != nil {
				if r.Overflow && strings.Contains(err.Error(), "waits: at most") {
					return
				}
				t.Fatal(err)
			}
		}
		if err := c.Finish(r.Cycles); err != nil && len(ops) > 0 {
			t.Fatal(err)
		}
		if r.Overflow {
			t.Fatal("a refresh is late, and the check does not say so")
		}
	})
}

// TestCheck: each rule is found broken, in the toy standard (activations 2 apart, five
// of them 20, the third last activation or write 10 before a read) and newton.
func TestCheck(t *testing.T) {
	timing := toyTiming()
	n, a := newtonTiming(), aimTiming()
	for _, c := range []struct {
		std    *Standard
		timing Timing
		log    []issued
		end    Cycle
		want   string
	}{
		{toy, timing, []issued{{op: 0, at: 1}, {op: 0, at: 2}}, 0, "cycle 2: ACT 1 cycles after ACT: 2 wanted"},
		{toy, timing, []issued{{op: 0, at: 1}, {op: 0, at: 3}, {op: 0, at: 5}, {op: 0, at: 7}, {op: 0, at: 20}}, 0, "cycle 20: ACT 19 cycles after the last but 3 of ACT: 20 wanted"},
		{toy, timing, []issued{{op: 0, at: 1}, {op: 0, at: 3}, {op: 0, at: 5}, {op: 0, at: 7}, {op: 0, at: 21}}, 22, ""},
		{toy, timing, []issued{{op: 0, at: 1}, {op: 2, at: 7}, {op: 2, at: 8}, {op: 1, at: 10}}, 0, "RD 9 cycles after the last but 2 of ACT/WR: 10 wanted"},
		{toy, timing, []issued{{op: 1, at: 5}, {op: 1, at: 5}}, 0, "cycle 5: RD when a command was issued in cycle 5"},
		{toy, timing, []issued{{op: 1, at: 5}}, 99, ""},
		{toy, timing, []issued{{op: 1, at: 5}}, 100, "cycle 100: the refresh of cycle 100 is missing"},
		{toy, timing, []issued{{op: 4, at: 99}}, 0, "REF before the refresh is requested in cycle 100"},
		{toy, timing, []issued{{op: 0, at: 5}, {op: 4, at: 100}}, 0, "REF with a row open"},
		{toy, timing, []issued{{op: 0, at: 890}, {op: 1, at: 900}}, 0, "cycle 900: RD while the refresh of cycle 100 waits: at most 800 cycles wanted"},
		{newton, n, []issued{{op: newCOMP0, at: 50}}, 0, "COMP0 with no row open"},
		{newton, n, []issued{{op: newGACT0, at: 50}, {op: newPREA, at: 150}, {op: newCOMP0, at: 300}}, 0, "COMP0 with no row open"},
		{newton, n, []issued{{op: newGACT0, at: 50}, {op: newGACT0, at: 250}}, 0, "G_ACT0 on banks whose row is open"},
		{aim, a, []issued{{op: aimMAC16, at: 1}}, 0, "MAC16 with no row open"},
		{aim, a, []issued{{op: aimMAC, at: 1}}, 0, "MAC of a single bank: commands of all banks wanted"},
		{aim, a, []issued{{op: aimACT16, at: 1}, {op: aimWRGB, at: 57}}, 0, "cycle 57: WRGB in memory mode"},
		{aim, a, []issued{{op: aimACT16, at: 1}, {op: aimTMOD, at: 57}, {op: aimMAC16, at: 89}}, 0, "cycle 89: MAC16 in register mode"},
		{aim, a, []issued{{op: aimTMOD, at: 1}, {op: aimWRGB, at: 32}}, 0, "cycle 32: WRGB before the change to register mode is over in cycle 33"},
		{aim, a, []issued{{op: aimTMOD, at: 1}, {op: aimRDMAC16, at: 33}, {op: aimRDMAC16, at: 35}}, 0, "RDMAC16 before a result that is waited for, in cycle 35"},
		{aim, a, []issued{{op: aimREF, at: 3332}}, 0, "REFab before the refresh is requested in cycle 3333"},
		{blocking, timing, []issued{{op: 1, at: 1}, {op: 2, at: 6}}, 0, "cycle 6: WR before a result that is waited for, in cycle 6"},
		{blocking, timing, []issued{{op: 1, at: 1}, {op: 2, at: 7}}, 8, ""},
	} {
		k, err := c.std.NewCheck(c.timing)
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range c.log {
			if err = k.Issue(x.op, x.at); err != nil && i < len(c.log)-1 {
				t.Fatal(err)
			}
		}
		if err == nil {
			err = k.Finish(c.end)
		}
		got := ""
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%q, %q wanted", got, c.want)
		}
	}
}

// blocking is toy with reads that block the host.
var blocking = func() *Standard {
	s := *toy
	s.Ops = slices.Clone(toy.Ops)
	s.Ops[1].Blocks = true
	return &s
}()
