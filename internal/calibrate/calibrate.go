// Package calibrate fits the parameters of the GPU model to measured kernels, and scores the
// model against measurements.
//
// Tables of measured kernels and networks and the GPU files (package hw) go in. A GPU file
// with fitted numbers and scores come out, deterministically. The package knows neither plans
// nor the PIM.
//
// In the literature: robust non-linear least squares with cross-validation.
package calibrate

import (
	"context"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"pimflow/internal/hw"
)

// Calibration is the numbers of a GPU, fitted or from its file.
type Calibration struct {
	Board      *hw.Board
	Parameters []Parameter // the fitted numbers

	boards    map[string]*hw.Board // every known GPU by its normal name
	graphs    graphs
	rooflines map[string]roofline // by set; by architecture and stage
	outside   []outside
	slow      []float64 // us of the board's strided convolutions of a slow mode, without the start
	predict   func(s *Set, b *hw.Board, chosen bool, out []float64)
}

// Parameter is a fitted number.
type Parameter struct {
	Path  string  // in a GPU file
	Board string  // the GPU, or "" for all of the architecture
	Value float64 // in the file's unit
	Sigma float64 // standard deviation relative to Value, from the Jacobian; infinite if the data do not determine Value
	Folds float64 // standard deviation, relative to Value, over the fits that leave out one fold each
	Note  string

	from string // the tables that it was fitted to
}

// New returns a calibration with the numbers of the files. boards are all known GPUs; b
// replaces the one of its name.
func New(b *hw.Board, boards []*hw.Board) *Calibration {
	c := &Calibration{Board: b.Clone(), boards: map[string]*hw.Board{}, graphs: graphs{}, rooflines: map[string]roofline{}, predict: predict}
	for _, x := range boards {
		c.boards[normal(x.Name)] = x.Clone()
	}
	c.boards[normal(b.Name)] = c.Board
	for _, x := range c.boards { // boards of one architecture share the parameters of b
		if x.Architecture == b.Architecture {
			x.GPU.Model, x.GPU.L2SM = b.GPU.Model, b.GPU.L2SM
		}
	}
	return c
}

// Fit fits the parameters to the rows of GPUs of the architecture, and the starts of
// the networks under each stack.
func (c *Calibration) Fit(ctx context.Context, m *Measured) error {
	all := fittable(makeSets(m, c.boards, c.Board.Architecture), false)
	if len(all) == 0 {
		return fmt.Errorf("no row is of a GPU of the architecture %.80q and on its tensor cores: nothing to fit GPU %s to", c.Board.Architecture, c.Board.Name)
	}
	for _, stage := range stages {
		if err := ctx.Err(); err != nil {
			return err
		}
		c.fitStage(ctx, m, stage, slices.DeleteFunc(slices.Clone(all), func(s *Set) bool { return stageOf(s) != stage }))
	}
	for _, s := range all {
		for _, k := range s.others {
			if s.gpu == normal(c.Board.Name) && k.row.slow() && k.row.strided() {
				c.slow = append(c.slow, max(0, k.row.US-startOf(c.Board, s.Name)))
			}
		}
	}
	if err := c.fitRooflines(ctx, m); err != nil {
		return err
	}
	networks := fittable(makeSets(m, c.boards, c.Board.Architecture), true)
	if err := c.fitNetworks(ctx, networks); err != nil {
		return err
	}
	if err := c.boundNetworks(ctx, networks); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil { // what was fitted last is nothing
		return err
	}
	c.record()
	return nil
}

// from lists the tables that sets are of.
func from(sets []*Set) string {
	names := map[string]bool{}
	add := func(place string) {
		file, _, _ := strings.Cut(place, ":")
		names[strings.TrimSuffix(filepath.Base(file), ".csv")] = true
	}
	for _, s := range sets {
		for _, k := range s.kernels {
			add(k.row.Place)
		}
		for _, n := range s.nets {
			add(n.Place)
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(names)), ", ")
}

// stages are fitted one after another, each with the numbers of those before held: the
// tensor cores, which most numbers are of; the FMA units; kernels that only move bytes.
var stages = []string{"tensor", "fma", "stream"}

// stageOf is the stage that a set of kernels is fitted in.
func stageOf(s *Set) string {
	switch {
	case s.Op == "add" || s.Op == "relu":
		return "stream"
	case s.dtype == "fp32":
		return "fma"
	}
	return "tensor"
}

// fitStage fits the numbers of a stage to its sets.
func (c *Calibration) fitStage(ctx context.Context, m *Measured, stage string, sets []*Set) {
	if len(sets) == 0 {
		return
	}
	at := c.coordinates(stage, sets)
	begin := c.point(at)
	spread := make([]moments, len(at))
	for f := range Folds {
		training := part(sets, func(x int) bool { return x != f })
		if len(training) < len(sets) { // a set would be without a start
			continue
		}
		c.apply(at, begin)
		for i, x := range c.solve(ctx, training, at).x {
			spread[i].add(x)
		}
		every := slices.DeleteFunc(makeSets(m, c.boards, c.Board.Architecture), func(s *Set) bool { return stageOf(s) != stage })
		c.leaveOut(part(every, func(x int) bool { return x == f }))
	}
	c.apply(at, begin)
	s := c.solve(ctx, sets, at)
	for i := range s.x {
		s.x[i] = rounded(s.x[i])
	}
	c.apply(at, s.x)
	for i, a := range at {
		p := Parameter{Path: a.path, Board: a.board, from: from(sets), Value: s.x[i], Sigma: s.sigma[i], Folds: spread[i].deviation() / s.x[i]}
		if s.x[i] == a.low || s.x[i] == a.high {
			p.Note = "at its bound"
		}
		c.Parameters = append(c.Parameters, p)
	}
}

// rounded keeps six digits: more than the data determine, and few enough to hide the rounding
// of another processor.
func rounded(x float64) float64 {
	y, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 6, 64), 64)
	if err != nil {
		panic("calibrate: " + err.Error())
	}
	return y
}

// fittable are the sets of kernels, or of networks, of the architecture.
func fittable(sets []*Set, networks bool) []*Set {
	return slices.DeleteFunc(slices.Clone(sets), func(s *Set) bool {
		return !s.Fitted || s.N == 0 || (s.Op == "network") != networks
	})
}

// moments accumulates a standard deviation.
type moments struct{ n, sum, squares float64 }

func (m *moments) add(x float64) {
	m.n++
	m.sum += x
	m.squares += x * x
}

func (m *moments) deviation() float64 {
	if m.n == 0 {
		return math.NaN()
	}
	mean := m.sum / m.n
	return math.Sqrt(max(0, m.squares/m.n-mean*mean))
}

// fitNetworks fits the start of a kernel to each set of networks.
func (c *Calibration) fitNetworks(ctx context.Context, sets []*Set) error {
	for _, s := range sets {
		b := c.boards[s.gpu]
		times := make([]network, len(s.nets))
		for i, n := range s.nets {
			var err error
			if times[i], err = c.graphs.network(ctx, b, c.rooflineOf(s), n); err != nil {
				return err
			}
		}
		x := fitStart(ctx, s, times, startOf(b, s.Name), func(t network) float64 { return t.us })
		x.x[0] = rounded(x.x[0])
		b.Start[s.Name] = x.x[0]
		c.Parameters = append(c.Parameters, Parameter{from: from([]*Set{s}), Path: "start_us." + s.Name, Board: s.gpu, Value: x.x[0], Sigma: x.sigma[0], Folds: math.NaN()})
	}
	return nil
}

// fitStart fits the start of a kernel to networks whose kernels take us microseconds without
// it.
func fitStart(ctx context.Context, s *Set, times []network, begin float64, us func(network) float64) solution {
	p := problem{n: len(times), low: []float64{0.01}, high: []float64{1e3}}
	p.residuals = func(x, out []float64) {
		for i, t := range times {
			out[i] = math.Log((us(t) + x[0]*float64(t.kernels)) / s.nets[i].US)
		}
	}
	return p.solve(ctx, []float64{max(1, begin)})
}

// Bound sets the errors of the GPU from measurements that nothing was fitted to.
func (c *Calibration) Bound(m *Measured) {
	c.outside = nil
	c.leaveOut(makeSets(m, c.boards, c.Board.Architecture))
	c.bounds("not fitted to")
}

// record writes what was fitted into the GPU's file: values, sources, the launch and
// the errors.
func (c *Calibration) record() {
	b, own := c.Board, normal(c.Board.Name)
	for _, p := range c.Parameters {
		if p.Board == "" || p.Board == own {
			b.Sources[p.Path] = "fitted to " + p.from + " by pimflow calibrate"
		}
	}
	b.GPU.Launch = int64(math.Round(b.Start[b.LaunchFrom] * b.GPU.Clock.GHz() * 1e3))
	b.Sources["gpu.launch_ck"] = fmt.Sprintf("%.3f us, of start_us.%s: %s", b.Start[b.LaunchFrom], b.LaunchFrom, b.Sources["start_us."+b.LaunchFrom])
	c.bounds(fmt.Sprintf("each shape left out of the fit (%d folds)", Folds))
}
