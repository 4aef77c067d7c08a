package dram

import (
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// hiding is the timing of the published configuration (GDDR6-config.cfg, speed
// GDDR6_3500); plain GWRITEs take 64 cycles instead of 1.
func hiding() Timing {
	return Timing{
		"ccds_ck": 2, "rcdr_ck": 11, "rp_ck": 11, "rc_ck": 35, "faw_ck": 17, "cl_ck": 11, "bl_ck": 2,
		"refi_ck": 1900, "rfc_ck": 350, "gwrite_gap_ck": 1, "gwrite_act_extra_ck": 16, "readres_gwrite_ck": 6, "comp_act_ck": 0, "act_act_ck": 0,
	}
}

func noHiding() Timing {
	t := hiding()
	t["gwrite_gap_ck"] = 64
	return t
}

func channel(t testing.TB, s *Standard, timing Timing) *Channel {
	t.Helper()
	c, err := s.New(timing)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// same compares the three ways of timing a stream.
func same(t rapid.TB, s *Standard, timing Timing, st Stream) {
	t.Helper()
	c, err := s.New(timing)
	if err != nil {
		t.Fatal(err)
	}
	plain, jump := c.plain(st), c.Time(st)
	if d := cmp.Diff(plain, jump); d != "" {
		t.Fatalf("plain and fast-forward differ: %s", d)
	}
	slow, err := s.Referee(timing, st)
	if plain.Overflow != (err != nil) {
		t.Fatalf("overflow %v, the referee says %v", plain.Overflow, err)
	}
	if d := cmp.Diff(slow, plain); d != "" && err == nil {
		t.Fatalf("referee and engine differ: %s", d)
	}
}

// toy has a rule over the last four activations, a result of the writes, and a
// refresh at each activation.
var toy = &Standard{
	Name:   "toy",
	Ops:    []OpSpec{{Name: "ACT", Opens: true, Yields: true}, {Name: "RD"}, {Name: "WR"}, {Name: "PRE", Closes: true}, {Name: "REF"}},
	Timing: []string{"rd_ck", "rrd_ck", "faw_ck", "rcd_ck", "wr_ck", "refi_ck", "rfc_ck"},
	Rules: func(t Timing) Book {
		return Book{
			Rules: []Rule{
				{After: []Op{0}, Before: []Op{0}, Wait: t["rrd_ck"]},
				{After: []Op{0}, Before: []Op{0}, Wait: t["faw_ck"], Window: 4},
				{After: []Op{0, 2}, Before: []Op{1, 2}, Wait: t["faw_ck"] / 2, Window: 3},
				{After: []Op{0}, Before: []Op{1, 2, 3}, Wait: t["rcd_ck"]},
				{After: []Op{2}, Before: []Op{3}, Wait: t["wr_ck"]},
				{After: []Op{3}, Before: []Op{0, 4}, Wait: t["rcd_ck"]},
				{After: []Op{4}, Before: []Op{0, 4}, Wait: t["rfc_ck"]},
			},
			Result:   map[Op]int64{1: t["rd_ck"], 2: 3},
			Interval: t["refi_ck"],
		}
	},
	Refresh: &Refresh{Close: 3, Do: 4, Queue: 8},
}

// streamOps are a standard's commands for streams.
func streamOps(s *Standard) (ops []Op) {
	for i, o := range s.Ops {
		if op := Op(i); !o.Bank && !s.Hidden(op) && op != s.Refresh.Do && (s != artifact || op != artPREA) {
			ops = append(ops, op)
		}
	}
	return ops
}

// anyTiming draws timing parameters.
func anyTiming(t *rapid.T, s *Standard) Timing {
	timing := Timing{}
	for _, p := range s.Parameters() {
		timing[p] = rapid.Int64Range(0, 40).Draw(t, p)
	}
	return timing
}

// machine draws a standard and its timing: the published ones or any other.
func machine(t *rapid.T) (*Standard, Timing) {
	switch rapid.IntRange(0, 11).Draw(t, "machine") {
	case 10:
		timing := anyTiming(t, hbm)
		timing["refi_ck"] = 250 + timing["rfc_ck"] + rapid.Int64Range(0, 500).Draw(t, "refi") // longer than closing a row takes
		return hbm, timing
	case 9:
		timing := hbmTiming()
		timing["mode_extra_ck"] = rapid.Int64Range(0, 100).Draw(t, "mode")
		timing["refi_ck"] = rapid.SampledFrom([]int64{300, 700, 3900}).Draw(t, "refi")
		turned, err := hbm.With(map[string]string{"pim_turnaround": rapid.SampledFrom(hbmSwitches[1].Values).Draw(t, "turn")})
		if err != nil {
			panic(err)
		}
		return turned, timing
	case 11:
		timing := lpddr5Timing()
		for _, p := range []string{"bl_ck", "modch_ck", "rcdrdmac_ck", "rpab_ck", "clreg_ck", "cwlgb_ck", "wckpst_ck"} {
			timing[p] = rapid.Int64Range(0, 40).Draw(t, p)
		}
		timing["refi_ck"] = rapid.SampledFrom([]int64{450, 3124}).Draw(t, "refi")
		return lpddr5, timing
	case 8:
		timing := anyTiming(t, three)
		timing["refi_ck"] = 2 + max(timing["rp_ck"], timing["rfc_ck"]) + timing["rp_ck"] + timing["rfc_ck"] + rapid.Int64Range(100, 1000).Draw(t, "refi")
		return three, timing
	case 7:
		timing := aimTiming()
		for _, p := range []string{"modch_ck", "rcdrdmac_ck", "rp_ck", "clreg_ck"} {
			timing[p] = rapid.Int64Range(0, 90).Draw(t, p)
		}
		timing["refi_ck"] = rapid.SampledFrom([]int64{450, 3333}).Draw(t, "refi")
		return aim, timing
	case 0:
		return artifact, hiding()
	case 1:
		return artifact, noHiding()
	case 2:
		timing := toyTiming()
		timing["faw_ck"] = rapid.Int64Range(0, 60).Draw(t, "faw")
		timing["rd_ck"] = rapid.SampledFrom([]int64{0, 5, 3000}).Draw(t, "rd")
		timing["refi_ck"] = rapid.Int64Range(100, 500).Draw(t, "refi")
		return toy, timing
	case 3:
		return newton, newtonTiming()
	case 4:
		timing := anyTiming(t, newton)
		timing["refi_ck"] = 2 + timing["rp_ck"] + timing["rfc_ck"] + rapid.Int64Range(0, 500).Draw(t, "refi")
		return newton, timing
	}
	timing := anyTiming(t, artifact)
	timing["refi_ck"] = 2 + timing["rp_ck"] + timing["rfc_ck"] + rapid.Int64Range(0, 500).Draw(t, "refi")
	return artifact, timing
}

func toyTiming() Timing {
	return Timing{"rd_ck": 5, "rrd_ck": 2, "faw_ck": 20, "rcd_ck": 5, "wr_ck": 4, "refi_ck": 100, "rfc_ck": 30}
}

// styles are ways to draw a trace for the artifact's commands.
var styles = []func(t *rapid.T, n int) []Op{
	func(t *rapid.T, n int) []Op { // any order
		return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Op { return Op(rapid.IntRange(0, 6).Draw(t, "op")) }), n, n).Draw(t, "ops")
	},
	func(t *rapid.T, n int) []Op { // units as the generator writes them, ends cut off
		var ops []Op
		for len(ops) < n {
			ops = append(ops, artGWRITE)
			for range rapid.IntRange(1, 4).Draw(t, "groups") {
				ops = append(ops, artGACT0, artGACT1, artGACT2, artGACT3)
				for range rapid.IntRange(1, 3).Draw(t, "pieces") {
					ops = append(ops, slices.Repeat([]Op{artCOMP}, rapid.IntRange(0, 32).Draw(t, "comps"))...)
					ops = append(ops, artREADRES)
				}
			}
		}
		return ops[:n]
	},
	func(t *rapid.T, n int) []Op { // long runs of one command
		var ops []Op
		for len(ops) < n {
			op := Op(rapid.IntRange(0, 6).Draw(t, "op"))
			ops = append(ops, slices.Repeat([]Op{op}, rapid.IntRange(1, 400).Draw(t, "run"))...)
		}
		return ops[:n]
	},
}

func stream(ops []Op) Stream {
	var s Stream
	for _, op := range ops {
		s = append(s, Do(Command{Op: op}))
	}
	return s
}

func TestTraces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		style := styles[rapid.IntRange(0, len(styles)-1).Draw(t, "style")]
		most := rapid.SampledFrom([]int{5, 50, 500, 3000}).Draw(t, "most")
		ops := style(t, rapid.IntRange(0, most).Draw(t, "n"))
		same(t, artifact, rapid.SampledFrom([]Timing{hiding(), noHiding()}).Draw(t, "timing"), stream(ops))
	})
}

// TestLong times one long trace of each style.
func TestLong(t *testing.T) {
	for i := range styles {
		ops := rapid.Custom(func(t *rapid.T) []Op { return styles[i](t, 10_000) }).Example(i)
		same(t, artifact, hiding(), stream(ops))
		same(t, artifact, noHiding(), stream(ops))
	}
}

// TestEnd moves the last commands past the refresh requests, cycle by cycle.
func TestEnd(t *testing.T) {
	tails := [][]Op{
		{artREADRES}, {artCOMP}, {artREADRES, artCOMP}, {artREADRES, artGACT0}, {artGACT0, artREADRES, artGWRITE},
	}
	for _, timing := range []Timing{hiding(), noHiding()} {
		for _, around := range []int{1900, 3800} {
			for _, tail := range tails {
				for off := -20; off <= 15; off++ {
					// G_ACT3s are one cycle apart.
					ops := append(slices.Repeat([]Op{artGACT3}, around+off-12), artCOMP)
					same(t, artifact, timing, stream(append(ops, tail...)))
				}
			}
		}
	}
}

// nest draws a loop nest of at most n commands.
func nest(t *rapid.T, std *Standard, depth, n int) Stream {
	var s Stream
	for range rapid.IntRange(0, 5).Draw(t, "items") {
		if depth > 0 && rapid.Bool().Draw(t, "loop") {
			times := rapid.SampledFrom([]int{1, 2, 3, 7, 30, 200, 1000}).Draw(t, "times")
			if times <= n {
				body := nest(t, std, depth-1, n/times)
				s = append(s, Loop(times, body...))
				continue
			}
		}
		s = append(s, Do(Command{Op: rapid.SampledFrom(streamOps(std)).Draw(t, "op")}))
	}
	return s
}

func TestNests(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		std, timing := machine(t)
		same(t, std, timing, nest(t, std, 4, rapid.SampledFrom([]int{100, 2000, 20000}).Draw(t, "most")))
	})
}

// TestShared: a piece that stands in several places.
func TestShared(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		std, timing := machine(t)
		piece := Loop(1, nest(t, std, 3, rapid.SampledFrom([]int{60, 1000}).Draw(t, "most"))...)
		between := nest(t, std, 2, 300)
		s := append(Stream{piece, piece, Loop(rapid.IntRange(1, 5).Draw(t, "times"), append(Stream{piece}, between...)...)}, between...)
		same(t, std, timing, append(s, piece))
	})
}

// TestHiddenResult: the long wait for an early result hides those of the loop
// behind it until the run is longer than that.
func TestHiddenResult(t *testing.T) {
	timing := toyTiming()
	timing["rd_ck"] = 1500
	body := stream([]Op{3, 0, 2})
	for n := 1; n < 300; n++ {
		same(t, toy, timing, Stream{Do(Command{Op: 1}), Loop(n, body...)})
	}
}

// TestLoopsOfLoops: a loop whose first iteration leaves another state than the later ones is met
// at many distances from the next refresh.
func TestLoopsOfLoops(t *testing.T) {
	timing := toyTiming()
	timing["refi_ck"] = 624
	same(t, toy, timing, Stream{Loop(16, append(stream([]Op{1, 2, 2}), Loop(25, stream([]Op{1, 3, 0, 1})...))...)})
	timing["refi_ck"] = 786
	same(t, toy, timing, Stream{Loop(17, Do(Command{Op: 2}), Loop(30, stream([]Op{1, 1, 3, 0, 0, 1})...), Do(Command{Op: 1}))})
	rapid.Check(t, func(t *rapid.T) {
		timing["refi_ck"] = rapid.Int64Range(100, 400).Draw(t, "refi")
		ops := func(most int) Stream {
			return stream(rapid.SliceOfN(rapid.SampledFrom(streamOps(toy)), 1, most).Draw(t, "ops"))
		}
		body := append(ops(5), Loop(rapid.IntRange(10, 25).Draw(t, "inner"), ops(8)...))
		same(t, toy, timing, Stream{Loop(rapid.IntRange(3, 15).Draw(t, "times"), append(body, ops(3)...)...)})
	})
}

func FuzzNests(f *testing.F) {
	f.Fuzz(rapid.MakeFuzz(func(t *rapid.T) {
		std, timing := machine(t)
		same(t, std, timing, nest(t, std, 4, 2000))
	}))
}

// TestOneAfterTheOther: what a channel keeps of a stream does not change what it says of
// the next, and may be forgotten.
func TestOneAfterTheOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		std, timing := machine(t)
		c, err := std.New(timing)
		if err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(2, 6).Draw(t, "streams") {
			st := nest(t, std, 3, 500)
			if d := cmp.Diff(c.plain(st), c.Time(st)); d != "" {
				t.Fatalf("plain and fast-forward differ: %s", d)
			}
			if len(c.jumps) != 1 || len(c.jumps[0].forms) < 2 {
				t.Fatalf("%d memories: one of some states wanted", len(c.jumps))
			}
			if rapid.IntRange(0, 3).Draw(t, "forget") == 0 {
				c.jumps[0].forget()
			}
		}
	})
}

// TestConcurrent times streams of different sizes on one channel at once.
func TestConcurrent(t *testing.T) {
	c := channel(t, artifact, hiding())
	var streams []Stream
	var want []Result
	for i := range 8 {
		s := conv64()
		s[0].Times = 10 + 700*i
		streams = append(streams, s)
		want = append(want, c.plain(s))
	}
	var wait sync.WaitGroup
	for i := range 200 {
		wait.Go(func() {
			if d := cmp.Diff(want[i%8], c.Time(streams[i%8])); d != "" {
				t.Error(d)
			}
		})
	}
	wait.Wait()
}

// TestAllocations: timing allocates its result, and nothing a command.
func TestAllocations(t *testing.T) {
	c := channel(t, artifact, hiding())
	for name, time := range map[string]func(Stream) Result{"fast-forward": c.Time, "plain": c.plain} {
		if n := testing.AllocsPerRun(5, func() { time(conv64()) }); n > 200 {
			t.Errorf("%s: %g allocations for %g commands", name, n, commands(conv64()))
		}
	}
}

func TestEnergy(t *testing.T) {
	j := ArtifactEnergy(Result{Issued: []int64{1, 9, 9, 9, 9, 1000, 2, 3, 9}})
	want := Joules{COMP: 3.781134e-6, GWRITE: 0.181995e-9, READRES: 0.351628e-9, PREA: 1.52784e-9}
	if d := cmp.Diff(want, j, cmpopts.EquateApprox(1e-6, 0)); d != "" {
		t.Error(d)
	}
}
