package dram

import (
	"slices"
	"strings"
	"testing"
)

// TestArtifactRules spells out the published constraint table (PIMFlow_ramulator,
// src/GDDR6.cpp, rank level) in cycles; what is missing is not constrained.
func TestArtifactRules(t *testing.T) {
	names := []string{"GWRITE", "G_ACT0", "G_ACT1", "G_ACT2", "G_ACT3", "COMP", "READRES", "PREA", "REF"}
	table := map[string][]int64{
		//         GWRITE, G_ACT0 .. 3, COMP, READRES, PREA, REF
		"GWRITE":  {64, 64, 64, 64, 64, 51, 0, 0, 0},
		"G_ACT0":  {0, 0, 17, 0, 0, 11, 0, 0, 0},
		"G_ACT1":  {0, 0, 0, 17, 0, 11, 0, 0, 0},
		"G_ACT2":  {0, 0, 0, 0, 17, 11, 0, 0, 0},
		"G_ACT3":  {0, 0, 0, 0, 0, 11, 0, 0, 0},
		"COMP":    {0, 0, 0, 0, 0, 2, 0, 0, 0}, // COMP to READRES 1: the next cycle anyway
		"READRES": {6, 0, 0, 0, 0, 0, 0, 0, 0},
		"PREA":    {0, 11, 0, 0, 0, 0, 0, 0, 11},
		"REF":     {0, 350, 0, 0, 0, 0, 0, 0, 350},
	}
	for from, waits := range table {
		for to, want := range waits {
			got := int64(0)
			for _, r := range artifact.Rules(noHiding()).Rules {
				if slices.Contains(r.After, artifact.Op(from)) && slices.Contains(r.Before, artifact.Op(names[to])) {
					got += r.Wait // no pair is in two rules
				}
			}
			if got != want {
				t.Errorf("%s to %s: %d cycles, %d wanted", from, names[to], got, want)
			}
		}
	}
}

// issue issues the commands and returns the cycle of the last.
func issue(r *Run, ops ...Op) (at Cycle) {
	for _, op := range ops {
		at = r.Issue(op)
	}
	return at
}

// TestClosedForms: times of a unit without refresh, for all sizes of its group.
func TestClosedForms(t *testing.T) {
	for _, c := range []struct {
		timing         Timing
		toAct, perUnit Cycle // READRES to G_ACT0; a unit's cycles beside its groups'
	}{{hiding(), 7, 6}, {noHiding(), 70, 69}} {
		ch := channel(t, artifact, c.timing)
		for m := 1; m <= 32; m++ {
			r := ch.Run()
			issue(r, artGWRITE, artGACT0, artGACT1, artGACT2, artGACT3, artCOMP)
			before := issue(r, artREADRES)
			first := r.Issue(artGWRITE)
			a := r.Issue(artGACT0)
			if first != before+6 || a != before+c.toAct {
				t.Errorf("READRES %d: GWRITE %d, G_ACT0 %d; +6 and +%d wanted", before, first, a, c.toAct)
			}
			for i, act := range []Op{artGACT1, artGACT2, artGACT3} {
				if at := r.Issue(act); at != a+17*Cycle(i+1) {
					t.Errorf("G_ACT%d at +%d, +%d wanted", i+1, at-a, 17*(i+1))
				}
			}
			for j := range m {
				if at, want := r.Issue(artCOMP), a+62+2*Cycle(j); at != want {
					t.Errorf("COMP %d at +%d, +%d wanted", j, at-a, want-a)
				}
				if j%3 == 2 && j != m-1 {
					issue(r, artREADRES) // fits between COMPs
				}
			}
			end := issue(r, artREADRES)
			if end != a+2*Cycle(m)+61 {
				t.Errorf("%d COMPs: READRES at +%d, +%d wanted", m, end-a, 2*m+61)
			}
			if unit := end - before; unit != c.perUnit+2*Cycle(m)+62 {
				t.Errorf("%d COMPs: a unit of %d cycles, %d wanted", m, unit, c.perUnit+2*Cycle(m)+62)
			}
			if next := r.Issue(artGACT0); next != a+2*Cycle(m)+62 {
				t.Errorf("%d COMPs: next group at +%d, +%d wanted", m, next-a, 2*m+62)
			}
		}
	}
}

// TestRefreshPenalty: what one refresh after a READRES costs the next G_ACT0 or
// COMP, measured against the same commands without it.
func TestRefreshPenalty(t *testing.T) {
	group := []Op{artGACT0, artGACT1, artGACT2, artGACT3, artCOMP}
	for _, c := range []struct {
		name   string
		timing Timing
		then   []Op // after the READRES; the last one's delay is the penalty
		want   Cycle
	}{
		{"new unit", hiding(), []Op{artGWRITE, artGACT0}, 355},
		{"new unit without hiding", noHiding(), []Op{artGWRITE, artGACT0}, 292},
		{"same unit", hiding(), []Op{artGACT0}, 361},
		{"same group", hiding(), []Op{artCOMP}, 12},
		{"buffer write during the refresh", hiding(), []Op{artGWRITE}, 13 - 6},
	} {
		rare := c.timing
		frequent := hiding()
		frequent["gwrite_gap_ck"] = c.timing["gwrite_gap_ck"]
		frequent["refi_ck"] = 400
		delay := func(timing Timing) Cycle {
			r := channel(t, artifact, timing).Run()
			issue(r, artGWRITE)
			issue(r, group...)
			issue(r, slices.Repeat([]Op{artCOMP}, 200)...)
			read := issue(r, artREADRES)
			if read < 401 || read > 799 {
				t.Fatalf("READRES at %d, outside the first two requests", read)
			}
			return issue(r, c.then...) - read
		}
		if got := delay(frequent) - delay(rare); got != c.want {
			t.Errorf("%s: +%d, +%d wanted", c.name, got, c.want)
		}
	}
}

// TestOverflow: without a READRES, 980 plain GWRITEs are the most that the
// published simulator runs.
func TestOverflow(t *testing.T) {
	c := channel(t, artifact, noHiding())
	for n, want := range map[int]bool{980: false, 981: true} {
		s := Stream{Loop(n, Do(Command{Op: artGWRITE}))}
		if r := c.Time(s); r.Overflow != want {
			t.Errorf("%d GWRITEs: overflow %v, %v wanted", n, r.Overflow, want)
		}
		same(t, artifact, noHiding(), s)
	}
}

// TestWindow probes the toy's rule over four activations: the fifth waits for
// the first, the sixth for the second.
func TestWindow(t *testing.T) {
	r := channel(t, toy, Timing{"rd_ck": 0, "rrd_ck": 2, "faw_ck": 20, "rcd_ck": 0, "wr_ck": 0, "refi_ck": 9999, "rfc_ck": 0}).Run()
	for i, want := range []Cycle{1, 3, 5, 7, 21, 23, 25, 27, 41} {
		if at := r.Issue(0); at != want {
			t.Errorf("activation %d at %d, %d wanted", i+1, at, want)
		}
	}
}

func TestErrors(t *testing.T) {
	if _, err := Lookup("artefact"); err == nil || !strings.Contains(err.Error(), `did you mean "artifact"?`) {
		t.Errorf("Lookup: %v", err)
	}
	with := func(name string, v int64) Timing {
		timing := hiding()
		timing[name] = v
		return timing
	}
	missing := hiding()
	delete(missing, "rp_ck")
	for _, row := range []struct {
		timing Timing
		err    string
	}{
		{with("rcd_ck", 11), `"rcd_ck" is unknown to DRAM standard artifact (did you mean "rc_ck"?)`},
		{missing, "rp_ck of DRAM standard artifact is missing"},
		{with("faw_ck", -1), "faw_ck: -1: 0 to"},
		{with("faw_ck", maxTiming+1), "faw_ck: 100000001: 0 to"},
		{with("refi_ck", 362), "a refresh every 362 cycles: at least 363 wanted"},
	} {
		if _, err := artifact.New(row.timing); err == nil || !strings.Contains(err.Error(), row.err) {
			t.Errorf("New: %v; %q wanted", err, row.err)
		}
		if _, err := artifact.Referee(row.timing, nil); err == nil {
			t.Errorf("Referee: no error; %q wanted", row.err)
		}
	}
	channel(t, artifact, with("refi_ck", 363))
	for _, s := range standards {
		if !slices.IsSorted(s.Parameters()) || s.Op(s.Ops[1].Name) != 1 {
			t.Errorf("%s: its tables contradict each other", s.Name)
		}
	}
}
