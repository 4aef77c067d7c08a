// Package hw describes machines: a GPU, some of whose memory channels can compute.
//
// A machine is a strict JSON file. Every number has its unit in its key and its source
// beside it: a field is {"value": 11, "source": "…"}, with "low" and "high" if it is
// uncertain, or, for names and switches, a plain string or boolean. Load refuses unknown and
// missing keys, and numbers out of range. A file goes in; a Machine or a Board comes out. The
// package knows no formula: packages gpu, pim and dram give the numbers their meaning.
package hw

// Machine is one machine file. The want tags are the ranges that Parse accepts.
type Machine struct {
	Name   string `json:"name"`
	About  string `json:"about"` // a sentence for people
	Memory Memory `json:"memory"`
	GPU    GPU    `json:"gpu"`
	PIM    PIM    `json:"pim"`
	Link   Link   `json:"link"`

	// Sources maps the path of each number, as "gpu.sm", to its source.
	Sources map[string]string `json:"-"`
}

// Memory is the DRAM channels, which GPU and PIM share.
type Memory struct {
	Channels    int     `json:"channels" want:"1..1024"`        // in all
	PIMChannels int     `json:"pim_channels" want:"0..1024"`    // channels that can compute
	Shared      bool    `json:"pim_channels_as_memory"`         // the GPU may use idle PIM channels as memory
	ChannelGBps float64 `json:"channel_gb_per_s" want:">0"`     // bandwidth of a channel to the GPU, 1e9 bytes/s
	ChannelL2   int64   `json:"l2_per_channel_bytes" want:">0"` // the L2 slice of a channel
	ElementSize int     `json:"bytes_per_element" want:"1..8"`  // of weights and activations on the machine
}

// Link is the connection between the GPU's memory channels and the PIM channels. It carries
// the inputs and results of PIM work, and the launches.
type Link struct {
	PerByte float64 `json:"ps_per_byte" want:">=0"`             // inputs and results of all channels together
	Latency int64   `json:"latency_ck" want:"0..1000000000"`    // GPU cycles, each way
	Launch  int64   `json:"pim_launch_ck" want:"0..1000000000"` // GPU cycles, of each tile on the PIM
	Joint   bool    `json:"pim_launch_joint"`                   // launches are fused: consecutive tiles share one, if none waits for the GPU meanwhile
	Memory  bool    `json:"from_gpu_channels"`                  // inputs and results take bandwidth and energy of the GPU's channels
	Finish  Finish  `json:"finish"`
}

// Finish is the unit that computes the values of a layer from the sums that the channels read
// out: it adds partial sums and biases and applies epilogues, one operation an element each.
type Finish struct {
	Where  string  `json:"where"`                       // for people
	PerOp  float64 `json:"ps_per_op" want:"0..1000000"` // for the elements of one channel; all channels work in parallel
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
	ConcatFree   bool      `json:"concat_in_place"`                     // kernels write their part of a concatenation in place, if nothing else reads it
	Fused        bool      `json:"fused"`                               // epilogues run inside the convolution's kernel
	ConvSplit    int       `json:"conv_split_k" want:"1..64"`           // greatest split-K of a convolution
	Launch       int64     `json:"launch_ck" want:"0..1000000000"`      // of every kernel
	ConvLaunches int       `json:"conv_offset_launches" want:"0..1024"` // empty launches before each dense convolution
	Model        GPUModel  `json:"model"`
	Energy       GPUEnergy `json:"energy"`
	Error        GPUError  `json:"error"`
}

// GPUModel holds the fitted parameters of the kernel model.
type GPUModel struct {
	Eta    float64 `json:"eta" want:">0..1"`          // tensor main-loop efficiency
	Lam    float64 `json:"lam_ck" want:">=0"`         // exposed latency of a k-iteration of a lone CTA
	Om     float64 `json:"om" want:">=0"`             // un-overlapped share of a lone CTA's own MMA
	Epi    float64 `json:"epi" want:">=0"`            // epilogue cost in tile bytes over L2SM
	Pixels float64 `json:"pixel_fetch" want:"1..100"` // cost of fetching a byte of a convolution's input over that of a matrix
	EtaD   float64 `json:"eta_dram" want:">0..1"`     // DRAM efficiency of GEMM-like kernels
	EtaS   float64 `json:"eta_stream" want:">0..1"`   // DRAM efficiency of element-wise kernels
	EtaDW  float64 `json:"eta_dw" want:">0..1"`       // depthwise FMA efficiency
	Plane  int     `json:"dw_plane" want:"1..1024"`   // outputs of one channel that a CTA of a depthwise kernel computes; a plane is padded to a multiple
	Stages int     `json:"stages" want:"0..16"`       // buffers of shared memory of a tile; 0: those of its library
	P      float64 `json:"p" want:"1..64"`            // overlap exponent
	Ramp   float64 `json:"ramp_ck" want:">=0"`        // start-up of a streaming kernel
	TK2    float64 `json:"splitk_us" want:">=0"`      // second kernel of a split-K GEMM
}

// PIM is a channel that computes: the geometry of its banks, its DRAM standard and its energy.
type PIM struct {
	Standard string           `json:"standard"` // a row of package dram's table
	Clock    Period           `json:"clock_ps"`
	Banks    int              `json:"banks" want:"1..4096"`            // per channel; each has one MAC unit
	Lanes    int              `json:"lanes" want:"1..4096"`            // multipliers of a MAC unit: elements of a column access
	Columns  int              `json:"columns_per_row" want:"1..65536"` // column accesses in a row of a bank
	Rows     int              `json:"rows_per_bank" want:">0"`
	Buffer   int              `json:"buffer_elements" want:"1..16777216"` // global input buffer of a channel
	Buffers  int              `json:"buffers" want:"1..64"`               // input buffers of a channel
	Sums     int              `json:"accumulators" want:"1..65536"`       // accumulators of each bank
	Format   string           `json:"number_format"`                      // of operands and results: "fp16", "bf16" or "fp32"; sums are float32
	Timing   map[string]int64 `json:"timing" key:"_ck" want:">=0"`        // the standard's parameters, in cycles of Clock
	Energy   PIMEnergy        `json:"energy"`
}

// Range is an uncertain number: a value and its bounds, in the file {"value": 60, "low": 48,
// "high": 62, "source": "…"} with low ≤ value ≤ high.
type Range struct{ Value, Low, High float64 }

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
// factors on the modelled time without its launch.
type GPUError struct {
	Conv      Range `json:"conv" want:">0"`
	Depthwise Range `json:"dwconv" want:">0"`
	GEMM      Range `json:"gemm" want:">0"`
	GEMV      Range `json:"gemv" want:">0"`
	Stream    Range `json:"stream" want:">0"` // element-wise, pooling, reductions, copies
	Launch    Range `json:"launch" want:">0"` // of the launches
}

// PIMEnergy is the energy constants of a channel that computes: its commands and its power.
type PIMEnergy struct {
	Activate   Range `json:"activate_pj" want:">=0"`    // of a bank, with its precharge
	Precharge  Range `json:"precharge_pj" want:">=0"`   // of a bank, beyond Activate
	ColumnRead Range `json:"column_read_pj" want:">=0"` // of a bank
	MAC        Range `json:"mac_pj" want:">=0"`
	BufferRead Range `json:"buffer_read_pj" want:">=0"` // of a bank's MAC unit, for one column
	Write      Range `json:"gwrite_pj" want:">=0"`      // of a GWRITE, without I/O
	Read       Range `json:"readres_pj" want:">=0"`     // of a READRES, without I/O
	Init       Range `json:"init_pj" want:">=0"`        // of a command that sets an accumulator of all banks, without I/O
	IO         Range `json:"io_pj_per_bit" want:">=0"`
	Refresh    Range `json:"refresh_pj" want:">=0"` // of a refresh of all banks
	Standby    Range `json:"standby_mw" want:">=0"` // of a channel, at all times
	Active     Range `json:"active_mw" want:">=0"`  // of a busy channel, beyond Standby
}
