package calibrate

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"pimflow/internal/hw"
)

// outside is the out-of-fold predictions of a set: the model's times of its kernels, with
// parameters fitted without their shapes.
type outside struct {
	set, op, gpu, from string
	start, floor       []float64 // us
	rows               []*Row
	predicted, chosen  []float64 // us; chosen with the model's own tile
}

// leaveOut records the predictions of the sets of a fold with the present parameters.
func (c *Calibration) leaveOut(sets []*Set) {
	for _, s := range sets {
		if len(s.kernels) == 0 {
			continue
		}
		i := slices.IndexFunc(c.outside, func(o outside) bool { return o.set == s.Name })
		if i < 0 {
			c.outside = append(c.outside, outside{set: s.Name, op: s.Op, gpu: s.gpu, from: from([]*Set{s})})
			i = len(c.outside) - 1
		}
		o, b := &c.outside[i], c.boards[s.gpu]
		out := make([]float64, len(s.kernels))
		c.predict(s, b, false, out)
		o.predicted = append(o.predicted, out...)
		c.predict(s, b, true, out)
		o.chosen = append(o.chosen, out...)
		for _, k := range s.kernels {
			o.rows = append(o.rows, k.row)
			o.start, o.floor = append(o.start, startOf(b, s.Name)), append(o.floor, s.floor())
		}
	}
}

// errorClasses are the classes of kernels whose errors are computed, by operator of the rows.
var errorClasses = []struct {
	op, path string
	of       func(e *hw.GPUError) *hw.Range
}{
	{"conv", "gpu.error.conv", func(e *hw.GPUError) *hw.Range { return &e.Conv }},
	{"dwconv", "gpu.error.dwconv", func(e *hw.GPUError) *hw.Range { return &e.Depthwise }},
	{"gemm", "gpu.error.gemm", func(e *hw.GPUError) *hw.Range { return &e.GEMM }},
}

// third rounds to three decimals.
func third(x float64) float64 { return math.Round(x*1e3) / 1e3 }

// fewest is the least number of rows for bounds. Estimated.
const fewest = 10

// bounds sets the error of each class from the cross-validated rows of the board, or,
// where it has none, of its architecture: the 10th and the 90th percentile of measured
// over modelled time, both without the start. Rows whose start is longer than what
// they execute would say nothing of the kernel and are left out.
func (c *Calibration) bounds(how string) {
	b := c.Board
	for _, class := range errorClasses {
		var own, all []float64
		var ownFrom, allFrom []string
		for _, o := range c.outside {
			if o.op != class.op || c.boards[o.gpu].Architecture != b.Architecture || strings.Contains(o.set, " fp32 ") {
				continue
			}
			allFrom = append(allFrom, strings.Split(o.from, ", ")...)
			if o.gpu == normal(b.Name) {
				ownFrom = append(ownFrom, strings.Split(o.from, ", ")...)
			}
			for i, t := range o.chosen {
				if us := t - o.start[i]; us >= o.start[i] && t > o.floor[i] {
					ratio := (o.rows[i].US - o.start[i]) / us
					all = append(all, ratio)
					if o.gpu == normal(b.Name) {
						own = append(own, ratio)
					}
				}
			}
		}
		rows, tables := own, ownFrom
		if len(rows) < fewest {
			rows, tables = all, allFrom
		}
		if len(rows) < fewest {
			continue
		}
		slices.Sort(rows)
		*class.of(&b.GPU.Error) = hw.Range{Value: 1, Low: max(0.01, min(1, third(quantile(rows, 0.1)))), High: max(1, third(quantile(rows, 0.9)))}
		slices.Sort(tables)
		source := strings.Join(slices.Compact(tables), ", ")
		b.Sources[class.path] = fmt.Sprintf("10th and 90th percentile of measured over modelled time of %d kernels of %s, %s; by pimflow calibrate", len(rows), source, how)
	}
	c.slowMode()
	launch := b.Start[b.LaunchFrom]
	low, high, what := launch, launch, ""
	if l := b.GPU.Launches; l.Stream.Value > 0 {
		low, high, what = min(launch, l.Graph.Low), max(launch, l.Stream.High), "the least of a graph and the greatest of a stream (gpu.launches)"
	} else if len(b.Start) > 1 { // one stack says nothing of others
		for _, us := range b.Start {
			low, high = min(low, us), max(high, us)
		}
		what = "the least and the greatest of start_us"
	} else {
		return
	}
	b.GPU.Error.Launch = hw.Range{Value: 1, Low: max(0.001, third(low/launch)), High: third(high / launch)}
	b.Sources["gpu.error.launch"] = what + ", over " + b.LaunchFrom
}

// slowMode sets what a strided convolution may take from the rows of the board that are
// marked as of a slow mode: their 75th percentile, without the start. The other quarter has
// work that takes as long.
func (c *Calibration) slowMode() {
	if len(c.slow) < fewest {
		return
	}
	slices.Sort(c.slow)
	c.Board.GPU.Error.SlowUS = third(quantile(c.slow, 0.75))
	c.Board.Sources["gpu.error.slow_us"] = fmt.Sprintf("75th percentile of %d strided convolutions marked as of a slow mode; by pimflow calibrate", len(c.slow))
}

// unseen is by how much networks that were not measured differ more, in logarithms: estimated.
const unseen = 1.25

// boundNetworks sets the error of whole networks from those of the board, or of its architecture: the least and the
// greatest of measured over modelled time, each stack with its own start, and a quarter more.
func (c *Calibration) boundNetworks(ctx context.Context, sets []*Set) error {
	b := c.Board
	for _, kind := range []struct {
		dtype, path string
		of          *hw.Range
	}{{"fp16", "gpu.error.network", &b.GPU.Error.Network}, {"int8", "gpu.error.int8_network", &b.GPU.Error.Int8Network}} {
		var ratios []float64
		own := slices.DeleteFunc(slices.Clone(sets), func(s *Set) bool { return s.gpu != normal(b.Name) || s.dtype != kind.dtype })
		if len(own) == 0 {
			own = slices.DeleteFunc(slices.Clone(sets), func(s *Set) bool { return s.dtype != kind.dtype })
		}
		for _, s := range own {
			x := c.boards[s.gpu]
			for _, n := range s.nets {
				t, err := c.graphs.executed(ctx, x.Machine(elementSize[s.dtype]), n)
				if err != nil {
					return err
				}
				ratios = append(ratios, n.US/(t.us+float64(t.kernels)*startOf(x, s.Name)))
			}
		}
		if len(ratios) < fewest {
			continue
		}
		slices.Sort(ratios)
		low, high := math.Pow(ratios[0], unseen), math.Pow(ratios[len(ratios)-1], unseen)
		*kind.of = hw.Range{Value: 1, Low: min(1, third(low)), High: max(1, third(high))}
		b.Sources[kind.path] = fmt.Sprintf("least and greatest of measured over modelled time of %d whole networks of %s, each stack with its own start, and in logarithms a quarter more for other networks; by pimflow calibrate", len(ratios), from(own))
	}
	return nil
}
