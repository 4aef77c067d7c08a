package pim

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/dram"
	"pimflow/internal/tensor"
)

// TestSetsAtOnce: sets of inputs that are performed at once have the bits of each alone, whether their weights are the same or
// not.
func TestSetsAtOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 1))
	draw := func(s tensor.Shape) *tensor.Tensor {
		x := tensor.New(tensor.Float32, s)
		for i := range x.Floats() {
			x.Floats()[i] = float32(r.NormFloat64())
		}
		return x
	}
	for _, machine := range []string{"artifact", "newton", "aim", "lpddr5-aim"} {
		for _, n := range []net{
			conv(t, r, tensor.Shape{1, 8, 6, 5}, 20, 1, 3, 1, 1, []int64{1, 1, 1, 1}, true),
			conv(t, r, tensor.Shape{1, 24, 4, 4}, 24, 4, 1, 1, 1, []int64{0, 0, 0, 0}, false),
		} {
			code := compile(t, machineOf(t, machine), 3, n.g, n.g.Whole(n.id))
			other, weights := slices.Clone(n.in), slices.Clone(n.in)
			other[0], weights[1] = draw(n.in[0].Shape), draw(n.in[1].Shape)
			var sets []device.Evaluation
			shape := n.g.Nodes[n.id].Shape
			for _, in := range [][]*tensor.Tensor{n.in, other, weights} {
				sets = append(sets, device.Evaluation{In: in, Dst: tensor.New(tensor.Float32, shape), Sums: code.NewSums()})
			}
			if err := code.EvalSums(sets...); err != nil {
				t.Fatal(err)
			}
			for i, e := range sets {
				dst, sums := tensor.New(tensor.Float32, shape), code.NewSums()
				if err := code.EvalSums(device.Evaluation{In: e.In, Dst: dst, Sums: sums}); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(dst.Floats(), e.Dst.Floats()) || !slices.Equal(sums.Floats(), e.Sums.Floats()) {
					t.Errorf("%s: set %d of %d differs from itself alone", machine, i, len(sets))
				}
			}
		}
	}
}

// TestReplaySequence: streams of other commands, of loops of other lengths or about other commands are other sequences; addresses make none.
func TestReplaySequence(t *testing.T) {
	a, b := dram.Do(dram.Command{Op: 1}), dram.Do(dram.Command{Op: 2})
	streams := []dram.Stream{
		{a}, {b}, {a, b}, {dram.Loop(2, a)}, {dram.Loop(3, a)}, {dram.Loop(2, a, b)}, {dram.Loop(2, a), b}, {dram.Loop(2, dram.Loop(2, a), b)},
	}
	seen := map[sequence]int{}
	for i, s := range streams {
		if j, ok := seen[sequenceOf(s)]; ok {
			t.Errorf("streams %d and %d are one sequence", j, i)
		}
		seen[sequenceOf(s)] = i
	}
	if moved := (dram.Stream{dram.Do(dram.Command{Op: 1, Row: dram.Affine{Base: 7}})}); sequenceOf(moved) != sequenceOf(streams[0]) {
		t.Error("an address makes another sequence")
	}
}

// TestJudgeRange: finite values that become infinite, and values other than 0 that become 0, are counted.
func TestJudgeRange(t *testing.T) {
	inf, nan, zero := float32(math.Inf(1)), float32(math.NaN()), float32(math.Copysign(0, -1))
	n := conv(t, rand.New(rand.NewPCG(3, 4)), tensor.Shape{1, 8, 3, 3}, 4, 1, 1, 1, 1, []int64{0, 0, 0, 0}, false)
	j := &judge{mappedCode: compile(t, machineOf(t, "newton"), 1, n.g, n.g.Whole(n.id))}
	for _, c := range []struct {
		v           float32
		over, under int64
	}{
		{0, 0, 0}, {zero, 0, 0}, {1, 0, 0}, {-1, 0, 0}, {65519, 0, 0}, {65520, 1, 0}, {-1e6, 1, 0}, {inf, 0, 0}, {-inf, 0, 0}, {nan, 0, 0},
		{0x1p-24, 0, 0}, {0x1p-26, 0, 1}, {-1e-30, 0, 1}, {math.SmallestNonzeroFloat32, 0, 1}, {math.MaxFloat32, 1, 0},
	} {
		if o := j.round([]float32{1, c.v, 0}); o.Of != 3 || o.Over != c.over || o.Under != c.under {
			t.Errorf("%v: %+v, %d over and %d under wanted", c.v, o, c.over, c.under)
		}
	}
}
