package onnx

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"pimflow/internal/tensor"
)

// empty is an initializer of a type, by its number in a file, without values.
func empty(name string, typ uint64) []byte {
	return appendMessage(nil, 5, appendInt(appendString(nil, 8, name), 2, typ))
}

// TestReadErrors wants the errors word for word: they are what a user sees.
func TestReadErrors(t *testing.T) {
	x, y := input("x", 1, 4, 5, 6), result("y")
	scalar := func(v float32) *tensor.Tensor { return tensor.Floats32(tensor.Shape{}, []float32{v}) }
	raw := func(b []byte, data string) []byte {
		return protowire.AppendString(protowire.AppendTag(b, 9, protowire.BytesType), data)
	}
	for _, c := range []struct {
		want string
		file []byte
	}{
		{`no graph in it: an ONNX model wanted`, nil},
		{`the model imports no opset of the default domain`, appendMessage(nil, 7, y)},
		{`opset 99: 1 to 25 wanted`, model(99, x, y)},
		{`opset -5: 1 to 25 wanted`, model(-5, x, y)},
		{`opset 0: 1 to 25 wanted`, model(0, x, y)},
		{`offset 0: not a protobuf field: unexpected EOF`, []byte{0x80}},
		{`graph: node[0]: offset 10: not a protobuf field: unexpected EOF`, model(13, appendMessage(nil, 1, []byte{0x80}))},
		{`graph: node[0]: offset 11: input has wire type 0: 2 wanted`, model(13, appendMessage(nil, 1, appendInt(nil, 1, 3)))},

		// Names and order.
		{`output "y" is made by no node`, model(13, x, y)},
		{`output "z1" is made by no node (did you mean "z2"?)`, model(13, x, call("Relu", "x", "z2"), result("z1"))},
		{`graph "m" has no output`, model(13, x, call("Relu", "x", "y"))},
		{`node "y" (Relu) reads "xx", which nothing makes (did you mean "x"?)`, model(13, x, y, call("Relu", "xx", "y"))},
		{`node "y" (Relu) is in a cycle: it is made from its own value`, model(13, x, y, call("Relu", "a", "y"), call("Relu", "y", "a"))},
		{`node "y" (Exp) makes "y", as node "y" (Relu) does`, model(13, x, y, call("Relu", "x", "y"), call("Exp", "x", "y"))},
		{`node "x" (Relu) makes "x", which is an input or initializer`, model(13, x, y, call("Relu", "x", "x"))},
		{`initializer "w" is there twice`, model(13, x, y, ints("w", 1), ints("w", 1))},
		{`input "x" has no name, or is there twice`, model(13, x, x, y)},
		{`output "y" is there twice`, model(13, x, y, y, call("Relu", "x", "y"))},

		// Operators and attributes.
		{`1 operator is not supported: Rellu (did you mean "Relu"?) (1); --until VALUE takes the network up to a value`, model(13, x, y, call("Rellu", "x", "y"))},
		{`1 operator is not supported: SequenceEmpty (1); --until VALUE takes the network up to a value`, model(13, x, y, call("SequenceEmpty", "", "y"))},
		{`4 operators are not supported: Qqq, which ONNX does not have, (1), SequenceEmpty (2), Foo of com.acme (1); --until VALUE takes the network up to a value`,
			model(13, x, y, call("SequenceEmpty", "", "s"), call("Foo", "s", "t", appendString(nil, 7, "com.acme")), call("Relu", "t", "u"), call("SequenceEmpty", "", "r"), call("Qqq", "u r x", "y"))},
		{`1 operator is not supported: Gallu of com.microsoft (1); --until VALUE takes the network up to a value`, model(13, x, y, call("Gallu", "x", "y", appendString(nil, 7, "com.microsoft")))},
		{`2 operators are not supported: SequenceEmpty (1), SplitToSequence (1); --until VALUE takes the network up to a value`, // after an error too
			model(13, x, y, call("SequenceEmpty", "", "s"), call("Add", "x", "t"), call("SplitToSequence", "x", "y"))},
		{`node "y" (Gelu): opset 13 does not have it: 20 or later wanted`, model(13, x, y, call("Gelu", "x", "y"))},
		{`node "y" (Upsample): opset 13 does not have it: 9 or earlier wanted`, model(13, x, y, call("Upsample", "x", "y"))},
		{`node "y" (Elu): attribute "alfa" is not known in opset 13 (did you mean "alpha"?)`, model(13, x, y, call("Elu", "x", "y", attr("alfa", float32(1))))},
		{`node "y" (Elu): attribute "alpha" is an integer: a float wanted`, model(13, x, y, call("Elu", "x", "y", attr("alpha", int64(1))))},
		{`node "y" (Elu): attribute "alpha" is there twice`, model(13, x, y, call("Elu", "x", "y", attr("alpha", float32(1)), attr("alpha", float32(1))))},
		{`node "y" (Relu): Relu has 2 inputs: 1 wanted`, model(13, x, y, call("Relu", "x x", "y"))},
		{`node "y" (Add): input 0 is left out`, model(13, x, y, call("Add", "_ x", "y"))},
		{`node "y" (Reshape): 1 inputs: 2 wanted`, model(13, x, y, call("Reshape", "x", "y"))},
		{`node "y" (If): cond (input 0, "x") depends on the model's inputs: a constant wanted`, model(13, valueInfo(11, "x", tensor.Bool), y, call("If", "x", "y", graphAttr("then_branch"), graphAttr("else_branch")))},
		{`node "y" (Relu): attribute "then_branch" is not known in opset 13`, model(13, x, y, call("Relu", "x", "y", graphAttr("then_branch")))},
		{`node "y" (Relu): output 1 ("i") is read: it is not supported`, model(13, x, y, result("i"), call("Relu", "x", "y i"))},
		{`node "y" (BatchNormalization): training_mode is set: a model exported for inference wanted`, model(14, x, y, floats("k", 1, 1, 1, 1), call("BatchNormalization", "x k k k k", "y", attr("training_mode", int64(1))))},
		{`node "y" (BatchNormalization): 2 outputs mean training before opset 14: a model exported for inference, with one, wanted`, model(13, x, y, floats("k", 1, 1, 1, 1), call("BatchNormalization", "x k k k k", "y m"))},
		{`node "y" (Add): input 1 is int64: float32 as input 0 wanted`, model(13, x, y, ints("k", 1), call("Add", "x k", "y"))},

		// Quantised types that are not read, of tensors, of constants and of attributes.
		{`2 quantised types are not supported: DequantizeLinear of uint4 (1), QuantizeLinear of uint16 (2), the first at node "q" (QuantizeLinear); int8 and uint8 are read, and int32 by DequantizeLinear; --until VALUE takes the network up to a value`,
			model(21, x, y, floats("s", 1), empty("z", 4), empty("w", 21), call("QuantizeLinear", "x s z", "q"), call("QuantizeLinear", "x s", "r", attr("output_dtype", int64(4))), call("DequantizeLinear", "w s", "y"))},
		{`1 quantised type is not supported: QLinearConv of int16 (1), the first at node "y" (QLinearConv); int8 and uint8 are read, and int32 by DequantizeLinear; --until VALUE takes the network up to a value`,
			model(21, x, y, floats("s", 1), call("Constant", "", "z", appendMessage(nil, 5, appendInt(appendMessage(appendString(nil, 1, "value"), 5, appendInt(nil, 2, 5)), 20, attrTensor))), call("QLinearConv", "x s z x s z s z", "y"))},
		{`initializer "z": element type uint16: one of float32, float16, bfloat16, float64, int64, int32, int8, uint8, bool wanted`, model(21, x, y, empty("z", 4), call("Add", "x z", "y"))},
		{`1 operator is not supported: NhwcFusedConv of com.microsoft (1); --until VALUE takes the network up to a value`, model(13, x, y, foreignNode(call("NhwcFusedConv", "x x", "y")))},
		// Operands that must be constant, and their values.
		{`node "y" (NonMaxSuppression): max_output_boxes_per_class (input 2, "m") has 2 values: one wanted`, model(13, valueInfo(11, "b", tensor.Float32, 1, 5, 4), valueInfo(11, "s", tensor.Float32, 1, 2, 5), y, initial("m", tensor.Ints64(tensor.Shape{2}, []int64{1, 2})), call("NonMaxSuppression", "b s m", "y"))},
		{`node "y" (NonMaxSuppression): iou_threshold (input 3, "b") is float32 1x5x4: one wanted`, model(13, valueInfo(11, "b", tensor.Float32, 1, 5, 4), valueInfo(11, "s", tensor.Float32, 1, 2, 5), y, call("NonMaxSuppression", "b s _ b", "y"))},
		{`node "y" (NonMaxSuppression): iou_threshold 2: 0 to 1 wanted`, model(13, valueInfo(11, "b", tensor.Float32, 1, 5, 4), valueInfo(11, "s", tensor.Float32, 1, 2, 5), y, ints("m", 1), floats("i", 2), call("NonMaxSuppression", "b s m i", "y"))},
		{`node "y" (NonMaxSuppression): iou_threshold NaN: 0 to 1 wanted`, model(13, valueInfo(11, "b", tensor.Float32, 1, 5, 4), valueInfo(11, "s", tensor.Float32, 1, 2, 5), y, ints("m", 1), floats("i", float32(math.NaN())), call("NonMaxSuppression", "b s m i", "y"))},
		{`node "y" (NonMaxSuppression): score_threshold NaN: a number wanted`, model(13, valueInfo(11, "b", tensor.Float32, 1, 5, 4), valueInfo(11, "s", tensor.Float32, 1, 2, 5), y, ints("m", 1), floats("i", 0.5), floats("t", float32(math.NaN())), call("NonMaxSuppression", "b s m i t", "y"))},
		{`node "y" (NonMaxSuppression): input 1 is 1x2x4: scores of 1 x classes x 5 wanted`, model(13, valueInfo(11, "b", tensor.Float32, 1, 5, 4), valueInfo(11, "s", tensor.Float32, 1, 2, 4), y, call("NonMaxSuppression", "b s", "y"))},
		{`node "y" (Compress): axis 3 of a value of rank 2: -2 to 1 wanted`, model(13, valueInfo(11, "b", tensor.Float32, 2, 4), valueInfo(11, "s", tensor.Bool, 2), y, call("Compress", "b s", "y", attr("axis", int64(3))))},
		{`node "y" (Reshape): shape (input 1, "s") depends on the model's inputs: a constant wanted`, model(13, x, y, valueInfo(11, "s", tensor.Int64, 2), call("Reshape", "x s", "y"))},
		{`node "y" (Reshape): shape (input 1, "s") depends on the model's inputs: a constant wanted; --until "r" ends the network before it`, model(13, x, y, valueInfo(11, "s", tensor.Int64, 2), call("Relu", "x", "r"), call("Reshape", "r s", "y"))},
		{`node "y" (Reshape): shape (input 1, "s") is float32 1: int64 in one dimension wanted`, model(13, x, y, floats("s", 1), call("Reshape", "x s", "y"))},
		{`node "y" (Reshape): shape [-1 -1]: at most one -1 wanted`, model(13, x, y, ints("s", -1, -1), call("Reshape", "x s", "y"))},
		{`node "y" (Reshape): 1x4x5x6 does not divide into shape [-1 7]`, model(13, x, y, ints("s", -1, 7), call("Reshape", "x s", "y"))},
		{`node "y" (Reshape): shape 1099511627776x1099511627776: at most 2^40 values wanted`, model(13, x, y, ints("s", 1<<40, 1<<40), call("Reshape", "x s", "y"))},
		{`node "y" (Gather): index 4 of 1x4x5x6 on axis 1: -4 to 3 wanted`, model(13, x, y, ints("i", -4, 4), call("Gather", "x i", "y", attr("axis", int64(1))))},
		{`node "y" (Squeeze): axis 1 of 1x4x5x6: an extent of 1 wanted`, model(13, x, y, ints("a", 1), call("Squeeze", "x a", "y"))},
		{`node "y" (Softmax): axis 4 of 4 dimensions`, model(13, x, y, call("Softmax", "x", "y", attr("axis", int64(4))))},
		{`node "y" (Split): 2 parts of dimension 2 of 1x4x5x6: equal parts wanted`, model(13, x, y, call("Split", "x", "y z", attr("axis", int64(2))))},
		{`node "y" (Split): sizes [1 9] do not fit dimension 1 of 1x4x5x6`, model(13, x, y, ints("k", 1, 9), call("Split", "x k", "y z", attr("axis", int64(1))))},
		{`node "y" (Resize): scales and sizes: one of them wanted`, model(13, x, y, call("Resize", "x", "y"))},
		{`node "y" (Resize): roi is left out: what tf_crop_and_resize takes wanted`, model(13, x, y, call("Resize", "x", "y", attr("coordinate_transformation_mode", "tf_crop_and_resize")))},
		{`node "y" (GridSample): mode "linear": bilinear, nearest or bicubic wanted in opset 16`, model(16, x, y, call("GridSample", "x x", "y", attr("mode", "linear")))},
		{`node "y" (Einsum): equation "abc->a": "abc" of 4 dimensions`, model(13, x, y, call("Einsum", "x", "y", attr("equation", "abc->a")))},
		{`node "y" (Einsum): equation "ab..->a": letters, commas, one ellipsis a term and -> wanted`, model(13, x, y, call("Einsum", "x", "y", attr("equation", "ab..->a")))},
		{`node "y" (Einsum): equation "abcd->aa": each dimension of the value once, and in an input, wanted`, model(13, x, y, call("Einsum", "x", "y", attr("equation", "abcd->aa")))},
		{`node "y" (Einsum): equation "abab->": extents 1 and 5 of one dimension`, model(13, x, y, call("Einsum", "x", "y", attr("equation", "abab->")))},
		{`node "y" (TopK): k 7: 0 to the 6 values along axis 3 wanted`, model(13, x, y, ints("k", 7), call("TopK", "x k", "y"))},
		{`node "y" (MaxPool): strides [0 1]: values from 1 to 2147483647 wanted`, model(13, x, y, call("MaxPool", "x", "y", attr("kernel_shape", []int64{1, 1}), attr("strides", []int64{0, 1})))},
		{`node "y" (MaxPool): dilations [1 1 2]: 2 values wanted`, model(13, x, y, call("MaxPool", "x", "y", attr("kernel_shape", []int64{1, 1}), attr("dilations", []int64{1, 1, 2})))},
		{`node "y" (MaxPool): pads [1 1 0 0] beside auto_pad SAME_UPPER: one of them wanted`, model(13, x, y, call("MaxPool", "x", "y", attr("kernel_shape", []int64{2, 2}), attr("pads", []int64{1, 1, 0, 0}), attr("auto_pad", "SAME_UPPER")))},
		{`node "y" (Range): range from 0 to 1 by 0: at most 16777216 values wanted`, model(13, y, initial("a", scalar(0)), initial("b", scalar(1)), call("Range", "a b a", "y"))},
		{`node "y" (Cast): attribute "to": element type string: one of float32, float16, bfloat16, float64, int64, int32, int8, uint8, bool wanted`, model(13, x, y, call("Cast", "x", "y", attr("to", int64(8))))},

		// Types and shapes.
		{`input "x": element type uint16: one of float32, float16, bfloat16, float64, int64, int32, int8, uint8, bool wanted`, model(13, y, valueInfo(11, "x", 4, 1))},
		{`input "x": no type: a tensor wanted`, model(13, y, appendMessage(nil, 11, appendString(nil, 1, "x")))},
		{`input "x": shape -2x3: extents of 0 or more wanted`, model(13, y, input("x", -2, 3))},
		{`a sparse initializer: dense ones wanted`, model(13, x, y, appendMessage(nil, 15, nil))},

		// Tensors.
		{`initializer "w": 3 bytes of raw_data for float32 1: 4 wanted`, model(13, x, y, appendMessage(nil, 5, raw(appendString(appendInt(appendInt(nil, 1, 1), 2, 1), 8, "w"), "abc")))},
		{`initializer "w": 0 values for float32 2: 2 wanted`, model(13, x, y, appendMessage(nil, 5, appendString(appendInt(appendInt(nil, 1, 2), 2, 1), 8, "w")))},
		{`initializer "w": shape 1099511627777: at most 2^40 values wanted`, model(13, x, y, appendMessage(nil, 5, appendString(appendInt(appendInt(nil, 1, 1<<40+1), 2, 1), 8, "w")))},
		{`initializer "w": element type complex64: one of float32, float16, bfloat16, float64, int64, int32, int8, uint8, bool wanted`, model(13, x, y, appendMessage(nil, 5, appendString(appendInt(nil, 2, 14), 8, "w")))},
		{`initializer "w": external data: location "w.bin": a model in a folder wanted`, model(13, x, y, external13("w", "location", "w.bin"))},
	} {
		f := &File{}
		err := f.decode(context.Background(), memory(c.file), "m", Options{}, nil)
		if err == nil || err.Error() != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
}

// external13 is an initializer of 2 float32 values in another file.
func external13(name string, entries ...string) []byte {
	b := appendInt(appendInt(appendInt(appendString(nil, 8, name), 1, 2), 2, 1), 14, 1)
	for i := 0; i < len(entries); i += 2 {
		b = appendMessage(b, 13, appendString(appendString(nil, 1, entries[i]), 2, entries[i+1]))
	}
	return appendMessage(nil, 5, b)
}

func TestBatch(t *testing.T) {
	open := model(13, input("x", "N", 3), call("Relu", "x", "y"), valueInfo(12, "y", tensor.Float32, "N", 3))
	unnamed := model(13, input("x", "", 3), call("Relu", "x", "y"), result("y"))
	fixed := model(13, input("x", 2, 3), call("Relu", "x", "y"), result("y"))
	for _, c := range []struct {
		file  []byte
		batch int
		want  string
	}{
		{open, 0, "1x3"}, {open, 4, "4x3"}, {unnamed, 4, "4x3"}, {fixed, 0, "2x3"}, {fixed, 2, "2x3"},
		{fixed, 4, `input "x": a batch of 4 wanted, the file fixes it to 2`},
	} {
		f := &File{}
		got := ""
		if err := f.decode(context.Background(), memory(c.file), "m", Options{Batch: c.batch}, nil); err != nil {
			got = err.Error()
		} else {
			got = f.Graph.Nodes[f.Graph.Outputs[0].ID].Shape.String()
		}
		if got != c.want {
			t.Errorf("batch %d: got %s, want %s", c.batch, got, c.want)
		}
	}
	if _, err := Read(t.Context(), "none.onnx", Options{Batch: -1}); err == nil || err.Error() != "batch -1: 1 or more wanted" {
		t.Errorf("got %v", err)
	}
}

func TestExternalData(t *testing.T) {
	dir := t.TempDir()
	sub := filepath.Join(dir, "m")
	if err := os.Mkdir(sub, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(path string, b []byte) {
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	data := append([]byte{9}, tensorBytes(1.5, -2)...) // at an odd offset
	write(filepath.Join(sub, "w.bin"), data)
	write(filepath.Join(dir, "out.bin"), data)
	write(filepath.Join(sub, "empty.bin"), nil)
	if err := os.Symlink(filepath.Join(dir, "out.bin"), filepath.Join(sub, "link.bin")); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(sub, "m.onnx")
	for _, c := range []struct {
		entries []string
		want    string // of the error, after file and tensor; "": none
	}{
		{[]string{"location", "w.bin", "offset", "1", "length", "8"}, ""},
		{[]string{"location", "w.bin", "offset", "1"}, ""},
		{[]string{}, `no location`},
		{[]string{"location", "none.bin"}, `location "none.bin": openat none.bin: no such file or directory`},
		{[]string{"location", "../out.bin"}, `location "../out.bin": openat ../out.bin: path escapes from parent`},
		{[]string{"location", filepath.Join(dir, "out.bin")}, `path escapes from parent`},
		{[]string{"location", "link.bin"}, `path escapes from parent`},
		{[]string{"location", "."}, `location ".": a regular file wanted`},
		{[]string{"location", "w.bin", "offset", "2"}, `location "w.bin": 8 bytes at offset 2 wanted, the file has 9`},
		{[]string{"location", "w.bin", "offset", "-1"}, `offset "-1": a number of bytes wanted`},
		{[]string{"location", "w.bin", "length", "4"}, `location "w.bin": length 4: 8 wanted`},
		{[]string{"location", "empty.bin"}, `location "empty.bin": 8 bytes at offset 0 wanted, the file has 0`},
	} {
		write(path, model(13, input("x", 2), external13("w", c.entries...), call("Add", "x w", "y"), result("y")))
		f, err := Read(t.Context(), path, Options{})
		if c.want != "" {
			if err == nil || !strings.HasPrefix(err.Error(), path+`: initializer "w": external data: `) || !strings.HasSuffix(err.Error(), c.want) {
				t.Errorf("%v:\n got %v\nwant %s", c.entries, err, c.want)
			}
			continue
		}
		if err != nil {
			t.Error(err)
			continue
		}
		if w := f.Graph.Nodes[1].Const.Floats(); w[0] != 1.5 || w[1] != -2 {
			t.Errorf("%v: got %v", c.entries, w)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

func tensorBytes(v ...float32) []byte {
	var b strings.Builder
	if err := tensor.Floats32(tensor.Shape{len(v)}, v).WriteBytes(&b); err != nil {
		panic(err)
	}
	return []byte(b.String())
}
