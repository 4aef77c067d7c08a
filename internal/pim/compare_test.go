package pim

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"pimflow/internal/tensor"
)

// The mapping computes everything, which the published generator does not always,
// and is no slower on any layer of its golden runs.
func TestNotSlowerThanPublished(t *testing.T) {
	var sum, published float64
	done := map[PublishedLayer]bool{}
	for _, r := range publishedGolden(t, "testdata/published.csv") {
		l := r.layer(t)
		if l.Buffers != 4 || r["hiding"] != "1" || done[l] {
			continue
		}
		done[l] = true
		if l.IC == 0 || l.OC == 0 {
			t.Fatalf("row %v", r)
		}
		ph, pw := int64(l.PH), int64(l.PW)
		n := conv(t, rand.New(rand.NewPCG(1, 2)), tensor.Shape{1, l.IC, l.H, l.W}, l.OC, 1, l.KH, l.Stride, 1, []int64{ph, pw, ph, pw}, false)
		code := compile(t, machine(t), l.Channels, n.g, n.g.Whole(n.id))
		want, err := strconv.ParseInt(r["cycles"], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if got := code.Cost().Ticks; got > want {
			t.Errorf("%v: %d cycles, the published mapping takes %d", r, got, want)
		}
		t.Logf("%v: %d cycles of %d, %v", r, code.Cost().Ticks, want, code.mapping)
		sum, published = sum+float64(code.Cost().Ticks), published+float64(want)
	}
	t.Logf("%d layers: %.3f of the published mapping's cycles", len(done), sum/published)
	if len(done) < 50 {
		t.Errorf("%d layers compared", len(done))
	}
}
