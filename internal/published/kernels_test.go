package published

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"pimflow/internal/hw"
	"pimflow/internal/platform"
)

// TestKernelDifference: ranges that overlap do not differ, others by their nearest values.
func TestKernelDifference(t *testing.T) {
	for _, c := range []struct{ low, high, ourLow, ourHigh, want float64 }{
		{7.5, 10.5, 6, 7.5, 0}, {7.5, 10.5, 8, 9, 0}, {7.5, 10.5, 10.5, 12, 0}, {7.5, 10.5, 3, 6, -0.2}, {4, 5, 6, 9, 0.2}, {4, 4, 4, 4, 0},
	} {
		r := KernelResult{KernelClaim: &KernelClaim{Low: c.low, High: c.high}, Low: c.ourLow, High: c.ourHigh}
		if got := r.Difference(); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%v: %v", c, got)
		}
	}
	if r := (KernelResult{KernelClaim: &KernelClaim{Low: 4, High: 4}, Missing: "x"}); r.Difference() != 0 {
		t.Error("a value that is missing differs")
	}
}

// TestKernelClaims: every claim has a machine, a kernel, a baseline and a source, every source a claim, and nothing is faster
// than its bandwidth.
func TestKernelClaims(t *testing.T) {
	said := map[int]bool{}
	for _, c := range KernelClaims {
		said[c.Source] = true
		if c.Low <= 0 || c.High < c.Low || c.Source >= len(KernelSources) || !slices.Contains([]string{AgainstGPU, AgainstPins, AgainstPeak, AgainstUnits}, c.Against) || (c.Kernel == "") != (c.Against == AgainstPeak) {
			t.Errorf("%+v", c)
		}
		if c.Kernel != "" {
			kernel(c.Kernel)
		}
	}
	if len(said) != len(KernelSources) {
		t.Errorf("claims of %d sources, there are %d", len(said), len(KernelSources))
	}
	for _, name := range []string{"newton", "aim", "hbm-pim"} {
		m, err := hw.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		list, err := CompareKernels(context.Background(), m)
		if err != nil {
			t.Fatal(err)
		}
		inside := m.InternalGBps() / m.Memory.ChannelGBps
		for i := range list {
			r := &list[i]
			for _, s := range r.Sizes {
				if r.Against == AgainstPins && (s.Speedup > inside || s.Speedup < 1) {
					t.Errorf("%s: %s of %s is %v times as fast as the pins, %v inside", name, r.Kernel, s.Size, s.Speedup, inside)
				}
				if r.Against == AgainstUnits && s.Speedup > 1 {
					t.Errorf("%s: %s of %s has %v of the units", name, r.Kernel, s.Size, s.Speedup)
				}
			}
			if r.Against == AgainstPeak && r.Low != r.KernelClaim.Low {
				t.Errorf("%s: %v inside over the pins, %v published", name, r.Low, r.KernelClaim.Low)
			}
			if r.Missing == "" && (r.Low > r.High || r.Low <= 0) {
				t.Errorf("%+v", r)
			}
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	m, err := hw.Load("aim")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := CompareKernels(ctx, m); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
}

// TestKernelByHand: 1024 outputs of 1024 products on the 32 channels of aim. Each channel has 2 groups of 16 outputs, a row of
// 64 columns each: 2 x 64 cycles for the inputs, 158 + 2 x 64 for the first sum, 103 + 2 x 64 for the second and 31 at the end
// (TestAccumulatorsForms in package pim), of 0.5 ns. The pins take as long as 2 bytes a value at 32 x 32 GB/s.
func TestKernelByHand(t *testing.T) {
	m, err := hw.Load("aim")
	if err != nil {
		t.Fatal(err)
	}
	list, err := CompareKernels(context.Background(), m)
	if err != nil {
		t.Fatal(err)
	}
	want := 2 * (1024*1024 + 2*1024) / 1024.0 / (0.5 * (2*64 + 158 + 2*64 + 103 + 2*64 + 31))
	if got := list[0].Sizes[0]; got.Size != "1024x1024" || math.Abs(got.Speedup-want) > 1e-6 {
		t.Errorf("%+v, %v wanted", got, want)
	}
	// 16 units of 16 lanes a channel have two cycles a column: 1024 x 1024 products take 256 cycles of the 676.
	pim, err := platform.PIM(m, m.Memory.Channels, "")
	if err != nil {
		t.Fatal(err)
	}
	k := gemv(1024)
	if got, err := k.speedup(m, nil, pim, AgainstUnits); err != nil || math.Abs(got-256.0/676) > 1e-9 {
		t.Errorf("%v of the units (%v), %v wanted", got, err, 256.0/676)
	}
}

// TestKernelsComputeEverywhere: how many channels of a machine compute changes no kernel, and the link of one that has all.
func TestKernelsComputeEverywhere(t *testing.T) {
	var want []KernelResult
	for _, set := range []string{"memory.pim_channels=64", "memory.pim_channels=32", "memory.pim_channels=48"} {
		m, err := hw.Load("hbm-pim")
		if err != nil {
			t.Fatal(err)
		}
		if m, err = m.Set(set); err != nil {
			t.Fatal(err)
		}
		list, err := CompareKernels(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = list
		}
		for i := range list {
			if list[i].Low != want[i].Low || list[i].High != want[i].High {
				t.Errorf("%s: %s against %s: %v to %v, want %v to %v", set, list[i].Kernel, list[i].Against, list[i].Low, list[i].High, want[i].Low, want[i].High)
			}
		}
	}
}
