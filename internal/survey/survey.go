// Package survey ranks the GPU's kernels by the uncertainty that their modelled times add to a
// plan: the kernels to measure first.
//
// The result of a search goes in, a profile without times comes out. The package does not
// measure.
//
// In the literature: uncertainty analysis by intervals, one kernel at a time.
package survey

import (
	"cmp"
	"fmt"
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/gpu"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/plan"
	"pimflow/internal/profile"
	"pimflow/internal/program"
	"pimflow/internal/run"
	"pimflow/internal/search"
	"pimflow/internal/tensor"
)

// List returns the GPU kernels of a plan and of its alternatives, the largest effect first. The
// effect of a kernel is the percentage of the total time that depends on its true time. With
// the bounds of its time (device.Cost.Bounds) it is the sum of
//
//   - half of the difference between the plan's total with the kernel at its upper and at its
//     lower bound, over the total;
//   - the same for the GPU alone, with every memory channel;
//   - for each layer that could use the kernel instead: the plan's gain with the kernel at its
//     lower bound, over the total.
//
// The alternatives of a layer are the whole layer on the GPU and, if the PIM executes it, splits
// of its rows: the fastest split, and the first and the last that would gain. The plan's kernels
// and whole layers are listed whatever their effect.
//
// Kernels with measured times are left out. So are parts of layers that no single layer equals;
// left is their number. With any, kernels are the same for every number of memory channels, and
// Model is the time beside the plan's PIM channels.
func List(g *graph.Graph, m *hw.Machine, t search.Target, r *search.Result, any bool) (rows []profile.Row, left int, err error) {
	typ, ok := profile.Type(m)
	if !ok {
		return nil, 0, fmt.Errorf("machine %s: memory.bytes_per_element %d: 1, 2, 4 or 8 wanted", m.Name, m.Memory.ElementSize)
	}
	s := &survey{g: g, machine: m, typ: typ, any: any, at: map[key]int{}}
	s.steps(r.Timeline, m.Memory.Channels-r.Plan.PIMChannels)
	s.steps(r.Baseline, m.Memory.Channels)
	if r.Plan.PIMChannels > 0 {
		if err := s.alternatives(r, t, m.Memory.Channels-r.Plan.PIMChannels); err != nil {
			return nil, 0, err
		}
	}
	for _, u := range s.uses {
		switch _, _, err := u.row.Alone(tensor.Float32); {
		case u.measured:
		case err != nil:
			left++
		case u.keep || u.row.Effect > 0:
			u.row.Layer = u.layer()
			rows = append(rows, u.row)
		}
	}
	slices.SortStableFunc(rows, func(a, b profile.Row) int { return cmp.Compare(b.Effect, a.Effect) })
	return rows, left, nil
}

// Suffice returns the least number of the first rows of a list after which the effects of the others add up to less than a
// percentage.
func Suffice(rows []profile.Row, percent float64) int {
	n, rest := len(rows), 0.0
	for n > 0 && rest+rows[n-1].Effect < percent {
		n--
		rest += rows[n].Effect
	}
	return n
}

// survey is the state of List.
type survey struct {
	g       *graph.Graph
	machine *hw.Machine
	typ     tensor.Type
	any     bool
	at      map[key]int // into uses
	uses    []*use
}

// key is a kernel and the number of the GPU's memory channels.
type key struct {
	kernel   string
	channels int
}

// use is a kernel and its users.
type use struct {
	row    profile.Row
	layers []graph.ID
	first  string
	keep   bool // whatever its effect

	measured bool // wherever it is used
}

// layer names the first layer that uses the kernel, and counts the others.
func (u *use) layer() string {
	if n := len(u.layers) - 1; n > 0 {
		return fmt.Sprintf("%s +%d", u.first, n)
	}
	return u.first
}

// use returns the entry of a cut's kernel.
func (s *survey) use(c graph.Cut, cost device.Cost, channels int) *use {
	k := profile.Of(s.g, c, s.typ)
	at := key{k.String(), channels}
	if s.any {
		at.channels = 0
	}
	i, ok := s.at[at]
	if !ok {
		i = len(s.uses)
		s.at[at] = i
		s.uses = append(s.uses, &use{first: s.g.Nodes[c.Node].Name, measured: true, row: profile.Row{
			Kernel: k, Channels: at.channels, Network: s.g.Name, Machine: s.machine.Name, Model: s.model(c, cost, channels),
		}})
	}
	u := s.uses[i]
	u.measured = u.measured && cost.Source == device.Measured
	if !slices.Contains(u.layers, c.Node) {
		u.layers = append(u.layers, c.Node)
	}
	return u
}

// model returns the modelled time of a cut, even if it was measured.
func (s *survey) model(c graph.Cut, cost device.Cost, channels int) device.Time {
	if cost.Source == device.Modelled {
		return cost.Time
	}
	d, err := gpu.New(s.machine, channels)
	if err != nil {
		panic(err) // the costs are of such a GPU
	}
	code, err := d.Compile(s.g, c)
	if err != nil {
		panic(err)
	}
	return code.Cost().Time
}

// steps adds the effect of each kernel of a program on its total.
func (s *survey) steps(tl *run.Timeline, channels int) {
	p := tl.Program
	users := map[*use][]int{}
	var order []*use
	for i, step := range p.Steps {
		if c := step.Code.Cost(); step.Device == plan.GPU && c.Time > 0 {
			on := channels
			if step.Every {
				on = s.machine.Memory.Channels
			}
			u := s.use(step.Cut, c, on)
			if users[u] == nil {
				order = append(order, u)
			}
			users[u] = append(users[u], i)
			u.keep = true
		}
	}
	for _, u := range order {
		with := func(of func(*device.Uncertainty) device.Time) device.Time {
			q := &program.Program{Graph: p.Graph, Steps: slices.Clone(p.Steps)}
			for _, i := range users[u] {
				c := p.Steps[i].Code.Cost()
				c.Time = c.At(of)
				q.Steps[i].Code = &altered{p.Steps[i].Code, c}
			}
			return run.Time(q).Total
		}
		fast, slow := with(func(x *device.Uncertainty) device.Time { return x.Low }), with(func(x *device.Uncertainty) device.Time { return x.High })
		u.row.Effect += percent(float64(slow-fast)/2, tl.Total)
	}
}

// altered is code with another cost.
type altered struct {
	device.Code
	cost device.Cost
}

func (a *altered) Cost() device.Cost { return a.cost }

func percent(part float64, total device.Time) float64 {
	if total == 0 {
		return 0
	}
	return 100 * part / float64(total)
}
