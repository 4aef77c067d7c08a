package gpu

import (
	"cmp"
	"fmt"
	"math"

	"pimflow/internal/hw"
)

// Model is the arithmetic of one GPU with its memory channels: kernels in, microseconds out.
// It knows no operator.
//
// A matrix product takes the time of the waves of its tiles over the SMs, k-iteration by
// k-iteration, overlapped with its DRAM traffic. The parameters of hw.GPUModel are fitted to
// public measurements. On held-out shapes the mean error is 10 to 16 % (DeepBench T4: fp16
// convolutions 15.4 %, products 10.8 %).
type Model struct {
	hw.GPUModel
	GHz          float64 // core clock
	SMs          int
	MACs, FMAs   float64 // a cycle and SM
	L2SM         float64 // bytes a cycle and SM
	GBps         float64 // of all channels, 1e9 bytes/s
	L2           float64 // bytes, of all channels
	Smem         int     // bytes an SM
	Threads      int
	CTAs         int
	Registers    int
	ElementSize  int // bytes
	WriteThrough bool
}

// single is the bytes of the least element that no tensor core multiplies: matrix products
// of float32 run on the FMA units.
const single = 4

// NewModel is the model of the machine's GPU with that many memory channels, for values of the machine's element size.
func NewModel(m *hw.Machine, channels int) *Model {
	return NewModelOf(m, channels, m.Memory.ElementSize)
}

// NewModelOf is NewModel for values of another size in bytes: 1 is int8.
func NewModelOf(m *hw.Machine, channels, element int) *Model {
	g := &m.GPU
	macs, parameters := g.MACs, g.Model
	switch {
	case element == 1:
		macs = g.Int8MACs
	case element >= single:
		macs = g.FMAs
		parameters.Eta = cmp.Or(parameters.EtaFMA, parameters.Eta)
		parameters.Lam = cmp.Or(parameters.LamFMA, parameters.Lam)
		parameters.EtaDW = cmp.Or(parameters.EtaDWFMA, parameters.EtaDW)
		parameters.DWStart = cmp.Or(parameters.DWStartFMA, parameters.DWStart)
		parameters.Stride, parameters.Wide, parameters.Large, parameters.EtaDWLarge, parameters.Transposed = 0, 0, 0, 0, 0 // habits of tensor-core libraries
	}
	return &Model{
		GPUModel: parameters, GHz: g.Clock.GHz(), SMs: g.SMs, MACs: macs, FMAs: g.FMAs, L2SM: g.L2SM,
		GBps: m.Memory.ChannelGBps * float64(channels), L2: float64(m.Memory.ChannelL2) * float64(channels),
		Smem: g.Smem, Threads: g.Threads, CTAs: g.CTAs, Registers: g.Registers,
		ElementSize: element, WriteThrough: g.WriteThrough,
	}
}

// Timing is the time of a kernel and its bound.
type Timing struct {
	US     float64 // microseconds, without the launch
	SM     float64 // the SMs' time, before overlap
	DRAM   float64 // the DRAM's time, before overlap
	Bytes  float64 // to and from the DRAM
	L2     float64 // bytes between L2 and the SMs
	MACs   float64 // executed, with the padding of tiles
	Bound  string
	Choice Choice // of a matrix product

	Activity
}

// Activity is the inputs of a kernel's energy beside its time and its DRAM traffic.
type Activity struct {
	SMs     float64 // busy SMs
	Tensor  float64 // multiply-accumulates of the tensor cores, with the padding of tiles
	FMA     float64 // of the FMA units
	L2Moved float64 // bytes
}

// us converts core cycles to microseconds.
func (m *Model) us(cycles float64) float64 { return cycles / (m.GHz * 1e3) }

// dramUS is the time of DRAM traffic at efficiency eta.
func (m *Model) dramUS(bytes, eta float64) float64 { return bytes / (m.GBps * eta * 1e3) }

// l2US is the time of bytes at the L2's bandwidth to all SMs together.
func (m *Model) l2US(bytes float64) float64 { return bytes / (float64(m.SMs) * m.L2SM * m.GHz * 1e3) }

// norm overlaps two times by the p-norm, between their maximum and their sum.
func (m *Model) norm(a, b float64) float64 {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	if sum := math.Pow(a, m.P) + math.Pow(b, m.P); sum > 0 && !math.IsInf(sum, 1) {
		return math.Pow(sum, 1/m.P)
	}
	return max(a, b) * math.Pow(1+math.Pow(min(a, b)/max(a, b), m.P), 1/m.P) // out of the range of a float64 otherwise
}

// Miss is the fraction of a working set that does not stay in the L2. It rises from 0 at 0.8
// of the L2 to 1 at 1.6 of it. Estimated.
func (m *Model) Miss(bytes float64) float64 {
	return min(max((bytes/m.L2-0.8)/0.8, 0), 1)
}

// written is the DRAM traffic of o written bytes. A write-through L2 that allocates on writes
// writes and fetches each byte; any other writes the bytes that miss.
func (m *Model) written(o, miss float64) float64 {
	if m.WriteThrough {
		return 2 * o
	}
	return o * miss
}

// Direct is the work of a depthwise kernel on the FMA units.
type Direct struct {
	MACs, Outs float64
	Plane      int     // outputs of one channel
	Bytes      float64 // DRAM
	In, Out    float64 // bytes of the input that is read, and of the output
	Strided    bool
	Large      bool // of more than 3x3 taps, or strided
}

// String prints the work.
func (d Direct) String() string { return fmt.Sprintf("%.0f MAC, %.0f outputs", d.MACs, d.Outs) }

// Direct times a depthwise kernel. Few outputs leave FMA units idle.
func (m *Model) Direct(d Direct) Timing {
	// 256 threads with two outputs each fill an SM; a utilisation of at least 1e-3 keeps a
	// tiny kernel finite. Both estimated.
	padding := 1.0 // a CTA makes outputs of one channel only
	if d.Plane > 0 {
		padding = float64(ceilDiv(d.Plane, m.Plane)*m.Plane) / float64(d.Plane)
	}
	util := max(min(1, padding*d.Outs/2/(float64(m.SMs)*256)), 1e-3)
	eta := m.EtaDW
	if d.Large && m.EtaDWLarge > 0 {
		eta = m.EtaDWLarge
	}
	macs := padding * d.MACs / (float64(m.SMs) * m.FMAs * eta * util)
	if d.Plane > 0 {
		macs += m.DWStart * d.Outs / float64(d.Plane) / float64(m.SMs)
	}
	t := Timing{SM: m.us(m.Ramp + macs), DRAM: m.dramUS(d.Bytes, m.EtaD), Bytes: d.Bytes, L2: d.Bytes, MACs: d.MACs,
		Activity: Activity{SMs: float64(m.SMs), FMA: d.MACs, L2Moved: d.Bytes}}
	l2 := 0.0
	if m.DWFetch > 0 {
		l2 = m.l2US(m.DWFetch*d.In + d.Out)
	}
	t.US = m.norm(t.SM, max(t.DRAM, l2))
	generic := 0.0
	if d.Large {
		generic = m.Large
		t.US += generic
	}
	t.Bound = largest(term{"fma", m.us(macs)}, term{"latency", m.us(m.Ramp) + generic}, term{"dram", t.DRAM}, term{"l2", l2})
	return t
}

// Stream is the work of a kernel that moves bytes and computes hardly anything.
type Stream struct {
	Bytes   float64 // DRAM
	Written float64 // of those
	L2      float64
}

// String prints the work.
func (s Stream) String() string {
	if s.L2 == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f B through the L2", s.L2)
}

// Stream times an element-wise, pooling or copying kernel.
func (m *Model) Stream(s Stream) Timing {
	bytes := s.Bytes
	if m.Write > 0 {
		bytes += s.Written * (m.Write - 1)
	}
	t := Timing{DRAM: m.dramUS(bytes, m.EtaS), SM: m.l2US(s.L2), Bytes: s.Bytes, L2: s.L2,
		Activity: Activity{SMs: float64(m.SMs), L2Moved: 2 * s.Bytes}} // between DRAM and L2, and between L2 and SMs: estimated
	t.US = max(t.DRAM, t.SM) + m.us(m.Ramp)
	t.Bound = largest(term{"latency", m.us(m.Ramp)}, term{"dram", t.DRAM}, term{"l2", t.SM})
	return t
}

// GEMV is the work of a matrix product of few rows, which reads the matrix once.
type GEMV struct {
	M, N, K, G int
	B          float64 // bytes of the matrix
	Bytes      float64 // DRAM
}

// String prints the work.
func (v GEMV) String() string { return dims(v.M, v.N, v.K, v.G) }

// GEMV times a matrix product of few rows.
func (m *Model) GEMV(v GEMV) Timing {
	// Four exposed latencies: load, reduce within the warp, reduce across warps,
	// store. Estimated.
	start, l2 := m.us(4*m.Lam), m.l2US(v.B)
	t := Timing{DRAM: m.dramUS(v.Bytes, m.EtaD), SM: start, Bytes: v.Bytes, L2: v.B,
		MACs: float64(v.M) * float64(v.N) * float64(v.K) * float64(v.G)}
	t.Activity = Activity{SMs: float64(m.SMs), FMA: t.MACs, L2Moved: 2 * v.Bytes} // as for Stream
	t.US = m.norm(start, max(t.DRAM, l2))
	t.Bound = largest(term{"latency", start}, term{"dram", t.DRAM}, term{"l2", l2})
	return t
}

// dims prints the extents of a matrix product.
func dims(m, n, k, g int) string {
	s := fmt.Sprintf("M=%d N=%d K=%d", m, n, k)
	if g > 1 {
		s += fmt.Sprintf(" G=%d", g)
	}
	return s
}

// term is a part of a time with its word.
type term struct {
	word string
	us   float64
}

// largest is the word of the longest term, the first on a tie.
func largest(terms ...term) string {
	best := terms[0]
	for _, t := range terms[1:] {
		if t.us > best.us {
			best = t
		}
	}
	return best.word
}
