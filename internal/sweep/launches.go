package sweep

import (
	"context"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"pimflow/internal/device"
	"pimflow/internal/hw"
	"pimflow/internal/platform"
	"pimflow/internal/search"
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
	list := variants(m.Machine)
	p := platform.NewPool(nil)
	var points []*point
	for i := range list {
		points = append(points, &point{machine: list[i].machine(m.Machine, list[i].GPU, list[i].PIM), pool: p})
	}
	if _, err := best(ctx, m, points); err != nil {
		return nil, err
	}
	var eg errgroup.Group
	eg.SetLimit(runtime.GOMAXPROCS(0))
	for i, x := range points {
		if x.err != nil {
			return nil, x.err
		}
		eg.Go(func() error { return list[i].of(m, p, x) })
	}
	return list, eg.Wait()
}

// of sets what a row says of the best plan of its machine.
func (l *Launch) of(m *Model, p *platform.Pool, x *point) error {
	t, err := platform.Target(x.machine, p.Makers())
	if err != nil {
		return err
	}
	r, err := search.Given(m.Graph, x.plan, t)
	if err != nil {
		return err
	}
	l.Times = timesOf(r)
	base, of := r.Baseline.Busy(), r.Timeline.Busy()
	l.BaseLaunches, l.Launches = base.Launch+base.PIMLaunch, of.Launch+of.PIMLaunch
	layers, err := r.Layers()
	if err != nil {
		return err
	}
	for _, layer := range layers {
		if layer.Kind != "gpu" {
			l.Layers++
		}
	}
	if t, err = platform.Target(l.machine(m.Machine, 0, 0), p.Makers()); err != nil {
		return err
	}
	free, err := search.Given(m.Graph, r.Plan, t)
	if err == nil {
		l.Free = timesOf(free)
	}
	return err
}

// machine returns the machine with the kernels and the launch cycles of l.
func (l *Launch) machine(m *hw.Machine, gpu, pim int64) *hw.Machine {
	c := *m
	c.GPU.Fused, c.GPU.ConvLaunches = l.Fused, 0
	if !l.Fused {
		c.GPU.ConvLaunches = 1
	}
	c.GPU.Launch, c.Link.Launch, c.Launch.PIM = gpu, pim, hw.Each
	if l.Joint {
		c.Launch.PIM = hw.Joint
	}
	return &c
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
				c := l.machine(m, ck, l.PIM)
				l.Own = c.GPU == m.GPU && c.Link == m.Link && c.Launch == m.Launch
				list = append(list, l)
			}
		}
	}
	return list
}
