package gpu_test

import (
	"math"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/hw"
	"pimflow/internal/tensor"
)

// TestSlowStrided: a convolution that skips pixels may take slow_us, whatever its work; another takes its
// upper bound at most.
func TestSlowStrided(t *testing.T) {
	const slow = 500
	m := machine(t, "toy", func(m *hw.Machine) { m.GPU.Error.SlowUS = slow })
	d := newGPU(t, m, 2)
	for _, c := range []struct {
		stride int64
		groups int64
	}{{1, 1}, {2, 1}, {1, 8}, {2, 8}} {
		g := layer(t, "Conv", convAttrs(c.groups, 3, c.stride, 1), tensor.Shape{1, 8, 16, 16}, tensor.Shape{8, 8 / int(c.groups), 3, 3})
		u := compile(t, d, g, g.Whole(2)).Cost().Uncertain[0]
		want := m.GPU.Error.Conv.High * float64(u.Time)
		if c.groups > 1 {
			want = m.GPU.Error.Depthwise.High * float64(u.Time)
		}
		if c.stride > 1 {
			want = slow * 1e6
		}
		if math.Abs(float64(u.High)-want) > 1 || u.High < device.Time(u.Time) {
			t.Errorf("stride %d, %d groups: %d to %d, at most %.0f wanted", c.stride, c.groups, u.Low, u.High, want)
		}
	}
}
