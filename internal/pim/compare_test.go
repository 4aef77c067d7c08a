package pim

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"pimflow/internal/dram"
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
		if got := code.Cost().Stream; got > want {
			t.Errorf("%v: %d cycles, the published mapping takes %d", r, got, want)
		}
		t.Logf("%v: %d cycles of %d, %v", r, code.Cost().Stream, want, code.mapping)
		sum, published = sum+float64(code.Cost().Stream), published+float64(want)
	}
	t.Logf("%d layers: %.3f of the published mapping's cycles", len(done), sum/published)
	if len(done) < 50 {
		t.Errorf("%d layers compared", len(done))
	}
}

// TestNewtonAgainstPublished: on a machine whose buffer writes, precharges and
// refreshes take their time, the published mapping, its streams changed to pay for
// them, is never faster than ours on any layer, whole or part, of its golden runs, and
// takes at least twice the cycles in the mean.
func TestNewtonAgainstPublished(t *testing.T) {
	std, err := dram.Lookup("newton")
	if err != nil {
		t.Fatal(err)
	}
	product, floors, n := 0.0, 0.0, 0
	done := map[PublishedLayer]bool{}
	for _, r := range append(publishedGolden(t, "testdata/published.csv"), publishedGolden(t, "testdata/published_ratios.csv")...) {
		l := r.layer(t)
		if done[l] {
			continue
		}
		done[l] = true
		ph, pw := int64(l.PH), int64(l.PW)
		net := conv(t, rand.New(rand.NewPCG(1, 2)), tensor.Shape{1, l.IC, l.H, l.W}, l.OC, 1, l.KH, l.Stride, 1, []int64{ph, pw, ph, pw}, false)
		code := compile(t, machineOf(t, "newton"), l.Channels, net.g, net.g.Whole(net.id))
		p, err := Published(l)
		if err != nil {
			t.Fatal(err)
		}
		streams, err := p.On(std)
		if err != nil {
			t.Fatal(err)
		}
		want := code.device.channel.Time(streams[0]).Cycles
		got, floor := code.Cost().Stream, code.Floor().Cycles()
		if got > int64(want) {
			t.Errorf("%v: %d cycles, the published mapping takes %d", r, got, want)
		}
		if l.Buffers != 4 {
			continue // the table has those with up to four groups
		}
		t.Logf("%v: %d cycles of %d, %.2f, %.2f of the floor, %v (%v)", r, got, want, float64(want)/float64(got), float64(got)/float64(floor), code.mapping, code.Cost().Bound)
		product += math.Log(float64(want) / float64(got))
		floors += math.Log(float64(got) / float64(floor))
		n++
	}
	mean := math.Exp(product / float64(n))
	t.Logf("%d layers: %.3f times faster in the geometric mean, %.3f of the floor", n, mean, math.Exp(floors/float64(n)))
	if mean < 2 || n < 300 {
		t.Errorf("%.3f times faster over %d layers: 2 wanted", mean, n)
	}
}

// TestNewtonNeverSlower: nor is the published mapping faster on any other layer, its
// lost work given back.
func TestNewtonNeverSlower(t *testing.T) {
	std, err := dram.Lookup("newton")
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.SampledFrom([]int{1, 1, 3, 5}).Draw(t, "kernel")
		size := max(k, rapid.SampledFrom([]int{1, 3, 7, 14, 28}).Draw(t, "size"))
		l := PublishedLayer{
			OC: rapid.IntRange(1, 300).Draw(t, "oc"), IC: rapid.IntRange(1, 300).Draw(t, "ic"), H: size, W: size, KH: k, KW: k, PH: k / 2, PW: k / 2,
			Stride: rapid.IntRange(1, 2).Draw(t, "stride"), Channels: rapid.SampledFrom([]int{4, 8, 16}).Draw(t, "channels"), Buffers: 4,
			Repairs: Repairs{Work: true, Activations: true},
		}
		p, err := Published(l)
		if err != nil {
			t.Fatal(err)
		}
		streams, err := p.On(std)
		if err != nil {
			t.Fatal(err)
		}
		pad := int64(k / 2)
		n := conv(t, rand.New(rand.NewPCG(1, 2)), tensor.Shape{1, l.IC, size, size}, l.OC, 1, k, l.Stride, 1, []int64{pad, pad, pad, pad}, false)
		code := compile(t, machineOf(t, "newton"), l.Channels, n.g, n.g.Whole(n.id))
		var published dram.Cycle
		for _, s := range streams {
			published = max(published, code.device.channel.Time(s).Cycles)
		}
		if got := code.Cost().Stream; got > int64(published) {
			t.Fatalf("%d cycles of %v, the published mapping takes %d", got, code.mapping, published)
		}
	})
}
