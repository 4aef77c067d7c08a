package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"pimflow/internal/convolution"
)

// Convolution writes the costs of a convolution for people.
func Convolution(w io.Writer, c *convolution.Cost) error {
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
		fmt.Fprintf(b, "GPU time %s\n", (*ProfileFile)(c.Profile).from())
	}
	b.WriteByte('\n')
	convolutionCommands(b, c)
	_, err := io.WriteString(w, trimLines(b.String()))
	return err
}

// convolutionCommands writes a row for each kind of command.
func convolutionCommands(b *strings.Builder, c *convolution.Cost) {
	head := []string{"issued", "published, first", "published, all"}
	lanes := []*convolution.Lane{&c.Published.First, &c.Published.All}
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
