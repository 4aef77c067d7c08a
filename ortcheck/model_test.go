package ortcheck

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"pimflow/internal/tensor"
)

// model is an ONNX model of one node, while it is drawn.
type model struct {
	*rand.Rand
	op      string
	opset   int
	in      []string // of the node; "" is left out
	outputs []string
	attrs   []attr

	names  []string // of the model's inputs
	inputs []*tensor.Tensor
	consts []constant // initializers
}

type attr struct {
	name  string
	value any
}

type constant struct {
	name string
	t    *tensor.Tensor
}

// input adds an input of the model to the node.
func (m *model) input(t *tensor.Tensor) {
	name := fmt.Sprintf("x%d", len(m.in))
	m.in = append(m.in, name)
	m.names, m.inputs = append(m.names, name), append(m.inputs, t)
}

// constant adds an initializer to the node.
func (m *model) constant(t *tensor.Tensor) {
	name := fmt.Sprintf("c%d", len(m.in))
	m.in = append(m.in, name)
	m.consts = append(m.consts, constant{name, t})
}

// operand adds a value that may be known or not.
func (m *model) operand(t *tensor.Tensor) {
	if m.coin() {
		m.input(t)
	} else {
		m.constant(t)
	}
}

// leave leaves the next input out.
func (m *model) leave() { m.in = append(m.in, "") }

func (m *model) attr(name string, value any) { m.attrs = append(m.attrs, attr{name, value}) }

// maybe is attr, or the default.
func (m *model) maybe(name string, value any) {
	if m.coin() {
		m.attr(name, value)
	}
}

// ints states integers as an attribute before the opset that has them as input
// number len(m.in).
func (m *model) ints(name string, since int, v []int64) {
	if m.opset < since {
		m.attr(name, v)
	} else {
		m.constant(tensor.Ints64(tensor.Shape{len(v)}, v))
	}
}

// stated returns the value of an attribute, or nil.
func (m *model) stated(name string) any {
	for _, a := range m.attrs {
		if a.name == name {
			return a.value
		}
	}
	return nil
}

// value returns an input or initializer.
func (m *model) value(name string) *tensor.Tensor {
	for i, n := range m.names {
		if n == name {
			return m.inputs[i]
		}
	}
	for _, c := range m.consts {
		if c.name == name {
			return c.t
		}
	}
	panic("no value " + name)
}

// magnitude is the largest of the values that go in, which rounding is relative
// to where they cancel.
func (m *model) magnitude() float64 {
	top := 0.0
	for _, name := range m.in {
		if name == "" || !m.value(name).Type.Float() {
			continue
		}
		for _, v := range m.value(name).Floats() {
			top = max(top, math.Abs(float64(v)))
		}
	}
	return top
}

func (m *model) coin() bool { return m.IntN(2) == 0 }

// in draws from lo to hi, both included.
func (m *model) between(lo, hi int) int { return lo + m.IntN(hi-lo+1) }

func pick[T any](m *model, v ...T) T { return v[m.IntN(len(v))] }

// shape draws a shape of the given rank.
func (m *model) shape(rank, most int) tensor.Shape {
	s := make(tensor.Shape, rank)
	for i := range s {
		s[i] = m.between(1, most)
	}
	return s
}

// floats draws values of about -3 to 3.
func (m *model) floats(s ...int) *tensor.Tensor { return m.uniform(-3, 3, s...) }

func (m *model) uniform(lo, hi float64, s ...int) *tensor.Tensor {
	t := tensor.New(tensor.Float32, append(tensor.Shape{}, s...))
	for i := range t.Floats() {
		t.Floats()[i] = float32(lo + (hi-lo)*m.Float64())
	}
	return t
}

// whole draws integers from lo to hi.
func (m *model) whole(typ tensor.Type, lo, hi int, s ...int) *tensor.Tensor {
	t := tensor.New(typ, append(tensor.Shape{}, s...))
	for i := range t.Shape.Size() {
		if v := m.between(lo, hi); typ.Float() {
			t.Floats()[i] = float32(v)
		} else {
			t.Ints()[i] = int64(v)
		}
	}
	return t
}

// String prints the model: its node, and the values of short constants.
func (m *model) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "opset %d %s", m.opset, m.op)
	for i, n := range m.in {
		if n == "" {
			fmt.Fprintf(&b, " %d:none", i)
			continue
		}
		x, kind := m.value(n), "input"
		if n[0] == 'c' {
			kind = "constant"
		}
		fmt.Fprintf(&b, " %d:%s %v %v", i, kind, x.Type, x.Shape)
		if kind == "constant" && x.Shape.Size() <= 8 {
			if x.Type.Float() {
				fmt.Fprint(&b, x.Floats())
			} else {
				fmt.Fprint(&b, x.Ints())
			}
		}
	}
	for _, a := range m.attrs {
		fmt.Fprintf(&b, " %s=%v", a.name, a.value)
	}
	return b.String()
}

// encode is the model as protobuf (onnx.proto: ModelProto).
func (m *model) encode() []byte {
	var node []byte
	for _, n := range m.in {
		node = str(node, 1, n)
	}
	for _, n := range m.outputs {
		node = str(node, 2, n)
	}
	node = str(node, 3, "node")
	domain, name := m.operator()
	node = str(node, 4, name)
	node = str(node, 7, domain)
	for _, a := range m.attrs {
		node = msg(node, 5, a.encode())
	}
	graph := msg(nil, 1, node)
	graph = str(graph, 2, "graph")
	for _, c := range m.consts {
		var t []byte
		for _, d := range c.t.Shape {
			t = num(t, 1, d)
		}
		t = num(t, 2, int(c.t.Type))
		t = str(t, 8, c.name)
		var raw bytes.Buffer
		if err := c.t.WriteBytes(&raw); err != nil {
			panic(err)
		}
		graph = msg(graph, 5, msg(t, 9, raw.Bytes()))
	}
	for i, n := range m.names {
		var shape []byte
		for _, d := range m.inputs[i].Shape {
			shape = msg(shape, 1, num(nil, 1, d))
		}
		typ := msg(nil, 1, msg(num(nil, 1, int(m.inputs[i].Type)), 2, shape))
		graph = msg(graph, 11, msg(str(nil, 1, n), 2, typ))
	}
	for _, n := range m.outputs {
		graph = msg(graph, 12, str(nil, 1, n)) // its type follows from the node
	}
	const ir = 10 // IR_VERSION_2024_3_25
	b := num(nil, 1, ir)
	b = msg(b, 8, num(str(nil, 1, ""), 2, m.opset))
	if domain != "" {
		b = msg(b, 8, num(str(nil, 1, domain), 2, 1))
	}
	return msg(b, 7, graph)
}

// operator is the domain and the name of the node's operator.
func (m *model) operator() (domain, name string) {
	at := strings.LastIndex(m.op, ".")
	return m.op[:max(at, 0)], m.op[at+1:]
}

// encode is an AttributeProto.
func (a attr) encode() []byte {
	b := str(nil, 1, a.name)
	switch v := a.value.(type) {
	case float32:
		return num(flt(b, 2, v), 20, 1)
	case int:
		return num(num(b, 3, v), 20, 2)
	case string:
		return num(str(b, 4, v), 20, 3)
	case []float32:
		for _, x := range v {
			b = flt(b, 7, x)
		}
		return num(b, 20, 6)
	case []string:
		for _, x := range v {
			b = str(b, 9, x)
		}
		return num(b, 20, 8)
	case []int64:
		for _, x := range v {
			b = num(b, 8, int(x))
		}
		return num(b, 20, 7)
	}
	panic(fmt.Sprintf("attribute %s of %T", a.name, a.value))
}

func num(b []byte, n protowire.Number, v int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, n, protowire.VarintType), uint64(v))
}

func flt(b []byte, n protowire.Number, v float32) []byte {
	return protowire.AppendFixed32(protowire.AppendTag(b, n, protowire.Fixed32Type), math.Float32bits(v))
}

func str(b []byte, n protowire.Number, s string) []byte { return msg(b, n, []byte(s)) }

func msg(b []byte, n protowire.Number, v []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, n, protowire.BytesType), v)
}
