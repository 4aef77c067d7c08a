// Package sweep searches plans on machines that differ in a few numbers: the sensitivity of the
// speed-up to each constant (Vary), and the effect of launch latencies (Launches).
//
// A graph and a machine go in; times and numbers of moved layers come out. The package does not
// know the meaning of a number, apart from launches and energies.
//
// In the literature: one-at-a-time sensitivity analysis.
package sweep

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/plan"
	"pimflow/internal/platform"
	"pimflow/internal/search"
)

// Model is a graph on a machine under a policy.
type Model struct {
	Graph   *graph.Graph
	Machine *hw.Machine
	Policy  search.Policy
	// Progress, unless nil, is told how many of how many searches are done; it is
	// called concurrently.
	Progress func(done, total int)
}

// Times are the times of the GPU alone and of a plan.
type Times struct{ Baseline, Total device.Time }

// Speedup is Baseline over Total; 1 for an empty plan.
func (t Times) Speedup() float64 {
	if t.Total == 0 {
		return 1
	}
	return float64(t.Baseline) / float64(t.Total)
}

func timesOf(r *search.Result) Times { return Times{r.Baseline.Total, r.Timeline.Total} }

// counter tells Progress.
func (m *Model) counter(total int) func() {
	var done atomic.Int64
	return func() {
		if n := done.Add(1); m.Progress != nil {
			m.Progress(int(n), total)
		}
	}
}

// on returns the plan with the machine's number of PIM channels and a launch that the machine has.
func on(p *plan.Plan, m *hw.Machine) *plan.Plan {
	c := *p
	if m.Launch.PIM != hw.Joint {
		c.Launch = plan.Each
	}
	if c.PIMChannels > 0 {
		c.PIMChannels = m.Memory.PIMChannels
	}
	return &c
}

// placements returns the devices and boxes of each node's tiles.
func placements(p *plan.Plan) map[graph.ID]string {
	tiles := map[graph.ID][]string{}
	for _, t := range p.Tiles() {
		tiles[t.Node] = append(tiles[t.Node], t.Device+t.Box.String())
	}
	at := map[graph.ID]string{}
	for id, list := range tiles {
		slices.Sort(list) // pipelines write the same tiles in another order
		at[id] = strings.Join(list, " ")
	}
	return at
}

// moved counts the nodes of a graph that two plans place differently.
func moved(a, b *plan.Plan) int {
	n, was := 0, placements(b)
	for id, at := range placements(a) {
		if at != was[id] {
			n++
		}
	}
	return n
}

// pool shares devices, and the code they have compiled, between machines whose numbers for the
// device are equal.
type pool struct {
	mu   sync.Mutex
	kept map[string]device.Device
}

func newPool() *pool { return &pool{kept: map[string]device.Device{}} }

// of returns the target of a machine, with devices of the pool if there are any. With keep its
// new devices join the pool.
func (p *pool) of(m *hw.Machine, keep bool) (search.Target, error) {
	t, err := platform.Target(m, platform.Makers{})
	if err != nil {
		return t, err
	}
	own := t.Devices
	t.Devices = func(channels int, commands string) ([]device.Device, error) {
		ds, err := own(channels, commands)
		if err != nil {
			return nil, err
		}
		ds = slices.Clone(ds)
		for i, d := range ds {
			what := reads(d.Name(), m)
			key := fmt.Sprintf("%s %d %s %+v", d.Name(), channels, commands, what)
			p.mu.Lock()
			if s := p.kept[key]; s != nil {
				ds[i] = s
			} else if keep {
				p.kept[key] = d
			}
			p.mu.Unlock()
		}
		return ds, nil
	}
	return t, nil
}

// reads returns the numbers that a device reads of a machine, all others zero. The GPU reads
// nothing of the PIM channels and the link. The PIM reads the GPU's clock, its DRAM efficiency
// and its energies, which the link's costs are made of, and the error of launches.
func reads(dev string, m *hw.Machine) hw.Machine {
	r := hw.Machine{Launch: m.Launch, Memory: m.Memory, GPU: m.GPU, PIM: m.PIM, Link: m.Link}
	if dev != plan.PIM {
		r.PIM, r.Link, r.Launch = hw.PIM{}, hw.Link{}, hw.Launch{}
		return r
	}
	r.GPU = hw.GPU{Clock: m.GPU.Clock, Energy: m.GPU.Energy}
	r.GPU.Model.EtaD, r.GPU.Error.Launch = m.GPU.Model.EtaD, m.GPU.Error.Launch
	r.Memory.ChannelL2 = 0
	return r
}
