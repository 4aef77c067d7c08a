// Package gpu is the GPU as a device. It compiles a cut to the kernels that a library such as
// cuDNN would launch, and times them with a model of tiles, waves, L2 and DRAM.
//
// A machine (package hw) and the number of the GPU's memory channels go in. Code comes out
// that knows its cost, computes its values and prints its kernels. The package does not know
// plans or the PIM channels.
//
// In the literature: an analytical tile-level model with a roofline for the memory
// (Williams et al., CACM 2009), as in the delta model (Lym et al., ISPASS 2019).
package gpu

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strings"
	"sync/atomic"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/nearest"
	"pimflow/internal/tensor"
)

// gpu is a device.Device.
type gpu struct {
	model    *Model
	numbers  kernels
	integers kernels // products on integers of 8 bits
	splits   []int   // of convolutions
	fused    bool
	inPlace  bool // a concatenation is written by the kernels of its operands, if nothing else reads these
	offsets  int
	clock    hw.Period
	launch   int64 // cycles of a launch
	cold     bool  // the input of a layer is not in the L2 when the layer starts
	energy   hw.GPUEnergy
	errors   hw.GPUError
	facts    atomic.Pointer[facts] // of the graph that is compiled for
}

// kernels are the products that a library has for values of one size.
type kernels struct {
	*Model
	tiles    []Tile // of convolutions
	products []Tile // of matrix products
}

// New returns the GPU of a machine, called "gpu", with that many of the machine's memory
// channels. Bandwidth and L2 are proportional to the channels. The error names the number of
// channels, or a tile library that is unknown or does not fit an SM.
func New(m *hw.Machine, channels int) (device.Device, error) {
	if channels < 1 || channels > m.Memory.Channels {
		return nil, fmt.Errorf("machine %.80q: %d memory channels for the GPU: 1 to %d wanted", m.Name, channels, m.Memory.Channels)
	}
	d := &gpu{model: NewModel(m, channels), splits: Splits(m.GPU.ConvSplit), fused: m.GPU.Fused, inPlace: m.GPU.ConcatFree,
		offsets: m.GPU.ConvLaunches, clock: m.GPU.Clock, launch: m.GPU.Launch, energy: m.GPU.Energy, errors: m.GPU.Error}
	tiles := Library(m.GPU.Library)
	if tiles == nil {
		return nil, fmt.Errorf("machine %.80q: gpu.tile_library: %.80q is not known%s: one of %s wanted", m.Name, m.GPU.Library,
			nearest.Hint(m.GPU.Library, Libraries()), strings.Join(Libraries(), ", "))
	}
	for _, k := range []struct {
		to    *kernels
		model *Model
	}{{&d.numbers, d.model}, {&d.integers, NewModelOf(m, channels, 1)}} {
		tiles, products := tiles, Library("cublas")
		if k.model.ElementSize >= single {
			tiles, products = fmaTiles, fmaTiles
		}
		*k.to = kernels{k.model, k.model.Launchable(tiles), k.model.Launchable(products)}
		if k.to.tiles == nil || k.to.products == nil {
			return nil, fmt.Errorf("machine %.80q: no kernel of gpu.tile_library %.80q or of cublas fits an SM of gpu.smem_per_sm_bytes %d, threads_per_sm %d and registers_per_sm %d: larger ones wanted",
				m.Name, m.GPU.Library, m.GPU.Smem, m.GPU.Threads, m.GPU.Registers)
		}
	}
	return d, nil
}

// NewCold is New for layers measured one by one, as the published system profiles them: the
// input of a layer comes from the DRAM. The input of the kernel of its epilogue does not.
func NewCold(m *hw.Machine, channels int) (device.Device, error) {
	d, err := New(m, channels)
	if err != nil {
		return nil, err
	}
	d.(*gpu).cold = true
	return d, nil
}

// Name is "gpu".
func (d *gpu) Name() string { return "gpu" }

// Compile lowers a cut of any operation to kernels, with those of the epilogue. A view has no
// kernel. A concatenation has none on a machine whose kernels write in place.
func (d *gpu) Compile(g *graph.Graph, c graph.Cut) (device.Code, error) {
	nd := &g.Nodes[c.Node]
	if nd.Op == nil {
		return nil, fmt.Errorf("%.80q is no operation: %w", nd.Name, device.ErrUnsupported)
	}
	if !c.Box.In(nd.Shape) || c.Box.Empty() {
		return nil, fmt.Errorf("%.80q: box %v of a value of shape %v: %w", nd.Name, c.Box, nd.Shape, device.ErrUnsupported)
	}
	if _, ok := rules[nd.Op.OnReals()]; !ok {
		return nil, fmt.Errorf("%.80q: operator %s: %w", nd.Name, nd.Op.Name, device.ErrUnsupported)
	}
	code := &Code{d: d, g: g, cut: c}
	var err error
	if code.cost, err = d.cost(code.Kernels()); err != nil {
		return nil, fmt.Errorf("gpu: %.80q: %w", nd.Name, err)
	}
	return code, nil
}

// longest limits the time of a cut, in picoseconds and in cycles, so that sums do not
// overflow: 2.5 hours.
const longest = 1 << 53

// bounds are the words of Cost.Bound. Of equal terms, the first in this order wins.
var bounds = []string{"launch", "tensor", "latency", "l2", "fma", "dram"}

// launchUS is the time of a launch in microseconds.
func (d *gpu) launchUS() float64 { return float64(d.launch) / (d.model.GHz * 1e3) }

// cost adds up kernels. They run one after another, each with a launch.
func (d *gpu) cost(ks []Kernel) (device.Cost, error) {
	c := device.Cost{Bound: "view"}
	launchUS := d.launchUS()
	us, bytes := 0.0, 0.0
	share := make([]term, len(bounds))
	add := func(word string, us float64) {
		for i, b := range bounds {
			if b == word {
				share[i] = term{b, share[i].us + us}
			}
		}
	}
	for _, k := range ks {
		if t := launchUS + k.US; !(t*1e6 < longest && t*d.model.GHz*1e3 < longest) {
			return c, fmt.Errorf("%v takes %.3g us: the machine's numbers are out of all proportion", k.Work, t)
		}
		c.Time += device.Time(math.Round((launchUS + k.US) * 1e6))
		c.Memory += device.Time(math.Round(min(k.DRAM, k.US) * 1e6))
		us += k.US
		bytes += k.Bytes
		used := energy(&d.energy, k.Timing)
		c.Energy.Add(&used)
		add("launch", launchUS)
		add(k.Bound, k.US)
	}
	if len(ks) > 0 {
		c.Bound = largest(share...)
	}
	var ok bool
	if c.Uncertain, ok = d.uncertainties(ks, launchUS); !ok {
		return c, fmt.Errorf("%v: the errors of the machine's model are out of all proportion", c.Time)
	}
	c.Launch = device.Time(d.clock.PS(d.launch)) * device.Time(len(ks))
	c.Ticks = d.launch*int64(len(ks)) + int64(math.Round(us*d.model.GHz*1e3))
	c.Kernels, c.Bytes = len(ks), int64(math.Round(bytes))
	for _, class := range classes {
		n := int64(0)
		for i := range ks {
			if ks[i].Class == class {
				n++
			}
		}
		if n > 0 {
			c.Commands = append(c.Commands, device.Count{Kind: string(class), N: n})
		}
	}
	return c, nil
}

// Code is a cut as kernels.
type Code struct {
	d    *gpu
	g    *graph.Graph
	cut  graph.Cut
	cost device.Cost
}

// Kernels lists the launches in order. They are computed on demand, since a search keeps tens
// of thousands of codes and prints none.
func (c *Code) Kernels() []Kernel {
	nd := &c.g.Nodes[c.cut.Node]
	if len(nd.Post) == 0 && (nd.Op.View || c.d.inPlace && c.d.madeInPlace(c.g, nd)) {
		return nil
	}
	r := rules[nd.Op.OnReals()]
	return r.lower(newWork(c.d, r, c.g, c.cut))
}

// Cost is the time from the first launch to the last value.
func (c *Code) Cost() device.Cost { return c.cost }

// Eval computes the cut by the definition of its operator and epilogue.
func (c *Code) Eval(in []*tensor.Tensor, dst *tensor.Tensor) error {
	c.g.Eval(c.Definition(), in, dst)
	return nil
}

// Definition is the cut that Eval computes by definition.
func (c *Code) Definition() graph.Cut { return c.cut }

var _ device.Definer = (*Code)(nil)

// Print writes a line for each kernel: class, time without launch, DRAM bytes, bound, work
// and tile.
func (c *Code) Print(w io.Writer) error {
	b := bufio.NewWriter(w)
	for _, k := range c.Kernels() {
		line := fmt.Sprintf("%-9s %12.3f ns  dram %10.0f B  %-7s", k.Class, k.US*1e3, k.Bytes, k.Bound)
		if s := k.Work.String(); s != "" {
			line += "  " + s
		}
		if k.Choice.CTAs > 0 {
			line += ": " + k.Choice.String()
		}
		fmt.Fprintln(b, line)
	}
	return b.Flush()
}
