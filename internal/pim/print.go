package pim

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"pimflow/internal/hw"
	"pimflow/internal/tensor"
)

// Print writes the matrices, the mapping that was chosen and those that it beat,
// and the stream of each channel as a loop nest; channels that issue the same
// commands in the same order are printed once, with the first one's addresses, in
// the notation of PrintStream.
func (c *mappedCode) Print(w io.Writer) error {
	b := bufio.NewWriter(w)
	nd := &c.graph.Nodes[c.cut.Node]
	fmt.Fprintf(b, "%s %.80q %v\n", nd.Op.Name, nd.Name, c.cut.Box)
	c.printEach(b)
	for _, k := range c.layer.blocks(c.merge, c.device.lanes) {
		if c.layer.each != nil {
			break
		}
		fmt.Fprintf(b, "GEMM: %d pixels x %d products x %d outputs", k.pixels, k.k, k.outs)
		if k.count > 1 {
			fmt.Fprintf(b, ", %d times", k.count)
		}
		if k.merge > 1 {
			fmt.Fprintf(b, ", of %d groups", k.merge)
		}
		if len(c.layer.phases) > 1 {
			fmt.Fprintf(b, ", phase %d of %d", k.layer.phase, tensor.Shape(nd.Attrs.Ints("strides")).Size())
		}
		fmt.Fprintln(b)
	}
	if all, left := c.leftOut(); left > 0 {
		fmt.Fprintf(b, "tap by tap: %d padding classes of pixels, %.1f %% of the column accesses are padding and left out\n",
			c.classes(), 100*float64(left)/float64(all))
	}
	for i := range c.parts {
		p := &c.parts[i]
		if c.layer.each != nil {
			_, where := c.scheme.describe(p)
			fmt.Fprintf(b, "part: %d vectors of %d values, %s\n", p.count*p.groups, c.device.outputs, where)
			continue
		}
		fmt.Fprintf(b, "part: products %d:%d", p.k0*p.lanes, min(p.k, (p.k0+p.chunks*p.cols)*p.lanes))
		if p.chunks > 1 {
			fmt.Fprintf(b, " in %d chunks", p.chunks)
		}
		fmt.Fprintf(b, ", %d pixels a buffer, %d buffers, %d output groups", p.fold, p.units, p.groups)
		_, where := c.scheme.describe(p)
		fmt.Fprintf(b, ", %s\n", where)
	}
	best, tried := c.compared()
	for _, m := range tried {
		mark := ""
		switch {
		case m == best:
			mark = " (chosen)"
		case m.beaten:
			mark = " in the channel that lost"
		}
		fmt.Fprintf(b, "mapping %s: %d cycles, %d commands%s\n", m, m.slowest, m.total, mark)
	}
	fmt.Fprintf(b, "cost: %d cycles, %v, bound by %s\n", c.cost.Stream, c.cost.Time, c.cost.Bound)
	if c.layer.dynamic {
		rows := 0
		for _, s := range c.perChannel() {
			rows = max(rows, c.device.scheme.rows(s).Len())
		}
		fmt.Fprintf(b, "%s: %d bytes written before the streams, in %d rows of a channel at most\n", c.layer.storedWord(), c.writtenBytes(c.layer), rows)
	}
	if t := c.traffic(c.layer); c.cost.Ticks > c.cost.Stream {
		l := c.device.link
		fmt.Fprintf(b, "link: launch %v, %v each way, %d bytes, %d operations in %s; %d bytes of the GPU's channels\n",
			l.launch, l.latency, t.bytes, t.ops, finishedWhere[l.Finish.Where], t.unique)
	}
	c.printChannels(b)
	return b.Flush()
}

// printEach writes what is done with the operands of an element-wise layer.
func (c *mappedCode) printEach(b *bufio.Writer) {
	e := c.layer.each
	if e == nil {
		return
	}
	operands := "two maps"
	switch {
	case e.hasScalars():
		operands = "a map and scalars"
	case len(e.maps) == 1:
		operands = "a map"
	}
	fmt.Fprintf(b, "%v of %s: %d values", e.code, operands, c.layer.groupOuts)
	if n := len(c.layer.batch); n > 1 {
		fmt.Fprintf(b, ", %d times", n)
	}
	if e.relu {
		fmt.Fprint(b, ", ReLU as they are stored")
	}
	fmt.Fprintln(b)
}

// classes is the number of padding classes of all products.
func (c *mappedCode) classes() (n int) {
	for _, p := range c.layer.products() {
		n += len(p.classes)
	}
	return n
}

// finishedWhere names the places of hw.Finish.
var finishedWhere = map[string]string{hw.InDRAM: "the DRAM", hw.InController: "the channels' controllers", hw.OnGPU: "a kernel of the GPU"}

// leftOut counts column accesses of one output group, and those that are left out.
func (c *mappedCode) leftOut() (all, left int) {
	for i := range c.parts {
		p := &c.parts[i]
		n := p.count * p.pixels * p.cols * p.chunks
		all += n
		if p.classes == nil {
			continue
		}
		left += n
		for k, q := range *p.classes {
			left -= p.count * q.pixels * p.need(k, 0, p.chunks).columns
		}
	}
	return all, left
}

// String names the choices of a mapping.
func (m *way) String() string {
	s := m.tiling
	if s == "" {
		s = fmt.Sprintf("%d columns", m.parts[0].cols)
	}
	if m.teams > 0 {
		s += fmt.Sprintf(", %d teams", m.teams)
		if m.used > 0 {
			s += fmt.Sprintf(" of %d channels", m.used)
		}
	} else {
		s += ", even"
	}
	flow, _ := m.scheme.describe(&m.parts[0])
	s += flow
	if m.layer != nil && m.layer.byTap {
		s += ", tap by tap"
	}
	if m.merge > 1 {
		s += fmt.Sprintf(", %d groups merged", m.merge)
	}
	return s
}

func (c *mappedCode) printChannels(b *bufio.Writer) {
	var order []string
	members := map[string][]int{}
	shares := c.perChannel()
	for i, s := range shares {
		k := string(c.scheme.shape(nil, s))
		if members[k] == nil {
			order = append(order, k)
		}
		members[k] = append(members[k], i)
	}
	for _, k := range order {
		s := shares[members[k][0]]
		fmt.Fprintf(b, "%s: ", channelRanges(members[k]))
		if len(s) == 0 {
			fmt.Fprintln(b, "idle")
			continue
		}
		fmt.Fprintf(b, "%d cycles, rows %d:%d of the layer\n", c.device.time(s).Cycles, c.scheme.rows(s).Lo, c.scheme.rows(s).Hi)
		for _, line := range c.device.notes(s) {
			fmt.Fprintln(b, line)
		}
		c.device.ops.print(b, c.device.stream(s), 0, 1)
	}
}

// channelRanges prints channel numbers with runs as ranges: "channels 0-3, 7".
func channelRanges(n []int) string {
	var p []string
	for i := 0; i < len(n); {
		j := i
		for j+1 < len(n) && n[j+1] == n[j]+1 {
			j++
		}
		if p = append(p, fmt.Sprint(n[i])); j > i {
			p[len(p)-1] += fmt.Sprintf("-%d", n[j])
		}
		i = j + 1
	}
	if len(n) == 1 {
		return "channel " + p[0]
	}
	return "channels " + strings.Join(p, ", ")
}
