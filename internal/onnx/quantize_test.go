package onnx

import (
	"slices"
	"strings"
	"testing"

	"pimflow/internal/tensor"
)

// TestContributedIntegers reads the operators of com.microsoft on integers, and wants the values of the ONNX operators
// that they stand for.
func TestContributedIntegers(t *testing.T) {
	kernel := func() []byte { return attr("kernel_shape", []int64{2, 2}) }
	axis := func(v int64) []byte { return attr("axis", v) }
	dq := func(x, out string) []byte { return call("DequantizeLinear", x+" s z", out) }
	q := func(x string) []byte { return call("QuantizeLinear", x+" t z", "y") }
	last := func() []byte { return attr("channels_last", int64(1)) }
	turned := func(x, out string) []byte { return call("Transpose", x, out, attr("perm", []int64{0, 3, 1, 2})) }
	back := func(x string) []byte { return call("Transpose", x, "y", attr("perm", []int64{0, 2, 3, 1})) }
	// The zero point is even: halves are rounded alike before and behind its addition. x and m are real numbers; a and n integers that stand for them, w integers of weights, b of a bias.
	given := [][]byte{
		input("x", 1, 2, 3, 4), input("m", 3, 4), floats("s", 0.0625), floats("t", 0.125), ints("z64", 8), call("Cast", "z64", "z", attr("to", int64(2))),
		call("QuantizeLinear", "x s z", "a"), call("QuantizeLinear", "m s z", "n"), call("Transpose", "m", "mt", attr("perm", []int64{1, 0})),
		call("QuantizeLinear", "mt s z", "w"), ints("b64", 5, -90, 700), call("Cast", "b64", "b", attr("to", int64(6))), floats("r", 0.5, -0.25, 1),
		ints("ks", 3, 4, 1, 1), call("Reshape", "n ks", "k"),
	}
	unit := [][]byte{call("Mul", "s s", "u"), ints("o64", 0), call("Cast", "o64", "o", attr("to", int64(6))), call("DequantizeLinear", "b u o", "br")}
	product := [][]byte{dq("n", "nr"), dq("w", "wr"), call("MatMul", "nr wr", "p")}
	seen := map[string]bool{}
	for _, c := range []struct {
		node []byte // of com.microsoft
		same [][]byte
	}{
		{call("QuantizeLinear", "x t z", "y"), [][]byte{q("x")}},
		{call("DequantizeLinear", "a s z", "y"), [][]byte{dq("a", "y")}},
		{call("QLinearAdd", "a s z a s z t z", "y"), [][]byte{dq("a", "r1"), call("Add", "r1 r1", "r2"), q("r2")}},
		{call("QLinearMul", "a s z a s z t z", "y"), [][]byte{dq("a", "r1"), call("Mul", "r1 r1", "r2"), q("r2")}},
		{call("QLinearSigmoid", "a s z t z", "y"), [][]byte{dq("a", "r1"), call("Sigmoid", "r1", "r2"), q("r2")}},
		{call("QLinearLeakyRelu", "a s z t z", "y", attr("alpha", float32(0.2))), [][]byte{dq("a", "r1"), call("LeakyRelu", "r1", "r2", attr("alpha", float32(0.2))), q("r2")}},
		{call("QLinearSoftmax", "a s z t z", "y", axis(3), attr("opset", int64(13))), [][]byte{dq("a", "r1"), call("Softmax", "r1", "r2", axis(3)), q("r2")}},
		{call("QLinearReduceMean", "a s z t z", "y", attr("axes", []int64{2, 3})), [][]byte{dq("a", "r1"), ints("ax", 2, 3), call("ReduceMean", "r1 ax", "r2"), q("r2")}},
		{call("QLinearGlobalAveragePool", "a s z t z", "y", attr("channels_last", int64(0))), [][]byte{dq("a", "r1"), call("GlobalAveragePool", "r1", "r2"), q("r2")}},
		{call("QLinearAveragePool", "a s z t z", "y", kernel(), attr("pads", []int64{1, 0, 0, 0})), [][]byte{dq("a", "r1"), call("AveragePool", "r1", "r2", kernel(), attr("pads", []int64{1, 0, 0, 0})), q("r2")}},
		{call("QLinearConcat", "t z a s z a t z", "y", axis(1)), [][]byte{dq("a", "r1"), call("DequantizeLinear", "a t z", "r2"), call("Concat", "r1 r2", "r3", axis(1)), q("r3")}},
		{call("QLinearGlobalAveragePool", "a s z t z", "y", last()), [][]byte{turned("a", "r0"), dq("r0", "r1"), call("GlobalAveragePool", "r1", "r2"), call("QuantizeLinear", "r2 t z", "r3"), back("r3")}},
		{call("QLinearAveragePool", "a s z t z", "y", kernel(), last()), [][]byte{turned("a", "r0"), dq("r0", "r1"), call("AveragePool", "r1", "r2", kernel()), call("QuantizeLinear", "r2 t z", "r3"), back("r3")}},
		{call("QLinearConv", "a s z k s z t z", "y", last()), [][]byte{turned("a", "r1"), call("QLinearConv", "r1 s z k s z t z", "r2"), back("r2")}},
		{call("QGemm", "n s z w s z b t z", "y"), append(slices.Concat(product, unit), call("Add", "p br", "r2"), q("r2"))},
		{call("QGemm", "n s z w s z b", "y"), append(slices.Concat(product, unit), call("Add", "p br", "y"))},
		{call("QGemm", "n s z w s z", "y", attr("alpha", float32(2))), append(slices.Clone(product), call("Add", "p p", "y"))},
		{call("MatMulIntegerToFloat", "n w s s z z r", "y"), append(slices.Clone(product), call("Add", "p r", "y"))},
		{call("DynamicQuantizeMatMul", "m w s z", "y"), append(slices.Clone(product[1:2]), call("DynamicQuantizeLinear", "m", "d ds dz"), call("DequantizeLinear", "d ds dz", "dr"), call("MatMul", "dr wr", "y"))},
	} {
		values := map[string]*tensor.Tensor{"x": tensor.New(tensor.Float32, tensor.Shape{1, 2, 3, 4}), "m": tensor.New(tensor.Float32, tensor.Shape{3, 4})}
		for name, x := range values {
			for i := range x.Floats() {
				x.Floats()[i] = float32((i*len(name)*11)%23)/4 - 2
			}
		}
		for name := range contributed {
			if strings.Contains(string(c.node), string(appendString(nil, 4, name))) {
				seen[name] = true
			}
		}
		fields := append(slices.Clone(given), result("y"))
		got := evalGraph(decode(t, model(20, append(slices.Clone(fields), foreignNode(c.node))...), "g"), values)
		want := evalGraph(decode(t, model(20, append(slices.Clone(fields), c.same...)...), "g"), values)
		if err := compare(got[0], want[0], 1e-6, 1e-6); err != nil {
			t.Errorf("%.40q: %v", c.node, err)
		}
	}
	for name := range elsewhere {
		if !seen[name] {
			t.Errorf("%s is not tested", name)
		}
	}
}
