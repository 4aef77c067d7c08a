package hostile

import (
	"fmt"
	"strings"
)

// names are graphs whose names do not fit together.
func names() []file {
	return []file{
		{name: "no_nodes.onnx", want: `output "y" is made by no node`, data: model(x, y)},
		{name: "no_output.onnx", want: "has no output", data: model(x, node("Relu", "x", "y"))},
		{name: "output_twice.onnx", want: "is there twice", data: model(x, y, y, node("Relu", "x", "y"))},
		{name: "input_twice.onnx", want: "is there twice", data: model(x, x, y, node("Relu", "x", "y"))},
		{name: "input_unnamed.onnx", want: "has no name", data: model(input("", 1), y, node("Relu", "x", "y"))},
		{name: "initializer_twice.onnx", want: "is there twice", data: model(x, y, weight(ints("s", 1)), weight(ints("s", 1)), node("Relu", "x", "y"))},
		{name: "value_twice.onnx", want: "makes \"y\"", data: model(x, y, node("Relu", "x", "y"), node("Exp", "x", "y"))},
		{name: "makes_input.onnx", want: "which is an input or initializer", data: model(x, y, node("Relu", "x", "x"), node("Relu", "x", "y"))},
		{name: "unmade.onnx", want: "which nothing makes", data: model(x, y, node("Relu", "nothing", "y"))},
		{name: "cycle_1.onnx", want: "is in a cycle", data: model(x, y, node("Add", "x y", "y"))},
		{name: "cycle_2.onnx", want: "is in a cycle", data: model(x, y, node("Add", "x z", "y"), node("Relu", "y", "z"))},
		{name: "cycle_1000.onnx", want: "is in a cycle", data: ring(1000)},
		{name: "operator.onnx", want: "", data: model(x, y, node("Frobnicate", "x", "y"))},
		{name: "operator_none.onnx", want: "", data: model(x, y, node("", "x", "y"))},
		{name: "operator_10_MB.onnx", want: "", data: model(x, y, node(strings.Repeat("Relu", 10<<18), "x", "y"))},
		{name: "input_10_MB.onnx", want: "which nothing makes", data: model(x, y, node("Relu", strings.Repeat("x", 10<<20), "y"))},
		{name: "attribute_10_MB.onnx", want: "attribute", data: model(x, y, node("Relu", "x", "y", attr(strings.Repeat("a", 10<<20), 1)))},
		{name: "domain.onnx", want: "domain", data: model(x, y, field(1, all(field(1, "x"), field(2, "y"), field(4, "Relu"), field(7, "org.example"))))},
		{name: "escapes.onnx", want: "", data: model(x, y, node("Rel\x1b[31m\n\x00u", "x", "y"))},
		{name: "operands_none.onnx", want: "inputs", data: model(x, y, node("Conv", "", "y"))},
		{name: "operands_many.onnx", want: "inputs", data: model(x, y, node("Relu", strings.Repeat("x ", 100000), "y"))},
		{name: "outputs_many.onnx", want: "", data: model(x, y, node("Split", "x", "y "+numbered("v", 1<<16), attr("axis", 1)))},
	}
}

func ring(n int) message {
	m := all(x, output("v0"))
	for i := range n {
		m = append(m, node("Add", fmt.Sprintf("x v%d", (i+1)%n), fmt.Sprintf("v%d", i))...)
	}
	return model(m)
}

// numbered is n names with spaces.
func numbered(name string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%s%d ", name, i)
	}
	return b.String()
}

// attributes are nodes with attributes of the wrong type or value.
func attributes() []file {
	return append(wrongTypes(), []file{
		{name: "attr_unknown.onnx", want: `attribute "frobs" is not known`, data: model(x, y, node("Relu", "x", "y", attr("frobs", 1)))},
		{name: "attr_twice.onnx", want: "is there twice", data: model(x, y, node("Elu", "x", "y", attr("alpha", float32(1)), attr("alpha", float32(2))))},
		{name: "attr_type_99.onnx", want: "alpha", data: model(x, y, node("Elu", "x", "y", typed("alpha", 99, field(floatField, float32(1)))))},
		{name: "attr_no_tensor.onnx", want: "no tensor in it", data: model(x, y, node("Constant", "", "y", typed("value", attrTensor, nil)))},
		{name: "attr_reference.onnx", want: "is that of a function", data: model(x, y, node("Elu", "x", "y", field(5, all(field(1, "alpha"), field(21, "a")))))},
		{name: "strides_0.onnx", want: "strides", data: pool(attr("kernel_shape", []int{2, 2}), attr("strides", []int{0, 0}))},
		{name: "strides_many.onnx", want: "strides", data: pool(attr("kernel_shape", []int{2, 2}), attr("strides", make([]int, 100000)))},
		{name: "kernel_negative.onnx", want: "kernel_shape", data: pool(attr("kernel_shape", []int{-2, -2}))},
		{name: "kernel_vast.onnx", want: "kernel", data: pool(attr("kernel_shape", []int{1 << 31, 1 << 31}))},
		{name: "pads_vast.onnx", want: "pads", data: pool(attr("kernel_shape", []int{2, 2}), attr("pads", []int{1 << 62, 1 << 62, 1 << 62, 1 << 62}))},
		{name: "group_0.onnx", want: "group", data: model(x, y, weight(zeros("w", 4, 4, 1, 1)), node("Conv", "x w", "y", attr("group", 0)))},
		{name: "axis_vast.onnx", want: "axis", data: model(x, y, node("Softmax", "x", "y", attr("axis", 1<<40)))},
		{name: "perm_wrong.onnx", want: "perm", data: model(x, y, node("Transpose", "x", "y", attr("perm", []int{0, 0, 0, 0})))},
		{name: "blocksize_vast.onnx", want: "blocksize", data: model(x, y, node("DepthToSpace", "x", "y", attr("blocksize", 1<<31)))},
		{name: "blocksize_0.onnx", want: "blocksize", data: model(x, y, node("DepthToSpace", "x", "y", attr("blocksize", 0)))},
		{name: "steps_0.onnx", want: "step", data: model(x, y, weight(ints("a", 0)), weight(ints("b", 1)), node("Slice", "x a b a a", "y"))},
	}...)
}

func pool(attrs ...message) message { return model(x, y, node("MaxPool", "x", "y", attrs...)) }

// wrongTypes are attributes that say they are of a type that they may not have.
func wrongTypes() (list []file) {
	for _, c := range []struct {
		op, attr string
		value    any
	}{
		{"Conv", "strides", 2}, {"Conv", "pads", "SAME"}, {"Conv", "dilations", float32(1)}, {"Conv", "group", []int{1}}, {"Conv", "auto_pad", 1}, {"Conv", "kernel_shape", zeros("k", 2)},
		{"MaxPool", "kernel_shape", "3x3"}, {"Gemm", "alpha", 1}, {"Gemm", "transB", "yes"},
		{"Softmax", "axis", []int{1}}, {"Concat", "axis", float32(0)}, {"Cast", "to", "float"}, {"Constant", "value", 3}, {"Transpose", "perm", 1}, {"Resize", "mode", 1},
	} {
		m := model(x, y, weight(zeros("w", 4, 4, 1, 1)), node(c.op, operands[c.op], "y", attr(c.attr, c.value)))
		list = append(list, file{name: fmt.Sprintf("type_%s_%s.onnx", c.op, c.attr), want: fmt.Sprintf("attribute %q is ", c.attr), data: m})
	}
	return list
}

// operands are those of a node with wrong attributes.
var operands = map[string]string{"Conv": "x w", "MaxPool": "x", "Gemm": "x w", "Softmax": "x", "Concat": "x x", "Cast": "x", "Transpose": "x", "Resize": "x"}

// tensors are constants that contradict themselves, or are not where they say.
func tensors() []file {
	return append(external(), []file{
		weightFile("raw_short", "12 bytes of raw_data", all(tensor("w", typeFloat, 4), field(9, strings.Repeat("\x00", 12)))),
		weightFile("raw_long", "20 bytes of raw_data", all(tensor("w", typeFloat, 4), field(9, strings.Repeat("\x00", 20)))),
		weightFile("raw_none", "0 values", tensor("w", typeFloat, 4)),
		weightFile("raw_vast", "0 bytes of raw_data", all(tensor("w", typeFloat, 1<<20, 1<<20), field(9, ""))),
		weightFile("dims_overflow", "at most 2^40 values", tensor("w", typeFloat, 1<<32, 1<<32)),
		weightFile("dims_zero_overflow", "at most 2^40 values", tensor("w", typeFloat, 0, 1<<62, 1<<62)),
		weightFile("dims_negative", "extents of 0 or more", tensor("w", typeFloat, 4, -1)),
		weightFile("rank_65", "dimensions", tensor("w", typeFloat, make([]int, 65)...)),
		weightFile("rank_million", "dimensions", tensor("w", typeFloat, make([]int, 1<<20)...)),
		weightFile("type_undefined", "element type undefined", tensor("w", 0, 4)),
		weightFile("type_string", "element type string", tensor("w", 8, 4)),
		weightFile("type_99", "element type number 99", tensor("w", 99, 4)),
		weightFile("count_wrong", "2 values", all(tensor("w", typeInt64, 4), field(7, 1), field(7, 2))),
		weightFile("bool_7", "value 7 in a tensor of bool", all(tensor("w", 9, 1), field(5, 7))),
		weightFile("field_wrong", "0 values", all(tensor("w", typeFloat, 1), field(7, 1))),
		weightFile("segments", "a tensor in segments", all(tensor("w", typeFloat, 1), field(3, message{}))),
		weightFile("location_7", "data_location 7", all(tensor("w", typeFloat, 1), field(14, 7))),
		weightFile("unnamed", "has no name", tensor("", typeFloat, 1)),
		{name: "sparse.onnx", want: "a sparse initializer", data: model(x, y, field(15, message{}), node("Relu", "x", "y"))},
	}...)
}

func weightFile(name, want string, t message) file {
	return file{name: "tensor_" + name + ".onnx", want: want, data: model(x, y, weight(t), node("Add", "x w", "y"))}
}

// external are tensors in other files.
func external() (list []file) {
	for _, c := range []struct {
		name, want string
		entries    []string
	}{
		{"nowhere", "no location", nil},
		{"missing", "no such file", []string{"location", "none.bin"}},
		{"parent", "escapes", []string{"location", "../weights.bin"}},
		{"root", "escapes", []string{"location", "/etc/passwd"}},
		{"folder", "a regular file wanted", []string{"location", "."}},
		{"offset", "at offset 4096", []string{"location", "weights.bin", "offset", "4096"}},
		{"offset_vast", "at offset 9223372036854775807", []string{"location", "weights.bin", "offset", "9223372036854775807"}},
		{"offset_negative", "offset", []string{"location", "weights.bin", "offset", "-4"}},
		{"offset_text", "offset", []string{"location", "weights.bin", "offset", "four"}},
		{"length", "length 8", []string{"location", "weights.bin", "length", "8"}},
		{"pipe", "a regular file wanted", []string{"location", "pipe.onnx"}},
	} {
		t := all(tensor("w", typeFloat, 4), field(14, 1))
		for i := 0; i < len(c.entries); i += 2 {
			t = append(t, field(13, all(field(1, c.entries[i]), field(2, c.entries[i+1])))...)
		}
		list = append(list, weightFile("external_"+c.name, c.want, t))
	}
	return list
}

// inputs are values that the file declares and no model can have.
func inputs() []file {
	return []file{
		{name: "input_negative.onnx", want: "input", data: model(input("x", 1, 4, -5, 8), y, node("Relu", "x", "y"))},
		{name: "input_vast.onnx", want: "at most 2^40 values", data: model(input("x", 1, 1<<62, 1<<62), y, node("Relu", "x", "y"))},
		{name: "input_rank.onnx", want: "dimensions", data: model(input("x", make([]int, 100)...), y, node("Relu", "x", "y"))},
		{name: "input_untyped.onnx", want: "no type", data: model(field(11, field(1, "x")), y, node("Relu", "x", "y"))},
		{name: "input_sequence.onnx", want: "a sequence", data: model(field(11, all(field(1, "x"), field(2, field(4, message{})))), y, node("Relu", "x", "y"))},
		{name: "input_types_deep.onnx", want: "a sequence", data: model(field(11, all(field(1, "x"), field(2, sequences(10000)))), y, node("Relu", "x", "y"))},
		{name: "input_string.onnx", want: "element type string", data: model(field(11, all(field(1, "x"), field(2, field(1, all(field(1, 8), field(2, message{})))))), y, node("Relu", "x", "y"))},
	}
}

func sequences(depth int) message {
	m := message{}
	for range depth {
		m = field(4, field(1, m))
	}
	return m
}
