package generator

import (
	"fmt"
	"slices"

	"pimflow/internal/dram"
)

// artifact are the commands of the standard artifact.
var artifact = func() (ops struct {
	gwrite, comp, readres dram.Op
	act                   [4]dram.Op
}) {
	std, err := dram.Lookup("artifact")
	if err != nil {
		panic(err)
	}
	ops.gwrite, ops.comp, ops.readres = std.Op("GWRITE"), std.Op("COMP"), std.Op("READRES")
	for i := range ops.act {
		ops.act[i] = std.Op(fmt.Sprintf("G_ACT%d", i))
	}
	return ops
}()

// program is the loop nest of count units from the first on: units, equal groups
// in a row, pieces in equal steps in a row, computations of a piece.
func (u *unit) program(first, count int, groups []group) dram.Item {
	chunk := int64(u.chunk + first*u.step)
	row := func(perChunk int) dram.Affine {
		return dram.Affine{Base: chunk * int64(perChunk), Stride: []int64{int64(u.step * perChunk)}}
	}
	body := dram.Stream{dram.Do(dram.Command{
		Op: artifact.gwrite, Row: row(1), Fill: dram.Gather{Len: u.inputs, Count: 1, Pitch: u.inputs},
	})}
	for len(groups) > 0 {
		same := 1
		for same < len(groups) && slices.Equal(groups[same], groups[0]) {
			same++
		}
		var set dram.Stream
		for i := range u.acts {
			set = append(set, dram.Do(dram.Command{Op: artifact.act[i], Row: row(u.groups)}))
		}
		for g := groups[0]; len(g) > 0; {
			n, step := g.run()
			piece := dram.Stream{dram.Do(dram.Command{Op: artifact.readres})}
			if g[0].comps > 0 {
				comp := dram.Command{Op: artifact.comp, Row: row(u.groups),
					Col: dram.Affine{Base: int64(g[0].col), Stride: []int64{0, 0, int64(step), 1}}}
				piece = dram.Stream{dram.Loop(g[0].comps, dram.Do(comp)), piece[0]}
			}
			set = append(set, dram.Loop(n, piece...))
			g = g[n:]
		}
		body = append(body, dram.Loop(same, set...))
		groups = groups[same:]
	}
	return dram.Loop(count, body...)
}

// run is how many pieces at the start of g are of one size and in equal steps.
func (g group) run() (n, step int) {
	for n = 1; n < len(g) && g[n].comps == g[0].comps; n++ {
		if d := g[n].col - g[n-1].col; n == 1 {
			step = d
		} else if d != step {
			break
		}
	}
	return n, step
}

// traceSize is how often a program activates bank group 0, and the length of
// its trace in bytes when a buffer write has these operands.
func traceSize(s dram.Stream, operands string) (acts, size int) {
	count := make([]int64, 256)
	s.Count(count)
	for _, line := range []struct {
		op    dram.Op
		bytes int
	}{
		{artifact.gwrite, len("0x00000000 GWRITE_1 \n") + len(operands)},
		{artifact.act[0], len("0x00000000 G_ACT0\n")},
		{artifact.act[1], len("0x00000000 G_ACT1\n")},
		{artifact.act[2], len("0x00000000 G_ACT2\n")},
		{artifact.act[3], len("0x00000000 G_ACT3\n")},
		{artifact.comp, len("0x00000000 COMP\n")},
		{artifact.readres, len("READRES\n")},
	} {
		size += int(count[line.op]) * line.bytes
	}
	return int(count[artifact.act[0]]), size
}
