package calibrate

import (
	"cmp"
	"context"
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
	// has reports whether a kernel's time depends on it; nil: on every kernel.
	has   func(s *Set, k *kernel) bool
	stage string // "": tensor
	// neutral is the value that leaves the number out of the model, and unfitted.
	neutral float64
}

// parameters are the shared numbers. Their bounds lie within the ranges of package hw.
var parameters = []parameter{
	{path: "gpu.model.eta", of: func(g *hw.GPU) *float64 { return &g.Model.Eta }, low: 0.01, high: 1},
	{path: "gpu.model.eta_fma", of: func(g *hw.GPU) *float64 { return &g.Model.EtaFMA }, low: 0.01, high: 1, stage: "fma"},
	{path: "gpu.model.lam_fma_ck", of: func(g *hw.GPU) *float64 { return &g.Model.LamFMA }, low: 1, high: 1e5, stage: "fma"},
	{path: "gpu.model.winograd", of: func(g *hw.GPU) *float64 { return &g.Model.Winograd }, low: 1, high: 4, stage: "fma",
		has: func(_ *Set, k *kernel) bool { return k.gemm.Taps == 9 && !k.gemm.Strided }},
	{path: "gpu.model.eta_dw_fma", of: func(g *hw.GPU) *float64 { return &g.Model.EtaDWFMA }, low: 0.01, high: 1, stage: "fma",
		has: func(_ *Set, k *kernel) bool { return k.direct != nil }},
	{path: "gpu.model.lam_ck", of: func(g *hw.GPU) *float64 { return &g.Model.Lam }, low: 1, high: 1e5},
	{path: "gpu.model.stride_wait", of: func(g *hw.GPU) *float64 { return &g.Model.Stride }, low: 1, high: 10,
		has: func(_ *Set, k *kernel) bool { return k.gemm.Strided }},
	{path: "gpu.model.wide_wait", of: func(g *hw.GPU) *float64 { return &g.Model.Wide }, low: 0.01, high: 10,
		has: func(_ *Set, k *kernel) bool { return !k.gemm.Strided && k.gemm.Taps > 1 }},
	{path: "gpu.model.om", of: func(g *hw.GPU) *float64 { return &g.Model.Om }, low: 1e-3, high: 100},
	{path: "gpu.model.epi", of: func(g *hw.GPU) *float64 { return &g.Model.Epi }, low: 1e-3, high: 100},
	{path: "gpu.model.pixel_fetch", of: func(g *hw.GPU) *float64 { return &g.Model.Pixels }, low: 1, high: 4, neutral: 1}, // 1: the published form
	{path: "gpu.model.transposed_fetch", of: func(g *hw.GPU) *float64 { return &g.Model.Transposed }, low: 0.1, high: 10,
		has: func(s *Set, k *kernel) bool { return k.gemm.Transposed }},
	{path: "gpu.model.eta_dram", of: func(g *hw.GPU) *float64 { return &g.Model.EtaD }, low: 0.01, high: 1},
	{path: "gpu.l2_bytes_per_ck_sm", of: func(g *hw.GPU) *float64 { return &g.L2SM }, low: 0.1, high: 1e4},
	{path: "gpu.model.p", of: func(g *hw.GPU) *float64 { return &g.Model.P }, low: 1, high: 64},
	{path: "gpu.model.splitk_us", of: func(g *hw.GPU) *float64 { return &g.Model.TK2 }, low: 0.1, high: 1000,
		has: func(s *Set, k *kernel) bool { return s.splits }},
	{path: "gpu.model.eta_dw", of: func(g *hw.GPU) *float64 { return &g.Model.EtaDW }, low: 0.01, high: 1, neutral: 1, // 1: kernels that wait for their input only
		has: func(_ *Set, k *kernel) bool { return k.direct != nil }},
	{path: "gpu.model.dw_large_us", of: func(g *hw.GPU) *float64 { return &g.Model.Large }, low: 0.1, high: 100,
		has: func(_ *Set, k *kernel) bool { return k.direct != nil && k.direct.Large }},
	{path: "gpu.model.eta_dw_large", of: func(g *hw.GPU) *float64 { return &g.Model.EtaDWLarge }, low: 0.01, high: 1,
		has: func(_ *Set, k *kernel) bool { return k.direct != nil && k.direct.Large }},
	{path: "gpu.model.dw_fetch", of: func(g *hw.GPU) *float64 { return &g.Model.DWFetch }, low: 0.01, high: 100,
		has: func(_ *Set, k *kernel) bool { return k.direct != nil }},
	{path: "gpu.model.dw_start_ck", of: func(g *hw.GPU) *float64 { return &g.Model.DWStart }, low: 1, high: 1e5,
		has: func(_ *Set, k *kernel) bool { return k.direct != nil }},
	{path: "gpu.model.dw_start_fma_ck", of: func(g *hw.GPU) *float64 { return &g.Model.DWStartFMA }, low: 1, high: 1e5, stage: "fma",
		has: func(_ *Set, k *kernel) bool { return k.direct != nil }},
	{path: "gpu.model.eta_stream", of: func(g *hw.GPU) *float64 { return &g.Model.EtaS }, low: 0.01, high: 1, stage: "stream"},
	{path: "gpu.model.stream_write", of: func(g *hw.GPU) *float64 { return &g.Model.Write }, low: 0.1, high: 10, stage: "stream",
		has: func(_ *Set, k *kernel) bool { return k.stream != nil }},
}

// coordinate is one number of the fitted point.
type coordinate struct {
	path      string // as in a GPU file
	board     string // normal name; "" for every board of the architecture
	of        func(b *hw.Board) float64
	set       func(b *hw.Board, x float64)
	low, high float64
}

// coordinates lists what a stage fits to sets: the shared parameters that their kernels
// have, the clocks of capped boards where another board's anchors them (the
// efficiencies could not be told from a clock otherwise), and the start of each set.
func (c *Calibration) coordinates(stage string, sets []*Set) []coordinate {
	var list []coordinate
	for _, p := range parameters {
		depends := func(s *Set) bool {
			return p.has == nil || slices.ContainsFunc(s.kernels, func(k kernel) bool { return p.has(s, &k) })
		}
		if cmp.Or(p.stage, "tensor") != stage || !slices.ContainsFunc(sets, depends) || *p.of(&c.Board.GPU) == p.neutral {
			continue
		}
		list = append(list, coordinate{path: p.path, low: p.low, high: p.high,
			of: func(b *hw.Board) float64 { return *p.of(&b.GPU) }, set: func(b *hw.Board, x float64) { *p.of(&b.GPU) = x }})
	}
	anchored := slices.ContainsFunc(sets, func(s *Set) bool { return !c.boards[s.gpu].Capped })
	var clocked []string
	for _, s := range sets {
		if stage == "tensor" && c.boards[s.gpu].Capped && anchored && !slices.Contains(clocked, s.gpu) {
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
func (c *Calibration) solve(ctx context.Context, sets []*Set, at []coordinate) solution {
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
	s := p.solve(ctx, c.point(at))
	c.apply(at, s.x)
	return s
}
