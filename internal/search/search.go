package search

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"pimflow/internal/candidate"
	"pimflow/internal/device"
	"pimflow/internal/fault"
	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/run"
	"pimflow/internal/search/local"
)

// Result is the best plan found.
type Result struct {
	Plan      *plan.Plan
	Timeline  *run.Timeline
	Baseline  *run.Timeline // of the policy "gpu"
	Standby   device.Ledger // of the target
	Objective Objective
	Value     float64       // of the objective
	Bound     device.Time   // a lower bound of the makespan of all plans (package bound); 0: not computed
	BoundTwo  device.Time   // the same for plans that cut no node into more than two tiles
	Exact     bool          // no plan of the exact mode has a lower objective (exact.go)
	Effort    Effort        // that iterations reached: the target's, or less at its time limit
	Stopped   bool          // the search was stopped: the plan is the best so far
	Elapsed   time.Duration // of the search alone

	target  Target
	options [][]Option // by operation: the ways to execute it alone that the search tried
	layers  []Layer
}

// Best searches the plans of a graph under a policy. If ctx ends, a policy with All returns the
// best plan so far; other policies return an error.
func Best(ctx context.Context, g *graph.Graph, p Policy, t Target) (*Result, error) {
	if err := t.holds(g); err != nil {
		return nil, err
	}
	return newSearch(g, t).best(ctx, p)
}

// best is Best.
func (s *search) best(ctx context.Context, p Policy) (res *Result, err error) {
	s.begin = time.Now()
	if p.All {
		res, err = s.auto(ctx, p)
	} else {
		res, err = s.single(ctx, p)
	}
	if err != nil {
		return nil, err
	}
	res.Plan.Policy = p.Name
	return s.finish(res, s.begin)
}

// ErrNoDevice is wrapped by the error of a policy that has no device for a node.
var ErrNoDevice = errors.New("no device executes it")

// single is the best plan of one policy.
func (s *search) single(ctx context.Context, p Policy) (*Result, error) {
	s.total = len(s.order)
	c, err := s.solve(ctx, p)
	if err != nil {
		return nil, err
	}
	if s.t.Launch == plan.Fused {
		if _, err := s.fuse(ctx, c, p); err != nil {
			return nil, err
		}
	}
	s.options = c.options
	return &Result{Plan: c.plan, Timeline: c.timeline}, nil
}

// finish completes a result that has a plan and its timeline.
func (s *search) finish(res *Result, begin time.Time) (_ *Result, err error) {
	if res.Baseline, err = s.baseline(); err != nil {
		return nil, err
	}
	res.target, res.options = s.t, s.options
	res.Standby = s.t.Standby
	res.Effort = s.reached
	res.Objective, res.Value = s.t.Objective, s.value(res.Timeline)
	res.Elapsed = time.Since(begin)
	return res, nil
}

// Given times a plan that was made before, as Best times the plan that it finds.
func Given(g *graph.Graph, p *plan.Plan, t Target) (*Result, error) {
	if err := t.holds(g); err != nil {
		return nil, err
	}
	begin := time.Now()
	t.PIMChannels = p.PIMChannels
	s := newSearch(g, t)
	tl, err := s.time(p)
	if err != nil {
		return nil, err
	}
	return s.finish(&Result{Plan: p, Timeline: tl}, begin)
}

// Alone is the makespan of each segment of the plan alone.
func (r *Result) Alone() (list []device.Time, err error) {
	ds, err := r.target.Devices(r.Plan.PIMChannels, r.Plan.PIM)
	if err != nil {
		return nil, err
	}
	narrow := program.Narrow(r.Plan.Segments)
	for i := range r.Plan.Segments {
		part, err := program.Part(r.Timeline.Program.Graph, r.Plan.Segments[i:i+1], ds, narrow)
		if err != nil {
			return nil, err
		}
		candidate.LaunchOf(r.Plan.Launch).Fuse(part)
		list = append(list, run.Time(part).Total)
	}
	return list, nil
}

// search is the state of one call of Best. Tests and benchmarks set its tables.
type search struct {
	g           *graph.Graph
	fingerprint string // of g
	t           Target
	order       []graph.ID         // the operations
	options     [][]Option         // by operation: the ways to execute it alone
	standby     float64            // pJ a nanosecond
	stores      []*candidate.Store // by devices, in the order of their first use
	policies    []Policy
	local       *local.Options
	points      int                             // candidate.Store.Points
	always      float64                         // exactAlways
	pinned      map[device.Device]device.Device // devices, by themselves, without the nodes that are pinned elsewhere
	done        atomic.Int64
	total       int
	begin       time.Time
	reached     Effort // by the iterations
}

func newSearch(g *graph.Graph, t Target) *search {
	return &search{
		g: g, fingerprint: g.Fingerprint(), t: t, order: candidate.Operations(g), standby: t.Standby.Total().Value,
		policies: policies, local: local.Default(), points: candidate.Points, always: exactAlways,
		pinned: map[device.Device]device.Device{},
	}
}

func (s *search) devices(p *plan.Plan) ([]device.Device, error) {
	return s.t.Devices(p.PIMChannels, p.PIM)
}

// time is the timeline of a plan that memory has room for.
func (s *search) time(p *plan.Plan) (*run.Timeline, error) {
	prog, err := s.build(p)
	if err == nil && s.t.Fits != nil {
		err = s.t.Fits(prog)
	}
	if err != nil {
		return nil, err
	}
	return run.Time(prog), nil
}

// unlimited is the timeline of a plan, whether or not memory has room for it.
func (s *search) unlimited(p *plan.Plan) (*run.Timeline, error) {
	prog, err := s.build(p)
	if err != nil {
		return nil, err
	}
	return run.Time(prog), nil
}

func (s *search) build(p *plan.Plan) (*program.Program, error) {
	ds, err := s.devices(p)
	if err != nil {
		return nil, err
	}
	return program.Build(s.g, p, ds)
}

// Baseline is the timeline of policy "gpu".
func Baseline(g *graph.Graph, t Target) (*run.Timeline, error) { return newSearch(g, t).baseline() }

func (s *search) baseline() (*run.Timeline, error) {
	if s.t.Baseline != nil {
		return s.t.Baseline, nil
	}
	p := s.blank(Policy{Name: "gpu"})
	for _, id := range s.order {
		p.Segments = append(p.Segments, plan.Whole(s.g, id, plan.GPU))
	}
	return s.time(p)
}

// value is the objective of a plan's timeline.
func (s *search) value(tl *run.Timeline) float64 {
	return s.t.Objective.value(tl.Total, energyOf(tl), s.standby)
}

// energyOf is the energy of the steps of a program, in pJ without standby.
func energyOf(tl *run.Timeline) (sum float64) {
	for i := range tl.Program.Steps {
		c := tl.Program.Steps[i].Code.Cost()
		sum += c.Energy.Total().Value
	}
	return sum
}

// blank is a plan without segments.
func (s *search) blank(p Policy) *plan.Plan {
	pl := &plan.Plan{Graph: s.fingerprint, Model: s.g.Name, Machine: s.t.Machine, Policy: p.Name, PIM: plan.Extended, Launch: cmp.Or(p.launch, plan.Each)}
	if p.PIM != "" {
		pl.PIM, pl.PIMChannels = p.PIM, s.t.PIMChannels
	}
	return pl
}

// planOf is the plan of windows in order.
func (s *search) planOf(p Policy, list []*candidate.Window) *plan.Plan {
	pl := s.blank(p)
	for _, t := range list {
		pl.Segments = append(pl.Segments, t.Segment())
	}
	return pl
}

// progress reports that one more node is searched.
func (s *search) progress() {
	if s.t.Progress != nil {
		s.t.Progress(min(int(s.done.Add(1)), s.total), s.total)
	}
}

// noDevice is the error of a node that no device executes under a policy.
func (s *search) noDevice(i int, p Policy) error {
	pinned := ""
	if dev := s.t.Pins[s.order[i]]; dev != "" {
		pinned = ", pinned to " + dev
	}
	why, pl := "", s.blank(p)
	gpu := func(d device.Device) bool { return d.Name() == plan.GPU }
	if ds, err := s.devices(pl); err == nil && s.t.Pins[s.order[i]] != plan.PIM && !slices.ContainsFunc(ds, gpu) {
		why = fmt.Sprintf(": %d channels compute, which leaves the GPU none", pl.PIMChannels)
	}
	return fault.As(fault.Infeasible, fmt.Errorf("node %.80q%s: policy %s: %w%s", s.g.Nodes[s.order[i]].Name, pinned, p.Name, ErrNoDevice, why))
}
