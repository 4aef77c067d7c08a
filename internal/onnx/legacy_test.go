package onnx

import (
	"testing"

	"pimflow/internal/tensor"
)

// TestLegacy reads what opsets 1 to 6 spell otherwise, on x of 1x4x2x3.
func TestLegacy(t *testing.T) {
	i64 := func(v ...int64) []int64 { return v }
	broadcast, axis1 := attr("broadcast", int64(1)), attr("axis", int64(1))
	four := floats("k", 1, 2, 3, 4)
	for _, c := range []struct {
		name   string
		opset  int
		fields [][]byte
		want   string
	}{
		{"Add, one shape", 6, [][]byte{call("Add", "x x", "y")}, `Add(%0, %0) -> float32 1x4x2x3`},
		{"Add at an axis", 6, [][]byte{four, call("Add", "x k", "y", broadcast, axis1)}, `const float32 4x1x1 [1 2 3 4]; Add(%0, %1) -> float32 1x4x2x3`},
		{"Mul of the last", 1, [][]byte{floats("k", 1, 2, 3), call("Mul", "x k", "y", broadcast, attr("consumed_inputs", i64(0, 0)))}, `const float32 3 [1 2 3]; Mul(%0, %1) -> float32 1x4x2x3`},
		{"Pow by a number", 6, [][]byte{floats("k", 2), call("Pow", "x k", "y", broadcast)}, `const float32 scalar [2]; Pow(%0, %1) -> float32 1x4x2x3`},
		{"Less at an axis", 6, [][]byte{four, call("Less", "x k", "y", broadcast, axis1)}, `const float32 4x1x1 [1 2 3 4]; Less(%0, %1) -> bool 1x4x2x3`},
		{"Add, not stretched", 6, [][]byte{floats("k", 1, 2, 3), call("Add", "x k", "y")}, `node "y" (Add): inputs of 1x4x2x3 and 3: one shape, or broadcast = 1, wanted up to opset 6`},
		{"Add, wrong extent", 6, [][]byte{floats("k", 1, 2, 3), call("Add", "x k", "y", broadcast, axis1)}, `node "y" (Add): input of 3 at axis 1 of 1x4x2x3: equal extents wanted`},
		{"Add, beyond the end", 6, [][]byte{initial("k", filled(tensor.Float32, tensor.Shape{3, 2}, 1)), call("Add", "x k", "y", broadcast, attr("axis", int64(3)))}, `node "y" (Add): input of 3x2 at axis 3 of 1x4x2x3`},
		{"Add 7", 7, [][]byte{call("Add", "x x", "y", axis1)}, `node "y" (Add): attribute "axis" is not known in opset 7`},
		{"PRelu a channel", 6, [][]byte{four, call("PRelu", "x k", "y")}, `const float32 4x1x1 [1 2 3 4]; PRelu(%0, %1) -> float32 1x4x2x3`},
		{"PRelu of one", 6, [][]byte{floats("k", 2), call("PRelu", "x k", "y")}, `const float32 scalar [2]; PRelu(%0, %1) -> float32 1x4x2x3`},
		{"BatchNormalization 1", 1, [][]byte{four, call("BatchNormalization", "x k k k k", "y", attr("consumed_inputs", i64(0, 0, 0, 1, 1)), attr("is_test", int64(1)))},
			`const float32 4 [1 2 3 4]; BatchNormalization(%0, %1, %1, %1, %1) {epsilon=1e-05} -> float32 1x4x2x3`},
		{"BatchNormalization 6 of training", 6, [][]byte{four, call("BatchNormalization", "x k k k k", "y m v")}, `node "y" (BatchNormalization): 3 outputs mean training before opset 14: a model exported for inference, with one, wanted`},
		{"Dropout 6", 6, [][]byte{call("Dropout", "x", "d m", attr("is_test", int64(1))), call("Exp", "d", "y")}, `Exp(%0) -> float32 1x4x2x3`},
		{"Reshape 1", 4, [][]byte{call("Reshape", "x", "y", attr("shape", i64(0, -1)), attr("consumed_inputs", i64(0)))}, `Reshape(%0) {shape=[1 24]} -> float32 1x24`},
		{"Concat 1", 3, [][]byte{call("Concat", "x x", "y")}, `Concat(%0, %0) {axis=1} -> float32 1x8x2x3`},
		{"Pad 1", 1, [][]byte{call("Pad", "x", "y", attr("paddings", i64(0, 0, 1, 0, 0, 0, 0, 2)))}, `Pad(%0) {mode="constant" pads=[0 0 1 0 0 0 0 2] value=0} -> float32 1x4x3x5`},
		{"Split 1", 1, [][]byte{ints("s", 1, 3), call("Split", "x s", "a y", axis1)}, `Slice(%0) {axes=[1] ends=[1] starts=[0] steps=[1]} -> float32 1x1x2x3; Slice(%0) {axes=[1] ends=[4] starts=[1] steps=[1]} -> float32 1x3x2x3`},
		{"Upsample 1", 1, [][]byte{call("Upsample", "x", "y", attr("height_scale", float32(2)), attr("width_scale", float32(3)), attr("mode", "bilinear"))},
			`Resize(%0) {antialias=0 coordinate_transformation_mode="asymmetric" cubic_coeff_a=-0.75 exclude_outside=0 extrapolation_value=0 mode="linear" nearest_mode="floor" roi=[] scales=[1 1 2 3] sizes=[1 4 4 9]} -> float32 1x4x4x9`},
		{"Tile 1", 5, [][]byte{floats("n", 2), floats("a", 3), call("Tile", "x n a", "y")}, `Tile(%0) {repeats=[1 1 1 2]} -> float32 1x4x2x6`},
		{"Cast 1", 5, [][]byte{call("Cast", "x", "y", attr("to", "INT32"))}, `Cast(%0) {to="int32"} -> int32 1x4x2x3`},
		{"Selu 1", 5, [][]byte{call("Selu", "x", "y")}, `Selu(%0) {alpha=1.6732 gamma=1.0507} -> float32 1x4x2x3`},
		{"Softmax 1", 1, [][]byte{call("Softmax", "x", "y")}, `Reshape(%0) {shape=[1 24]} -> float32 1x24; Softmax(%1) {axis=1} -> float32 1x24; Reshape(%2) {shape=[1 4 2 3]} -> float32 1x4x2x3`},
		{"Gemm 6", 6, [][]byte{initial("a", filled(tensor.Float32, tensor.Shape{2, 4}, 1)), floats("k", 1, 2), call("Flatten", "x", "f", axis1), call("Slice", "f", "g", attr("starts", i64(0)), attr("ends", i64(4)), attr("axes", i64(1))), call("Gemm", "g a k", "y", broadcast, attr("transB", int64(1)))},
			`Reshape(%0) {shape=[1 24]} -> float32 1x24; Slice(%1) {axes=[1] ends=[4] starts=[0] steps=[1]} -> float32 1x4; const float32 2x4 [1 1 1 1 1 1 1 1]; const float32 2 [1 2]; Gemm(%2, %3, %4) {alpha=1 beta=1 transA=0 transB=1} -> float32 1x2`},
		{"Gemm 6, not stretched", 6, [][]byte{initial("a", filled(tensor.Float32, tensor.Shape{4, 2}, 1)), floats("k", 1, 2), call("Gemm", "a a k", "y", attr("transA", int64(1)))}, `node "y" (Gemm): input 2 of 2: 2x2, or broadcast = 1, wanted up to opset 6`},
		{"GlobalLpPool 1", 1, [][]byte{call("GlobalLpPool", "x", "y", attr("p", float32(2)))}, `ReduceL2(%0) {axes=[2 3] keepdims=1} -> float32 1x4x1x1`},
		{"Sin 1", 6, [][]byte{call("Sin", "x", "y")}, `node "y" (Sin): opset 6 does not have it: 7 or later wanted`},
		{"ImageScaler", 1, [][]byte{call("ImageScaler", "x", "y", attr("scale", float32(2)), attr("bias", []float32{1, 2, 3, 4}))},
			`const float32 scalar [2]; Mul(%0, %1) -> float32 1x4x2x3; const float32 4x1x1 [1 2 3 4]; Add(%2, %3) -> float32 1x4x2x3`},
		{"Affine", 1, [][]byte{call("Affine", "x", "y", attr("alpha", float32(2)), attr("beta", float32(3)))},
			`const float32 scalar [2]; Mul(%0, %1) -> float32 1x4x2x3; const float32 scalar [3]; Add(%2, %3) -> float32 1x4x2x3`},
		{"Scale", 1, [][]byte{call("Scale", "x", "y", attr("scale", float32(2)))}, `const float32 scalar [2]; Mul(%0, %1) -> float32 1x4x2x3`},
		{"ScaledTanh", 1, [][]byte{call("ScaledTanh", "x", "y", attr("alpha", float32(2)), attr("beta", float32(3)))},
			`const float32 scalar [3]; Mul(%0, %1) -> float32 1x4x2x3; Tanh(%2) -> float32 1x4x2x3; const float32 scalar [2]; Mul(%3, %4) -> float32 1x4x2x3`},
		{"ParametricSoftplus", 1, [][]byte{call("ParametricSoftplus", "x", "y", attr("alpha", float32(2)), attr("beta", float32(3)))},
			`const float32 scalar [3]; Mul(%0, %1) -> float32 1x4x2x3; Softplus(%2) -> float32 1x4x2x3; const float32 scalar [2]; Mul(%3, %4) -> float32 1x4x2x3`},
		{"LayerNormalization before 17", 12, [][]byte{floats("k", 1, 2, 3), call("LayerNormalization", "x k k", "y")}, `const float32 3 [1 2 3]; LayerNormalization(%0, %1, %1) {axis=3 epsilon=1e-05} -> float32 1x4x2x3`},
	} {
		if s := lowered(t, model(c.opset, append(c.fields, input("x", 1, 4, 2, 3), result("y"))...)); s != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, s, c.want)
		}
	}
}

// TestSpatial0: statistics of each value of an image, up to opset 8.
func TestSpatial0(t *testing.T) {
	k := func(name string, v float64) []byte {
		return initial(name, filled(tensor.Float32, tensor.Shape{2, 3}, v))
	}
	file := model(8, input("x", 1, 2, 3), result("y"), k("s", 3), k("b", 1), k("m", 2), k("v", 4), call("BatchNormalization", "x s b m v", "y", attr("spatial", int64(0)), attr("epsilon", float32(0))))
	x := tensor.Floats32(tensor.Shape{1, 2, 3}, []float32{0, 2, 4, 6, 8, -2})
	got := evalGraph(decode(t, file, "g"), map[string]*tensor.Tensor{"x": x})[0]
	if err := compare(got, tensor.Floats32(x.Shape, []float32{-2, 1, 4, 7, 10, -5}), 1e-6, 0); err != nil {
		t.Error(err)
	}
}
