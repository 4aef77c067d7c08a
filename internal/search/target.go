package search

import (
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/plan"
	"pimflow/internal/program"
)

// Target is what a plan is made for.
type Target struct {
	Machine     string
	PIMChannels int // memory channels that compute in policies that use PIM
	Devices     Devices
	Objective   Objective
	Exact       bool // decide exactly, or fail where a graph is too large for it
	// Standby is the machine's power at rest, in pJ a nanosecond. It matters only to
	// energies.
	Standby device.Ledger
	// Fits, unless nil, refuses a plan that memory has no room for. After a
	// memory.FullError the search continues with the nodes it names kept from the PIM.
	Fits func(*program.Program) error
	// Progress, unless nil, is told how many of how many nodes are searched. It is called
	// concurrently.
	Progress func(done, total int)
}

// Devices returns the GPU, and the PIM unless pim is 0, of a machine when pim of
// its channels compute through a command interface (plan.PIM); and the GPU with every
// channel (plan.Every), if it may be there. They are asked for the same cuts many times.
type Devices func(pim int, commands string) ([]device.Device, error)

// Memo returns devices that are made once, and compile each cut once. It is not
// safe for concurrent use; the devices are.
func (make Devices) Memo() Devices {
	type key struct {
		pim      int
		commands string
	}
	made := map[key][]device.Device{}
	return func(pim int, commands string) ([]device.Device, error) {
		k := key{pim, commands}
		if made[k] == nil {
			ds, err := make(pim, commands)
			if err != nil {
				return nil, err
			}
			for i, d := range ds {
				ds[i] = device.Memo(d)
			}
			made[k] = ds
		}
		return made[k], nil
	}
}

// segment returns the devices that execute a segment, by the names of its tiles: in an
// exclusive one the GPU has every channel.
func devicesOf(all []device.Device, exclusive bool) (ds []device.Device) {
	for _, d := range all {
		switch name := d.Name(); {
		case exclusive && name == plan.Every:
			ds = slices.Insert(ds, 0, device.Named(d, plan.GPU))
		case exclusive && name == plan.GPU, !exclusive && name == plan.Every:
		default:
			ds = append(ds, d)
		}
	}
	return ds
}
