package calibrate

import (
	"context"
	"math"

	"pimflow/internal/hw"
)

// roofline is the model to beat: a start, and the longer of computing and moving, each at one
// efficiency. Efficiencies and start are fitted to each set of kernels by itself, also to those
// that the model is not fitted to, whose rows the roofline has seen and the model has not. What
// the roofline of networks has is fitted to all kernels of an architecture and stage.
//
// In the literature: Williams et al., CACM 2009.
type roofline struct {
	compute, memory float64
	start           map[string]float64 // us, by set
	left            map[*Row]float64   // us of a fitted row by the roofline of the other folds
}

// us is the time of a kernel without its start.
func (r roofline) us(b *hw.Board, macs, rate, bytes float64) float64 {
	return max(macs/(float64(b.GPU.SMs)*rate*b.GPU.Clock.GHz()*1e3*r.compute),
		bytes/(b.Memory.ChannelGBps*float64(b.Memory.Channels)*1e3*r.memory))
}

// predict times the kernels of a set, those that the roofline was fitted to with their shapes left
// out.
func (r roofline) predict(s *Set, b *hw.Board, out []float64) {
	start, ok := r.start[s.Name]
	if !ok {
		start = startOf(b, s.Name)
	}
	for i, k := range s.kernels {
		rate := b.GPU.MACs
		switch {
		case k.direct != nil, s.dtype == "fp32":
			rate = b.GPU.FMAs
		case s.dtype == "int8":
			rate = b.GPU.Int8MACs
		}
		out[i] = max(s.floor(), start+r.us(b, k.macs, rate, k.bytes))
		if us, ok := r.left[k.row]; ok {
			out[i] = us
		}
	}
}

// fitRooflines fits a roofline to each set of kernels, to the kernels of each architecture and
// stage together, and to the start of each set of networks.
func (c *Calibration) fitRooflines(ctx context.Context, m *Measured) error {
	by := map[string][]*Set{}
	var networks []*Set
	for _, s := range makeSets(m, c.boards, c.Board.Architecture) {
		switch {
		case s.N == 0:
		case s.Op == "network":
			networks = append(networks, s)
		default:
			a := c.kindOf(s)
			by[a] = append(by[a], s)
			c.rooflines[s.Name] = c.leftOut(ctx, s)
		}
	}
	for a, sets := range by {
		c.rooflines[a] = fitRoofline(ctx, sets, c.boards)
	}
	for _, s := range networks {
		b := c.boards[s.gpu]
		r, ok := c.rooflines[c.kindOf(s)]
		if !ok {
			continue
		}
		times := make([]network, len(s.nets))
		for i, n := range s.nets {
			var err error
			if times[i], err = c.graphs.network(ctx, b, r, n); err != nil {
				return err
			}
		}
		r.start[s.Name] = fitStart(ctx, s, times, startOf(b, s.Name), func(t network) float64 { return t.roofline }).x[0]
	}
	return nil
}

// leftOut is the roofline of a set, with the times of its kernels by the rooflines that are fitted
// without a fold each.
func (c *Calibration) leftOut(ctx context.Context, s *Set) roofline {
	left := map[*Row]float64{}
	for f := range Folds {
		training := part([]*Set{s}, func(x int) bool { return x != f })
		for _, held := range part([]*Set{s}, func(x int) bool { return x == f }) {
			if len(training) == 0 {
				continue
			}
			out := make([]float64, len(held.kernels))
			fitRoofline(ctx, training, c.boards).predict(held, c.boards[s.gpu], out)
			for i, k := range held.kernels {
				left[k.row] = out[i]
			}
		}
	}
	r := fitRoofline(ctx, []*Set{s}, c.boards)
	r.left = left
	return r
}

// kindOf is the architecture and the stage of a set, whose kernels have a roofline together.
func (c *Calibration) kindOf(s *Set) string { return c.boards[s.gpu].Architecture + " " + stageOf(s) }

// rooflineOf is the fitted roofline of a set, of its architecture and stage, or the data sheet's.
func (c *Calibration) rooflineOf(s *Set) roofline {
	for _, name := range []string{s.Name, c.kindOf(s)} {
		if r, ok := c.rooflines[name]; ok {
			return r
		}
	}
	return roofline{compute: 1, memory: 1}
}

// fitRoofline fits a roofline to sets of kernels.
func fitRoofline(ctx context.Context, sets []*Set, boards map[string]*hw.Board) roofline {
	r := roofline{compute: 0.5, memory: 0.8, start: map[string]float64{}}
	p := problem{low: []float64{1e-3, 1e-3}, high: []float64{1, 1}}
	x := []float64{r.compute, r.memory}
	for _, s := range sets {
		p.n += len(s.kernels)
		p.low, p.high, x = append(p.low, 0.01), append(p.high, 1e3), append(x, max(1, startOf(boards[s.gpu], s.Name)))
	}
	put := func(x []float64) {
		r.compute, r.memory = x[0], x[1]
		for i, s := range sets {
			r.start[s.Name] = x[2+i]
		}
	}
	p.residuals = func(x, out []float64) {
		put(x)
		for _, s := range sets {
			r.predict(s, boards[s.gpu], out)
			for i := range s.kernels {
				out[i] = math.Log(out[i] / s.kernels[i].row.US)
			}
			out = out[len(s.kernels):]
		}
	}
	if p.n > 0 {
		put(p.solve(ctx, x).x)
	}
	return r
}
