package run

import (
	"testing"

	"pimflow/internal/device"
)

// TestVerdictOK: a verdict is good if there are steps, no fault, and of each device with steps a finite value.
func TestVerdictOK(t *testing.T) {
	some := func(tiles int, compared int64) Verified {
		return Verified{Evidence: device.Evidence{Compared: compared, NotFinite: 3}, Tiles: tiles}
	}
	for _, c := range []struct {
		what string
		v    Verdict
		want bool
	}{
		{"nothing", Verdict{}, false},
		{"both devices", Verdict{PIM: some(1, 5), GPU: some(2, 1)}, true},
		{"the GPU alone", Verdict{GPU: some(1, 5)}, true},
		{"the PIM alone", Verdict{PIM: some(1, 5)}, true},
		{"no finite value of the PIM", Verdict{PIM: some(1, 0), GPU: some(1, 5)}, false},
		{"no finite value of the GPU", Verdict{PIM: some(1, 5), GPU: some(1, 0)}, false},
		{"a fault", Verdict{PIM: some(1, 5), GPU: some(1, 5), Faults: make([]Fault, 1)}, false},
	} {
		if got := c.v.OK(); got != c.want {
			t.Errorf("%s: ok %t", c.what, got)
		}
	}
}
