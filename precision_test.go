package pimflow

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// pair is a network of two 1x1 convolutions of 16 channels over 8x8, the first into outs channels.
type pair struct {
	kind    string
	outs    int
	weights func(r *rand.Rand, first []float32, second []float32)
	argmax  bool
}

var pairs = []pair{
	// The second layer takes off what the first has in common to all outputs.
	{kind: "cancels", outs: 64, weights: func(r *rand.Rand, first, second []float32) {
		for i := range first {
			first[i] = 0.5 + 0.01*float32(r.NormFloat64())
		}
		for i := range second {
			second[i] = float32(1-2*(i%2)) * 0.2
		}
	}},
	{kind: "argmax", outs: 16, argmax: true, weights: func(r *rand.Rand, first, second []float32) {}},
	{kind: "underflow", outs: 16, weights: func(r *rand.Rand, first, second []float32) { scale(first, 1e-9); scale(second, 1e9) }},
	{kind: "overflow", outs: 16, weights: func(r *rand.Rand, first, second []float32) { scale(first, 1e7); scale(second, 1e-7) }},
	{kind: "nan", outs: 16, weights: func(r *rand.Rand, first, second []float32) { scale(first, float32(math.NaN())) }},
}

func scale(v []float32, by float32) {
	for i := range v {
		v[i] *= by
	}
}

// file writes the network as text.
func (p pair) file(t *testing.T, seed uint64) string {
	r := rand.New(rand.NewPCG(seed, 1))
	first, second := make([]float32, p.outs*16), make([]float32, 8*p.outs)
	for _, w := range [][]float32{first, second} {
		for i := range w {
			w[i] = float32(r.NormFloat64() / 4)
		}
	}
	p.weights(r, first, second)
	b := graph.NewBuilder(p.kind)
	id := b.Input("x", tensor.Float32, tensor.Shape{1, 16, 8, 8})
	add := func(name, kind string, a op.Attrs, in ...graph.ID) graph.ID {
		id, err := b.Op(name, kind, a, in...)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	attrs := op.Attrs{"dilations": []int64{1, 1}, "group": int64(1), "kernel_shape": []int64{1, 1}, "pads": []int64{0, 0, 0, 0}, "strides": []int64{1, 1}}
	id = add("one", "Conv", attrs, id, b.Const("", tensor.Floats32(tensor.Shape{p.outs, 16, 1, 1}, first)))
	id = add("two", "Conv", attrs, id, b.Const("", tensor.Floats32(tensor.Shape{8, p.outs, 1, 1}, second)))
	if p.argmax {
		id = add("best", "ArgMax", op.Attrs{"axis": int64(1), "keepdims": int64(0)}, id)
	}
	b.Output("y", id)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), p.kind+".graph")
	f, err := os.Create(name)
	if err == nil {
		err = g.Print(f, true)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// TestFormat: a right plan is OK whatever half precision makes of its outputs; layers with values that the
// format cannot hold are named, and a limit of the error moves them to the GPU. bfloat16 holds them all.
func TestFormat(t *testing.T) {
	for _, p := range pairs {
		for _, machine := range []string{"newton", "aim"} {
			for seed := range uint64(3) {
				t.Run(fmt.Sprintf("%s on %s, %d", p.kind, machine, seed), func(t *testing.T) {
					s, err := Open(t.Context(), p.file(t, seed), Options{Machine: machine})
					if err != nil {
						t.Fatal(err)
					}
					defer s.Close()
					plan, err := s.Plan(t.Context(), Search{Policy: "by-operator"})
					if err != nil {
						t.Fatal(err)
					}
					c, err := s.Check(t.Context(), plan)
					if err != nil {
						t.Fatal(err)
					}
					if c.OK != (p.kind != "nan") || !c.OK && c.Reason != "no finite value was compared" {
						t.Fatalf("%+v", c)
					}
					half, out := machine == "newton", c.Outputs[0]
					named := slices.IndexFunc(c.Format, func(l LayerRange) bool {
						return l.Layer == "two" && (p.kind == "overflow" && l.InputsOver > 100 || p.kind == "underflow" && l.InputsUnder > 100)
					}) >= 0
					if ranged := p.kind == "overflow" || p.kind == "underflow"; named != (half && ranged) || ranged && !half && len(c.Format) > 0 {
						t.Errorf("format: %+v", c.Format)
					}
					switch {
					case p.kind == "cancels" && out.MaxRel < 8*0x1p-11, p.argmax && (out.Changed > 3 || out.Compared != 64), half && p.kind == "overflow" && out.Lost == 0, half && p.kind == "underflow" && out.MaxRel < 0.5:
						t.Errorf("output: %+v", out)
					}
					if p.kind == "nan" {
						return
					}
					next, c, err := s.Within(t.Context(), plan, 0.002)
					if err != nil || !c.OK || c.MaxError != 0.002 || c.Outputs[0].MaxRel > 0.002 || c.Outputs[0].Lost > 0 {
						t.Fatalf("within 0.002: %+v, %v", c, err)
					}
					if named && !slices.Equal(c.GPUOnly, []string{"two"}) {
						t.Errorf("kept off the PIM: %q", c.GPUOnly)
					}
					var text strings.Builder
					if err := next.Print(&text); err != nil || len(c.GPUOnly) == 0 && next != plan {
						t.Error(err, &text)
					}
				})
			}
		}
	}
}

// TestLimit: a difference that simplification made is told from that of the number format.
func TestLimit(t *testing.T) {
	for _, c := range []struct {
		output, simple OutputCheck
		want           string
	}{
		{OutputCheck{Name: "y", MaxRel: 0.0625}, OutputCheck{MaxRel: 1}, ""},
		{OutputCheck{Name: "y", MaxRel: 0.25}, OutputCheck{}, `the error of output "y" is above --max-error 0.125: 0.25 of the largest value, 0 values not finite; the PIM's number format makes it`},
		{OutputCheck{Name: "y", MaxRel: 0.25}, OutputCheck{MaxRel: 0.125}, `the error of output "y" is above --max-error 0.125: 0.25 of the largest value, 0 values not finite; simplification makes 0.125 of it, the PIM's number format the rest`},
		{OutputCheck{Name: "y", MaxRel: 0.25}, OutputCheck{MaxRel: 0.1875}, `the error of output "y" is above --max-error 0.125: 0.25 of the largest value, 0 values not finite; simplification alone makes 0.1875, and 0 not finite: no plan is below`},
		{OutputCheck{Name: "y", Lost: 2}, OutputCheck{Lost: 1}, `the error of output "y" is above --max-error 0.125: 0 of the largest value, 2 values not finite; simplification alone makes 0, and 1 not finite: no plan is below`},
	} {
		k := Check{OK: true, Outputs: []OutputCheck{{Name: "x"}, c.output}, simplified: []OutputCheck{{}, c.simple}}
		if k.Limit(0.125); k.Reason != c.want || k.OK != (c.want == "") {
			t.Errorf("%q\n%q wanted", k.Reason, c.want)
		}
	}
}

// TestUnmet: where folding a normalisation into weights alone is beyond a limit, no other plan is searched.
func TestUnmet(t *testing.T) {
	b := graph.NewBuilder("normed")
	id := b.Input("x", tensor.Float32, tensor.Shape{1, 16, 8, 8})
	w := make([]float32, 16*16)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range w {
		w[i] = float32(r.NormFloat64())
	}
	k := func(s tensor.Shape, n int) graph.ID { return b.Const("", tensor.Floats32(s, w[:n])) }
	conv, err := b.Op("conv", "Conv", op.Attrs{"dilations": []int64{1, 1}, "group": int64(1), "kernel_shape": []int64{1, 1}, "pads": []int64{0, 0, 0, 0}, "strides": []int64{1, 1}}, id, k(tensor.Shape{16, 16, 1, 1}, 256))
	if err != nil {
		t.Fatal(err)
	}
	mul, err := b.Op("scaled", "Mul", nil, conv, k(tensor.Shape{1, 16, 1, 1}, 16))
	if err != nil {
		t.Fatal(err)
	}
	b.Output("y", mul)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "normed.graph")
	f, err := os.Create(name)
	if err == nil {
		err = errors.Join(g.Print(f, true), f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), name, Options{Machine: "newton"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	plan, err := s.Plan(t.Context(), Search{Policy: "by-operator"})
	if err != nil {
		t.Fatal(err)
	}
	next, c, err := s.Within(t.Context(), plan, 1e-12)
	if err != nil || c.OK || next != plan || !strings.Contains(c.Reason, "; simplification alone makes ") {
		t.Errorf("%+v, %v", c, err)
	}
}
