package pimflow

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// writeDecoder writes a segmenter's decoder: a convolution of stride 2, a transposed one back, a
// concatenation with what it came from, and two more transposed ones.
func writeDecoder(file string) error {
	r := rand.New(rand.NewPCG(1, 2))
	b := graph.NewBuilder("decoder")
	var err error
	add := func(name, operator string, a op.Attrs, in ...graph.ID) graph.ID {
		id, e := b.Op(name, operator, a, in...)
		if err == nil {
			err = e
		}
		return id
	}
	constant := func(name string, s ...int) graph.ID {
		v := make([]float32, tensor.Shape(s).Size())
		for i := range v {
			v[i] = float32(r.NormFloat64() * 0.1)
		}
		return b.Const(name, tensor.Floats32(s, v))
	}
	layer := func(name, operator string, x graph.ID, outs int, w []int, k, stride, pad, extra int64) graph.ID {
		a := op.Attrs{"kernel_shape": []int64{k, k}, "strides": []int64{stride, stride}, "pads": []int64{pad, pad, pad, pad}, "dilations": []int64{1, 1}, "group": int64(1)}
		if operator == "ConvTranspose" {
			a["output_padding"] = []int64{extra, extra}
		}
		y := add(name, operator, a, x, constant(name+".weight", append(w, int(k), int(k))...), constant(name+".bias", outs))
		return add(name+".relu", "Relu", op.Attrs{}, y)
	}
	x := b.Input("x", tensor.Float32, tensor.Shape{1, 16, 8, 8})
	down := layer("down", "Conv", x, 48, []int{48, 16}, 3, 2, 1, 0)
	up := layer("up2x2", "ConvTranspose", down, 24, []int{48, 24}, 2, 2, 0, 0)
	cat := add("cat", "Concat", op.Attrs{"axis": int64(1)}, up, x)
	up = layer("up4x4", "ConvTranspose", cat, 20, []int{40, 20}, 4, 2, 1, 0)
	up = layer("up3x3", "ConvTranspose", up, 8, []int{20, 8}, 3, 2, 1, 1)
	b.Output("y", layer("head", "Conv", up, 4, []int{4, 8}, 1, 1, 0, 0))
	if err != nil {
		return err
	}
	g, err := b.Graph()
	if err != nil {
		return err
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	return g.Print(f, true)
}

// TestDecoder: transposed convolutions are right on every machine, on the PIM alone and divided.
func TestDecoder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "decoder.graph")
	if err := writeDecoder(file); err != nil {
		t.Fatal(err)
	}
	policies := map[string][]string{"newton": {"by-operator", "auto"}, "aim": {"by-operator", "auto"}, "artifact": {"by-operator"}}
	for _, machine := range []string{"newton", "aim", "artifact"} {
		s, err := Open(t.Context(), file, Options{Machine: machine})
		if err != nil {
			t.Fatal(err)
		}
		for _, policy := range policies[machine] {
			p, err := s.Plan(t.Context(), Search{Policy: policy})
			if err != nil {
				t.Fatal(err)
			}
			check, err := s.Check(t.Context(), p)
			if err != nil || !check.OK || policy == "by-operator" && check.PIMTiles != 5 {
				t.Errorf("%s, %s: %+v: %v", machine, policy, check, err)
			}
			if check, err = s.CheckExact(t.Context(), p); err != nil || !check.OK || len(check.Inexact) > 0 {
				t.Errorf("%s, %s: %+v: %v", machine, policy, check, err)
			}
		}
		s.Close()
	}
}
