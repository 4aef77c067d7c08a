package gpu

import (
	"math"

	"pimflow/internal/device"
)

var _ device.Explainer = (*Code)(nil)

// Breakdown is the launches of the kernels, and the rest of each kernel under the word of its
// bound. The largest term is Cost.Bound.
func (c *Code) Breakdown() []device.Term {
	kernels := c.Kernels()
	us := map[string]float64{"launch": c.d.launchUS() * float64(len(kernels))}
	for i := range kernels {
		us[kernels[i].Bound] += kernels[i].US
	}
	terms := make([]device.Term, len(bounds))
	for i, b := range bounds {
		terms[i] = device.Term{Name: b, Time: device.Time(math.Round(us[b] * 1e6))}
	}
	return device.Fill(terms, c.cost.Time)
}
