package pimflow

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"

	"pimflow/internal/device"
	"pimflow/internal/fault"
	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/run"
	"pimflow/internal/search"
)

// Best is Least, from whose plan a short local search goes on under policy auto, whatever the effort.
func (s *Session) Best(ctx context.Context, plans []string, how Search) (*Plan, error) {
	return s.among(ctx, plans, how, true)
}

// Least times plans of the model that were made on other machines, as Print wrote them, and returns the best under the objective of a
// search, the first of several. It has the number of PIM channels of the session's machine, and the better of its launches. The other
// switches of the search do not count. An error wraps ErrNoPlan if the machine can execute none of the plans. No lower bound is known.
func (s *Session) Least(ctx context.Context, plans []string, how Search) (*Plan, error) {
	return s.among(ctx, plans, how, false)
}

func (s *Session) among(ctx context.Context, plans []string, how Search, refine bool) (*Plan, error) {
	t, err := s.aim(Search{Objective: how.Objective})
	if err != nil {
		return nil, err
	}
	policy, err := search.Lookup(cmp.Or(how.Policy, DefaultPolicy))
	if err != nil {
		return nil, err
	}
	given, err := s.parse(plans)
	if err != nil {
		return nil, err
	}
	list, err := search.Retime(ctx, s.graph, given, t)
	if err != nil {
		return nil, err
	}
	best := search.Least(list)
	if best != nil && refine && policy.All {
		if best, err = search.Refine(ctx, s.graph, policy, list, t); err != nil {
			return nil, err
		}
	}
	if best == nil {
		return nil, fault.As(fault.Infeasible, fmt.Errorf("%s: machine %s: %w of %d", s.name, s.machine.Name, ErrNoPlan, len(plans)))
	}
	r, err := best.Result(s.graph, t)
	if err != nil {
		return nil, err
	}
	return &Plan{plan: r.Plan, home: s, how: how, target: t, result: r}, nil
}

// Keep times the first of plans that were made on other machines, as Print wrote them, with the number of PIM channels of the session's
// machine, and with its own way to launch if the machine has that. The error says why it does not fit.
func (s *Session) Keep(_ context.Context, plans []string, how Search) (*Plan, error) {
	t, err := s.aim(Search{Objective: how.Objective})
	if err != nil {
		return nil, err
	}
	given, err := s.parse(plans[:1])
	if err != nil {
		return nil, err
	}
	r, err := search.Given(s.graph, t.On(given[0]), t)
	if err != nil {
		return nil, err
	}
	return &Plan{plan: r.Plan, home: s, how: how, target: t, result: r}, nil
}

// parse reads plans that Print wrote. Plans that differ only in the machine they were made for are one.
func (s *Session) parse(texts []string) (list []*plan.Plan, err error) {
	seen := map[*plan.Plan]bool{}
	for i, text := range texts {
		p, err := s.shared.parse(text, fmt.Sprintf("plan %d of %d", i+1, len(texts)), s.graph)
		if err != nil {
			return nil, err
		}
		if !seen[p] {
			seen[p], list = true, append(list, p)
		}
	}
	return list, nil
}

// shared holds the plans and baselines that all sessions of one model use. It is safe for concurrent use.
type shared struct {
	mu    sync.Mutex
	plans map[string]*plan.Plan       // by text, with and without the machine
	alone map[device.Device]*baseline // by the GPU
}

// sharedPlans and sharedGPUs bound what is remembered. Estimated: at 100 kB a plan and 200 kB a timeline with its corners, some 60 MB.
const sharedPlans, sharedGPUs = 1024, 32

// parse reads a plan that Print wrote. It returns the same for all plans that differ in no more than the machine that they were made for.
func (s *shared) parse(text, name string, g *graph.Graph) (*plan.Plan, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.plans[text]; p != nil {
		return p, nil
	}
	p, err := plan.Parse(strings.NewReader(text), name)
	if err != nil {
		return nil, fault.As(fault.Input, err)
	}
	p.Machine, p.From, p.Set = "", "", nil
	var b strings.Builder
	if err := p.Print(&b, g); err != nil {
		return nil, err
	}
	rest := b.String()
	if len(s.plans) >= sharedPlans || s.plans == nil {
		s.plans = map[string]*plan.Plan{}
	}
	if same := s.plans[rest]; same != nil {
		p = same
	}
	s.plans[text], s.plans[rest] = p, p
	return p, nil
}

// baseline is the GPU alone with every memory channel.
type baseline struct {
	timeline  *run.Timeline
	deviating *run.Deviating
	period    run.Period
}

// baseline returns that of the session's machine.
func (s *Session) baseline() (*baseline, error) {
	ds, err := s.target.Devices(0, plan.Extended)
	if err != nil {
		return nil, err
	}
	s.shared.mu.Lock()
	b := s.shared.alone[ds[0]]
	s.shared.mu.Unlock()
	if b != nil {
		return b, nil
	}
	tl, err := search.Baseline(s.graph, s.target)
	if err != nil {
		return nil, err
	}
	b = &baseline{tl, s.deviate(tl.Program), run.Back(tl.Program)}
	s.shared.mu.Lock()
	defer s.shared.mu.Unlock()
	if len(s.shared.alone) >= sharedGPUs || s.shared.alone == nil {
		s.shared.alone = map[device.Device]*baseline{}
	}
	s.shared.alone[ds[0]] = b
	return b, nil
}

// deviate is a program whose times deviate within the errors of the machine's GPU.
func (s *Session) deviate(p *program.Program) *run.Deviating {
	integers, all := integerMACs(s.graph)
	return run.Deviate(s.machine.NetworkErrorIn(s.machine.Memory.ElementSize == 1 || 2*integers > all), p)
}
