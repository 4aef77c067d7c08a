package profile

import (
	"fmt"
	"io"
	"math"
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/tensor"
)

// Maker makes a device with a number of a machine's memory channels.
type Maker func(m *hw.Machine, channels int) (device.Device, error)

// Over makes devices with measured costs. The time of a kernel is, in this order: measured;
// interpolated between sizes of the same layer; the model's, scaled by measured over modelled
// time at the nearest sizes; the model's, for a layer without measured sizes. Rows for the
// present number of channels come first, then rows for any number. Rows for other numbers only
// scale.
//
// A measured time replaces Time, with its launches. Launches, cycles and the energy of busy SMs
// change in proportion. All other energy, the bytes and the bound stay the model's.
func (p *Profile) Over(model Maker) Maker {
	exact, families := map[string][]member{}, map[string][]member{}
	for i := range p.Rows {
		r := &p.Rows[i]
		if r.Time == 0 {
			continue
		}
		f, size, ok := r.family()
		one := member{r, r.key(), size}
		exact[one.key] = append(exact[one.key], one)
		if ok {
			families[f] = append(families[f], one)
		}
	}
	return func(m *hw.Machine, channels int) (device.Device, error) {
		if err := p.Fits(m); err != nil {
			return nil, err
		}
		t, _ := Type(m)
		d, err := model(m, channels)
		if err != nil {
			return nil, err
		}
		return &profiled{Device: d, file: p.File, exact: exact, families: families, typ: t, channels: channels, clock: m.GPU.Clock,
			model: func(channels int) (device.Device, error) { return model(m, channels) }}, nil
	}
}

// Fits checks a profile against a machine. The error: the machine's floating-point values have
// no type, or a row has more memory channels than the machine.
func (p *Profile) Fits(m *hw.Machine) error {
	if _, ok := Type(m); !ok {
		return fmt.Errorf("%s: machine %s has memory.bytes_per_element %d: 1, 2, 4 or 8 wanted to compare its kernels with measured ones", p.File, m.Name, m.Memory.ElementSize)
	}
	for i := range p.Rows {
		if r := &p.Rows[i]; r.Channels > m.Memory.Channels {
			return fmt.Errorf("%s:%d: channels: %d: at most %d wanted, as machine %s has", p.File, r.Line, r.Channels, m.Memory.Channels, m.Name)
		}
	}
	return nil
}

// Type is the type of a machine's floating-point computation.
func Type(m *hw.Machine) (t tensor.Type, ok bool) {
	t, ok = map[int]tensor.Type{1: tensor.Int8, 2: tensor.Float16, 4: tensor.Float32, 8: tensor.Float64}[m.Memory.ElementSize]
	return t, ok
}

// profiled is a device.Device.
type profiled struct {
	device.Device
	file            string
	exact, families map[string][]member
	typ             tensor.Type
	channels        int
	clock           hw.Period
	model           func(channels int) (device.Device, error)
}

// Form is the model's.
func (d *profiled) Form(g *graph.Graph, id graph.ID) string { return device.Form(d.Device, g, id) }

func (d *profiled) Compile(g *graph.Graph, c graph.Cut) (device.Code, error) {
	modelled, err := d.Device.Compile(g, c)
	if err != nil {
		return nil, err
	}
	cost := modelled.Cost()
	k := Of(g, c, d.typ)
	t, apart, note, err := d.time(g, c, &k, &cost)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.file, err)
	}
	if t > longest {
		return nil, fmt.Errorf("%s: %v: %v, %v: at most an hour wanted", d.file, &k, cost.Source, t)
	}
	out := &code{Code: modelled, cost: cost}
	if cost.Source != device.Modelled {
		out.note = fmt.Sprintf("%v: %v, %v by the model", cost.Source, note, cost.Time)
	}
	if t != cost.Time {
		share := 0.0
		if cost.Time > 0 {
			share = float64(t) / float64(cost.Time)
		}
		out.cost.Time, out.cost.Ticks = t, d.clock.Cycles(int64(t))
		scale := func(t *device.Time) { *t = device.Time(math.Round(float64(*t) * share)) }
		out.cost.Uncertain = slices.Clone(cost.Uncertain)
		for i := range out.cost.Uncertain {
			x := &out.cost.Uncertain[i]
			scale(&x.Time)
			scale(&x.Low)
			scale(&x.High)
		}
		out.cost.Memory = min(cost.Memory, t)
		out.cost.Launch = device.Time(math.Round(float64(cost.Launch) * share))
		out.cost.Energy[device.GPUActive] = cost.Energy[device.GPUActive].Times(share)
	}
	if cost.Source == device.Measured {
		out.cost.Uncertain = nil
		if either := min(t, max(apart, t*spread/100)); either > 0 {
			out.cost.Uncertain = []device.Uncertainty{{Class: "measured", Kind: device.OfMeasurement, Time: t, Low: t - either, High: t + either}}
		}
	}
	return out, nil
}

// spread is the least bounds of a measured time, in per cent to each side, whatever the spread of
// its repeats: rows of almost equal layers differ by 8 % on V100 (TensorRT) and by 6 % on MI100 (MIOpen).
const spread = 8

// time is the time of a kernel, how far measurements of it are apart (0: unknown), and a note on
// its rows. It sets the source.
func (d *profiled) time(g *graph.Graph, c graph.Cut, k *Kernel, cost *device.Cost) (t, apart device.Time, note string, err error) {
	if same := d.here(d.exact[k.key()]); len(same) > 0 {
		cost.Source = device.Measured
		return same[0].Time, same[0].Spread, d.lines(same[:1]), nil
	}
	f, size, ok := k.family()
	all := d.families[f]
	if !ok || len(all) == 0 || cost.Time == 0 {
		return cost.Time, 0, "", nil
	}
	here := d.here(all)
	if ps, ok := interpolate(points(here), size); ok {
		cost.Source = device.Interpolated
		return rounded(ps), 0, d.lines(here), nil
	}
	if len(here) > 0 {
		all = here
	}
	near := closest(all, size)
	sum := 0.0
	for _, r := range near {
		m, err := d.modelOf(g, c, r)
		if err != nil {
			return 0, 0, "", err
		}
		sum += math.Log(float64(r.Time) / float64(m))
	}
	cost.Source = device.Scaled
	ratio := math.Exp(sum / float64(len(near)))
	return rounded(min(float64(cost.Time)*ratio, math.MaxInt64/2)), 0, fmt.Sprintf("%.4f of the model by %s", ratio, d.lines(near)), nil
}

// here is the rows for the present number of channels, and the rows for any number of all other
// kernels.
func (d *profiled) here(list []member) (here []member) {
	for _, n := range []int{d.channels, 0} {
		for _, r := range list {
			if r.Channels == n && !slices.ContainsFunc(here, func(h member) bool { return h.key == r.key }) {
				here = append(here, r)
			}
		}
	}
	return here
}

// modelOf is the model's time of a measured row, as a layer of the network.
func (d *profiled) modelOf(g *graph.Graph, c graph.Cut, r member) (device.Time, error) {
	n := r.Channels
	if n == 0 {
		n = d.channels
	}
	m, err := d.model(n)
	if err != nil {
		return 0, err
	}
	alone, node, err := r.alone(tensor.Float32, weights(g)-weightsOf(g, c.Node), false)
	if err != nil {
		return 0, err
	}
	code, err := m.Compile(alone, alone.Whole(node))
	if err != nil {
		return 0, fmt.Errorf("line %d: %w", r.Line, err)
	}
	return max(1, code.Cost().Time), nil
}

// lines is the text of the rows' line numbers.
func (d *profiled) lines(list []member) string {
	s := fmt.Sprintf("%s:%d", d.file, list[0].Line)
	if len(list) > 1 {
		s += fmt.Sprintf(" and %d more", len(list)-1)
	}
	return s
}

// code is code with another cost.
type code struct {
	device.Code
	cost device.Cost
	note string
}

// Cost is the model's cost with the profile's time.
func (c *code) Cost() device.Cost { return c.cost }

var _ device.Explainer = (*code)(nil)

// Breakdown is the breakdown of the model's time, scaled.
func (c *code) Breakdown() []device.Term {
	return device.Scale(device.Breakdown(c.Code), c.Code.Cost().Time, c.cost.Time, c.cost.Source.String())
}

var _ device.Active = (*code)(nil)

// Activity is that of the model's kernels.
func (c *code) Activity() device.Activity { return device.ActivityOf(c.Code) }

// Print writes the source of the time and the model's kernels.
func (c *code) Print(w io.Writer) error {
	if c.note != "" {
		if _, err := fmt.Fprintln(w, c.note); err != nil {
			return err
		}
	}
	return c.Code.Print(w)
}
