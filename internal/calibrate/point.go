package calibrate

import (
	"fmt"
	"math"
	"slices"

	"pimflow/internal/hw"
)

// parameter is a fitted number of hw.GPU, shared by all boards of an architecture.
type parameter struct {
	path      string // in a GPU file
	of        func(g *hw.GPU) *float64
	low, high float64
}

// parameters are the shared numbers. Their bounds lie within the ranges of package hw.
var parameters = []parameter{
	{"gpu.model.eta", func(g *hw.GPU) *float64 { return &g.Model.Eta }, 0.01, 1},
	{"gpu.model.lam_ck", func(g *hw.GPU) *float64 { return &g.Model.Lam }, 1, 1e5},
	{"gpu.model.om", func(g *hw.GPU) *float64 { return &g.Model.Om }, 1e-3, 100},
	{"gpu.model.epi", func(g *hw.GPU) *float64 { return &g.Model.Epi }, 1e-3, 100},
	{"gpu.model.pixel_fetch", func(g *hw.GPU) *float64 { return &g.Model.Pixels }, 1, 4},
	{"gpu.model.eta_dram", func(g *hw.GPU) *float64 { return &g.Model.EtaD }, 0.01, 1},
	{"gpu.l2_bytes_per_ck_sm", func(g *hw.GPU) *float64 { return &g.L2SM }, 0.1, 1e4},
	{"gpu.model.p", func(g *hw.GPU) *float64 { return &g.Model.P }, 1, 64},
	{"gpu.model.eta_dw", func(g *hw.GPU) *float64 { return &g.Model.EtaDW }, 0.01, 1},
}

// coordinate is one number of the fitted point.
type coordinate struct {
	path      string // as in a GPU file
	board     string // normal name; "" for every board of the architecture
	of        func(b *hw.Board) float64
	set       func(b *hw.Board, x float64)
	low, high float64
}

// coordinates lists the numbers fitted to sets: the shared parameters of their kernels, the
// clocks of capped boards, and the start of each set. A clock is fitted only beside a board
// with a known clock, since clock and efficiencies cannot be separated otherwise.
func (c *Calibration) coordinates(sets []*Set) []coordinate {
	var list []coordinate
	depthwise := func(s *Set) bool {
		return slices.ContainsFunc(s.kernels, func(k kernel) bool { return k.direct != nil })
	}
	for _, p := range parameters {
		switch {
		case p.path == "gpu.model.eta_dw" && !slices.ContainsFunc(sets, depthwise),
			p.path == "gpu.model.pixel_fetch" && c.Board.GPU.Model.Pixels == 1: // the published form, which has no such number
			continue
		}
		list = append(list, coordinate{path: p.path, low: p.low, high: p.high,
			of: func(b *hw.Board) float64 { return *p.of(&b.GPU) }, set: func(b *hw.Board, x float64) { *p.of(&b.GPU) = x }})
	}
	anchored := slices.ContainsFunc(sets, func(s *Set) bool { return !c.boards[s.gpu].Capped })
	var clocked []string
	for _, s := range sets {
		if c.boards[s.gpu].Capped && anchored && !slices.Contains(clocked, s.gpu) {
			clocked = append(clocked, s.gpu)
			list = append(list, coordinate{path: "gpu.clock_ps", board: s.gpu, low: 50, high: 5000,
				of:  func(b *hw.Board) float64 { return b.GPU.Clock.Picoseconds() },
				set: func(b *hw.Board, x float64) { b.GPU.Clock = period(x) }})
		}
	}
	for _, s := range sets {
		list = append(list, coordinate{path: "start_us." + s.Name, board: s.gpu, low: 0.01, high: 1e3,
			of:  func(b *hw.Board) float64 { return max(0.01, startOf(b, s.Name)) },
			set: func(b *hw.Board, x float64) { b.Start[s.Name] = x }})
	}
	return list
}

// period is a clock period, rounded to a millionth of a picosecond.
func period(ps float64) hw.Period {
	p, err := hw.ParsePeriod(fmt.Sprintf("%d/1000000", int64(math.Round(ps*1e6))))
	if err != nil {
		panic("calibrate: " + err.Error())
	}
	return p
}

// point is the present numbers of the boards.
func (c *Calibration) point(at []coordinate) []float64 {
	x := make([]float64, len(at))
	for i, a := range at {
		b := c.Board
		if a.board != "" {
			b = c.boards[a.board]
		}
		x[i] = a.of(b)
	}
	return x
}

// apply sets the numbers of the boards to a point.
func (c *Calibration) apply(at []coordinate, x []float64) {
	for i, a := range at {
		if a.board != "" {
			a.set(c.boards[a.board], x[i])
			continue
		}
		for _, b := range c.boards {
			if b.Architecture == c.Board.Architecture {
				a.set(b, x[i])
			}
		}
	}
}

// solve fits the coordinates to sets and sets the boards to the solution.
func (c *Calibration) solve(sets []*Set, at []coordinate) solution {
	var p problem
	for _, x := range at {
		p.low, p.high = append(p.low, x.low), append(p.high, x.high)
	}
	for _, s := range sets {
		p.n += len(s.kernels)
	}
	p.residuals = func(x, out []float64) {
		c.apply(at, x)
		for _, s := range sets {
			c.predict(s, c.boards[s.gpu], false, out)
			for i := range s.kernels {
				out[i] = math.Log(out[i] / s.kernels[i].row.US)
			}
			out = out[len(s.kernels):]
		}
	}
	s := p.solve(c.point(at))
	c.apply(at, s.x)
	return s
}
