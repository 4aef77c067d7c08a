package gpu_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/gpu"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/simplify"
	"pimflow/internal/zoo"
)

// machine is the artifact's, changed by edit.
func machine(t testing.TB, name string, edit func(m *hw.Machine)) *hw.Machine {
	t.Helper()
	m, err := hw.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	if edit != nil {
		edit(m)
	}
	return m
}

func network(t testing.TB, name string) *graph.Graph {
	t.Helper()
	g, err := zoo.Build(name, 1)
	if err != nil {
		t.Fatal(err)
	}
	if g, err = simplify.Run(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	return g
}

// total is a network, every layer whole on the GPU.
type total struct {
	us       float64 // without launches
	by       map[string]float64
	launches int
	gemv     float64 // products of kernels of that class
	cost     device.Cost
}

func measure(t testing.TB, m *hw.Machine, channels int, g *graph.Graph) total {
	t.Helper()
	return measureOn(t, gpu.New, m, channels, g)
}

func measureOn(t testing.TB, make func(*hw.Machine, int) (device.Device, error), m *hw.Machine, channels int, g *graph.Graph) total {
	t.Helper()
	d, err := make(m, channels)
	if err != nil {
		t.Fatal(err)
	}
	sum := total{by: map[string]float64{}}
	for i := range g.Nodes {
		if g.Nodes[i].Op == nil {
			continue
		}
		code, err := d.Compile(g, g.Whole(graph.ID(i)))
		if err != nil {
			t.Fatal(err)
		}
		c := code.Cost()
		sum.cost.Time += c.Time
		sum.cost.Launch += c.Launch
		sum.cost.Ticks += c.Ticks
		sum.cost.Energy.Add(&c.Energy)
		for _, k := range code.(*gpu.Code).Kernels() {
			sum.us += k.US
			sum.launches++
			if k.Class == gpu.Vector {
				sum.gemv += k.MACs
			}
			kind := string(k.Class)
			if g.Nodes[i].Op.Name == "Mul" {
				kind = "mul"
			}
			sum.by[kind] += k.US
		}
	}
	return sum
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-6*math.Abs(want)) {
		t.Errorf("%s: %.9g: %.9g wanted", what, got, want)
	}
}

const mhz = 1365

// TestNetworks compares whole networks with the prototype: cycles without
// launches, launches, and both.
func TestNetworks(t *testing.T) {
	data, err := os.ReadFile("testdata/golden_vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Networks map[string]map[int]struct {
			Cycles, Exec float64
			Launches     int
		} `json:"networks_conv3_dw2"`
	}
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	// Cycles by kind of kernel at 32 and 8 channels, of the same prototype.
	kinds := []string{"gemm", "depthwise", "post", "pool", "mul", "gemv"}
	parts := map[string]map[int][6]float64{
		"mobilenet_v2": {
			32: {469229.1438, 49919.5495, 111811.8999, 1324.5105, 0, 5023.7976},
			8:  {504744.3486, 92468.1184, 284320.3232, 1324.5105, 0, 19964.8547},
		},
		"mnasnet1_0": {
			32: {505914.6570, 60813.3566, 102509.0476, 1324.5105, 0, 5023.7976},
			8:  {521775.6193, 78110.9230, 231178.6006, 1324.5105, 0, 19964.8547},
		},
		"efficientnet_b0": {
			32: {995465.5586, 68607.5642, 146328.5877, 25591.6493, 36320.8188, 5023.7976},
			8:  {1030065.2503, 105436.9560, 320411.8071, 25591.6493, 103510.8635, 19964.8547},
		},
		"resnet50": {
			32: {2392903.6420, 0, 146768.0718, 4977.4019, 0, 7987.2222},
			8:  {2459137.5422, 0, 490125.7207, 11102.7459, 0, 31924.7688},
		},
		"vgg16": {
			32: {3017047.9708, 0, 140772.4501, 24079.3142, 0, 481410.0175},
			8:  {3052573.1306, 0, 608231.8202, 128254.6564, 0, 1925638.4051},
		},
	}
	compared := 0
	for theirs, ours := range map[string]string{
		"mobilenet_v2": "mobilenet-v2", "mnasnet1_0": "mnasnet-1.0", "efficientnet_b0": "efficientnet-b0", "resnet50": "resnet-50", "vgg16": "vgg-16",
	} {
		g := network(t, ours)
		for channels, want := range golden.Networks[theirs] {
			m := machine(t, "artifact", nil)
			got := measure(t, m, channels, g)
			what := fmt.Sprintf("%s, %d channels", ours, channels)
			near(t, what+": exec", got.us*mhz, want.Exec)
			near(t, what+": cycles", got.us*mhz+float64(got.launches)*float64(m.GPU.Launch), want.Cycles)
			if d := float64(got.cost.Ticks) - want.Cycles; math.Abs(d) > float64(len(g.Nodes))/2 { // each layer is rounded
				t.Errorf("%s: %d ticks: %.0f wanted", what, got.cost.Ticks, want.Cycles)
			}
			near(t, what+": time", got.cost.Time.NS()*mhz/1e3, want.Cycles)
			near(t, what+": launch", got.cost.Launch.NS()*mhz/1e3, float64(want.Launches)*5010)
			if got.launches != want.Launches {
				t.Errorf("%s: %d launches: %d wanted", what, got.launches, want.Launches)
			}
			compared++
			part, ok := parts[theirs][channels]
			for i, kind := range kinds {
				if !ok {
					break
				}
				near(t, what+": "+kind, got.by[kind]*mhz, part[i])
				compared++
			}
		}
	}
	if compared != 20+10*6 {
		t.Errorf("%d numbers compared", compared)
	}
}

// TestVariants compares other libraries, fused kernels and a GPU whose L2 writes
// back (a T4 that runs TensorRT) with the prototype.
func TestVariants(t *testing.T) {
	mobile := network(t, "mobilenet-v2")
	for _, c := range []struct {
		library           string
		fused             bool
		offsets, launches int
		cycles            float64
	}{
		{"cudnn", false, 1, 141, 637308.901}, {"cudnn", false, 0, 106, 637308.901}, {"cudnn", true, 0, 54, 525497.001},
		{"large", false, 1, 141, 967792.920}, {"large", true, 0, 54, 855981.020},
		{"trt", false, 0, 106, 433191.710}, {"trt", true, 0, 54, 321379.810},
		{"trt16", false, 0, 106, 362139.417}, {"trt16", true, 0, 54, 250327.517},
	} {
		got := measure(t, machine(t, "artifact", func(m *hw.Machine) {
			m.GPU.Library, m.GPU.Fused, m.GPU.ConvLaunches = c.library, c.fused, c.offsets
		}), 32, mobile)
		what := fmt.Sprintf("%s fused=%t", c.library, c.fused)
		near(t, what, got.us*mhz, c.cycles)
		if got.launches != c.launches {
			t.Errorf("%s: %d launches: %d wanted", what, got.launches, c.launches)
		}
	}

	t4 := machine(t, "artifact", func(m *hw.Machine) {
		m.GPU.Clock = hw.Period{Num: 876788143058, Den: 1e9} // 1.1405263722114647 GHz
		m.GPU.SMs, m.GPU.MACs, m.GPU.L2SM = 40, 512, 20.649893194340137
		m.Memory.Channels, m.Memory.PIMChannels, m.Memory.ChannelGBps, m.Memory.ChannelL2 = 1, 0, 320, 4<<20
		m.GPU.WriteThrough, m.GPU.Library, m.GPU.Fused, m.GPU.ConvLaunches, m.GPU.Model.Ramp = false, "trt16", true, 0, 0
	})
	for _, c := range []struct {
		name    string
		us      float64
		kernels int
	}{
		{"mobilenet-v2", 181.6888, 54}, {"mnasnet-1.0", 196.7362, 54}, {"efficientnet-b0", 356.8318, 115}, {"resnet-50", 802.2085, 56}, {"vgg-16", 2223.3675, 21},
	} {
		got := measure(t, t4, 1, network(t, c.name))
		near(t, "T4 "+c.name, got.us, c.us)
		if got.launches != c.kernels {
			t.Errorf("T4 %s: %d kernels: %d wanted", c.name, got.launches, c.kernels)
		}
	}
}

// TestColdNetworks compares layers measured one by one, without launches, with the
// same prototype: the cudnn library at 32, 16 and 8 channels, the others at 32.
func TestColdNetworks(t *testing.T) {
	for _, c := range []struct {
		network, library string
		channels         int
		want             float64 // cycles
	}{
		{"mobilenet-v2", "cudnn", 32, 640907.502}, {"mobilenet-v2", "cudnn", 16, 724974.03}, {"mobilenet-v2", "cudnn", 8, 954062.01},
		{"efficientnet-b0", "cudnn", 32, 1301365.24}, {"efficientnet-b0", "cudnn", 16, 1426391.67}, {"efficientnet-b0", "cudnn", 8, 1735944.85},
		{"resnet-50", "cudnn", 32, 2555246.02}, {"resnet-50", "cudnn", 16, 2662483.54}, {"resnet-50", "cudnn", 8, 3041396.08},
		{"vgg-16", "cudnn", 32, 3680070.32}, {"vgg-16", "cudnn", 16, 4351196.87}, {"vgg-16", "cudnn", 8, 5732229.04},
		{"mobilenet-v2", "large", 32, 971346.218}, {"mobilenet-v2", "trt", 32, 437119.582}, {"mobilenet-v2", "trt16", 32, 366086.424},
	} {
		m := machine(t, "artifact", func(m *hw.Machine) { m.GPU.Library = c.library })
		got := measureOn(t, gpu.NewCold, m, c.channels, network(t, c.network))
		near(t, fmt.Sprintf("%s, %s, %d channels", c.network, c.library, c.channels), got.us*mhz, c.want)
	}
}
