package figure

import (
	"fmt"
	"slices"
	"strings"

	"pimflow/internal/plan"
)

// kinds are the placements of layers, in the order of their styles.
var kinds = []string{"gpu", "pim", "split", "pipe"}

// day is the longest time of a run that is drawn, in ns: a day. Estimated: runs take seconds.
const day = 24 * 3600 * 1e9

// timeline is when tiles run on each device, a panel for each run.
func timeline(d *Data, _ *Options) (*Figure, error) {
	if len(d.Runs) == 0 {
		return nil, fmt.Errorf("%s: no run: what pimflow run --json prints wanted", strings.Join(d.files, ", "))
	}
	f := &Figure{}
	used := map[string]bool{}
	for _, r := range d.Runs {
		if !(r.Total > 0 && r.Total <= day) {
			return nil, fmt.Errorf("key total_ns of %.80q: %g: more than 0, at most a day, wanted", r.Model, r.Total)
		}
		if len(r.Layers) == 0 {
			return nil, fmt.Errorf("key layers of %.80q: missing or empty: the layers of a run wanted", r.Model)
		}
		q := measure("total_ns", r.Total)
		p := Panel{X: empty(q.label), Y: Axis{Names: []string{"PIM", "GPU"}, Low: -0.5, High: 1.5}}
		p.X.including(0, r.Total*q.scale)
		if len(d.Runs) > 1 {
			p.Title = r.Model + ", " + r.Policy
		}
		for _, l := range r.Layers {
			for _, t := range l.Tiles {
				lane := 0.0
				if t.Device == plan.GPU {
					lane = 1
				}
				style := slices.Index(kinds, l.Kind)
				if style < 0 || !(t.NS >= 0 && t.NS <= day) || !(t.Start >= 0 && t.Start <= day) {
					return nil, fmt.Errorf("layer %.80q of %.80q: kind %.80q, start %g ns, %g ns: a placement and times wanted", l.Name, r.Model, l.Kind, t.Start, t.NS)
				}
				if t.NS == 0 {
					continue
				}
				used[l.Kind] = true
				p.X.including((t.Start + t.NS) * q.scale)
				p.Boxes = append(p.Boxes, Box{X0: t.Start * q.scale, X1: (t.Start + t.NS) * q.scale, Y0: lane - 0.35, Y1: lane + 0.35, Style: style})
			}
		}
		if p.X.High == p.X.Low {
			p.X.High++
		}
		f.Panels = append(f.Panels, p)
	}
	for i, k := range kinds {
		if used[k] {
			f.Keys = append(f.Keys, Key{k, i, boxKey})
		}
	}
	return f, nil
}

// The styles of the figure waterfall.
const (
	sumStyle  = 0
	gainStyle = 2
	lossStyle = 4
)

// waterfall is the speed-up after each step from the published accounting to this project's, a panel for each network: the
// first and the last as bars, and what each step between adds or takes.
//
// In the literature: a waterfall chart.
func waterfall(d *Data, _ *Options) (*Figure, error) {
	if len(d.Bridges) == 0 {
		return nil, fmt.Errorf("%s: no bridge: what pimflow reproduce --json prints wanted", strings.Join(d.files, ", "))
	}
	f := &Figure{Keys: []Key{{"speed-up", sumStyle, boxKey}, {"gain of a step", gainStyle, boxKey}, {"loss of a step", lossStyle, boxKey}}}
	for _, m := range d.Bridges {
		n := len(m.Bridge)
		if n == 0 {
			return nil, fmt.Errorf("%.80q has no step of a bridge: what pimflow reproduce --json prints wanted", m.Model)
		}
		p := Panel{Y: empty("end-to-end speed-up"), Rule: 1}
		if len(d.Bridges) > 1 {
			p.Title = m.Model
		}
		p.Y.including(1)
		before := 0.0
		for i, b := range m.Bridge {
			p.X.Names = append(p.X.Names, b.Step)
			box := Box{X0: float64(i) - part/2, X1: float64(i) + part/2, Y0: before, Y1: b.EndToEnd}
			switch {
			case i == 0:
				box.Y0 = 0
			case b.EndToEnd < before:
				box.Style = lossStyle
			default:
				box.Style = gainStyle
			}
			p.Boxes = append(p.Boxes, box)
			p.Y.including(b.EndToEnd)
			before = b.EndToEnd
		}
		p.X.Names = append(p.X.Names, "this project")
		p.Boxes = append(p.Boxes, Box{X0: float64(n) - part/2, X1: float64(n) + part/2, Y1: before, Style: sumStyle})
		p.X.categories(n + 1)
		p.Y.settle(true)
		f.Panels = append(f.Panels, p)
	}
	return f, nil
}
