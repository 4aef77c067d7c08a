//go:build unix

package pimflow

import (
	"context"
	"runtime"
	"syscall"
	"testing"

	"pimflow/internal/run"
)

// BenchmarkCheck measures the CPU time of a network by definition, as it was read, and that of the check of its plan.
func BenchmarkCheck(b *testing.B) {
	now := func() float64 {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e6
	}
	ctx := context.Background()
	for _, name := range []string{"mobilenet-v2", "resnet-50", "densenet-121", "vgg-16"} {
		b.Run(name, func(b *testing.B) {
			p := planOn(b, name)
			s := p.home
			in, err := s.values(nil)
			if err != nil {
				b.Fatal(err)
			}
			evaluate := func() {
				if _, err := run.Reference(ctx, s.model, in, nil); err != nil {
					b.Fatal(err)
				}
			}
			evaluate() // reads the weights
			var reference, check float64
			for b.Loop() {
				runtime.GC()
				begin := now()
				evaluate()
				reference += now() - begin
				runtime.GC()
				begin = now()
				c, err := s.Check(ctx, p)
				if err != nil || !c.OK {
					b.Fatal(c, err)
				}
				check += now() - begin
			}
			b.ReportMetric(reference/float64(b.N), "cpu-ms/reference")
			b.ReportMetric(check/float64(b.N), "cpu-ms/check")
			b.ReportMetric(check/reference, "check/reference")
		})
	}
}
