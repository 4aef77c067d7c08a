// Package hw describes machines: a GPU whose memory channels can partly compute.
//
// A machine is a strict JSON file. Every number has its unit in its key and its
// source beside it: a field of the file is either {"value": 11, "source": "…"}
// or, for names and switches, a plain string or boolean. Load refuses unknown
// and missing keys. The package knows no formula: packages gpu and pim give the
// numbers their meaning.
package hw

// Machine is one machine file.
type Machine struct {
	Name   string `json:"name"`
	About  string `json:"about"` // a sentence for people
	Memory Memory `json:"memory"`
	GPU    GPU    `json:"gpu"`
	PIM    PIM    `json:"pim"`

	// Sources maps the path of each number, as "gpu.sm", to where it comes from.
	Sources map[string]string `json:"-"`
}

// Memory is what GPU and PIM share: the DRAM channels.
type Memory struct {
	Channels    int     `json:"channels"`             // in all
	PIMChannels int     `json:"pim_channels"`         // of which compute when a plan uses PIM
	ChannelGBps float64 `json:"channel_gb_per_s"`     // bandwidth of a channel to the GPU, 1e9 bytes/s
	ChannelL2   int64   `json:"l2_per_channel_bytes"` // L2 slice that goes with a channel
	ElementSize int     `json:"bytes_per_element"`    // of weights and activations on the machine
}

// GPU is the part of the machine that package gpu models (spec: RATIONALE.md).
type GPU struct {
	Clock        Period   `json:"clock_ps"`
	SMs          int      `json:"sm"`
	MACs         float64  `json:"tensor_mac_per_ck_sm"` // tensor-core multiply-accumulates a clock and SM
	FMAs         float64  `json:"fma_per_ck_sm"`
	Smem         int      `json:"smem_per_sm_bytes"`
	Threads      int      `json:"threads_per_sm"`
	CTAs         int      `json:"cta_per_sm"`
	Registers    int      `json:"registers_per_sm"`
	L2SM         float64  `json:"l2_bytes_per_ck_sm"`
	WriteThrough bool     `json:"l2_write_through"`
	Library      string   `json:"tile_library"`         // a row of package gpu's table
	Fused        bool     `json:"fused"`                // epilogues run inside the convolution's kernel
	Launch       int64    `json:"launch_ck"`            // of every kernel
	ConvLaunches int      `json:"conv_offset_launches"` // launches before each dense convolution that execute nothing
	Model        GPUModel `json:"model"`
}

// GPUModel holds the fitted parameters of the kernel model.
type GPUModel struct {
	Eta   float64 `json:"eta"`        // tensor main-loop efficiency
	Lam   float64 `json:"lam_ck"`     // exposed latency of a k-iteration of a lone CTA
	Om    float64 `json:"om"`         // un-overlapped share of a lone CTA's own MMA
	Epi   float64 `json:"epi"`        // epilogue cost in tile bytes over L2SM
	EtaD  float64 `json:"eta_dram"`   // DRAM efficiency of GEMM-like kernels
	EtaS  float64 `json:"eta_stream"` // DRAM efficiency of element-wise kernels
	EtaDW float64 `json:"eta_dw"`     // depthwise FMA efficiency
	P     float64 `json:"p"`          // overlap exponent
	Ramp  float64 `json:"ramp_ck"`    // start-up of a streaming kernel
	TK2   float64 `json:"splitk_us"`  // second kernel of a split-K GEMM
}

// PIM is a channel that computes: the geometry of its banks and its rulebook.
type PIM struct {
	Standard string           `json:"standard"` // a row of package dram's table
	Clock    Period           `json:"clock_ps"`
	Banks    int              `json:"banks"`           // per channel; each has one MAC unit
	Lanes    int              `json:"lanes"`           // multipliers of a MAC unit: elements of a column access
	Columns  int              `json:"columns_per_row"` // column accesses in a row of a bank
	Rows     int              `json:"rows_per_bank"`
	Buffer   int              `json:"buffer_elements"` // global input buffer of a channel
	Timing   map[string]int64 `json:"timing"`          // the standard's parameters, in cycles of Clock
}

// Period is a clock period in picoseconds, an exact fraction: "8000/7" or 625.
type Period struct{ Num, Den int64 }
