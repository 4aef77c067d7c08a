package pim

import (
	"testing"
	"time"

	"pimflow/internal/dram"
)

// BenchmarkPublishedVGG times channel 0 of VGG-16's largest layer, and generates it.
func BenchmarkPublishedVGG(b *testing.B) {
	c := publishedChannel(b, true)
	layer := publishedConv(64, 64, 224, 3, 1, 1, 16, 1)
	code, err := Published(layer)
	if err != nil {
		b.Fatal(err)
	}
	_, commands := publishedCount(code.Channels[0])
	b.Run("Time", func(b *testing.B) {
		for b.Loop() {
			c.Time(code.Channels[0])
		}
		b.ReportMetric(float64(commands), "commands")
	})
	b.Run("Generate", func(b *testing.B) {
		for b.Loop() {
			Published(layer)
		}
	})
}

func TestRates(t *testing.T) {
	ch := map[string]*dram.Channel{"0": publishedChannel(t, false), "1": publishedChannel(t, true)}
	for _, r := range append(publishedGolden(t, "testdata/published.csv"), publishedGolden(t, "testdata/published_ratios.csv")...) {
		code, _ := Published(r.layer(t))
		_, n := publishedCount(code.Channels[0])
		c := ch[r["hiding"]]
		if n < 20000 {
			continue
		}
		for range 3 {
			c.Time(code.Channels[0])
		}
		t0 := time.Now()
		for range 10 {
			c.Time(code.Channels[0])
		}
		d := time.Since(t0) / 10
		if rate := float64(n) / d.Seconds() / 1e6; rate < 3000 {
			t.Logf("%v: %d commands %v %.0f M/s", r, n, d, rate)
		}
	}
}
