package onnx

import (
	"bytes"
	"context"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"pimflow/internal/graph"
	"pimflow/internal/tensor"
)

// seeds are small models of every kind of part.
func seeds(t testing.TB) [][]byte {
	var files [][]byte
	for _, c := range instances {
		for _, call := range c.calls {
			g, err := graph.Parse(strings.NewReader(instanceText(c.inputs, call)), call)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, encode(t, g))
		}
	}
	x, y := input("x", "N", 4, 5, 6), result("y")
	return append(files,
		model(13, x, y, call("Shape", "x", "s"), ints("i", 2), call("Gather", "s i", "h"), ints("m", -1), call("Concat", "h m", "z", attr("axis", int64(0))), call("Reshape", "x z", "y")),
		model(9, x, y, call("Upsample", "x s", "y"), floats("s", 1, 1, 2, 2)),
		model(12, x, y, call("Softmax", "x", "y", attr("axis", int64(1)))),
		model(13, x, y, call("MaxPool", "x", "y", attr("kernel_shape", []int64{2, 4}), attr("auto_pad", "SAME_LOWER"))),
		model(13, x, y, call("Constant", "", "k", attr("value", filled(tensor.Float32, tensor.Shape{4, 1, 1}, 2))), call("Mul", "x k", "y")),
		model(6, x, y, floats("k", 1, 2, 3, 4), call("Add", "x k", "y", attr("broadcast", int64(1)), attr("axis", int64(1)))),
		model(13, input("x", 0, 4, -1), y, valueInfo(13, "z", tensor.Float32, 1, 4), call("Relu", "x", "z"), call("Exp", "z", "y")),
		model(13, x, y, flagOf("c", 1), call("If", "c", "y", graphAttr("then_branch", call("Relu", "x", "t"), result("t")), graphAttr("else_branch", call("Exp", "x", "t"), result("t")))),
		model(13, x, y, result("z"), ints("m", 3), call("Loop", "m _ x", "y z", graphAttr("body", valueInfo(11, "i", tensor.Int64), valueInfo(11, "c", tensor.Bool), input("a"), call("Exp", "a", "b"), result("c"), result("b"), result("b")))),
		model(13, x, y, call("Scan", "x", "y", attr("num_scan_inputs", int64(1)), attr("scan_input_axes", []int64{1}), graphAttr("body", input("e"), call("Relu", "e", "o"), result("o")))),
		append(model(13, x, y, calls("f", "x", "y", attr("k", float32(2)))), function("f", "a", "b", of(call("LeakyRelu", "a", "b", ref("alpha", "k", attrFloat))), appendString(nil, 6, "k"))...),
		model(13, x, y, foreignNode(call("FusedMatMul", "x x", "y", attr("transB", int64(1))))),
		model(18, x, y, result("z"), call("Split", "x", "y z", attr("num_outputs", int64(2)), attr("axis", int64(2)))),
	)
}

// fuzzBytes bounds what reading a small file may allocate.
const fuzzBytes = 64 << 20

// check reads data, and what it reads from what is written of it.
func check(t *testing.T, data []byte) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f := &File{}
	err := f.decode(context.Background(), memory(data), "g", Options{}, nil)
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > fuzzBytes+uint64(1000*len(data)) {
		t.Errorf("%d bytes allocated for a file of %d", n, len(data))
	}
	if err != nil {
		return
	}
	size := 0
	for i := range f.Graph.Nodes {
		if c := f.Graph.Nodes[i].Const; c != nil {
			size += c.Shape.Size()
		}
	}
	if size > 1<<16 {
		return
	}
	var b bytes.Buffer
	if Write(&b, f.Graph) != nil {
		return
	}
	back := &File{}
	if err := back.decode(context.Background(), memory(b.Bytes()), "g", Options{}, nil); err != nil {
		t.Errorf("it cannot be read back: %v\n%s", err, text(t, f.Graph))
		return
	}
	var again bytes.Buffer
	if err := Write(&again, back.Graph); err != nil {
		t.Errorf("what is read back cannot be written: %v\n%s", err, text(t, back.Graph))
	} else if !bytes.Equal(b.Bytes(), again.Bytes()) {
		t.Errorf("written and read, and written again, it differs:\n%s\n%s", text(t, f.Graph), text(t, back.Graph))
	}
}

// TestTruncated cuts every seed at every byte.
func TestTruncated(t *testing.T) {
	for _, s := range seeds(t) {
		for n := range s {
			check(t, s[:n])
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s)
		f.Add(s[:len(s)*2/3])
	}
	f.Fuzz(check)
}

// BenchmarkRead reads a network of 100 nodes and 32 MB of weights.
func BenchmarkRead(b *testing.B) {
	const layers, width = 50, 400
	gb := graph.NewBuilder("m")
	id := gb.Input("x", tensor.Float32, tensor.Shape{1, width})
	for range layers {
		w := gb.Const("w", tensor.FromBytes(tensor.Float32, tensor.Shape{width, width}, make([]byte, 4*width*width)))
		product, err := gb.Op("", "MatMul", nil, id, w)
		if err != nil {
			b.Fatal(err)
		}
		if id, err = gb.Op("", "Relu", nil, product); err != nil {
			b.Fatal(err)
		}
	}
	gb.Output("y", id)
	g, err := gb.Graph()
	if err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(b.TempDir(), "m.onnx")
	if err := writeFile(path, g); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		f, err := Read(b.Context(), path, Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
