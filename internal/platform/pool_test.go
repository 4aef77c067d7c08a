package platform

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pimflow/internal/device"
	"pimflow/internal/gpu"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/plan"
	"pimflow/internal/simplify"
	"pimflow/internal/zoo"
)

func machine(t *testing.T, name string, changes ...string) *hw.Machine {
	t.Helper()
	m, err := hw.Load(name)
	if err == nil {
		m, err = m.Set(changes...)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func toy(t *testing.T) *graph.Graph {
	t.Helper()
	g, err := zoo.Build("toy", 1)
	if err == nil {
		g, err = simplify.Run(t.Context(), g)
	}
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestReads: a device that is made of what it is said to read costs every layer as one
// that is made of the whole machine does; and a mapping's commands are those of what it is said to depend on.
func TestReads(t *testing.T) {
	g := toy(t)
	for _, m := range []*hw.Machine{machine(t, "newton"), machine(t, "artifact"), machine(t, "aim"), machine(t, "toy"), machine(t, "newton", "link.finish.where=gpu")} {
		onGPU, onPIM, mapped := readByGPU(m), readByPIM(m), mappedBy(m)
		mapped.GPU.Clock, mapped.Memory.Channels, mapped.Link.Finish.Where = m.GPU.Clock, m.Memory.Channels, hw.InController // without which there is no device
		n := 0
		for _, commands := range []string{plan.Extended, plan.Basic} {
			whole, err := Devices(m, Makers{}, m.Memory.PIMChannels, commands)
			if err != nil {
				t.Fatal(err)
			}
			by := Makers{GPU: func(_ *hw.Machine, channels int) (device.Device, error) { return gpu.New(&onGPU, channels) }}
			onPIM.Memory.PIMChannels = m.Memory.PIMChannels
			part, err := Devices(&onPIM, by, m.Memory.PIMChannels, commands)
			if err != nil {
				t.Fatal(err)
			}
			alone, err := PIM(&mapped, m.Memory.PIMChannels, commands)
			if err != nil {
				t.Fatal(err)
			}
			for id := range g.Nodes {
				if g.Nodes[id].Op == nil {
					continue
				}
				cut := g.Whole(graph.ID(id))
				for i := range whole {
					want, err1 := whole[i].Compile(g, cut)
					got, err2 := part[i].Compile(g, cut)
					if (err1 == nil) != (err2 == nil) {
						t.Fatalf("%s: %s: %v, %v", m.Name, g.Nodes[id].Name, err1, err2)
					}
					if err1 != nil {
						continue
					}
					n++
					if d := cmp.Diff(want.Cost(), got.Cost()); d != "" {
						t.Errorf("%s: %s on %s reads more:\n%s", m.Name, g.Nodes[id].Name, whole[i].Name(), d)
					}
					if whole[i].Name() != plan.PIM {
						continue
					}
					code, err := alone.Compile(g, cut)
					if err != nil {
						t.Fatal(err)
					}
					if a, b := want.Cost(), code.Cost(); a.Stream != b.Stream || !slices.Equal(a.Commands, b.Commands) || !slices.Equal(a.Lanes, b.Lanes) {
						t.Errorf("%s: %s is mapped otherwise: %v, %v cycles; %v, %v", m.Name, g.Nodes[id].Name, a.Commands, a.Stream, b.Commands, b.Stream)
					}
				}
			}
		}
		if n < 40 {
			t.Errorf("%s: %d costs compared", m.Name, n)
		}
	}
}

// TestPool: devices are made once for equal numbers, whatever else differs, and mappings once where launches differ alone; devices leave the
// pool when too much is compiled, and are made again.
func TestPool(t *testing.T) {
	g, p := toy(t), NewPool(nil)
	of := func(channels int, changes ...string) []device.Device {
		to, err := Target(machine(t, "newton", changes...), p.Makers())
		if err != nil {
			t.Fatal(err)
		}
		ds, err := to.Devices(channels, plan.Extended)
		if err != nil {
			t.Fatal(err)
		}
		return ds
	}
	base := of(16)
	same := func(name string, want [3]bool, got []device.Device) {
		t.Helper()
		for i := range want {
			if (got[i] == base[i]) != want[i] {
				t.Errorf("%s: %s is shared: %v wanted", name, base[i].Name(), want[i])
			}
		}
	}
	same("nothing", [3]bool{true, true, true}, of(16))
	same("energy at rest", [3]bool{true, false, true}, of(16, "pim.energy.standby_mw=1"))
	same("a timing", [3]bool{true, false, true}, of(16, "pim.timing.rc_ck=90"))
	same("fused launches", [3]bool{true, false, true}, of(16, "launch.pim=joint"))
	same("launches", [3]bool{false, false, false}, of(16, "launch.gpu=graph"))
	same("other channels", [3]bool{false, false, true}, of(8, "memory.pim_channels=8"))
	if n := len(p.made); n != 2+3+2+2 { // GPUs of 16 and 32 channels; PIM of three kinds; GPUs in a graph; of 8 channels PIM and GPU
		t.Errorf("%d sets of numbers", n)
	}
	for id := range g.Nodes {
		if g.Nodes[id].Op != nil {
			base[0].Compile(g, g.Whole(graph.ID(id)))
		}
	}
	p.most = 1
	of(15, "memory.pim_channels=15")
	if n := len(p.made); n >= 9+2 || n != p.used.Len() {
		t.Errorf("%d sets of numbers, %d in order of use, after too much was compiled", n, p.used.Len())
	}
	same("too much is compiled", [3]bool{false, true, true}, of(16))
}
