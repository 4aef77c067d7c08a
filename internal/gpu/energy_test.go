package gpu_test

import (
	"fmt"
	"math"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/gpu"
	"pimflow/internal/graph"
)

// TestNetworkEnergy compares whole networks with a prototype of the same formula,
// which stretches each kernel by 1.16 and leaves the products of fully connected
// layers out.
func TestNetworkEnergy(t *testing.T) {
	const kappa = 1.16
	for name, want := range map[string][2]float64{ // mJ at 32 and at 16 channels
		"mobilenet-v2": {53.05, 56.00}, "mnasnet-1.0": {53.90, 56.02}, "efficientnet-b0": {96.71, 100.40},
		"resnet-50": {149.50, 153.68}, "vgg-16": {252.42, 282.52},
	} {
		g := network(t, name)
		for i, channels := range []int{32, 16} {
			m := machine(t, "artifact", nil)
			sum := measure(t, m, channels, g)
			standby := gpu.Standby(m)
			us := sum.cost.Launch.NS()/1e3 + kappa*sum.us
			l := standby.Times(us * 1e3)
			l.Add(&sum.cost.Energy)
			l[device.GPUActive] = l[device.GPUActive].Times(kappa)
			l[device.GPUFMA].Value -= m.GPU.Energy.FMA.Value * sum.gemv
			if got := l.Total().Value / 1e9; !(math.Abs(got-want[i]) <= 1e-3*want[i]) {
				t.Errorf("%s, %d channels: %.3f mJ: %.3f wanted; %v", name, channels, got, want[i], l)
			}
			if sum.gemv < 1e6 {
				t.Errorf("%s: %.0f products in fully connected layers", name, sum.gemv)
			}
		}
	}
}

// TestEnergyByHand: a kernel of the toy machine, whose constants are round.
func TestEnergyByHand(t *testing.T) {
	m := machine(t, "toy", nil)
	d, err := gpu.New(m, 4)
	if err != nil {
		t.Fatal(err)
	}
	g := network(t, "toy")
	compared := 0
	for i := range g.Nodes {
		if g.Nodes[i].Op == nil {
			continue
		}
		code, err := d.Compile(g, g.Whole(graph.ID(i)))
		if err != nil {
			t.Fatal(err)
		}
		var want [device.Parts]float64
		for _, k := range code.(*gpu.Code).Kernels() {
			if k.Class == gpu.Offset {
				continue
			}
			want[device.GPUActive] += 2e6 * k.SMs * k.US
			want[device.GPUDRAM] += 50 * k.Bytes
			switch k.Class {
			case gpu.Matrix:
				want[device.GPUMAC] += k.MACs // there is one tile: the choice is the timed one
				want[device.GPUL2] += 10 * k.L2Moved
			case gpu.Depthwise:
				want[device.GPUFMA] += 10 * k.MACs
				want[device.GPUL2] += 10 * k.Bytes
			default:
				want[device.GPUFMA] += 10 * k.MACs
				want[device.GPUL2] += 20 * k.Bytes
			}
			compared++
		}
		got := code.Cost().Energy
		for p, e := range got {
			what := fmt.Sprintf("%s %v", g.Nodes[i].Name, device.Part(p))
			near(t, what, e.Value, want[p])
			near(t, what+" low", e.Low, e.Value/2)
			near(t, what+" high", e.High, e.Value*2)
		}
	}
	if compared < 19 {
		t.Errorf("%d kernels", compared)
	}
	standby := gpu.Standby(m) // 10 W and 2 SMs of 1 W
	if want := (device.Ledger{device.GPUStandby: {Value: 12000, Low: 6000, High: 24000}}); standby != want {
		t.Errorf("standby %v", standby)
	}
}
