// Package hw describes machines: a GPU, some of whose memory channels can compute.
//
// A machine is a strict JSON file. Every number has its unit in its key and its source
// beside it: a field is {"value": 11, "source": "…"}, with "low" and "high" if it is
// uncertain, or, for names and switches, a plain string or boolean. In place of its value a
// number may have a "formula" of other keys, and a number of cycles its duration in "ns".
// Both are computed again when another number changes. A file with "base" holds only its
// differences from another machine.
//
// Load refuses unknown and missing keys, numbers out of range, and impossible DRAMs: the rules
// are tables, one here and one in each standard of package dram. A file goes in; a Machine or
// a Board comes out. Packages gpu, pim and dram give the numbers their meaning.
package hw

import (
	"math"
	"strconv"
	"strings"
)

// Machine is one machine file. The want tags are the ranges that Parse accepts.
type Machine struct {
	Name        string            `json:"name"`
	About       string            `json:"about"`                      // a sentence for people
	NotModelled []string          `json:"not_modelled" missing:"may"` // what takes time or energy on hardware, and none here
	Waives      map[string]string `json:"waives" missing:"may"`       // rules of its DRAM that the machine does not keep, by name, and why
	Launch      Launch            `json:"launch"`
	Memory      Memory            `json:"memory"`
	GPU         GPU               `json:"gpu"`
	PIM         PIM               `json:"pim"`
	Link        Link              `json:"link"`

	// Sources maps the path of each number, as "gpu.sm", to its source.
	Sources map[string]string `json:"-"`
	// Given maps the path of each number that follows from others to how, as
	// "link.pim_launch_ck" to the formula "gpu.launch_ck"; Derive computes them.
	Given map[string]Given `json:"-"`
}

// The mechanisms of launches.
const (
	Stream = "stream" // of a kernel or of PIM work: enqueued by itself
	Graph  = "graph"  // in a graph that is launched once
	Each   = "each"   // of PIM work: every piece has a launch
	Joint  = "joint"  // one launch is enough for pieces that follow each other and wait for nothing of the GPU meanwhile
)

// Launch says how work is started on both devices: policies have no launches of their own.
type Launch struct {
	GPU string `json:"gpu"` // stream or graph: the mechanism, and with it what a launch takes
	PIM string `json:"pim"` // each or joint: whether pieces of PIM work that follow each other share a launch
}

// Start is what a launch takes under the machine's mechanism; zero where the GPU's file does not
// say.
func (m *Machine) Start() Range {
	if m.Launch.GPU == Graph {
		return m.GPU.Launches.Graph
	}
	return m.GPU.Launches.Stream
}

// NetworkError is the error of whole networks on the machine's GPU, in the type of its elements: a
// factor on their time, launches included; zero where it is not known.
func (m *Machine) NetworkError() Range { return m.NetworkErrorIn(m.Memory.ElementSize == 1) }

// NetworkErrorIn is NetworkError of networks that multiply integers of 8 bits, or of others.
func (m *Machine) NetworkErrorIn(int8 bool) Range {
	if e := &m.GPU.Error; int8 && e.Int8Network.Value > 0 {
		return e.Int8Network
	}
	return m.GPU.Error.Network
}

// Memory is the DRAM channels, which GPU and PIM share.
type Memory struct {
	Channels    int     `json:"channels" want:"1..1024"`        // in all
	PIMChannels int     `json:"pim_channels" want:"0..1024"`    // channels that can compute
	Shared      bool    `json:"pim_channels_as_memory"`         // the GPU may use idle PIM channels as memory
	PerChip     int     `json:"channels_per_chip" want:"1..64"` // channels of a die, which share its idle power
	Pins        int     `json:"pins_per_channel" want:"1..4096"`
	Burst       int     `json:"burst_length" want:"1..1024"`    // transfers of a pin for one column access
	ChannelGBps float64 `json:"channel_gb_per_s" want:">0"`     // bandwidth of a channel's pins, for GPU and PIM, 1e9 bytes/s
	ChannelL2   int64   `json:"l2_per_channel_bytes" want:">0"` // the L2 slice of a channel
	ElementSize int     `json:"bytes_per_element" want:"1..8"`  // of real numbers on the machine; integers have the bytes of their type
}

// Link is the connection between the GPU's memory channels and the PIM channels. It carries
// the inputs and results of PIM work, and the launches.
type Link struct {
	PerByte     float64 `json:"ps_per_byte" want:">=0"`                    // inputs and results of all channels together
	Latency     int64   `json:"latency_ck" want:"0..1000000000"`           // GPU cycles, each way
	Launch      int64   `json:"pim_launch_ck" want:"0..1000000000"`        // GPU cycles, of each tile on the PIM
	LaunchError Range   `json:"pim_launch_error" want:">=0" missing:"may"` // of Launch where the GPU's launches are as said: a factor; 0: exact
	Memory      bool    `json:"from_gpu_channels"`                         // inputs and results take bandwidth and energy of the GPU's channels
	Finish      Finish  `json:"finish"`
}

// Finish is what computes the values of a layer from the sums that the channels read out: it
// adds partial sums and biases and applies epilogues, one operation an element each. In the
// DRAM and in the controllers a unit of each channel has ps_per_op, and all work in parallel; on
// the GPU it is that of all its FMA units together, and at least what the kernel takes to move
// its bytes.
type Finish struct {
	Where  string  `json:"where"` // dram, controller or gpu: where sums become values
	PerOp  float64 `json:"ps_per_op" want:"0..1000000"`
	Energy Range   `json:"pj_per_op" want:">=0"`
}

// GPU is the part of the machine that package gpu models.
type GPU struct {
	Clock        Period    `json:"clock_ps"`
	SMs          int       `json:"sm" want:"1..65536"`
	MACs         float64   `json:"tensor_mac_per_ck_sm" want:">0"` // tensor-core multiply-accumulates a clock and SM, of 16-bit floats
	Int8MACs     float64   `json:"tensor_int8_mac_per_ck_sm" want:">0"`
	FMAs         float64   `json:"fma_per_ck_sm" want:">0"`
	Smem         int       `json:"smem_per_sm_bytes" want:">0"`
	Threads      int       `json:"threads_per_sm" want:">0"`
	CTAs         int       `json:"cta_per_sm" want:"1..65536"`
	Registers    int       `json:"registers_per_sm" want:">0"`
	L2SM         float64   `json:"l2_bytes_per_ck_sm" want:">0"`
	WriteThrough bool      `json:"l2_write_through"`
	Library      string    `json:"tile_library"`                        // a row of package gpu's table
	ConcatFree   bool      `json:"concat_in_place"`                     // kernels write their part of a concatenation themselves where nothing else reads it
	Fused        bool      `json:"fused"`                               // epilogues run inside the convolution's kernel
	ConvSplit    int       `json:"conv_split_k" want:"1..64"`           // most parts that the taps and channels of a convolution are split into
	Launch       int64     `json:"launch_ck" want:"0..1000000000"`      // of every kernel
	ConvLaunches int       `json:"conv_offset_launches" want:"0..1024"` // launches before each dense convolution that execute nothing
	Launches     Launches  `json:"launches" missing:"may"`
	Model        GPUModel  `json:"model"`
	Energy       GPUEnergy `json:"energy"`
	Error        GPUError  `json:"error"`
}

// Launches is the start of a kernel under each mechanism, launch and ramp, in microseconds;
// all 0 where it is not known.
type Launches struct {
	Stream  Range `json:"stream_us" want:">=0"`  // enqueued one by one
	Graph   Range `json:"graph_us" want:">=0"`   // of a graph that is launched once (CUDA graph)
	Profile Range `json:"profile_us" want:">=0"` // under a profiler that times each kernel
}

// GPUModel holds the fitted parameters of the kernel model.
type GPUModel struct {
	Eta        float64 `json:"eta" want:">0..1"`                             // tensor main-loop efficiency
	EtaFMA     float64 `json:"eta_fma" want:"0..1" missing:"may"`            // main-loop efficiency of products on the FMA units; 0: eta
	LamFMA     float64 `json:"lam_fma_ck" want:">=0" missing:"may"`          // lam_ck of those; 0: lam_ck
	Winograd   float64 `json:"winograd" want:"0..4" missing:"may"`           // products that a 3x3 convolution of fp32 has less by Winograd's method, a factor; 0: 1
	EtaDWFMA   float64 `json:"eta_dw_fma" want:"0..1" missing:"may"`         // eta_dw of fp32; 0: eta_dw
	Lam        float64 `json:"lam_ck" want:">=0"`                            // exposed latency of a k-iteration of a lone CTA
	Stride     float64 `json:"stride_wait" want:"0..100" missing:"may"`      // factor on lam_ck in strided convolutions; 0: 1
	Wide       float64 `json:"wide_wait" want:"0..100" missing:"may"`        // the same in other convolutions of at least WideTaps taps; 0: 1
	WideTaps   int     `json:"wide_taps" want:"0..1000000" missing:"may"`    // 0: no convolution is wide
	Om         float64 `json:"om" want:">=0"`                                // un-overlapped share of a lone CTA's own MMA
	Epi        float64 `json:"epi" want:">=0"`                               // epilogue cost in tile bytes over L2SM
	Pixels     float64 `json:"pixel_fetch" want:"1..100"`                    // cost of fetching a byte of a convolution's input over that of a matrix
	Transposed float64 `json:"transposed_fetch" want:"0..100" missing:"may"` // DRAM traffic of a product whose first operand is transposed (BLAS: T); 0: 1
	EtaD       float64 `json:"eta_dram" want:">0..1"`                        // DRAM efficiency of GEMM-like kernels
	EtaS       float64 `json:"eta_stream" want:">0..1"`                      // DRAM efficiency of element-wise kernels
	Write      float64 `json:"stream_write" want:"0..100" missing:"may"`     // DRAM time of a byte that an element-wise kernel writes, over that of one that it reads; 0: 1
	EtaDW      float64 `json:"eta_dw" want:">0..1"`                          // depthwise FMA efficiency
	EtaDWLarge float64 `json:"eta_dw_large" want:"0..1" missing:"may"`       // eta_dw of kernels that dw_large_us is for; 0: eta_dw
	Plane      int     `json:"dw_plane" want:"1..1024"`                      // outputs of one channel that a CTA of a depthwise kernel makes; the last of a plane are padding
	Large      float64 `json:"dw_large_us" want:">=0" missing:"may"`         // what a depthwise kernel of more than 3x3 taps, or a strided one, takes more: a generic kernel of the library; 0: none
	DWFetch    float64 `json:"dw_fetch" want:"0..100" missing:"may"`         // times that a depthwise kernel reads its input from the L2; 0: no time is counted for it
	DWStart    float64 `json:"dw_start_ck" want:">=0" missing:"may"`         // cycles that the plane of a channel starts with on an SM in a depthwise kernel
	DWStartFMA float64 `json:"dw_start_fma_ck" want:">=0" missing:"may"`     // dw_start_ck of fp32; 0: dw_start_ck
	Stages     int     `json:"stages" want:"0..16"`                          // buffers of shared memory of a tile; 0: as its library has it
	P          float64 `json:"p" want:"1..64"`                               // overlap exponent
	Ramp       float64 `json:"ramp_ck" want:">=0"`                           // start-up of a streaming kernel
	TK2        float64 `json:"splitk_us" want:">=0"`                         // second kernel of a split-K GEMM
}

// PIM is a channel that computes: the geometry of its banks, its DRAM standard and its energy.
type PIM struct {
	Standard string           `json:"standard"` // a row of package dram's table
	Clock    Period           `json:"clock_ps"`
	Banks    int              `json:"banks" want:"1..4096"`                   // per channel
	Units    int              `json:"mac_units" want:"0..4096" missing:"may"` // per channel; 0: one at each bank
	Groups   int              `json:"bank_groups" want:"1..4096"`             // of as many banks each
	Column   int              `json:"column_bytes" want:"1..16384"`           // of a column access
	Row      int              `json:"row_bytes" want:"1..16777216"`           // of a bank
	Rows     int              `json:"rows_per_bank" want:">0"`
	Buffer   int              `json:"buffer_bytes" want:"1..67108864"`         // global input buffer of a channel
	Buffers  int              `json:"buffers" want:"1..64"`                    // input buffers of a channel
	Sums     int              `json:"accumulators" want:"1..65536"`            // accumulators of each bank
	Limit    float64          `json:"power_limit_mw" want:">=0" missing:"may"` // of a channel, for column accesses of all banks and their products (Cadence); 0: none
	Access   string           `json:"reg_access" missing:"may"`                // a switch of the standard: what a write to a register costs
	Turn     string           `json:"pim_turnaround" missing:"may"`            // a switch of the standard: what a turn between reads and writes of all banks costs
	Rounding string           `json:"mac_rounding" missing:"may"`              // a switch of the standard: whether a product is rounded before it is added
	Format   string           `json:"number_format"`                           // of operands and results: "fp16", "bf16" or "fp32", sums are float32; or "int8", sums are int32
	Timing   map[string]int64 `json:"timing" key:"_ck" want:">=0"`             // the standard's parameters, in cycles of Clock
	Energy   PIMEnergy        `json:"energy"`
}

// formats maps the number formats of a PIM to their bytes.
var formats = map[string]int{"fp16": 2, "bf16": 2, "fp32": 4, "int8": 1}

// ElementSize is the bytes of an operand; 0 for an unknown format.
func (p *PIM) ElementSize() int { return formats[p.Format] }

// RealSize is the bytes of a real number on the machine: ElementSize, or 2, float16, where operands are integers, since real
// numbers then are on the GPU alone; 0 for an unknown format.
func (p *PIM) RealSize() int {
	if p.Integers() {
		return 2
	}
	return p.ElementSize()
}

// Integers reports whether operands are integers.
func (p *PIM) Integers() bool { return p.Format == "int8" }

// WeightSize is the bytes of a weight in the banks.
func (m *Machine) WeightSize() int {
	if m.PIM.Integers() {
		return m.PIM.ElementSize()
	}
	return m.Memory.ElementSize
}

// Lanes is the number of multipliers of a bank's MAC unit: the elements of a column access.
func (p *PIM) Lanes() int { return p.Column / max(1, p.ElementSize()) }

// Columns is the number of column accesses of a row of a bank.
func (p *PIM) Columns() int { return p.Row / max(1, p.Column) }

// BufferElements is the size of a global input buffer in elements.
func (p *PIM) BufferElements() int { return p.Buffer / max(1, p.ElementSize()) }

// MACUnits is the MAC units of a channel.
func (p *PIM) MACUnits() int {
	if p.Units > 0 {
		return p.Units
	}
	return p.Banks
}

// Switches are the values of the switches of the DRAM standard by name, "" for its default.
func (p *PIM) Switches() map[string]string {
	return map[string]string{"reg_access": p.Access, "pim_turnaround": p.Turn, "mac_rounding": p.Rounding}
}

// MACEnergy is the energy of a column access of all MAC units with its products, in pJ.
func (p *PIM) MACEnergy() float64 {
	e := &p.Energy
	return float64(p.MACUnits())*(e.ColumnRead.Value+float64(p.Lanes())*e.MAC.Value) + e.Broadcast.Value
}

// Cadence is the cycles from a column access of all banks to the next. It is tCCD, of
// all banks where the standard has one, or as long as the power limit wants that is longer: the energy of the access over the limit, in whole cycles.
// Standby, activations and the bus are not held against the limit.
//
// In the literature: AttAcc (ASPLOS 2024) has 16 times the external bandwidth in the banks, and 9
// times under its power limit.
func (p *PIM) Cadence() int64 {
	ccd := max(p.Timing["ccds_ck"], p.Timing["ccdab_ck"], 1)
	if p.Limit <= 0 {
		return ccd
	}
	const rounding = 1e-9 // of a quotient that is a whole number
	return max(ccd, int64(math.Ceil(min(1e3*p.MACEnergy()/p.Limit/p.Clock.Picoseconds()-rounding, limit))))
}

// Range is an uncertain number: a value and its bounds, in the file {"value": 60, "low": 48,
// "high": 62, "source": "…"} with low ≤ value ≤ high.
type Range struct{ Value, Low, High float64 }

// at is the range with another value, of the same relative uncertainty. That of a value 0 is not known:
// its bounds go as far as the new value.
func (r Range) at(value float64) Range {
	low, high := r.Low, r.High
	if r.Value > 0 && value != r.Value {
		scaled := func(x float64) float64 { // to 12 digits: 1.5 for 5 is 2.1 for 7
			return min(mustFloat(strconv.FormatFloat(x/r.Value*value, 'g', 12, 64)), limit)
		}
		low, high = scaled(low), scaled(high)
	}
	return Range{value, min(low, value), max(high, value)}
}

// isError reports whether a number is an error factor, whose bounds alone have a meaning.
func isError(path string) bool {
	return strings.HasPrefix(path, "gpu.error.") || path == "link.pim_launch_error"
}

// GPUEnergy is the energy constants of the GPU: its power, and the energy of its work.
type GPUEnergy struct {
	Constant Range `json:"constant_w" want:">=0"` // at all times, with the memory channels that do not compute
	Idle     Range `json:"sm_idle_w" want:">=0"`  // of each SM, at all times
	Busy     Range `json:"sm_busy_w" want:">=0"`  // of each busy SM, beyond Idle
	MAC      Range `json:"tensor_mac_pj" want:">=0"`
	FMA      Range `json:"fma_pj" want:">=0"`
	L2       Range `json:"l2_pj_per_byte" want:">=0"`
	DRAM     Range `json:"dram_pj_per_byte" want:">=0"`
}

// GPUError is the range of measured over modelled time by class of kernel. Low and High are
// factors on the modelled time without its launch; Value is 1, or 0 where the error is not known.
type GPUError struct {
	Conv        Range   `json:"conv" want:">0"`
	Depthwise   Range   `json:"dwconv" want:">0"`
	GEMM        Range   `json:"gemm" want:">0"`
	GEMV        Range   `json:"gemv" want:">0"`
	Stream      Range   `json:"stream" want:">0"`                      // element-wise, pooling, reductions, copies
	Launch      Range   `json:"launch" want:">0"`                      // of the launches
	Network     Range   `json:"network" want:">=0" missing:"may"`      // of whole networks, launches included; 0: not measured
	Int8Network Range   `json:"int8_network" want:">=0" missing:"may"` // the same of networks of int8; 0: network
	SlowUS      float64 `json:"slow_us" want:">=0" missing:"may"`      // what a strided convolution may take, whatever its work: a mode of the library; 0: none
}

// PIMEnergy is the energy constants of a channel that computes: its commands and its power. What
// one covers, no other does: an access to the pins is Write or Read and IO, an all-bank COMP is
// ColumnRead and MAC of each bank and one Broadcast.
type PIMEnergy struct {
	Activate   Range `json:"activate_pj" want:">=0"`    // of a bank, with its precharge
	Precharge  Range `json:"precharge_pj" want:">=0"`   // of a bank, beyond Activate
	ColumnRead Range `json:"column_read_pj" want:">=0"` // of a bank, from its open row to its MAC unit
	MAC        Range `json:"mac_pj" want:">=0"`
	Broadcast  Range `json:"broadcast_pj" want:">=0"` // of a column of the buffer to the MAC units of all banks
	Write      Range `json:"gwrite_pj" want:">=0"`    // of a GWRITE, without I/O
	Read       Range `json:"readres_pj" want:">=0"`   // of a READRES, without I/O
	Init       Range `json:"init_pj" want:">=0"`      // of a command that sets an accumulator of all banks, without I/O
	IO         Range `json:"io_pj_per_bit" want:">=0"`
	Refresh    Range `json:"refresh_pj" want:">=0"` // of a refresh of all banks
	Standby    Range `json:"standby_mw" want:">=0"` // of a channel, at all times
	Active     Range `json:"active_mw" want:">=0"`  // of a busy channel, beyond Standby
}
