package hostile

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
)

// noModels are files that are not models at all.
func noModels() []file {
	return []file{
		{name: "empty.onnx", want: "", data: nil},
		{name: "text.onnx", want: "", data: []byte("This is no model.\n")},
		{name: "page.onnx", want: "", data: []byte("<!DOCTYPE html><html><body>404 Not Found</body></html>")},
		{name: "pointer.onnx", want: "", data: []byte("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 14\n")},
		{name: "json.onnx", want: "", data: []byte(`{"graph": {"node": []}}`)},
		{name: "utf16.onnx", want: "", data: []byte("\xff\xfem\x00o\x00d\x00e\x00l\x00")},
		{name: "zeros.onnx", want: "", data: make([]byte, 4096)},
		{name: "ones.onnx", want: "", data: bytes.Repeat([]byte{0xff}, 4096)},
		{name: "noise.onnx", want: "", data: noise(4096)},
		{name: "gzip.onnx", want: "", data: zipped(good)},
		{name: "elf.onnx", want: "", data: append([]byte("\x7fELF\x02\x01\x01"), make([]byte, 57)...)},
		{name: "folder.onnx", want: "a regular file wanted", place: func(path string) error { return os.Mkdir(path, 0o777) }},
		{name: "missing.onnx", want: "no such file", place: func(string) error { return nil }},
		{name: "loop.onnx", want: "too many levels", place: func(path string) error { return os.Symlink(path, path) }},
		{name: "device.onnx", want: "a regular file wanted", place: func(path string) error { return os.Symlink("/dev/zero", path) }},
		{name: "pipe.onnx", want: "a regular file wanted", place: pipe},
		{name: "no_graph.onnx", want: "no graph in it", data: all(field(1, 8), field(8, field(2, opset)))},
		{name: "two_graphs.onnx", want: "a second graph", data: all(good, good)},
		{name: "no_opset.onnx", want: "imports no opset", data: field(7, all(x, node("Relu", "x", "y"), y))},
		{name: "opset_0.onnx", want: "opset", data: all(field(8, field(2, 0)), field(7, all(x, node("Relu", "x", "y"), y)))},
		{name: "opset_high.onnx", want: "opset", data: all(field(8, field(2, 1<<62)), field(7, all(x, node("Relu", "x", "y"), y)))},
		{name: "opset_negative.onnx", want: "opset", data: all(field(8, field(2, -3)), field(7, all(x, node("Relu", "x", "y"), y)))},
	}
}

func noise(n int) []byte {
	b := make([]byte, n)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

func zipped(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// wires are files that are not protobuf, or whose fields are of the wrong kind.
func wires() []file {
	return append(cuts(), []file{
		{name: "wire_6.onnx", want: "not a protobuf field", data: []byte{7<<3 | 6, 1}},
		{name: "wire_7_inside.onnx", want: "not a protobuf field", data: model(message{1<<3 | 7})},
		{name: "field_0.onnx", want: "not a protobuf field", data: []byte{0, 1}},
		{name: "group_open.onnx", want: "not a protobuf field", data: []byte{7<<3 | 3}},
		{name: "group_closed.onnx", want: "not a protobuf field", data: []byte{7<<3 | 4}},
		{name: "groups_deep.onnx", want: "not a protobuf field", data: bytes.Repeat([]byte{9<<3 | 3}, 1<<20)},
		{name: "varint_long.onnx", want: "not a protobuf field", data: append([]byte{1 << 3}, bytes.Repeat([]byte{0x80}, 20)...)},
		{name: "length_huge.onnx", want: "not a protobuf field", data: []byte{7<<3 | 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}},
		{name: "graph_number.onnx", want: "graph has wire type 0", data: field(7, 1)},
		{name: "node_number.onnx", want: "node has wire type 0", data: model(field(1, 5))},
		{name: "op_number.onnx", want: "op_type has wire type 0", data: model(field(1, field(4, 3)))},
		{name: "initializer_float.onnx", want: "initializer has wire type 5", data: model(field(5, float32(1)))},
		{name: "dims_text.onnx", want: "dims", data: model(x, y, weight(all(field(8, "w"), field(1, "\xff\xff"))))},
		{name: "type_text.onnx", want: "data_type has wire type 2", data: model(x, y, weight(all(field(8, "w"), field(2, "float"))))},
		{name: "raw_number.onnx", want: "raw_data", data: model(x, y, weight(all(tensor("w", typeFloat, 1), field(9, 3))))},
		{name: "floats_odd.onnx", want: "float_data", data: model(x, y, weight(all(tensor("w", typeFloat, 1), field(4, "abc"))))},
		{name: "shape_number.onnx", want: "shape", data: model(field(11, all(field(1, "x"), field(2, field(1, all(field(1, typeFloat), field(2, 1)))))), y)},
		{name: "graphs_deep.onnx", want: "", data: model(x, y, node("If", "x", "y", nested(1000)))},
		{name: "nodes_empty.onnx", want: "", data: model(message(strings.Repeat("\x0a\x00", 1<<20)))},
		{name: "initializers_empty.onnx", want: "", data: model(message(strings.Repeat("\x2a\x00", 1<<20)))},
		{name: "inputs_empty.onnx", want: "", data: model(message(strings.Repeat("\x5a\x00", 1<<20)))},
		{name: "attributes_empty.onnx", want: "", data: model(x, y, node("Relu", "x", "y", message(strings.Repeat("\x2a\x00", 1<<20))))},
	}...)
}

// cuts are the good model cut at places all over it.
func cuts() (list []file) {
	for i := 1; i < 12; i++ {
		list = append(list, file{name: fmt.Sprintf("cut_%02d.onnx", i), want: "", data: good[:len(good)*i/12]})
	}
	return append(list, file{name: "cut_last.onnx", want: "", data: good[:len(good)-1]})
}

// nested is an attribute with a graph that has a node with such an attribute, and so on.
func nested(depth int) message {
	m := message{}
	for range depth {
		m = typed("then_branch", attrGraph, field(graphField, all(node("If", "x", "y", m), y)))
	}
	return m
}
