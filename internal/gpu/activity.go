package gpu

import "pimflow/internal/device"

var _ device.Active = (*Code)(nil)

// Activity adds up what the kernels do.
func (c *Code) Activity() (a device.Activity) {
	for _, k := range c.Kernels() {
		a.Add(device.Activity{Tensor: k.Tensor, FMA: k.FMA, L2: k.L2, DRAM: k.Bytes})
	}
	return a
}
