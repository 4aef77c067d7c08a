package platform_test

import (
	"slices"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/hw"
	"pimflow/internal/plan"
	"pimflow/internal/platform"
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
