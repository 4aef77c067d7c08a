package pim

import (
	"math"
	"math/rand/v2"
	"testing"

	"pimflow/internal/hw"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// TestCandidates: each candidate of a scheme, also those that no layer chooses, computes every
// product once, issues as many commands as counted, and takes about as long as estimated.
func TestCandidates(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var layers []net
	for _, n := range [][3]int{{5, 8, 20}, {5, 40, 20}, {7, 72, 28}, {3, 20, 36}, {5, 12, 13}, {3, 64, 44}} {
		layers = append(layers, build(t, "MatMul", op.Attrs{}, numbers(r, tensor.Shape{n[0], n[1]}), numbers(r, tensor.Shape{n[1], n[2]})))
	}
	layers = append(layers, conv(t, r, tensor.Shape{1, 6, 4, 3}, 9, 1, 3, 1, 1, []int64{1, 1, 1, 1}, false),
		conv(t, r, tensor.Shape{1, 6, 3, 3}, 12, 3, 2, 1, 1, []int64{0, 1, 1, 0}, false))
	small := func(name string) *hw.Machine {
		m := machineOf(t, name)
		m.PIM.Banks = 4
		reshape(&m.PIM, "fp32", 4, 8, 32)
		return unrefreshed(m)
	}
	var machines []*hw.Machine
	for _, sums := range []int{1, 2, 3, 5, 7} {
		machines = append(machines, unrefreshed(smallAccumulators(t, sums)))
	}
	machines = append(machines, small("artifact"))
	for buffers := range 3 {
		m := small("newton")
		m.PIM.Buffers = 1 + buffers
		machines = append(machines, m)
	}
	for _, m := range machines {
		n := 0
		for _, l := range layers {
			code := compile(t, m, 1, l.g, l.g.Whole(l.id))
			d := code.device
			list, _ := d.scheme.candidates(code.lowered().first(), d.newScratch())
			for i := range list {
				p := &list[i]
				code.mapping = &mapping{way: p.way, shares: make([]share, 1)}
				code.mapping.assign(code.mapping.shares)
				code.mapping.count()
				n++
				played, err := code.Replay()
				if err != nil || played.Commands != code.mapping.total+closes(code) {
					t.Fatalf("%s, %v: %+v, %d commands wanted: %v", m.Name, code.mapping, played, code.mapping.total, err)
				}
				took := d.time(code.mapping.shares[0])
				if off := float64(int64(took.Cycles) - p.cycles); d.traits.padding && math.Abs(off) > 0.08*float64(took.Cycles)+40 {
					t.Errorf("%s, %v: %d cycles, its estimate is %d", m.Name, code.mapping, took.Cycles, p.cycles)
				}
				if c, ok := d.scheme.(*accumulators); ok {
					_, blocks, _ := c.count(code.mapping.shares[0])
					if changes := took.Issued[d.ops.mode[0]]; changes != 2*blocks+2 { // and one before the first and the last row
						t.Errorf("%s, %v: %d changes of mode, %d blocks", m.Name, code.mapping, changes, blocks)
					}
				}
			}
		}
		if n < len(layers) {
			t.Errorf("%s: %d candidates", m.Name, n)
		}
	}
}
