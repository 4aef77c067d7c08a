package onnx

import "pimflow/internal/op"

// row says how an operator of ONNX becomes canonical ones. lower returns the
// node's outputs; one that is nil, or missing, is not made.
type row struct {
	since int // the first opset that has it; 0: all that are read
	until int // the last one; 0: still there
	lower func(n *node) []*value
}

// lowerings is the table of ONNX's operators of the default domain. Versions are
// those of ONNX's Operators.md and Changelog.md.
var lowerings = map[string]row{
	"Abs":                       {lower: same},
	"Acos":                      {since: 7, lower: same},
	"Acosh":                     {since: 9, lower: same},
	"Add":                       {lower: elementwise},
	"Affine":                    {until: 9, lower: affine},
	"AffineGrid":                {since: 20, lower: affineGrid},
	"And":                       {lower: elementwise},
	"ArgMax":                    {lower: argExtreme},
	"ArgMin":                    {lower: argExtreme},
	"Asin":                      {since: 7, lower: same},
	"Asinh":                     {since: 9, lower: same},
	"Atan":                      {since: 7, lower: same},
	"Atanh":                     {since: 9, lower: same},
	"AveragePool":               {lower: averagePool},
	"BatchNormalization":        {lower: batchNorm},
	"BitShift":                  {since: 11, lower: same},
	"BitwiseAnd":                {since: 18, lower: same},
	"BitwiseNot":                {since: 18, lower: same},
	"BitwiseOr":                 {since: 18, lower: same},
	"BitwiseXor":                {since: 18, lower: same},
	"BlackmanWindow":            {since: 17, lower: taper(0.42, 0.5, 0.08)},
	"Cast":                      {lower: cast},
	"CastLike":                  {since: 15, lower: castLike},
	"Ceil":                      {lower: same},
	"Celu":                      {since: 12, lower: celu},
	"CenterCropPad":             {since: 18, lower: centerCropPad},
	"Clip":                      {lower: clip},
	"Col2Im":                    {since: 18, lower: col2Im},
	"Compress":                  {since: 9, lower: compress},
	"Concat":                    {lower: concat},
	"Constant":                  {lower: constant},
	"ConstantOfShape":           {since: 9, lower: constantOfShape},
	"Conv":                      {lower: conv},
	"ConvInteger":               {since: 10, lower: convInteger},
	"ConvTranspose":             {lower: convTranspose},
	"Cos":                       {since: 7, lower: same},
	"Cosh":                      {since: 9, lower: same},
	"CumSum":                    {since: 11, lower: cumSum},
	"DepthToSpace":              {lower: same},
	"DequantizeLinear":          {since: 10, lower: dequantizeLinear},
	"Det":                       {since: 11, lower: same},
	"Div":                       {lower: elementwise},
	"Dropout":                   {lower: dropout},
	"DynamicQuantizeLinear":     {since: 11, lower: dynamicQuantizeLinear},
	"Einsum":                    {since: 12, lower: einsum},
	"Elu":                       {lower: same},
	"Equal":                     {lower: elementwise},
	"Erf":                       {since: 9, lower: same},
	"Exp":                       {lower: same},
	"Expand":                    {since: 8, lower: expand},
	"EyeLike":                   {since: 9, lower: eyeLike},
	"Flatten":                   {lower: flatten},
	"Floor":                     {lower: same},
	"GRU":                       {lower: recurrent(3, "Sigmoid Tanh")},
	"Gather":                    {lower: gather},
	"GatherElements":            {since: 11, lower: same},
	"GatherND":                  {since: 11, lower: same},
	"Gelu":                      {since: 20, lower: same},
	"Gemm":                      {lower: gemm},
	"GlobalAveragePool":         {lower: same},
	"GlobalLpPool":              {lower: globalLpPool},
	"GlobalMaxPool":             {lower: same},
	"Greater":                   {lower: elementwise},
	"GreaterOrEqual":            {since: 12, lower: same},
	"GridSample":                {since: 16, lower: gridSample},
	"GroupNormalization":        {since: 18, lower: groupNorm},
	"HammingWindow":             {since: 17, lower: taper(25.0/46, 21.0/46)},
	"HannWindow":                {since: 17, lower: taper(0.5, 0.5)},
	"HardSigmoid":               {lower: same},
	"HardSwish":                 {since: 14, lower: same},
	"Hardmax":                   {lower: softmax},
	"Identity":                  {lower: identity},
	"If":                        {lower: ifElse},
	"ImageScaler":               {until: 9, lower: imageScaler},
	"InstanceNormalization":     {lower: same},
	"IsInf":                     {since: 10, lower: same},
	"IsNaN":                     {since: 9, lower: same},
	"LRN":                       {lower: same},
	"LSTM":                      {lower: recurrent(4, "Sigmoid Tanh Tanh")},
	"LayerNormalization":        {lower: layerNorm},
	"LeakyRelu":                 {lower: same},
	"Less":                      {lower: elementwise},
	"LessOrEqual":               {since: 12, lower: same},
	"Log":                       {lower: same},
	"LogSoftmax":                {lower: softmax},
	"Loop":                      {lower: loop},
	"LpNormalization":           {lower: same},
	"LpPool":                    {lower: lpPool},
	"MatMul":                    {lower: same},
	"MatMulInteger":             {since: 10, lower: matMulInteger},
	"Max":                       {lower: chain("Max")},
	"MaxPool":                   {lower: maxPool},
	"MaxRoiPool":                {lower: same},
	"MaxUnpool":                 {since: 9, lower: maxUnpool},
	"Mean":                      {lower: mean},
	"MeanVarianceNormalization": {since: 9, lower: meanVariance},
	"Min":                       {lower: chain("Min")},
	"Mish":                      {since: 18, lower: same},
	"Mod":                       {since: 10, lower: same},
	"Mul":                       {lower: elementwise},
	"Neg":                       {lower: same},
	"NegativeLogLikelihoodLoss": {since: 12, lower: nllLoss},
	"NonMaxSuppression":         {since: 10, lower: nonMaxSuppression},
	"NonZero":                   {since: 9, lower: nonZero},
	"Not":                       {lower: same},
	"OneHot":                    {since: 9, lower: oneHot},
	"Or":                        {lower: elementwise},
	"PRelu":                     {lower: prelu},
	"Pad":                       {lower: pad},
	"ParametricSoftplus":        {until: 9, lower: parametricSoftplus},
	"Pow":                       {lower: pow},
	"QLinearConv":               {since: 10, lower: qLinearConv},
	"QLinearMatMul":             {since: 10, lower: qLinearMatMul},
	"QuantizeLinear":            {since: 10, lower: quantizeLinear},
	"RMSNormalization":          {since: 23, lower: rmsNorm},
	"RNN":                       {lower: recurrent(1, "Tanh")},
	"Range":                     {since: 11, lower: rangeOf},
	"Reciprocal":                {lower: same},
	"ReduceL1":                  {lower: reduceL1},
	"ReduceL2":                  {lower: reduce("ReduceL2", 18)},
	"ReduceLogSum":              {lower: reduceLogSum},
	"ReduceLogSumExp":           {lower: reduceLogSumExp},
	"ReduceMax":                 {lower: reduce("ReduceMax", 18)},
	"ReduceMean":                {lower: reduce("ReduceMean", 18)},
	"ReduceMin":                 {lower: reduce("ReduceMin", 18)},
	"ReduceProd":                {lower: reduce("ReduceProd", 18)},
	"ReduceSum":                 {lower: reduce("ReduceSum", 13)},
	"ReduceSumSquare":           {lower: reduceSumSquare},
	"Relu":                      {lower: same},
	"Reshape":                   {lower: reshape},
	"Resize":                    {since: 10, lower: resize},
	"ReverseSequence":           {since: 10, lower: same},
	"RoiAlign":                  {since: 10, lower: roiAlign},
	"Round":                     {since: 11, lower: same},
	"Scale":                     {until: 9, lower: scaleBy},
	"ScaledTanh":                {until: 9, lower: scaledTanh},
	"Scan":                      {since: 8, lower: scanImages},
	"Scatter":                   {since: 9, until: 10, lower: scatter},
	"ScatterElements":           {since: 11, lower: same},
	"ScatterND":                 {since: 11, lower: same},
	"Selu":                      {lower: selu},
	"Shape":                     {lower: shapeOf},
	"Shrink":                    {since: 9, lower: same},
	"Sigmoid":                   {lower: same},
	"Sign":                      {since: 9, lower: same},
	"Sin":                       {since: 7, lower: same},
	"Sinh":                      {since: 9, lower: same},
	"Size":                      {lower: sizeOf},
	"Slice":                     {lower: slice},
	"Softmax":                   {lower: softmax},
	"SoftmaxCrossEntropyLoss":   {since: 12, lower: softmaxLoss},
	"Softplus":                  {lower: same},
	"Softsign":                  {lower: same},
	"SpaceToDepth":              {lower: same},
	"Split":                     {lower: split},
	"Sqrt":                      {lower: same},
	"Squeeze":                   {lower: squeeze},
	"Sub":                       {lower: elementwise},
	"Sum":                       {lower: chain("Add")},
	"Swish":                     {since: 24, lower: same},
	"Tan":                       {since: 7, lower: same},
	"Tanh":                      {lower: same},
	"ThresholdedRelu":           {lower: thresholdedRelu},
	"Tile":                      {lower: tile},
	"TopK":                      {lower: topK},
	"Transpose":                 {lower: transpose},
	"Trilu":                     {since: 14, lower: trilu},
	"Unique":                    {since: 11, lower: unique},
	"Unsqueeze":                 {lower: unsqueeze},
	"Upsample":                  {until: 9, lower: upsample},
	"Where":                     {since: 9, lower: same},
	"Xor":                       {lower: elementwise},
}

// same lowers an operator whose canonical form is spelled as ONNX's.
func same(n *node) []*value {
	return one(n.op(n.p.opType, n.attrs(n.p.opType), n.all()...))
}

// attrs returns the node's attributes that the canonical operator knows.
func (n *node) attrs(opName string) op.Attrs {
	o, err := op.Lookup(opName)
	n.check(err)
	a := op.Attrs{}
	for _, d := range o.Attrs {
		n.used[d.Name] = true
		if !n.has(d.Name) {
			continue
		}
		switch d.Kind {
		case op.Int:
			a[d.Name] = n.int(d.Name, 0)
		case op.Float:
			a[d.Name] = n.float(d.Name, 0)
		case op.String:
			a[d.Name] = n.str(d.Name, "")
		case op.Ints:
			a[d.Name] = n.ints(d.Name)
		case op.Floats:
			a[d.Name] = n.floats(d.Name)
		}
	}
	return a
}
