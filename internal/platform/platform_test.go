package platform_test

import (
	"slices"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/hw"
	"pimflow/internal/plan"
	"pimflow/internal/platform"
	"pimflow/internal/search"
	"pimflow/internal/simplify"
	"pimflow/internal/zoo"
)

// TestDevices: a device with no channels is left out; the GPU of exclusive layers has every
// channel where the machine shares them.
func TestDevices(t *testing.T) {
	m, err := hw.Load("newton")
	if err != nil {
		t.Fatal(err)
	}
	all := m.Memory.Channels
	for _, c := range []struct {
		shared   bool
		channels int
		want     []string
		gpus     []int // memory channels of the GPUs
	}{
		{true, 0, []string{plan.GPU, plan.Every}, []int{all, all}},
		{true, 16, []string{plan.GPU, plan.PIM, plan.Every}, []int{all - 16, all}},
		{true, all, []string{plan.PIM, plan.Every}, []int{all}},
		{false, 16, []string{plan.GPU, plan.PIM, plan.Every}, []int{all - 16, all - 16}},
		{false, all, []string{plan.PIM}, nil},
	} {
		m.Memory.Shared = c.shared
		for _, commands := range []string{plan.Basic, plan.Extended} {
			var gpus []int
			by := platform.Makers{GPU: func(m *hw.Machine, channels int) (device.Device, error) {
				gpus = append(gpus, channels)
				ds, err := platform.Devices(m, platform.Makers{}, 0, plan.Basic)
				return ds[0], err
			}}
			ds, err := platform.Devices(m, by, c.channels, commands)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range ds {
				got = append(got, d.Name())
			}
			if !slices.Equal(got, c.want) || !slices.Equal(gpus, c.gpus) {
				t.Errorf("%+v: devices %v with GPUs of %v channels", c, got, gpus)
			}
		}
	}
	if _, err := platform.Devices(m, platform.Makers{}, all+1, plan.Basic); err == nil || err.Error() != "33 PIM channels: machine newton has 32 channels" {
		t.Errorf("%d channels: %v", all+1, err)
	}
}

// TestTarget: devices are made once for each question, and draw the standby power of both.
func TestTarget(t *testing.T) {
	m, err := hw.Load("newton")
	if err != nil {
		t.Fatal(err)
	}
	to, err := platform.Target(m, platform.Makers{})
	if err != nil {
		t.Fatal(err)
	}
	first, err1 := to.Devices(16, plan.Extended)
	again, err2 := to.Devices(16, plan.Extended)
	if err1 != nil || err2 != nil || !slices.Equal(first, again) {
		t.Errorf("%v, %v: the devices of one question differ", err1, err2)
	}
	for _, part := range []device.Part{device.GPUStandby, device.PIMStandby, device.PIMRefresh} {
		if to.Standby[part].Value <= 0 {
			t.Errorf("no standby power of part %d", part)
		}
	}
	if to.Machine != "newton" || to.PIMChannels != 16 || to.Fits == nil {
		t.Errorf("a target of %q with %d PIM channels", to.Machine, to.PIMChannels)
	}
}

// TestByVector: under that policy products are on the PIM if their vectors fill its units, whatever
// that costs, and nothing else is. A depthwise convolution has 9 products a result, and one result
// of the same inputs.
func TestByVector(t *testing.T) {
	m, err := hw.Load("newton")
	if err != nil {
		t.Fatal(err)
	}
	to, err := platform.Target(m, platform.Makers{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := search.Lookup("by-vector")
	if err != nil {
		t.Fatal(err)
	}
	g, err := zoo.Build("mobilenet-v2", 1)
	if err == nil {
		g, err = simplify.Run(t.Context(), g)
	}
	if err != nil {
		t.Fatal(err)
	}
	r, err := search.Best(t.Context(), g, p, to)
	if err != nil {
		t.Fatal(err)
	}
	on := map[bool]int{}
	for _, tile := range r.Plan.Tiles() {
		nd := &g.Nodes[tile.Node]
		fills := false
		switch nd.Op.Name {
		case "Conv":
			w := g.Nodes[nd.In[1]].Shape
			fills = w[1:].Size() >= 16 && w[0]/nd.Attrs.Int("group") >= 16
		case "Gemm":
			fills = true // 1280 products, 1000 results
		}
		if on[fills]++; (tile.Device == plan.PIM) != fills {
			t.Errorf("%s is on %s", nd.Name, tile.Device)
		}
	}
	if on[true] != 36 || on[false] < 17 {
		t.Errorf("%d layers fill the units and %d do not", on[true], on[false])
	}
}
