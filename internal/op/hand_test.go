package op

import (
	"math"
	"strings"
	"testing"

	"pimflow/internal/tensor"
)

func f32(s tensor.Shape, v ...float32) *tensor.Tensor { return tensor.Floats32(s, v) }
func i64(s tensor.Shape, v ...int64) *tensor.Tensor   { return tensor.Ints64(s, v) }

func boolean(s tensor.Shape, v ...int64) *tensor.Tensor {
	return tensor.Ints64(s, v).Convert(tensor.Bool)
}

type shape = tensor.Shape

// TestByHand holds cases small enough to compute on paper; floats agree to 1e-6
// of the wanted value.
func TestByHand(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	grid := f32(shape{1, 1, 3, 3}, 1, 2, 3, 4, 5, 6, 7, 8, 9)
	window := func(k, s, p int, more Attrs) Attrs {
		a := Attrs{"kernel_shape": ints(k, k), "strides": ints(s, s), "pads": ints(p, p, p, p), "dilations": ints(1, 1)}
		for n, v := range more {
			a[n] = v
		}
		return a
	}
	for _, c := range []struct {
		op   string
		a    Attrs
		in   []*tensor.Tensor
		want *tensor.Tensor
	}{
		// Boxes 0 and 1 share half of 0, and 2 is apart; 1 and 2 have the same score. A bound that is met suppresses none.
		{"NonMaxSuppression", Attrs{"max_output_boxes_per_class": int64(3), "iou_threshold": float32(0.5), "size": int64(3)},
			[]*tensor.Tensor{f32(shape{1, 3, 4}, 0, 0, 2, 1, 1, 1, 0, 0, 5, 5, 6, 6), f32(shape{1, 1, 3}, 0.9, 0.5, 0.5)}, i64(shape{3, 3}, 0, 0, 0, 0, 0, 1, 0, 0, 2)},
		// Each class selects for itself; the last row is not found.
		{"NonMaxSuppression", Attrs{"max_output_boxes_per_class": int64(2), "iou_threshold": float32(0.4), "score_threshold": float32(0.1), "size": int64(4)},
			[]*tensor.Tensor{f32(shape{1, 3, 4}, 0, 0, 2, 1, 1, 1, 0, 0, 5, 5, 6, 6), f32(shape{1, 2, 3}, 0.9, 0.5, 0.1, 0.2, 0.3, 0.4)}, i64(shape{4, 3}, 0, 0, 0, 0, 1, 2, 0, 1, 1, 0, 0, 0)},
		{"NonMaxSuppression", Attrs{"center_point_box": int64(1), "max_output_boxes_per_class": int64(1), "size": int64(1)},
			[]*tensor.Tensor{f32(shape{1, 2, 4}, 0, 0, 2, 2, 1, 1, 2, 2), f32(shape{1, 1, 2}, -3, -2)}, i64(shape{1, 3}, 0, 0, 1)},
		{"NonZero", Attrs{"size": int64(3)}, []*tensor.Tensor{f32(shape{2, 2}, 0, 4, nan, 0)}, i64(shape{2, 3}, 0, 1, 0, 1, 0, 0)},
		{"Unique", Attrs{"axis": int64(0), "size": int64(3)}, []*tensor.Tensor{i64(shape{4}, 7, 3, 7, 5)}, i64(shape{3}, 3, 5, 7)},
		{"Unique", Attrs{"axis": int64(0), "sorted": int64(0), "output": "counts", "size": int64(3)}, []*tensor.Tensor{i64(shape{4}, 7, 3, 7, 5)}, i64(shape{3}, 2, 1, 1)},
		{"UniqueInverse", Attrs{"axis": int64(0)}, []*tensor.Tensor{i64(shape{4}, 7, 3, 7, 5)}, i64(shape{4}, 2, 0, 2, 1)},

		{"Relu", nil, []*tensor.Tensor{f32(shape{4}, -1, 0, 2, nan)}, f32(shape{4}, 0, 0, 2, nan)},
		{"Clip", Attrs{"min": float32(0), "max": float32(6)}, []*tensor.Tensor{f32(shape{3}, -1, 3, 9)}, f32(shape{3}, 0, 3, 6)},
		{"Clip", nil, []*tensor.Tensor{i64(shape{2}, math.MinInt64, math.MaxInt64)}, i64(shape{2}, math.MinInt64, math.MaxInt64)},
		{"LeakyRelu", nil, []*tensor.Tensor{f32(shape{2}, -100, 3)}, f32(shape{2}, -1, 3)},
		{"Elu", nil, []*tensor.Tensor{f32(shape{2}, -1, 3)}, f32(shape{2}, 1/math.E-1, 3)},
		{"Selu", nil, []*tensor.Tensor{f32(shape{2}, -1, 1)}, f32(shape{2}, -1.1113307, 1.0507010)},
		{"Sigmoid", nil, []*tensor.Tensor{f32(shape{3}, 0, 1000, -1000)}, f32(shape{3}, 0.5, 1, 0)},
		{"HardSigmoid", nil, []*tensor.Tensor{f32(shape{3}, -9, 1, 9)}, f32(shape{3}, 0, 0.7, 1)},
		{"HardSwish", nil, []*tensor.Tensor{f32(shape{3}, -4, 1, 5)}, f32(shape{3}, 0, 2./3, 5)},
		{"Swish", nil, []*tensor.Tensor{f32(shape{2}, 0, 1)}, f32(shape{2}, 0, 0.7310586)},
		{"Swish", Attrs{"alpha": float32(2)}, []*tensor.Tensor{f32(shape{1}, 1)}, f32(shape{1}, 0.8807971)},
		{"Gelu", nil, []*tensor.Tensor{f32(shape{1}, 1)}, f32(shape{1}, 0.8413447)},
		{"Gelu", Attrs{"approximate": "tanh"}, []*tensor.Tensor{f32(shape{1}, 1)}, f32(shape{1}, 0.8411920)},
		{"Softplus", nil, []*tensor.Tensor{f32(shape{3}, 0, 1000, -1000)}, f32(shape{3}, math.Ln2, 1000, 0)},
		{"Mish", nil, []*tensor.Tensor{f32(shape{1}, 1)}, f32(shape{1}, 0.8650984)},
		{"Round", nil, []*tensor.Tensor{f32(shape{4}, 0.5, 1.5, -2.5, 2.6)}, f32(shape{4}, 0, 2, -2, 3)},
		{"Neg", nil, []*tensor.Tensor{i64(shape{2}, 1<<62+1, -5)}, i64(shape{2}, -1<<62-1, 5)},
		{"Sign", nil, []*tensor.Tensor{f32(shape{3}, -7, 0, 2)}, f32(shape{3}, -1, 0, 1)},
		{"Cast", Attrs{"to": "int64"}, []*tensor.Tensor{f32(shape{2}, -1.9, 2.9)}, i64(shape{2}, -1, 2)},
		{"Cast", Attrs{"to": "bool"}, []*tensor.Tensor{f32(shape{3}, 0, 0.25, -3)}, boolean(shape{3}, 0, 1, 1)},
		{"Cast", Attrs{"to": "uint8"}, []*tensor.Tensor{i64(shape{2}, 257, -1)}, i64(shape{2}, 1, 255).Convert(tensor.Uint8)},
		{"Cast", Attrs{"to": "float16"}, []*tensor.Tensor{f32(shape{1}, 2049)}, f32(shape{1}, 2048).Convert(tensor.Float16)},

		{"Add", nil, []*tensor.Tensor{f32(shape{2, 1}, 1, 2), f32(shape{3}, 10, 20, 30)}, f32(shape{2, 3}, 11, 21, 31, 12, 22, 32)},
		{"Add", nil, []*tensor.Tensor{f32(shape{1}, 2048).Convert(tensor.Float16), f32(shape{}, 1).Convert(tensor.Float16)}, f32(shape{1}, 2048).Convert(tensor.Float16)},
		{"Mul", nil, []*tensor.Tensor{i64(shape{}, 1<<40+1), i64(shape{1}, 3)}, i64(shape{1}, 3<<40+3)},
		{"Div", nil, []*tensor.Tensor{i64(shape{3}, -7, 7, 7), i64(shape{3}, 2, -2, 0)}, i64(shape{3}, -3, -3, 0)},
		{"Mod", nil, []*tensor.Tensor{i64(shape{4}, -7, 7, -7, 5), i64(shape{4}, 3, -3, -3, 0)}, i64(shape{4}, 2, -2, -1, 0)},
		{"Mod", Attrs{"fmod": int64(1)}, []*tensor.Tensor{f32(shape{2}, -7, 7.5), f32(shape{}, 3)}, f32(shape{2}, -1, 1.5)},
		{"Pow", nil, []*tensor.Tensor{i64(shape{4}, 3, -1, 2, -2), i64(shape{4}, 5, -3, -1, 3)}, i64(shape{4}, 243, -1, 0, -8)},
		{"Pow", nil, []*tensor.Tensor{f32(shape{2}, 4, 2), f32(shape{2}, 0.5, -1)}, f32(shape{2}, 2, 0.5)},
		{"PRelu", nil, []*tensor.Tensor{f32(shape{2, 2}, -1, 2, -3, 4), f32(shape{2, 1}, 2, 0.5)}, f32(shape{2, 2}, -2, 2, -1.5, 4)},
		{"Max", nil, []*tensor.Tensor{f32(shape{2}, nan, -inf), f32(shape{}, 3)}, f32(shape{2}, nan, 3)},
		{"Equal", nil, []*tensor.Tensor{f32(shape{3}, 1, 2, nan), f32(shape{3}, 1, 3, nan)}, boolean(shape{3}, 1, 0, 0)},
		{"LessOrEqual", nil, []*tensor.Tensor{i64(shape{3}, 1, 2, 3), i64(shape{}, 2)}, boolean(shape{3}, 1, 1, 0)},
		{"Xor", nil, []*tensor.Tensor{boolean(shape{2, 1}, 0, 1), boolean(shape{2}, 0, 1)}, boolean(shape{2, 2}, 0, 1, 1, 0)},
		{"Not", nil, []*tensor.Tensor{boolean(shape{2}, 0, 1)}, boolean(shape{2}, 1, 0)},
		{"Where", nil, []*tensor.Tensor{boolean(shape{2, 1}, 0, 1), f32(shape{}, 5), f32(shape{2}, 1, 2)}, f32(shape{2, 2}, 1, 2, 5, 5)},

		{"Conv", window(2, 1, 0, nil), []*tensor.Tensor{grid, f32(shape{1, 1, 2, 2}, 1, 0, 0, 10), f32(shape{1}, 0.5)}, f32(shape{1, 1, 2, 2}, 51.5, 62.5, 84.5, 95.5)},
		{"ConvTranspose", window(2, 2, 0, Attrs{"output_padding": ints(0, 1)}),
			[]*tensor.Tensor{f32(shape{1, 1, 1, 2}, 1, 2), f32(shape{1, 1, 2, 2}, 1, 2, 3, 4)}, f32(shape{1, 1, 2, 5}, 1, 2, 2, 4, 0, 3, 4, 6, 8, 0)},
		{"MaxPool", window(2, 2, 0, Attrs{"ceil_mode": int64(1)}), []*tensor.Tensor{grid}, f32(shape{1, 1, 2, 2}, 5, 6, 8, 9)},
		{"MaxPool", window(2, 2, 1, Attrs{"ceil_mode": int64(1)}), []*tensor.Tensor{grid}, f32(shape{1, 1, 2, 2}, 1, 3, 7, 9)},
		{"AveragePool", window(2, 2, 1, nil), []*tensor.Tensor{grid}, f32(shape{1, 1, 2, 2}, 1, 2.5, 5.5, 7)},
		{"AveragePool", window(2, 2, 1, Attrs{"count_include_pad": int64(1)}), []*tensor.Tensor{grid}, f32(shape{1, 1, 2, 2}, 0.25, 1.25, 2.75, 7)},
		// The last window has one column and row that are not even padding.
		{"AveragePool", window(2, 2, 0, Attrs{"count_include_pad": int64(1), "ceil_mode": int64(1)}), []*tensor.Tensor{grid}, f32(shape{1, 1, 2, 2}, 3, 4.5, 7.5, 9)},
		{"GlobalAveragePool", nil, []*tensor.Tensor{grid}, f32(shape{1, 1, 1, 1}, 5)},
		{"GlobalMaxPool", nil, []*tensor.Tensor{grid}, f32(shape{1, 1, 1, 1}, 9)},

		{"Gemm", Attrs{"alpha": float32(2), "beta": float32(3), "transB": int64(1)},
			[]*tensor.Tensor{f32(shape{1, 2}, 1, 2), f32(shape{2, 2}, 3, 4, 5, 6), f32(shape{2}, 1, 10)}, f32(shape{1, 2}, 25, 64)},
		{"MatMul", nil, []*tensor.Tensor{f32(shape{2}, 1, 2), f32(shape{2, 2, 1}, 3, 4, 5, 6)}, f32(shape{2, 1}, 11, 17)},
		{"MatMul", nil, []*tensor.Tensor{f32(shape{2}, 1, 2), f32(shape{2}, 3, 4)}, f32(shape{}, 11)},

		{"BatchNormalization", Attrs{"epsilon": float32(0)}, []*tensor.Tensor{f32(shape{1, 2, 1}, 5, 7), f32(shape{2}, 2, 3), f32(shape{2}, 1, 0), f32(shape{2}, 3, 5), f32(shape{2}, 4, 16)}, f32(shape{1, 2, 1}, 3, 1.5)},
		{"InstanceNormalization", Attrs{"epsilon": float32(0)}, []*tensor.Tensor{f32(shape{1, 1, 2}, 1, 5), f32(shape{1}, 3), f32(shape{1}, 1)}, f32(shape{1, 1, 2}, -2, 4)},
		{"LayerNormalization", Attrs{"epsilon": float32(0)}, []*tensor.Tensor{f32(shape{2, 2}, 1, 5, 0, 2), f32(shape{2}, 3, 2), f32(shape{2}, 1, 0)}, f32(shape{2, 2}, -2, 2, -2, 2)},
		// Over channels c-1 to c+2, as size 4 is even.
		{"LRN", Attrs{"size": int64(4), "alpha": float32(4), "beta": float32(1), "bias": float32(0)},
			[]*tensor.Tensor{f32(shape{1, 4, 1}, 1, 1, 1, 2)}, f32(shape{1, 4, 1}, 1./3, 1./7, 1./6, 2./5)},
		{"LpNormalization", nil, []*tensor.Tensor{f32(shape{2, 2}, 3, 4, 0, 0)}, f32(shape{2, 2}, 0.6, 0.8, 0, 0)},
		{"Softmax", Attrs{"axis": int64(0)}, []*tensor.Tensor{f32(shape{2, 2}, 1000, 0, 1000, float32(math.Log(3)))}, f32(shape{2, 2}, 0.5, 0.25, 0.5, 0.75)},
		{"LogSoftmax", nil, []*tensor.Tensor{f32(shape{2}, 1000, 1000)}, f32(shape{2}, -math.Ln2, -math.Ln2)},

		{"ReduceMean", Attrs{"axes": ints(2, 3), "keepdims": int64(0)}, []*tensor.Tensor{grid}, f32(shape{1, 1}, 5)},
		{"ReduceSum", Attrs{"axes": ints(-1)}, []*tensor.Tensor{i64(shape{2, 2}, 1<<60, 1, 2, 3)}, i64(shape{2, 1}, 1<<60+1, 5)},
		{"ReduceL2", Attrs{"axes": ints(0)}, []*tensor.Tensor{f32(shape{2}, 3, 4)}, f32(shape{1}, 5)},
		{"ReduceProd", Attrs{"axes": ints(0), "keepdims": int64(0)}, []*tensor.Tensor{f32(shape{3}, 2, 3, 4)}, f32(shape{}, 24)},
		{"ReduceMin", Attrs{"axes": ints(0)}, []*tensor.Tensor{f32(shape{2, 2}, 2, 3, 4, 1)}, f32(shape{1, 2}, 2, 1)},
		{"ArgMax", Attrs{"axis": int64(1), "keepdims": int64(0)}, []*tensor.Tensor{f32(shape{2, 3}, 1, 3, 3, 5, 4, 1)}, i64(shape{2}, 1, 0)},
		{"ArgMax", Attrs{"axis": int64(-1), "select_last_index": int64(1)}, []*tensor.Tensor{f32(shape{1, 3}, 1, 3, 3)}, i64(shape{1, 1}, 2)},

		{"Concat", Attrs{"axis": int64(-1)}, []*tensor.Tensor{f32(shape{2, 1}, 1, 2), f32(shape{2, 0}), f32(shape{2, 2}, 3, 4, 5, 6)}, f32(shape{2, 3}, 1, 3, 4, 2, 5, 6)},
		{"Slice", Attrs{"starts": ints(-1), "ends": ints(math.MinInt64), "axes": ints(1), "steps": ints(-2)}, []*tensor.Tensor{i64(shape{1, 4}, 0, 1, 2, 3)}, i64(shape{1, 2}, 3, 1)},
		{"Slice", Attrs{"starts": ints(1), "ends": ints(math.MaxInt64), "axes": ints(-1), "steps": ints(2)}, []*tensor.Tensor{i64(shape{5}, 0, 1, 2, 3, 4)}, i64(shape{2}, 1, 3)},
		{"Pad", Attrs{"pads": ints(2, -1), "value": float32(7)}, []*tensor.Tensor{f32(shape{3}, 1, 2, 3)}, f32(shape{4}, 7, 7, 1, 2)},
		{"Pad", Attrs{"pads": ints(2, 1), "mode": "reflect"}, []*tensor.Tensor{f32(shape{3}, 1, 2, 3)}, f32(shape{6}, 3, 2, 1, 2, 3, 2)},
		{"Pad", Attrs{"pads": ints(4, 2), "mode": "wrap"}, []*tensor.Tensor{f32(shape{3}, 1, 2, 3)}, f32(shape{9}, 3, 1, 2, 3, 1, 2, 3, 1, 2)},
		{"Pad", Attrs{"pads": ints(2, 1), "mode": "edge"}, []*tensor.Tensor{f32(shape{3}, 1, 2, 3)}, f32(shape{6}, 1, 1, 1, 2, 3, 3)},
		{"Reshape", Attrs{"shape": ints(3, 2)}, []*tensor.Tensor{f32(shape{2, 3}, 1, 2, 3, 4, 5, 6)}, f32(shape{3, 2}, 1, 2, 3, 4, 5, 6)},
		{"Transpose", Attrs{"perm": ints(1, 0)}, []*tensor.Tensor{f32(shape{2, 3}, 1, 2, 3, 4, 5, 6)}, f32(shape{3, 2}, 1, 4, 2, 5, 3, 6)},
		{"Expand", Attrs{"shape": ints(2, 2)}, []*tensor.Tensor{f32(shape{2, 1}, 1, 2)}, f32(shape{2, 2}, 1, 1, 2, 2)},
		{"Tile", Attrs{"repeats": ints(1, 2)}, []*tensor.Tensor{f32(shape{2, 2}, 1, 2, 3, 4)}, f32(shape{2, 4}, 1, 2, 1, 2, 3, 4, 3, 4)},
		{"Gather", Attrs{"axis": int64(1)}, []*tensor.Tensor{f32(shape{2, 3}, 1, 2, 3, 4, 5, 6), i64(shape{2}, -1, 0)}, f32(shape{2, 2}, 3, 1, 6, 4)},
		{"Gather", nil, []*tensor.Tensor{f32(shape{2}, 1, 2), i64(shape{}, 2)}, f32(shape{}, nan)},
		{"GatherElements", Attrs{"axis": int64(1)}, []*tensor.Tensor{f32(shape{2, 2}, 1, 2, 3, 4), i64(shape{2, 3}, 0, 0, -1, 1, 0, 2)}, f32(shape{2, 3}, 1, 1, 2, 4, 3, nan)},
		{"GatherND", nil, []*tensor.Tensor{i64(shape{2, 2}, 0, 1, 2, 3), i64(shape{2, 2}, 0, 0, -1, 1)}, i64(shape{2}, 0, 3)},
		{"GatherND", Attrs{"batch_dims": int64(1)}, []*tensor.Tensor{i64(shape{2, 2, 2}, 0, 1, 2, 3, 4, 5, 6, 7), i64(shape{2, 1}, 1, 0)}, i64(shape{2, 2}, 2, 3, 4, 5)},
		// Of two updates for one place the later counts; one that is out of range is left out.
		{"ScatterElements", nil, []*tensor.Tensor{f32(shape{3}, 1, 2, 3), i64(shape{4}, 1, -2, 3, 0), f32(shape{4}, 5, 6, 7, 8)}, f32(shape{3}, 8, 6, 3)},
		{"ScatterElements", Attrs{"reduction": "add"}, []*tensor.Tensor{f32(shape{3}, 1, 2, 3), i64(shape{4}, 1, -2, 3, 0), f32(shape{4}, 5, 6, 7, 8)}, f32(shape{3}, 9, 13, 3)},
		{"ScatterND", Attrs{"reduction": "max"}, []*tensor.Tensor{i64(shape{2, 2}, 1, 2, 3, 4), i64(shape{2, 1}, 1, 1), i64(shape{2, 2}, 9, 0, 0, 5)}, i64(shape{2, 2}, 1, 2, 9, 5)},
		{"OneHot", Attrs{"depth": int64(3)}, []*tensor.Tensor{i64(shape{3}, 1, -1, 3), f32(shape{2}, 2, 5)}, f32(shape{3, 3}, 2, 5, 2, 2, 2, 5, 2, 2, 2)},
		// Places -0.5, 1 (between both columns) and 2.5, which mirrors at 1.5.
		{"GridSample", Attrs{"padding_mode": "reflection"}, []*tensor.Tensor{f32(shape{1, 1, 1, 2}, 2, 4), f32(shape{1, 1, 3, 2}, -1, 0, 0, 0, 2, 0)}, f32(shape{1, 1, 1, 3}, 2, 3, 3)},
		{"GridSample", Attrs{"align_corners": int64(1)}, []*tensor.Tensor{f32(shape{1, 1, 2}, 2, 4), f32(shape{1, 3, 1}, -2, -0.5, 1)}, f32(shape{1, 1, 3}, 1, 2.5, 4)},
		{"GridSample", Attrs{"mode": "nearest", "padding_mode": "border"}, []*tensor.Tensor{f32(shape{1, 1, 2}, 2, 4), f32(shape{1, 2, 1}, nan, 9)}, f32(shape{1, 1, 2}, 2, 4)},
		// Samples at 1 of a box from 0 to 2; then, with half pixels, at 0.5.
		{"RoiAlign", Attrs{"coordinate_transformation_mode": "output_half_pixel", "sampling_ratio": int64(1)}, []*tensor.Tensor{grid, f32(shape{1, 4}, 0, 0, 2, 2), i64(shape{1}, 0)}, f32(shape{1, 1, 1, 1}, 5)},
		{"RoiAlign", Attrs{"sampling_ratio": int64(1)}, []*tensor.Tensor{grid, f32(shape{1, 4}, 0, 0, 2, 2), i64(shape{1}, 0)}, f32(shape{1, 1, 1, 1}, 3)},
		{"RoiAlign", Attrs{"sampling_ratio": int64(2)}, []*tensor.Tensor{grid, f32(shape{2, 4}, 1.5, 1.5, 1.5, 1.5, 2.5, 0.5, 0.5, 2.5), i64(shape{2}, 0, 0)}, f32(shape{2, 1, 1, 1}, 5, 5)},
		{"RoiAlign", nil, []*tensor.Tensor{grid, f32(shape{2, 4}, -9, -9, 1e30, 1e30, 0, 0, 1, 1), i64(shape{2}, 0, 1)}, f32(shape{2, 1, 1, 1}, 0, nan)},
		{"MaxRoiPool", Attrs{"pooled_shape": ints(1, 2)}, []*tensor.Tensor{grid, f32(shape{1, 5}, 0, 0, 0, 2, 1)}, f32(shape{1, 1, 1, 2}, 5, 6)},
		{"MaxPoolIndices", window(2, 1, 0, nil), []*tensor.Tensor{f32(shape{1, 1, 2, 3}, 1, 5, 5, 2, 2, 0)}, i64(shape{1, 1, 1, 2}, 1, 1)},
		{"MaxPoolIndices", window(2, 1, 0, Attrs{"storage_order": int64(1)}), []*tensor.Tensor{f32(shape{1, 2, 2, 2}, 1, 5, 5, 2, 0, 0, 0, 1)}, i64(shape{1, 2, 1, 1}, 2, 7)},
		{"MaxUnpool", Attrs{"kernel_shape": ints(2), "strides": ints(2), "pads": ints(0, 0)}, []*tensor.Tensor{f32(shape{1, 1, 2}, 7, 8), i64(shape{1, 1, 2}, 1, 4)}, f32(shape{1, 1, 4}, 0, 7, 0, 0)},
		{"LpPool", window(2, 2, 0, Attrs{"ceil_mode": int64(1)}), []*tensor.Tensor{f32(shape{1, 1, 2, 3}, 3, 0, -2, 4, 0, 0)}, f32(shape{1, 1, 1, 2}, 5, 2)},
		// Two steps of one sequence, and of one that ends after a step, in both directions: h = 2x + h/2 + 1.
		{"RNN", Attrs{"direction": "bidirectional", "hidden_size": int64(1), "activations": "Relu Affine", "activation_alpha": []float32{0, 1}, "activation_beta": []float32{0, 0}},
			[]*tensor.Tensor{f32(shape{2, 2, 1}, 1, 2, 3, 4), f32(shape{2, 1, 1}, 2, 2), f32(shape{2, 1, 1}, 0.5, 0.5), f32(shape{2, 2}, 1, 0, 0.5, 0.5),
				i64(shape{2}, 2, 1).Convert(tensor.Int32), f32(shape{2, 2, 1}, 4, 0, 8, 6)},
			f32(shape{3, 2, 2, 1}, 5, 5, 8.5, 8, 9.5, 0, 11, 0, 9.5, 5, 8.5, 8)},
		// z = r = 0.5: half of 4 and half of 1 + (0.5·4)·0.5 + 2, or of 1 + 0.5·(4·0.5 + 2) where the reset comes after the product.
		{"GRU", Attrs{"hidden_size": int64(1), "activations": "Affine Affine", "activation_alpha": []float32{0.5, 1}, "activation_beta": []float32{0, 0}},
			[]*tensor.Tensor{f32(shape{1, 1, 1}, 1), f32(shape{1, 3, 1}, 1, 1, 1), f32(shape{1, 3, 1}, 0, 0, 0.5), f32(shape{1, 6}, 0, 0, 0, 0, 0, 2),
				i64(shape{1}, 1).Convert(tensor.Int32), f32(shape{1, 1, 1}, 4)},
			f32(shape{2, 1, 1, 1}, 4, 4)},
		{"GRU", Attrs{"hidden_size": int64(1), "activations": "Affine Affine", "activation_alpha": []float32{0.5, 1}, "activation_beta": []float32{0, 0}, "linear_before_reset": int64(1)},
			[]*tensor.Tensor{f32(shape{1, 1, 1}, 1), f32(shape{1, 3, 1}, 1, 1, 1), f32(shape{1, 3, 1}, 0, 0, 0.5), f32(shape{1, 6}, 0, 0, 0, 0, 0, 2),
				i64(shape{1}, 1).Convert(tensor.Int32), f32(shape{1, 1, 1}, 4)},
			f32(shape{2, 1, 1, 1}, 3.5, 3.5)},
		// i = 1+2·2, f = 3, c = 3·2+5·4 = 26; it and o = 2+26 are clipped to 9 where an activation reads them.
		{"LSTM", Attrs{"hidden_size": int64(1), "activations": "Affine Affine Affine", "activation_alpha": []float32{1, 1, 1}, "activation_beta": []float32{0, 0, 0}, "clip": float32(9)},
			[]*tensor.Tensor{f32(shape{1, 1, 1}, 1), f32(shape{1, 4, 1}, 1, 2, 3, 4), f32(shape{1, 4, 1}, 0, 0, 0, 0), f32(shape{1, 8}, 0, 0, 0, 0, 0, 0, 0, 0),
				i64(shape{1}, 1).Convert(tensor.Int32), f32(shape{1, 1, 1}, 0), f32(shape{1, 1, 1}, 2), f32(shape{1, 3}, 2, 1, 0)},
			f32(shape{3, 1, 1, 1}, 81, 81, 26)},
		{"Det", nil, []*tensor.Tensor{f32(shape{2, 2, 2}, 0, 2, 3, 4, 1, 2, 2, 4)}, f32(shape{2}, -6, 0)},
		{"TopK", Attrs{"k": int64(3)}, []*tensor.Tensor{f32(shape{5}, 1, nan, 3, -inf, 3)}, i64(shape{3}, 2, 4, 0)},
		{"TopK", Attrs{"k": int64(2), "axis": int64(0), "largest": int64(0)}, []*tensor.Tensor{i64(shape{3, 1}, 7, 5, 5)}, i64(shape{2, 1}, 1, 2)},
		{"CumSum", Attrs{"axis": int64(0)}, []*tensor.Tensor{f32(shape{3}, 1, 2, 4)}, f32(shape{3}, 1, 3, 7)},
		{"CumSum", Attrs{"axis": int64(0), "exclusive": int64(1), "reverse": int64(1)}, []*tensor.Tensor{i64(shape{3}, 1, 2, 4)}, i64(shape{3}, 6, 4, 0)},
		{"ReverseSequence", nil, []*tensor.Tensor{i64(shape{3, 2}, 0, 1, 2, 3, 4, 5), i64(shape{2}, 3, 2)}, i64(shape{3, 2}, 4, 3, 2, 1, 0, 5)},
		{"Trilu", Attrs{"k": int64(1)}, []*tensor.Tensor{i64(shape{2, 3}, 1, 2, 3, 4, 5, 6)}, i64(shape{2, 3}, 0, 2, 3, 0, 0, 6)},
		{"Trilu", Attrs{"upper": int64(0)}, []*tensor.Tensor{i64(shape{2, 3}, 1, 2, 3, 4, 5, 6)}, i64(shape{2, 3}, 1, 0, 0, 4, 5, 0)},
		{"Hardmax", nil, []*tensor.Tensor{f32(shape{2, 3}, 1, 3, 3, 2, 1, 0)}, f32(shape{2, 3}, 0, 1, 0, 1, 0, 0)},
		{"Shrink", Attrs{"bias": float32(1.5), "lambd": float32(1.5)}, []*tensor.Tensor{f32(shape{4}, -2, -1, 1.5, 3)}, f32(shape{4}, -0.5, 0, 0, 1.5)},
		{"IsInf", Attrs{"detect_negative": int64(0)}, []*tensor.Tensor{f32(shape{3}, -inf, inf, nan)}, boolean(shape{3}, 0, 1, 0)},
		{"IsNaN", nil, []*tensor.Tensor{f32(shape{2}, inf, nan)}, boolean(shape{2}, 0, 1)},
		{"BitShift", Attrs{"direction": "LEFT"}, []*tensor.Tensor{i64(shape{3}, 255, 1, 1).Convert(tensor.Uint8), i64(shape{3}, 1, 7, 8).Convert(tensor.Uint8)}, i64(shape{3}, 254, 128, 0).Convert(tensor.Uint8)},
		{"BitwiseNot", nil, []*tensor.Tensor{i64(shape{1}, 5).Convert(tensor.Uint8)}, i64(shape{1}, 250).Convert(tensor.Uint8)},
		{"DepthToSpace", Attrs{"blocksize": int64(2)}, []*tensor.Tensor{f32(shape{1, 8, 1, 1}, 0, 1, 2, 3, 4, 5, 6, 7)}, f32(shape{1, 2, 2, 2}, 0, 2, 4, 6, 1, 3, 5, 7)},
		{"DepthToSpace", Attrs{"blocksize": int64(2), "mode": "CRD"}, []*tensor.Tensor{f32(shape{1, 8, 1, 1}, 0, 1, 2, 3, 4, 5, 6, 7)}, f32(shape{1, 2, 2, 2}, 0, 1, 2, 3, 4, 5, 6, 7)},
		{"SpaceToDepth", Attrs{"blocksize": int64(2)}, []*tensor.Tensor{f32(shape{1, 2, 2, 2}, 0, 2, 4, 6, 1, 3, 5, 7)}, f32(shape{1, 8, 1, 1}, 0, 1, 2, 3, 4, 5, 6, 7)},
		{"Resize", Attrs{"sizes": ints(4), "mode": "linear"}, []*tensor.Tensor{f32(shape{2}, 0, 4)}, f32(shape{4}, 0, 1, 3, 4)},
		{"Resize", Attrs{"sizes": ints(4), "mode": "linear", "coordinate_transformation_mode": "align_corners"}, []*tensor.Tensor{f32(shape{2}, 0, 6)}, f32(shape{4}, 0, 2, 4, 6)},
		{"Resize", Attrs{"sizes": ints(2, 4), "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}, []*tensor.Tensor{i64(shape{1, 2}, 1, 2)}, i64(shape{2, 4}, 1, 1, 2, 2, 1, 1, 2, 2)},
		{"Resize", Attrs{"sizes": ints(4), "scales": []float32{2}, "mode": "cubic"}, []*tensor.Tensor{f32(shape{2}, 1, 5)}, f32(shape{4}, 0.578125, 1.90625, 4.09375, 5.421875)},
		// A triangle of half-width 2 over the places 0.5 and 2.5; beyond the ends the first and the last value count again.
		{"Resize", Attrs{"sizes": ints(2), "mode": "linear", "antialias": int64(1)}, []*tensor.Tensor{f32(shape{4}, 0, 8, 16, 24)}, f32(shape{2}, 5, 19)},
		{"Resize", Attrs{"sizes": ints(2), "mode": "linear", "antialias": int64(1), "exclude_outside": int64(1)}, []*tensor.Tensor{f32(shape{4}, 0, 7, 14, 21)}, f32(shape{2}, 5, 16)},
		{"Resize", Attrs{"sizes": ints(3), "mode": "linear", "coordinate_transformation_mode": "tf_crop_and_resize", "roi": []float32{1, -1}, "extrapolation_value": float32(9)}, []*tensor.Tensor{f32(shape{2}, 3, 5)}, f32(shape{3}, 5, 3, 9)},
	} {
		o, a, y := prepare(t, c.op, instance{c.a, c.in})
		o.Eval(a, c.in, y, tensor.Full(y.Shape))
		if y.Type != c.want.Type || !y.Shape.Equal(c.want.Shape) {
			t.Errorf("%s %v: %v%v, %v%v wanted", c.op, c.a, y.Type, y.Shape, c.want.Type, c.want.Shape)
			continue
		}
		if !near(y, c.want) {
			t.Errorf("%s %v: %v, %v wanted", c.op, c.a, values(y), values(c.want))
		}
	}
}

func near(x, y *tensor.Tensor) bool {
	if !x.Type.Float() {
		return sameBits(x, y)
	}
	for i, v := range x.Floats() {
		w := y.Floats()[i]
		if v != w && !(v != v && w != w) && !(math.Abs(float64(v-w)) <= 1e-6*math.Abs(float64(w))) {
			return false
		}
	}
	return true
}

// TestErrors gives operators what does not fit.
func TestErrors(t *testing.T) {
	x := f32(shape{1, 4, 5, 5}, make([]float32, 100)...)
	w := f32(shape{6, 2, 3, 3}, make([]float32, 108)...)
	conv := func(more Attrs) Attrs {
		a := Attrs{"kernel_shape": ints(3, 3), "strides": ints(1, 1), "pads": ints(0, 0, 0, 0), "dilations": ints(1, 1), "group": int64(2)}
		for n, v := range more {
			a[n] = v
		}
		return a
	}
	n := i64(shape{2}, 1, 2)
	for _, c := range []struct {
		op   string
		a    Attrs
		in   []*tensor.Tensor
		want string
	}{
		{"Conv", conv(Attrs{"dilations": ints(1, 1, 2)}), []*tensor.Tensor{x, w}, "dilations [1 1 2]: 2 values wanted"},
		{"Conv", conv(Attrs{"pads": ints(1, 1)}), []*tensor.Tensor{x, w}, "pads [1 1]: 4 values wanted"},
		{"Conv", conv(Attrs{"pads": ints(-1, 0, 0, 0)}), []*tensor.Tensor{x, w}, "pads [-1 0 0 0]: 0 or more wanted"},
		{"Conv", conv(Attrs{"strides": ints(0, 1)}), []*tensor.Tensor{x, w}, "strides [0 1]: 1 or more wanted"},
		{"Conv", conv(Attrs{"group": int64(3)}), []*tensor.Tensor{x, w}, "group 3: 4 input channels and weights 6x2x3x3 do not fit"},
		{"Conv", conv(Attrs{"kernel_shape": ints(3, 2)}), []*tensor.Tensor{x, w}, "kernel_shape [3 2]: [3 3] as the weights 6x2x3x3 wanted"},
		{"Conv", conv(Attrs{"dilations": ints(3, 1)}), []*tensor.Tensor{x, w}, "spatial dimension 0: a kernel over 7 values does not fit into 0+5+0"},
		{"Conv", conv(nil), []*tensor.Tensor{x, w, f32(shape{2}, 1, 2)}, "input 2 is 2: 6 wanted"},
		{"Conv", conv(nil), []*tensor.Tensor{x, n}, "input 1 is int64: float32 as input 0 wanted"},
		{"Conv", conv(nil), []*tensor.Tensor{f32(shape{1, 4}, 1, 2, 3, 4), w}, "input 0 is 1x4: rank 3 to 5 wanted"},
		{"ConvTranspose", conv(Attrs{"output_padding": ints(0, 0)}), []*tensor.Tensor{x, w}, "group 2: 4 input channels and weights 6x2x3x3 do not fit"},
		{"MaxPool", Attrs{"kernel_shape": ints(2, 2), "strides": ints(1, 1), "pads": ints(2, 0, 0, 0), "dilations": ints(1, 1)}, []*tensor.Tensor{x}, "pads [2 0 0 0]: less than the kernel, which covers 2 values, wanted"},
		{"Add", nil, []*tensor.Tensor{x, n}, "input 1 is int64: float32 as input 0 wanted"},
		{"Add", nil, []*tensor.Tensor{n, i64(shape{3}, 1, 2, 3)}, "inputs [2 3] do not broadcast: extents 2 and 3"},
		{"PRelu", nil, []*tensor.Tensor{f32(shape{1}, 1), f32(shape{2}, 1, 2)}, "slope 2 does not broadcast to 1"},
		{"Mod", nil, []*tensor.Tensor{x, x}, "fmod 0 on float32: 1 wanted"},
		{"Exp", nil, []*tensor.Tensor{n}, "input 0 is int64: a floating type wanted"},
		{"Not", nil, []*tensor.Tensor{n}, "input 0 is int64: bool wanted"},
		{"Where", nil, []*tensor.Tensor{n, n, n}, "input 0 is int64: bool wanted"},
		{"Cast", Attrs{"to": "complex64"}, []*tensor.Tensor{n}, `to: element type "complex64"`},
		{"Gemm", nil, []*tensor.Tensor{f32(shape{1, 2}, 1, 2), f32(shape{1, 2}, 1, 2)}, "inputs 1x2 and 1x2 with transA 0, transB 0: 2 and 1 values to multiply"},
		{"MatMul", nil, []*tensor.Tensor{f32(shape{2}, 1, 2), f32(shape{3}, 1, 2, 3)}, "inputs 2 and 3: 2 and 3 values to multiply"},
		{"BatchNormalization", nil, []*tensor.Tensor{x, f32(shape{3}, 1, 2, 3), x, x, x}, "input 1 is 3: 4 wanted"},
		{"Softmax", Attrs{"axis": int64(4)}, []*tensor.Tensor{x}, "axis 4 of a value of rank 4: -4 to 3 wanted"},
		{"LRN", Attrs{"size": int64(0)}, []*tensor.Tensor{x}, "size 0: 1 or more wanted"},
		{"ReduceMean", Attrs{"axes": ints(1, -3)}, []*tensor.Tensor{x}, "axes [1 -3] of 1x4x5x5: axis 1 twice"},
		{"ReduceMean", Attrs{"axes": ints(4)}, []*tensor.Tensor{x}, "axes [4] of 1x4x5x5: -4 to 3 wanted"},
		{"Concat", Attrs{"axis": int64(0)}, []*tensor.Tensor{x, w}, "input 1 is 6x2x3x3: 1x4x5x5 but for axis 0 wanted"},
		{"Slice", Attrs{"starts": ints(0), "ends": ints(1), "axes": ints(0), "steps": ints(0)}, []*tensor.Tensor{x}, "a step other than 0, wanted"},
		{"Pad", Attrs{"pads": ints(0, 0)}, []*tensor.Tensor{x}, "pads [0 0]: 8 values wanted"},
		{"Pad", Attrs{"pads": ints(2, 0), "mode": "reflect"}, []*tensor.Tensor{n}, "pads [2 0] of 2: less than the 2 values of dimension 0 to reflect wanted"},
		{"Pad", Attrs{"pads": ints(1, -1), "mode": "wrap"}, []*tensor.Tensor{n}, "pads [1 -1] of 2: pads of one sign in dimension 0 to wrap wanted"},
		{"Reshape", Attrs{"shape": ints(7)}, []*tensor.Tensor{n}, "shape [7]: the 2 values of 2 wanted"},
		{"Transpose", Attrs{"perm": ints(0, 0)}, []*tensor.Tensor{f32(shape{1, 1}, 1)}, "perm [0 0]: each of the dimensions of 1x1 once wanted"},
		{"Expand", Attrs{"shape": ints(-1, 2)}, []*tensor.Tensor{n}, "a value of -1x2: extents of 0 or more"},
		{"Expand", Attrs{"shape": ints(3)}, []*tensor.Tensor{n}, "shape [3]: a shape that 2 broadcasts to wanted"},
		{"Expand", Attrs{"shape": ints(1<<31, 1<<31, 2)}, []*tensor.Tensor{n}, "a value of 2147483648x2147483648x2: extents of 0 or more, and at most 1099511627776 numbers, wanted"},
		{"Tile", Attrs{"repeats": ints(1 << 40)}, []*tensor.Tensor{n}, `attribute "repeats" of Tile is [1099511627776]: integers up to 2147483648 wanted`},
		{"TopK", Attrs{"k": int64(3)}, []*tensor.Tensor{n}, "k 3: 0 to the 2 values along axis 0 wanted"},
		{"GatherND", nil, []*tensor.Tensor{n, n}, "input 1 is 2: 1 to 1 indices along the last dimension wanted"},
		{"GatherND", Attrs{"batch_dims": int64(1)}, []*tensor.Tensor{n, n}, "batch_dims 1 of inputs [2 2]: dimensions that both have, and more beside them, wanted"},
		{"GatherElements", nil, []*tensor.Tensor{n, i64(shape{1, 1}, 0)}, "input 1 is 1x1: at most 2 but for axis 0 wanted"},
		{"ScatterElements", nil, []*tensor.Tensor{n, n, i64(shape{1}, 0)}, "input 2 is 1: 2 as input 1 wanted"},
		{"ScatterElements", nil, []*tensor.Tensor{n, n, f32(shape{2}, 0, 1)}, "input 2 is float32: int64 as input 0 wanted"},
		{"ScatterND", nil, []*tensor.Tensor{n, i64(shape{3, 1}, 0, 0, 0), n}, "input 2 is 2: 3 wanted"},
		{"ReverseSequence", nil, []*tensor.Tensor{n, n}, "batch_axis 1, time_axis 0: two dimensions of 2 wanted"},
		{"OneHot", Attrs{"depth": int64(3)}, []*tensor.Tensor{n, i64(shape{3}, 0, 1, 2)}, "input 1 is 3: 2 wanted"},
		{"Trilu", nil, []*tensor.Tensor{n}, "input 0 is 2: rank 2 or more wanted"},
		{"BitShift", Attrs{"direction": "LEFT"}, []*tensor.Tensor{n, n}, "input 0 is int64: uint8 wanted"},
		{"Gather", nil, []*tensor.Tensor{n, x}, "input 1 is float32: int64 or int32 wanted"},
		{"DepthToSpace", Attrs{"blocksize": int64(3)}, []*tensor.Tensor{x}, "blocksize 3: its square does not divide the 4 channels"},
		{"SpaceToDepth", Attrs{"blocksize": int64(2)}, []*tensor.Tensor{x}, "blocksize 2: it does not divide 5 and 5"},
		{"Resize", Attrs{"sizes": ints(1)}, []*tensor.Tensor{x}, "sizes [1], scales [] of 1x4x5x5: one value a dimension wanted"},
		{"Resize", Attrs{"sizes": ints(4), "mode": "linear"}, []*tensor.Tensor{n}, `mode "linear" on int64: a floating type wanted`},
		{"Resize", Attrs{"sizes": ints(4), "mode": "lanczos"}, []*tensor.Tensor{n}, `attribute "mode" of Resize is "lanczos"`},
		{"Resize", Attrs{"size": ints(4)}, []*tensor.Tensor{n}, `attribute "size" is not known to Resize (did you mean "sizes"?)`},
	} {
		err := fit(c.op, instance{c.a, c.in})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %v: error %v, %q wanted", c.op, c.a, err, c.want)
		}
	}
}

// fit is the error of attributes, types and shapes.
func fit(name string, x instance) error {
	o, err := Lookup(name)
	if err != nil {
		return err
	}
	a, err := x.attrs.Complete(o)
	if err != nil {
		return err
	}
	var types []tensor.Type
	for _, v := range x.in {
		types = append(types, v.Type)
	}
	if o.Type != nil {
		if _, err := o.Type(a, types); err != nil {
			return err
		}
	}
	_, err = o.Shape(a, x.shapes())
	return err
}
