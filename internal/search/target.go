package search

import (
	"slices"
	"time"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/run"
)

// Target is what a plan is made for.
type Target struct {
	Machine     string
	PIMChannels int // memory channels that compute in policies that use PIM
	Devices     Devices
	Launch      string // how PIM work is launched under every policy, plan.Each or plan.Fused; "": plan.Each
	Objective   Objective
	Unbounded   bool // no lower bound is computed, which changes no plan
	Histories   int  // of the lower bound: bound.Options
	Exact       bool // the plan must be an exact optimum; graphs that are too large are an error
	Effort      Effort
	TimeLimit   time.Duration // from the begin of the search to the end of its iterations; 0: none
	// Baseline, unless nil, is the timeline of policy "gpu" on these devices, which is then not made again.
	Baseline *run.Timeline
	// Pins keep nodes on one device, plan.GPU or plan.PIM, whole or cut. A policy without that device has no plan.
	Pins map[graph.ID]string
	// Standby is the machine's power at rest, in pJ a nanosecond. It matters only to
	// energies.
	Standby device.Ledger
	// Fills reports whether a node's vectors are large enough for the units of the PIM; nil: none are.
	Fills func(*graph.Graph, *graph.Node) bool
	// Holds, unless nil, refuses a graph that memory has no room for under any plan.
	Holds func(*graph.Graph) error
	// Fits, unless nil, refuses a plan that memory has no room for. After a
	// memory.FullError the search continues with the nodes kept from the PIM that gain least in the room that they take.
	Fits func(*program.Program) error
	// Progress, unless nil, is told how many of how many nodes are searched. It is called
	// concurrently.
	Progress func(done, total int)
}

func (t *Target) holds(g *graph.Graph) error {
	if t.Holds == nil {
		return nil
	}
	return t.Holds(g)
}

// Devices returns the devices of a machine of which so many memory channels compute through a
// command interface (plan.PIM): the GPU, the PIM unless no channels compute, and the GPU with
// every channel (plan.Every) if the machine has it. They are asked for the same cuts many
// times.
type Devices func(channels int, commands string) ([]device.Device, error)

// Memo returns devices that are made once and compile each cut once. It is not safe for
// concurrent use; the devices are.
func (of Devices) Memo() Devices {
	type key struct {
		channels int
		commands string
	}
	known := map[key][]device.Device{}
	return func(channels int, commands string) ([]device.Device, error) {
		k := key{channels, commands}
		if known[k] == nil {
			ds, err := of(channels, commands)
			if err != nil {
				return nil, err
			}
			for i, d := range ds {
				ds[i] = device.Memo(d)
			}
			known[k] = ds
		}
		return known[k], nil
	}
}

// devicesOf returns the devices of a segment under the names that tiles have. In an exclusive
// segment the GPU has every channel.
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
