package pimflow

import (
	"strings"

	"pimflow/internal/explain"
	"pimflow/internal/fault"
	"pimflow/internal/nearest"
	"pimflow/internal/plan"
	"pimflow/internal/search"
)

// Reason is the placement of a layer in a plan and its time elsewhere. Tiles are written as plans
// print them, with + between: "gpu[0:1 0:16 0:8 0:8] + pim[0:1 16:32 0:8 0:8]".
type Reason struct {
	Name      string  `json:"name"`
	Op        string  `json:"op"`
	Shape     []int   `json:"shape"`
	Kind      string  `json:"kind"`      // gpu, pim, split or pipe
	Exclusive bool    `json:"exclusive"` // it runs alone: the GPU has every memory channel
	Placement string  `json:"placement"` // its tiles
	NS        float64 `json:"ns"`        // in the plan, from the first start to the last end
	Alone     float64 `json:"alone_ns"`  // of the same tiles, executed by themselves
	GPU       *Whole  `json:"gpu"`       // the whole layer on the GPU; nil if the GPU cannot execute it
	GPULow    float64 `json:"gpu_low_ns"`
	GPUHigh   float64 `json:"gpu_high_ns"`
	PIM       *Whole  `json:"pim"` // the whole layer on the PIM; nil likewise
	// Best is the fastest alone on other devices; nil for none.
	Best *Alternative `json:"best"`
}

// Alternative is another way to execute a layer.
type Alternative struct {
	Tiles string  `json:"tiles"`
	NS    float64 `json:"ns"`                         // alone
	By    float64 `json:"lost_by_ns"`                 // NS less the placement's Alone; below 0 where it is faster
	Share float64 `json:"lost_by_of_alone,omitempty"` // By as a share of the placement's Alone
	// Why is why it lost: slower alone; tie, the plan would take as long; launch, busy, chain, the plan would take longer, since PIM work is
	// launched more often, a device has other work then, or others wait; room or order, it has no place; better: it has not lost, and the
	// search has not found it.
	Why string `json:"why"`
}

// Explanation is a layer with all its alternatives.
type Explanation struct {
	Reason
	MACs    int64    `json:"macs"`
	Tiles   []Wait   `json:"tiles"`
	Options []Way    `json:"options"` // the placement among them, the fastest alone first
	Refused []string `json:"refused"` // why there are no others
}

// Wait is a tile in the plan with the cause of its start time.
type Wait struct {
	Device string  `json:"device"`
	Box    string  `json:"box"`
	Start  float64 `json:"start_ns"`
	End    float64 `json:"end_ns"`
	Joined bool    `json:"joined"`     // launched with the PIM's tile before
	Longer float64 `json:"longer_ns"`  // than alone: the other device uses the bandwidth too
	For    string  `json:"waited_for"` // until its start
}

// Way is a way to execute a layer.
type Way struct {
	Chosen bool    `json:"chosen"`
	Tiles  string  `json:"tiles"`
	NS     float64 `json:"ns"`              // alone
	Energy float64 `json:"energy_pj"`       // without standby
	With   float64 `json:"with_standby_pj"` // with that of the time alone
	Total  float64 `json:"plan_ns"`         // of the plan with it in the placement's place; 0: no place, or no room
	Why    string  `json:"why"`             // the reason why it was chosen or lost
	Parts  []Part  `json:"parts"`
}

// Part is a tile of a Way.
type Part struct {
	Device string  `json:"device"`
	Box    string  `json:"box"`
	NS     float64 `json:"ns"`
	Bound  string  `json:"bound"` // what limits it
	Terms  []Term  `json:"terms"` // breakdown of NS, the largest first
}

// Term is a part of a time.
type Term struct {
	Name string  `json:"name"`
	NS   float64 `json:"ns"`
}

// Reasons returns the placement of every layer of a plan and its time elsewhere, in the graph's
// order.
func (s *Session) Reasons(p *Plan) ([]Reason, error) {
	p, e, err := s.explainer(p)
	if err != nil {
		return nil, err
	}
	layers, err := p.result.Layers()
	if err != nil {
		return nil, err
	}
	var list []Reason
	for i := range layers {
		r, _, err := s.reason(e, &layers[i])
		if err != nil {
			return nil, err
		}
		list = append(list, *r)
	}
	return list, nil
}

// Explain returns all alternatives of one layer, the breakdowns of their times, and the time of the
// plan with each. The error for an unknown layer names the nearest.
func (s *Session) Explain(p *Plan, layer string) (*Explanation, error) {
	p, e, err := s.explainer(p)
	if err != nil {
		return nil, err
	}
	layers, err := p.result.Layers()
	if err != nil {
		return nil, err
	}
	l, err := s.layer(layers, layer)
	if err != nil {
		return nil, err
	}
	r, placed, err := s.reason(e, l)
	if err != nil {
		return nil, err
	}
	x := &Explanation{Reason: *r, MACs: s.graph.MACs(s.graph.Whole(l.Node)), Refused: []string{}}
	for _, t := range e.Tiles(placed) {
		x.Tiles = append(x.Tiles, Wait{t.Device, t.Box.String(), t.Start.NS(), t.End.NS(), t.Joined, t.Longer.NS(), t.Waited})
	}
	options, refused, err := e.Options(placed)
	if err != nil {
		return nil, err
	}
	for i := range options {
		x.Options = append(x.Options, newWay(&options[i]))
	}
	x.Refused = append(x.Refused, refused...)
	return x, nil
}

func newWay(o *explain.Option) Way {
	w := Way{Chosen: o.Chosen, Tiles: tilesText(o.Tiles()), NS: o.Time.NS(), Energy: o.Energy, With: o.With, Total: o.Total.NS(), Why: o.Why}
	for k := range o.Parts {
		p := &o.Parts[k]
		part := Part{Device: p.Device, Box: p.Box.String(), NS: p.Cost.Time.NS(), Bound: p.Cost.Bound, Terms: []Term{}}
		for _, t := range p.Breakdown() {
			part.Terms = append(part.Terms, Term{t.Name, t.Time.NS()})
		}
		w.Parts = append(w.Parts, part)
	}
	return w
}

func (s *Session) explainer(p *Plan) (*Plan, *explain.Explainer, error) {
	p, err := s.own(p)
	if err != nil {
		return nil, nil, err
	}
	e, err := explain.New(s.graph, p.result, p.target)
	return p, e, err
}

func (s *Session) reason(e *explain.Explainer, l *search.Layer) (*Reason, *explain.Placed, error) {
	p, err := e.Placed(l)
	if err != nil {
		return nil, nil, err
	}
	nd := &s.graph.Nodes[l.Node]
	r := &Reason{
		Name: nd.Name, Op: nd.Operators(), Shape: nd.Shape, Kind: l.Kind, Exclusive: l.Exclusive, Placement: tilesText(p.Tiles),
		NS: (p.End - p.Start).NS(), Alone: p.Alone.NS(), GPU: newWhole(l.GPU), PIM: newWhole(l.PIM),
	}
	if l.GPU != nil {
		low, high := l.GPU.Bounds()
		r.GPULow, r.GPUHigh = low.NS(), high.NS()
	}
	best, err := e.Best(p)
	if err != nil {
		return nil, nil, err
	}
	if best != nil {
		r.Best = &Alternative{Tiles: tilesText(best.Tiles()), NS: best.Time.NS(), By: (best.Time - p.Alone).NS()}
		if p.Alone > 0 {
			r.Best.Share = float64(best.Time-p.Alone) / float64(p.Alone)
		}
		if r.Best.Why, err = e.Cause(p, best); err != nil {
			return nil, nil, err
		}
	}
	return r, p, nil
}

// tilesText is tiles as a plan prints them.
func tilesText(tiles []plan.Tile) string {
	var list []string
	for _, t := range tiles {
		list = append(list, t.Device+t.Box.String())
	}
	return strings.Join(list, " + ")
}

// layer finds a layer of a result.
func (s *Session) layer(layers []search.Layer, name string) (*search.Layer, error) {
	var names []string
	for i := range layers {
		n := s.graph.Nodes[layers[i].Node].Name
		if n == name {
			return &layers[i], nil
		}
		names = append(names, n)
	}
	for i := range s.graph.Nodes {
		switch nd := &s.graph.Nodes[i]; {
		case nd.Name != name:
		case nd.Op != nil:
			return nil, fault.Usagef("layer %.80q of %s makes no elements: it is in no plan", name, s.name)
		default:
			return nil, fault.Usagef("%.80q of %s is no layer but a value that is there from the start: no device executes it", name, s.name)
		}
	}
	return nil, fault.Usagef("layer %.80q is not in %s%s", name, s.name, nearest.Hint(name, names))
}
