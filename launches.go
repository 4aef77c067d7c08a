package pimflow

import (
	"cmp"
	"context"
	"sync"

	"golang.org/x/sync/errgroup"

	"pimflow/internal/candidate"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/plan"
	"pimflow/internal/search"
)

// LaunchResult is what a search gives where work is launched in one of the ways: on both devices
// by the same mechanism, at the same cost, PIM work each by itself or joint.
type LaunchResult struct {
	GPU       string  `json:"gpu"`           // stream or graph
	PIM       string  `json:"pim"`           // each or joint
	Launch    float64 `json:"launch_us"`     // of a kernel
	PIMLaunch float64 `json:"pim_launch_us"` // of PIM work: the same, unless the machine's file says otherwise
	Own       bool    `json:"own"`           // as the machine says
	Baseline  float64 `json:"baseline_ns"`
	Total     float64 `json:"total_ns"`
	Speedup   float64 `json:"speedup"`
}

// Launches repeats the search of a plan for each way to launch work, which is then that of every
// policy. Every plan that is found is timed in every way; the others than the plan's own are searched at low effort. Each search is that of a machine that is set so; the searches run at the same time, those of
// large graphs one after the other, and share what no launch changes, the mapping of layers to the PIM. Mechanisms whose cost the GPU's
// file does not say are left out.
func (s *Session) Launches(ctx context.Context, p *Plan) (list []LaunchResult, err error) {
	if p, err = s.own(p); err != nil {
		return nil, err
	}
	plans, err := p.relaunch(ctx)
	if err != nil {
		return nil, err
	}
	for _, of := range plans {
		m, r := of.home.machine, of.result
		base, total := r.Baseline.Total.NS(), r.Timeline.Total.NS()
		list = append(list, LaunchResult{m.Launch.GPU, m.Launch.PIM, float64(m.GPU.Clock.PS(m.GPU.Launch)) / 1e6, float64(m.GPU.Clock.PS(m.Link.Launch)) / 1e6, of == p, base, total, base / max(total, 1)})
	}
	return list, nil
}

// relaunch searches the plan for each way to launch work, with the plan's number of PIM channels.
// The plan is its own on its own machine.
func (p *Plan) relaunch(ctx context.Context) (plans []*Plan, err error) {
	home, err := p.home.withChannels(p.channels())
	if err != nil {
		return nil, err
	}
	own := home.machine.Launch
	for _, gpu := range []string{hw.Stream, hw.Graph} {
		for _, pim := range []string{hw.Each, hw.Joint} {
			way, of := hw.Launch{GPU: gpu, PIM: pim}, p
			if way != own {
				if of, err = home.launching(p.how, way); err != nil {
					return nil, err
				}
			}
			if of != nil {
				plans = append(plans, of)
			}
		}
	}
	errs := make([]error, len(plans))
	progress := p.home.phases("launches", len(plans))
	var eg errgroup.Group
	eg.SetLimit(atOnce(p.home.graph))
	for i, of := range plans {
		if of == p {
			continue
		}
		of.target.Progress = progress(i)
		eg.Go(func() error {
			plans[i], errs[i] = of.home.best(ctx, of.how, of.target)
			return nil
		})
	}
	eg.Wait()
	if err := cmp.Or(errs...); err != nil {
		return nil, err
	}
	return plans, swapLaunches(ctx, p, plans)
}

// swapLaunches times each plan under every other way to launch and gives each way the best. The
// plan that was asked for stays.
func swapLaunches(ctx context.Context, own *Plan, plans []*Plan) error {
	var found []*plan.Plan
	for _, p := range plans {
		found = append(found, p.plan)
	}
	for _, p := range plans {
		if p == own {
			continue
		}
		if err := p.swap(ctx, found); err != nil {
			return err
		}
	}
	return nil
}

// togetherNodes is for how many operations searches are made at the same time: one takes up to 1 MB an operation (measured:
// 150 MB for DenseNet-121).
const togetherNodes = 250

// atOnce is how many searches of a graph are made at the same time; each uses all processors.
func atOnce(g *graph.Graph) int { return max(1, togetherNodes/max(1, len(candidate.Operations(g)))) }

// launching is the search of a plan, not yet made, where work is launched in another way; nil where
// the machine does not say what that costs.
func (s *Session) launching(how Search, way hw.Launch) (*Plan, error) {
	c := *s.machine
	if known := s.machine.Given["gpu.launch_ck"].Formula != ""; way.GPU != c.Launch.GPU && !known {
		return nil, nil
	}
	c.Launch = way
	if c.Start().Value == 0 && way.GPU != s.machine.Launch.GPU {
		return nil, nil
	}
	if err := c.Derive(); err != nil {
		return nil, err
	}
	on, err := s.On(&Machine{&c, s.on.from, s.on.changes})
	if err != nil {
		return nil, err
	}
	how.Exact, how.Channels, how.Effort, how.TimeLimit = false, false, search.Low.String(), 0
	t, err := on.aim(how)
	t.Unbounded = true
	return &Plan{home: on, how: how, target: t}, err
}

// phases begins a phase of several searches at once. The function it returns makes that which
// takes the progress of the i-th of them.
func (s *Session) phases(name string, n int) func(i int) func(done, total int) {
	sum := s.phase(name)
	if sum == nil {
		return func(int) func(done, total int) { return nil }
	}
	var mu sync.Mutex
	done, total := make([]int, n), make([]int, n)
	return func(i int) func(int, int) {
		return func(d, t int) {
			mu.Lock()
			defer mu.Unlock()
			done[i], total[i] = max(done[i], d), t
			ds, ts := 0, 0
			for k := range done {
				ds, ts = ds+done[k], ts+total[k]
			}
			sum(ds, ts)
		}
	}
}
