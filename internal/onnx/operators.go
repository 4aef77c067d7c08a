package onnx

import (
	"maps"
	"slices"
	"strings"
)

// Operator says what is read of an operator.
type Operator struct {
	Domain       string   // "" of ONNX itself
	Name         string   // as the standard spells it
	Since, Until int      // the opsets of the domain
	Becomes      []string // the operators of package op that it comes to; nil: a constant, or nothing
	Limits       string   // what of it is refused; "": nothing
}

// Operators lists the operators that are read, those of ONNX first, by name.
func Operators() (list []Operator) {
	for _, domain := range slices.Sorted(maps.Keys(tables())) {
		rows := tables()[domain]
		for _, name := range slices.Sorted(maps.Keys(rows)) {
			r := rows[name]
			o := Operator{Domain: domain, Name: name, Since: max(r.since, minOpset), Until: maxOpset, Becomes: []string{name}}
			if domain != "" {
				o.Until = o.Since // com.microsoft has had one version
			}
			if r.until > 0 {
				o.Until = r.until
			}
			if n, ok := noteOf(domain, name); ok {
				o.Limits = n.limits
				if n.becomes != "" {
					o.Becomes = strings.Fields(strings.Trim(n.becomes, "-"))
				}
			}
			list = append(list, o)
		}
	}
	return list
}

// Unsupported lists the operators of ONNX that are not read, by name.
func Unsupported() (list []string) {
	for _, name := range standard {
		if _, ok := lowerings[name]; !ok {
			list = append(list, name)
		}
	}
	return list
}

// note is what a row of a table comes to if that is not the operator of its name, and what of it is refused.
type note struct {
	becomes string // operators of package op, or - for a constant or nothing
	limits  string
}

// unbounded is the limit of an operator some of whose inputs are sizes.
func unbounded(what string) string { return what + " that depends on data without a bound" }

// notes are by operator, whatever its domain.
var notes = map[string]note{
	"GRU":                       {becomes: "GRU Transpose Slice Reshape"},
	"LSTM":                      {becomes: "LSTM Transpose Slice Reshape"},
	"RNN":                       {becomes: "RNN Transpose Slice Reshape"},
	"AffineGrid":                {becomes: "Expand Concat Reshape Transpose MatMul", limits: "a size that is not constant"},
	"CenterCropPad":             {becomes: "Slice Pad", limits: "a shape that is not constant"},
	"Col2Im":                    {becomes: "Reshape Tile ConvTranspose", limits: "shapes that are not constant"},
	"MeanVarianceNormalization": {becomes: "ReduceMean Sub Mul Sqrt Add Div"},
	"NegativeLogLikelihoodLoss": {becomes: "Reshape GatherElements Neg Gather Mul Equal Where ReduceSum ReduceMean Div"},
	"RMSNormalization":          {becomes: "Mul ReduceMean Add Sqrt Div"},
	"SoftmaxCrossEntropyLoss":   {becomes: "LogSoftmax Reshape GatherElements Neg Gather Mul Equal Where ReduceSum ReduceMean Div"},
	"Affine":                    {becomes: "Mul Add"},
	"BatchNormalization":        {limits: "training"},
	"BlackmanWindow":            {becomes: "-", limits: "a size that is not constant; more than 4096 values"},
	"HammingWindow":             {becomes: "-", limits: "as BlackmanWindow"},
	"HannWindow":                {becomes: "-", limits: "as BlackmanWindow"},
	"BiasGelu":                  {becomes: "Add Gelu"},
	"Cast":                      {limits: "strings, 16-bit integers, unsigned ones but uint8, 8-bit floats"},
	"CastLike":                  {becomes: "Cast", limits: "as Cast"},
	"Celu":                      {becomes: "Div Elu Mul"},
	"Clip":                      {becomes: "Clip Min Max"},
	"Constant":                  {becomes: "-", limits: "strings, sparse tensors"},
	"Compress":                  {becomes: "Compress Reshape"},
	"Unique":                    {becomes: "Unique UniqueInverse Reshape"},
	"ConstantOfShape":           {becomes: "Expand Sized", limits: unbounded("a shape")},
	"Dropout":                   {becomes: "-", limits: "training"},
	"Expand":                    {becomes: "Expand Sized", limits: unbounded("a shape")},
	"FastGelu":                  {becomes: "Add Gelu"},
	"Flatten":                   {becomes: "Reshape"},
	"FusedConv":                 {becomes: "Conv Add Relu", limits: "activations but Relu, LeakyRelu, Clip, HardSigmoid, Sigmoid, Tanh, Elu, Softplus, Softsign"},
	"FusedGemm":                 {becomes: "Gemm Relu", limits: "as FusedConv"},
	"FusedMatMul":               {becomes: "Transpose MatMul Mul"},
	"GroupNormalization":        {becomes: "Reshape InstanceNormalization Mul Add"},
	"Identity":                  {becomes: "-"},
	"If":                        {becomes: "-", limits: "a condition that depends on the model's inputs"},
	"EyeLike":                   {becomes: "Expand Trilu"},
	"DynamicQuantizeLinear":     {becomes: "DynamicQuantizeScale DynamicQuantizeZeroPoint QuantizeLinear"},
	"TopK":                      {becomes: "TopK GatherElements Sized"},
	"CumSum":                    {limits: "an axis that is not constant"},
	"Trilu":                     {limits: "a k that is not constant"},
	"ImageScaler":               {becomes: "Mul Add"},
	"LayerNormalization":        {becomes: "LayerNormalization ReduceMean Sub Mul Add Sqrt Reciprocal"},
	"Loop":                      {becomes: "Reshape Concat Sized", limits: unbounded("a number of steps") + "; more than 10000 steps"},
	"MaxPool":                   {becomes: "MaxPool MaxPoolIndices"},
	"Mean":                      {becomes: "Add Div"},
	"NonMaxSuppression":         {becomes: "NonMaxSuppression Sized", limits: "thresholds that are not constant"},
	"NhwcMaxPool":               {becomes: "Transpose MaxPool"},
	"Pad":                       {becomes: "Pad Sized", limits: unbounded("a pad") + "; a value that is not constant"},
	"ParametricSoftplus":        {becomes: "Mul Softplus"},
	"Pow":                       {becomes: "Pow Cast"},
	"QuickGelu":                 {becomes: "Swish"},
	"Range":                     {becomes: "Expand CumSum Mul Add Sized", limits: unbounded("a length") + "; bounds of a floating type, or a delta, that are not constant; more than 16777216 values"},
	"ReduceL1":                  {becomes: "Abs ReduceSum", limits: "axes that are not constant"},
	"ReduceL2":                  {limits: "axes that are not constant"},
	"ReduceLogSum":              {becomes: "ReduceSum Log", limits: "axes that are not constant"},
	"ReduceLogSumExp":           {becomes: "ReduceMax Sub Exp ReduceSum Log Add Reshape", limits: "axes that are not constant"},
	"ReduceMax":                 {limits: "axes that are not constant"},
	"ReduceMean":                {limits: "axes that are not constant"},
	"ReduceMin":                 {limits: "axes that are not constant"},
	"ReduceProd":                {limits: "axes that are not constant"},
	"ReduceSum":                 {limits: "axes that are not constant"},
	"ReduceSumSquare":           {becomes: "Mul ReduceSum", limits: "axes that are not constant"},
	"Reshape":                   {limits: "a shape that is not constant"},
	"Einsum":                    {becomes: "Transpose Reshape Slice MatMul Mul ReduceSum"},
	"GlobalLpPool":              {becomes: "Abs ReduceSum ReduceL2 Pow"},
	"MaxUnpool":                 {becomes: "MaxUnpool Pad"},
	"Resize":                    {becomes: "Resize Sized", limits: unbounded("a size") + "; scales or a roi that are not constant"},
	"Scale":                     {becomes: "Mul"},
	"ScaledTanh":                {becomes: "Mul Tanh"},
	"Scan":                      {becomes: "Gather Reshape Concat", limits: "in opset 8 lengths that depend on the model's inputs"},
	"Scatter":                   {becomes: "ScatterElements"},
	"Shape":                     {becomes: "-"},
	"Size":                      {becomes: "-"},
	"SkipLayerNormalization":    {becomes: "Add LayerNormalization ReduceMean Sub Mul Sqrt Reciprocal"},
	"Slice":                     {becomes: "Slice Sized", limits: "axes or steps that are not constant"},
	"Softmax":                   {becomes: "Softmax Reshape"},
	"LogSoftmax":                {becomes: "LogSoftmax Reshape"},
	"Split":                     {becomes: "Slice Sized"},
	"Squeeze":                   {becomes: "Reshape", limits: "axes that are not constant"},
	"Sum":                       {becomes: "Add"},
	"ThresholdedRelu":           {becomes: "Greater Where"},
	"Tile":                      {becomes: "Tile Sized", limits: unbounded("a repeat")},
	"Unsqueeze":                 {becomes: "Reshape", limits: "axes that are not constant"},
	"Upsample":                  {becomes: "Resize", limits: "scales below 1, or not constant"},
}
