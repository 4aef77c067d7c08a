//go:build unix

package pimflow

import (
	"context"
	"syscall"
	"testing"
)

// BenchmarkLaunches measures what the table of launches costs, in CPU time: the ratio is that of
// the search with the table to the search without.
func BenchmarkLaunches(b *testing.B) {
	now := func() float64 {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
	}
	var alone, with float64
	for range b.N {
		begin := now()
		p := planOn(b, "mobilenet-v2")
		alone += now() - begin
		if _, err := p.relaunch(context.Background()); err != nil {
			b.Fatal(err)
		}
		with += now() - begin
	}
	b.ReportMetric(alone/float64(b.N), "cpu-s/search")
	b.ReportMetric(with/float64(b.N), "cpu-s/table")
	b.ReportMetric(with/alone, "ratio")
}
