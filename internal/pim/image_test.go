package pim

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/tensor"
)

// meterOf is the meter of the machine of a code.
func meterOf(c *Code) *Meter {
	return &Meter{device: c.device, unrefreshed: c.device.channel.Unrefreshed()}
}

// TestImageDrawn: streams of drawn layers, performed on images alone, return the results of the layer to the bit, and Finish
// makes the values of them that Eval makes.
func TestImageDrawn(t *testing.T) {
	for _, make := range anyLayers {
		rapid.Check(t, func(t *rapid.T) {
			n := make(t)
			nd := &n.g.Nodes[n.id]
			code := compile(t, anyMachine(t), anyChannels(t), n.g, graph.Cut{Node: n.id, Box: anyBox(t, nd.Shape)})
			imaged(t, code.Code, n)
		})
	}
}

// imaged performs the streams of a code on its images alone.
func imaged(t fataler, code *Code, n net) {
	nd := &n.g.Nodes[n.id]
	var images []*ChannelImage
	x, err := code.Image(n.in, func(ch *ChannelImage) error { images = append(images, ch); return nil })
	if err != nil {
		t.Fatal(err)
	}
	m := meterOf(code)
	results := m.NewSums(x.Results.Len())
	next := 0
	err = code.Streams(func(s *ChannelStream) error {
		ch := images[next]
		next++
		if ch.Channel != s.Channel {
			t.Fatal("channel ", ch.Channel, ", wanted ", s.Channel)
		}
		st, err := code.device.ops.ParseStream("f", strings.NewReader(printed(t, code.device.ops, s.Stream)))
		if err != nil {
			t.Fatal(err)
		}
		return m.Perform(st, s.Rows, x, ch, results)
	})
	if err != nil || next != len(images) {
		t.Fatal(err, next)
	}
	if i, is, want, differ := results.Differ(0, x.Results); differ {
		t.Fatal("result ", i, " is ", is, ", wanted ", want)
	}
	want, got := tensor.New(nd.Type, nd.Shape), tensor.New(nd.Type, nd.Shape)
	if err := code.Eval(n.in, want); err != nil {
		t.Fatal(err)
	}
	code.Finish(n.in, results, got)
	if i, is, want, differ := (&Sums{Rounded: got.Floats()}).Differ(0, &Sums{Rounded: want.Floats()}); differ {
		t.Fatal("value ", i, " is ", is, ", wanted ", want)
	}
}

func make32(n int) []float32 { return make([]float32, n) }

// TestPerformRefuses: a stream that does what cannot be, and images that do not fit, are errors.
func TestPerformRefuses(t *testing.T) {
	machine, err := hw.Load("newton")
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewMeter(machine)
	if err != nil {
		t.Fatal(err)
	}
	step := &StepImage{Inputs: make32(16), Matrices: []Matrix{{Rows: 1, Pitch: 16, Width: 16}}}
	image := func() *ChannelImage {
		return &ChannelImage{
			Rows: []RowImage{{Width: 16, Period: 64, Banks: 16, N: 16}}, Weights: make32(256), Results: tensor.Range{Hi: 16}, Reads: Sums{Rounded: make32(16)},
		}
	}
	good := "GWRITE0 buf=0 data=0\nG_ACT0 row=0\nG_ACT1 row=0\nG_ACT2 row=0\nG_ACT3 row=0\nCOMP0 row=0 col=0 buf=0\nREADRES data=0\nPREA\n"
	for _, c := range []struct {
		from, to string
		change   func(ch *ChannelImage)
		want     string
	}{
		{"", "", nil, ""},
		{"GWRITE0 buf=0 data=0", "GWRITE0 buf=0 data=16", nil, "elements 16 to 32 of 16 inputs"},
		{"GWRITE0 buf=0 data=0", "GWRITE0 buf=999 data=0", nil, "columns 999 to 1000 written"},
		{"G_ACT0 row=0", "G_ACT0 row=1", nil, "activation of row 1 of 1"},
		{"COMP0 row=0 col=0", "COMP0 row=0 col=64", nil, "COMP of columns 64 to 65 of a row of 64"},
		{"COMP0 row=0 col=0 buf=0", "COMP1 row=0 col=0 buf=0", nil, "which was not filled"},
		{"COMP0 row=0", "COMP0 row=3", nil, "COMP in row 3, which is not open"},
		{"READRES data=0", "READRES data=16", nil, "no matrix has result 16"},
		{"READRES data=0\n", "", nil, "has a result that nothing reads before PREA"},
		{"PREA", "COMP0 row=0 col=0 buf=0\nREADRES data=0\nPREA", nil, "more values are read than the 16"},
		{"", "", func(ch *ChannelImage) { ch.Reads.Rounded[3] = 1 }, "value 3 that is read is 0: 1 wanted"},
		{"", "", func(ch *ChannelImage) { ch.Reads.Rounded = make32(17) }, "16 values are read: 17 wanted"},
		{"", "", func(ch *ChannelImage) { ch.Results.Hi = 17 }, "results 0 to 17 of 16"},
		{"", "", func(ch *ChannelImage) { ch.Results.Hi = 15 }, "outside of 0 to 15"},
		{"", "", func(ch *ChannelImage) { ch.Rows[0].Banks = 17 }, "row image 0"},
		{"", "", func(ch *ChannelImage) { ch.Rows[0].N = 17 }, "row image 0"},
		{"", "", func(ch *ChannelImage) { ch.Rows[0].Offset = 1 }, "row image 0"},
		{"", "", func(ch *ChannelImage) { ch.Rows[0].Chunk = 64 }, "row image 0"},
	} {
		st, err := m.Commands().ParseStream("f", strings.NewReader("pimflow stream 1 newton\n"+strings.Replace(good, c.from, c.to, 1)))
		if err != nil {
			t.Fatal(err)
		}
		ch := image()
		if c.change != nil {
			c.change(ch)
		}
		err = m.Perform(st, 1, step, ch, m.NewSums(16))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %q wanted", c.to, err, c.want)
		}
	}
}
