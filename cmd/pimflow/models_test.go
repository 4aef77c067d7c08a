package main

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"

	"google.golang.org/protobuf/encoding/protowire"

	"pimflow/internal/npy"
	"pimflow/internal/tensor"
)

// writeModels is a command of the scripts: it writes what no text can be into the current folder.
//
//	hw.onnx    Conv and Relu of x, nx3xhxw, whose output is said to be nx4x9x9
//	tail.onnx  Conv and Relu to feat, and operators that nobody has
//	p.png      a picture of 10x12, height first
//	x.npy      float32 2x3x8x8
func writeModels() {
	w := tensor.New(tensor.Float32, tensor.Shape{4, 3, 3, 3})
	for i := range w.Floats() {
		w.Floats()[i] = float32(i%7)/8 - 0.375
	}
	x := onnxValue(11, "x", "n", 3, "h", "w")
	conv := onnxNode("Conv", []string{"x", "w"}, "a", onnxField(5, onnxText(1, "pads"), []byte{8 << 3, 1, 8 << 3, 1, 8 << 3, 1, 8 << 3, 1}, onnxNumber(20, 7)))
	relu := onnxNode("Relu", []string{"a"}, "feat")
	tails := [][]byte{onnxNode("NoSuch", []string{"feat"}, "b"), onnxNode("Other", []string{"b"}, "c", onnxText(7, "com.acme")), onnxNode("Other", []string{"c"}, "y", onnxText(7, "com.acme"))}
	picture := image.NewRGBA(image.Rect(0, 0, 12, 10))
	for i := range 120 {
		picture.Set(i%12, i/12, color.RGBA{uint8(2 * i), uint8(255 - i), uint8(20 * (i % 12)), 255})
	}
	var p, v bytes.Buffer
	err := png.Encode(&p, picture)
	if err == nil {
		err = npy.Write(&v, tensor.New(tensor.Float32, tensor.Shape{2, 3, 8, 8}))
	}
	for name, data := range map[string][]byte{
		"hw.onnx":   onnxModel(x, onnxWeight("w", w), conv, relu, onnxValue(12, "feat", "n", 4, 9, 9)),
		"tail.onnx": onnxModel(append(tails, x, onnxWeight("w", w), conv, relu, onnxField(12, onnxText(1, "y")))...),
		"p.png":     p.Bytes(), "x.npy": v.Bytes(),
	} {
		if err == nil {
			err = os.WriteFile(name, data, 0o666)
		}
	}
	if err != nil {
		panic(err)
	}
}

// onnxModel is a ModelProto of opset 13 whose graph has the fields.
func onnxModel(graph ...[]byte) []byte {
	return bytes.Join([][]byte{onnxNumber(1, 8), onnxField(8, onnxNumber(2, 13)), onnxField(7, graph...)}, nil)
}

func onnxField(num protowire.Number, parts ...[]byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, num, protowire.BytesType), bytes.Join(parts, nil))
}

func onnxText(num protowire.Number, s string) []byte { return onnxField(num, []byte(s)) }

func onnxNumber(num protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, num, protowire.VarintType), v)
}

func onnxNode(op string, in []string, out string, rest ...[]byte) []byte {
	parts := append([][]byte{onnxText(2, out), onnxText(4, op)}, rest...)
	for _, name := range in {
		parts = append(parts, onnxText(1, name))
	}
	return onnxField(1, parts...)
}

// onnxValue is a float32 value; a text is an open dimension.
func onnxValue(num protowire.Number, name string, dims ...any) []byte {
	var shape []byte
	for _, d := range dims {
		if s, ok := d.(string); ok {
			shape = append(shape, onnxField(1, onnxText(2, s))...)
		} else {
			shape = append(shape, onnxField(1, onnxNumber(1, uint64(d.(int))))...)
		}
	}
	return onnxField(num, onnxText(1, name), onnxField(2, onnxField(1, onnxNumber(1, 1), onnxField(2, shape))))
}

func onnxWeight(name string, x *tensor.Tensor) []byte {
	var data bytes.Buffer
	if err := x.WriteBytes(&data); err != nil {
		panic(err)
	}
	parts := [][]byte{onnxNumber(2, 1), onnxText(8, name), onnxField(9, data.Bytes())}
	for _, d := range x.Shape {
		parts = append(parts, onnxNumber(1, uint64(d)))
	}
	return onnxField(5, parts...)
}
