package calibrate

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"pimflow/internal/device"
	"pimflow/internal/gpu"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
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

// executed is what the kernels of a network take without their starts, with its bounds.
type executed struct {
	us, low, high float64
	kernels       int
}

// Validate models measured networks on the GPUs that they were measured on, one kernel after
// another with all of the memory's channels. Each stack of software has the start of a kernel
// that the GPU's file has for it; that of another stack is fitted to its rows, at least three;
// of fewer it is between the bounds of the file's launches.
//
// With a machine every network is modelled on its GPU, which starts kernels as the machine
// says.
func Validate(m *Measured, boards []*hw.Board, on *hw.Machine) ([]Validated, error) {
	known := map[string]*hw.Board{}
	for _, b := range boards {
		known[normal(b.Name)] = b
	}
	gs := graphs{}
	list := make([]Validated, len(m.Networks))
	free := map[string][]int{} // rows of a stack whose start is not known
	times := make([]executed, len(list))
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
		var err error
		if times[i], err = gs.executed(machine, &n); err != nil {
			return nil, err
		}
		v.Kernels = times[i].kernels
		g := &machine.GPU
		launch := float64(g.Launch) / (g.Clock.GHz() * 1e3)
		low, high := launch*g.Error.Launch.Low, launch*g.Error.Launch.High
		if on != nil {
			v.starts(times[i], g, launch, low, high, "machine "+on.Name)
			continue
		}
		own, ok := b.Start[n.set()]
		switch r := g.Launches.Graph; {
		case ok:
			v.starts(times[i], g, own, own, own, "the GPU's file")
		case r.Value > 0 && strings.Contains(n.Source, "graph"):
			v.starts(times[i], g, r.Value, r.Low, r.High, "the GPU's file, in a graph")
		default:
			v.starts(times[i], g, launch, low, high, "the GPU's file, of any stack")
			free[n.set()] = append(free[n.set()], i)
		}
	}
	for _, rows := range free {
		if len(rows) < starting {
			continue
		}
		s := &Set{}
		var nets []network
		for _, i := range rows {
			s.nets = append(s.nets, &list[i].Network)
			nets = append(nets, network{us: times[i].us, kernels: times[i].kernels})
		}
		us := fitStart(s, nets, 1, func(t network) float64 { return t.us }).x[0]
		for _, i := range rows {
			list[i].starts(times[i], &known[normal(list[i].GPU)].GPU, us, us, us, fmt.Sprintf("fitted to %d rows", len(rows)))
		}
	}
	return list, nil
}

// starts adds the starts of the kernels, which take us each or between low and high, and
// widens the bounds to the error that whole networks have on the GPU.
func (v *Validated) starts(t executed, g *hw.GPU, us, low, high float64, from string) {
	n := float64(t.kernels)
	v.From, v.Modelled = from, t.us+n*us
	v.Low, v.High = t.low+n*low, t.high+n*high
	r := g.Error.Network
	if i := g.Error.Int8Network; v.dtype() == "int8" && i.Value > 0 {
		r = i
	}
	if r.Value > 0 {
		v.Low, v.High = min(v.Low, r.Low*(t.us+n*low)), max(v.High, r.High*(t.us+n*high))
	}
}

// executed times the kernels of a network on a machine's GPU that has every channel.
func (gs graphs) executed(m *hw.Machine, n *Network) (t executed, err error) {
	g, err := gs.get(n)
	if err != nil {
		return t, err
	}
	c := *m
	c.GPU.Launch, c.GPU.Error.Launch = 0, hw.Range{Value: 1, Low: 1, High: 1}
	d, err := gpu.New(&c, c.Memory.Channels)
	if err != nil {
		return t, err
	}
	for i := range g.Nodes {
		if g.Nodes[i].Op == nil {
			continue
		}
		code, err := d.Compile(g, g.Whole(graph.ID(i)))
		if err != nil {
			return t, fmt.Errorf("%s: %w", n.Place, err)
		}
		cost := code.Cost()
		low, high := cost.Bounds()
		t.us, t.low, t.high = t.us+us(cost.Time), t.low+us(low), t.high+us(high)
		t.kernels += len(code.(*gpu.Code).Kernels())
	}
	return t, nil
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
