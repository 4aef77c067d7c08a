// Package calibrate fits the GPU model's parameters to measured kernels and says how
// far the model is from measurements.
//
// Tables of measured kernels and networks and the GPU files (package hw) go in; a GPU
// file with fitted numbers and scores come out, the same bytes each time. The package
// knows neither plans nor the PIM.
package calibrate

import (
	"fmt"
	"math"
	"slices"

	"pimflow/internal/gpu"
	"pimflow/internal/hw"
)

// parameter is a fitted number of hw.GPU that all boards of one architecture share.
type parameter struct {
	path      string // in a GPU file
	of        func(g *hw.GPU) *float64
	low, high float64
}

// parameters are the shared ones. The bounds are those of hw's fields, closed.
var parameters = []parameter{
	{"gpu.model.eta", func(g *hw.GPU) *float64 { return &g.Model.Eta }, 0.01, 1},
	{"gpu.model.lam_ck", func(g *hw.GPU) *float64 { return &g.Model.Lam }, 1, 1e5},
	{"gpu.model.om", func(g *hw.GPU) *float64 { return &g.Model.Om }, 1e-3, 100},
	{"gpu.model.epi", func(g *hw.GPU) *float64 { return &g.Model.Epi }, 1e-3, 100},
	{"gpu.model.eta_dram", func(g *hw.GPU) *float64 { return &g.Model.EtaD }, 0.01, 1},
	{"gpu.l2_bytes_per_ck_sm", func(g *hw.GPU) *float64 { return &g.L2SM }, 0.1, 1e4},
	{"gpu.model.p", func(g *hw.GPU) *float64 { return &g.Model.P }, 1, 64},
	{"gpu.model.eta_dw", func(g *hw.GPU) *float64 { return &g.Model.EtaDW }, 0.01, 1},
}

// Calibration is a GPU's numbers, and the sets they are of.
type Calibration struct {
	Board  *hw.Board // the GPU, with what was fitted
	Sets   []*Set
	boards map[string]*hw.Board // every known GPU by its normal name, with what was fitted
	fitted []*Set
	names  []string // of the point's coordinates
	at     []coordinate
}

// coordinate is one number of the point that is fitted.
type coordinate struct {
	path      string // as in a GPU file
	board     string // normal name; "" for every board of the architecture
	of        func(b *hw.Board) float64
	set       func(b *hw.Board, x float64)
	low, high float64
}

// predictor times the kernels of sets at a point.
type predictor struct {
	boards map[string]*hw.Board
}

// models of a set's board.
func (p predictor) model(s *Set) (*gpu.Model, *hw.Board) {
	b := p.boards[normal(s.GPU)]
	return gpu.NewModel(b.Machine(elementSize[s.Dtype]), b.Memory.Channels), b
}

// predict returns the times of a set's kernels in us. With chosen the model takes its
// own tile even where the kernel's name has one.
func (p predictor) predict(s *Set, chosen bool, out []float64) {
	m, b := p.model(s)
	library := gpu.Library(b.GPU.Library)
	if s.stack.library != "" {
		library = gpu.Library(s.stack.library)
	} else if s.Dtype == "int8" && b.GPU.Library == "trt16" {
		library = gpu.Library("trt")
	}
	splits := gpu.Splits(b.GPU.ConvSplit)
	if s.Op == "gemm" {
		library, splits = gpu.Library("cublas"), gpu.Splits(gpu.ProductSplit)
	}
	library = m.Launchable(library)
	start := b.Start[s.start]
	for i := range s.kernels {
		k := &s.kernels[i]
		var us float64
		switch {
		case k.direct != nil:
			us = m.Direct(*k.direct).US
		case k.known.M > 0 && !chosen && m.Launchable([]gpu.Tile{k.known}) != nil:
			us = m.Fastest(k.gemm, []gpu.Tile{k.known}, splits).US
		default:
			us = m.Fastest(k.gemm, library, splits).US
		}
		out[i] = max(s.floor, start+us)
	}
}

// New groups measurements for a GPU. boards are all known GPUs, b among them.
func New(b *hw.Board, boards []*hw.Board, rows []Row) *Calibration {
	c := &Calibration{Board: b.Clone(), boards: map[string]*hw.Board{}}
	for _, x := range boards {
		c.boards[normal(x.Name)] = x.Clone()
	}
	c.boards[normal(b.Name)] = c.Board
	c.Sets = makeSets(rows, c.boards, b.Architecture)
	return c
}

// coordinates lists what is fitted to sets: shared parameters, the clocks of capped
// boards where another board's is known, and the start of each stack.
func (c *Calibration) coordinates(sets []*Set) []coordinate {
	var list []coordinate
	architecture := c.Board.Architecture
	for _, p := range parameters {
		list = append(list, coordinate{path: p.path, low: p.low, high: p.high,
			of: func(b *hw.Board) float64 { return *p.of(&b.GPU) }, set: func(b *hw.Board, x float64) { *p.of(&b.GPU) = x }})
	}
	anchored := false
	var names, starts []string
	for _, s := range sets {
		if name := normal(s.GPU); !slices.Contains(names, name) {
			names = append(names, name)
			anchored = anchored || !c.boards[name].Capped
		}
		if s.Op != "dwconv" && s.Op != "conv" && s.Op != "gemm" {
			panic("calibrate: " + s.Op)
		}
	}
	_ = architecture
	for _, name := range names {
		if b := c.boards[name]; b.Capped && anchored {
			list = append(list, coordinate{path: "gpu.clock_ps", board: name, low: 50, high: 5000,
				of:  func(b *hw.Board) float64 { return b.GPU.Clock.Picoseconds() },
				set: func(b *hw.Board, x float64) { b.GPU.Clock = period(x) }})
		}
	}
	for _, s := range sets {
		key := s.GPU + "\n" + s.start
		if slices.Contains(starts, key) {
			continue
		}
		starts = append(starts, key)
		start := s.start
		list = append(list, coordinate{path: "start_us." + start, board: normal(s.GPU), low: 0.01, high: 1e3,
			of:  func(b *hw.Board) float64 { return b.Start[start] },
			set: func(b *hw.Board, x float64) { b.Start[start] = x }})
	}
	return list
}

// period is a clock period rounded to a millionth of a picosecond.
func period(ps float64) hw.Period {
	p, err := hw.ParsePeriod(fmt.Sprintf("%d/1000000", int64(math.Round(ps*1e6))))
	if err != nil {
		panic("calibrate: " + err.Error())
	}
	return p
}

// fit fits the coordinates to sets and returns the solution; the boards have it.
func (c *Calibration) fit(sets []*Set, at []coordinate) solution {
	p := problem{}
	start := make([]float64, len(at))
	for i, x := range at {
		p.low, p.high = append(p.low, x.low), append(p.high, x.high)
		start[i] = x.of(c.boardOf(x))
		if start[i] == 0 {
			start[i] = 1 // a start that is not in the file: 1 us
		}
	}
	most := 0
	for _, s := range sets {
		p.n += len(s.kernels)
		most = max(most, len(s.kernels))
	}
	times := make([]float64, most)
	p.residuals = func(x, out []float64) {
		c.apply(at, x)
		for _, s := range sets {
			predictor{c.boards}.predict(s, false, times)
			for i := range s.kernels {
				out[i] = math.Log(times[i] / s.kernels[i].row.US)
			}
			out = out[len(s.kernels):]
		}
	}
	s := p.solve(start)
	c.apply(at, s.x)
	return s
}

func (c *Calibration) boardOf(x coordinate) *hw.Board {
	if x.board == "" {
		return c.Board
	}
	return c.boards[x.board]
}

// apply puts a point into the boards.
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
