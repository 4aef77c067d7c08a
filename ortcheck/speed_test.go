package ortcheck

import (
	"runtime"
	"syscall"
	"testing"

	ort "github.com/yalue/onnxruntime_go"

	"pimflow/internal/graph"
	"pimflow/internal/run"
	"pimflow/internal/simplify"
	"pimflow/internal/zoo"
)

// BenchmarkReference measures the CPU time of a network in ONNX Runtime, on one thread, and that of its simplified graph by
// definition here, on one processor, in turn. A time is the least of several, and the ratio that of the two.
func BenchmarkReference(b *testing.B) {
	for _, name := range []string{"mobilenet-v2", "resnet-50", "densenet-121", "vgg-16"} {
		b.Run(name, func(b *testing.B) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
			g, err := zoo.Build(name, 1)
			if err != nil {
				b.Fatal(err)
			}
			theirs, done := session(b, g)
			defer done()
			if g, err = simplify.Run(b.Context(), g); err != nil {
				b.Fatal(err)
			}
			in := random(g)
			ours := func() {
				if _, err := run.Reference(b.Context(), g, in, nil); err != nil {
					b.Fatal(err)
				}
			}
			theirs()
			ours()
			best := map[string]float64{}
			measure := func(what string, f func()) {
				runtime.GC()
				begin := now(b)
				f()
				if t := now(b) - begin; best[what] == 0 || t < best[what] {
					best[what] = t
				}
			}
			for b.Loop() {
				measure("ONNX Runtime", theirs)
				measure("here", ours)
			}
			b.ReportMetric(best["ONNX Runtime"], "cpu-ms/ONNX-Runtime")
			b.ReportMetric(best["here"], "cpu-ms/reference")
			b.ReportMetric(best["here"]/best["ONNX Runtime"], "ratio")
		})
	}
}

// session is a network in ONNX Runtime: a function that executes it once, and one that drops it.
func session(b *testing.B, g *graph.Graph) (execute, done func()) {
	model, err := encoded(g)
	if err != nil {
		b.Fatal(err)
	}
	o, err := ort.NewSessionOptions()
	if err != nil {
		b.Fatal(err)
	}
	defer o.Destroy()
	if err := o.SetIntraOpNumThreads(1); err != nil {
		b.Fatal(err)
	}
	s, err := ort.NewDynamicAdvancedSessionWithONNXData(model, inputNames(g), outputNames(g), o)
	if err != nil {
		b.Fatal(err)
	}
	var in []ort.Value
	for _, x := range random(g) {
		v, err := toORT(x)
		if err != nil {
			b.Fatal(err)
		}
		in = append(in, v)
	}
	out := make([]ort.Value, len(g.Outputs))
	execute = func() {
		if err := s.Run(in, out); err != nil {
			b.Fatal(err)
		}
	}
	return execute, func() {
		for _, v := range append(in, out...) {
			v.Destroy()
		}
		s.Destroy()
	}
}

// now is the CPU time of this process, in ms.
func now(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e6
}
