package calibrate

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"pimflow/internal/device"
	"pimflow/internal/gpu"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/run"
)

// Validated is a measured network beside the GPU model's time of it, in microseconds. Low and
// High bound the modelled time; Why says why there is none.
type Validated struct {
	Network   // US is the measured time
	Modelled  float64
	Low, High float64
	Kernels   int
	From, Why string // From: where the start of a kernel is from
}

// Inside reports whether the measurement is within the bounds of the model.
func (v *Validated) Inside() bool { return v.Why == "" && v.Low <= v.US && v.US <= v.High }

// Set is the GPU, type and stack of software.
func (v *Validated) Set() string { return v.set() }

// starting is the least number of networks that the start of a stack is fitted to.
const starting = 3

// Validate models measured networks on the GPUs that they were measured on, one kernel after
// another with all of the memory's channels. Each stack of software has the start of a kernel
// that the GPU's file has for it; that of another stack is fitted to its rows, at least three;
// of fewer it is between the bounds of the file's launches.
//
// With a machine every network is modelled on its GPU, which starts kernels as the machine
// says.
func Validate(ctx context.Context, m *Measured, boards []*hw.Board, on *hw.Machine) ([]Validated, error) {
	known := map[string]*hw.Board{}
	for _, b := range boards {
		known[normal(b.Name)] = b
	}
	gs := graphs{}
	list := make([]Validated, len(m.Networks))
	free := map[string][]int{} // rows of a stack whose start is not known
	machines := make([]*hw.Machine, len(list))
	for i, n := range m.Networks {
		v := &list[i]
		v.Network = n
		b := known[normal(n.GPU)]
		v.Why = n.unmodelled(b)
		machine := on
		if on != nil {
			v.Why = n.unmodelled(&hw.Board{GPU: on.GPU})
			if size := elementSize[n.dtype()]; v.Why == "" && size != on.Memory.ElementSize {
				v.Why = fmt.Sprintf("machine %s has elements of %d bytes", on.Name, on.Memory.ElementSize)
			}
		} else if v.Why == "" {
			machine = b.Machine(elementSize[n.dtype()])
		}
		if v.Why != "" {
			continue
		}
		machines[i] = machine
		var err error
		if on != nil {
			err = v.model(ctx, gs, machine, "machine "+on.Name)
		} else if own, ok := b.Start[n.set()]; ok {
			err = v.model(ctx, gs, started(machine, hw.Range{Value: own, Low: own, High: own}), "the GPU's file")
		} else if r := b.GPU.Launches.Graph; r.Value > 0 && strings.Contains(n.Source, "graph") {
			err = v.model(ctx, gs, started(machine, r), "the GPU's file, in a graph")
		} else {
			err = v.model(ctx, gs, machine, "the GPU's file, of any stack")
			free[n.set()] = append(free[n.set()], i)
		}
		if err != nil {
			return nil, err
		}
	}
	for _, rows := range free {
		if len(rows) < starting {
			continue
		}
		s := &Set{}
		var nets []network
		for _, i := range rows {
			t, err := gs.executed(ctx, machines[i], &list[i].Network)
			if err != nil {
				return nil, err
			}
			s.nets, nets = append(s.nets, &list[i].Network), append(nets, t)
		}
		us := fitStart(ctx, s, nets, 1, func(t network) float64 { return t.us }).x[0]
		for _, i := range rows {
			if err := list[i].model(ctx, gs, started(machines[i], hw.Range{Value: us, Low: us, High: us}), fmt.Sprintf("fitted to %d rows", len(rows))); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}

// started is a machine whose kernels start in us microseconds.
func started(m *hw.Machine, us hw.Range) *hw.Machine {
	c := *m
	c.GPU.Launch = int64(math.Round(us.Value * c.GPU.Clock.GHz() * 1e3))
	c.GPU.Error.Launch = hw.Range{Value: 1, Low: us.Low / us.Value, High: us.High / us.Value}
	return &c
}

// model models the network on a machine, whose start of a kernel is from there.
func (v *Validated) model(ctx context.Context, gs graphs, m *hw.Machine, from string) error {
	p, kernels, err := gs.program(ctx, m, &v.Network)
	if err != nil {
		return err
	}
	low, high := run.Deviate(m.NetworkError(), p).Bounds()
	v.From, v.Kernels, v.Modelled, v.Low, v.High = from, kernels, us(run.Time(p).Total), us(low), us(high)
	return nil
}

// program is a network on a machine's GPU, which has every channel: one kernel after another.
func (gs graphs) program(ctx context.Context, m *hw.Machine, n *Network) (p *program.Program, kernels int, err error) {
	g, err := gs.get(ctx, n)
	if err != nil {
		return nil, 0, err
	}
	d, err := gpu.New(m, m.Memory.Channels)
	if err != nil {
		return nil, 0, err
	}
	p = &program.Program{Graph: g}
	for i := range g.Nodes {
		if g.Nodes[i].Op == nil {
			continue
		}
		cut := g.Whole(graph.ID(i))
		code, err := d.Compile(g, cut)
		if err != nil {
			return nil, 0, fmt.Errorf("%s: %w", n.Place, err)
		}
		p.Steps = append(p.Steps, program.Step{Tile: plan.Tile{Cut: cut, Device: plan.GPU}, Code: code})
		kernels += len(code.(*gpu.Code).Kernels())
	}
	return p, kernels, nil
}

// executed is what the kernels of a network take on a machine without their starts.
func (gs graphs) executed(ctx context.Context, m *hw.Machine, n *Network) (t network, err error) {
	c := *m
	c.GPU.Launch = 0
	p, kernels, err := gs.program(ctx, &c, n)
	if err != nil {
		return t, err
	}
	return network{us: us(run.Time(p).Total), kernels: kernels}, nil
}

func us(t device.Time) float64 { return float64(t) / 1e6 }

// NetworkScore is how far the modelled times of a group of networks are from measurements.
type NetworkScore struct {
	Group string
	Score
	Inside   int  // of N
	OneImage bool // the group is networks of one image
}

// ScoreNetworks scores modelled networks: each set, then all of one image on each GPU and
// type, then all of one image.
func ScoreNetworks(list []Validated) (scores []NetworkScore) {
	type group struct {
		name string
		one  bool
		of   func(v *Validated) bool
	}
	var groups []group
	add := func(name string, one bool, of func(v *Validated) bool) {
		if !slices.ContainsFunc(groups, func(g group) bool { return g.name == name }) {
			groups = append(groups, group{name, one, of})
		}
	}
	for i := range list {
		set := list[i].set()
		add(set, false, func(v *Validated) bool { return v.set() == set })
	}
	slices.SortStableFunc(groups, func(a, b group) int { return strings.Compare(a.name, b.name) })
	for i := range list {
		gpu, dtype := list[i].GPU, list[i].Dtype
		add(fmt.Sprintf("%s %s, batch 1", gpu, dtype), true, func(v *Validated) bool { return v.GPU == gpu && v.Dtype == dtype && v.Batch == 1 })
	}
	for _, g := range groups {
		s := NetworkScore{Group: g.name, OneImage: g.one}
		var modelled, measured []float64
		for i := range list {
			if v := &list[i]; v.Why == "" && g.of(v) {
				modelled, measured = append(modelled, v.Modelled), append(measured, v.US)
				if v.Inside() {
					s.Inside++
				}
			}
		}
		if s.Score = score(modelled, measured); s.N > 0 {
			scores = append(scores, s)
		}
	}
	return scores
}

// Error is the modelled over the measured time, less 1; NaN where nothing is modelled.
func (v *Validated) Error() float64 {
	if v.Why != "" {
		return math.NaN()
	}
	return v.Modelled/v.US - 1
}
