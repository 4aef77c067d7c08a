package pim

import (
	"math/rand/v2"
	"testing"

	"pimflow/internal/graph"
	"pimflow/internal/tensor"
)

// layers are convolutions of MobileNetV2, ResNet-50 and VGG-16.
var layers = []struct {
	name                                   string
	outs, ins, size, kernel, stride, group int
}{
	{"mobilenet-first", 32, 3, 224, 3, 2, 1},
	{"mobilenet-96x16@112", 96, 16, 112, 1, 1, 1},
	{"mobilenet-24x144@56", 24, 144, 56, 1, 1, 1},
	{"mobilenet-64x384@14", 64, 384, 14, 1, 1, 1},
	{"mobilenet-960x160@7", 960, 160, 7, 1, 1, 1},
	{"mobilenet-depthwise@56", 144, 144, 56, 3, 1, 144},
	{"resnet-64x64@56", 64, 64, 56, 3, 1, 1},
	{"resnet-512x512@7", 512, 512, 7, 3, 1, 1},
	{"vgg-64x64@224", 64, 64, 224, 3, 1, 1},
	{"vgg-512x512@14", 512, 512, 14, 3, 1, 1},
}

func bench(b *testing.B, f func(b *testing.B, n net, d *Device)) {
	for _, name := range []string{"artifact", "newton", "aim"} {
		b.Run(name, func(b *testing.B) { benchOn(b, name, f) })
	}
}

func benchOn(b *testing.B, name string, f func(b *testing.B, n net, d *Device)) {
	for _, l := range layers {
		b.Run(l.name, func(b *testing.B) {
			p := int64(l.kernel / 2)
			n := conv(b, rand.New(rand.NewPCG(1, 2)), tensor.Shape{1, l.ins, l.size, l.size},
				l.outs, l.group, l.kernel, l.stride, 1, []int64{p, p, p, p}, true)
			d, err := New(machineOf(b, name), 16)
			if err != nil {
				b.Fatal(err)
			}
			f(b, n, d.(*Device))
		})
	}
}

// BenchmarkCompile compiles every cut of a layer's rows that begins at the top
// or ends at the bottom, as a search does; an operation is one cut.
func BenchmarkCompile(b *testing.B) {
	bench(b, func(b *testing.B, n net, d *Device) {
		whole := n.g.Whole(n.id)
		rows := whole.Box[2].Hi
		b.ReportAllocs()
		for i := range b.N {
			if i%(2*rows-1) == 0 {
				clear(d.timed)
			}
			r := tensor.Range{Lo: 0, Hi: i%rows + 1}
			if i/rows%2 == 1 {
				r = tensor.Range{Lo: i % rows, Hi: rows}
			}
			if _, err := d.Compile(n.g, graph.Cut{Node: n.id, Box: whole.Box.With(2, r)}); err != nil {
				b.Fatal(err)
			}
		}
		code, err := d.Compile(n.g, whole)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(code.Cost().Stream), "cycles")
	})
}

func BenchmarkEval(b *testing.B) {
	bench(b, func(b *testing.B, n net, d *Device) {
		code, err := d.Compile(n.g, n.g.Whole(n.id))
		if err != nil {
			b.Fatal(err)
		}
		y := tensor.New(tensor.Float32, n.g.Nodes[n.id].Shape)
		for b.Loop() {
			if err := code.Eval(n.in, y); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(n.g.MACs(n.g.Whole(n.id)))*float64(b.N)/b.Elapsed().Seconds()/1e9, "GMAC/s")
	})
}
