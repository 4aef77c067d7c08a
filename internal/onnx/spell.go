package onnx

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// asInputs are the canonical attributes that the written opset spells as inputs,
// in the order they have there after the operands.
var asInputs = map[string][]string{
	"Clip":       {"min", "max"},
	"CumSum":     {"axis"},
	"Expand":     {"shape"},
	"Pad":        {"pads", "value"},
	"ReduceL2":   {"axes"},
	"ReduceMax":  {"axes"},
	"ReduceMean": {"axes"},
	"ReduceMin":  {"axes"},
	"ReduceProd": {"axes"},
	"ReduceSum":  {"axes"},
	"Reshape":    {"shape"},
	"Resize":     {"roi", "scales", "sizes"},
	"Slice":      {"starts", "ends", "axes", "steps"},
	"Tile":       {"repeats"},
	"Trilu":      {"k"},
}

// operation adds the nodes of an operation and of its epilogue, in order.
func (e *encoder) operation(nd *graph.Node) error {
	k := nd.Operands()
	in := make([]string, k)
	for i, x := range nd.In[:k] {
		in[i] = e.names[x]
	}
	if nd.Op.Name == "Resize" {
		if err := follows(nd.Attrs, e.g.Nodes[nd.In[0]].Shape); err != nil {
			return err
		}
	}
	// Every value but the last is an inner one.
	out := func(stage int) string {
		if stage == len(nd.Post) {
			return e.names[nd.ID]
		}
		return e.unique(nd.Name + "/" + fmt.Sprint(stage))
	}
	v := out(0)
	if err := e.call(nd.Name, nd.Op, nd.Attrs, nd.Type, in, v); err != nil {
		return err
	}
	for i, s := range nd.Post {
		in := []string{v}
		if s.Op.Combine != nil {
			in = append(in, e.names[nd.In[s.Operand]])
			if s.Swap {
				slices.Reverse(in)
			}
		}
		v = out(i + 1)
		if err := e.call(nd.Name+"/"+s.Op.Name, s.Op, s.Attrs, nd.Type, in, v); err != nil {
			return err
		}
	}
	return nil
}

// call adds the node of one canonical operation; t is the type of its value.
func (e *encoder) call(name string, o *op.Op, a op.Attrs, t tensor.Type, in []string, out string) error {
	if write := writers[o.Name]; write != nil {
		write(e, name, a, t, in, out)
		return nil
	}
	if done, err := e.integers(name, o, a, t, in, out); done {
		return err
	}
	spelled := e.inputsOf(o)
	extra := make([]string, len(spelled))
	for i, attr := range spelled {
		if leftOut(o, a, attr) {
			continue
		}
		x, err := constantOf(a[attr], t)
		if err != nil {
			return fmt.Errorf("attribute %.80q: %w", attr, err)
		}
		extra[i] = e.helper(name+"/"+attr, x)
	}
	for len(extra) > 0 && extra[len(extra)-1] == "" {
		extra = extra[:len(extra)-1]
	}
	var attrs []byte
	for _, n := range a.Names() {
		if slices.Contains(spelled, n) || e.opset == commonOpset && silent(o, a, n) || n == "dilations" && o.Name == "AveragePool" && undilated(a) {
			continue
		}
		v := a[n]
		if o.Name == "Cast" && n == "to" {
			to, err := tensor.ParseType(a.String("to"))
			if err != nil {
				return err
			}
			v = int64(to)
		}
		attrs = appendMessage(attrs, 5, attribute(n, v))
	}
	if o.Name == "Reshape" && slices.Contains(a["shape"].([]int64), 0) {
		attrs = appendMessage(attrs, 5, attribute("allowzero", int64(1)))
	}
	e.node(name, o.Name, attrs, append(slices.Clone(in), extra...), out)
	return nil
}

// inputsOf is asInputs in the opset that is written.
func (e *encoder) inputsOf(o *op.Op) []string {
	if e.opset < axesOpset && o.Name != "ReduceSum" && strings.HasPrefix(o.Name, "Reduce") {
		return nil
	}
	return asInputs[o.Name]
}

// silent reports an attribute that commonOpset does not know, and that says nothing.
func silent(o *op.Op, a op.Attrs, attr string) bool {
	return o.Name == "AveragePool" && attr == "dilations" || o.Name == "Resize" && attr == "antialias" ||
		strings.HasPrefix(o.Name, "Reduce") && attr == "axes" && len(a["axes"].([]int64)) == 0
}

// follows refuses a Resize whose extents are not those that its scales give: ONNX
// states either.
func follows(a op.Attrs, x tensor.Shape) error {
	sizes, scales := a["sizes"].([]int64), a["scales"].([]float32)
	for i, s := range scales {
		if resized(x[i], s) != float64(sizes[i]) {
			return fmt.Errorf("scales %v of %v give other extents than sizes %v: ONNX cannot say that", scales, x, sizes)
		}
	}
	return nil
}

// leftOut reports an attribute that says nothing as an input: a bound of Clip
// that is the default, a crop of Resize that is none, and the one of its scales
// and sizes that follows from the other.
func leftOut(o *op.Op, a op.Attrs, attr string) bool {
	switch o.Name {
	case "Clip":
		return a.Float(attr) == map[string]float32{"min": -math.MaxFloat32, "max": math.MaxFloat32}[attr]
	case "Resize":
		return attr == "roi" && len(a["roi"].([]float32)) == 0 || attr != "roi" && (attr == "scales") == (len(a["scales"].([]float32)) == 0)
	case "ReduceL2", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum":
		return len(a["axes"].([]int64)) == 0
	}
	return false
}

// constantOf is an attribute's value as a tensor: integers are int64 and lists of
// floats float32; a single float is rounded to the type t, as the value that is
// made with it would be.
func constantOf(v any, t tensor.Type) (*tensor.Tensor, error) {
	switch v := v.(type) {
	case []int64:
		return tensor.Ints64(tensor.Shape{len(v)}, v), nil
	case []float32:
		return tensor.Floats32(tensor.Shape{len(v)}, v), nil
	case int64:
		return tensor.Ints64(tensor.Shape{}, []int64{v}), nil
	case float32:
		x := filled(t, tensor.Shape{}, float64(v))
		if !t.Float() && float64(x.Ints()[0]) != float64(v) {
			return nil, fmt.Errorf("%v in a tensor of %v", v, t)
		}
		return x, nil
	}
	panic(fmt.Sprintf("onnx: attribute of %T as an input", v))
}

// attribute is an AttributeProto.
func attribute(name string, v any) []byte {
	b := appendString(nil, 1, name)
	float := func(num protowire.Number, f float32) {
		b = protowire.AppendFixed32(protowire.AppendTag(b, num, protowire.Fixed32Type), math.Float32bits(f))
	}
	typ := 0
	switch v := v.(type) {
	case float32:
		float(2, v)
		typ = attrFloat
	case int64:
		b = appendInt(b, 3, uint64(v))
		typ = attrInt
	case string:
		b = appendString(b, 4, v)
		typ = attrString
	case []float32:
		for _, f := range v {
			float(7, f)
		}
		typ = attrFloats
	case []int64:
		for _, i := range v {
			b = appendInt(b, 8, uint64(i))
		}
		typ = attrInts
	case []string:
		for _, x := range v {
			b = appendString(b, 9, x)
		}
		typ = attrStrings
	default:
		panic(fmt.Sprintf("onnx: attribute %.80q of %T", name, v))
	}
	return appendInt(b, 20, uint64(typ))
}
