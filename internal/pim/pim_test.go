package pim

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pimflow/internal/device"
	"pimflow/internal/dram"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// fataler is what both testing and rapid have.
type fataler interface{ Fatal(args ...any) }

// machine is the published one.
func machine(t fataler) *hw.Machine { return machineOf(t, "artifact") }

func machineOf(t fataler, name string) *hw.Machine {
	m, err := hw.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// reshape sets the sizes of a channel in elements of a number format.
func reshape(p *hw.PIM, format string, lanes, columns, buffer int) {
	p.Format = format
	e := p.ElementSize()
	p.Column, p.Row, p.Buffer = lanes*e, columns*lanes*e, buffer*e
}

// inFormat changes the number format and keeps the sizes in elements.
func inFormat(p *hw.PIM, format string) {
	reshape(p, format, p.Lanes(), p.Columns(), p.BufferElements())
}

// anyMachine draws a dialect and a geometry; the timing is the machine's.
func anyMachine(t *rapid.T) *hw.Machine {
	m := machineOf(t, rapid.SampledFrom([]string{"artifact", "newton", "newton", "aim", "aim", "lpddr5-aim"}).Draw(t, "machine"))
	p := &m.PIM
	p.Banks = rapid.SampledFrom([]int{4, 8, 16}).Draw(t, "banks")
	lanes := rapid.SampledFrom([]int{4, 16}).Draw(t, "lanes")
	buffer := rapid.SampledFrom([]int{16, 64, 80, 512}).Draw(t, "buffer")
	reshape(p, "fp32", lanes, rapid.SampledFrom([]int{4, 32}).Draw(t, "columns"), buffer) // exact integers
	switch p.Standard {
	case "artifact":
		p.Timing["gwrite_gap_ck"] = rapid.SampledFrom([]int64{1, 64}).Draw(t, "gap")
	case "aim", "lpddr5-aim":
		p.Sums = rapid.SampledFrom([]int{1, 2, 3, 8, 32}).Draw(t, "accumulators")
		p.Timing["refi_ck"] = rapid.SampledFrom([]int64{1500, 3333}).Draw(t, "refi")
	default:
		p.Buffers = rapid.IntRange(1, 4).Draw(t, "buffers")
		p.Timing["refi_ck"] = rapid.SampledFrom([]int64{700, 1458}).Draw(t, "refi")
	}
	return m
}

func anyChannels(t *rapid.T) int {
	return rapid.SampledFrom([]int{1, 2, 3, 4, 5, 7, 8, 16}).Draw(t, "channels")
}

// numbers is a tensor of small integers.
func numbers(r *rand.Rand, s tensor.Shape) *tensor.Tensor {
	v := make([]float32, s.Size())
	for i := range v {
		v[i] = float32(r.IntN(7) - 3)
	}
	return tensor.Floats32(s, v)
}

// net is a graph of one layer, %len-1, and the values of its inputs.
type net struct {
	g  *graph.Graph
	id graph.ID
	in []*tensor.Tensor
}

// build makes the graph of a layer that reads x and constants.
func build(t fataler, name string, a op.Attrs, x *tensor.Tensor, consts ...*tensor.Tensor) net {
	b := graph.NewBuilder("test")
	n := net{in: append([]*tensor.Tensor{x}, consts...)}
	ids := []graph.ID{b.Input("x", x.Type, x.Shape)}
	for _, c := range consts {
		ids = append(ids, b.Const("", c))
	}
	var err error
	if n.id, err = b.Op("layer", name, a, ids...); err != nil {
		t.Fatal(err)
	}
	b.Output("y", n.id)
	if n.g, err = b.Graph(); err != nil {
		t.Fatal(err)
	}
	return n
}

// conv makes a layer with square kernels; pads are those of each side.
func conv(t fataler, r *rand.Rand, x tensor.Shape, outs, group, k, stride, dil int, pads []int64, bias bool) net {
	rank := len(x) - 2
	w := tensor.Shape{outs, x[1] / group}
	var ks, ss, ds []int64
	for range rank {
		w = append(w, k)
		ks, ss, ds = append(ks, int64(k)), append(ss, int64(stride)), append(ds, int64(dil))
	}
	consts := []*tensor.Tensor{numbers(r, w)}
	if bias {
		consts = append(consts, numbers(r, tensor.Shape{outs}))
	}
	return build(t, "Conv", op.Attrs{
		"group": int64(group), "kernel_shape": ks, "strides": ss, "dilations": ds, "pads": pads,
	}, numbers(r, x), consts...)
}

func anySeed(t *rapid.T) *rand.Rand {
	return rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
}

func anyConv(t *rapid.T) net {
	group := rapid.SampledFrom([]int{1, 1, 1, 2, 3, 8, 17}).Draw(t, "group")
	k := rapid.IntRange(1, 7).Draw(t, "kernel")
	dil := rapid.IntRange(1, 2).Draw(t, "dilation")
	rank := rapid.SampledFrom([]int{1, 2, 2, 2}).Draw(t, "rank")
	x := tensor.Shape{rapid.IntRange(1, 2).Draw(t, "images"), group * rapid.IntRange(1, 12/group+1).Draw(t, "channels of a group")}
	for range rank {
		x = append(x, rapid.IntRange(1+(k-1)*dil, (k-1)*dil+9).Draw(t, "extent"))
	}
	pads := make([]int64, 2*rank)
	for i := range pads {
		pads[i] = int64(rapid.IntRange(0, k-1).Draw(t, "pad"))
	}
	outs := group * rapid.IntRange(1, 40/group).Draw(t, "outputs of a group")
	return conv(t, anySeed(t), x, outs, group, k, rapid.IntRange(1, 4).Draw(t, "stride"), dil, pads, rapid.Bool().Draw(t, "bias"))
}

func anyProduct(t *rapid.T) net {
	r := anySeed(t)
	m, k, n := rapid.IntRange(1, 9).Draw(t, "m"), rapid.IntRange(1, 200).Draw(t, "k"), rapid.IntRange(1, 40).Draw(t, "n")
	w := tensor.Shape{k, n}
	switch rapid.IntRange(0, 3).Draw(t, "kind") {
	case 0:
		return build(t, "MatMul", op.Attrs{}, numbers(r, tensor.Shape{2, m, k}), numbers(r, w))
	case 1:
		return build(t, "MatMul", op.Attrs{}, numbers(r, tensor.Shape{k}), numbers(r, w))
	case 2:
		return build(t, "Gemm", op.Attrs{}, numbers(r, tensor.Shape{m, k}), numbers(r, w))
	}
	c := rapid.SampledFrom([]tensor.Shape{{}, {n}, {1, n}, {m, 1}, {m, n}}).Draw(t, "c")
	x, a := tensor.Shape{m, k}, int64(rapid.IntRange(0, 1).Draw(t, "transA"))
	if a == 1 {
		x = tensor.Shape{k, m}
	}
	return build(t, "Gemm", op.Attrs{"alpha": float32(2), "beta": float32(-3), "transA": a, "transB": int64(1)},
		numbers(r, x), numbers(r, tensor.Shape{n, k}), numbers(r, c))
}

func anyBox(t *rapid.T, s tensor.Shape) tensor.Box {
	b := tensor.Full(s)
	for i := range b {
		if rapid.Bool().Draw(t, "cut") {
			b[i].Lo = rapid.IntRange(0, b[i].Hi-1).Draw(t, "lo")
			b[i].Hi = rapid.IntRange(b[i].Lo+1, b[i].Hi).Draw(t, "hi")
		}
	}
	return b
}

func compile(t fataler, m *hw.Machine, channels int, g *graph.Graph, c graph.Cut) *mappedCode {
	d, err := New(m, channels)
	if err != nil {
		t.Fatal(err)
	}
	code, err := d.Compile(g, c)
	if drawn, ok := t.(*rapid.T); ok && err != nil && strings.Contains(err.Error(), "sums of no products") {
		drawn.Skip("a transposed convolution's outputs that no product falls to")
	}
	if err != nil {
		t.Fatal(err)
	}
	return code.(*Code).mapped()
}

// The streams compute what the operator means, bit for bit, and write nothing but
// the box.
func TestEval(t *testing.T) {
	for _, make := range anyLayers {
		rapid.Check(t, func(t *rapid.T) {
			n := make(t)
			cut := graph.Cut{Node: n.id, Box: anyBox(t, n.g.Nodes[n.id].Shape)}
			code := compile(t, anyMachine(t), anyChannels(t), n.g, cut)
			want := tensor.New(tensor.Float32, n.g.Nodes[n.id].Shape)
			got := tensor.New(tensor.Float32, n.g.Nodes[n.id].Shape)
			for i := range want.Floats() {
				want.Floats()[i], got.Floats()[i] = 1e9, 1e9
			}
			n.g.Eval(cut, n.in, want)
			// Every mapping, not only the fastest.
			l, err := lower(n.g, cut)
			if err != nil {
				t.Fatal(err)
			}
			_, tried := code.compared()
			for _, m := range tried {
				code.mapping = m.at(l)
				if err := code.Eval(n.in, got); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(got.Floats(), want.Floats()) {
					t.Fatalf("%v, %v: got %v, want %v", cut, m, got.Floats(), want.Floats())
				}
			}
		})
	}
}

// Every product of a weight and an input is computed exactly once, and nothing
// but zeros is multiplied besides.
func TestProductsOnce(t *testing.T) {
	type product struct{ weight, input float32 }
	rapid.Check(t, func(t *rapid.T) {
		n := anyConv(t)
		cut := graph.Cut{Node: n.id, Box: anyBox(t, n.g.Nodes[n.id].Shape)}
		m := anyMachine(t)
		inFormat(&m.PIM, "fp32") // keeps them apart
		code := compile(t, m, anyChannels(t), n.g, cut)
		for i, v := range n.in[:2] { // values that say which they are
			for j := range v.Floats() {
				n.in[i].Floats()[j] = float32(j + 1)
			}
		}
		found := make([]map[product]int, cut.Box.Size())
		for i := range found {
			found[i] = map[product]int{}
		}
		lanes, o, ops := code.device.m.Lanes(), code.operands([]device.Evaluation{{In: n.in}}), code.device.ops
		for _, s := range code.perChannel() {
			ch := code.performer(new(room), s, o)
			done := make([][][]product, len(ch.sums)) // by accumulator and bank
			for i := range done {
				done[i] = make([][]product, len(ch.open))
			}
			code.device.stream(s).Walk(func(c *dram.Command, index []int) bool {
				switch ops.roles[c.Op] {
				case compRole:
					row, col, buf := int(c.Row.At(index)), int(c.Col.At(index)), ops.multiplied(c)
					input := &ch.input[ops.index[c.Op]]
					column := input.v[0][input.read(int(buf.At(index)), 1):]
					done := done[c.Acc.At(index)]
					for b := range done {
						if ch.open[b] != row {
							continue
						}
						from, w := ch.rows[row].bank(b, col*lanes, (col+1)*lanes)
						for i, v := range w {
							if x := column[from+i]; x != 0 && v != 0 { // zeros stand between the weights of merged groups
								done[b] = append(done[b], product{v, x})
							}
						}
					}
				case readRole:
					at, done := int(c.Data.At(index)), done[c.Acc.At(index)]
					for b := range done {
						for _, p := range done[b] {
							found[at+b][p]++
						}
						done[b] = done[b][:0]
					}
				case initRole:
				default:
					ch.issue(c, index, 1)
				}
				return true
			})
		}
		// The results' order is that of the blocks: outputs of a pixel together.
		at := code.resultOf(code.operands([]device.Evaluation{{In: n.in}}))
		nd := &n.g.Nodes[n.id]
		x, w, y := n.in[0].Shape, n.in[1].Shape, nd.Shape
		stride, pads, dil := nd.Attrs.Ints("strides"), nd.Attrs.Ints("pads"), nd.Attrs.Ints("dilations")
		each(cut.Box, func(out []int) {
			want := map[product]int{}
			each(tensor.Full(w[1:]), func(tap []int) {
				group := out[1] / (y[1] / nd.Attrs.Int("group"))
				pos := []int{out[0], group*w[1] + tap[0]}
				for d := range x[2:] {
					p := out[2+d]*stride[d] - pads[d] + tap[1+d]*dil[d]
					if p < 0 || p >= x[2+d] {
						return
					}
					pos = append(pos, p)
				}
				want[product{float32(offset(w, append([]int{out[1]}, tap...)) + 1), float32(offset(x, pos) + 1)}]++
			})
			got := found[at[offset(y, out)]]
			for p, k := range want {
				if got[p] != k {
					t.Fatalf("output %v: product %v computed %d times", out, p, got[p])
				}
			}
			if len(got) != len(want) {
				t.Fatalf("output %v: %d different products, %d wanted", out, len(got), len(want))
			}
		})
	})
}

// resultOf finds where each value of the cut stands in the results, by writing
// the results' own numbers.
func (c *mappedCode) resultOf(o *operands) map[int]int {
	numbers := make([]float32, c.layer.results())
	for i := range numbers {
		numbers[i] = float32(i + 1)
	}
	plain := *c.layer
	plain.bias = -1
	code, m := *c, *c.mapping
	m.layer, code.mapping = &plain, &m
	y := tensor.New(tensor.Float32, c.graph.Nodes[c.cut.Node].Shape)
	code.write(&Sums{Rounded: numbers}, o, nil, y)
	at := map[int]int{}
	for i, v := range y.Floats() {
		if v > 0 {
			at[i] = int(v) - 1
		}
	}
	return at
}

// products is the number of multiplications of a convolution that are not with padding.
func (n net) products(c graph.Cut) int {
	nd := &n.g.Nodes[n.id]
	x, w := n.in[0].Shape, n.in[1].Shape
	all := c.Box[1].Len() * w[1]
	for d := range w[2:] {
		inside := 0
		for p := c.Box[2+d].Lo; p < c.Box[2+d].Hi; p++ {
			for k := range w[2+d] {
				i := p*int(nd.Attrs.Ints("strides")[d]) - int(nd.Attrs.Ints("pads")[d]) + k*int(nd.Attrs.Ints("dilations")[d])
				if i >= 0 && i < x[2+d] {
					inside++
				}
			}
		}
		all *= inside
	}
	return all * c.Box[0].Len()
}

func each(b tensor.Box, f func(index []int)) {
	s := b.Shape()
	for i := range s.Size() {
		index := make([]int, len(s))
		for d := len(s) - 1; d >= 0; d-- {
			index[d] = b[d].Lo + i%s[d]
			i /= s[d]
		}
		f(index)
	}
}

func offset(s tensor.Shape, index []int) int {
	off := 0
	for i, st := range s.Strides() {
		off += index[i] * st
	}
	return off
}

// The mapping is no slower than one team of all channels, and counts and bytes
// are those of the streams.
func TestCost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := anyConv(t)
		cut := graph.Cut{Node: n.id, Box: anyBox(t, n.g.Nodes[n.id].Shape)}
		m, channels := anyMachine(t), anyChannels(t)
		code := compile(t, m, channels, n.g, cut)
		d, cost := code.device, code.Cost()
		for _, u := range cost.Uncertain {
			if d.link.pass == nil && (u.Kind != device.OfLaunch || u.Time != cost.Launch) || u.Low > u.Time || u.High < u.Time {
				t.Fatalf("%+v of a launch of %v: all but the launch is counted", u, cost.Launch)
			}
		}
		if !byColumn(d.ops) {
			one := &mapping{way: way{scheme: d.scheme, parts: d.scheme.(*fills).parts(code.layer, 1, kTilings[0])}}
			one.shares = make([]share, channels)
			shareByTeams(one.shares, one.parts, 1)
			// A mapping with fewer commands is not simulated against one with more, but
			// can meet a refresh where that takes longer.
			refresh := m.PIM.Timing["rfc_ck"] + m.PIM.Timing["rp_ck"]
			if c := d.cost(one); cost.Stream > c.Ticks+refresh || c.Ticks < m.PIM.Timing["refi_ck"] && cost.Stream > c.Ticks {
				t.Fatalf("%v takes %d cycles, one team %d", code.mapping, cost.Stream, c.Ticks)
			}
		}
		var bytes, comp, additions int64
		read := make([]bool, code.layer.results())
		issued := make([]int64, len(d.ops.names))
		for i, s := range code.perChannel() {
			counts := make([]int64, len(issued))
			st := d.stream(s)
			st.Count(counts)
			var have work
			for o, n := range counts {
				switch d.ops.roles[o] {
				case gatherRole, writeRole:
					have.writes += n
				case openRole:
					have.acts += n
				case compRole:
					have.comps += n
				case initRole:
					have.inits += n
				case readRole:
					have.reads += n
				case closeRole:
					have.visits += n
				}
			}
			want := d.scheme.work(s)
			want.moved = 0
			if !byColumn(d.ops) {
				want.visits = 0 // rows are not closed
			}
			if have != want {
				t.Fatalf("channel %d: %+v, its stream has %+v", i, want, have)
			}
			comp += have.comps
			st.Walk(func(c *dram.Command, index []int) bool {
				switch d.ops.roles[c.Op] {
				case gatherRole, writeRole:
					bytes += int64(max(c.Fill.Len*c.Fill.Count, m.PIM.Lanes()) * m.Memory.ElementSize)
				case initRole, readRole:
					bytes += int64(m.PIM.Banks * m.Memory.ElementSize)
					if d.ops.roles[c.Op] == initRole {
						break
					}
					at := int(c.Data.At(index))
					for _, b := range code.layer.blocks(code.merge, m.PIM.Lanes()) {
						if r := at - b.result; r >= 0 && r < b.count*b.pixels*b.outs {
							for i := range min(m.PIM.Banks, b.outs-r%b.outs) {
								if read[at+i] {
									additions++
								}
								read[at+i] = true
							}
						}
					}
				}
				issued[c.Op]++
				return true
			})
			if len(s) > 0 {
				r := d.channel.Time(st)
				if want := m.PIM.Clock.PS(int64(r.Cycles)); cost.Lanes[i] != device.Time(want) {
					t.Fatalf("channel %d: %v, its stream takes %d ps", i, cost.Lanes[i], want)
				}
				if r.Overflow && byColumn(d.ops) {
					t.Fatalf("channel %d: late refreshes", i)
				}
			}
		}
		if cost.Additions != additions {
			t.Fatalf("%d additions, the streams ask for %d", cost.Additions, additions)
		}
		if cost.Bytes != bytes {
			t.Fatalf("%d bytes, the streams move %d", cost.Bytes, bytes)
		}
		for o, n := range issued {
			if k := cost.Commands[o]; k.N != n && k.Kind != "PREA" && k.Kind != "REF" && k.Kind != "REFab" && !d.standard.Hidden(dram.Op(o)) {
				t.Fatalf("%d %s, the streams have %d", k.N, k.Kind, n)
			}
		}
		if macs := n.products(cut); comp < int64(ceilDiv(macs, m.PIM.Banks*m.PIM.Lanes())) {
			t.Fatalf("%d COMPs for %d MACs", comp, macs)
		}
		around := d.link.launch + 2*d.link.latency
		if cost.Time < around+slices.Max(cost.Lanes) || m.Link.PerByte == 0 && cost.Time != around+slices.Max(cost.Lanes) || cost.Bound == "" {
			t.Fatalf("cost %+v", cost)
		}
	})
}

// Both ways to share work out give every item to exactly one channel; even shares
// differ by one item over all parts together, and no member of a team is idle
// when there is enough to do.
func TestShares(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ps := make([]part, 2)
		for i := range ps {
			ps[i].block = &block{count: rapid.IntRange(1, 4).Draw(t, "matrices")}
			ps[i].units = rapid.IntRange(1, 9).Draw(t, "units")
			ps[i].chunks = rapid.IntRange(1, 4).Draw(t, "chunks")
			ps[i].groups = rapid.IntRange(1, 7).Draw(t, "groups")
		}
		n := rapid.IntRange(1, 20).Draw(t, "channels")
		for count := range n + 1 {
			m := mapping{way: way{parts: ps, teams: count}, shares: make([]share, n)}
			m.assign(m.shares)
			seen := map[string]int{}
			items := make([]int, n)
			for c, s := range m.shares {
				for i := range s {
					each(s[i].at[:], func(item []int) {
						seen[fmt.Sprint(s[i].part == &ps[0], item)]++
						items[c]++
					})
				}
			}
			for item, k := range seen {
				if k != 1 {
					t.Fatalf("%v: item %s given out %d times", &m, item, k)
				}
			}
			if all := ps[0].items() + ps[1].items(); len(seen) != all {
				t.Fatalf("%v: %d items of %d", &m, len(seen), all)
			}
			if count == 0 && slices.Max(items)-slices.Min(items) > 1 {
				t.Fatalf("%v: %v items", &m, items)
			}
			p := &ps[0]
			if count > 0 && p.count*p.units >= count*p.groups && p.groups >= ceilDiv(n, count) && slices.Min(items) == 0 {
				t.Fatalf("%v: %v items", &m, items)
			}
		}
	})
}

// What a cut does not need is not read.
func TestReadsNeedOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := anyConv(t)
		cut := graph.Cut{Node: n.id, Box: anyBox(t, n.g.Nodes[n.id].Shape)}
		code := compile(t, anyMachine(t), anyChannels(t), n.g, cut)
		var y [2]*tensor.Tensor
		for i := range y {
			y[i] = tensor.New(tensor.Float32, n.g.Nodes[n.id].Shape)
		}
		if err := code.Eval(n.in, y[0]); err != nil {
			t.Fatal(err)
		}
		poisoned := slices.Clone(n.in)
		for i, need := range n.g.Need(cut) {
			v := make([]float32, len(n.in[i].Floats()))
			for j := range v {
				v[j] = 1e30
			}
			need.Runs(n.in[i].Shape, func(off, k int) { copy(v[off:off+k], n.in[i].Floats()[off:]) })
			poisoned[i] = tensor.Floats32(n.in[i].Shape, v)
		}
		if err := code.Eval(poisoned, y[1]); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(y[0].Floats(), y[1].Floats()) {
			t.Fatalf("%v reads more than it needs", cut)
		}
	})
}

func TestUnsupported(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	m := machine(t)
	m.PIM.Rows = 2
	b := graph.NewBuilder("test")
	x := b.Input("x", tensor.Float32, tensor.Shape{4, 4})
	w := b.Const("w", numbers(r, tensor.Shape{4}))
	image, kernel := b.Input("image", tensor.Float32, tensor.Shape{1, 1, 2, 2}), b.Const("kernel", numbers(r, tensor.Shape{1, 1, 2, 2}))
	must := func(id graph.ID, err error) graph.ID {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	big := b.Const("big", numbers(r, tensor.Shape{4, 33 * 16}))
	cases := []struct {
		id   graph.ID
		want string
	}{
		{x, `node: "x" is no operation`},
		{must(b.Op("", "Relu", op.Attrs{}, x)), "Relu: no product of matrices"},
		{must(b.Op("", "MatMul", op.Attrs{}, x, w)), "MatMul: right operand of shape 4, a matrix wanted"},
		{must(b.Op("", "ConvTranspose", op.Attrs{"group": int64(1), "kernel_shape": []int64{2, 2}, "strides": []int64{9, 9}, "dilations": []int64{1, 1},
			"pads": []int64{0, 0, 0, 0}, "output_padding": []int64{0, 0}}, image, kernel)), "ConvTranspose: strides [9 9]: 81 convolutions, at most 64 wanted"},
		{must(b.Op("", "MatMul", op.Attrs{}, x, big)), "weights of 3 rows in a bank of 2 rows"},
	}
	b.Output("y", cases[1].id)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	d, err := New(m, 16)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		_, err := d.Compile(g, g.Whole(c.id))
		if !errors.Is(err, device.ErrUnsupported) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []struct {
		change func(m *hw.Machine) int
		want   string
	}{
		{func(m *hw.Machine) int { m.PIM.Standard = "artefact"; return 1 }, `"artefact"`},
		{func(m *hw.Machine) int { m.PIM.Timing["faw"] = 1; return 1 }, `"faw"`},
		{func(m *hw.Machine) int { return 0 }, "0 PIM channels"},
		{func(m *hw.Machine) int { m.PIM.Banks = 6; return 1 }, "pim.banks is 6"},
		{func(m *hw.Machine) int { m.PIM.Row = 16; return 1 }, "pim.row_bytes 16"},
		{func(m *hw.Machine) int { m.PIM.Buffer = 8; return 1 }, "pim.buffer_bytes is 8"},
		{func(m *hw.Machine) int { m.PIM.Buffers = 2; return 1 }, "pim.buffers is 2: at most 1 wanted"},
		{func(m *hw.Machine) int { m.PIM.Format = "fp61"; return 1 }, `pim.number_format: "fp61" is unknown (did you mean "fp16"?)`},
		{func(m *hw.Machine) int { m.PIM.Sums = 2; return 1 }, "pim.accumulators is 2: 1 wanted, the commands of standard artifact name none"},
		{func(m *hw.Machine) int { m.PIM.Sums = 0; return 1 }, "pim.accumulators is 0: at least 1 wanted"},
	} {
		m := machine(t)
		if _, err := New(m, c.change(m)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

// The text of a small layer on the machine of round numbers. By hand, channel 0:
// GWRITE at 1, G_ACT at 2, 12, 22 and 32, COMP 10 later at 42 and 44, READRES at
// 45, the second pixel's at 49; the second output group has 4 outputs, so G_ACT0
// at 50 is enough, COMP from 60, READRES at 63 and 67. The next unit is 71 later
// (READRES to GWRITE 5), the third, half a unit, begins at 143; its READRES is at
// 187 and the result there 10 later.
func TestPrint(t *testing.T) {
	m, err := hw.Load("toy")
	if err != nil {
		t.Fatal(err)
	}
	m.PIM.Timing["act_act_ck"], m.PIM.Timing["comp_act_ck"] = 0, 0 // as on artifact
	m.Link.Launch = 0
	r := rand.New(rand.NewPCG(1, 2))
	n := conv(t, r, tensor.Shape{1, 32, 3, 3}, 20, 1, 1, 1, 1, []int64{0, 0, 0, 0}, true)
	var got strings.Builder
	if err := compile(t, m, 2, n.g, n.g.Whole(n.id)).Print(&got); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/print.txt")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Error(diff)
	}
}

func mustOp(t *testing.T, name string) *op.Op {
	o, err := op.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// Results are rounded to the type of the node, then its epilogue is applied.
func TestEpilogue(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	half := func(s tensor.Shape) *tensor.Tensor {
		x := tensor.New(tensor.Float16, s)
		for i := range x.Floats() {
			x.Floats()[i] = float32(r.IntN(41) - 20)
		}
		return x
	}
	in := []*tensor.Tensor{half(tensor.Shape{2, 70}), half(tensor.Shape{70, 33}), half(tensor.Shape{2, 33})}
	b := graph.NewBuilder("test")
	x, y := b.Input("x", tensor.Float16, in[0].Shape), b.Input("y", tensor.Float16, in[2].Shape)
	id, err := b.Node(graph.Node{
		Op: mustOp(t, "MatMul"), Attrs: op.Attrs{}, In: []graph.ID{x, b.Const("w", in[1]), y},
		Post: []graph.Stage{{Op: mustOp(t, "Add"), Attrs: op.Attrs{}, Operand: 2}, {Op: mustOp(t, "Relu"), Attrs: op.Attrs{}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	b.Output("z", id)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	want, got := tensor.New(tensor.Float16, in[2].Shape), tensor.New(tensor.Float16, in[2].Shape)
	g.Eval(g.Whole(id), in, want)
	if err := compile(t, machine(t), 16, g, g.Whole(id)).Eval(in, got); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Floats(), want.Floats()) {
		t.Errorf("got %v, want %v", got.Floats(), want.Floats())
	}
	if most := slices.Max(got.Floats()); most < 2049 {
		t.Errorf("nothing to round: %v is the largest", most)
	}
}

// The bits do not depend on how many channels are performed at once.
func TestEvalDeterministic(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	n := conv(t, r, tensor.Shape{1, 100, 5, 5}, 40, 1, 3, 1, 1, []int64{1, 1, 1, 1}, true)
	for _, x := range n.in {
		for i := range x.Floats() {
			x.Floats()[i] = r.Float32() - 0.5
		}
	}
	code := compile(t, machine(t), 16, n.g, n.g.Whole(n.id))
	var first []float32
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for procs := 1; procs <= 8; procs *= 2 {
		runtime.GOMAXPROCS(procs)
		y := tensor.New(tensor.Float32, n.g.Nodes[n.id].Shape)
		if err := code.Eval(n.in, y); err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = y.Floats()
		}
		if !slices.Equal(first, y.Floats()) {
			t.Fatalf("other values with GOMAXPROCS %d", procs)
		}
	}
}

// bank is the weights of a bank from element lo to hi of a row, and their place in between.
func (l *loaded) bank(bank, lo, hi int) (at int, w []float32) {
	rows, pixel := l.pack(lo, hi)
	for i := range rows {
		if r := &rows[i]; bank >= r.first && bank < r.first+r.count {
			at, m, n := r.elements(lo-pixel, hi-pixel)
			if n > 0 {
				w = m.V[(bank-r.first)*m.Step:][:n]
			}
			return at, w
		}
	}
	return 0, nil
}
