// Package platform puts the devices of a machine together: the GPU, the PIM channels, and
// the GPU with every memory channel, which exclusive layers use.
//
// A machine goes in; its devices and the target of a search come out. The package knows no
// network and no plan.
//
// In the literature: a host with its compute devices is a platform (OpenCL).
package platform

import (
	"fmt"
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/gpu"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/memory"
	"pimflow/internal/pim"
	"pimflow/internal/plan"
	"pimflow/internal/profile"
	"pimflow/internal/search"
)

// Makers make the devices of a machine from a number of its memory channels. The zero value
// makes those of packages gpu and pim.
type Makers struct {
	GPU profile.Maker // nil: gpu.New
	// PIM makes channels that compute through a command interface (plan.Basic or
	// plan.Extended); nil: PIM.
	PIM func(m *hw.Machine, channels int, commands string) (device.Device, error)
}

// Devices returns the devices of a machine of which so many memory channels compute: the
// GPU with the other channels (plan.GPU), the PIM (plan.PIM), and the GPU of exclusive
// layers (plan.Every), which has every channel if the machine lends it those of the idle
// PIM. A device with no channels is left out. Errors name the machine: it has fewer
// channels, or a device refuses its numbers.
func Devices(m *hw.Machine, by Makers, channels int, commands string) ([]device.Device, error) {
	all := m.Memory.Channels
	if channels > all {
		return nil, fmt.Errorf("%d PIM channels: machine %s has %d channels", channels, m.Name, all)
	}
	newGPU, newPIM := by.GPU, by.PIM
	if newGPU == nil {
		newGPU = gpu.New
	}
	if newPIM == nil {
		newPIM = PIM
	}
	var ds []device.Device
	if channels < all {
		d, err := newGPU(m, all-channels)
		if err != nil {
			return nil, err
		}
		ds = append(ds, d)
	}
	if channels > 0 {
		d, err := newPIM(m, channels, commands)
		if err != nil {
			return nil, err
		}
		ds = append(ds, d)
	}
	every := all - channels
	if m.Memory.Shared {
		every = all
	}
	if every > 0 {
		d, err := newGPU(m, every)
		if err != nil {
			return nil, err
		}
		ds = append(ds, device.Named(d, plan.Every))
	}
	return ds, nil
}

// PIM returns the PIM of a machine: channels that compute through a command interface.
func PIM(m *hw.Machine, channels int, commands string) (device.Device, error) {
	if commands == plan.Basic {
		return pim.NewBasic(m, channels)
	}
	return pim.New(m, channels)
}

// launches are the launch modes of plans, by those of machines.
var launches = map[string]string{hw.Each: plan.Each, hw.Joint: plan.Fused}

// Target returns what plans for a machine are searched on. Its devices are made when they are
// asked for; they and the code that they compile are shared by all searches on the target.
func Target(m *hw.Machine, by Makers) (search.Target, error) {
	standby, err := pim.Standby(m)
	if err != nil {
		return search.Target{}, err
	}
	idle := gpu.Standby(m)
	standby.Add(&idle)
	devices := func(channels int, commands string) ([]device.Device, error) {
		return Devices(m, by, channels, commands)
	}
	return search.Target{
		Machine: m.Name, PIMChannels: m.Memory.PIMChannels, Launch: launches[m.Launch.PIM], Standby: standby, Devices: search.Devices(devices).Memo(),
		Fills: pim.Fills(m), Holds: func(g *graph.Graph) error { return memory.Holds(g, m) }, Fits: memory.Fits,
	}, nil
}

// WithChannels returns a machine of whose memory channels so many compute; numbers that follow
// from that are computed again.
func WithChannels(m *hw.Machine, n int) (*hw.Machine, error) {
	c := *m
	c.Memory.PIMChannels = n
	if err := c.Derive(); err != nil {
		return nil, fmt.Errorf("machine %s with %d PIM channels: %w", m.Name, n, err)
	}
	return &c, nil
}

// Eighths are the numbers of PIM channels that a search of the best number tries first: each
// eighth of all channels.
func Eighths(all int) (list []int) {
	for k := 1; k <= 8; k++ {
		if n := (all*k + 7) / 8; !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	return list
}
