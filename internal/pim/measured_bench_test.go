package pim

import (
	"fmt"
	"math"
	"testing"

	"pimflow/internal/graph"
	"pimflow/internal/simplify"
	"pimflow/internal/zoo"
)

// layersOf are the layers of a network that differ in form.
func layersOf(b testing.TB, network string) (all []*layer) {
	g, err := zoo.Build(network, 1)
	if err != nil {
		b.Fatal(err)
	}
	if g, err = simplify.Run(b.Context(), g); err != nil {
		b.Fatal(err)
	}
	seen := map[form]bool{}
	for i := range g.Nodes {
		l, err := lower(g, g.Whole(graph.ID(i)))
		if err != nil || seen[l.first().form(true)] {
			continue
		}
		l = l.first()
		seen[l.form(true)] = true
		all = append(all, l)
	}
	return all
}

// setting is a value of a constant, and how a device gets it.
type setting struct {
	value int
	set   func(d *Device)
}

// constant prints a row for each value of a constant: the time to choose mappings for the
// layers of networks on newton, and how much slower the layers are than with the last and most
// thorough value, in sum and in the geometric mean.
func constant(b *testing.B, settings []setting, networks ...string) {
	var layers []*layer
	for _, n := range networks {
		layers = append(layers, layersOf(b, n)...)
	}
	cycles := func(s setting) (all []float64) {
		dev, err := New(machineOf(b, "newton"), 16)
		if err != nil {
			b.Fatal(err)
		}
		d := dev.(*Device)
		s.set(d)
		r := d.newScratch()
		for _, l := range layers {
			best, _, err := d.choose(l, r)
			if err != nil {
				b.Fatal(err)
			}
			all = append(all, float64(best.elapsed))
		}
		return all
	}
	thorough := cycles(settings[len(settings)-1])
	for _, s := range settings {
		b.Run(fmt.Sprint(s.value), func(b *testing.B) {
			var now []float64
			for b.Loop() {
				now = cycles(s)
			}
			sum, all, mean := 0.0, 0.0, 0.0
			for i := range now {
				sum, all, mean = sum+now[i], all+thorough[i], mean+math.Log(now[i]/thorough[i])
			}
			b.ReportMetric(100*(sum/all-1), "%-slower")
			b.ReportMetric(100*(math.Exp(mean/float64(len(now)))-1), "%-slower-in-the-mean")
		})
	}
}

// BenchmarkBeyond: traits.beyond, in parts of a thousand.
func BenchmarkBeyond(b *testing.B) {
	var all []setting
	for _, n := range []int{-20, -5, 0, 5, 10} {
		all = append(all, setting{n, func(d *Device) { d.traits.beyond = float64(n) / 1000 }})
	}
	constant(b, all, "mobilenet-v2", "resnet-50")
}

// BenchmarkWorth: worth.
func BenchmarkWorth(b *testing.B) {
	rows := kOrders
	defer func() { kOrders = rows }()
	var all []setting
	for _, n := range []int{0, 10, 25, 50, 100, 200} {
		all = append(all, setting{n, func(*Device) {
			kOrders = []reordering{rows[0], {"tap by tap", func(l *layer, merge, lanes int) *layer { return l.skipping(merge, lanes, n) }}}
		}})
	}
	constant(b, all, "vgg-16", "resnet-50")
}
