package device_test

import (
	"errors"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/fake"
	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/tensor"
)

// TestBrief: a cost in brief is that of the code. A device of Memo, under any name, finds it once, with an error too; the code of a
// part is not kept for it, that of a whole value is.
func TestBrief(t *testing.T) {
	g := fake.Chain(2, 4)
	compiled := 0
	inner := &fake.Func{Called: plan.PIM, Of: func(c graph.Cut) (device.Cost, bool) {
		compiled++
		return device.Cost{Time: 100 + device.Time(c.Box.Size()), Launch: 30, Fusible: 30, Memory: 7, Energy: device.Ledger{device.GPUMAC: {Value: 5}}}, c.Node == 1
	}}
	whole := g.Whole(1)
	part := graph.Cut{Node: 1, Box: whole.Box.With(plan.Rows, tensor.Range{Lo: 1, Hi: 3})}
	refused := map[graph.ID]bool{}
	d := device.Named(device.Without(device.Memo(inner), refused), "other")
	for _, c := range []struct {
		what  string
		cut   graph.Cut
		code  bool // asked for, not the brief
		total int  // cuts compiled by then
	}{
		{"a part", part, false, 1}, {"it again", part, false, 1}, {"its code", part, true, 2}, {"that again", part, true, 2}, {"the part", part, false, 2},
		{"a whole", whole, false, 3}, {"its code", whole, true, 3},
	} {
		want := device.Brief{Time: 100 + device.Time(c.cut.Box.Size()), Memory: 7, Energy: 5}
		want.Fused = want.Time - 30
		if c.code {
			code, err := d.Compile(g, c.cut)
			if err != nil || code.Cost().Time != want.Time {
				t.Errorf("%s: %v, %v", c.what, code, err)
			}
		} else if got, err := device.BriefOf(d, g, c.cut); got != want || err != nil {
			t.Errorf("%s: %+v, %v, want %+v", c.what, got, err, want)
		}
		if compiled != c.total {
			t.Errorf("%s: compiled %d times, want %d", c.what, compiled, c.total)
		}
	}
	for range 2 {
		if _, err := device.BriefOf(d, g, g.Whole(2)); !errors.Is(err, device.ErrUnsupported) || compiled != 4 {
			t.Errorf("a cut that is not executed: %v, compiled %d times", err, compiled)
		}
	}
	if refused[1] = true; compiled == 4 {
		if _, err := device.BriefOf(d, g, whole); !errors.Is(err, device.ErrUnsupported) {
			t.Errorf("a node that is kept off: %v", err)
		}
	}
}
