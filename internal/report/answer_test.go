package report

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"pimflow"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// answered is a report with the numbers that the answer prints.
func answered(speedup, low, high, ratio, ratioLow, ratioHigh float64) *pimflow.Report {
	r := &pimflow.Report{
		Model: "net", Machine: "m", Policy: "auto", Objective: "latency", Effort: "normal", Channels: 8, PIMChannels: 2, MACs: 3_210_000,
		Baseline: 400e3, BaselineLow: 300e3, BaselineHigh: 500e3, Total: 400e3 / speedup, TotalLow: 300e3 / speedup, TotalHigh: 500e3 / speedup,
		Speedup: speedup, Low: low, High: high, GPUBusy: 200e3, PIMBusy: 100e3, BothBusy: 50e3, Launch: 20e3, PIMLaunch: 10e3,
	}
	r.Energy.Baseline, r.Energy.Total, r.Energy.Ratio, r.Energy.RatioLow, r.Energy.RatioHigh = 10e9, 10e9*ratio, ratio, ratioLow, ratioHigh
	r.Layers = []pimflow.Layer{{Kind: "gpu"}, {Kind: "split"}, {Kind: "split", Exclusive: true}}
	return r
}

// TestHeadline: faster, slower and equal have words of their own, and an interval that contains no change is not certain.
func TestHeadline(t *testing.T) {
	const certain = "Within the errors of the models the plan is faster and may take more or less energy."
	for _, c := range []struct {
		r                *pimflow.Report
		first, certainty string
	}{
		{answered(1.25, 1.1, 1.5, 0.98, 0.7, 1.4), "net on m: 1.25x faster than the GPU alone (1.10x to 1.50x); 2 % less energy (30 % less to 40 % more); 400.0 -> 320.0 us.", certain},
		{answered(0.5, 0.4, 0.6, 1.3, 1.2, 1.4), "net on m: 2.00x slower than the GPU alone (0.40x to 0.60x); 30 % more energy (20 % more to 40 % more); 400.0 -> 800.0 us.",
			"Within the errors of the models the plan is slower and takes more energy."},
		{answered(1.004, 0.9, 1.1, 1.0049, 1, 1.1), "net on m: as fast as the GPU alone (0.90x to 1.10x); the same energy (0 % to 10 % more); 400.0 -> 398.4 us.",
			"Within the errors of the models the plan may be faster or slower and may take more or less energy."},
		{answered(1.3, 0.9, 1.5, 0.8, 0.7, 0.9), "net on m: 1.30x faster than the GPU alone (0.90x to 1.50x); 20 % less energy (30 % less to 10 % less); 400.0 -> 307.7 us.",
			"Within the errors of the models the plan may be faster or slower and takes less energy."},
		{answered(1, 1, 1, 1, 1, 1), "net on m: as fast as the GPU alone (1.00x to 1.00x); the same energy (0 % to 0 %); 400.0 -> 400.0 us.", ""},
	} {
		if d := cmp.Diff(c.first, Headline(c.r)); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff(c.certainty, certainty(c.r)); d != "" {
			t.Error(d)
		}
	}
}

// TestAnswer is what run prints first.
func TestAnswer(t *testing.T) {
	r := answered(1.25, 1.1, 1.5, 0.98, 0.7, 1.4)
	bound, two := 160e3, 256e3
	r.Bound, r.BoundTwo = &bound, &two
	r.Effort, r.Objective, r.PlanMachine = "high", "edp", "other"
	var b strings.Builder
	answer(&b, r, 0)
	const want = `net on m: 1.25x faster than the GPU alone (1.10x to 1.50x); 2 % less energy
(30 % less to 40 % more); 400.0 -> 320.0 us.
Within the errors of the models the plan is faster and may take more or less
energy.
3 layers, 3.2 M multiply-accumulates; 2 of 8 memory channels compute; policy
auto for edp, effort high; plan made for machine other.

               GPU alone  [low, high]   plan  [low, high]   change
latency, us        400.0   [300, 500]  320.0   [240, 400]  -20.0 %
energy, mJ         10.00       [0, 0]  9.800       [0, 0]   -2.0 %
mean power, W        0.0       [0, 0]    0.0       [0, 0]
images/s             0.0                 0.0

GPU busy 62 % of the plan's time, launching 6 %; PIM busy 31 %, launching 3 %;
both at once 16 %; neither 0 %. Layers: 1 on the GPU, 2 split between them, 1 of
them alone, with every channel.
No plan of the tiles that were costed takes less than 160.0 us (the plan is
100.0 % above it), none with at most two a layer less than 256.0 us (25.0 %).
`
	if d := cmp.Diff(want, trimLines(b.String())); d != "" {
		t.Error(d)
	}
}

// TestFold: the words stay, in their order, in lines that are no longer than they have to be.
func TestFold(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		words := rapid.SliceOfN(rapid.StringMatching(`[a-zé%]{1,30}`), 1, 40).Draw(r, "words")
		most := rapid.IntRange(10, 60).Draw(r, "most")
		text := foldTo(strings.Join(words, " "), most)
		if got := strings.Fields(text); !cmp.Equal(got, words) {
			r.Fatal(got)
		}
		lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		for i, l := range lines {
			if n := utf8.RuneCountInString(l); n > most && strings.Contains(l, " ") {
				r.Fatalf("%q has %d characters", l, n)
			}
			if i > 0 {
				next, _, _ := strings.Cut(l, " ")
				if utf8.RuneCountInString(lines[i-1]+" "+next) <= most {
					r.Fatalf("%q would take %q", lines[i-1], next)
				}
			}
		}
	})
}

// TestTerms: every word has a meaning, in lines of a terminal.
func TestTerms(t *testing.T) {
	var b strings.Builder
	if err := NewGlossary().Text(&b); err != nil {
		t.Fatal(err)
	}
	for _, l := range strings.Split(b.String(), "\n") {
		if utf8.RuneCountInString(l) > width {
			t.Errorf("%q", l)
		}
	}
	for _, w := range words {
		if !strings.Contains(b.String(), "\n"+w.Word+" ") && !strings.HasPrefix(b.String(), w.Word+" ") {
			t.Errorf("no %s", w.Word)
		}
	}
}

// TestFit: columns give way by their rank until lines are short enough, and are named in their order; those of rank 0 stay.
func TestFit(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var all table
		for i := range rapid.IntRange(1, 8).Draw(r, "columns") {
			c := column{rank: rapid.IntRange(0, 3).Draw(r, "rank"), cells: []string{fmt.Sprintf("%c%s", 'a'+i, strings.Repeat("x", rapid.IntRange(0, 20).Draw(r, "width"))), "1 [2]"}}
			if rapid.Bool().Draw(r, "brief") {
				c.brief = func(cell string) string { return cell[:1] }
			}
			all = append(all, c)
		}
		most := rapid.IntRange(0, 100).Draw(r, "most")
		kept, left := all.fit(most)
		wide, rank := -2, 0
		for i := range kept {
			wide += kept[i].width() + 2
			rank = max(rank, kept[i].rank)
		}
		if most > 0 && wide > most && rank > 0 {
			r.Fatalf("%d characters with columns of rank %d", wide, rank)
		}
		if most == 0 && len(left) > 0 {
			r.Fatal(left)
		}
		k, gone := 0, 0
		for i := range all { // the kept ones are in order, whole or brief
			if k < len(kept) && (kept[k].cells[0] == all[i].cells[0] || kept[k].cells[0] == all[i].cells[0][:1] && all[i].brief != nil) {
				if kept[k].cells[0] != all[i].cells[0] {
					gone++
				}
				k++
				continue
			}
			gone++
			if all[i].rank < rank || all[i].brief != nil || all[i].rank == 0 {
				r.Fatalf("%s of rank %d is left out, %d stays", all[i].cells[0], all[i].rank, rank)
			}
		}
		if k != len(kept) {
			r.Fatalf("%d of %d columns", k, len(kept))
		}
		if most > 0 && len(left) < gone {
			r.Fatalf("%v names %d of %d", left, len(left), gone)
		}
	})
}

// TestAnswerWidth: the prose has the length of lines that is asked for.
func TestAnswerWidth(t *testing.T) {
	var b strings.Builder
	answer(&b, answered(1.25, 1.1, 1.5, 0.98, 0.7, 1.4), 120)
	first, _, _ := strings.Cut(b.String(), "\n")
	if want := "net on m: 1.25x faster than the GPU alone (1.10x to 1.50x); 2 % less energy (30 % less to 40 % more); 400.0 -> 320.0 us."; first != want {
		t.Errorf("%q, want %q", first, want)
	}
}
