package onnx

import (
	"context"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"pimflow/internal/tensor"
)

// model is an ONNX file of the given opset with the GraphProto fields.
func model(opset int, fields ...[]byte) []byte {
	var g []byte
	for _, f := range fields {
		g = append(g, f...)
	}
	m := appendMessage(appendInt(nil, 1, 8), 8, appendInt(nil, 2, uint64(opset)))
	return appendMessage(m, 7, g)
}

// names splits a list of names; _ is the empty one.
func names(list string) []string {
	n := strings.Fields(list)
	for i := range n {
		if n[i] == "_" {
			n[i] = ""
		}
	}
	return n
}

// call is a node without a name; attrs are made by attr.
func call(opType, in, out string, attrs ...[]byte) []byte {
	var b []byte
	for _, s := range names(in) {
		b = appendString(b, 1, s)
	}
	for _, s := range names(out) {
		b = appendString(b, 2, s)
	}
	b = appendString(b, 4, opType)
	for _, a := range attrs {
		b = append(b, a...)
	}
	return appendMessage(nil, 1, b)
}

func attr(name string, v any) []byte {
	if t, ok := v.(*tensor.Tensor); ok {
		b := appendMessage(appendString(nil, 1, name), 5, tensorMessage("", t))
		return appendMessage(nil, 5, appendInt(b, 20, attrTensor))
	}
	return appendMessage(nil, 5, attribute(name, v))
}

// tensorMessage is a TensorProto with raw_data.
func tensorMessage(name string, t *tensor.Tensor) []byte {
	e := &encoder{}
	e.constant(name, t)
	var data strings.Builder
	if err := t.WriteBytes(&data); err != nil {
		panic(err)
	}
	return protowire.AppendString(e.inits[0].head, data.String())
}

func initial(name string, t *tensor.Tensor) []byte {
	return appendMessage(nil, 5, tensorMessage(name, t))
}

func ints(name string, v ...int64) []byte {
	return initial(name, tensor.Ints64(tensor.Shape{len(v)}, v))
}

func floats(name string, v ...float32) []byte {
	return initial(name, tensor.Floats32(tensor.Shape{len(v)}, v))
}

// valueInfo is a ValueInfoProto: an extent is an int, or a string where symbolic.
func valueInfo(num protowire.Number, name string, typ tensor.Type, dims ...any) []byte {
	var shape []byte
	for _, d := range dims {
		switch d := d.(type) {
		case int:
			shape = appendMessage(shape, 1, appendInt(nil, 1, uint64(d)))
		case string:
			shape = appendMessage(shape, 1, appendString(nil, 2, d))
		}
	}
	t := appendMessage(appendInt(nil, 1, uint64(typ)), 2, shape)
	return appendMessage(nil, num, appendMessage(appendString(nil, 1, name), 2, appendMessage(nil, 1, t)))
}

func input(name string, dims ...any) []byte { return valueInfo(11, name, tensor.Float32, dims...) }

// result is an output without a type.
func result(name string) []byte { return appendMessage(nil, 12, appendString(nil, 1, name)) }

// TestLower reads one node on x, of 1x4x5x6, and compares the nodes it becomes.
func TestLower(t *testing.T) {
	i64 := func(v ...int64) []int64 { return v }
	for _, c := range []struct {
		name   string
		opset  int
		fields [][]byte
		want   string // without type and shape where it is one node
	}{
		{"Clip 6", 10, [][]byte{call("Clip", "x", "y", attr("max", float32(6)))}, `Clip(%0) {max=6 min=-3.4028235e+38} -> float32 1x4x5x6`},
		{"Clip 11", 13, [][]byte{initial("lo", tensor.Floats32(tensor.Shape{}, []float32{-1})), call("Clip", "x lo", "y")}, `Clip(%0) {max=3.4028235e+38 min=-1} -> float32 1x4x5x6`},
		{"Dropout", 7, [][]byte{call("Dropout", "x", "d mask", attr("ratio", float32(0.5))), call("Relu", "d", "y")}, `Relu(%0) -> float32 1x4x5x6`},
		{"Dropout 13", 13, [][]byte{floats("r", 0.5), initial("t", filled(tensor.Bool, tensor.Shape{}, 0)), call("Dropout", "x r t", "d"), call("Relu", "d", "y")}, `Relu(%0) -> float32 1x4x5x6`},
		{"Reshape", 13, [][]byte{ints("s", 0, -1, 6), call("Reshape", "x s", "y")}, `Reshape(%0) {shape=[1 20 6]} -> float32 1x20x6`},
		{"Flatten", 13, [][]byte{call("Flatten", "x", "y", attr("axis", int64(-1)))}, `Reshape(%0) {shape=[20 6]} -> float32 20x6`},
		{"Squeeze 1", 11, [][]byte{call("Squeeze", "x", "y", attr("axes", i64(0)))}, `Reshape(%0) {shape=[4 5 6]} -> float32 4x5x6`},
		{"Squeeze 13", 13, [][]byte{call("Squeeze", "x", "y")}, `Reshape(%0) {shape=[4 5 6]} -> float32 4x5x6`},
		{"Unsqueeze 1", 12, [][]byte{call("Unsqueeze", "x", "y", attr("axes", i64(0, 5)))}, `Reshape(%0) {shape=[1 1 4 5 6 1]} -> float32 1x1x4x5x6x1`},
		{"Unsqueeze 13", 13, [][]byte{ints("a", -1), call("Unsqueeze", "x a", "y")}, `Reshape(%0) {shape=[1 4 5 6 1]} -> float32 1x4x5x6x1`},
		{"Transpose", 13, [][]byte{call("Transpose", "x", "y")}, `Transpose(%0) {perm=[3 2 1 0]} -> float32 6x5x4x1`},
		{"Slice 1", 9, [][]byte{call("Slice", "x", "y", attr("starts", i64(1)), attr("ends", i64(-1)), attr("axes", i64(-1)))}, `Slice(%0) {axes=[3] ends=[-1] starts=[1] steps=[1]} -> float32 1x4x5x4`},
		{"Slice 10", 10, [][]byte{ints("s", 4), ints("e", -99), ints("a", 2), ints("k", -2), call("Slice", "x s e a k", "y")}, `Slice(%0) {axes=[2] ends=[-99] starts=[4] steps=[-2]} -> float32 1x4x3x6`},
		{"Pad 2", 10, [][]byte{call("Pad", "x", "y", attr("pads", i64(0, 0, 1, 0, 0, 0, 0, 2)), attr("value", float32(3)))}, `Pad(%0) {mode="constant" pads=[0 0 1 0 0 0 0 2] value=3} -> float32 1x4x6x8`},
		{"Pad 18", 18, [][]byte{ints("p", 1, 2), ints("a", -2), call("Pad", "x p _ a", "y", attr("mode", "edge"))}, `Pad(%0) {mode="edge" pads=[0 0 1 0 0 0 2 0] value=0} -> float32 1x4x8x6`},
		{"Softmax 12 last", 12, [][]byte{call("Softmax", "x", "y", attr("axis", int64(3)))}, `Softmax(%0) {axis=3} -> float32 1x4x5x6`},
		{"Softmax 12", 12, [][]byte{call("Softmax", "x", "y")}, `Reshape(%0) {shape=[1 120]} -> float32 1x120; Softmax(%1) {axis=1} -> float32 1x120; Reshape(%2) {shape=[1 4 5 6]} -> float32 1x4x5x6`},
		{"Softmax 13", 13, [][]byte{call("Softmax", "x", "y")}, `Softmax(%0) {axis=3} -> float32 1x4x5x6`},
		{"ReduceMean 17", 17, [][]byte{call("ReduceMean", "x", "y", attr("axes", i64(-1, 2)), attr("keepdims", int64(0)))}, `ReduceMean(%0) {axes=[2 3] keepdims=0} -> float32 1x4`},
		{"ReduceMean 18", 18, [][]byte{ints("a", 2, -1), call("ReduceMean", "x a", "y", attr("keepdims", int64(0)))}, `ReduceMean(%0) {axes=[2 3] keepdims=0} -> float32 1x4`},
		{"ReduceSum 12", 12, [][]byte{call("ReduceSum", "x", "y")}, `ReduceSum(%0) {axes=[0 1 2 3] keepdims=1} -> float32 1x1x1x1`},
		{"ReduceMax 18 noop", 18, [][]byte{call("ReduceMax", "x", "m", attr("noop_with_empty_axes", int64(1))), call("Relu", "m", "y")}, `Relu(%0) -> float32 1x4x5x6`},
		{"Split 2", 11, [][]byte{call("Split", "x", "a y", attr("axis", int64(1)), attr("split", i64(1, 3)))}, `Slice(%0) {axes=[1] ends=[1] starts=[0] steps=[1]} -> float32 1x1x5x6; Slice(%0) {axes=[1] ends=[4] starts=[1] steps=[1]} -> float32 1x3x5x6`},
		{"Split 18", 18, [][]byte{call("Split", "x", "a y", attr("axis", int64(2)), attr("num_outputs", int64(2)))}, `Slice(%0) {axes=[2] ends=[3] starts=[0] steps=[1]} -> float32 1x4x3x6; Slice(%0) {axes=[2] ends=[5] starts=[3] steps=[1]} -> float32 1x4x2x6`},
		{"Sum", 13, [][]byte{call("Sum", "x x x", "y")}, `Add(%0, %0) -> float32 1x4x5x6; Add(%1, %0) -> float32 1x4x5x6`},
		{"Mean", 13, [][]byte{call("Mean", "x x", "y")}, `Add(%0, %0) -> float32 1x4x5x6; const float32 scalar [2]; Div(%1, %2) -> float32 1x4x5x6`},
		{"Max of one", 13, [][]byte{call("Max", "x", "m"), call("Relu", "m", "y")}, `Relu(%0) -> float32 1x4x5x6`},
		{"SAME_UPPER", 13, [][]byte{call("MaxPool", "x", "y", attr("kernel_shape", i64(2, 4)), attr("strides", i64(2, 2)), attr("auto_pad", "SAME_UPPER"))}, `MaxPool(%0) {ceil_mode=0 dilations=[1 1] kernel_shape=[2 4] pads=[0 1 1 1] strides=[2 2]} -> float32 1x4x3x3`},
		{"SAME_LOWER", 13, [][]byte{call("MaxPool", "x", "y", attr("kernel_shape", i64(2, 4)), attr("strides", i64(2, 2)), attr("auto_pad", "SAME_LOWER"))}, `MaxPool(%0) {ceil_mode=0 dilations=[1 1] kernel_shape=[2 4] pads=[1 1 0 1] strides=[2 2]} -> float32 1x4x3x3`},
		{"VALID", 13, [][]byte{call("AveragePool", "x", "y", attr("kernel_shape", i64(2, 2)), attr("auto_pad", "VALID"))}, `AveragePool(%0) {ceil_mode=0 count_include_pad=0 dilations=[1 1] kernel_shape=[2 2] pads=[0 0 0 0] strides=[1 1]} -> float32 1x4x4x5`},
		{"Conv", 13, [][]byte{initial("w", tensor.New(tensor.Float32, tensor.Shape{2, 2, 1, 1})), call("Conv", "x w", "y", attr("group", int64(2)))}, `const float32 2x2x1x1 [0 0 0 0]; Conv(%0, %1) {dilations=[1 1] group=2 kernel_shape=[1 1] pads=[0 0 0 0] strides=[1 1]} -> float32 1x2x5x6`},
		{"ConvTranspose", 13, [][]byte{initial("w", tensor.New(tensor.Float32, tensor.Shape{4, 1, 1, 2})), call("ConvTranspose", "x w", "y", attr("strides", i64(2, 1)), attr("output_shape", i64(10, 6)))},
			`const float32 4x1x1x2 [0 0 0 0 0 0 0 0]; ConvTranspose(%0, %1) {dilations=[1 1] group=1 kernel_shape=[1 2] output_padding=[1 0] pads=[0 1 0 0] strides=[2 1]} -> float32 1x1x10x6`},
		{"Upsample 7", 8, [][]byte{call("Upsample", "x", "y", attr("scales", []float32{1, 1, 2, 1.5}))}, `Resize(%0) {antialias=0 coordinate_transformation_mode="asymmetric" cubic_coeff_a=-0.75 exclude_outside=0 extrapolation_value=0 mode="nearest" nearest_mode="floor" roi=[] scales=[1 1 2 1.5] sizes=[1 4 10 9]} -> float32 1x4x10x9`},
		{"Upsample 9", 9, [][]byte{floats("s", 1, 1, 2, 2), call("Upsample", "x s", "y", attr("mode", "linear"))}, `Resize(%0) {antialias=0 coordinate_transformation_mode="asymmetric" cubic_coeff_a=-0.75 exclude_outside=0 extrapolation_value=0 mode="linear" nearest_mode="floor" roi=[] scales=[1 1 2 2] sizes=[1 4 10 12]} -> float32 1x4x10x12`},
		{"Resize 10", 10, [][]byte{floats("s", 1, 1, 0.6, 0.5), call("Resize", "x s", "y")}, `Resize(%0) {antialias=0 coordinate_transformation_mode="asymmetric" cubic_coeff_a=-0.75 exclude_outside=0 extrapolation_value=0 mode="nearest" nearest_mode="ceil" roi=[] scales=[1 1 0.6 0.5] sizes=[1 4 3 3]} -> float32 1x4x3x3`},
		{"Resize 11", 11, [][]byte{floats("roi"), floats("s"), ints("z", 1, 4, 7, 7), call("Resize", "x roi s z", "y", attr("mode", "linear"))}, `Resize(%0) {antialias=0 coordinate_transformation_mode="half_pixel" cubic_coeff_a=-0.75 exclude_outside=0 extrapolation_value=0 mode="linear" nearest_mode="round_prefer_floor" roi=[] scales=[] sizes=[1 4 7 7]} -> float32 1x4x7x7`},
		{"Resize 18 axes", 18, [][]byte{floats("s", 2), call("Resize", "x _ s", "y", attr("axes", i64(-1)))}, `Resize(%0) {antialias=0 coordinate_transformation_mode="half_pixel" cubic_coeff_a=-0.75 exclude_outside=0 extrapolation_value=0 mode="nearest" nearest_mode="round_prefer_floor" roi=[] scales=[1 1 1 2] sizes=[1 4 5 12]} -> float32 1x4x5x12`},
		{"Resize 18 policy", 18, [][]byte{ints("z", 10, 9), call("Resize", "x _ _ z", "y", attr("axes", i64(2, 3)), attr("keep_aspect_ratio_policy", "not_larger"))}, `Resize(%0) {antialias=0 coordinate_transformation_mode="half_pixel" cubic_coeff_a=-0.75 exclude_outside=0 extrapolation_value=0 mode="nearest" nearest_mode="round_prefer_floor" roi=[] scales=[1 1 1.5 1.5] sizes=[1 4 8 9]} -> float32 1x4x8x9`},
		{"Expand", 13, [][]byte{ints("s", 2, 1, 1, 1), call("Expand", "x s", "y")}, `Expand(%0) {shape=[2 4 5 6]} -> float32 2x4x5x6`},
		{"Identity of a constant", 13, [][]byte{ints("k", 5), call("Identity", "k", "y")}, `const int64 1 [5]`},
		{"Constant", 13, [][]byte{call("Constant", "", "y", attr("value_floats", []float32{1, 2}))}, `const float32 2 [1 2]`},
		{"Constant tensor", 13, [][]byte{call("Constant", "", "y", attr("value", filled(tensor.Int32, tensor.Shape{2}, 3)))}, `const int32 2 [3 3]`},
		{"ConstantOfShape", 13, [][]byte{ints("s", 2, 1), call("ConstantOfShape", "s", "y", attr("value", filled(tensor.Int64, tensor.Shape{1}, 7)))}, `const int64 2x1 [7 7]`},
		{"Range", 13, [][]byte{call("Constant", "", "a", attr("value_int", int64(9))), call("Constant", "", "b", attr("value_int", int64(2))), call("Constant", "", "c", attr("value_int", int64(-3))), call("Range", "a b c", "y")}, `const int64 3 [9 6 3]`},
		{"Shape 15", 15, [][]byte{call("Shape", "x", "y", attr("start", int64(-3)), attr("end", int64(-1)))}, `const int64 2 [4 5]`},
		{"Size", 13, [][]byte{call("Size", "x", "y")}, `const int64 scalar [120]`},
		{"shape arithmetic", 13, [][]byte{
			call("Shape", "x", "s"), ints("i2", 2), ints("i0", 0), ints("two", 2), ints("m1", -1),
			call("Gather", "s i2", "h"), call("Mul", "h two", "h2"), call("Div", "h2 two", "h3"), call("Sub", "h3 m1", "h4"), call("Add", "h4 m1", "h5"),
			call("Cast", "h5", "h6", attr("to", int64(tensor.Float32))), call("Floor", "h6", "h7"), call("Cast", "h7", "h8", attr("to", int64(tensor.Int64))),
			call("Slice", "s i0 two", "nc"), call("Concat", "nc h8 m1", "shape", attr("axis", int64(0))), call("Reshape", "x shape", "y"),
		}, `Reshape(%0) {shape=[1 4 5 6]} -> float32 1x4x5x6`},
		{"GroupNormalization 18", 18, [][]byte{floats("k", 1, 2), call("GroupNormalization", "x k k", "y", attr("num_groups", int64(2)))},
			`Reshape(%0) {shape=[1 2 60]} -> float32 1x2x60; const float32 2 [1 2]; InstanceNormalization(%1, %2, %2) {epsilon=1e-05} -> float32 1x2x60; Reshape(%3) {shape=[1 4 5 6]} -> float32 1x4x5x6`},
		{"GroupNormalization 21", 21, [][]byte{floats("k", 1, 2, 3, 4), call("GroupNormalization", "x k k", "y", attr("num_groups", int64(2)))},
			`Reshape(%0) {shape=[1 2 60]} -> float32 1x2x60; const float32 2 [1 1]; const float32 2 [0 0]; InstanceNormalization(%1, %2, %3) {epsilon=1e-05} -> float32 1x2x60; Reshape(%4) {shape=[1 4 5 6]} -> float32 1x4x5x6; ` +
				`const float32 4x1x1 [1 2 3 4]; Mul(%5, %6) -> float32 1x4x5x6; const float32 4x1x1 [1 2 3 4]; Add(%7, %8) -> float32 1x4x5x6`},
		{"Swish 24", 24, [][]byte{call("Swish", "x", "y", attr("alpha", float32(2)))}, `Swish(%0) {alpha=2} -> float32 1x4x5x6`},
		{"Gelu 20", 20, [][]byte{call("Gelu", "x", "y", attr("approximate", "tanh"))}, `Gelu(%0) {approximate="tanh"} -> float32 1x4x5x6`},
		{"BatchNormalization 7", 7, [][]byte{floats("k", 1, 1, 1, 1), call("BatchNormalization", "x k k k k", "y", attr("momentum", float32(0.9)), attr("spatial", int64(1)))},
			`const float32 4 [1 1 1 1]; BatchNormalization(%0, %1, %1, %1, %1) {epsilon=1e-05} -> float32 1x4x5x6`},
		{"order", 13, [][]byte{call("Relu", "b", "y"), call("Exp", "x", "a"), call("Neg", "a", "b")}, `Exp(%0) -> float32 1x4x5x6; Neg(%1) -> float32 1x4x5x6; Relu(%2) -> float32 1x4x5x6`},
	} {
		if s := lowered(t, model(c.opset, append(c.fields, input("x", 1, 4, 5, 6), result("y"))...)); s != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, s, c.want)
		}
	}
}

// lowered lists the constants and the operations that a model becomes, without their names, or is the error.
func lowered(t *testing.T, file []byte) string {
	f := &File{}
	if err := f.decode(context.Background(), memory(file), "g", Options{}, nil); err != nil {
		return err.Error()
	}
	var list []string
	for _, line := range strings.Split(text(t, f.Graph), "\n") {
		_, node, ok := strings.Cut(line, " = ")
		if ok && line[0] == '%' && !strings.HasPrefix(node, "input") {
			list = append(list, node)
		}
	}
	return strings.Join(list, "; ")
}
