package pimflow

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/fault"
	"pimflow/internal/files"
	"pimflow/internal/hw"
	"pimflow/internal/plan"
	"pimflow/internal/search"
	"pimflow/internal/zoo"
)

// Plan assigns the parts of each layer to devices, in an order.
//
// In the literature: a static schedule with a mapping; a part is a tile.
type Plan struct {
	plan   *plan.Plan
	home   *Session // of the result
	how    Search
	target search.Target
	result *search.Result
	tried  []ChannelsTried
	given  bool // not searched by home
}

// OpenPlan reads a plan that Print wrote, opens its model and times the plan. The machine is
// that of the options, on which a plan of another machine is timed too, or, where they name none, the plan's; model may be "" where the plan's is
// a network that is built in. The number of PIM channels and the launch of PIM work are the plan's: changes to others are an
// error. Errors begin with the plan's file.
func OpenPlan(ctx context.Context, file, model string, o Options) (*Session, *Plan, error) {
	f, err := files.OpenText(file, maxText)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	given, err := plan.Parse(f, file)
	if err != nil {
		return nil, nil, err
	}
	if model == "" {
		if model = given.Model; !slices.Contains(zoo.Names(), model) {
			return nil, nil, fmt.Errorf("%s: a plan of model %.80q, which is no network of the zoo: its file wanted as --model", file, model)
		}
	}
	own, told := o.Machine == "", o.Set
	if own {
		o.Machine = cmp.Or(given.From, given.Machine)
		o.Set = append(slices.Clone(given.Set), o.Set...)
	}
	m, _, err := hw.LoadWith(o.Machine, o.GPU, o.Set)
	if err != nil && own {
		err = fault.As(fault.Input, err)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	if err := fixed(given, m, told); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	if n := given.PIMChannels; n > 0 && n != m.Memory.PIMChannels { // what follows from it is the plan's
		o.Set = append(slices.Clone(o.Set), fmt.Sprintf("%s=%d", hw.PIMChannels, n))
	}
	if own && m.Name != given.Machine {
		return nil, nil, fmt.Errorf("%s: the plan is for machine %.80q, and %s is %.80q", file, given.Machine, o.Machine, m.Name)
	}
	s, err := Open(ctx, model, o)
	if err != nil {
		return nil, nil, err
	}
	p, err := s.own(&Plan{plan: given})
	if err != nil {
		s.Close()
		return nil, nil, fault.As(fault.Input, fmt.Errorf("%s: %w", file, err))
	}
	return s, p, nil
}

// fixed refuses changes of a machine to what a plan says, and a plan of more channels than the machine has.
func fixed(p *plan.Plan, m *hw.Machine, changes []string) error {
	if n, all := p.PIMChannels, m.Memory.Channels; n > all {
		return fmt.Errorf("pim_channels %d: 0 to %d, the memory channels of machine %.80q, wanted", n, all, m.Name)
	}
	for _, f := range []struct {
		line, key string
		other     bool // than the plan's
	}{
		{fmt.Sprintf("pim_channels %d", p.PIMChannels), hw.PIMChannels, p.PIMChannels != m.Memory.PIMChannels},
		{fmt.Sprintf("launch %.80q", p.Launch), "launch.pim", p.Launch != m.Launch.PIM},
	} {
		if text := hw.Changes(changes, f.key); text != "" && f.other {
			return fault.Usagef("the plan says %s: leave out %.80s", f.line, text)
		}
	}
	return nil
}

// Print writes the plan as text that OpenPlan reads.
func (p *Plan) Print(w io.Writer) error {
	c, on := *p.plan, &p.home.on
	if c.From = on.from; c.From == c.Machine {
		c.From = ""
	}
	c.Set = on.changes
	c.Stopped = c.Stopped || p.result.Stopped
	return c.Print(w, p.home.graph)
}

// Step is a part of a layer on a device, in the order of a plan.
type Step struct {
	Layer string
	Tile
	Commands map[string]int64 // kernels, or DRAM commands over all channels, by kind
	code     device.Code
}

// Print writes the step's code: the GPU's kernels, or the loop nest of DRAM commands of each PIM
// channel.
func (s *Step) Print(w io.Writer) error { return s.code.Print(w) }

// Steps lists the steps of a plan in its order. Steps of different devices overlap in time.
func (s *Session) Steps(p *Plan) ([]Step, error) {
	p, err := s.own(p)
	if err != nil {
		return nil, err
	}
	var list []Step
	program := p.result.Timeline.Program
	for i := range program.Steps {
		st := &program.Steps[i]
		step := Step{Layer: s.graph.Nodes[st.Node].Name, Tile: newTile(s, p.result.Timeline, i), Commands: map[string]int64{}, code: st.Code}
		for _, c := range st.Code.Cost().Commands {
			if c.N > 0 {
				step.Commands[c.Kind] = c.N
			}
		}
		list = append(list, step)
	}
	return list, nil
}

// Internal serves the commands of this module. Other modules cannot name its type.
func (p *Plan) Internal() *search.Result { return p.result }
