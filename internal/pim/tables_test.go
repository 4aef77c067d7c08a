package pim

import (
	"math"
	"slices"
	"testing"

	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// square is a convolution of one square image without values, and the machine it is mapped
// to. Fields that are 0 are those of the machine.
type square struct {
	machine                     string
	channels                    int
	in, out, size, kernel       int
	group, buffers, accumulator int
}

func (c square) device(t fataler) *Device {
	m := machineOf(t, c.machine)
	if c.buffers > 0 {
		m.PIM.Buffers = c.buffers
	}
	if c.accumulator > 0 {
		m.PIM.Sums = c.accumulator
	}
	d, err := New(m, c.channels)
	if err != nil {
		t.Fatal(err)
	}
	return d.(*Device)
}

func (c square) layer(t fataler) *layer {
	b := graph.NewBuilder("test")
	k, pad := int64(c.kernel), int64(c.kernel/2)
	x := b.Input("x", tensor.Float32, tensor.Shape{1, c.in, c.size, c.size})
	w := b.Const("w", tensor.Lazy(tensor.Float32, tensor.Shape{c.out, c.in / c.group, c.kernel, c.kernel}, func() ([]float32, []int64) { panic("values") }))
	y, err := b.Op("y", "Conv", op.Attrs{
		"group": int64(c.group), "kernel_shape": []int64{k, k}, "strides": []int64{1, 1}, "dilations": []int64{1, 1}, "pads": []int64{pad, pad, pad, pad},
	}, x, w)
	if err != nil {
		t.Fatal(err)
	}
	b.Output("y", y)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	l, err := lower(g, g.Whole(y))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// cycles is the time of the mapping that is chosen now; +Inf if there is none.
func (c square) cycles(t fataler) float64 {
	d := c.device(t)
	best, _, err := d.choose(c.layer(t), d.newScratch())
	if err != nil {
		return math.Inf(1)
	}
	return float64(best.elapsed)
}

// tableRow is a row of a table of choices.
type tableRow struct {
	name string
	drop func() (restore func())
}

func rowsOf[T any](table string, rows *[]T, name func(T) string) (all []tableRow) {
	for i, r := range *rows {
		all = append(all, tableRow{table + ": " + name(r), func() func() {
			old := *rows
			*rows = slices.Delete(slices.Clone(old), i, i+1)
			return func() { *rows = old }
		}})
	}
	return all
}

// choices are the rows of all tables of what is tried for a layer.
func choices() []tableRow {
	return slices.Concat(
		rowsOf("kTilings", &kTilings, func(r kTiling) string { return r.name }),
		rowsOf("sharings", &sharings, func(r sharing) string { return r.name }),
		rowsOf("merges", &merges, func(r merge) string { return r.name }),
		rowsOf("kOrders", &kOrders, func(r reordering) string { return r.name }),
		rowsOf("accumulatorDataflows", &accumulatorDataflows, func(r namedDataflow) string { return r.name }),
	)
}

// deciding are layers that are slower, or not mapped at all, without a row.
var deciding = map[string]square{
	"kTilings: fold":   {machine: "artifact", channels: 16, in: 80, out: 40, size: 3, kernel: 3, group: 1},
	"kTilings: pack":   {machine: "artifact", channels: 16, in: 32, out: 136, size: 6, kernel: 3, group: 1},
	"kTilings: spread": {machine: "artifact", channels: 16, in: 1568, out: 8, size: 1, kernel: 1, group: 1},

	"sharings: even":  {machine: "artifact", channels: 16, in: 80, out: 8, size: 6, kernel: 3, group: 1},
	"sharings: teams": {machine: "artifact", channels: 16, in: 240, out: 200, size: 3, kernel: 1, group: 1},

	"merges: single groups": {machine: "newton", channels: 16, in: 1376, out: 120, size: 1, kernel: 1, group: 1},
	"merges: merged groups": {machine: "newton", channels: 4, in: 32, out: 32, size: 16, kernel: 1, group: 32, buffers: 1},

	"kOrders: channel by channel": {machine: "newton", channels: 16, in: 1376, out: 120, size: 1, kernel: 1, group: 1},
	"kOrders: tap by tap":         {machine: "newton", channels: 1, in: 256, out: 32, size: 5, kernel: 5, group: 1, buffers: 1},

	"accumulatorDataflows: weight-stationary": {machine: "aim", channels: 2, in: 160, out: 8, size: 11, kernel: 3, group: 1, accumulator: 1},
	"accumulatorDataflows: input-stationary":  {machine: "aim", channels: 1, in: 2704, out: 224, size: 1, kernel: 1, group: 1, accumulator: 16},
	"accumulatorDataflows: output-stationary": {machine: "aim", channels: 4, in: 240, out: 104, size: 19, kernel: 3, group: 1, accumulator: 32},
}

// TestChoicesDecide: each row of each table of choices has a layer whose optimum only that
// row finds.
func TestChoicesDecide(t *testing.T) {
	rows := choices()
	for _, row := range rows {
		c, ok := deciding[row.name]
		if !ok {
			t.Errorf("%s: no layer shows that it is needed", row.name)
			continue
		}
		with := c.cycles(t)
		restore := row.drop()
		without := c.cycles(t)
		restore()
		t.Logf("%s: %.0f cycles, %.3f times as many without", row.name, with, without/with)
		if without < 1.005*with {
			t.Errorf("%s: %v: %.0f cycles, without it %.0f", row.name, c, with, without)
		}
	}
	for name := range deciding {
		if !slices.ContainsFunc(rows, func(r tableRow) bool { return r.name == name }) {
			t.Errorf("%s: no such row", name)
		}
	}
}
