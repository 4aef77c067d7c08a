package onnx

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pimflow/internal/fault"
	"pimflow/internal/tensor"
)

// TestOpen binds what a file leaves open, and wants the inputs' shapes, or the error word for word.
func TestOpen(t *testing.T) {
	relu := func(inputs ...[]byte) []byte {
		fields := inputs
		for i := range inputs {
			y := fmt.Sprintf("y%d", i)
			fields = append(fields, call("Relu", string("xzw"[i]), y), result(y))
		}
		return model(13, fields...)
	}
	untyped := func(name string) []byte { // of no shape
		return appendMessage(nil, 11, appendMessage(appendString(nil, 1, name), 2, appendMessage(nil, 1, appendInt(nil, 1, 1))))
	}
	hw := relu(input("x", "n", 3, "h", "w"))
	two := relu(input("x", "n", 3, "h", "w"), input("z", "n", 1, "h", "w"))
	file := func(shape ...int) func(string) (*Given, error) {
		return func(string) (*Given, error) { return &Given{File: "a.npy", Shape: shape}, nil }
	}
	picture := func(string) (*Given, error) { return &Given{File: "a.png", Shape: []int{30, 40}, Picture: true}, nil }
	for _, c := range []struct {
		file []byte
		o    Options
		want string // the shapes, or the error
		kind fault.Kind
	}{
		// An extent of 0 or -1, or none, is open as a name is.
		{relu(input("x", 0, 3)), Options{}, "1x3", 0},
		{relu(input("x", -1, 3)), Options{Batch: 4}, "4x3", 0},
		{relu(input("x", "", 3)), Options{Batch: 4}, "4x3", 0},
		{relu(input("x", -1, 3, -1, 0)), Options{Shapes: map[string][]int{"x": {2, 3, 8, 9}}}, "2x3x8x9", 0},
		{relu(input("x", -2, 3)), Options{}, `input "x": shape -2x3: extents of 0 or more wanted`, 0},

		// Each way, and which goes first.
		{hw, Options{Dims: map[string]int{"h": 8, "w": 9}}, "1x3x8x9", 0},
		{hw, Options{Dims: map[string]int{"h": 8, "w": 9, "n": 2}}, "2x3x8x9", 0},
		{hw, Options{Dims: map[string]int{"h": 8, "w": 9}, Batch: 5}, "5x3x8x9", 0},
		{hw, Options{Shapes: map[string][]int{"": {2, 3, 8, 9}}}, "2x3x8x9", 0},
		{hw, Options{Given: file(2, 3, 8, 9)}, "2x3x8x9", 0},
		{hw, Options{Given: picture}, "1x3x30x40", 0},
		{hw, Options{Given: picture, Dims: map[string]int{"h": 8}}, "1x3x8x40", 0}, // resized to it
		{relu(input("x", "n", "c", "h", "w")), Options{Given: picture}, "1x3x30x40", 0},
		{relu(untyped("x")), Options{Given: picture}, "1x3x30x40", 0},
		{relu(untyped("x")), Options{Given: file(5, 6)}, "5x6", 0},
		{relu(untyped("x")), Options{Shapes: map[string][]int{"x": {}}}, "scalar", 0},
		{relu(input("x", 0, 3)), Options{Given: file(0, 3)}, "0x3", 0}, // a tensor without values

		// A name is one extent in all inputs.
		{two, Options{Dims: map[string]int{"h": 8, "w": 9}}, "1x3x8x9 1x1x8x9", 0},
		{two, Options{Shapes: map[string][]int{"z": {2, 1, 8, 9}}}, "2x3x8x9 2x1x8x9", 0},
		{two, Options{Shapes: map[string][]int{"z": {2, 1, 8, 9}, "x": {2, 3, 8, 8}}}, `input "z": dimension 3 is 9 by --shape z=2x1x8x9: --shape x=2x3x8x8 binds it to 8`, fault.Usage},
		{two, Options{Shapes: map[string][]int{"z": {2, 1, 8, 9}}, Dims: map[string]int{"w": 7}}, `dimension "w" is 9 by --shape z=2x1x8x9, and 7 by --dim w=7: one extent wanted`, fault.Usage},
		{hw, Options{Shapes: map[string][]int{"": {2, 3, 8, 9}}, Batch: 4}, `input "x": dimension 0 is 4 by --batch: --shape 2x3x8x9 binds it to 2`, fault.Usage},
		{hw, Options{Dims: map[string]int{"n": 2, "h": 1, "w": 1}, Batch: 4}, `input "x": dimension 0 is 4 by --batch: --dim n=2 binds it to 2`, fault.Usage},

		// What is not open.
		{hw, Options{Shapes: map[string][]int{"": {2, 4, 8, 9}}}, `input "x": dimension 1 is 4 by --shape 2x4x8x9: the file fixes it to 3`, fault.Usage},
		{hw, Options{Shapes: map[string][]int{"": {3, 8, 9}}}, `input "x": 3 dimensions by --shape 3x8x9: the file says nx3xhxw`, fault.Usage},
		{hw, Options{Shapes: map[string][]int{"y": {3}}}, `--shape y=3: the model's inputs are x`, fault.Usage},
		{two, Options{Shapes: map[string][]int{"": {3}}}, `--shape 3: the model has the inputs x, z: --shape NAME=3 wanted`, fault.Usage},
		{hw, Options{Dims: map[string]int{"ww": 3}}, `--dim ww=3: the open dimensions with a name are h, n, w (did you mean "w"?)`, fault.Usage},
		{relu(input("x", -1, 3)), Options{Dims: map[string]int{"h": 3}}, `--dim h=3: no open dimension of the model's inputs has a name`, fault.Usage},
		{relu(input("x", 2, 3)), Options{Batch: 4}, `input "x": a batch of 4 wanted, the file fixes it to 2`, 0},
		{hw, Options{Given: file(2, 4, 8, 9)}, `input "x": dimension 1 is 4 by a.npy: the file fixes it to 3`, fault.Usage},

		{hw, Options{Shapes: map[string][]int{"x": {1, 3, 0, -2}}}, `--shape x=1x3x0x-2: extents of 1 or more wanted`, fault.Usage},
		{hw, Options{Dims: map[string]int{"h": 0}}, `--dim h=0: 1 or more wanted`, fault.Usage},

		// What is still open, all of it.
		{hw, Options{}, `the file leaves open dimensions 2 ("h"), 3 ("w") of input "x", nx3xhxw: bind it by --shape NAME=1x3x224x224, or --dim h=N --dim w=N`, 0},
		{relu(input("x", "n", 3, "h", 0), untyped("z")), Options{Given: func(string) (*Given, error) { return nil, nil }},
			`the file leaves open dimensions 2 ("h"), 3 of input "x", nx3xhx?; the shape of input "z": bind it by --shape NAME=1x3x224x224, or --dim h=N, or --input FILE`, 0},
		{hw, Options{Given: func(string) (*Given, error) { return nil, errors.New("no file") }}, "no file", 0},
	} {
		f := &File{}
		err := f.decode(context.Background(), memory(c.file), "m", c.o, nil)
		got := ""
		if err != nil {
			got = err.Error()
			if fault.Of(err) != c.kind {
				t.Errorf("%s: kind %d: %d wanted", got, fault.Of(err), c.kind)
			}
		} else {
			for _, id := range f.Graph.Inputs {
				got += f.Graph.Nodes[id].Shape.String() + " "
			}
			got = strings.TrimSpace(got)
		}
		if got != c.want {
			t.Errorf("%+v:\n got %s\nwant %s", c.o, got, c.want)
		}
	}
}

// TestBound: what was open is listed with what it is bound to.
func TestBound(t *testing.T) {
	f := &File{}
	file := model(13, input("x", "n", 3, "h", -1), call("Relu", "x", "y"), result("y"))
	if err := f.decode(context.Background(), memory(file), "m", Options{Shapes: map[string][]int{"x": {1, 3, 8, 9}}}, nil); err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(f.Bound), "[{x 0 n 1 --shape x=1x3x8x9} {x 2 h 8 --shape x=1x3x8x9} {x 3  9 --shape x=1x3x8x9}]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestWarnings: what a file says and its nodes contradict is a warning, and the nodes decide.
func TestWarnings(t *testing.T) {
	x, relu := input("x", "n", 4, 5, 6), call("Relu", "x", "y")
	for _, c := range []struct {
		file []byte
		want string // the warnings
	}{
		{model(13, x, relu, result("y")), ""},
		{model(13, x, relu, valueInfo(12, "y", tensor.Float32, "n", 4, 5, 6)), ""},
		{model(13, x, relu, valueInfo(12, "y", tensor.Float32, "m", 0, -1, "")), ""},
		{model(13, x, relu, valueInfo(12, "y", tensor.Float32, 1, 4, 5, 7)), `output "y": the file says float32 1x4x5x7, its nodes make float32 1x4x5x6`},
		{model(13, x, relu, valueInfo(12, "y", tensor.Float32, 1, 4, "n", 6)), `output "y": the file says float32 1x4xnx6, its nodes make float32 1x4x5x6`},
		{model(13, x, relu, valueInfo(12, "y", tensor.Float32, "n", 4)), `output "y": the file says float32 nx4, its nodes make float32 1x4x5x6`},
		{model(13, x, relu, valueInfo(12, "y", tensor.Float16, 1, 4, 5, 6)), `output "y": the file says float16 1x4x5x6, its nodes make float32 1x4x5x6`},
		{model(13, x, relu, call("Exp", "y", "z"), call("Exp", "z", "e"), result("e"),
			valueInfo(13, "y", tensor.Float32, 1, 4, 5, 7), valueInfo(13, "z", tensor.Float32, 1, 4, 5, 7), valueInfo(13, "q", tensor.Float32, 1)),
			`value "y": the file says float32 1x4x5x7, its nodes make float32 1x4x5x6; and so of 1 more`},
	} {
		f := &File{}
		if err := f.decode(context.Background(), memory(c.file), "m", Options{}, nil); err != nil {
			t.Errorf("%s: %v", c.want, err)
			continue
		}
		if got := strings.Join(f.Warnings, "\n"); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
		if s := f.Graph.Nodes[f.Graph.Outputs[0].ID].Shape.String(); s != "1x4x5x6" {
			t.Errorf("%s: the output is %s", c.want, s)
		}
	}
}

// TestUntil takes a network up to values.
func TestUntil(t *testing.T) {
	file := model(13, input("x", 1, 4), input("h", "a", "b", "c"), empty("z", 4), floats("s", 1), call("Relu", "x", "feat"), call("Exp", "feat", "e"), call("QuantizeLinear", "feat s z", "q"),
		call("NoSuch", "feat h", "boxes"), call("Add", "boxes e", "y"), valueInfo(12, "y", tensor.Float32, 7))
	for _, c := range []struct {
		until []string
		want  string // inputs, nodes and outputs, or the error
	}{
		{[]string{"feat"}, "x | Relu | feat"},
		{[]string{"e"}, "x | Relu Exp | e"},
		{[]string{"e", "feat"}, "x | Relu Exp | e feat"},
		{[]string{"y"}, `the file leaves open dimensions 1 ("b"), 2 ("c") of input "h", axbxc: bind it by --shape NAME=1x3x224x224, or --dim b=N --dim c=N`},
		{[]string{"q"}, `1 quantised type is not supported: QuantizeLinear of uint16 (1), the first at node "q" (QuantizeLinear); int8 and uint8 are read, and int32 by DequantizeLinear; --until VALUE takes the network up to a value`},
		{[]string{"feet"}, `--until "feet": a value that a node makes wanted (did you mean "feat"?)`},
		{[]string{"x"}, `--until "x": a value that a node makes wanted`},
		{[]string{"e", "e"}, `--until "e" is there twice`},
	} {
		f := &File{}
		got := ""
		if err := f.decode(context.Background(), memory(file), "m", Options{Until: c.until}, nil); err != nil {
			got = err.Error()
		} else {
			for _, id := range f.Graph.Inputs {
				got += f.Graph.Nodes[id].Name + " "
			}
			got += "|"
			for _, nd := range f.Graph.Nodes {
				if nd.Op != nil {
					got += " " + nd.Op.Name
				}
			}
			got += " |"
			for _, o := range f.Graph.Outputs {
				got += " " + o.Name
			}
		}
		if got != c.want {
			t.Errorf("%v:\n got %s\nwant %s", c.until, got, c.want)
		}
	}
}
