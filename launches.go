package pimflow

import (
	"context"

	"pimflow/internal/hw"
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
// policy. Mechanisms whose cost the GPU's file does not say are left out.
func (s *Session) Launches(ctx context.Context, p *Plan) ([]LaunchResult, error) {
	p, err := s.own(p)
	if err != nil {
		return nil, err
	}
	own := p.home.machine.Launch
	var list []LaunchResult
	for _, gpu := range []string{hw.Stream, hw.Graph} {
		for _, pim := range []string{hw.Each, hw.Joint} {
			way, plan := hw.Launch{GPU: gpu, PIM: pim}, p
			if way != own {
				if plan, err = p.launched(ctx, way); err != nil {
					return nil, err
				}
				if plan == nil {
					continue
				}
			}
			m, r := plan.home.machine, plan.result
			base, total := r.Baseline.Total.NS(), r.Timeline.Total.NS()
			list = append(list, LaunchResult{gpu, pim, float64(m.GPU.Clock.PS(m.GPU.Launch)) / 1e6, float64(m.GPU.Clock.PS(m.Link.Launch)) / 1e6, way == own, base, total, base / max(total, 1)})
		}
	}
	return list, nil
}

// launched searches again where work is launched in another way; nil where the machine does not
// say what that costs.
func (p *Plan) launched(ctx context.Context, way hw.Launch) (*Plan, error) {
	home := p.home
	c := *home.machine
	if known := home.machine.Given["gpu.launch_ck"].Formula != ""; way.GPU != c.Launch.GPU && !known {
		return nil, nil
	}
	c.Launch = way
	if c.Start().Value == 0 && way.GPU != home.machine.Launch.GPU {
		return nil, nil
	}
	if err := c.Derive(); err != nil {
		return nil, err
	}
	on, err := home.On(&Machine{&c, home.on.from, home.on.changes})
	if err != nil {
		return nil, err
	}
	how := p.how
	how.Exact, how.Channels = false, false
	t, err := on.aim(how)
	if err != nil {
		return nil, err
	}
	t.Progress = home.phase("launches: " + way.GPU + ", " + way.PIM)
	return on.best(ctx, how, t)
}
