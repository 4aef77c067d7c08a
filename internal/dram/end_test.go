package dram

import "testing"

// TestNewtonEnd: a run ends when its last result has arrived, a burst after its latency.
func TestNewtonEnd(t *testing.T) {
	timing := newtonTiming()
	for _, c := range []struct {
		ops    []Op
		cycles Cycle
	}{
		{[]Op{newREADRES}, 1 + 11 + 2},
		{[]Op{newREADRES, newREADRES}, 3 + 11 + 2},
		{[]Op{newREADRES, newGWRITE0}, 1 + 11 + 2}, // the write is issued in cycle 9
		{[]Op{newGWRITE0, newGWRITE0}, 3},          // the second waits for the bus
	} {
		r := channel(t, newton, timing).Run()
		for _, op := range c.ops {
			r.Issue(op)
		}
		if got := r.Finish(); got.Cycles != c.cycles {
			t.Errorf("%v: %d cycles, want %d", c.ops, got.Cycles, c.cycles)
		}
	}
}

// TestRefreshAtDue: the refresh that is requested in the cycle after a row is closed, or before, is served
// next; one requested later is not.
func TestRefreshAtDue(t *testing.T) {
	exactly := 0
	for interval := int64(200); interval < 280; interval++ {
		timing := newtonTiming()
		timing["refi_ck"] = interval
		run := channel(t, newton, timing).Run()
		var ops []Op
		var at []Cycle
		run.Observe(func(op Op, x Cycle) { ops, at = append(ops, op), append(at, x) })
		for range 60 {
			for _, op := range []Op{newGACT0, newCOMP0, newPREA} {
				run.Issue(op)
			}
		}
		done := int64(0)
		for i, op := range ops[:len(ops)-1] {
			due := (done + 1) * interval
			if op == newREF {
				if done++; int64(at[i]) < due {
					t.Errorf("every %d cycles: a refresh in cycle %d, before %d", interval, at[i], due)
				}
				continue
			}
			if asked := int64(at[i])+1 >= due; op == newPREA && asked != (ops[i+1] == newREF) {
				t.Errorf("every %d cycles: a row is closed in cycle %d, a refresh is due in %d, and next is %s", interval, at[i], due, newton.Ops[ops[i+1]].Name)
			} else if op == newPREA && int64(at[i])+1 == due {
				exactly++
			}
		}
	}
	if exactly == 0 {
		t.Error("no refresh is due in the cycle after a row is closed")
	}
}
