package onnx

import (
	"slices"
	"strings"

	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// The opsets and IR versions that are written, of which the first that has all operators of a graph is taken: that of common
// runtimes and checkers; the first that has every canonical operator (Gelu); the first that quantises blocks; and the first
// whose convolutions take bfloat16.
const (
	commonOpset, commonIR     = 17, 8
	fullOpset, fullIR         = 20, 9
	blocksOpset, blocksIR     = 21, 10
	bfloat16Opset, bfloat16IR = 22, 10
)

// axesOpset is the first opset in which all reductions have their axes as an input.
const axesOpset = 18

// common are the canonical operators that are spelled in commonOpset as in fullOpset, or, reductions, nearly so.
var common = strings.Fields(`
Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh BatchNormalization BitShift Cast Ceil Clip Concat Conv
ConvTranspose Cos Cosh CumSum DepthToSpace Det Div Elu Equal Erf Exp Expand Floor GRU Gather GatherElements GatherND Gemm
GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual HardSigmoid HardSwish Hardmax Identity InstanceNormalization
IsInf IsNaN LRN LSTM LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax LpNormalization MatMul Max MaxPool
MaxPoolIndices MaxRoiPool MaxUnpool Min Mod Mul Neg Not OneHot Or PRelu Pow RNN Reciprocal ReduceL2 ReduceMax ReduceMean
ReduceMin ReduceProd ReduceSum Relu Reshape ReverseSequence RoiAlign Round Selu Shrink Sigmoid Sign Sin Sinh Slice
Softmax Softplus Softsign SpaceToDepth Sqrt Sub Swish Tan Tanh Tile TopK Transpose Trilu Where Xor`)

// versions are the opset and the IR version that a graph is written in.
func versions(g *graph.Graph) (opset, ir uint64) {
	opset, ir = commonOpset, commonIR
	for i := range g.Nodes {
		nd := &g.Nodes[i]
		block, ok := nd.Attrs["block_size"]
		switch {
		case nd.Type == tensor.BFloat16:
			return bfloat16Opset, bfloat16IR
		case ok && block.(int64) != 0:
			opset, ir = blocksOpset, blocksIR
		case nd.Op != nil && !isCommon(nd):
			opset, ir = max(opset, fullOpset), max(ir, fullIR)
		}
	}
	return opset, ir
}

// isCommon reports whether a node and its epilogue can be written in commonOpset.
func isCommon(nd *graph.Node) bool {
	if slices.ContainsFunc(nd.Post, func(s graph.Stage) bool { return !slices.Contains(common, s.Op.Name) }) {
		return false
	}
	switch nd.Op.OnReals() {
	case "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeScale", "DynamicQuantizeZeroPoint":
		return true
	case "AveragePool": // dilations since opset 19, and in runtimes the right divisor where a window reaches beyond the pads
		return undilated(nd.Attrs) && (nd.Attrs.Int("ceil_mode") == 0 || nd.Attrs.Int("count_include_pad") == 0)
	case "Pad": // mode wrap since opset 19
		return nd.Attrs.String("mode") != "wrap"
	case "Resize": // half_pixel_symmetric since opset 19, antialiasing since 18
		return nd.Attrs.String("coordinate_transformation_mode") != "half_pixel_symmetric" && nd.Attrs.Int("antialias") == 0
	case "ScatterElements", "ScatterND": // the least and the greatest since opset 18
		return !slices.Contains([]string{"max", "min"}, nd.Attrs.String("reduction"))
	}
	return slices.Contains(common, nd.Op.OnReals())
}

func undilated(a op.Attrs) bool {
	return !slices.ContainsFunc(a.Ints("dilations"), func(d int) bool { return d != 1 })
}
