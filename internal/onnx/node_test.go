package onnx

import (
	"context"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pimflow/internal/graph"
	"pimflow/internal/tensor"
)

// nodeTests are ONNX's own tests of single operators, as Debian's package
// libonnx-testdata installs them.
const nodeTests = "/usr/share/libonnx-testdata/data/node"

var update = flag.Bool("update", false, "rewrite testdata/node_unsupported.txt")

// TestNodes runs every one of ONNX's node tests. Those that cannot be read are
// listed with the reason in testdata/node_unsupported.txt, which this test
// compares: a test that becomes readable, or ceases to be, changes that file.
func TestNodes(t *testing.T) {
	dirs, _ := filepath.Glob(nodeTests + "/*/model.onnx")
	if len(dirs) == 0 {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is empty: apt-get install libonnx-testdata", nodeTests)
		}
		t.Skipf("%s is empty: apt-get install libonnx-testdata", nodeTests)
	}
	slices.Sort(dirs)
	ran, bound := 0, 0
	var unsupported []string
	for _, path := range dirs {
		dir := filepath.Dir(path)
		name := filepath.Base(dir)
		g, in, consts, err := readNodeTest(path)
		if err != nil {
			why, _, _ := strings.Cut(err.Error(), "; --until")
			unsupported = append(unsupported, name+": "+why)
			continue
		}
		ran++
		if consts > 0 {
			bound++
		}
		t.Run(name, func(t *testing.T) {
			got := evalGraph(g, in)
			if slices.ContainsFunc(g.Nodes, func(nd graph.Node) bool {
				return nd.Counted() || nd.Op != nil && slices.Contains(rewritten, nd.Op.Name)
			}) {
				sameValues(t, decode(t, encode(t, g), g.Name), in, got)
			} else {
				roundTrip(t, g)
			}
			for i, y := range got {
				want, err := readTensor(fmt.Sprintf("%s/test_data_set_0/output_%d.pb", dir, i), int64(y.Type))
				if err != nil {
					t.Fatal(err)
				}
				// ONNX's own runner compares with these tolerances.
				err = compare(y, want, 1e-3, 1e-7)
				if why, known := deviations[name]; known && err == nil {
					t.Errorf("it agrees, and is listed to deviate: %s", why)
				} else if !known && err != nil {
					t.Errorf("%s: %v", g.Outputs[i].Name, err)
				}
			}
		})
	}
	t.Logf("%d node tests ran (%d with operands bound to the test's data), %d are not supported", ran, bound, len(unsupported))
	const list = "testdata/node_unsupported.txt"
	text := strings.Join(unsupported, "\n") + "\n"
	if *update {
		if err := os.WriteFile(list, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	old, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	if string(old) != text {
		was := strings.Split(strings.TrimSpace(string(old)), "\n")
		for _, s := range unsupported {
			if !slices.Contains(was, s) {
				t.Errorf("not in %s: %s", list, s)
			}
		}
		for _, s := range was {
			if !slices.Contains(unsupported, s) {
				t.Errorf("in %s, but not so now: %s", list, s)
			}
		}
	}
}

// TestExporters runs ONNX's models of PyTorch's first exporters, of opset 6, all of which are supported.
func TestExporters(t *testing.T) {
	dirs, _ := filepath.Glob(nodeTests + "/../pytorch-*/*/model.onnx")
	if len(dirs) == 0 {
		t.Skipf("%s is empty: apt-get install libonnx-testdata", nodeTests)
	}
	for _, path := range dirs {
		dir := filepath.Dir(path)
		g, in, _, err := readNodeTest(path)
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(dir), err)
			continue
		}
		for i, y := range evalGraph(g, in) {
			want, err := readTensor(fmt.Sprintf("%s/test_data_set_0/output_%d.pb", dir, i), int64(y.Type))
			if err == nil {
				err = compare(y, want, 1e-3, 1e-6)
			}
			if err != nil {
				t.Errorf("%s: %s: %v", filepath.Base(dir), g.Outputs[i].Name, err)
			}
		}
	}
	t.Logf("%d models", len(dirs))
}

// deviations are the tests whose data ONNX's own text contradicts.
var deviations = map[string]string{
	"test_resize_downsample_scales_linear_align_corners": alignCorners,
	"test_resize_downsample_scales_cubic_align_corners":  alignCorners,
	"test_cast_FLOAT_to_BFLOAT16":                        truncated,
	"test_castlike_FLOAT_to_BFLOAT16":                    truncated,
	"test_castlike_FLOAT_to_BFLOAT16_expanded":           truncated,
}

const (
	truncated    = "the data was cut off to bfloat16; Cast rounds to the nearest, ties to even"
	alignCorners = "length_resized is the output's extent, a whole number; the data was made with length_original*scale, 2.4 of 4. ONNX Runtime leaves these tests out too"
)

// notConstant finds the input that an error wants to be constant.
var notConstant = regexp.MustCompile(`\(input \d+, "([^"]*)"\) depends on the model's inputs`)

// readNodeTest reads a node test's model and inputs. The tests feed even shapes
// and axes at run time: an input that must be constant is bound to its data.
func readNodeTest(path string) (g *graph.Graph, in map[string]*tensor.Tensor, bound int, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, 0, err
	}
	m, err := decodeModel(context.Background(), memory(data))
	if err != nil {
		return nil, nil, 0, err
	}
	inputs := slices.Clone(m.graph.inputs)
	inputs = slices.DeleteFunc(inputs, func(v *valueProto) bool { return m.graph.initializes(v.name) }) // up to IR version 3
	in = map[string]*tensor.Tensor{}
	given := func(name string) (*Given, error) {
		i := slices.IndexFunc(inputs, func(v *valueProto) bool { return v.name == name })
		if in[name], err = readTensor(fmt.Sprintf("%s/test_data_set_0/input_%d.pb", filepath.Dir(path), i), inputs[i].elem); err != nil {
			return nil, err
		}
		return &Given{File: "the test's data", Shape: in[name].Shape}, nil
	}
	f := &File{}
	for {
		f = &File{}
		err = f.lower(context.Background(), m, "test", Options{Given: given}, nil)
		if g = f.Graph; err == nil {
			break
		}
		s := notConstant.FindStringSubmatch(err.Error())
		if s == nil {
			return nil, nil, 0, err
		}
		// A value that a node makes is made of all inputs.
		of := m.graph.inputs
		if i := slices.IndexFunc(of, func(v *valueProto) bool { return v.name == s[1] }); i >= 0 {
			of = of[i : i+1]
		}
		added := 0
		for _, v := range of {
			i := slices.Index(inputs, v)
			p, e := readTensorProto(fmt.Sprintf("%s/test_data_set_0/input_%d.pb", filepath.Dir(path), i))
			if e != nil || m.graph.initializes(v.name) {
				continue
			}
			p.name = v.name
			m.graph.inits = append(m.graph.inits, p)
			added++
		}
		if bound += added; added == 0 {
			return nil, nil, 0, err
		}
	}
	for i, v := range inputs {
		if in[v.name], err = readTensor(fmt.Sprintf("%s/test_data_set_0/input_%d.pb", filepath.Dir(path), i), v.elem); err != nil {
			return nil, nil, 0, err
		}
	}
	if f.again != nil {
		g, err = f.Sized(context.Background(), func(g *graph.Graph, id graph.ID) (*tensor.Tensor, error) { return evalNodes(g, in)[id], nil })
	}
	return g, in, bound, err
}

// initializes reports whether an initializer has the name.
func (g *graphProto) initializes(name string) bool {
	return slices.ContainsFunc(g.inits, func(t *tensorProto) bool { return t.name == name })
}

func readTensorProto(path string) (*tensorProto, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	p := &tensorProto{}
	return p, p.decode(memory(data).message())
}

// readTensor reads a value of the element type elem; the tests store bfloat16 as
// uint16.
func readTensor(path string, elem int64) (*tensor.Tensor, error) {
	p, err := readTensorProto(path)
	if err != nil {
		return nil, err
	}
	const uint16Type = 4
	if p.typ == uint16Type && elem == int64(tensor.BFloat16) {
		p.typ = elem
	}
	return p.tensor(nil)
}

// evalGraph computes the outputs node by node; in holds the inputs by name.
func evalGraph(g *graph.Graph, in map[string]*tensor.Tensor) []*tensor.Tensor {
	values := evalNodes(g, in)
	var out []*tensor.Tensor
	for _, o := range g.Outputs {
		out = append(out, values[o.ID])
	}
	return out
}

// sameValues wants a graph to make these outputs.
func sameValues(t *testing.T, g *graph.Graph, in map[string]*tensor.Tensor, want []*tensor.Tensor) {
	t.Helper()
	for i, y := range evalGraph(g, in) {
		if err := compare(y, want[i], 0, 0); err != nil {
			t.Errorf("%s of the graph read back: %v", g.Outputs[i].Name, err)
		}
	}
}

func evalNodes(g *graph.Graph, in map[string]*tensor.Tensor) []*tensor.Tensor {
	values := make([]*tensor.Tensor, len(g.Nodes))
	for i := range g.Nodes {
		nd := &g.Nodes[i]
		switch {
		case nd.Const != nil:
			values[i] = nd.Const
		case nd.Op == nil:
			values[i] = in[nd.Name]
		default:
			args := make([]*tensor.Tensor, len(nd.In))
			for k, x := range nd.In {
				args[k] = values[x]
			}
			values[i] = tensor.New(nd.Type, nd.Shape)
			g.Eval(g.Whole(nd.ID), args, values[i])
		}
	}
	return values
}

// compare wants every value of got within atol + rtol*|want|, and integers equal.
func compare(got, want *tensor.Tensor, rtol, atol float64) error {
	if got.Type != want.Type || !got.Shape.Equal(want.Shape) {
		return fmt.Errorf("%v %v: %v %v wanted", got.Type, got.Shape, want.Type, want.Shape)
	}
	if !got.Type.Float() {
		if !slices.Equal(got.Ints(), want.Ints()) {
			return fmt.Errorf("%v: %v wanted", got.Ints(), want.Ints())
		}
		return nil
	}
	for i, w := range want.Floats() {
		x, y := float64(got.Floats()[i]), float64(w)
		if x == y || math.IsNaN(x) && math.IsNaN(y) {
			continue
		}
		if !(math.Abs(x-y) <= atol+rtol*math.Abs(y)) {
			return fmt.Errorf("[%d] of %v is %v: %v wanted", i, got.Shape, x, y)
		}
	}
	return nil
}
