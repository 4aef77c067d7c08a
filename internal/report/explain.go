package report

import (
	"fmt"
	"io"
	"strings"

	"pimflow/internal/device"
	"pimflow/internal/explain"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/plan"
	"pimflow/internal/search"
	"pimflow/internal/tensor"
)

// ExplainSchema names the form of Explain's JSON.
const ExplainSchema = "pimflow.explain/1"

// Explain says why the layers of a plan are where they are. Times are in ns, energies
// in pJ.
type Explain struct {
	Schema  string `json:"schema"`
	Model   string `json:"model"`
	Machine string `json:"machine"`
	Policy  string `json:"policy"`
	PIM     string `json:"pim"` // the command interface of the plan
	// Exclusive is how many layers are in exclusive segments.
	Exclusive int `json:"layers_exclusive"`
	layers    int
	Given     bool           `json:"given"` // the plan: no cuts were tried
	Total     float64        `json:"total_ns"`
	Layers    []ExplainLayer `json:"layers,omitempty"`
	Layer     *ExplainNode   `json:"layer,omitempty"` // in place of Layers
}

// ExplainLayer is where a layer is, and what it would take elsewhere.
type ExplainLayer struct {
	Name      string       `json:"name"`
	Op        string       `json:"op"`
	Shape     []int        `json:"shape"`
	Kind      string       `json:"kind"`
	Exclusive bool         `json:"exclusive"` // one device works at a time then
	Placement string       `json:"placement"` // tiles as a plan prints them, with + between
	short     string       // the same for people
	NS        float64      `json:"ns"` // in the plan, from the first start to the last end
	Alone     float64      `json:"alone_ns"`
	GPU       *Whole       `json:"gpu"` // all of it on that device; null where that cannot be
	GPULow    float64      `json:"gpu_low_ns"`
	GPUHigh   float64      `json:"gpu_high_ns"`
	PIM       *Whole       `json:"pim"`
	Best      *ExplainBest `json:"best"` // the fastest alone on other devices; null for none
}

// ExplainBest is an alternative.
type ExplainBest struct {
	Tiles string `json:"tiles"`
	short string
	NS    float64 `json:"ns"`
	By    float64 `json:"lost_by_ns"`                 // alone; below 0 where it is faster
	Share float64 `json:"lost_by_of_alone,omitempty"` // By as a share of the placement's time
}

// NewExplain is an explanation of a search's result, without layers yet.
func NewExplain(g *graph.Graph, m *hw.Machine, r *search.Result, given bool) *Explain {
	x := &Explain{Schema: ExplainSchema, Model: g.Name, Machine: m.Name, Policy: r.Plan.Policy, PIM: r.Plan.PIM, Given: given, Total: r.Timeline.Total.NS()}
	x.layers = len(r.Layers)
	for i := range r.Layers {
		if r.Layers[i].Exclusive {
			x.Exclusive++
		}
	}
	return x
}

// Add adds a layer to the table.
func (x *Explain) Add(g *graph.Graph, e *explain.Explainer, l *search.Layer) error {
	row, _, err := newExplainLayer(g, e, l)
	if err != nil {
		return err
	}
	x.Layers = append(x.Layers, *row)
	return nil
}

func newExplainLayer(g *graph.Graph, e *explain.Explainer, l *search.Layer) (*ExplainLayer, *explain.Placed, error) {
	p, err := e.Placed(l)
	if err != nil {
		return nil, nil, err
	}
	nd := &g.Nodes[l.Node]
	row := &ExplainLayer{
		Name: nd.Name, Op: opName(nd), Shape: nd.Shape, Kind: l.Kind, Exclusive: l.Exclusive, Placement: tilesText(p.Tiles), short: briefly(g, p.Tiles),
		NS: (p.End - p.Start).NS(), Alone: p.Alone.NS(), GPU: whole(l.GPU), PIM: whole(l.PIM),
	}
	if l.GPU != nil {
		low, high := l.GPU.Bounds()
		row.GPULow, row.GPUHigh = low.NS(), high.NS()
	}
	best, err := e.Best(p)
	if err != nil {
		return nil, nil, err
	}
	if best != nil {
		row.Best = &ExplainBest{Tiles: tilesText(best.Tiles()), short: briefly(g, best.Tiles()), NS: best.Time.NS(), By: (best.Time - p.Alone).NS()}
		if p.Alone > 0 {
			row.Best.Share = float64(best.Time-p.Alone) / float64(p.Alone)
		}
	}
	return row, p, nil
}

// tilesText is tiles as a plan prints them.
func tilesText(tiles []plan.Tile) string {
	var list []string
	for _, t := range tiles {
		list = append(list, t.Device+t.Box.String())
	}
	return strings.Join(list, " + ")
}

var dimNames = [...]string{plan.Images: "images", plan.Channels: "channels", plan.Rows: "rows"}

// briefly is tiles by the one dimension that they are cut along, as "channels gpu 0:175,
// pim 175:192", or only the device; tilesText where more are cut.
func briefly(g *graph.Graph, tiles []plan.Tile) string {
	full := tensor.Full(g.Nodes[tiles[0].Node].Shape)
	if len(tiles) == 1 && tiles[0].Box.Equal(full) {
		return tiles[0].Device
	}
	dim, list := -1, []string(nil)
	for _, t := range tiles {
		for d, r := range t.Box {
			if r == full[d] {
				continue
			}
			if dim >= 0 && dim != d || d >= len(dimNames) {
				return tilesText(tiles)
			}
			dim = d
		}
	}
	for _, t := range tiles {
		list = append(list, fmt.Sprintf("%s %d:%d", t.Device, t.Box[dim].Lo, t.Box[dim].Hi))
	}
	return dimNames[dim] + " " + strings.Join(list, ", ")
}

// JSON writes the explanation as one object.
func (x *Explain) JSON(w io.Writer) error { return writeJSON(w, x) }

// Text writes a row a layer, or all there is to say of one, at most most alternatives of it.
func (x *Explain) Text(w io.Writer, most int) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "model     %s\nmachine   %s\npolicy    %s%s\nplan      %s\n\n", printable(x.Model), x.Machine, printable(x.Policy), x.given(), ns(x.Total))
	if x.Layer != nil {
		x.Layer.text(b, most)
	} else {
		x.table(b)
	}
	_, err := io.WriteString(w, trimLines(b.String()))
	return err
}

// given is what else there is to know of the plan.
func (x *Explain) given() (s string) {
	if x.Given {
		s = ", a plan that was given: no cuts were tried"
	}
	switch x.Exclusive {
	case 0:
	case x.layers:
		s += ", exclusive: one device works at a time"
	default:
		s += fmt.Sprintf(", exclusive in %d of %d layers: one device works at a time there", x.Exclusive, x.layers)
	}
	return s
}

func (x *Explain) table(b *strings.Builder) {
	right := column{right: true}
	t := table{{}, {}, right, right, right, {}, {}, right, {}, {}, right, right, right}
	t.row("layer", "placement", "ns", "alone ns", "GPU ns", "between", "bound by", "PIM ns", "bound by", "best elsewhere", "ns", "lost by ns", "%")
	for i := range x.Layers {
		l := &x.Layers[i]
		cells := []string{l.Name, l.placement(), fmt.Sprintf("%.1f", l.NS), fmt.Sprintf("%.1f", l.Alone), l.GPU.ns(), l.doubt(), l.GPU.bound(), l.PIM.ns(), l.PIM.bound()}
		if o := l.Best; o != nil {
			cells = append(cells, o.short, fmt.Sprintf("%.1f", o.NS), fmt.Sprintf("%.1f", o.By), fmt.Sprintf("%.1f", 100*o.Share))
		} else {
			cells = append(cells, "-", "-", "-", "-")
		}
		t.row(cells...)
	}
	t.write(b)
}

// placement is the tiles, and that they are of a pipeline or an exclusive segment.
func (l *ExplainLayer) placement() (s string) {
	if l.Exclusive {
		s = "exclusive "
	}
	if l.Kind == "pipe" {
		s += "pipe "
	}
	return s + l.short
}

// doubt is the bounds of the GPU's time.
func (l *ExplainLayer) doubt() string {
	if l.GPU == nil {
		return "-"
	}
	return fmt.Sprintf("%.1f and %.1f", l.GPULow, l.GPUHigh)
}

func (w *Whole) bound() string {
	if w == nil {
		return "-"
	}
	return w.Bound
}

// terms is the largest terms of a time, at most so many, in ns.
func terms(list []device.Term, most int) string {
	var parts []string
	for i, t := range list {
		if i == most {
			parts = append(parts, "...")
			break
		}
		parts = append(parts, fmt.Sprintf("%s %.1f", t.Name, t.Time.NS()))
	}
	return strings.Join(parts, ", ")
}
