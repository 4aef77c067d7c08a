package pim

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"pimflow/internal/dram"
	"pimflow/internal/pim/unit"
	"pimflow/internal/tensor"
)

// programMutations are changes of a command that make a stream of programs wrong, and the commands that they apply to.
var programMutations = []struct {
	name   string
	change func(c *dram.Command) bool
}{
	{"another row", func(c *dram.Command) bool { c.Row.Base++; return true }},
	{"the row before", func(c *dram.Command) bool { c.Row.Base--; return c.Row.Base >= 0 }},
	{"another column", func(c *dram.Command) bool { c.Col.Base++; return true }},
	{"another slice", func(c *dram.Command) bool { c.Col.Base ^= 8; return true }},
	{"the other banks", func(c *dram.Command) bool { c.Buf.Base++; return true }},
	{"other data", func(c *dram.Command) bool { c.Data.Base += unit.Lanes; return true }},
	{"data before", func(c *dram.Command) bool { c.Data.Base--; return true }},
	{"data of the next matrix", func(c *dram.Command) bool { c.Data.Base += matrixScalars; return true }},
}

// means are the operands that a command has in streams of programs: those that its role has, and of a write those that its row has.
func means(ops *Commands, c *dram.Command, what string) bool {
	row := c.Row.Base
	switch ops.roles[c.Op] {
	case openRole, enterRole:
		return what == "row"
	case compRole:
		return what != "data"
	case writeRole:
		switch {
		case row == unit.RowOpMode, row == unit.RowSRF, row == unit.RowCRF, row == unit.RowGRF && c.Col.Base < unit.Registers:
			return what == "row" || what == "col" || what == "data"
		}
		return what == "row" || what == "col" || what == "buf" && row < unit.DataRows
	case readRole:
		return true
	case hostRole:
		return what == "row" || what == "buf"
	}
	return false
}

// TestProgramMutations: in streams of programs, every command that is missing, doubled or changed is found.
func TestProgramMutations(t *testing.T) {
	n := conv(t, rand.New(rand.NewPCG(3, 4)), tensor.Shape{1, 9, 3, 3}, 140, 1, 3, 1, 1, []int64{1, 1, 1, 1}, false)
	for _, code := range programCodes(t, machineOf(t, "hbm-pim"), 3, n) {
		mutatePrograms(t, code.mapped())
	}
}

// mutatePrograms changes commands of the second channel's stream one by one.
func mutatePrograms(t *testing.T, code *mappedCode) {
	ops := code.device.ops
	streams := map[int]dram.Stream{}
	for i, s := range code.perChannel() {
		streams[i] = code.device.stream(s)
	}
	plain := flat(streams[1])
	found := func(what string, i int, changed []dram.Command) {
		_, err := code.replay(func(channel int) dram.Stream {
			if channel == 1 {
				return nested(changed)
			}
			return streams[channel]
		})
		var v *Violation
		if !errors.As(err, &v) {
			t.Errorf("%v: %s, command %d, %s: not found: %v", code.best, what, i, ops.text(&plain[i]), err)
		}
	}
	seen := map[[3]int64]int{}
	tried := map[string]int{}
	for i := range plain {
		c := &plain[i]
		kind := [3]int64{int64(c.Op), max(c.Row.Base, scratchRow-1), c.Col.Base / unit.Registers}
		if seen[kind]++; seen[kind] > 2 && i%97 != 0 {
			continue // a few of each kind and place, that the test is short
		}
		found("missing", i, drop(slices.Clone(plain), i))
		found("doubled", i, twice(slices.Clone(plain), i))
		for _, m := range programMutations {
			was := *c
			now := was
			if !m.change(&now) {
				continue
			}
			what := "data"
			switch {
			case now.Row.Base != was.Row.Base:
				what = "row"
			case now.Col.Base != was.Col.Base:
				what = "col"
			case now.Buf.Base != was.Buf.Base:
				what = "buf"
			}
			if !means(ops, c, what) || c.Row.Base == unit.RowOpMode && now.Data.Base&1 == 1 { // its lowest bit counts
				continue
			}
			changed := slices.Clone(plain)
			changed[i] = now
			tried[m.name]++
			found(m.name, i, changed)
		}
	}
	for _, m := range programMutations {
		if tried[m.name] == 0 {
			t.Errorf("%v: nothing for %s", code.best, m.name)
		}
	}
}

// TestAnyProgram: layers of any form have the values of the operator under each program, where all sums are exact in fp16, and their
// streams compute each product once. Executed on their images alone, streams return the same values.
func TestAnyProgram(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := anyConv(t)
		for _, x := range n.in {
			v := x.Floats()
			for i := range v {
				v[i] = max(-1, min(v[i], 1))
			}
		}
		m := machineOf(t, rapid.SampledFrom([]string{"hbm-pim", "hbm3-pim"}).Draw(t, "machine"))
		m.PIM.Access = rapid.SampledFrom([]string{"row", "column", "free-bus"}).Draw(t, "registers")
		m.PIM.Timing["fence_ck"] = rapid.SampledFrom([]int64{0, 0, 100}).Draw(t, "fence")
		codes := programCodes(t, m, anyChannels(t), n)
		for _, code := range codes[rapid.IntRange(0, len(codes)-1).Draw(t, "program"):][:1] {
			want, got := tensor.New(tensor.Float32, n.g.Nodes[n.id].Shape), tensor.New(tensor.Float32, n.g.Nodes[n.id].Shape)
			n.g.Eval(n.g.Whole(n.id), n.in, want)
			if err := code.Eval(n.in, got); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(want.Floats(), got.Floats()) {
				t.Fatalf("%v: other values", code.best)
			}
			if _, err := code.Replay(); err != nil {
				t.Fatalf("%v: %v", code.best, err)
			}
			imaged(t, code, n)
		}
	})
}
