package gpu_test

import (
	"math"
	"testing"

	"pimflow/internal/gpu"
	"pimflow/internal/hw"
)

// TestBoardPower holds the constants of T4's energy against its board: idle it takes the 27 W that
// nvidia-smi reads at full clocks, and with a product of 4096x4096x4096 the 70 W that limit it.
// The fitted clock is that of a board at its limit (power_capped). By the constants of GV100, from
// which those of T4 are scaled, the product would take half as much again.
func TestBoardPower(t *testing.T) {
	b, err := hw.LoadBoard("t4")
	if err != nil {
		t.Fatal(err)
	}
	if !b.Capped {
		t.Fatal("t4 is not power_capped")
	}
	const n = 4096
	m, e := gpu.NewModel(b.Machine(2), b.Memory.Channels), b.GPU.Energy
	matrix := float64(2 * n * n)
	miss := m.Miss(3 * matrix)
	k := m.GEMM(gpu.GEMM{M: n, N: n, K: n, G: 1, A: matrix, B: matrix, O: matrix, MissA: miss, MissB: miss, MissO: miss},
		m.Launchable(gpu.Library("large")), gpu.Splits(1))
	idle := e.Constant.Value + float64(b.GPU.SMs)*e.Idle.Value // W
	power := func(e hw.GPUEnergy) float64 {
		return idle + k.Activity.SMs*e.Busy.Value + (k.Tensor*e.MAC.Value+k.L2Moved*e.L2.Value+k.Bytes*e.DRAM.Value)*1e-6/k.US
	}
	v100, err := hw.LoadBoard("v100")
	if err != nil {
		t.Fatal(err)
	}
	busy := power(e)
	t.Logf("idle %.1f W, product %.1f W at %.1f TFLOP/s; %.1f W by the constants of GV100", idle, busy, 2*n*n*n/k.US/1e6, power(v100.GPU.Energy))
	if math.Abs(idle-27) > 0.5 {
		t.Errorf("idle: %.1f W: 27 wanted", idle)
	}
	if math.Abs(busy-70) > 2 {
		t.Errorf("product: %.1f W: 70 wanted", busy)
	}
}

// TestPower holds the formula of energy against the power of four tensor-core kernels
// measured on a GV100 (AccelWattch, MICRO 2021), to which its constant of a product was
// scaled. The published account of that check, 93.8, 120.8, 187.2 and 174.6 W, cannot be
// done again: it does not give the kernels' durations. What stands here is the power at
// this model's durations on V100, with tiles of 128x128 and more, and how many times as
// long the kernels would have to take for the published account.
func TestPower(t *testing.T) {
	b, err := hw.LoadBoard("v100")
	if err != nil {
		t.Fatal(err)
	}
	m := gpu.NewModel(b.Machine(2), b.Memory.Channels)
	e := b.GPU.Energy
	for _, c := range []struct {
		m, n, k             int
		measured, published float64 // W
		watts, stretch      float64
	}{
		{2560, 16, 2560, 101.9, 93.8, 76.5, 0.52},
		{4096, 128, 4096, 121.6, 120.8, 114.3, 0.88},
		{2560, 512, 2560, 178.0, 187.2, 183.6, 0.97},
		{4096, 4096, 4096, 182.0, 174.6, 256.0, 1.86},
	} {
		A, B, O := float64(2*c.m*c.k), float64(2*c.n*c.k), float64(2*c.m*c.n)
		miss := m.Miss(A + B + O)
		p := gpu.GEMM{M: c.m, N: c.n, K: c.k, G: 1, A: A, B: B, O: O, MissA: miss, MissB: miss, MissO: miss}
		k := m.GEMM(p, m.Launchable(gpu.Library("large")), gpu.Splits(1))
		busy := float64(b.GPU.SMs)*e.Idle.Value + k.Activity.SMs*e.Busy.Value + e.Constant.Value // W
		work := k.Tensor*e.MAC.Value + k.L2Moved*e.L2.Value + k.Bytes*e.DRAM.Value               // pJ
		watts := busy + work*1e-6/k.US
		stretch := work * 1e-6 / (c.published - busy) / k.US
		t.Logf("%dx%dx%d: %.1f W, %+.0f %% of the %.1f W measured; %.2f times as long for %.1f W", c.m, c.n, c.k, watts, 100*(watts/c.measured-1), c.measured, stretch, c.published)
		if math.Abs(watts-c.watts) > 0.1 || math.Abs(stretch-c.stretch) > 0.01 {
			t.Errorf("%dx%dx%d: %.1f W and %.2f: %.1f and %.2f wanted", c.m, c.n, c.k, watts, stretch, c.watts, c.stretch)
		}
	}
}
