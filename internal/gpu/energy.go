package gpu

import (
	"pimflow/internal/device"
	"pimflow/internal/hw"
)

// The model follows AccelWattch (Kandiah et al., MICRO 2021): constant power, static
// power of idle and busy SMs, and energies of what is executed and moved.

// Standby is the power of a machine's GPU, busy or idle, in pJ a nanosecond. It is charged
// for the whole run, launches and waits included.
func Standby(m *hw.Machine) (l device.Ledger) {
	const watt = 1e3 // pJ a nanosecond
	e := &m.GPU.Energy
	l[device.GPUStandby] = device.Of(e.Constant, watt).Plus(device.Of(e.Idle, watt*float64(m.GPU.SMs)))
	return l
}

// energy is the energy of a kernel beyond standby.
func energy(e *hw.GPUEnergy, t Timing) (l device.Ledger) {
	const microjoule = 1e6 // pJ: watts times microseconds
	l[device.GPUActive] = device.Of(e.Busy, microjoule*t.SMs*t.US)
	l[device.GPUMAC] = device.Of(e.MAC, t.Tensor)
	l[device.GPUFMA] = device.Of(e.FMA, t.FMA)
	l[device.GPUL2] = device.Of(e.L2, t.L2Moved)
	l[device.GPUDRAM] = device.Of(e.DRAM, t.Bytes)
	return l
}
