package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"pimflow"
)

// ConvSchema names the form of Conv's JSON.
const ConvSchema = "pimflow.layer/1"

// Conv is what one convolution costs in three ways: by the commands of the
// published generator, by our own, and on the GPU.
type Conv struct {
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

	Published ConvPublished `json:"published"`
	Ours      *ConvPIM      `json:"ours"` // null where our commands cannot execute it
	GPU       *ConvGPU      `json:"gpu"`  // null where every channel computes

	Unsupported string `json:"unsupported,omitempty"` // why Ours is null

	Profile   *ProfileFile `json:"gpu_profile,omitempty"` // unless the GPU's time is the model's
	Uncounted []string     `json:"-"`                     // commands of refreshes
}

// Clocks are the periods that cycles are counted in.
type Clocks struct {
	GPU float64 `json:"gpu_ps"`
	PIM float64 `json:"pim_ps"`
}

// ConvPublished is the published generator's program.
type ConvPublished struct {
	Segments []int `json:"gwrite_groups"` // chosen for each segment
	First    Lane  `json:"first_channel"` // all that the published system simulates
	All      Lane  `json:"all_channels"`  // the slowest's time, the sum of the commands
}

// Lane is the program of a channel, or of several.
type Lane struct {
	Total  int64   `json:"commands_total"` // without those of refreshes
	Cycles int64   `json:"cycles"`
	NS     float64 `json:"ns"`
	Issued Counts  `json:"issued"`
}

// ConvPIM is our program for the same channels: its slowest, and the whole of it,
// launched and with its results returned.
type ConvPIM struct {
	Lane
	Whole pimflow.Whole `json:"whole"`
	Bytes int64         `json:"bytes"`
	Added int64         `json:"additions"`     // partial sums, added outside of the banks
	MAC   int64         `json:"floor_mac_ck"`  // what the products take at least, all channels busy
	Move  int64         `json:"floor_move_ck"` // what moving each input and each result once does
}

// ConvGPU is the layer on the GPU that keeps the other channels.
type ConvGPU struct {
	Channels int     `json:"channels"`
	NS       float64 `json:"ns"`
	Ticks    int64   `json:"ck"`
	Kernels  Counts  `json:"kernels"`
	Bytes    int64   `json:"bytes"`
	Bound    string  `json:"bound"`
	Source   string  `json:"gpu_source"` // of NS: measured, interpolated, scaled or model
}

// JSON writes the report as one object.
func (c *Conv) JSON(w io.Writer) error { return JSON(w, c) }

// Text writes the report for people.
func (c *Conv) Text(w io.Writer) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "layer      Conv %s to %s, kernel %s, pad %s, stride %d", shape(c.In), shape(c.Out), shape(c.Kernel), shape(c.Pad), c.Stride)
	if c.Groups > 1 {
		fmt.Fprintf(b, ", %d groups", c.Groups)
	}
	if c.Dilation > 1 {
		fmt.Fprintf(b, ", dilation %d", c.Dilation)
	}
	fmt.Fprintf(b, ": %.1f M multiply-accumulates\n", float64(c.MACs)/1e6)
	fmt.Fprintf(b, "machine    %s, %d memory channels, %d of them PIM; PIM clock %.4f ns, GPU clock %.4f ns\n",
		c.Machine, c.Channels, c.PIMChannels, c.Clocks.PIM/1e3, c.Clocks.GPU/1e3)
	writes := fmt.Sprintf("latency hidden (gwrite_gap_ck %d)", c.Gap)
	switch {
	case c.Gap == 0:
		writes = "a column each"
	case !c.Hiding:
		writes = fmt.Sprintf("latency not hidden (gwrite_gap_ck %d)", c.Gap)
	}
	fmt.Fprintf(b, "GWRITE     %s, up to %d groups of channels in the published generator\n\n", writes, c.Buffers)

	p := &c.Published
	t := table{{}, {right: true}, {right: true}, {}}
	var segments []string
	for _, g := range p.Segments {
		segments = append(segments, strconv.Itoa(g))
	}
	note := "channel groups chosen: " + strings.Join(segments, ", then ")
	if c.Groups > 1 || c.Dilation > 1 {
		note += "; as if dense"
	}
	t.row("published, first channel", ns(p.First.NS), ck(p.First.Cycles), note)
	t.row("published, slowest channel", ns(p.All.NS), ck(p.All.Cycles), "")
	if o := c.Ours; o != nil {
		bound, moved := "bound by "+o.Whole.Bound, fmt.Sprintf("%d bytes, %d partial sums to add", o.Bytes, o.Added)
		if o.Whole.Ticks == o.Cycles {
			t.row("ours, slowest channel", ns(o.NS), ck(o.Cycles), bound+", "+moved)
		} else {
			t.row("ours, slowest channel", ns(o.NS), ck(o.Cycles), moved)
			t.row("ours, launched and returned", ns(o.Whole.NS), ck(o.Whole.Ticks), bound)
		}
		floor := max(o.MAC, o.Move)
		t.row("floor", ns(float64(floor)*c.Clocks.PIM/1e3), ck(floor), fmt.Sprintf("products %d ck, inputs and results once %d ck; ours / floor %.2f", o.MAC, o.Move, float64(o.Cycles)/float64(floor)))
	} else {
		t.row("ours", "-", "-", c.Unsupported)
	}
	if g := c.GPU; g != nil {
		var kernels []string
		for _, k := range g.Kernels {
			kernels = append(kernels, fmt.Sprintf("%d %s", k.N, k.Kind))
		}
		note := fmt.Sprintf("bound by %s, %d bytes; kernels: %s", g.Bound, g.Bytes, strings.Join(kernels, ", "))
		if c.Profile != nil {
			note = g.Source + "; " + note
		}
		t.row(fmt.Sprintf("GPU, other %d channels", g.Channels), ns(g.NS), ck(g.Ticks), note)
	} else {
		t.row("GPU", "-", "-", "no channel is left")
	}
	t.write(b)
	if c.Profile != nil {
		fmt.Fprintf(b, "GPU time %s\n", c.Profile.from())
	}
	b.WriteByte('\n')
	c.commands(b)
	_, err := io.WriteString(w, trimLines(b.String()))
	return err
}

// commands writes one row a command kind.
func (c *Conv) commands(b *strings.Builder) {
	head := []string{"issued", "published, first", "published, all"}
	lanes := []*Lane{&c.Published.First, &c.Published.All}
	t := table{{}, {right: true}, {right: true}}
	if c.Ours != nil {
		head, lanes, t = append(head, "ours, all"), append(lanes, &c.Ours.Lane), append(t, column{right: true})
	}
	t.row(head...)
	for i, kind := range lanes[0].Issued {
		cells := []string{kind.Kind}
		for _, l := range lanes {
			cells = append(cells, strconv.FormatInt(l.Issued[i].N, 10))
		}
		t.row(cells...)
	}
	cells := []string{"all but " + strings.Join(c.Uncounted, ", ")}
	for _, l := range lanes {
		cells = append(cells, strconv.FormatInt(l.Total, 10))
	}
	t.row(cells...)
	t.write(b)
}
