package onnx

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pimflow/internal/tensor"
)

// TestContributed reads each operator of com.microsoft, and wants the values of the ONNX operators that it stands for.
func TestContributed(t *testing.T) {
	i64 := func(v ...int64) []int64 { return v }
	kernel := func() []byte { return attr("kernel_shape", i64(3, 3)) }
	conv := func(out string) []byte { return call("Conv", "x w k", out, kernel(), attr("pads", i64(1, 1, 1, 1))) }
	fused := func(in string, attrs ...[]byte) []byte {
		return call("FusedConv", in, "y", append(attrs, kernel(), attr("pads", i64(1, 1, 1, 1)))...)
	}
	params := func(v ...float32) []byte { return attr("activation_params", v) }
	seen := map[string]bool{}
	for _, c := range []struct {
		name   string
		inputs string // name:shape
		node   []byte // of com.microsoft
		same   [][]byte
	}{
		{"conv", "x:2x4x5x6 w:3x4x3x3 k:3", fused("x w k"), [][]byte{conv("y")}},
		{"conv, relu", "x:2x4x5x6 w:3x4x3x3 k:3", fused("x w k", attr("activation", "Relu")), [][]byte{conv("a"), call("Relu", "a", "y")}},
		{"conv, sum, relu", "x:2x4x5x6 w:3x4x3x3 k:3 z:2x3x5x6", fused("x w k z", attr("activation", "Relu")), [][]byte{conv("a"), call("Add", "a z", "b"), call("Relu", "b", "y")}},
		{"conv, sum", "x:2x4x5x6 w:3x4x3x3 z:2x3x5x6", fused("x w _ z"), [][]byte{call("Conv", "x w", "a", kernel(), attr("pads", i64(1, 1, 1, 1))), call("Add", "a z", "y")}},
		{"conv, leaky", "x:2x4x5x6 w:3x4x3x3 k:3", fused("x w k", attr("activation", "LeakyRelu"), params(0.3)), [][]byte{conv("a"), call("LeakyRelu", "a", "y", attr("alpha", float32(0.3)))}},
		{"conv, clip", "x:2x4x5x6 w:3x4x3x3 k:3", fused("x w k", attr("activation", "Clip"), params(-0.5, 1)), [][]byte{conv("a"), floats("lo", -0.5), floats("hi", 1), call("Clip", "a lo hi", "y")}},
		{"conv, hard sigmoid", "x:2x4x5x6 w:3x4x3x3 k:3", fused("x w k", attr("activation", "HardSigmoid"), params(0.3, 0.4)), [][]byte{conv("a"), call("HardSigmoid", "a", "y", attr("alpha", float32(0.3)), attr("beta", float32(0.4)))}},
		{"gemm", "x:5x4 w:4x3 k:3", call("FusedGemm", "x w k", "y", attr("alpha", float32(0.5)), attr("activation", "LeakyRelu"), attr("activation_alpha", float32(0.2))), [][]byte{call("Gemm", "x w k", "a", attr("alpha", float32(0.5))), call("LeakyRelu", "a", "y", attr("alpha", float32(0.2)))}},
		{"matmul", "x:2x3x4 w:2x3x5", call("FusedMatMul", "x w", "y", attr("alpha", float32(0.5)), attr("transA", int64(1))),
			[][]byte{call("Transpose", "x", "a", attr("perm", i64(0, 2, 1))), call("MatMul", "a w", "b"), floats("h", 0.5), call("Mul", "b h", "y")}},
		{"matmul, batches", "x:3x2x4 w:2x5x4", call("FusedMatMul", "x w", "y", attr("transBatchA", int64(1)), attr("transB", int64(1))),
			[][]byte{call("Transpose", "x", "a", attr("perm", i64(1, 0, 2))), call("Transpose", "w", "b", attr("perm", i64(0, 2, 1))), call("MatMul", "a b", "y")}},
		{"matmul, batches, matrix", "x:4x2x3 w:2x4x5", call("FusedMatMul", "x w", "y", attr("transBatchA", int64(1)), attr("transA", int64(1))),
			[][]byte{call("Transpose", "x", "a", attr("perm", i64(1, 2, 0))), call("Transpose", "a", "c", attr("perm", i64(0, 1, 2))), call("MatMul", "c w", "y")}},
		{"gelu", "x:2x4x5x6", call("Gelu", "x", "y"), [][]byte{call("Gelu", "x", "y")}},
		{"bias gelu", "x:2x4x5x6 k:6", call("BiasGelu", "x k", "y"), [][]byte{call("Add", "x k", "a"), call("Gelu", "a", "y")}},
		{"fast gelu", "x:2x4x5x6", call("FastGelu", "x", "y"), [][]byte{call("Gelu", "x", "y", attr("approximate", "tanh"))}},
		{"fast gelu, bias", "x:2x4x5x6 k:6", call("FastGelu", "x k", "y"), [][]byte{call("Add", "x k", "a"), call("Gelu", "a", "y", attr("approximate", "tanh"))}},
		{"quick gelu", "x:2x4x5x6", call("QuickGelu", "x", "y"), [][]byte{floats("h", 1.702), call("Mul", "x h", "a"), call("Sigmoid", "a", "b"), call("Mul", "x b", "y")}},
		{"layer norm", "x:2x4x5x6 k:6", call("LayerNormalization", "x k k", "y", attr("axis", int64(3))), [][]byte{call("LayerNormalization", "x k k", "y", attr("axis", int64(3)))}},
		{"skip", "x:2x5x6 z:2x5x6 k:6", call("SkipLayerNormalization", "x z k k k", "y _ _ s"),
			[][]byte{call("Add", "x z", "a"), call("Add", "a k", "s"), call("LayerNormalization", "s k k", "y", attr("epsilon", float32(1e-12)))}},
		{"pool", "x:2x5x6x4", call("NhwcMaxPool", "x", "y", kernel(), attr("strides", i64(2, 1)), attr("auto_pad", "SAME_UPPER")),
			[][]byte{call("Transpose", "x", "a", attr("perm", i64(0, 3, 1, 2))), call("MaxPool", "a", "b", kernel(), attr("strides", i64(2, 1)), attr("auto_pad", "SAME_UPPER")), call("Transpose", "b", "y", attr("perm", i64(0, 2, 3, 1)))}},
	} {
		var fields [][]byte
		values := map[string]*tensor.Tensor{}
		rng := rand.New(rand.NewPCG(1, 2))
		for _, in := range strings.Fields(c.inputs) {
			name, shape, _ := strings.Cut(in, ":")
			s, err := tensor.ParseShape(shape)
			if err != nil {
				t.Fatal(err)
			}
			var dims []any
			for _, d := range s {
				dims = append(dims, d)
			}
			fields = append(fields, input(name, dims...))
			values[name] = tensor.New(tensor.Float32, s)
			for i := range values[name].Floats() {
				values[name].Floats()[i] = float32(rng.NormFloat64())
			}
		}
		fields = append(fields, result("y"))
		if strings.Contains(c.name, "skip") {
			fields = append(fields, result("s"))
		}
		foreign := foreignNode(c.node)
		for name := range contributed {
			if strings.Contains(string(c.node), string(appendString(nil, 4, name))) {
				seen[name] = true
			}
		}
		got := evalGraph(decode(t, model(20, append(slices.Clone(fields), foreign)...), "g"), values)
		want := evalGraph(decode(t, model(20, append(slices.Clone(fields), c.same...)...), "g"), values)
		for i := range want {
			if err := compare(got[i], want[i], 1e-6, 1e-7); err != nil {
				t.Errorf("%s: output %d: %v", c.name, i, err)
			}
		}
	}
	for name := range contributed {
		if !seen[name] && !elsewhere[name] {
			t.Errorf("%s is not tested", name)
		}
	}
	bad := model(20, input("x", 1, 1, 3, 3), result("y"), foreignNode(call("FusedConv", "x x", "y", attr("activation", "Softshrink"))))
	if s, want := lowered(t, bad), `node "y" (FusedConv): activation "Softshrink" is not supported`; s != want {
		t.Errorf("got %s, want %s", s, want)
	}
}

// elsewhere are the rows of contributed that other tests have.
var elsewhere = map[string]bool{
	"DequantizeLinear": true, "DynamicQuantizeMatMul": true, "MatMulIntegerToFloat": true, "QGemm": true, "QLinearAdd": true, "QLinearAveragePool": true,
	"QLinearConcat": true, "QLinearConv": true, "QLinearGlobalAveragePool": true, "QLinearLeakyRelu": true, "QLinearMul": true, "QLinearReduceMean": true,
	"QLinearSigmoid": true, "QLinearSoftmax": true, "QuantizeLinear": true, // TestContributedIntegers
}

// foreignNode is a node, as call makes it, of domain com.microsoft.
func foreignNode(node []byte) []byte {
	n := &nodeBytes{}
	if err := memory(node).message().each(n.take); err != nil {
		panic(fmt.Sprint(err))
	}
	return appendMessage(nil, 1, appendString(n.content, 7, microsoft))
}

// nodeBytes takes the content of a field.
type nodeBytes struct{ content []byte }

func (n *nodeBytes) take(fd field) (err error) {
	n.content, err = fd.bytes()
	return err
}
