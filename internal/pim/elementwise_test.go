package pim

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// mapsNet makes an element-wise operation of inputs, with a ReLU behind it.
func mapsNet(t fataler, name string, a op.Attrs, relu bool, in ...*tensor.Tensor) net {
	b := graph.NewBuilder("test")
	n := net{in: in}
	o, err := op.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	nd := graph.Node{Name: "layer", Op: o, Attrs: a}
	for i, x := range in {
		nd.In = append(nd.In, b.Input(fmt.Sprint("x", i), x.Type, x.Shape))
	}
	if relu {
		r, err := op.Lookup("Relu")
		if err != nil {
			t.Fatal(err)
		}
		nd.Post = []graph.Stage{{Op: r, Attrs: op.Attrs{}}}
	}
	if n.id, err = b.Node(nd); err != nil {
		t.Fatal(err)
	}
	b.Output("y", n.id)
	if n.g, err = b.Graph(); err != nil {
		t.Fatal(err)
	}
	return n
}

// elementwiseCodes are the codes of a cut on the programs that have it.
func elementwiseCodes(t fataler, channels int, g *graph.Graph, cut graph.Cut) (codes []*Code) {
	d, err := New(machineOf(t, "hbm-pim"), channels)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range d.(programmed) {
		c, err := d.Compile(g, cut)
		if errors.Is(err, device.ErrUnsupported) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		codes = append(codes, c.(*Code))
	}
	return codes
}

// elementwiseNets are element-wise layers of each form, and how many programs have each.
func elementwiseNets(t fataler) map[string]struct {
	n        net
	box      tensor.Box
	programs int
} {
	r := rand.New(rand.NewPCG(21, 22))
	map1, map2 := func() *tensor.Tensor { return numbers(r, tensor.Shape{2, 5, 9, 20}) }, func() *tensor.Tensor { return numbers(r, tensor.Shape{2, 5, 9, 20}) }
	channel := func() *tensor.Tensor { return numbers(r, tensor.Shape{5}) }
	ones := tensor.Floats32(tensor.Shape{5}, []float32{1, 1, 1, 1, 1})
	type row = struct {
		n        net
		box      tensor.Box
		programs int
	}
	return map[string]row{
		"residual":      {n: mapsNet(t, "Add", op.Attrs{}, true, map1(), map2()), programs: 1},
		"product":       {n: mapsNet(t, "Mul", op.Attrs{}, false, map1(), map2()), programs: 1},
		"part":          {n: mapsNet(t, "Add", op.Attrs{}, false, map1(), map2()), box: tensor.Box{{Lo: 1, Hi: 2}, {Lo: 1, Hi: 4}, {Lo: 3, Hi: 8}, {Lo: 0, Hi: 20}}, programs: 1},
		"excitation":    {n: mapsNet(t, "Mul", op.Attrs{}, false, numbers(r, tensor.Shape{2, 5, 1, 1}), map1()), programs: 2},
		"a box of it":   {n: mapsNet(t, "Mul", op.Attrs{}, true, map1(), numbers(r, tensor.Shape{1, 5, 1, 1})), box: tensor.Box{{Hi: 2}, {Lo: 2, Hi: 5}, {Lo: 1, Hi: 6}, {Lo: 4, Hi: 19}}, programs: 2},
		"bias":          {n: mapsNet(t, "Add", op.Attrs{}, true, map1(), numbers(r, tensor.Shape{5, 1, 1})), programs: 2},
		"rows":          {n: mapsNet(t, "Mul", op.Attrs{}, false, map1(), numbers(r, tensor.Shape{9, 20})), programs: 1},
		"long channels": {n: mapsNet(t, "Mul", op.Attrs{}, true, numbers(r, tensor.Shape{1, 3, 80, 80}), numbers(r, tensor.Shape{1, 3, 1, 1})), programs: 2},
		"long":          {n: mapsNet(t, "Add", op.Attrs{}, false, numbers(r, tensor.Shape{1, 3, 80, 80}), numbers(r, tensor.Shape{1, 3, 80, 80})), programs: 1},
		"norm":          {n: mapsNet(t, "BatchNormalization", op.Attrs{"epsilon": float32(0)}, true, map1(), channel(), channel(), channel(), ones), programs: 1},
		"relu":          {n: mapsNet(t, "Relu", op.Attrs{}, false, map1()), programs: 1},
	}
}

// TestElementwise: element-wise layers have the values of the operator, of whole numbers, their streams make each value once, and what is
// said of their bytes is what they move.
func TestElementwise(t *testing.T) {
	meter, err := NewMeter(machineOf(t, "hbm-pim"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range elementwiseNets(t) {
		cut := c.n.g.Whole(c.n.id)
		if c.box != nil {
			cut.Box = c.box
		}
		for _, channels := range []int{1, 3} {
			codes := elementwiseCodes(t, channels, c.n.g, cut)
			if len(codes) != c.programs {
				t.Errorf("%s: %d programs have it, %d wanted", name, len(codes), c.programs)
			}
			for _, code := range codes {
				what := fmt.Sprintf("%s on %d channels: %v", name, channels, code.best)
				want, got := tensor.New(tensor.Float32, c.n.g.Nodes[c.n.id].Shape), tensor.New(tensor.Float32, c.n.g.Nodes[c.n.id].Shape)
				c.n.g.Eval(cut, c.n.in, want)
				sums := code.NewSums()
				if err := code.EvalSums(device.Evaluation{In: c.n.in, Dst: got, Sums: sums}); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(want.Floats(), got.Floats()) {
					t.Errorf("%s: other values", what)
				}
				if j := code.Judge(c.n.in, sums); j.Wrong != 0 || j.Compared != int64(cut.Box.Size()) {
					t.Errorf("%s: %+v, first %+v", what, j, j.First)
				}
				vectors := int64(0)
				for _, s := range code.mapped().perChannel() {
					if w := code.device.written(code.mapped().mapping, s); w.rows != code.device.scheme.rows(s).Len() {
						t.Errorf("%s: %d rows are written of %d", what, w.rows, code.device.scheme.rows(s).Len())
					}
					for i := range s {
						vectors += int64(s[i].at[byMatrix].Len() * s[i].at[byGroup].Len())
					}
				}
				if x, err := code.Replay(); err != nil || x.Accesses != vectors*int64(code.lowered().groupK) {
					t.Errorf("%s: %+v: %v", what, x, err)
				}
				measured := int64(0)
				if err := code.Streams(func(c *ChannelStream) error {
					x, err := meter.Measure(c.Stream)
					measured += x.Bytes
					return err
				}); err != nil {
					t.Fatal(err)
				}
				written := int64(cut.Box.Size() * code.lowered().groupK * 2)
				if bytes := code.writtenBytes(code.lowered()); bytes != written {
					t.Errorf("%s: %d bytes are written to the banks, %d wanted", what, bytes, written)
				}
				if code.Cost().Bytes != measured+written {
					t.Errorf("%s: %d bytes over the pins, %d in its streams, %d written before", what, code.Cost().Bytes, measured, written)
				}
				images := imagesOf(t, code, c.n.in)
				results, next := meter.NewSums(images.step.Results.Len()), 0
				if err := code.Streams(func(s *ChannelStream) error {
					next++
					return meter.Perform(s.Stream, s.Rows, images.step, images.channels[next-1], results)
				}); err != nil {
					t.Errorf("%s: on images: %v", what, err)
				}
				if _, is, want, differ := results.Differ(0, images.step.Results); differ {
					t.Errorf("%s: on images: %s, %s wanted", what, is, want)
				}
				if did := code.Activity(); did.MACs != 0 || did.Firsts == 0 {
					t.Errorf("%s: %+v", what, did)
				}
				var text strings.Builder
				if err := code.Print(&text); err != nil {
					t.Fatal(err)
				}
				for _, s := range []string{"EXIT", code.device.program.name, "ACTMR row=16382", "RDSB bank=", "inputs: "} {
					if !strings.Contains(text.String(), s) {
						t.Errorf("%s: no %q in its text", what, s)
					}
				}
			}
		}
	}
}

// images are those of a code.
type images struct {
	step     *StepImage
	channels []*ChannelImage
}

func imagesOf(t fataler, code *Code, in []*tensor.Tensor) (x images) {
	var err error
	if x.step, err = code.Image(in, func(ch *ChannelImage) error { x.channels = append(x.channels, ch); return nil }); err != nil {
		t.Fatal(err)
	}
	return x
}

// TestElementwiseRounding: values are rounded to fp16 once, of a MAD whose product is rounded too twice; a value that is beyond fp16 is
// infinite, and one that is wrong is found.
func TestElementwiseRounding(t *testing.T) {
	r := rand.New(rand.NewPCG(23, 24))
	real := func(s tensor.Shape) *tensor.Tensor {
		x := tensor.New(tensor.Float32, s)
		for i := range x.Floats() {
			x.Floats()[i] = tensor.Round(tensor.Float16, float32(r.NormFloat64()))
		}
		return x
	}
	s, c := tensor.Shape{1, 4, 5, 30}, tensor.Shape{4}
	x, y := real(s), real(s)
	x.Floats()[7], y.Floats()[7] = 60000, 30000
	ones, scale := tensor.Floats32(c, []float32{1, 1, 1, 1}), real(c)
	scale.Floats()[0] = 0.5 // 60000 stays finite
	for _, rounding := range []string{"fused", "separate"} {
		m := machineOf(t, "hbm-pim")
		m.PIM.Rounding = rounding
		d, err := New(m, 2)
		if err != nil {
			t.Fatal(err)
		}
		for name, n := range map[string]net{
			"Add": mapsNet(t, "Add", op.Attrs{}, false, x, y),
			"Mul": mapsNet(t, "Mul", op.Attrs{}, false, x, y),
			"MAD": mapsNet(t, "BatchNormalization", op.Attrs{"epsilon": float32(0)}, false, x, scale, real(c), tensor.New(tensor.Float32, c), ones),
		} {
			code, err := d.Compile(n.g, n.g.Whole(n.id))
			if err != nil {
				t.Fatal(err)
			}
			sums, got := code.(*Code).NewSums(), tensor.New(tensor.Float32, s)
			if err := code.(*Code).EvalSums(device.Evaluation{In: n.in, Dst: got, Sums: sums}); err != nil {
				t.Fatal(err)
			}
			for i, v := range got.Floats() {
				a, b := float64(x.Floats()[i]), float64(y.Floats()[i])
				var want float32
				switch name {
				case "Add":
					want = nearest16(a + b)
				case "Mul":
					want = nearest16(a * b)
				default:
					product := a * float64(n.in[1].Floats()[i/150])
					if rounding == "separate" {
						product = float64(nearest16(product))
					}
					want = nearest16(product + float64(n.in[2].Floats()[i/150]))
				}
				if i != 7 && v != want {
					t.Fatalf("%s, %s: value %d is %v, want %v", name, rounding, i, v, want)
				}
			}
			j := code.(*Code).Judge(n.in, sums)
			if over := j.Range.Results.Over == 1; j.Wrong != 0 || over != (name != "MAD") {
				t.Errorf("%s, %s: %+v, first %+v", name, rounding, j, j.First)
			}
			sums.Floats()[100] += 0.01
			if j := code.(*Code).Judge(n.in, sums); j.Wrong != 1 || j.First.At != 100 {
				t.Errorf("%s, %s: a value that is wrong is not found: %+v", name, rounding, j)
			}
		}
	}
}

// TestElementwiseElsewhere: what the units have no program for is refused.
func TestElementwiseElsewhere(t *testing.T) {
	r := rand.New(rand.NewPCG(25, 26))
	s := tensor.Shape{1, 4, 5, 30}
	for name, n := range map[string]net{
		"Sub":     mapsNet(t, "Sub", op.Attrs{}, false, numbers(r, s), numbers(r, s)),
		"Sigmoid": mapsNet(t, "Sigmoid", op.Attrs{}, false, numbers(r, s)),
	} {
		d, err := New(machineOf(t, "hbm-pim"), 2)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Compile(n.g, n.g.Whole(n.id)); !errors.Is(err, device.ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestElementwiseMutations: in streams of element-wise layers, every command that is missing, doubled or changed is found.
func TestElementwiseMutations(t *testing.T) {
	r := rand.New(rand.NewPCG(27, 28))
	s := tensor.Shape{1, 3, 70, 70}
	for _, n := range []net{
		mapsNet(t, "Add", op.Attrs{}, true, numbers(r, s), numbers(r, s)),
		mapsNet(t, "BatchNormalization", op.Attrs{"epsilon": float32(0)}, false, numbers(r, s), numbers(r, s[1:2]), numbers(r, s[1:2]), numbers(r, s[1:2]), numbers(r, s[1:2])),
	} {
		for _, code := range elementwiseCodes(t, 3, n.g, n.g.Whole(n.id)) {
			mutatePrograms(t, code.mapped())
		}
	}
}
