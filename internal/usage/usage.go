// Package usage has the types of the JSON that says what a plan and the GPU alone use of the machine: of the network, of layers and of
// pieces. Package pimflow fills them; other packages draw and print them.
package usage

// Network says what a plan and the GPU alone use of the machine. Its times are in ns, powers in W, flows in GB/s of 1e9 bytes.
type Network struct {
	Peaks    Peaks `json:"peaks"`
	Baseline Use   `json:"baseline"` // the GPU alone
	Plan     Use   `json:"plan"`
	// Limits are what the time of each class of layers goes to: class "all" first, then the longest on the GPU alone. The classes and,
	// if there is one, "idle" add up to "all", and that to the totals.
	Limits []Limit `json:"limits"`
	// Pieces are the kernels of the GPU alone, in order.
	Pieces []Piece `json:"baseline_pieces"`
}

// Peaks is what the machine does at most. Two operations are a multiply-accumulate.
type Peaks struct {
	Tensor       float64  `json:"gpu_tensor_gflops"`
	FMA          float64  `json:"gpu_fma_gflops"`
	BaselineDRAM float64  `json:"baseline_gpu_dram_gb_per_s"` // of every memory channel
	DRAM         float64  `json:"gpu_dram_gb_per_s"`          // of the channels that the plan leaves to the GPU; where layers are exclusive, of every channel
	PIM          float64  `json:"pim_gflops"`                 // of the plan's PIM channels, at the pace of their multiplying commands
	Inner        float64  `json:"pim_inner_gb_per_s"`         // from their banks to the multipliers, at that pace
	Link         *float64 `json:"link_gb_per_s"`              // nil: without limit
}

// Use is what a run uses of the machine.
type Use struct {
	GFLOPS float64 `json:"gflops"` // two operations a multiply-accumulate of the model, over the time
	DRAM   Flow    `json:"gpu_dram"`
	Inner  Flow    `json:"pim_inner"` // from the banks to the multipliers
	Link   Flow    `json:"link"`      // inputs and results of PIM work

	GPUMACs     float64 `json:"gpu_macs"` // that tensor cores and FMA units execute, with the padding of tiles
	PIMMACs     int64   `json:"pim_macs"` // that the channels' multipliers execute, with the padding of columns
	Activations int64   `json:"row_activations"`
	Reads       int64   `json:"column_reads"`
	Hits        int64   `json:"row_hits"` // column reads but for the first of each row opened

	// Channels is the share of the time in which a PIM channel has commands: the mean of all, the least and the most.
	Channels      float64 `json:"pim_channels_busy"`
	ChannelsLeast float64 `json:"pim_channels_busy_least"`
	ChannelsMost  float64 `json:"pim_channels_busy_most"`

	// Stalls are the causes of each device's time.
	Stalls []Stall `json:"stalls"`
	Power  Power   `json:"power"`
}

// Flow is bytes moved in a run.
type Flow struct {
	Bytes int64   `json:"bytes"`
	GBps  float64 `json:"gb_per_s"` // over the time of the run
	Share float64 `json:"of_peak"`  // 0 where there is no peak
}

// Stall is a cause of a device's time. What a device works at, and what it waits for, adds up to the total. An instant in which both
// devices work is shared equally; those shares add up to the total over both devices.
type Stall struct {
	Device string  `json:"device"`
	Cause  string  `json:"cause"` // a term of its work as in explain; or what it waits for: "wait for input", "wait for turn", "no work left"
	Busy   bool    `json:"busy"`  // it works
	NS     float64 `json:"ns"`
	Share  float64 `json:"shared_ns"`
}

// Power is the mean power in intervals of equal length, in W. Standby is drawn at all times; the lists are the work of each device's
// pieces beyond it, spread evenly over the time of each.
type Power struct {
	Interval float64   `json:"interval_ns"`
	Standby  float64   `json:"standby_w"`
	GPU      []float64 `json:"gpu_w"`
	PIM      []float64 `json:"pim_w"`
}

// Split is a time by what a device does. Moving is of the GPU L2, DRAM and their latency, of the PIM the link and results that are
// finished; computing is of the GPU its tensor cores and FMA units, of the PIM all commands of the slowest channel.
type Split struct {
	Launch    float64 `json:"launch_ns"`
	Moving    float64 `json:"moving_ns"`
	Computing float64 `json:"computing_ns"`
}

// Limit is what the time of a class of layers goes to. An instant in which both devices work is shared equally between their pieces.
type Limit struct {
	Class    string `json:"class"` // all, the kernel of convolutions as 1x1, depthwise, FC, product, other; idle: no device works
	Layers   int    `json:"layers"`
	Baseline Split  `json:"baseline"`
	GPU      Split  `json:"plan_gpu"`
	PIM      Split  `json:"plan_pim"`

	BaselineNS float64 `json:"baseline_ns"` // sums of the above
	Total      float64 `json:"total_ns"`
	Saved      float64 `json:"saved_ns"`      // BaselineNS - Total
	Gain       float64 `json:"share_of_gain"` // Saved as a share of that of all layers; 0 where that is 0
}

// Piece is what a piece of a layer does in its place. Launch, moving and computing add up to the time from start to end, as the terms do.
type Piece struct {
	Layer  int     `json:"layer"` // in pimflow.Report.Layers
	Device string  `json:"device"`
	Start  float64 `json:"start_ns"`
	End    float64 `json:"end_ns"`
	Axis   string  `json:"axis"` // images, channels, rows, columns, "dimension N" if the piece is a part of it; several; "": it is the whole
	From   int     `json:"from"` // of the axis; 0 where it is none or several
	To     int     `json:"to"`
	Of     int     `json:"of"`
	Split
	Terms []Term `json:"terms"` // as explain has them, in the device's order
	// Bytes by where they go: the GPU's memory, its L2, the link, and the banks' rows to their multipliers.
	DRAM  int64 `json:"gpu_dram_bytes"`
	L2    int64 `json:"gpu_l2_bytes"`
	Link  int64 `json:"link_bytes"`
	Inner int64 `json:"pim_inner_bytes"`
	FLOPs int64 `json:"flops"` // two a multiply-accumulate of the piece, padding of the layer included
	// MACs are those executed, with padding; on the PIM those of its multipliers.
	MACs     int64      `json:"executed_macs"`
	Tensor   bool       `json:"tensor"`    // most of them on tensor cores
	Waited   float64    `json:"waited_ns"` // the device had nothing to do before the start
	For      *WaitedFor `json:"waited_for"`
	Channels []Lane     `json:"pim_channels"` // runs of PIM channels with equally long streams
}

// WaitedFor is the piece whose end let another start.
type WaitedFor struct {
	Layer  int    `json:"layer"`
	Device string `json:"device"`
	Why    string `json:"why"` // input: it is read; exclusive: one device works at a time; device: it was on the same device
}

// Term is a part of a time.
type Term struct {
	Name string  `json:"name"`
	NS   float64 `json:"ns"`
}

// Lane is PIM channels that follow each other, and how long each has commands.
type Lane struct {
	N  int     `json:"n"`
	NS float64 `json:"ns"`
}

// Layer is what a layer is and wants. Bytes are of its inputs, weights and output, each value once.
type Layer struct {
	Class     string  `json:"class"` // as in Limit
	FLOPs     int64   `json:"flops"` // two a multiply-accumulate, padding of the layer included
	Bytes     int64   `json:"bytes"`
	Intensity float64 `json:"flops_per_byte"`
	Baseline  float64 `json:"baseline_ns"` // on the GPU alone, with every memory channel
	// OnGPU and OnPIM are the time of the plan with the whole layer on the device: nil where that is impossible, where there is no place in
	// the plan's order or no room in the banks, and for networks of more than 400 layers, of which they would take long.
	OnGPU *float64 `json:"plan_if_gpu_ns"`
	OnPIM *float64 `json:"plan_if_pim_ns"`
	// GPULow and GPUHigh are the bounds of the whole layer's time on the GPU beside the plan's PIM channels; 0 where it cannot execute it.
	GPULow  float64  `json:"gpu_low_ns"`
	GPUHigh float64  `json:"gpu_high_ns"`
	Options []Option `json:"options,omitempty"` // the fastest ways to execute the layer alone; nil until Session.Options
}

// Option is a way to execute a layer.
type Option struct {
	Parts  string  `json:"parts"` // as "GPU rows 0 to 28 + PIM rows 28 to 56"
	Chosen bool    `json:"chosen"`
	NS     float64 `json:"ns"`      // alone
	Total  float64 `json:"plan_ns"` // of the plan with it in the placement's place; 0: no place, or no room
	Why    string  `json:"why"`     // why it was chosen or lost
}

// Policy is the plan of a policy for the same model and machine. Low and high are extremes over the errors of the GPU's model and the bounds
// of launches, of energies also over those of every energy constant.
type Policy struct {
	Name        string  `json:"policy"`
	About       string  `json:"about"`
	Total       float64 `json:"total_ns"`
	Speedup     float64 `json:"speedup"`
	SpeedupLow  float64 `json:"speedup_low"`
	SpeedupHigh float64 `json:"speedup_high"`
	GPUBusy     float64 `json:"gpu_busy_ns"`
	PIMBusy     float64 `json:"pim_busy_ns"`
	Energy      float64 `json:"total_pj"`
	EnergyLow   float64 `json:"low_pj"`
	EnergyHigh  float64 `json:"high_pj"`
}

// Manifest says what a report rests on. Hashes are SHA-256, in hexadecimal.
type Manifest struct {
	Version     string   `json:"version"`
	Command     string   `json:"command,omitempty"`
	Model       string   `json:"model_sha256,omitempty"` // of the files of the model, one after the other; "": it is built in
	Machine     string   `json:"machine_sha256"`         // of what pimflow machine prints for it
	About       string   `json:"machine_about"`
	NotModelled []string `json:"machine_not_modelled"`
	Plan        string   `json:"plan_sha256"` // of the plan as run -o writes it
	// Energy has the machine's constants behind each part of the energy, in the order of energy.parts, with their sources.
	Energy [][]Constant `json:"energy_constants"`
}

// Constant is a number of a machine.
type Constant struct {
	Key    string `json:"key"` // as pimflow machine prints it
	Source string `json:"source"`
}
