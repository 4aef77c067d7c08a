package generator

import "testing"

// BenchmarkPublishedVGG times channel 0 of VGG-16's largest layer, and generates it.
func BenchmarkPublishedVGG(b *testing.B) {
	c := artifactChannel(b, true)
	layer := square(64, 64, 224, 3, 1, 1, 16, 1)
	code, err := Conv(layer)
	if err != nil {
		b.Fatal(err)
	}
	_, commands := commandCounts(code.Channels[0])
	b.Run("Time", func(b *testing.B) {
		for b.Loop() {
			c.Time(code.Channels[0])
		}
		b.ReportMetric(float64(commands), "commands")
	})
	b.Run("Generate", func(b *testing.B) {
		for b.Loop() {
			Conv(layer)
		}
	})
}
