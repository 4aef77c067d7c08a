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

// TestUncertainLaunches: launches are a class of their own, with the error of launches.
func TestUncertainLaunches(t *testing.T) {
	m := machine(t, "toy", func(m *hw.Machine) { m.GPU.Error.Launch = hw.Range{Value: 1, Low: 0.5, High: 3} })
	g := layer(t, "Conv", convAttrs(1, 3, 1, 1), tensor.Shape{1, 8, 16, 16}, tensor.Shape{64, 8, 3, 3})
	c := compile(t, newGPU(t, m, 2), g, g.Whole(2)).Cost()
	u := c.Uncertain[len(c.Uncertain)-1]
	if u.Class != device.Launches || u.Time != c.Launch || 2*u.Low != c.Launch || u.High != 3*c.Launch {
		t.Errorf("%+v of launches of %d", u, c.Launch)
	}
}
