package published

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/op"
	"pimflow/internal/platform"
	"pimflow/internal/tensor"
)

// The baselines of kernels.
const (
	AgainstGPU  = "GPU"  // a machine without PIM: the machine's GPU with every channel, launches included on both sides
	AgainstPins = "pins" // a host that waits for the operands at the pins of its memory and for nothing else, no launches
	AgainstPeak = "peak" // the bandwidth of all pins; ours is the bandwidth inside

	AgainstUnits = "units" // the operations that the units could execute meanwhile, no launches: a share
)

// KernelClaim is a published speed-up of a kernel on a device with PIM, from Low to High. The abstracts that the values are
// from give no sizes of kernels; ours are those of Kernels.
type KernelClaim struct {
	Machine   string // the built-in machine of the device
	Kernel    string // of Kernels; "" against AgainstPeak
	Against   string
	Low, High float64
	Source    int // index of KernelSources
}

// KernelSources are the sources of the claims.
var KernelSources = []string{
	"HBM-PIM in a GPU system: abstract of Kim et al., Aquabolt-XL HBM2-PIM, LPDDR5-PIM With In-Memory Processing, and AXDIMM With Acceleration Buffer (IEEE Micro, 2022, doi:10.1109/MM.2022.3164651)",
	"HBM-PIM in a Xilinx Alveo U280: the same abstract; GEMV and ADD together",
	"HBM-PIM with an unmodified processor: abstract of Lee et al., Hardware Architecture and Software Stack for PIM Based on Commercial DRAM Technology (ISCA 2021); memory-bound kernels of neural networks, which of them is not said",
	"HBM-PIM, processing bandwidth over that off the chip: abstract of Kwon et al. (ISSCC 2021)",
	"GDDR6-AiM on an FPGA: abstract of Kwon et al., A 1ynm 1.25V 8Gb 16Gb/s/Pin GDDR6-Based Accelerator-in-Memory (JSSC 58(1), 2023, doi:10.1109/JSSC.2022.3200718); GEMV and MNIST over systems with HBM2 or GDDR6",
	"GDDR6-AiM: SK hynix's announcement (February 2022), up to 16 times",
	"HBM-PIM, measured: abstract of Venieri et al., AME-PIM: Can Memory be Your Next Tensor Accelerator? (CF 2026, arXiv:2604.27808), 59.4 of the 256 operations a cycle that a pseudo-channel has units for, at most; an outer product of matrix tiles",
	"Newton over an ideal host without PIM: abstract of He et al. (MICRO 2020), as remembered and not verified; an average of kernels",
}

// KernelClaims are all values that are known to have been published.
var KernelClaims = []KernelClaim{
	{"newton", "GEMV", AgainstPins, 10, 10, 7},
	{"aim", "GEMV", AgainstPins, 7.5, 10.5, 4},
	{"aim", "", AgainstPeak, 16, 16, 5},
	{"hbm-pim", "GEMV", AgainstGPU, 8.9, 8.9, 0},
	{"hbm-pim", "GEMV", AgainstGPU, 11.2, 11.2, 2},
	{"hbm-pim", "ADD", AgainstGPU, 11.2, 11.2, 2},
	{"hbm-pim", "GEMV", AgainstPins, 2.8, 2.8, 1},
	{"hbm-pim", "ADD", AgainstPins, 2.8, 2.8, 1},
	{"hbm-pim", "", AgainstPeak, 4, 4, 3},
	{"hbm-pim", "GEMM", AgainstUnits, 59.4 / 256, 59.4 / 256, 6},
}

// Kernel is work of a kind in several sizes.
type Kernel struct {
	Name, About string
	Sizes       []KernelSize
}

// KernelSize is a size of a kernel.
type KernelSize struct {
	Name     string
	Operands int64 // values that are read and written, each once
	MACs     int64 // multiply-accumulates
	build    func(b *graph.Builder) (graph.ID, error)
}

// Kernels are the kernels of the claims. The sizes are this project's: matrices of 2 MB to 128 MB in 16 bits, and maps as large
// as those of a network's first layers and eight times that.
var Kernels = []Kernel{
	{"GEMV", "a matrix by a vector, 16 bits", []KernelSize{gemv(1024), gemv(2048), gemv(4096), gemv(8192)}},
	{"GEMM", "64 vectors by a matrix, 16 bits", []KernelSize{gemm(64, 1024), gemm(64, 4096)}},
	{"ADD", "the sum of two maps, 16 bits", []KernelSize{add(64), add(128), add(256), add(512)}},
}

// gemv multiplies a row of n inputs by a matrix of n x n.
func gemv(n int) KernelSize {
	k := gemm(1, n)
	k.Name = fmt.Sprintf("%dx%d", n, n)
	return k
}

// gemm multiplies m rows of n inputs by a matrix of n x n.
func gemm(m, n int) KernelSize {
	rows, matrix := int64(m)*int64(n), int64(n)*int64(n)
	return KernelSize{fmt.Sprintf("%dx%dx%d", m, n, n), matrix + 2*rows, int64(m) * matrix, func(b *graph.Builder) (graph.ID, error) {
		x := b.Input("x", tensor.Float32, tensor.Shape{m, n})
		// Costs do not depend on values, which are made when they are asked for.
		w := b.Const("w", tensor.Lazy(tensor.Float32, tensor.Shape{n, n}, func() ([]float32, []int64) { return make([]float32, n*n), nil }))
		return b.Op("y", "MatMul", op.Attrs{}, x, w)
	}}
}

// add adds two maps of so many channels of 128 x 128.
func add(channels int) KernelSize {
	s := tensor.Shape{1, channels, 128, 128}
	return KernelSize{fmt.Sprintf("%dx128x128", channels), 3 * int64(s.Size()), 0, func(b *graph.Builder) (graph.ID, error) {
		return b.Op("z", "Add", op.Attrs{}, b.Input("x", tensor.Float32, s), b.Input("y", tensor.Float32, s))
	}}
}

// KernelResult is a claim beside our value.
type KernelResult struct {
	*KernelClaim
	Sizes     []SizedSpeedup // in the order of the kernel's sizes; none against AgainstPeak, and where Missing says why
	Low, High float64        // ours over all sizes; 0 where Missing says why
	Missing   string         // why there is no value of ours
}

// SizedSpeedup is our speed-up of a kernel of a size.
type SizedSpeedup struct {
	Size    string
	Speedup float64
}

// Difference is that of ours from what was published, relative, between the nearest values of both; 0 where they overlap or ours
// is missing.
func (r *KernelResult) Difference() float64 {
	switch {
	case r.Missing != "":
		return 0
	case r.High < r.KernelClaim.Low:
		return r.High/r.KernelClaim.Low - 1
	case r.Low > r.KernelClaim.High:
		return r.Low/r.KernelClaim.High - 1
	}
	return 0
}

// CompareKernels computes the claims about a machine, all of whose channels compute, with the link of such a machine; how many
// compute in m does not matter. About a machine of a standard that no claim is about there are none.
func CompareKernels(ctx context.Context, m *hw.Machine) (list []KernelResult, err error) {
	if m, err = platform.WithChannels(m, m.Memory.Channels); err != nil {
		return nil, err
	}
	gpu, err := platform.Devices(m, platform.Makers{}, 0, "")
	if err != nil {
		return nil, err
	}
	pim, err := platform.PIM(m, m.Memory.Channels, "")
	if err != nil {
		return nil, err
	}
	for i := range KernelClaims {
		c := &KernelClaims[i]
		if !c.about(m) {
			continue
		}
		r := KernelResult{KernelClaim: c, Low: math.Inf(1)}
		if c.Against == AgainstPeak {
			r.Low = m.InternalGBps() / m.Memory.ChannelGBps
			r.High = r.Low
			list = append(list, r)
			continue
		}
		for _, size := range kernel(c.Kernel).Sizes {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			s, err := size.speedup(m, gpu[0], pim, c.Against)
			if errors.Is(err, device.ErrUnsupported) {
				r.Sizes, r.Low, r.High = nil, 0, 0
				r.Missing = fmt.Sprintf("%s is not executed on %s", c.Kernel, m.Name)
				break
			}
			if err != nil {
				return nil, err
			}
			r.Sizes = append(r.Sizes, SizedSpeedup{size.Name, s})
			r.Low, r.High = min(r.Low, s), max(r.High, s)
		}
		list = append(list, r)
	}
	return list, nil
}

// Claimed reports whether a claim is about the DRAM standard of a machine.
func Claimed(m *hw.Machine) bool {
	return slices.ContainsFunc(KernelClaims, func(c KernelClaim) bool { return c.about(m) })
}

// about reports whether a claim is about the DRAM standard of a machine.
func (c *KernelClaim) about(m *hw.Machine) bool {
	of, err := hw.Load(c.Machine)
	return err == nil && of.PIM.Standard == m.PIM.Standard
}

// kernel returns the kernel of that name.
func kernel(name string) *Kernel {
	for i := range Kernels {
		if Kernels[i].Name == name {
			return &Kernels[i]
		}
	}
	panic("published: no kernel " + name)
}

// speedup is that of a kernel on the PIM of a machine. The error wraps device.ErrUnsupported if the PIM does not execute it.
func (k *KernelSize) speedup(m *hw.Machine, gpu, pim device.Device, against string) (float64, error) {
	b := graph.NewBuilder(k.Name)
	id, err := k.build(b)
	if err != nil {
		return 0, err
	}
	b.Output("out", id)
	g, err := b.Graph()
	if err != nil {
		return 0, err
	}
	cut := g.Whole(id)
	code, err := pim.Compile(g, cut)
	if err != nil {
		return 0, err
	}
	cost := code.Cost()
	alone := float64(cost.Stream) * m.PIM.Clock.Picoseconds()
	switch against {
	case AgainstPins:
		bytes := float64(k.Operands * int64(m.Memory.ElementSize))
		return bytes / m.Memory.ChannelGBps / float64(m.Memory.Channels) * 1e3 / alone, nil
	case AgainstUnits:
		each := float64(m.PIM.MACUnits()*m.PIM.Lanes()) / m.ColumnPS() // of a channel, in a picosecond
		return float64(k.MACs) / each / float64(m.Memory.Channels) / alone, nil
	}
	without, err := gpu.Compile(g, cut)
	if err != nil {
		return 0, err
	}
	return float64(without.Cost().Time) / float64(cost.Time), nil
}
