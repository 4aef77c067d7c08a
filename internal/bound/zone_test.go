package bound

import (
	"math"
	"slices"
	"testing"

	"pimflow/internal/tensor"
)

// TestThin: of five points one is above another; of the other four the nearest two become their least times.
func TestThin(t *testing.T) {
	list := []busy{{9, 1}, {9, 2}, {1, 9}, {3, 4}, {2, 5}}
	if got, want := thin(list, 3), []busy{{1, 9}, {2, 4}, {9, 1}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := alone([]busy{{3, 5}, {6, 1}}); got != 5 {
		t.Errorf("%v, want 5", got)
	}
	if got := alone(nil); !math.IsInf(got, 1) {
		t.Errorf("%v, want none", got)
	}
}

// TestZones: a range waits for the points in it, and from its end on for all tiles up to there or from there on.
func TestZones(t *testing.T) {
	z := &zones{head: []float64{0, 1, 2, 3, 4, 5, 6, 7, 8}, tail: []float64{8, 7, 6, 5, 4, 3, 2, 1, 0}, reads: make([][]tensor.Range, 8)}
	h := &zoned{begin: 100}
	for k := range z.at {
		z.at[k], z.least[k] = k, float64(9-k)
		h.made[k] = float64(10 * k)
	}
	for _, c := range []struct {
		r    tensor.Range
		want float64
	}{{tensor.Range{Lo: 2, Hi: 5}, 40}, {tensor.Range{Lo: 0, Hi: 5}, 105}, {tensor.Range{Lo: 6, Hi: 8}, 102}, {tensor.Range{Lo: 3, Hi: 3}, 0}} {
		if got := z.start(h, c.r); got != c.want {
			t.Errorf("%v: %v, want %v", c.r, got, c.want)
		}
	}
	x := &forward{}
	x.zone(&variant{zones: z, pieces: []piece{{}}}, 50, &zoneWait{prefix: 2, suffix: 7}, 60, 70, nil, nil, func(int) float64 { return 0 })
	got := &x.scratch.zoned
	// The first tile takes 9. Those that meet the first two points wait for 60, and take 2; those that meet the last one for 70, and take 1.
	if got.begin != 50 || got.made[1] != 58 || got.head[0] != 61 || got.head[1] != 62 || got.head[7] != 62 || got.tail[7] != 71 || got.tail[0] != 71 || x.scratch.done != 71 {
		t.Errorf("%+v, done %v", got, x.scratch.done)
	}
}
