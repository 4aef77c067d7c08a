package hostile

import (
	"bytes"
	"fmt"
	"math"
)

// vast are small files that mean much: values, constants, work or operations without end.
func vast() []file {
	return []file{
		// Values that no machine's memory holds.
		{name: "vast_pad.onnx", want: "makes", data: model(x, y, weight(ints("p", 0, 0, 1<<30, 0, 0, 0, 0, 0)), node("Pad", "x p", "y"))},
		{name: "vast_pad_reflect.onnx", want: "pads", data: model(x, y, weight(ints("p", 0, 0, 1<<30, 0, 0, 0, 0, 0)), node("Pad", "x p", "y", attr("mode", "reflect")))},
		{name: "vast_tile.onnx", want: "makes", data: model(x, y, weight(ints("r", 1<<10, 1<<10, 1<<9, 1)), node("Tile", "x r", "y"))},
		{name: "vast_tile_negative.onnx", want: "repeats", data: model(x, y, weight(ints("r", -1, 1, 1, 1)), node("Tile", "x r", "y"))},
		{name: "vast_expand.onnx", want: "makes", data: model(input("x", 1, 1), y, weight(ints("s", 1<<17, 1<<17)), node("Expand", "x s", "y"))},
		{name: "vast_resize_sizes.onnx", want: "makes", data: model(x, y, weight(ints("s", 1, 4, 1<<17, 1<<17)), fields("Resize", []string{"x", "", "", "s"}, "y"))},
		{name: "vast_resize_scales.onnx", want: "scale", data: model(x, y, weight(scales(1, 1, 1e9, 1e9)), fields("Resize", []string{"x", "", "s"}, "y"))},
		{name: "vast_resize_nan.onnx", want: "scale", data: model(x, y, weight(scales(1, 1, float32(math.NaN()), 1)), fields("Resize", []string{"x", "", "s"}, "y"))},
		{name: "vast_concat.onnx", want: "", data: doubled("Concat", 40, attr("axis", 1))},
		{name: "vast_concat_30.onnx", want: "makes", data: doubled("Concat", 30, attr("axis", 1))},
		{name: "vast_outer.onnx", want: "makes", data: model(input("x", 1<<18, 1), input("z", 1, 1<<18), y, node("MatMul", "x z", "y"))},
		{name: "vast_broadcast.onnx", want: "makes", data: model(input("x", 1<<18, 1), input("z", 1, 1<<18), y, node("Add", "x z", "y"))},
		{name: "vast_gather.onnx", want: "makes", data: model(input("x", 1<<18), y, weight(ints("i", 0)), weight(ints("s", 1<<17, 1<<17)), node("Expand", "i s", "j"), node("Gather", "x j", "y"))},
		{name: "vast_transposed.onnx", want: "", data: model(x, y, weight(zeros("w", 4, 4, 1, 1)), node("ConvTranspose", "x w", "y", attr("strides", []int{1 << 20, 1 << 20})))},
		{name: "vast_conv_pads.onnx", want: "", data: model(x, y, weight(zeros("w", 4, 4, 1, 1)), node("Conv", "x w", "y", attr("pads", []int{1 << 20, 1 << 20, 1 << 20, 1 << 20})))},
		{name: "vast_input.onnx", want: "makes", data: model(input("x", 1, 1<<20, 1<<15), y, node("Relu", "x", "y"))},

		// Constants that make more than they are.
		{name: "bomb_constant_of_shape.onnx", want: "from constants alone", data: model(x, y, weight(ints("s", 1<<30)), node("ConstantOfShape", "s", "c"), node("ReduceMax", "c", "m", attr("keepdims", 0)), node("Add", "x m", "y"))},
		{name: "bomb_expand.onnx", want: "from constants alone", data: model(x, y, weight(zeros("k", 1)), weight(ints("s", 1<<29)), node("Expand", "k s", "c"), node("Mul", "c c", "d"), node("ReduceMean", "d", "m", attr("keepdims", 0)), node("Add", "x m", "y"))},
		{name: "bomb_tile.onnx", want: "from constants alone", data: model(x, y, weight(zeros("k", 1)), weight(ints("s", 1<<28)), node("Tile", "k s", "c"), node("ReduceMin", "c", "m", attr("keepdims", 0)), node("Add", "x m", "y"))},
		{name: "bomb_pad.onnx", want: "from constants alone", data: model(x, y, weight(zeros("k", 1)), weight(ints("s", 0, 1<<27)), node("Pad", "k s", "c"), node("ReduceMin", "c", "m", attr("keepdims", 0)), node("Add", "x m", "y"))},
		{name: "bomb_range.onnx", want: "range", data: model(x, y, weight(one("a", 0)), weight(one("b", 1<<40)), weight(one("d", 1)), node("Range", "a b d", "c"), node("Cast", "c", "e", attr("to", typeFloat)), node("ReduceMin", "e", "m", attr("keepdims", 0)), node("Add", "x m", "y"))},
		{name: "bomb_range_0.onnx", want: "range", data: model(x, y, weight(one("a", 0)), weight(one("b", 4)), weight(one("d", 0)), node("Range", "a b d", "c"), node("Cast", "c", "e", attr("to", typeFloat)), node("ReduceMin", "e", "m", attr("keepdims", 0)), node("Add", "x m", "y"))},
		{name: "bomb_matmul.onnx", want: "from constants alone", data: model(x, y, weight(zeros("k", 1)), weight(ints("s", 1<<11, 1<<11)), node("Expand", "k s", "c"), node("MatMul", "c c", "d"), node("ReduceMin", "d", "m", attr("keepdims", 0)), node("Add", "x m", "y"))},
		{name: "bomb_pool.onnx", want: "from constants alone", data: model(x, y, weight(zeros("k", 1)), weight(ints("s", 1, 1, 1<<11, 1<<11)), node("Expand", "k s", "c"), node("MaxPool", "c", "d", attr("kernel_shape", []int{1024, 1024})), node("ReduceMin", "d", "m", attr("keepdims", 0)), node("Add", "x m", "y"))},
		{name: "bomb_shape.onnx", want: "from constants alone", data: model(x, y, weight(ints("k", 16)), weight(ints("s", 1<<29)), node("Expand", "k s", "c"), node("ReduceMax", "c", "m"), node("Concat", "m m", "n", attr("axis", 0)), node("Reshape", "x n", "y"))},
		{name: "bomb_one_hot.onnx", want: "", data: model(x, y, weight(ints("i", 0)), weight(one("d", 1<<40)), weight(ints("v", 0, 1)), node("OneHot", "i d v", "c"), node("Cast", "c", "e", attr("to", typeFloat)), node("ReduceMin", "e", "m", attr("keepdims", 0)), node("Add", "x m", "y"))},
		{name: "bomb_doubled.onnx", want: "from constants alone", data: model(x, y, weight(zeros("v0", 1)), doubling("Concat", 29, attr("axis", 0)), node("ReduceMin", "v29", "m", attr("keepdims", 0)), node("Add", "x m", "y"))},

		// Indices and shapes that point nowhere.
		{name: "gather_far.onnx", want: "index", data: model(x, y, weight(ints("i", 1<<40)), node("Gather", "x i", "y"))},
		{name: "reshape_overflow.onnx", want: "shape", data: model(x, y, weight(ints("s", 1<<32, 1<<32)), node("Reshape", "x s", "y"))},
		{name: "reshape_two_open.onnx", want: "at most one -1", data: model(x, y, weight(ints("s", -1, -1)), node("Reshape", "x s", "y"))},
		{name: "reshape_input.onnx", want: "a constant wanted", data: model(input("x", 4), y, node("Cast", "x", "s", attr("to", typeInt64)), node("Reshape", "x s", "y"))},
		{name: "unsqueeze_rank.onnx", want: "", data: model(x, y, weight(ints("a", count(100)...)), node("Unsqueeze", "x a", "y"))},
		{name: "split_uneven.onnx", want: "", data: model(x, y, weight(ints("s", 1<<40, -1<<40)), node("Split", "x s", "y z", attr("axis", 1)))},
		{name: "loop.onnx.onnx", want: "", data: model(x, y, weight(one("n", 1<<40)), node("Loop", "n x", "y", nested(1)))},

		// More operations than are searched.
		{name: "operations_20000.onnx", want: "operations", data: Large("convolutions", 20000)},
		{name: "operations_100000.onnx", want: "", data: Large("sigmoids", 100000)},
		{name: "operands_100000.onnx", want: "operations", data: Large("addition", 100000)},
	}
}

// fields is a node whose names may be empty.
func fields(op string, in []string, out string) message {
	var m message
	for _, x := range in {
		m = append(m, field(1, x)...)
	}
	return field(1, all(m, field(2, out), field(4, op)))
}

func scales(v ...float32) message {
	m := tensor("s", typeFloat, len(v))
	for _, x := range v {
		m = append(m, field(4, x)...)
	}
	return m
}

// one is a scalar of int64.
func one(name string, v int) message { return all(tensor(name, typeInt64), field(7, v)) }

func count(n int) (list []int) {
	for i := range n {
		list = append(list, i)
	}
	return list
}

// doubled is a model whose value v0 is twice as large after each node.
func doubled(op string, times int, attrs ...message) message {
	return model(input("v0", 1, 4, 8, 8), doubling(op, times, attrs...), output(fmt.Sprintf("v%d", times)))
}

func doubling(op string, times int, attrs ...message) (m message) {
	for i := range times {
		m = append(m, node(op, fmt.Sprintf("v%d v%d", i, i), fmt.Sprintf("v%d", i+1), attrs...)...)
	}
	return m
}

// texts are graphs as text.
func texts() []file {
	return []file{
		{name: "empty.graph", want: "", data: nil},
		{name: "noise.graph", want: "", data: noise(4096)},
		{name: "line.graph", want: "", data: bytes.Repeat([]byte{'a'}, 1<<20)},
		{name: "number.graph", want: "", data: []byte("graph \"g\"\n%0 \"x\" = input float32 99999999999999999999x1\noutput \"y\" = %0\n")},
		{name: "extent.graph", want: "", data: []byte("graph \"g\"\n%0 \"x\" = input float32 4611686018427387904x4611686018427387904\n%1 \"y\" = Relu(%0) -> float32 1\noutput \"y\" = %1\n")},
		{name: "itself.graph", want: "", data: []byte("graph \"g\"\n%0 \"x\" = input float32 1\n%1 \"y\" = Relu(%1) -> float32 1\noutput \"y\" = %1\n")},
		{name: "shape.graph", want: "", data: []byte("graph \"g\"\n%0 \"x\" = input float32 1\n%1 \"y\" = Tile(%0) {repeats=[1073741824]} -> float32 1073741825\noutput \"y\" = %1\n")},
		{name: "bomb.graph", want: "from constants alone", data: []byte("graph \"g\"\n%0 \"x\" = input float32 1\n%1 \"c\" = const float32 1 [1]\n%2 \"t\" = Tile(%1) {repeats=[1073741824]} -> float32 1073741824\n%3 \"m\" = ReduceMean(%2) {axes=[0] keepdims=1} -> float32 1\n%4 \"y\" = Add(%0, %3) -> float32 1\noutput \"y\" = %4\n")},
	}
}
