package device

import "pimflow/internal/graph"

// Brief is what a search keeps of a cost.
type Brief struct {
	Time   Time
	Fused  Time    // in a fused launch (Cost.Fused)
	Memory Time    // Cost.Memory
	Energy float64 // pJ, without standby
}

// BriefOf is the cost of a cut in brief. A device of Memo remembers that, and the code only of a whole value: code takes ten times
// as much memory, and a search asks for the cost of tens of thousands of cuts, most of which are in no plan.
func BriefOf(d Device, g *graph.Graph, c graph.Cut) (Brief, error) {
	if d, ok := d.(interface {
		brief(*graph.Graph, graph.Cut) (Brief, error)
	}); ok {
		return d.brief(g, c)
	}
	code, err := d.Compile(g, c)
	if err != nil {
		return Brief{}, err
	}
	return briefOf(code), nil
}

func briefOf(code Code) Brief {
	c := code.Cost()
	return Brief{c.Time, c.Fused().Time, c.Memory, c.Energy.Total().Value}
}

func (n named) brief(g *graph.Graph, c graph.Cut) (Brief, error) { return BriefOf(n.Device, g, c) }

func (w *without) brief(g *graph.Graph, c graph.Cut) (Brief, error) {
	if w.refused[c.Node] {
		return Brief{}, w.refuse(g, c)
	}
	return BriefOf(w.Device, g, c)
}
