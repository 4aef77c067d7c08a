package plan

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// conv appends a convolution of stride s and pads p (top, left, bottom, right)
// with a k x k kernel.
func conv(t interface{ Fatal(...any) }, b *graph.Builder, in graph.ID, out, k, s, group int, p [4]int64) graph.ID {
	c := b.Peek().Nodes[in].Shape[1]
	w := b.Const("", tensor.New(tensor.Float32, tensor.Shape{out, c / group, k, k}))
	id, err := b.Op("", "Conv", op.Attrs{
		"group": int64(group), "kernel_shape": []int64{int64(k), int64(k)}, "strides": []int64{int64(s), int64(s)},
		"dilations": []int64{1, 1}, "pads": p[:],
	}, in, w)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// chain is a random chain of convolutions, the last two dimensions cut by rows.
func chain(t *rapid.T) (*graph.Graph, []graph.ID) {
	b := graph.NewBuilder("chain")
	id := b.Input("x", tensor.Float32, tensor.Shape{1, 4, rapid.IntRange(8, 20).Draw(t, "rows"), 8})
	var ids []graph.ID
	for range rapid.IntRange(1, 4).Draw(t, "length") {
		k := rapid.IntRange(1, 4).Draw(t, "kernel")
		s := rapid.IntRange(1, 2).Draw(t, "stride")
		pads := [4]int64{}
		for i := range pads {
			pads[i] = int64(rapid.IntRange(0, k-1).Draw(t, "pad"))
		}
		shape := b.Peek().Nodes[id].Shape
		if shape[2]+int(pads[0]+pads[2]) < k || shape[3]+int(pads[1]+pads[3]) < k {
			break
		}
		group := rapid.SampledFrom([]int{1, 2, 4}).Draw(t, "group")
		id = conv(t, b, id, 4, k, s, group, pads)
		ids = append(ids, id)
	}
	b.Output("y", id)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return g, ids
}

func of(g *graph.Graph, s ...Segment) *Plan {
	return &Plan{Graph: g.Fingerprint(), Model: "a # b", Machine: "toy", Policy: "none", PIMChannels: 2, PIM: Extended, Launch: Fused, Segments: s}
}

// TestPipesAndSplitsArePlans: whatever Pipe and Split write covers every node
// once, in an order that Check accepts, and survives printing.
func TestPipesAndSplitsArePlans(t *testing.T) {
	pipes, ups := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		g, ids := chain(t)
		if len(ids) == 0 {
			return
		}
		devices := make([]string, len(ids))
		for i := range devices {
			devices[i] = rapid.SampledFrom([]string{GPU, PIM}).Draw(t, "device")
		}
		rows := g.Nodes[ids[len(ids)-1]].Shape[Rows]
		cuts := rapid.SliceOfNDistinct(rapid.IntRange(1, max(rows-1, 1)), 0, min(3, rows-1), rapid.ID).Draw(t, "cuts")
		slices.Sort(cuts)
		var p *Plan
		from := rapid.SliceOfN(rapid.IntRange(0, g.Nodes[ids[0]].Shape[Rows]), 1, 3).Draw(t, "from")
		slices.Sort(from)
		if s, ok := PipeUp(g, ids, devices, from...); ok {
			ups++
			if err := of(g, s).Check(g); err != nil {
				t.Fatal("up: ", err)
			}
		}
		if s, ok := Pipe(g, ids, devices, Rows, cuts); ok {
			pipes++
			if n := len(ids) * (len(cuts) + 1); len(s.Tiles) != n {
				t.Fatalf("%d tiles: %d wanted", len(s.Tiles), n)
			}
			p = of(g, s)
		} else {
			p = of(g)
			for i, id := range ids {
				s, ok := Split(g, id, Rows, rapid.IntRange(0, g.Nodes[id].Shape[Rows]).Draw(t, "at"), GPU, PIM)
				if !ok {
					s = Whole(g, id, devices[i])
				}
				p.Segments = append(p.Segments, s)
			}
		}
		for i := range p.Segments {
			p.Segments[i].Exclusive = rapid.Bool().Draw(t, "exclusive")
		}
		if err := p.Check(g); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := p.Print(&b, g); err != nil {
			t.Fatal(err)
		}
		back, err := Parse(&b, "p")
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(p, back); d != "" {
			t.Fatal(d)
		}
	})
	if pipes == 0 || ups == 0 {
		t.Errorf("%d chains piped down, %d up", pipes, ups)
	}
}

// three is input, 3x3 convolution with stride 1 and pad 1, 1x1 convolution.
func three(t *testing.T) (*graph.Graph, []graph.ID) {
	b := graph.NewBuilder("three")
	x := b.Input("x", tensor.Float32, tensor.Shape{1, 4, 8, 8})
	a := conv(t, b, x, 4, 3, 1, 1, [4]int64{1, 1, 1, 1})
	c := conv(t, b, a, 4, 3, 2, 1, [4]int64{1, 1, 1, 1})
	b.Output("y", c)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return g, []graph.ID{a, c}
}

// TestPipeByHand: rows 0:2 of a 3x3 convolution with stride 2 and pad 1 read rows
// -1:4 of the one before; the second band of that is the rest.
func TestPipeByHand(t *testing.T) {
	g, ids := three(t)
	s, ok := Pipe(g, ids, []string{PIM, GPU}, Rows, []int{2})
	if !ok {
		t.Fatal("not piped")
	}
	var got []string
	for _, tile := range s.Tiles {
		got = append(got, tile.Device+tile.Cut.String())
	}
	want := []string{
		"pim%2[0:1 0:4 0:4 0:8]",
		"pim%2[0:1 0:4 4:8 0:8]", "gpu%4[0:1 0:4 0:2 0:4]",
		"gpu%4[0:1 0:4 2:4 0:4]",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestPipeUpByHand: row 2 of a 3x3 convolution with stride 2 and pad 1 reads rows
// 3:6 of the one before, so with rows 3: made first its rows 2: can follow; row 3 reads
// rows 5:8.
func TestPipeUpByHand(t *testing.T) {
	g, ids := three(t)
	for _, c := range []struct{ cuts, want string }{
		{"3", "pim%2[0:1 0:4 3:8 0:8] pim%2[0:1 0:4 0:3 0:8] gpu%4[0:1 0:4 2:4 0:4] gpu%4[0:1 0:4 0:2 0:4]"},
		{"3 5", "pim%2[0:1 0:4 5:8 0:8] pim%2[0:1 0:4 3:5 0:8] gpu%4[0:1 0:4 3:4 0:4] pim%2[0:1 0:4 0:3 0:8] gpu%4[0:1 0:4 2:3 0:4] gpu%4[0:1 0:4 0:2 0:4]"},
		{"5 5", ""},
		{"0 5", ""},
		{"3 7", ""}, // no row of the second begins behind row 7 of the first
	} {
		var cuts []int
		for _, f := range strings.Fields(c.cuts) {
			n, err := strconv.Atoi(f)
			if err != nil {
				t.Fatal(err)
			}
			cuts = append(cuts, n)
		}
		s, _ := PipeUp(g, ids, []string{PIM, GPU}, cuts...)
		var got []string
		for _, tile := range s.Tiles {
			got = append(got, tile.Device+tile.Cut.String())
		}
		if d := cmp.Diff(c.want, strings.Join(got, " ")); d != "" {
			t.Errorf("%s: %s", c.cuts, d)
		}
	}
}

func TestCheckFindsFaults(t *testing.T) {
	g, ids := three(t)
	split, _ := Split(g, ids[0], Rows, 5, GPU, PIM)
	last := Whole(g, ids[1], GPU)
	for _, c := range []struct {
		name  string
		spoil func(p *Plan)
		want  string
	}{
		{"nothing", func(*Plan) {}, ""},
		{"another graph", func(p *Plan) { p.Graph = "0" }, "the plan is for graph 0"},
		{"an interface", func(p *Plan) { p.PIM = "" }, `pim "": one of extended, basic wanted`},
		{"a tile missing", func(p *Plan) { p.Segments[0].Tiles = p.Segments[0].Tiles[1:] }, "not made before it"},
		{"the last missing", func(p *Plan) { p.Segments = p.Segments[:1] }, "is not made whole"},
		{"made twice", func(p *Plan) { p.Segments[0].Tiles[1].Box = g.Whole(ids[0]).Box }, "is made before"},
		{"too late", func(p *Plan) { slices.Reverse(p.Segments) }, "not made before it"},
		{"a device", func(p *Plan) { p.Segments[0].Tiles[0].Device = "pin" }, `did you mean "pim"`},
		{"a node", func(p *Plan) { p.Segments[1].Tiles[0].Node = 99 }, "no operation %99"},
		{"a constant", func(p *Plan) { p.Segments[1].Tiles[0].Node = 1 }, "no operation %1"},
		{"outside", func(p *Plan) { p.Segments[1].Tiles[0].Box[2].Hi = 9 }, "a part of [0:1 0:4 0:4 0:4] wanted"},
		{"empty", func(p *Plan) { p.Segments[1].Tiles[0].Box[2].Hi = 0 }, "a part of"},
		{"rank", func(p *Plan) { p.Segments[1].Tiles[0].Box = tensor.Box{{Lo: 0, Hi: 1}} }, "a part of"},
	} {
		p := of(g, Segment{Tiles: slices.Clone(split.Tiles)}, Segment{Tiles: slices.Clone(last.Tiles)})
		for _, s := range p.Segments {
			for i := range s.Tiles {
				s.Tiles[i].Box = s.Tiles[i].Box.Clone()
			}
		}
		c.spoil(p)
		err := p.Check(g)
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v: %q wanted", c.name, err, c.want)
		}
	}
}

const head = "plan \"m\"\ngraph \"0123\"\nmachine \"toy\"\npolicy \"auto\"\npim_channels 2\npim \"basic\"\nlaunch \"each\"\n"

// TestLongLines: a node's name is a comment, and can be long.
func TestLongLines(t *testing.T) {
	if _, err := Parse(strings.NewReader(head+"segment\ngpu %1 [0:1] # "+strings.Repeat("n", 1<<17)), "f"); err != nil {
		t.Error(err)
	}
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", `f:1: the file ends before the line "plan …"`},
		{"graph \"0\"\n", `f:1: "graph \"0\"": the line "plan …" wanted here`},
		{"plan m\n", "f:1: plan m: a string in double quotes wanted"},
		{strings.Replace(head, "channels 2", "channels x", 1), `f:5: pim_channels "x"`},
		{head + "gpu %1 [0:1]\n", `the line "segment" wanted`},
		{head + "segment\ngpu 1 [0:1]\n", "a tile like"},
		{head + "segment\ngpu %1\n", "a tile like"},
		{head + "segment\n# fine\n\ncpu %1 [0:1]\n", `f:11: device "cpu"`},
		{head + "segment\ngpu %1 [0-1]\n", `box "[0-1]"`},
		{head + "segment\ngpu %1 [0:99999999999999999999]\n", "box"},
	} {
		if p, err := Parse(strings.NewReader(c.text), "f"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, %v: %q wanted", c.text, p, err, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	g, ids := func() (*graph.Graph, []graph.ID) { t := &testing.T{}; return three(t) }()
	s, _ := Pipe(g, ids, []string{PIM, GPU}, Rows, []int{2})
	var b bytes.Buffer
	if err := of(g, s).Print(&b, g); err != nil {
		f.Fatal(err)
	}
	f.Add(b.String())
	f.Add(head + "segment\ngpu %1 [0:1 0:2]\npim %1 [0:1 2:4] # x\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse(strings.NewReader(text), "f")
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("an error of several lines: %q", err)
			}
			return
		}
		if err := p.Check(g); err == nil {
			var b bytes.Buffer
			if err := p.Print(&b, g); err != nil {
				t.Fatal(err)
			}
			back, err := Parse(&b, "f")
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(p, back); d != "" {
				t.Fatal(d)
			}
		}
	})
}
