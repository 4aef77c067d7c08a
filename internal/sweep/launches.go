package sweep

import (
	"context"
	"fmt"
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/evaluate"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/plan"
	"pimflow/internal/space"
)

// latencies are the launches of the experiment in picoseconds, beside the machine's own.
var latencies = []int64{
	0,
	2_000_000, // estimated: TensorRT in a CUDA graph, 2 to 3 us; where the GPU's file says, that (hw.Launches)
	5_200_000, // measured: kernels launched back to back on an RTX 2060, their start-up included
}

// Launch is a plan under one launch latency of the GPU and of the PIM.
type Launch struct {
	Fused    bool  // a kernel a convolution; else an offset kernel, the convolution and its epilogue, as on artifact
	GPU, PIM int64 // cycles of the GPU's clock
	Joint    bool  // PIM work is launched together (hw.Joint)
	Own      bool  // the unchanged machine
	Times
	// BaseLaunches and Launches are the launch times of the GPU alone and of the plan, summed over
	// both devices even where they overlap.
	BaseLaunches, Launches device.Time
	Free                   Times // of the same plan with launches of no time
	Layers                 int   // number of layers that are not whole on the GPU
}

// Gain is the time that the plan saves.
func (l *Launch) Gain() device.Time { return l.Baseline - l.Total }

// Removed is the launch time of the baseline less that of the plan. It is negative if the plan
// launches more than the GPU alone.
func (l *Launch) Removed() device.Time { return l.BaseLaunches - l.Launches }

// Launches finds the plan for each launch latency, with fused and unfused GPU kernels. PIM
// work is launched like a kernel, each piece by itself or fused; as on the machine where kernels
// are in a graph; or at no cost, as published. Every plan that is found is timed under every launch.
func Launches(ctx context.Context, m *Model) ([]Launch, error) {
	list := variants(m.machine())
	var points, alone, free []space.Point
	for i := range list {
		l := &list[i]
		points = append(points, m.point(l.keys(l.GPU, l.PIM)...))
		alone, free = append(alone, points[i]), append(free, m.point(l.keys(0, 0)...))
		alone[i].Policy = "gpu"
	}
	e, done := m.evaluator(), m.counter(2*len(points))
	_, best, err := e.All(ctx, points, done)
	if err != nil {
		return nil, err
	}
	bases, err := e.Each(ctx, alone, space.Full, nil, func() {})
	if err != nil {
		return nil, err
	}
	for i := range list {
		l := &list[i]
		for _, o := range []*evaluate.Outcome{&best[i], &bases[i]} {
			if o.Err != nil {
				return nil, o.Err
			}
		}
		kept, err := e.Find(ctx, &free[i], evaluate.Kept, []string{best[i].Text})
		if err != nil {
			return nil, err
		}
		r, base := &best[i].Row, &bases[i].Row
		l.Times, l.Free, l.Layers = timesOf(r), timesOf(&kept.Row), divided(best[i].Plan)
		l.BaseLaunches, l.Launches = timeOf(base.Launch)+timeOf(base.PIMLaunch), timeOf(r.Launch)+timeOf(r.PIMLaunch)
	}
	return list, nil
}

// divided counts the layers of a plan that are not whole on the GPU.
func divided(p *plan.Plan) int {
	all, whole := map[graph.ID]bool{}, 0
	for _, s := range p.Segments {
		tiles := map[graph.ID]int{}
		for _, t := range s.Tiles {
			all[t.Node] = true
			tiles[t.Node]++
		}
		for _, t := range s.Tiles {
			if tiles[t.Node] == 1 && t.Device == plan.GPU {
				whole++
			}
		}
	}
	return len(all) - whole
}

// offsets is how many kernels compute offsets before a convolution, and joint how PIM work is launched.
func (l *Launch) offsets() int {
	if l.Fused {
		return 0
	}
	return 1
}

func (l *Launch) joint() string {
	if l.Joint {
		return hw.Joint
	}
	return hw.Each
}

// own reports whether a machine has the launches of l.
func (l *Launch) own(m *hw.Machine) bool {
	return m.GPU.Fused == l.Fused && m.GPU.ConvLaunches == l.offsets() && m.GPU.Launch == l.GPU && m.Link.Launch == l.PIM && m.Launch.PIM == l.joint()
}

// keys set the kernels of l and launch cycles of the GPU and of the PIM.
func (l *Launch) keys(gpu, pim int64) []string {
	return []string{
		fmt.Sprint("gpu.fused=", l.Fused), fmt.Sprint("gpu.conv_offset_launches=", l.offsets()), fmt.Sprint("gpu.launch_ck=", gpu),
		fmt.Sprint("link.pim_launch_ck=", pim), "launch.pim=" + l.joint(),
	}
}

// variants lists the rows of the experiment, each once.
func variants(m *hw.Machine) (list []Launch) {
	cycles := []int64{m.GPU.Launch}
	graph := int64(m.GPU.Launches.Graph.Value * 1e6)
	for i, ps := range latencies {
		if i == 1 && graph > 0 {
			ps = graph
		}
		cycles = append(cycles, m.GPU.Clock.Cycles(ps))
	}
	slices.Sort(cycles)
	for _, fused := range []bool{true, false} {
		for _, ck := range slices.Compact(cycles) {
			ways := []Launch{{PIM: ck}, {PIM: ck, Joint: true}, {}}
			switch {
			case ck == 0:
				ways = ways[2:]
			case fused && graph > 0 && ck == m.GPU.Clock.Cycles(graph) && m.Link.Launch > ck: // not alike
				ways = append(ways, Launch{PIM: m.Link.Launch})
			}
			for _, l := range ways {
				l.Fused, l.GPU = fused, ck
				l.Own = l.own(m)
				list = append(list, l)
			}
		}
	}
	return list
}
