package calibrate

import (
	"fmt"
	"math"
	"slices"

	"pimflow/internal/hw"
)

// outside is the out-of-fold predictions of a set: the model's times of its kernels, with
// parameters fitted without their shapes.
type outside struct {
	set, op, gpu                string
	start, floor                []float64 // us
	measured, predicted, chosen []float64 // us; chosen with the model's own tile
}

// leaveOut records the predictions of the sets of a fold with the present parameters.
func (c *Calibration) leaveOut(sets []*Set) {
	for _, s := range sets {
		if len(s.kernels) == 0 {
			continue
		}
		i := slices.IndexFunc(c.outside, func(o outside) bool { return o.set == s.Name })
		if i < 0 {
			c.outside = append(c.outside, outside{set: s.Name, op: s.Op, gpu: s.gpu})
			i = len(c.outside) - 1
		}
		o, b := &c.outside[i], c.boards[s.gpu]
		out := make([]float64, len(s.kernels))
		c.predict(s, b, false, out)
		o.predicted = append(o.predicted, out...)
		c.predict(s, b, true, out)
		o.chosen = append(o.chosen, out...)
		for _, k := range s.kernels {
			o.measured = append(o.measured, k.row.US)
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

// bounds sets the error of each class: the 10th and the 90th percentile of measured over
// modelled time, both without the start, over the out-of-fold rows of the board, or of its
// architecture if the board has none. Rows whose start is longer than their execution are left
// out.
func (c *Calibration) bounds(source, how string) {
	b := c.Board
	for _, class := range errorClasses {
		var own, all []float64
		for _, o := range c.outside {
			if o.op != class.op || c.boards[o.gpu].Architecture != b.Architecture {
				continue
			}
			for i, t := range o.chosen {
				if us := t - o.start[i]; us >= o.start[i] && t > o.floor[i] {
					ratio := (o.measured[i] - o.start[i]) / us
					all = append(all, ratio)
					if o.gpu == normal(b.Name) {
						own = append(own, ratio)
					}
				}
			}
		}
		rows := own
		if len(rows) < fewest {
			rows = all
		}
		if len(rows) < fewest {
			continue
		}
		slices.Sort(rows)
		*class.of(&b.GPU.Error) = hw.Range{Value: 1, Low: max(0.01, min(1, third(quantile(rows, 0.1)))), High: max(1, third(quantile(rows, 0.9)))}
		b.Sources[class.path] = fmt.Sprintf("10th and 90th percentile of measured over modelled time of %d kernels of %s, %s; by pimflow calibrate", len(rows), source, how)
	}
	if len(b.Start) < 2 { // one stack has no spread
		return
	}
	launch := b.Start[b.LaunchFrom]
	low, high := launch, launch
	for _, us := range b.Start {
		low, high = min(low, us), max(high, us)
	}
	b.GPU.Error.Launch = hw.Range{Value: 1, Low: max(0.001, third(low/launch)), High: third(high / launch)}
	b.Sources["gpu.error.launch"] = fmt.Sprintf("the least and the greatest of start_us, over %s", b.LaunchFrom)
}
