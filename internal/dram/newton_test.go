package dram

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// newtonTiming is that of the machine newton.
func newtonTiming() Timing {
	return Timing{
		"bl_ck": 2, "ccds_ck": 2, "cl_ck": 11, "cwl_ck": 7, "wtr_ck": 4, "rtw_ck": 2, "rcdr_ck": 11, "ras_ck": 25, "rc_ck": 35,
		"rrd_ck": 5, "faw_ck": 17, "rtp_ck": 2, "rp_ck": 11, "rfc_ck": 92, "refi_ck": 1458,
	}
}

// The earliest issue of each command behind the one before, by hand.
func TestNewtonWaits(t *testing.T) {
	for _, row := range []struct {
		name  string
		ops   []Op
		waits []Cycle // of each op but the first, since the one before
	}{
		{"a buffer write occupies the bus", []Op{newGWRITE0, newGWRITE0, newGWRITE1}, []Cycle{2, 2}},
		{"a buffer is ready when its data is there", []Op{newGWRITE0, newGWRITE1, newCOMP0, newCOMP1}, []Cycle{2, 7, 2}},
		{"a buffer is multiplied before it is overwritten", []Op{newCOMP2, newGWRITE2}, []Cycle{4}},
		{"another buffer may be written meanwhile", []Op{newCOMP0, newGWRITE1, newCOMP0, newGWRITE1, newCOMP0}, []Cycle{1, 1, 1, 1}},
		{"four activations each, also across sets", []Op{newGACT0, newGACT1, newGACT2, newGACT3, newGACT0}, []Cycle{17, 17, 17, 17}},
		{"a row is closed before the next", []Op{newGACT0, newCOMP0, newPREA, newGACT0}, []Cycle{11, 14, 11}},
		{"a row is open for its time", []Op{newGACT3, newPREA, newGACT3}, []Cycle{25, 11}},
		{"a read of the row ends before it closes", []Op{newGACT0, newCOMP0, newCOMP0, newCOMP0, newCOMP0, newCOMP0, newCOMP0, newCOMP0, newCOMP0, newPREA}, []Cycle{11, 2, 2, 2, 2, 2, 2, 2, 2}},
		{"results take the bus", []Op{newCOMP0, newREADRES, newCOMP0, newREADRES, newGWRITE0, newREADRES}, []Cycle{2, 2, 2, 8, 13}},
	} {
		r := channel(t, newton, newtonTiming()).Run()
		at := r.Issue(row.ops[0])
		for i, op := range row.ops[1:] {
			x := r.Issue(op)
			if x-at != row.waits[i] {
				t.Errorf("%s: command %d after %d cycles, %d wanted", row.name, i+1, x-at, row.waits[i])
			}
			at = x
		}
	}
}

// Refreshes are served when a row is closed, and eight may wait for it.
func TestNewtonRefresh(t *testing.T) {
	acts := []Op{newGACT0, newGACT1, newGACT2, newGACT3}
	open := func(comps int) Stream {
		return append(stream(acts), Loop(comps, Do(Command{Op: newCOMP0})), Do(Command{Op: newPREA}))
	}
	for comps, late := range map[int]bool{5700: false, 5800: false, 6600: true} {
		s := Stream{Loop(2, open(comps)...)}
		same(t, newton, newtonTiming(), s)
		if r := channel(t, newton, newtonTiming()).Time(s); r.Overflow != late || r.Issued[newREF] < 15 {
			t.Errorf("%d COMPs in a row: late %v, %d refreshes: %v wanted", comps, r.Overflow, r.Issued[newREF], late)
		}
	}
	// At 17, 34, 51: activations; PREA at once after the last COMP, then REF, then G_ACT0.
	r := channel(t, newton, newtonTiming()).Run()
	for _, op := range slices.Concat(acts, slices.Repeat([]Op{newCOMP0}, 800), []Op{newPREA}) {
		r.Issue(op)
	}
	closed := r.s.t
	if at := r.Issue(newGACT0); at != closed+11+92 {
		t.Errorf("activation %d cycles after PREA: %d wanted", at-closed, 11+92)
	}
}

// Sets as the mapping writes them: fills, rows opened and closed, columns and
// results, fills of the next buffer between them.
func TestNewtonSets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := func(name string, lo, hi int) int { return rapid.IntRange(lo, hi).Draw(t, name) }
		do := func(op Op) Item { return Do(Command{Op: op}) }
		fill := Loop(n("fill", 1, 32), do(newGWRITE0))
		pixel := Stream{
			Loop(n("lead", 1, 6), do(newCOMP0)), Loop(n("pairs", 1, 30), do(newCOMP0), do(newGWRITE1)), do(newREADRES),
			Loop(n("groups", 1, 8), Loop(n("comps", 1, 32), do(newCOMP0)), do(newREADRES)),
		}
		set := append(append(Stream{fill}, stream([]Op{newGACT0, newGACT1, newGACT2, newGACT3})...), Loop(n("pixels", 1, 60), pixel...), do(newPREA))
		same(t, newton, newtonTiming(), Stream{Loop(n("rows", 1, 8), set...), do(newGWRITE0)})
	})
}
