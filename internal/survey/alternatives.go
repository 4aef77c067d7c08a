package survey

import (
	"errors"
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/search"
	"pimflow/internal/tensor"
)

// option is a layer executed alone: a box of it on the GPU, the rest on the PIM at the same
// time.
type option struct {
	cut  graph.Cut
	cost device.Cost // of the GPU's part
	rest device.Time // of the PIM's
}

// time returns the time of the option.
func (o *option) time() device.Time { return max(o.cost.Time, o.rest) }

// least returns its time with the GPU's part at its lower bound.
func (o *option) least() device.Time {
	low, _ := o.cost.Bounds()
	return max(low, o.rest)
}

// alternatives adds the possible gains of other placements of the plan's layers.
func (s *survey) alternatives(r *search.Result, t search.Target, channels int) error {
	ds, err := t.Devices(r.Plan.PIMChannels, r.Plan.PIM)
	if err != nil {
		return err
	}
	alone, err := r.Alone()
	if err != nil {
		return err
	}
	narrow := program.Narrow(r.Plan.Segments)
	for i, seg := range r.Plan.Segments {
		every := map[graph.ID]bool{} // on the GPU with every channel
		var nodes []graph.ID         // of the segment, in order
		options := map[graph.ID][]option{}
		best := map[graph.ID]device.Time{}
		sum := device.Time(0)
		for _, tile := range seg.Tiles {
			id := tile.Node
			if _, seen := best[id]; seen {
				continue
			}
			on := func(dev string) (device.Device, error) {
				return program.On(s.g, plan.Tile{Cut: s.g.Whole(id), Device: dev}, seg.Exclusive, narrow, ds)
			}
			gpu, errGPU := on(plan.GPU)
			pim, errPIM := on(plan.PIM)
			if errGPU != nil || errPIM != nil {
				return nil // without both devices there is no alternative
			}
			nodes = append(nodes, id)
			every[id] = gpu.Name() == plan.Every
			var fastest device.Time
			if options[id], fastest, err = s.options(id, gpu, pim); err != nil {
				return err
			}
			best[id] = fastest
			sum += fastest
		}
		for _, id := range nodes {
			// The other layers of a pipeline would run by themselves too.
			on := channels
			if every[id] {
				on = s.machine.Memory.Channels
			}
			s.gains(r, seg, options[id], alone[i]-(sum-best[id]), on)
		}
	}
	return nil
}

// options lists the splits of a layer whose GPU part is all of it or its first rows, ascending.
// fastest is the least time of any of them.
func (s *survey) options(id graph.ID, gpu, pim device.Device) (list []option, fastest device.Time, err error) {
	whole := s.g.Whole(id)
	on, err := gpu.Compile(s.g, whole)
	if err != nil {
		return nil, 0, err
	}
	list = append(list, option{cut: whole, cost: on.Cost()})
	fastest = list[0].time()
	code, err := pim.Compile(s.g, whole)
	if errors.Is(err, device.ErrUnsupported) {
		return list, fastest, nil
	}
	if err != nil {
		return nil, 0, err
	}
	fastest = min(fastest, code.Cost().Time)
	nd := &s.g.Nodes[id]
	if len(nd.Shape) != 4 || !plan.Cuttable(nd, plan.Rows) {
		return list, fastest, nil
	}
	for at := 1; at < nd.Shape[plan.Rows]; at++ {
		o := option{cut: graph.Cut{Node: id, Box: whole.Box.With(plan.Rows, tensor.Range{Lo: 0, Hi: at})}}
		rest := graph.Cut{Node: id, Box: whole.Box.With(plan.Rows, tensor.Range{Lo: at, Hi: nd.Shape[plan.Rows]})}
		if code, err = gpu.Compile(s.g, o.cut); err == nil {
			o.cost = code.Cost()
			code, err = pim.Compile(s.g, rest)
		}
		if errors.Is(err, device.ErrUnsupported) {
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		o.rest = code.Cost().Time
		list = append(list, o)
		fastest = min(fastest, o.time())
	}
	return list, fastest, nil
}

// gains adds the effects of a layer's options, compared with the layer's time in its segment of
// the plan.
func (s *survey) gains(r *search.Result, seg plan.Segment, list []option, have device.Time, channels int) {
	var useful []option // divisions that would gain
	best := 0
	for i, o := range list {
		if o.cost.Time == 0 {
			continue
		}
		whole := i == 0
		if whole {
			s.use(o.cut, o.cost, channels).keep = true
		}
		gain := have - o.least()
		taken := slices.ContainsFunc(seg.Tiles, func(t plan.Tile) bool {
			return t.Device == plan.GPU && t.Node == o.cut.Node && t.Box.Equal(o.cut.Box)
		})
		switch {
		case gain <= 0 || taken:
		case whole:
			s.add(r, o, gain, channels)
		default:
			if useful = append(useful, o); o.time() < useful[best].time() {
				best = len(useful) - 1
			}
		}
	}
	if len(useful) == 0 {
		return
	}
	picks := []int{0, best, len(useful) - 1}
	for _, i := range slices.Compact(picks) {
		s.add(r, useful[i], have-useful[i].least(), channels)
	}
}

// add adds a gain over the plan's total.
func (s *survey) add(r *search.Result, o option, gain device.Time, channels int) {
	s.use(o.cut, o.cost, channels).row.Effect += percent(float64(gain), r.Timeline.Total)
}
