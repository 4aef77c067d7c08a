package dram

import (
	"slices"
	"testing"
)

// conv64 is one channel's program for a 3x3 convolution of 64 channels to 64 at
// 224x224, VGG-16's largest layer, as the published generator writes it: 512
// inputs of each pixel, then the other 64 of eight pixels at a time.
func conv64() Stream {
	acts := stream([]Op{artGACT0, artGACT1, artGACT2, artGACT3})
	comps := func(n int) Item { return Loop(n, Do(Command{Op: artCOMP})) }
	read := Do(Command{Op: artREADRES})
	write := Do(Command{Op: artGWRITE})
	return Stream{
		Loop(12544, append(append(Stream{write}, acts...), comps(32), read)...),
		Loop(1568, append(append(Stream{write}, acts...), Loop(8, comps(4), read))...),
	}
}

func commands(s Stream) float64 {
	n := make([]int64, 32)
	s.Count(n)
	sum := int64(0)
	for _, k := range n {
		sum += k
	}
	return float64(sum)
}

func BenchmarkPlain(b *testing.B) {
	c, s := channel(b, artifact, hiding()), conv64()
	b.ReportAllocs()
	for b.Loop() {
		c.plain(s)
	}
	b.ReportMetric(commands(s)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mcommands/s")
}

// BenchmarkPlainLeads is the plain engine on rows that open in two steps, with a data clock.
func BenchmarkPlainLeads(b *testing.B) {
	op := func(o Op) Item { return Do(Command{Op: o}) }
	c, s := channel(b, lpddr5, lpddr5Timing()), Stream{Loop(60, Loop(64, op(aimWRGB)),
		Loop(7, Loop(4, op(aimWRMAC16)), Loop(2, op(lpACT162), Loop(64, op(aimMAC16)), op(aimPREA)), Loop(4, op(aimRDMAC16))))}
	for b.Loop() {
		c.plain(s)
	}
	b.ReportMetric(commands(s)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mcommands/s")
}

func BenchmarkTime(b *testing.B) {
	c := channel(b, artifact, hiding())
	acts := []Op{artGACT0, artGACT1, artGACT2, artGACT3}
	unit := stream(slices.Concat([]Op{artGWRITE}, acts, slices.Repeat([]Op{artCOMP}, 9), []Op{artREADRES}, acts, []Op{artCOMP, artREADRES}))
	op := func(o Op) Item { return Do(Command{Op: o}) }
	for _, bench := range []struct {
		name string
		c    *Channel
		s    Stream
	}{
		{"VGGLargest", c, conv64()},
		{"30k", c, Stream{Loop(1500, unit...)}},
		{"Nested", c, Stream{Loop(14, Loop(7, Loop(20, unit...), Loop(3, unit[:8]...), unit[0]))}},
		{"Modes", channel(b, aim, aimTiming()), Stream{Loop(60, Loop(16, op(aimWRGB)), // blocks: inputs, sums set, two rows, results
			Loop(7, Loop(4, op(aimWRMAC16)), Loop(2, op(aimACT16), Loop(4, Loop(16, op(aimMAC16))), op(aimPREA)), Loop(4, op(aimRDMAC16))), op(aimWRGB))}},
		{"Leads", channel(b, lpddr5, lpddr5Timing()), Stream{Loop(2000, Loop(64, op(aimWRGB)), // the same, of a long layer: rows open in two steps, a data clock
			Loop(7, Loop(4, op(aimWRMAC16)), Loop(2, op(lpACT162), Loop(64, op(aimMAC16)), op(aimPREA)), Loop(4, op(aimRDMAC16))))}},
		{"HBM", channel(b, hbm, hbmTiming()), Stream{Loop(4, op(hbmACTMR), op(hbmPREMR), Loop(2, op(hbmACTAB), op(hbmWRAB), op(hbmPREA)), // blocks: scalars, two rows, sums
			Loop(4, Loop(64, op(hbmACTAB), op(hbmWRAB), op(hbmPREA), Loop(2, op(hbmACTAB), Loop(32, op(hbmRDAB)), op(hbmPREA))), op(hbmACTAB), Loop(8, op(hbmWRAB)), op(hbmPREA)))}},
		{"HBMLong", channel(b, hbm, hbmTiming()), Stream{Loop(100_000, op(hbmACTAB), Loop(32, op(hbmRDAB)), op(hbmPREA))}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				bench.c.Time(bench.s)
			}
			b.ReportMetric(commands(bench.s)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mcommands/s")
			b.ReportMetric(commands(bench.s), "commands")
		})
	}
}
