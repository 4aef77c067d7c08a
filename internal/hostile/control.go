package hostile

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// controls are models whose graphs in graphs and functions have no end, or a far one.
func controls() []file {
	scalar := func(name string, typ int) message {
		return field(11, all(field(1, name), field(2, field(1, all(field(1, typ), field(2, message{}))))))
	}
	const typeBool = 9
	body := func(nodes ...message) message {
		return typed("body", attrGraph, field(graphField, all(scalar("i", typeInt64), scalar("c", typeBool), valueOf(11, "a"), all(nodes...), output("c"), output("b"))))
	}
	relu := node("Relu", "a", "b")
	loops := relu
	for range 8 {
		loops = node("Loop", "m m2 a", "b", body(loops))
	}
	trips := func(n int) message {
		return all(weight(ints("m", n)), weight(all(tensor("m2", typeBool), field(9, "\x01"))))
	}
	return []file{
		{name: "loop_vast.onnx", want: "at most 10000 wanted", data: model(x, y, trips(1<<62), node("Loop", "m m2 x", "y", body(node("Identity", "a", "b"))))},
		{name: "loop_operations.onnx", want: "more than 10000 operations", data: model(x, y, trips(9000), node("Loop", "m m2 x", "y", body(node("Relu", "a", "b0"), node("Relu", "b0", "b"))))},
		{name: "loop_in_loop.onnx", want: "", data: model(x, y, trips(9000), node("Identity", "x", "a"), loops, node("Identity", "b", "y"))},
		{name: "loop_negative.onnx", want: "no layer computes a value", data: model(x, y, trips(-5), node("Loop", "m m2", "y", typed("body", attrGraph, field(graphField, all(scalar("i", typeInt64), scalar("c", typeBool), node("Relu", "x", "s"), output("c"), output("s"))))))},
		{name: "loop_no_body.onnx", want: "body", data: model(x, y, trips(2), node("Loop", "m m2 x", "y"))},
		{name: "if_no_branch.onnx", want: "branch", data: model(x, y, trips(2), node("If", "m2", "y"))},
		{name: "if_empty.onnx", want: "made by no node", data: model(x, y, trips(2), node("If", "m2", "y", typed("then_branch", attrGraph, field(graphField, output("q"))), typed("else_branch", attrGraph, field(graphField, output("q")))))},
		{name: "if_inputs.onnx", want: "depends on the model's inputs", data: model(scalar("x", typeBool), y, node("If", "x", "y"))},
		{name: "scan_vast.onnx", want: "steps", data: model(valueOf(11, "s", 1<<30, 1), y, node("Scan", "s", "y", attr("num_scan_inputs", 1), typed("body", attrGraph, field(graphField, all(valueOf(11, "e"), node("Relu", "e", "o"), output("o"))))))},
		{name: "function_itself.onnx", want: "the function calls itself", data: all(model(x, y, called("f0", "x", "y")), function("f0", called("f0", "a", "b")))},
		{name: "function_twice.onnx", want: "there twice", data: all(model(x, y, called("f0", "x", "y")), function("f0", node("Relu", "a", "b")), function("f0", node("Relu", "a", "b")))},
		{name: "function_doubled.onnx", want: "more than", data: all(model(x, y, called("f0", "x", "y")), twofold(60))},
		{name: "function_deep.onnx", want: "deep wanted", data: all(model(x, y, called("f0", "x", "y")), chained(1000))},
		{name: "function_arity.onnx", want: "inputs", data: all(model(x, y, called("f0", "x x x", "y")), function("f0", node("Relu", "a", "b")))},
		{name: "functions_empty.onnx", want: "", data: all(model(x, y, node("Relu", "x", "y")), message(repeated(25, 1<<17)))},
		{name: "value_infos_empty.onnx", want: "", data: model(x, y, node("Relu", "x", "y"), message(repeated(13, 1<<17)))},
	}
}

// repeated is an empty message so often.
func repeated(num, n int) (m message) {
	one := field(protowire.Number(num), message{})
	for range n {
		m = append(m, one...)
	}
	return m
}

// valueOf is a float value, of no shape where there are no extents.
func valueOf(num int, name string, dims ...int) message {
	var shape message
	for _, d := range dims {
		shape = append(shape, field(1, field(1, d))...)
	}
	typ := field(1, typeFloat)
	if len(dims) > 0 {
		typ = all(typ, field(2, shape))
	}
	return field(protowire.Number(num), all(field(1, name), field(2, field(1, typ))))
}

// function is a function of domain "f" from a to b.
func function(name string, nodes ...message) message {
	var body message
	for _, n := range nodes {
		body = append(body, 7<<3|2)
		body = append(body, n[1:]...) // the field of a graph as that of a function
	}
	return field(25, all(field(1, name), field(10, "f"), field(4, "a"), field(5, "b"), field(9, field(2, opset)), body))
}

func called(name, in, out string) message { return node(name, in, out, field(7, "f")) }

// twofold are functions each of which calls the next twice.
func twofold(n int) (m message) {
	for i := range n {
		next := fmt.Sprintf("f%d", i+1)
		m = append(m, function(fmt.Sprintf("f%d", i), called(next, "a", "c"), called(next, "c", "b"))...)
	}
	return append(m, function(fmt.Sprintf("f%d", n), node("Relu", "a", "b"))...)
}

// chained are functions each of which calls the next.
func chained(n int) (m message) {
	for i := range n {
		m = append(m, function(fmt.Sprintf("f%d", i), called(fmt.Sprintf("f%d", i+1), "a", "b"))...)
	}
	return append(m, function(fmt.Sprintf("f%d", n), node("Relu", "a", "b"))...)
}
