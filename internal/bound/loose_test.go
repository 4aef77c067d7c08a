package bound

import (
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/fake"
	"pimflow/internal/tensor"
)

// TestLooseInMany: where the bound of all plans is loose. A tile takes 70 on the GPU, whatever its size, and 1 and 16 a row on the PIM
// after a launch of 4 that can be fused. The optimum of all row partitions of four rows is that of plans in two tiles, 107, 140
// and 206 for two to four layers of kernel 1 (all were tried once). Of three tiles or more the bound knows when parts of the value are
// made, each by itself, and not the order of all tiles on a device.
func TestLooseInMany(t *testing.T) {
	for _, c := range []struct {
		layers   int
		all, two device.Time
	}{{2, 101, 107}, {3, 140, 140}, {4, 174, 202}} {
		s := costed(convolutions(t, c.layers, 1, 4), fake.Pair(4, func(pim bool, _ int, box tensor.Box) device.Time {
			if pim {
				return 1 + 16*rows(box)
			}
			return 70
		}), true)
		if all, two := Of(t.Context(), s, nil, Options{Histories: High}); all != c.all || two != c.two {
			t.Errorf("%d layers: %d and %d, want %d and %d", c.layers, all, two, c.all, c.two)
		}
	}
}
