package ortcheck

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"pimflow/internal/graph"
	"pimflow/internal/onnx"
	"pimflow/internal/run"
	"pimflow/internal/tensor"
)

// Two float32 values agree within tolerance of the output's largest magnitude,
// or within rtol of the value. estimated: sums of a few thousand products in
// another order, and other approximations of exp and erf.
const tolerance, rtol = 1e-5, 1e-4

// read reads an encoded model as pimflow's users do, from a file.
func read(dir string, model []byte) (*onnx.File, error) {
	path := filepath.Join(dir, "model.onnx")
	if err := os.WriteFile(path, model, 0o644); err != nil {
		return nil, err
	}
	return onnx.Read(context.Background(), path, onnx.Options{})
}

// encoded is g as onnx.Write writes it.
func encoded(g *graph.Graph) ([]byte, error) {
	var b bytes.Buffer
	err := onnx.Write(&b, g)
	return b.Bytes(), err
}

func inputNames(g *graph.Graph) []string {
	var names []string
	for _, id := range g.Inputs {
		names = append(names, g.Nodes[id].Name)
	}
	return names
}

func outputNames(g *graph.Graph) []string {
	var names []string
	for _, o := range g.Outputs {
		names = append(names, o.Name)
	}
	return names
}

// reference is pimflow's meaning of a graph.
func reference(g *graph.Graph, inputs []*tensor.Tensor) ([]*tensor.Tensor, error) {
	return run.Reference(context.Background(), g, inputs, nil)
}

// differ returns the largest difference, relative to the largest magnitude of
// want or the given one, and the first value that is out of tolerance as an error.
func differ(got, want []*tensor.Tensor, magnitude float64) (worst float64, err error) {
	if len(got) != len(want) {
		return 0, fmt.Errorf("%d outputs: %d wanted", len(got), len(want))
	}
	for k := range want {
		w, e := differOne(got[k], want[k], magnitude)
		worst = max(worst, w)
		if e != nil && err == nil {
			err = fmt.Errorf("output %d: %w", k, e)
		}
	}
	return worst, err
}

func differOne(got, want *tensor.Tensor, top float64) (worst float64, err error) {
	if got.Type != want.Type || !got.Shape.Equal(want.Shape) {
		return 0, fmt.Errorf("%v %v: %v %v wanted", got.Type, got.Shape, want.Type, want.Shape)
	}
	if !want.Type.Float() {
		for i, w := range want.Ints() {
			if g := got.Ints()[i]; g != w {
				return 1, fmt.Errorf("[%d] of %v is %d: %d wanted", i, want.Shape, g, w)
			}
		}
		return 0, nil
	}
	for _, w := range want.Floats() {
		if a := math.Abs(float64(w)); !math.IsInf(a, 0) {
			top = max(top, a)
		}
	}
	for i, w := range want.Floats() {
		g := got.Floats()[i]
		x, y := float64(g), float64(w)
		if x == y || math.IsNaN(x) && math.IsNaN(y) {
			continue
		}
		d := math.Abs(x - y)
		if !(d <= tolerance*top+rtol*math.Abs(y)) && err == nil {
			err = fmt.Errorf("[%d] of %v is %v: %v wanted", i, want.Shape, g, w)
		}
		worst = max(worst, d/top)
	}
	return worst, err
}
