package onnx

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// encode is the ONNX file of g.
func encode(t testing.TB, g *graph.Graph) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, g); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// decode is the graph in an ONNX file.
func decode(t testing.TB, data []byte, name string) *graph.Graph {
	t.Helper()
	return decodeWith(t, data, name, Options{})
}

func decodeWith(t testing.TB, data []byte, name string, o Options) *graph.Graph {
	t.Helper()
	f := &File{}
	if err := f.decode(context.Background(), memory(data), name, o, nil); err != nil {
		t.Fatal(err)
	}
	return f.Graph
}

// shapes gives the inputs of g their shapes: an extent of 0 is open in a file.
func shapes(g *graph.Graph) func(string) (*Given, error) {
	m := map[string][]int{}
	for _, id := range g.Inputs {
		m[g.Nodes[id].Name] = g.Nodes[id].Shape
	}
	return func(name string) (*Given, error) { return &Given{Shape: m[name]}, nil }
}

// text prints a graph with its values.
func text(t testing.TB, g *graph.Graph) string {
	t.Helper()
	var b strings.Builder
	if err := g.Print(&b, true); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// roundTrip wants g back from its ONNX file, and from its text.
func roundTrip(t testing.TB, g *graph.Graph) {
	t.Helper()
	want := text(t, g)
	if got := text(t, decodeWith(t, encode(t, g), g.Name, Options{Given: shapes(g)})); got != want {
		t.Errorf("read back from ONNX:\n%s\nwritten:\n%s", got, want)
	}
	p, err := graph.Parse(strings.NewReader(want), "text")
	if err != nil {
		t.Errorf("%v in\n%s", err, want)
	} else if got := text(t, p); got != want {
		t.Errorf("parsed:\n%s\nprinted:\n%s", got, want)
	}
}

// instances has an operation of each canonical operator on inputs %0, %1 and %2.
var instances = []struct {
	inputs string
	calls  []string
}{
	{"1x4x6x6, 8x2x3x3, 8", []string{`Conv(%0, %1, %2) {kernel_shape=[3 3] strides=[2 1] pads=[1 0 2 1] dilations=[1 2] group=2}`}},
	{"1x4x6x6, 4x2x3x3, 4", []string{`ConvTranspose(%0, %1, %2) {kernel_shape=[3 3] strides=[2 2] pads=[1 1 1 1] dilations=[1 1] group=2 output_padding=[1 0]}`}},
	{"3x4, 5x4, 5", []string{`Gemm(%0, %1, %2) {transB=1 alpha=0.5 beta=2}`}},
	{"2x3x4, 4x5, 1", []string{`MatMul(%0, %1)`}},
	{"2x4x3x3, 4, 4", []string{`InstanceNormalization(%0, %1, %2) {epsilon=0.001}`, `BatchNormalization(%0, %1, %2, %1, %2) {epsilon=0.001}`}},
	{"2x3x4, 4, 4", []string{`LayerNormalization(%0, %1, %2) {axis=2 epsilon=0.001}`, `PRelu(%0, %1)`}},
	{"bool 2x3, float32 2x1, 3", []string{`Where(%0, %1, %2)`, `Not(%0)`}},
	{"2x3x4, 1, 1", []string{`UniqueInverse(%0) {axis=1}`}},
	{"bool 2x3, bool 3, 1", []string{`And(%0, %1)`, `Or(%0, %1)`, `Xor(%0, %1)`}},
	{"2x3x4, int64 2, 1", []string{`Gather(%0, %1) {axis=1}`}},
	{"2x3, int64 2x3, 2x3", []string{`GatherElements(%0, %1) {axis=1}`, `ScatterElements(%0, %1, %2) {axis=1 reduction="add"}`}},
	{"2x3x4, int64 5x2, 5x4", []string{`GatherND(%0, %1)`, `ScatterND(%0, %1, %2) {reduction="mul"}`}},
	{"1x4x6x6, 1x3x3x2, 1", []string{`GridSample(%0, %1) {mode="cubic" padding_mode="border" align_corners=1}`}},
	{"1x4x6x6, 3x4, int64 3", []string{`RoiAlign(%0, %1, %2) {mode="max" output_height=2 output_width=3 sampling_ratio=2 spatial_scale=0.5}`}},
	{"1x4x6x6, 3x5, 1", []string{`MaxRoiPool(%0, %1) {pooled_shape=[2 2] spatial_scale=0.5}`}},
	{"1x4x6x6, int64 1x4x6x6, 1", []string{`MaxUnpool(%0, %1) {kernel_shape=[3 3] strides=[2 2] pads=[0 1 1 0]}`}},
	{"3x2, int64 2, 2", []string{`ReverseSequence(%0, %1)`, `OneHot(%1, %2) {depth=3 axis=0}`}},
	{"uint8 2x3, uint8 3, 1", []string{`BitShift(%0, %1) {direction="LEFT"}`, `BitwiseAnd(%0, %1)`, `BitwiseOr(%0, %1)`, `BitwiseXor(%0, %1)`, `BitwiseNot(%0)`}},
	{"int64 2x3, int64 3, 1", []string{`Mod(%0, %1) {fmod=1}`, `Pad(%0) {pads=[0 1 0 2] value=7}`}},
	{"float16 2x3, float16 3, 1", []string{`Clip(%0) {max=6}`, `Pad(%0) {pads=[0 1 0 2] value=0.5}`}},
	{"bfloat16 2x3, bfloat16 3, 1", []string{`Add(%0, %1)`}},
	{"uint8 1x4x6x6, int8 8x2x3x3, float32 scalar, uint8 scalar, int8 8, float32 8, int32 8", []string{
		`QLinearConv(%0, %1, %2, %3, %5, %4, %2, %3, %6) {kernel_shape=[3 3] strides=[2 1] pads=[1 0 2 1] dilations=[1 2] group=2}`,
		`ConvInteger(%0, %1, %3, %4) {kernel_shape=[3 3] strides=[1 1] pads=[1 0 2 1] dilations=[1 1] group=2}`,
		`DequantizeLinear(%0, %2, %3)`, `DequantizeLinear(%1, %5, %4) {axis=0}`,
	}},
	{"uint8 2x3, int8 3x4, float32 scalar, uint8 scalar, int8 scalar", []string{
		`QLinearMatMul(%0, %1, %2, %3, %2, %4, %2, %3)`, `MatMulInteger(%0, %1, %3, %4)`,
		`QGemm(%0, %1, %2, %3, %2, %4, %2, %3) {alpha=0.5}`,
	}},
	{"float32 2x3, float32 3, uint8 3, float32 2x2, int8 2x2, uint8 3x2, float32 2, uint8 2", []string{
		`QuantizeLinear(%0, %1, %2)`, `QuantizeLinear(%0, %3, %4) {block_size=2}`,
		`DynamicQuantizeScale(%0)`, `DynamicQuantizeZeroPoint(%0)`,
	}},
	{"1x4x6x6, 1, 1", []string{
		`MaxPool(%0) {kernel_shape=[3 3] strides=[2 2] pads=[0 1 1 0] dilations=[1 1] ceil_mode=1}`,
		`AveragePool(%0) {kernel_shape=[3 3] strides=[2 2] pads=[0 1 1 0] dilations=[1 1] count_include_pad=1}`,
		`GlobalAveragePool(%0)`, `GlobalMaxPool(%0)`, `LRN(%0) {size=3 alpha=0.01}`,
		`Resize(%0) {sizes=[1 4 9 9] scales=[1 1 1.6 1.5] mode="linear" coordinate_transformation_mode="asymmetric"}`,
		`Resize(%0) {sizes=[1 4 3 9]}`, `Resize(%0) {sizes=[1 4 3 9] mode="linear" antialias=1}`,
		`Resize(%0) {sizes=[1 4 3 9] roi=[0 0 0.5 0 1 1 1 0.5] coordinate_transformation_mode="tf_crop_and_resize" extrapolation_value=7}`,
		`MaxPoolIndices(%0) {kernel_shape=[3 3] strides=[2 2] pads=[0 1 1 0] dilations=[1 1] storage_order=1}`,
		`LpPool(%0) {kernel_shape=[3 3] strides=[2 2] pads=[0 1 1 0] dilations=[1 1] p=3}`,
		`DepthToSpace(%0) {blocksize=2 mode="CRD"}`, `SpaceToDepth(%0) {blocksize=2}`,
		`Slice(%0) {starts=[5 0] ends=[-9223372036854775808 2] axes=[2 1] steps=[-2 1]}`,
		`Transpose(%0) {perm=[0 2 3 1]}`, `Reshape(%0) {shape=[4 36]}`,
		`Concat(%0, %0) {axis=-1}`, `Pad(%0) {pads=[0 0 1 2 0 0 0 1] mode="reflect"}`,
		`Softmax(%0) {axis=1}`, `LogSoftmax(%0) {axis=1}`, `LpNormalization(%0) {axis=1 p=1}`,
		`ArgMax(%0) {axis=1 keepdims=0 select_last_index=1}`,
		`ArgMin(%0) {axis=2}`, `ReduceMean(%0) {axes=[2 3] keepdims=0}`, `ReduceSum(%0) {axes=[1]}`, `ReduceMax(%0) {axes=[0]}`,
		`ReduceMin(%0) {axes=[0]}`, `ReduceProd(%0) {axes=[3]}`, `ReduceL2(%0) {axes=[3]}`,
		`Expand(%0) {shape=[2 4 6 6]}`, `Tile(%0) {repeats=[1 1 1 2]}`, `Cast(%0) {to="float16"}`,
		`Relu(%0)`, `Clip(%0) {min=0 max=6}`, `Clip(%0)`, `LeakyRelu(%0) {alpha=0.2}`, `Elu(%0) {alpha=0.5}`, `Selu(%0)`,
		`Sigmoid(%0)`, `HardSigmoid(%0) {alpha=0.1 beta=0.4}`, `HardSwish(%0)`, `Tanh(%0)`, `Erf(%0)`, `Softplus(%0)`,
		`Softsign(%0)`, `Gelu(%0) {approximate="tanh"}`, `Mish(%0)`, `Sqrt(%0)`, `Reciprocal(%0)`, `Exp(%0)`, `Log(%0)`,
		`Tan(%0)`, `Asin(%0)`, `Acos(%0)`, `Atan(%0)`, `Sinh(%0)`, `Cosh(%0)`, `Asinh(%0)`, `Acosh(%0)`, `Atanh(%0)`,
		`Shrink(%0) {bias=0.5}`, `IsNaN(%0)`, `IsInf(%0) {detect_negative=0}`, `Hardmax(%0) {axis=1}`,
		`TopK(%0) {k=2 axis=1 largest=0}`, `CumSum(%0) {axis=2 exclusive=1 reverse=1}`, `Trilu(%0) {upper=0 k=-1}`, `Det(%0)`,
		`Neg(%0)`, `Abs(%0)`, `Floor(%0)`, `Ceil(%0)`, `Round(%0)`, `Sign(%0)`, `Sin(%0)`, `Cos(%0)`,
		`Add(%0, %1)`, `Sub(%0, %1)`, `Mul(%0, %1)`, `Div(%0, %1)`, `Pow(%0, %1)`, `Min(%0, %1)`, `Max(%0, %1)`,
		`Equal(%0, %1)`, `Greater(%0, %1)`, `Less(%0, %1)`, `GreaterOrEqual(%0, %1)`, `LessOrEqual(%0, %1)`,
	}},
}

// instanceText is a graph of one operation.
func instanceText(inputs, call string) string {
	var b strings.Builder
	b.WriteString("graph \"g\"\n")
	list := strings.Split(inputs, ", ")
	for i, s := range list {
		if !strings.Contains(s, " ") {
			s = "float32 " + s
		}
		fmt.Fprintf(&b, "%%%d \"x%d\" = input %s\n", i, i, s)
	}
	fmt.Fprintf(&b, "%%%d \"y\" = %s\noutput \"y\" = %%%[1]d\n", len(list), call)
	return b.String()
}

// rewritten are the operators that come back as others.
var rewritten = []string{"Identity", "Swish", "RNN", "GRU", "LSTM", "Compress", "NonMaxSuppression", "NonZero", "Sized", "Unique"}

// TestWriteEveryOperator writes each canonical operator and reads it back.
func TestWriteEveryOperator(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range instances {
		for _, call := range c.calls {
			g, err := graph.Parse(strings.NewReader(instanceText(c.inputs, call)), call)
			if err != nil {
				t.Error(err)
				continue
			}
			seen[g.Nodes[g.Outputs[0].ID].Op.Name] = true
			roundTrip(t, g)
		}
	}
	for _, name := range rewritten {
		seen[name] = true
	}
	for _, name := range op.Names() {
		if o, _ := op.Lookup(name); !seen[name] && !o.ToFloat() && (o.Real == "" || o.MACs != nil) { // TestWriteIntegers has the rest
			t.Errorf("%s has no instance", name)
		}
	}
}

// results evaluates g on inputs that count up in eighths.
func results(g *graph.Graph) []*tensor.Tensor {
	in := map[string]*tensor.Tensor{}
	for _, id := range g.Inputs {
		nd := &g.Nodes[id]
		x := tensor.New(nd.Type, nd.Shape)
		for i := range x.Floats() {
			x.Floats()[i] = float32(i%17)/8 - 1
		}
		in[nd.Name] = x
	}
	return evalGraph(g, in)
}

// TestWriteValues writes what ONNX spells otherwise, and compares the values.
func TestWriteValues(t *testing.T) {
	const head = "graph \"g\"\n%0 \"x\" = input float32 2x3\n%1 \"k\" = const float32 3 [1 -2 0.5]\n"
	for _, body := range []string{
		"%2 \"s\" = Swish(%0)\noutput \"y\" = %2",
		"%2 \"s\" = Swish(%0) {alpha=1.702}\noutput \"y\" = %2",
		"%2 \"s\" = NonZero(%0) {size=6}\noutput \"y\" = %2",
		"%2 \"s\" = NonZero(%0) {size=2}\noutput \"y\" = %2",
		"%2 \"s\" = Cast(%0) {to=\"bool\"}\n%3 \"r\" = Reshape(%2) {shape=[6]}\n%4 \"y\" = Compress(%0, %3) {axis=-1 size=3}\noutput \"y\" = %4",
		"%2 \"s\" = Unique(%1) {axis=0 size=3 sorted=0 output=\"counts\"}\n%3 \"t\" = Unique(%1) {axis=0 size=2}\noutput \"y\" = %2\noutput \"z\" = %3",
		"%2 \"b\" = Expand(%0) {shape=[2 2 3]}\n%3 \"p\" = Pad(%2) {pads=[0 0 0 0 0 1]}\n%4 \"c\" = Slice(%2) {starts=[0] ends=[2] axes=[2] steps=[1]}\n" +
			"%5 \"y\" = NonMaxSuppression(%3, %4) {max_output_boxes_per_class=2 iou_threshold=0.5 size=7}\noutput \"y\" = %5",
		"%2 \"s\" = Identity(%0)\noutput \"y\" = %2",
		"%2 \"s\" = Exp(%0)\n%3 \"t\" = Mul(%0, %1) + Sub(%2, .) + Swish {alpha=2} + Div(%2) + Clip {max=1}\noutput \"y\" = %3\noutput \"z\" = %2",
		"output \"x\" = %0\noutput \"k\" = %1\noutput \"k2\" = %1",
		"%2 \"s\" = Exp(%0)\noutput \"a\" = %2\noutput \"b\" = %2\noutput \"s\" = %0",
		"%2 \"y\" = Exp(%0)\n%3 \"z\" = Neg(%2)\noutput \"z\" = %2\noutput \"y\" = %3",
	} {
		g, err := graph.Parse(strings.NewReader(head+body), "g")
		if err != nil {
			t.Fatal(err)
		}
		back := decode(t, encode(t, g), "g")
		got, want := results(back), results(g)
		if len(got) != len(want) {
			t.Errorf("%s\n%d outputs: %d wanted", body, len(got), len(want))
			continue
		}
		for i := range want {
			if back.Outputs[i].Name != g.Outputs[i].Name {
				t.Errorf("%s\noutput %d is %q: %q wanted", body, i, back.Outputs[i].Name, g.Outputs[i].Name)
			}
			if err := compare(got[i], want[i], 1e-6, 0); err != nil {
				t.Errorf("%s\n%s: %v", body, g.Outputs[i].Name, err)
			}
		}
	}
}

// TestWriteIntegers writes what stands for several operators of ONNX on integers, and compares the values to the bit.
func TestWriteIntegers(t *testing.T) {
	const head = `graph "g"
%0 "x" = input uint8 1x2x4x4
%1 "w" = const int8 2x2x1x1 [3 -4 5 127]
%2 "s" = const float32 scalar [0.25]
%3 "z" = const uint8 scalar [7]
%4 "sw" = const float32 2 [0.5 0.125]
%5 "zw" = const int8 2 [1 -1]
%6 "b" = const float32 2 [3 -2]
%7 "m" = const int8 4x3 [1 2 3 4 5 6 7 8 9 -10 -11 -12]
%8 "sm" = const float32 3 [0.5 1 2]
%9 "zm" = const int8 3 [0 1 2]
%10 "bm" = const float32 3 [0.5 1 2]
`
	const window = `kernel_shape=[1 1] strides=[1 1] pads=[0 0 0 0] dilations=[1 1] group=1`
	for _, call := range []string{
		`ConvIntegerToFloat(%0, %1, %2, %3, %4, %5, %6) {` + window + `}`,
		`MatMulIntegerToFloat(%0, %7, %2, %3, %8, %9)`,
		`QLinearConv(%0, %1, %2, %3, %4, %5, %2, %3) {` + window + ` low=9 high=40}`,
		`QLinearAdd(%0, %0, %2, %3, %2, %3, %2, %3)`, `QLinearConcat(%0, %0, %2, %3, %2, %3, %2, %3) {axis=1}`,
		`QLinearSigmoid(%0, %2, %3, %2, %3)`, `QLinearResize(%0, %2, %3, %2, %3) {sizes=[1 2 8 8]}`,
	} {
		g, err := graph.Parse(strings.NewReader(head+"%11 \"y\" = "+call+"\noutput \"y\" = %11\n"), call)
		if err != nil {
			t.Error(err)
			continue
		}
		x := tensor.New(tensor.Uint8, tensor.Shape{1, 2, 4, 4})
		for i := range x.Ints() {
			x.Ints()[i] = int64(i * 8)
		}
		in := map[string]*tensor.Tensor{"x": x}
		got, want := evalGraph(decode(t, encode(t, g), "g"), in), evalGraph(g, in)
		if err := compare(got[0], want[0], 0, 0); err != nil {
			t.Errorf("%s: %v", call, err)
		}
	}
}

func TestWriteErrors(t *testing.T) {
	const head = "graph \"g\"\n%0 \"x\" = input float32 1x1x2x2\n%1 \"i\" = input int64 2\n"
	for _, c := range []struct{ body, want string }{
		{"%2 \"y\" = Exp(%0)\noutput \"x\" = %2", `output "x" has no name, or that of another output or an input`},
		{"%2 \"y\" = Exp(%0)\noutput \"y\" = %2\noutput \"y\" = %2", `output "y" has no name, or that of another output or an input`},
		{"%2 \"y\" = Pad(%1) {pads=[0 1] value=0.5}\noutput \"y\" = %2", `node %2 "y" (Pad): attribute "value": 0.5 in a tensor of int64`},
		{"%2 \"y\" = Resize(%0) {sizes=[1 1 3 3] scales=[1 1 1.4 1.4]}\noutput \"y\" = %2",
			`node %2 "y" (Resize): scales [1 1 1.4 1.4] of 1x1x2x2 give other extents than sizes [1 1 3 3]: ONNX cannot say that`},
	} {
		g, err := graph.Parse(strings.NewReader(head+c.body), "g")
		if err != nil {
			t.Fatal(err)
		}
		if err := Write(&bytes.Buffer{}, g); err == nil || err.Error() != c.want {
			t.Errorf("%s\n got %v\nwant %s", c.body, err, c.want)
		}
	}
}

// writeFile writes g to a file.
func writeFile(path string, g *graph.Graph) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := Write(f, g); err != nil {
		return err
	}
	return f.Close()
}

// TestWeightsStayInTheFile reads and writes 16 MB of weights without decoding
// them.
func TestWeightsStayInTheFile(t *testing.T) {
	const size = 16 << 20
	dir := t.TempDir()
	b := graph.NewBuilder("m")
	b.Output("y", b.Const("w", tensor.FromBytes(tensor.Float16, tensor.Shape{size / 2}, make([]byte, size))))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	if err := writeFile(filepath.Join(dir, "a.onnx"), g); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f, err := Read(t.Context(), filepath.Join(dir, "a.onnx"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := writeFile(filepath.Join(dir, "b.onnx"), f.Graph); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > size/8 {
		t.Errorf("%d bytes allocated for %d of weights", n, size)
	}
}
