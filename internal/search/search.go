// Package search finds the fastest plan of a graph under a policy. The cost of a
// candidate is the time of the program that is that candidate alone: there is no
// cost table beside the simulation. A dynamic programme over the graph's order
// chains the best candidates; the plan's time is then that of the whole program,
// where segments may overlap further.
//
// A graph and a maker of devices go in, a plan with its timeline comes out. The
// package does not know how a device computes its costs.
package search

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/memory"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/run"
)

// Result is the best plan found.
type Result struct {
	Plan     *plan.Plan
	Timeline *run.Timeline
	Alone    []device.Time // of each segment of the plan, executed by itself
	Baseline *run.Timeline // the policy "gpu"
	Layers   []Layer       // one an operation, in the graph's order
	Standby  device.Ledger // of the target
	Elapsed  time.Duration // the search alone
}

// Best searches the policy's plans of a graph.
func Best(ctx context.Context, g *graph.Graph, p Policy, t Target) (*Result, error) {
	begin := time.Now()
	s := newSearch(g, t)
	try := []Policy{p}
	if p.All {
		for _, q := range policies {
			if !q.All {
				try = append(try, q)
			}
		}
	}
	s.total = len(try) * len(s.order)
	res := &Result{}
	var none error
	for i, q := range try {
		pl, tl, options, err := s.plan(ctx, q)
		if errors.Is(err, errNoDevice) { // another policy may have a device for every node
			none = cmp.Or(none, err)
			continue
		}
		if err != nil {
			return nil, err
		}
		if res.Plan == nil || tl.Total < res.Timeline.Total {
			res.Plan, res.Timeline = pl, tl
			pl.Policy = p.Name
		}
		if i == 0 {
			s.options = options
		}
	}
	if res.Plan == nil {
		return nil, none
	}
	return s.finish(res, begin)
}

// errNoDevice says that a policy has no device for a node.
var errNoDevice = errors.New("no device executes it")

// finish adds to a result with a plan and its timeline what else there is to say.
func (s *search) finish(res *Result, begin time.Time) (_ *Result, err error) {
	if res.Baseline, err = s.baseline(); err != nil {
		return nil, err
	}
	if res.Layers, err = s.layers(res.Plan); err != nil {
		return nil, err
	}
	for _, seg := range res.Plan.Segments {
		part, err := s.part(res.Plan, seg)
		if err != nil {
			return nil, err
		}
		res.Alone = append(res.Alone, run.Time(part).Total)
	}
	res.Standby = s.t.Standby
	res.Elapsed = time.Since(begin)
	return res, nil
}

// Given times a plan that was made before, as Best does with the one it finds.
func Given(g *graph.Graph, p *plan.Plan, t Target) (*Result, error) {
	begin := time.Now()
	t.PIMChannels = p.PIMChannels
	s := newSearch(g, t)
	tl, err := s.time(p)
	if err != nil {
		return nil, err
	}
	return s.finish(&Result{Plan: p, Timeline: tl}, begin)
}

// search is the state of one call of Best.
type search struct {
	g       *graph.Graph
	t       Target
	order   []graph.ID               // the operations
	options map[graph.ID][]candidate // of single nodes, for Layers
	done    atomic.Int64
	total   int
}

func newSearch(g *graph.Graph, t Target) *search {
	s := &search{g: g, t: t}
	for i := range g.Nodes {
		if g.Nodes[i].Op != nil && g.Nodes[i].Shape.Size() > 0 {
			s.order = append(s.order, graph.ID(i))
		}
	}
	return s
}

func (s *search) devices(p *plan.Plan) ([]device.Device, error) {
	return s.t.Devices(p.PIMChannels, p.PIM)
}

func (s *search) time(p *plan.Plan) (*run.Timeline, error) {
	ds, err := s.devices(p)
	if err != nil {
		return nil, err
	}
	prog, err := program.Build(s.g, p, ds)
	if err != nil {
		return nil, err
	}
	if s.t.Fits != nil {
		if err := s.t.Fits(prog); err != nil {
			return nil, err
		}
	}
	return run.Time(prog), nil
}

func (s *search) part(p *plan.Plan, seg plan.Segment) (*program.Program, error) {
	ds, err := s.devices(p)
	if err != nil {
		return nil, err
	}
	return program.Part(s.g, seg.Tiles, ds)
}

func (s *search) baseline() (*run.Timeline, error) {
	p := s.blank(Policy{Name: "gpu"})
	for _, id := range s.order {
		p.Segments = append(p.Segments, plan.Whole(s.g, id, plan.GPU))
	}
	return s.time(p)
}

// blank is a plan without segments.
func (s *search) blank(p Policy) *plan.Plan {
	pl := &plan.Plan{Graph: s.g.Fingerprint(), Model: s.g.Name, Machine: s.t.Machine, Policy: p.Name, PIM: plan.Extended}
	if p.PIM != "" {
		pl.PIM, pl.PIMChannels = p.PIM, s.t.PIMChannels
	}
	return pl
}

// plan finds the best plan of one policy and its timeline. It also returns the
// candidates of each node alone. A plan that memory has no room for is found again
// without the candidates that have the first node without room on the PIM.
func (s *search) plan(ctx context.Context, p Policy) (*plan.Plan, *run.Timeline, map[graph.ID][]candidate, error) {
	ds, err := s.devices(s.blank(p))
	if err != nil {
		return nil, nil, nil, err
	}
	from := make([][]candidate, len(s.order)) // candidates that begin at each node
	var eg errgroup.Group
	eg.SetLimit(runtime.GOMAXPROCS(0))
	for i := range s.order {
		eg.Go(func() (err error) {
			if from[i], err = s.candidates(ctx, i, p, ds); err == nil && s.t.Progress != nil {
				s.t.Progress(int(s.done.Add(1)), s.total)
			}
			return err
		})
	}
	if err := eg.Wait(); err != nil {
		return nil, nil, nil, err
	}
	pl, err := s.chained(p, from)
	if err != nil {
		return nil, nil, nil, err
	}
	tl, err := s.time(pl)
	for full := (*memory.FullError)(nil); errors.As(err, &full); tl, err = s.time(pl) {
		for i := range from {
			from[i] = slices.DeleteFunc(from[i], func(c candidate) bool { return c.onPIM(full.Node) })
		}
		if pl, err = s.chained(p, from); err != nil {
			return nil, nil, nil, fmt.Errorf("%w: %w", full, err)
		}
	}
	if err != nil {
		return nil, nil, nil, err
	}
	options := map[graph.ID][]candidate{}
	for i, id := range s.order {
		for _, c := range from[i] {
			if c.nodes == 1 {
				options[id] = append(options[id], c)
			}
		}
	}
	return pl, tl, options, nil
}

// chained is the plan of the fastest chain of candidates, by a dynamic programme.
func (s *search) chained(p Policy, from [][]candidate) (*plan.Plan, error) {
	pl := s.blank(p)
	best := make([]device.Time, len(s.order)+1) // time of the nodes before
	last := make([]*candidate, len(s.order)+1)  // the candidate that ends there
	for i := range s.order {
		for k := range from[i] {
			c := &from[i][k]
			if end := i + c.nodes; last[end] == nil || best[i]+c.time < best[end] {
				best[end], last[end] = best[i]+c.time, c
			}
		}
		if last[i+1] == nil {
			return nil, fmt.Errorf("node %q: policy %s: %w", s.g.Nodes[s.order[i]].Name, p.Name, errNoDevice)
		}
	}
	for i := len(s.order); i > 0; i -= last[i].nodes {
		pl.Segments = append(pl.Segments, last[i].segment)
	}
	slices.Reverse(pl.Segments)
	return pl, nil
}

// candidate is a segment over consecutive nodes of the order, and its time alone.
type candidate struct {
	kind    string // gpu, pim, split or pipe
	nodes   int
	segment plan.Segment
	time    device.Time
}

// onPIM reports whether the candidate has any of a node on the PIM.
func (c *candidate) onPIM(id graph.ID) bool {
	return slices.ContainsFunc(c.segment.Tiles, func(t plan.Tile) bool { return t.Node == id && t.Device == plan.PIM })
}

// candidates returns the fastest candidate of each kind and length that begins
// at the i-th node; the first of them on a tie.
func (s *search) candidates(ctx context.Context, i int, p Policy, ds []device.Device) ([]candidate, error) {
	var list []candidate
	try := func(kind string, nodes int, seg plan.Segment) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		prog, err := program.Part(s.g, seg.Tiles, ds)
		if errors.Is(err, device.ErrUnsupported) {
			return nil
		}
		if err != nil {
			return err
		}
		c := candidate{kind, nodes, seg, run.Time(prog).Total}
		for k := range list {
			if list[k].kind == kind && list[k].nodes == nodes {
				if c.time < list[k].time {
					list[k] = c
				}
				return nil
			}
		}
		list = append(list, c)
		return nil
	}
	id := s.order[i]
	nd := &s.g.Nodes[id]
	onPIM := s.compiles(id, plan.PIM, ds) && (p.Only == nil || p.Only(s.g, nd))
	offload := p.Offload != nil && onPIM && p.Offload(s.g, nd)
	for _, d := range ds {
		if offload && d.Name() != plan.PIM || p.Only != nil && !onPIM && d.Name() == plan.PIM {
			continue
		}
		if err := try(d.Name(), 1, plan.Whole(s.g, id, d.Name())); err != nil {
			return nil, err
		}
	}
	if offload {
		return list, nil
	}
	if p.Splits != nil && onPIM && plan.Cuttable(nd) && s.compiles(id, plan.GPU, ds) {
		for _, at := range p.Splits(s.g, nd) {
			if seg, ok := plan.Split(s.g, id, at, plan.GPU, plan.PIM); ok {
				if err := try("split", 1, seg); err != nil {
					return nil, err
				}
			}
		}
	}
	for _, ch := range p.Chains {
		ids, ok := s.chain(i, ch, ds)
		if !ok {
			continue
		}
		for _, seg := range ch.Pipe(s.g, ids, ch.Devices) {
			if err := try("pipe", len(ids), seg); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}

// compiles reports whether a device executes a node whole, which decides for its
// parts too.
func (s *search) compiles(id graph.ID, dev string, ds []device.Device) bool {
	for _, d := range ds {
		if d.Name() == dev {
			_, err := d.Compile(s.g, s.g.Whole(id))
			return err == nil
		}
	}
	return false
}

// chain returns the nodes from the i-th on that a kind of pipeline would cover.
func (s *search) chain(i int, ch Chain, ds []device.Device) ([]graph.ID, bool) {
	if i+len(ch.Nodes) > len(s.order) {
		return nil, false
	}
	ids := s.order[i : i+len(ch.Nodes)]
	for k, id := range ids {
		nd := &s.g.Nodes[id]
		if k > 0 && !slices.Contains(nd.In, ids[k-1]) {
			return nil, false
		}
		if !ch.Nodes[k](s.g, nd) || !s.compiles(id, ch.Devices[k], ds) {
			return nil, false
		}
	}
	return ids, true
}
