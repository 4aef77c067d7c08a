package convolution

import "pimflow/internal/device"

// Schema names the form of Cost's JSON.
const Schema = "pimflow.layer/1"

// Cost is what one convolution costs in three ways: by the commands of the
// published generator, by our own, and on the GPU.
type Cost struct {
	Schema   string `json:"schema"`
	Machine  string `json:"machine"`
	Channels int    `json:"channels"`
	Clocks   Clocks `json:"clocks"`

	In       []int `json:"in"`  // channels, height, width
	Out      []int `json:"out"` // the same
	Kernel   []int `json:"kernel"`
	Pad      []int `json:"pad"`
	Stride   int   `json:"stride"`
	Groups   int   `json:"groups"`
	Dilation int   `json:"dilation"`
	MACs     int64 `json:"macs"`

	PIMChannels int   `json:"n_channel"`
	Buffers     int   `json:"gw"`
	Hiding      bool  `json:"latency_hiding"`
	Gap         int64 `json:"gwrite_gap_ck"`

	Published Published `json:"published"`
	Ours      *PIM      `json:"ours"` // null if our commands cannot execute it
	GPU       *GPU      `json:"gpu"`  // null if every channel computes

	Unsupported string `json:"unsupported,omitempty"` // the reason why Ours is null

	Profile   *Profile `json:"gpu_profile,omitempty"` // null if the GPU's time is the model's
	Uncounted []string `json:"-"`                     // commands of refreshes
}

// Clocks are the periods that cycles are counted in.
type Clocks struct {
	GPU float64 `json:"gpu_ps"`
	PIM float64 `json:"pim_ps"`
}

// Published is the published generator's program.
type Published struct {
	Segments []int `json:"gwrite_groups"` // chosen for each segment
	First    Lane  `json:"first_channel"` // all that the published system simulates
	All      Lane  `json:"all_channels"`  // the slowest's time, the sum of the commands
}

// Lane is the program of a channel, or of several.
type Lane struct {
	Total  int64         `json:"commands_total"` // without those of refreshes
	Cycles int64         `json:"cycles"`
	NS     float64       `json:"ns"`
	Issued device.Counts `json:"issued"`
}

// PIM is our program for the same channels: the slowest channel's stream, and the whole with its
// launch and the return of its results.
type PIM struct {
	Lane
	Whole Whole `json:"whole"`
	Bytes int64 `json:"bytes"`
	Added int64 `json:"additions"`     // of partial sums, outside of the banks
	MAC   int64 `json:"floor_mac_ck"`  // lower bound: the products, all channels busy
	Move  int64 `json:"floor_move_ck"` // lower bound: each input and each result moved once
}

// GPU is the layer on the GPU that keeps the other channels.
type GPU struct {
	Channels int           `json:"channels"`
	NS       float64       `json:"ns"`
	Ticks    int64         `json:"ck"`
	Kernels  device.Counts `json:"kernels"`
	Bytes    int64         `json:"bytes"`
	Bound    string        `json:"bound"`
	Source   string        `json:"gpu_source"` // of NS: measured, interpolated, scaled or model
}

// Whole is the cost on the PIM with its launch and the return of its results.
type Whole struct {
	NS    float64 `json:"ns"`
	Ticks int64   `json:"ck"`
	Bound string  `json:"bound"`
}

// Profile is a file of measured kernels.
type Profile struct {
	File       string `json:"file"`
	Kernels    int    `json:"kernels"` // measured
	MeasuredOn string `json:"measured_on"`
}
