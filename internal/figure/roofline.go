package figure

import (
	"fmt"
	"math"
	"strings"

	"pimflow"

	"pimflow/internal/plan"
	"pimflow/internal/usage"
)

// The styles of the figure roofline: those of the GPU alone, of the GPU and of the PIM in the plan.
const (
	aloneStyle = iota
	gpuStyle
	pimStyle
)

// roofline is how many operations a second layers and pieces reach, over the operations that a layer has for each byte of its inputs,
// weights and output, and the most that the machine allows, a panel for each run. A piece has the place of its layer. Operations of
// the PIM are those that its multipliers execute.
//
// In the literature: the roofline model (Williams, Waterman and Patterson, CACM 2009).
func roofline(d *Data, _ *Options) (*Figure, error) {
	f := &Figure{Beside: true}
	used := [3]bool{}
	for _, r := range d.Runs {
		if r.Utilization == nil {
			continue
		}
		p := Panel{X: empty("FLOP a byte of the layer"), Y: empty("GFLOP/s")}
		p.X.Log, p.Y.Log = true, true
		if len(d.Runs) > 1 {
			p.Title = r.Model + ", " + r.Policy
		}
		lines := [3]Line{{Style: aloneStyle, Apart: true, Hollow: true}, {Style: gpuStyle, Apart: true}, {Style: pimStyle, Apart: true}}
		for i := range r.Utilization.Pieces {
			if err := lines[aloneStyle].dot(r, &r.Utilization.Pieces[i]); err != nil {
				return nil, err
			}
		}
		for i := range r.Layers {
			for _, t := range r.Layers[i].Tiles {
				if t.Piece == nil {
					continue
				}
				style := gpuStyle
				if t.Piece.Device == plan.PIM {
					style = pimStyle
				}
				if err := lines[style].dot(r, t.Piece); err != nil {
					return nil, err
				}
			}
		}
		any := false
		for style, l := range lines {
			for _, x := range l.Points {
				p.X.including(x.X)
				p.Y.including(x.Y)
			}
			if len(l.Points) > 0 {
				any, used[style] = true, true
				p.Lines = append(p.Lines, l)
			}
		}
		if !any {
			continue
		}
		p.roofs(&r.Utilization.Peaks)
		f.Panels = append(f.Panels, p)
	}
	if len(f.Panels) == 0 {
		return nil, fmt.Errorf("%s: no run with pieces that multiply: what pimflow run --json prints wanted", strings.Join(d.files, ", "))
	}
	for style, name := range []string{"layer on the GPU alone", "piece on the GPU", "piece on the PIM"} {
		if used[style] {
			f.Keys = append(f.Keys, Key{name, style, markKey})
		}
	}
	f.Keys = append(f.Keys, Key{"most of the GPU", aloneStyle, lineKey}, Key{"most of the PIM", pimStyle, lineKey})
	return f, nil
}

// dot adds a piece, unless it multiplies nothing.
func (l *Line) dot(r *pimflow.Report, x *usage.Piece) error {
	if x.Layer < 0 || x.Layer >= len(r.Layers) || r.Layers[x.Layer].Use == nil {
		return fmt.Errorf("a piece of %.80q is of layer %d: one of %d with its use wanted", r.Model, x.Layer, len(r.Layers))
	}
	use, flops := r.Layers[x.Layer].Use, float64(x.FLOPs)
	if x.Device == plan.PIM {
		flops = 2 * float64(x.MACs)
	}
	if use.FLOPs == 0 || flops == 0 || x.End == x.Start {
		return nil
	}
	y := flops / (x.End - x.Start)
	if !(use.Intensity > 0) || !(y > 0) || math.IsInf(use.Intensity+y, 0) {
		return fmt.Errorf("layer %.80q of %.80q: %g FLOP a byte, %g GFLOP/s: numbers above 0 wanted", r.Layers[x.Layer].Name, r.Model, use.Intensity, y)
	}
	l.Points = append(l.Points, Point{X: use.Intensity, Y: y})
	return nil
}

// roofs adds the most that the machine allows: the slope of the GPU's memory up to its tensor cores, and the multipliers of the PIM.
func (p *Panel) roofs(peaks *usage.Peaks) {
	low, high := p.X.Low/1.5, p.X.High*1.5
	if peaks.Tensor > 0 && peaks.BaselineDRAM > 0 {
		ridge := peaks.Tensor / peaks.BaselineDRAM
		high = max(high, 2*ridge)
		roof := Line{Style: aloneStyle, Bare: true, Points: []Point{{X: low, Y: low * peaks.BaselineDRAM}, {X: ridge, Y: peaks.Tensor}, {X: high, Y: peaks.Tensor}}}
		if low >= ridge {
			roof.Points = []Point{{X: low, Y: peaks.Tensor}, {X: high, Y: peaks.Tensor}}
		}
		p.Lines = append(p.Lines, roof)
	}
	if peaks.PIM > 0 {
		p.Lines = append(p.Lines, Line{Style: pimStyle, Bare: true, Points: []Point{{X: low, Y: peaks.PIM}, {X: high, Y: peaks.PIM}}})
	}
	p.X.including(low, high)
	for _, l := range p.Lines {
		for _, x := range l.Points {
			p.Y.including(x.Y)
		}
	}
	p.Y.Low, p.Y.High = p.Y.Low/1.5, p.Y.High*1.5
}
