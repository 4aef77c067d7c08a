package search

import (
	"errors"

	"pimflow/internal/candidate"
	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/program"
)

// Layer says how an operation was placed, and its alternatives.
type Layer struct {
	Node graph.ID
	Kind string // gpu, pim, split or pipe
	// Exclusive: the operation runs alone, and the GPU has every memory channel.
	Exclusive bool
	// GPU and PIM are the costs of the whole operation on that device, with the plan's PIM
	// channels; nil if the device does not execute it.
	GPU, PIM *device.Cost
	Lost     *Option  // the fastest other way to execute the operation alone
	Options  []Option // all ways that were tried, alone
}

// Option is a way to execute an operation, with its time alone.
type Option struct {
	Kind  string // gpu, pim or split
	Tiles string // as a plan prints them, with + between
	Time  device.Time
}

// Layers describes each operation under the plan, in the graph's order. Costs that no search has asked for are computed when it is called
// first. It is not safe for concurrent use.
func (r *Result) Layers() ([]Layer, error) {
	if r.layers != nil {
		return r.layers, nil
	}
	g, p := r.Timeline.Program.Graph, r.Plan
	kind, exclusive := map[graph.ID]string{}, map[graph.ID]bool{}
	for _, seg := range p.Segments {
		nodes := map[graph.ID]int{}
		for _, t := range seg.Tiles {
			nodes[t.Node]++
		}
		for _, t := range seg.Tiles {
			exclusive[t.Node] = seg.Exclusive
			switch {
			case nodes[t.Node] == 1:
				kind[t.Node] = t.Device
			case len(nodes) > 1:
				kind[t.Node] = "pipe"
			default:
				kind[t.Node] = "split"
			}
		}
	}
	ds, err := r.target.Devices(p.PIMChannels, p.PIM)
	if err != nil {
		return nil, err
	}
	narrow := program.Narrow(p.Segments)
	list := []Layer{}
	for i, id := range candidate.Operations(g) {
		l := Layer{Node: id, Kind: kind[id], Exclusive: exclusive[id]}
		for _, dev := range []string{plan.GPU, plan.PIM} {
			d, err := program.On(g, plan.Tile{Cut: g.Whole(id), Device: dev}, exclusive[id], narrow, ds)
			if err != nil {
				continue // the plan has no such device
			}
			code, err := d.Compile(g, g.Whole(id))
			if errors.Is(err, device.ErrUnsupported) {
				continue
			}
			if err != nil {
				return nil, err
			}
			c := code.Cost()
			if dev == plan.GPU {
				l.GPU = &c
			} else {
				l.PIM = &c
			}
			l.offer(Option{dev, dev + g.Whole(id).Box.String(), c.Time})
		}
		if r.options != nil {
			l.Options = r.options[i]
		}
		for _, o := range l.Options {
			if o.Kind == "split" {
				l.offer(o)
			}
		}
		list = append(list, l)
	}
	r.layers = list
	return list, nil
}

// offer keeps the fastest option that was not taken.
func (l *Layer) offer(o Option) {
	if o.Kind != l.Kind && (l.Lost == nil || o.Time < l.Lost.Time) {
		l.Lost = &o
	}
}
