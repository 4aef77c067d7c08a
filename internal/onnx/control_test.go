package onnx

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pimflow/internal/tensor"
)

// graphAttr is an attribute that is a graph of the fields.
func graphAttr(name string, fields ...[]byte) []byte {
	b := appendMessage(appendString(nil, 1, name), 6, slices.Concat(fields...))
	return appendMessage(nil, 5, appendInt(b, 20, attrGraph))
}

// function is a FunctionProto of domain "f" whose nodes are of opset 13; inner are other fields.
func function(name, in, out string, inner ...[]byte) []byte {
	b := appendString(appendString(nil, 1, name), 10, "f")
	for _, s := range names(in) {
		b = appendString(b, 4, s)
	}
	for _, s := range names(out) {
		b = appendString(b, 5, s)
	}
	b = appendMessage(b, 9, appendInt(nil, 2, 13))
	return appendMessage(nil, 25, append(b, slices.Concat(inner...)...))
}

// of is the field of a function that is a node.
func of(node []byte) []byte { return append([]byte{7<<3 | 2}, node[1:]...) }

// calls is a node that calls a function.
func calls(name, in, out string, attrs ...[]byte) []byte {
	return call(name, in, out, append(attrs, appendString(nil, 7, "f"))...)
}

// ref is an attribute that is another one of the function.
func ref(name, of string, typ uint64) []byte {
	return appendMessage(nil, 5, appendInt(appendString(appendString(nil, 1, name), 21, of), 20, typ))
}

func flagOf(name string, v int64) []byte {
	return initial(name, filled(tensor.Bool, tensor.Shape{}, float64(v)))
}

// TestControl reads graphs in graphs and functions, and wants the operations that they come to, or the error.
func TestControl(t *testing.T) {
	x, y := input("x", 2, 3), result("y")
	branches := [][]byte{
		graphAttr("then_branch", call("Relu", "x", "t"), result("t")),
		graphAttr("else_branch", call("NoSuch", "x", "e"), result("e")),
	}
	// The body adds the number of the step to what is carried, and keeps what it had.
	body := graphAttr("body", valueInfo(11, "i", tensor.Int64), valueInfo(11, "c", tensor.Bool), input("a"),
		call("Cast", "i", "f", attr("to", int64(1))), call("Add", "a f", "b"), call("Identity", "c", "c2"), call("Identity", "b", "s"), result("c2"), result("b"), result("s"))
	// The condition ends it after the step that makes i = 1.
	ends := graphAttr("body", valueInfo(11, "i", tensor.Int64), valueInfo(11, "c", tensor.Bool), input("a"),
		call("Less", "i one", "c2"), call("Exp", "a", "b"), result("c2"), result("b"))
	idle := graphAttr("body", valueInfo(11, "i", tensor.Int64), valueInfo(11, "c", tensor.Bool), input("a"), result("c"), result("a"))
	leaky := function("leaky", "a", "b", of(call("LeakyRelu", "a", "b", ref("alpha", "slope", attrFloat))), appendString(nil, 6, "slope"))
	or1 := function("bias", "a k", "b", of(call("Clip", "a k", "b")))
	for _, c := range []struct {
		name   string
		want   string
		fields [][]byte
		funcs  [][]byte
	}{
		{"then", "Relu(x)", [][]byte{x, y, flagOf("c", 1), call("If", "c", "y", branches...)}, nil},
		{"else", `1 operator is not supported: NoSuch, which ONNX does not have, (1); --until VALUE takes the network up to a value`, [][]byte{x, y, flagOf("c", 0), call("If", "c", "y", branches...)}, nil},
		{"by shape", "Relu(x)", [][]byte{x, y, ints("three", 3), ints("one", 1), call("Shape", "x", "s"), call("Gather", "s one", "w"), call("Equal", "w three", "c"), call("If", "c", "y", branches...)}, nil},
		{"hidden", "Exp(x) Neg(x)", [][]byte{x, y, flagOf("c", 1), call("Exp", "x", "t"),
			call("If", "c", "z", graphAttr("then_branch", call("Neg", "x", "t"), result("t")), graphAttr("else_branch")), call("Identity", "z", "y")}, nil},
		{"inner reads late", "Exp(x) Relu(z)", [][]byte{x, y, flagOf("c", 1), // z is made after the If in the file
			call("If", "c", "y", graphAttr("then_branch", call("Relu", "z", "t"), result("t")), graphAttr("else_branch")), call("Exp", "x", "z")}, nil},
		{"loop", "Add(x 0) Add(b 1) Reshape(b) Reshape(b_1) Concat(l/Reshape l/Reshape_1)",
			[][]byte{x, result("l"), y, ints("m", 2), call("Loop", "m _ x", "l y", body)}, nil},
		{"loop until", "Exp(x) Exp(b)", [][]byte{x, y, ints("m", 1<<62), ints("one", 1), call("Loop", "m _ x", "y", ends)}, nil},
		{"loop of none", "", [][]byte{x, y, ints("m", 0), call("Loop", "m _ x", "y", ends)}, nil},
		{"loop without end", `node "y" (Loop): steps without end: at most 10000 wanted`, [][]byte{x, y, call("Loop", "_ _ x", "y", idle)}, nil},
		{"loop of many", `node "y" (Loop): up to 4611686018427387904 steps: at most 10000 wanted`, [][]byte{x, y, ints("m", 1<<62), call("Loop", "m _ x", "y", idle)}, nil},
		{"loop on inputs", `node "y" (Loop): M (input 0, "m") depends on the model's inputs: a constant wanted`, [][]byte{x, y, valueInfo(11, "m", tensor.Int64), call("Loop", "m _ x", "y", ends)}, nil},
		{"loop of none with rows", "Concat(z l/none_0)", [][]byte{x, input("z", 2, 2, 3), result("l"), y, ints("m", 0), call("Loop", "m _ x", "l rows", body), call("Concat", "z rows", "y", attr("axis", int64(0)))}, nil},
		{"none of its rows are read", "", [][]byte{x, y, ints("m", 0), call("Loop", "m _ x", "y", graphAttr("body", valueInfo(11, "i", tensor.Int64), valueInfo(11, "c", tensor.Bool), input("a"), call("NoSuch", "a", "s"), result("c"), result("a"), result("s")))}, nil},
		{"function", "LeakyRelu(x) {0.25} LeakyRelu(x) {0.5}", [][]byte{x, y, result("z"), calls("leaky", "x", "y", attr("slope", float32(0.25))), calls("leaky", "x", "z", attr("slope", float32(0.5)))}, [][]byte{leaky}},
		{"left out", "LeakyRelu(x) {0.01}", [][]byte{x, y, calls("leaky", "x", "y")}, [][]byte{leaky}},
		{"default", "LeakyRelu(x) {0.125}", [][]byte{x, y, calls("d", "x", "y")}, [][]byte{function("d", "a", "b",
			of(call("LeakyRelu", "a", "b", ref("alpha", "slope", attrFloat))), appendMessage(nil, 11, attribute("slope", float32(0.125))))}},
		{"optional input", "Clip(x)", [][]byte{x, y, calls("bias", "x", "y")}, [][]byte{or1}},
		{"names of its own", `node "y" (g): node "b" (Relu) reads "x", which nothing makes`, [][]byte{x, y, calls("g", "x", "y")}, [][]byte{function("g", "a", "b", of(call("Relu", "x", "b")))}},
		{"no such attribute", `node "y" (leaky): attribute "alpha" is not one of the function`, [][]byte{x, y, calls("leaky", "x", "y", attr("alpha", float32(1)))}, [][]byte{leaky}},
		{"recursive", `node "y" (r): node "b" (q): node "b" (r): the function calls itself`, [][]byte{x, y, calls("r", "x", "y")},
			[][]byte{function("r", "a", "b", of(calls("q", "a", "b"))), function("q", "a", "b", of(calls("r", "a", "b")))}},
		{"twice", `function "r" is there twice`, [][]byte{x, y}, [][]byte{function("r", "a", "b"), function("r", "a", "b")}},
		{"outside", `node "y" (LeakyRelu): attribute "alpha" is that of a function, "slope": a node in a function wanted`, [][]byte{x, y, call("LeakyRelu", "x", "y", ref("alpha", "slope", attrFloat))}, nil},
	} {
		f := &File{}
		got := ""
		if err := f.decode(context.Background(), memory(append(model(17, c.fields...), slices.Concat(c.funcs...)...)), "m", Options{}, nil); err != nil {
			got = err.Error()
		} else {
			for _, nd := range f.Graph.Nodes {
				if nd.Op == nil {
					continue
				}
				var in []string
				for _, id := range nd.In {
					if v := f.Graph.Nodes[id].Const; v != nil && v.Type.Float() && v.Shape.Size() == 1 {
						in = append(in, fmt.Sprint(v.Floats()[0]))
					} else {
						in = append(in, f.Graph.Nodes[id].Name)
					}
				}
				got += fmt.Sprintf(" %s(%s)", nd.Op.Name, strings.Join(in, " "))
				if nd.Op.Name == "LeakyRelu" {
					got += fmt.Sprintf(" {%v}", nd.Attrs["alpha"])
				}
			}
			got = strings.TrimSpace(got)
		}
		if got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

// TestWrittenOut: functions that call functions twice, and loops in loops, are refused before they take long.
func TestWrittenOut(t *testing.T) {
	x, y := input("x", 2, 3), result("y")
	var funcs []byte
	for i := range 40 {
		next := fmt.Sprintf("f%d", i+1)
		funcs = append(funcs, function(fmt.Sprintf("f%d", i), "a", "b", of(calls(next, "a", "c")), of(calls(next, "c", "b")))...)
	}
	funcs = append(funcs, function("f40", "a", "b", of(call("Identity", "a", "b")))...)
	loop := call("Identity", "a", "b")
	for range 6 {
		loop = call("Loop", "m _ a", "b", graphAttr("body", valueInfo(11, "i", tensor.Int64), valueInfo(11, "c", tensor.Bool), input("a"), loop, result("c"), result("b")))
	}
	deep := result("x")
	for range 100 {
		deep = call("If", "x", "y", graphAttr("then_branch", deep))
	}
	for _, c := range []struct {
		file []byte
		want string
	}{
		{append(model(13, x, y, calls("f0", "x", "y")), funcs...), "come to more than 262144 nodes and names"},
		{model(13, x, y, ints("m", 5000), call("Identity", "x", "a"), loop, call("Identity", "b", "y")), "come to more than 262144 nodes and names"},
		{model(13, x, deep), "graphs in graphs: at most 16 deep wanted"},
	} {
		err := (&File{}).decode(context.Background(), memory(c.file), "m", Options{}, nil)
		if err == nil || !strings.HasSuffix(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}
