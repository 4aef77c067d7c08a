package memory_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/memory"
	"pimflow/internal/plan"
)

// TestFullNodes: of 9 rows the first layer takes 3. The two that want 9 do not fit and are named, and what
// they want does not keep the one between them out.
func TestFullNodes(t *testing.T) {
	g, ids := chain(t, 48, 3, 5, 1, 5)
	var segments []plan.Segment
	for _, id := range ids {
		segments = append(segments, plan.Whole(g, id, plan.PIM))
	}
	p, err := build(g, devices(t, "artifact", 9, 1), segments...)
	if err != nil {
		t.Fatal(err)
	}
	_, err = memory.New(p)
	var full *memory.FullError
	if !errors.As(err, &full) || full.Node != ids[1] || full.Want != 9 || full.Left != 6 || !slices.Equal(full.Nodes, []graph.ID{ids[1], ids[3]}) {
		t.Errorf("%+v", err)
	}
}

// TestColdStartChannels: all channels are written at the same time, so that the one that takes longest counts,
// whichever it is.
func TestColdStartChannels(t *testing.T) {
	m, err := hw.Load("toy")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		rows, stored []int   // by channel
		alone        float64 // ns without refreshes, as for TestColdStart
	}{
		{[]int{5, 2, 1}, []int{1, 1, 1}, 200},
		{[]int{1, 2, 1}, []int{8, 800, 8}, 100},
		{[]int{1, 2, 5}, []int{8, 8, 8}, 200},
	} {
		w := &memory.Map{Taken: c.rows, Steps: []memory.Step{{Places: make([]memory.Place, len(c.rows))}}}
		want := memory.ColdStart{Time: device.Time(math.Round(c.alone / 0.9999 * 1e3))}
		for ch := range c.rows {
			w.Steps[0].Places[ch].Stored = c.stored[ch]
			want.Bytes += c.stored[ch] * m.Memory.ElementSize
			want.Rows += c.rows[ch]
		}
		if got := w.ColdStart(m); got != want {
			t.Errorf("%v: %+v, want %+v", c, got, want)
		}
	}
}
