package fake

import (
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/tensor"
)

// code is a cut of a fake device: a cost and no values.
type code struct{ cost device.Cost }

func (c code) Cost() device.Cost                           { return c.cost }
func (c code) Eval([]*tensor.Tensor, *tensor.Tensor) error { return nil }
func (c code) Print(io.Writer) error                       { return nil }

// Stairs is a device whose times are stairs of the size of a tile, with a tread, a rise
// and a launch of its own for each node, and a little noise.
type Stairs struct {
	Called  string // the device's name
	Seed    uint64
	Launch  device.Time
	Fusible bool            // its launches can be fused
	Only    map[string]bool // operators it executes; nil: all
}

// Name is the device's name.
func (d *Stairs) Name() string { return d.Called }

// Compile costs a cut.
func (d *Stairs) Compile(g *graph.Graph, c graph.Cut) (device.Code, error) {
	nd := &g.Nodes[c.Node]
	if d.Only != nil && !d.Only[nd.Op.Name] {
		return nil, fmt.Errorf("%s: %w", nd.Op.Name, device.ErrUnsupported)
	}
	h := fnv.New64a()
	fmt.Fprint(h, d.Seed, c.Node)
	r := rand.New(rand.NewPCG(h.Sum64(), 1))
	tread, rise := 1+r.IntN(5), 1+r.IntN(9)
	fmt.Fprint(h, c.Box)
	noise := rand.New(rand.NewPCG(h.Sum64(), 2)).IntN(3)
	t := d.Launch + device.Time((c.Box.Size()+tread-1)/tread*rise+noise)
	fused := device.Time(0)
	if d.Fusible {
		fused = d.Launch
	}
	return code{device.Cost{Time: t, Launch: d.Launch, Fusible: fused, Energy: device.Ledger{device.GPUMAC: {Value: float64(1 + r.IntN(20) + noise)}}}}, nil
}

// Hazard is a device on which any tile can take any time, more or less with its size. A
// third of it is the launch.
type Hazard struct {
	Called  string // the device's name
	Seed    uint64
	Slope   int             // time an element, beside the random time
	Fusible bool            // its launches can be fused
	Only    map[string]bool // operators it executes; nil: all
}

// Name is the device's name.
func (d *Hazard) Name() string { return d.Called }

// Compile costs a cut.
func (d *Hazard) Compile(g *graph.Graph, c graph.Cut) (device.Code, error) {
	if name := g.Nodes[c.Node].Op.Name; d.Only != nil && !d.Only[name] {
		return nil, fmt.Errorf("%s: %w", name, device.ErrUnsupported)
	}
	h := fnv.New64a()
	fmt.Fprint(h, d.Seed, c.Node, c.Box)
	t := rand.New(rand.NewPCG(h.Sum64(), 3)).IntN(100) + d.Slope*c.Box.Size()
	cost := device.Cost{Time: device.Time(t), Launch: device.Time(t / 3)}
	if d.Fusible {
		cost.Fusible = cost.Launch
	}
	return code{cost}, nil
}

// Func is a device whose costs a function sets; false: the device does not execute the cut.
type Func struct {
	Called string // the device's name
	Of     func(graph.Cut) (device.Cost, bool)
}

// Name is the device's name.
func (d *Func) Name() string { return d.Called }

// Compile costs a cut.
func (d *Func) Compile(g *graph.Graph, c graph.Cut) (device.Code, error) {
	cost, ok := d.Of(c)
	if !ok {
		return nil, fmt.Errorf("%s: %w", g.Nodes[c.Node].Name, device.ErrUnsupported)
	}
	return code{cost}, nil
}

// Pair returns a GPU and a PIM on which a tile takes what of says, in picoseconds; 0: the device
// does not execute it. Nodes count from 0 and follow one input (Branches). A PIM tile has a
// launch beside that time, which can be fused. Each tile takes 1 pJ.
func Pair(launch device.Time, of func(pim bool, node int, box tensor.Box) device.Time) []device.Device {
	on := func(pim bool) func(graph.Cut) (device.Cost, bool) {
		return func(c graph.Cut) (device.Cost, bool) {
			t := of(pim, int(c.Node)-1, c.Box)
			cost := device.Cost{Time: t, Energy: device.Ledger{device.GPUMAC: {Value: 1}}}
			if pim {
				cost.Time, cost.Launch, cost.Fusible = t+launch, launch, launch
			}
			return cost, t > 0
		}
	}
	return []device.Device{&Func{Called: plan.GPU, Of: on(false)}, &Func{Called: plan.PIM, Of: on(true)}}
}
