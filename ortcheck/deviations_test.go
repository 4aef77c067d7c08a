package ortcheck

import (
	"runtime"
	"slices"

	"golang.org/x/sys/cpu"

	"pimflow/internal/tensor"
)

// deviating is a row of deviations.
type deviating struct {
	ops  []string
	is   func(*model) bool
	says string // in the outcome's error
	why  string
}

// deviations lists what ONNX Runtime cannot run, or runs otherwise than ONNX says,
// and what pimflow refuses because ONNX does not say it. A row that no model meets
// is a failure.
var deviations = []deviating{
	{[]string{"AffineGrid"}, singlePixel, "wanted",
		"under align_corners ONNX Runtime puts a single pixel at 1; PyTorch, whose operator it is, at 0"},
	{[]string{"AveragePool", "LpPool", "MaxPool"}, sameDilated, "wanted",
		"ONNX Runtime leaves dilations out of the padding of auto_pad; MaxPool-11: the output is the input over the strides"},
	{[]string{"AveragePool", "LpPool", "MaxPool", "com.microsoft.QLinearAveragePool"}, sameSparse, "wanted",
		"where a stride exceeds the kernel, ONNX Runtime's auto_pad SAME_UPPER moves the windows of pools, but not those of Conv; TensorFlow, whose padding it is, moves none"},
	{[]string{"AveragePool"}, overhanging, "wanted",
		"before opset 19 ONNX Runtime divides by the whole kernel where ceil_mode takes it beyond the pads; from 19 on, as PyTorch, by the part within"},
	{[]string{"Col2Im"}, dilatedElsewhere, "wanted",
		"ONNX Runtime spreads the taps of dilated blocks in one and three dimensions otherwise than in two"},
	{[]string{"Conv", "ConvInteger", "QLinearConv", "com.microsoft.FusedConv", "com.microsoft.QLinearConv"}, sameDilated, "Dilation not supported for AutoPadType",
		"ONNX Runtime has no auto_pad with dilations"},
	{[]string{"ConvTranspose"}, sameSparse, "wanted",
		"ONNX Runtime adds nothing where auto_pad asks for more than there is; ConvTranspose-11: the output is the input times the strides"},
	{[]string{"ConvTranspose"}, extraBeyondStride, "output_padding",
		"ONNX Runtime wants output_padding below the stride; ConvTranspose-11: below the stride or the dilation"},
	{[]string{"LSTM"}, func(m *model) bool { return m.stated("clip") != nil }, "wanted",
		"ONNX Runtime does not clip what the last activation of LSTM reads; LSTM-14: the input of activations"},
	{[]string{"RNN"}, func(m *model) bool {
		return m.stated("direction") == "bidirectional" && m.stated("activation_alpha") != nil
	}, "wanted",
		"ONNX Runtime's RNN takes the parameter of the second direction from the second place, which may be beyond the list"},
	{[]string{"Resize"}, croppedAsIs, "wanted",
		"ONNX Runtime crops no dimension that keeps its extent; Resize-11: every dimension"},
	{[]string{"Resize"}, func(m *model) bool { return m.opset == 10 }, "enlarge and reduce: opset 11 or later wanted",
		"Resize-10 does not say which value is nearest where one scale enlarges and another reduces"},
}

// sameDilated reports auto_pad with dilations.
func sameDilated(m *model) bool {
	auto, _ := m.stated("auto_pad").(string)
	d, _ := m.stated("dilations").([]int64)
	return (auto == "SAME_UPPER" || auto == "SAME_LOWER") && slices.ContainsFunc(d, func(v int64) bool { return v > 1 })
}

// singlePixel reports a grid of corners with one of them in some dimension.
func singlePixel(m *model) bool {
	return m.stated("align_corners") == 1 && slices.Contains(m.value(m.in[1]).Ints()[2:], 1)
}

// dilatedElsewhere reports dilations in three dimensions.
func dilatedElsewhere(m *model) bool {
	d, _ := m.stated("dilations").([]int64)
	return len(d) != 2 && slices.ContainsFunc(d, func(v int64) bool { return v > 1 })
}

// croppedAsIs reports a crop of a dimension that keeps its extent.
func croppedAsIs(m *model) bool {
	if m.stated("coordinate_transformation_mode") != "tf_crop_and_resize" {
		return false
	}
	roi, x := m.value(m.in[1]).Floats(), m.value(m.in[0]).Shape
	for d, n := range x {
		kept := len(m.in) == 3 && m.value(m.in[2]).Floats()[d] == 1 || len(m.in) == 4 && int(m.value(m.in[3]).Ints()[d]) == n
		if kept && (roi[d] != 0 || roi[len(x)+d] != 1) {
			return true
		}
	}
	return false
}

// overhanging reports windows that may reach beyond the pads and count what is
// there, in the opsets of ONNX Runtime's old kernel.
func overhanging(m *model) bool {
	return m.opset < 19 && m.stated("ceil_mode") == 1 && m.stated("count_include_pad") == 1
}

// sameSparse reports auto_pad with a stride that exceeds the kernel's extent.
func sameSparse(m *model) bool {
	auto, _ := m.stated("auto_pad").(string)
	strides, _ := m.stated("strides").([]int64)
	dilations, _ := m.stated("dilations").([]int64)
	kernel, ok := m.stated("kernel_shape").([]int64)
	if !ok {
		for _, k := range m.value(m.in[1]).Shape[2:] {
			kernel = append(kernel, int64(k))
		}
	}
	for i, s := range strides {
		d := int64(1)
		if dilations != nil {
			d = dilations[i]
		}
		if s > (kernel[i]-1)*d+1 {
			return auto == "SAME_UPPER" || auto == "SAME_LOWER"
		}
	}
	return false
}

// extraBeyondStride reports an output_padding of a stride or more.
func extraBeyondStride(m *model) bool {
	extra, _ := m.stated("output_padding").([]int64)
	strides, _ := m.stated("strides").([]int64)
	for i, e := range extra {
		if strides == nil && e >= 1 || strides != nil && e >= strides[i] {
			return true
		}
	}
	return false
}

// saturates reports whether ONNX Runtime's sums of products of uint8 and int8 are wrong on this processor: its kernels for AVX2
// without VNNI add two products in 16 bits. session.x64quantprecision, which is to avoid that, makes models here that ONNX
// Runtime 1.28.2 refuses. Source: onnxruntime_session_options_config_keys.h.
var saturates = runtime.GOARCH == "amd64" && !cpu.X86.HasAVX512VNNI && !cpu.X86.HasAVXVNNI

const saturation = "the processor has no VNNI, and ONNX Runtime's sums of products of uint8 and int8 saturate at 16 bits"

func init() {
	if saturates {
		deviations = append(deviations, deviating{[]string{"MatMulInteger", "QLinearConv", "QLinearMatMul", "com.microsoft.QLinearConv"}, signsDiffer, "wanted", saturation})
	}
}

// signsDiffer reports whether a model has operands of uint8 and of int8.
func signsDiffer(m *model) bool {
	var signed, unsigned bool
	see := func(x *tensor.Tensor) {
		signed, unsigned = signed || x.Type == tensor.Int8, unsigned || x.Type == tensor.Uint8
	}
	for _, x := range m.inputs {
		see(x)
	}
	for _, c := range m.consts {
		see(c.t)
	}
	return signed && unsigned
}
