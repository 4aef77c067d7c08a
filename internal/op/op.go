// Package op is the operator table: for each operator the shape of its value,
// what a box of that value needs of each input, the work in multiply-accumulates,
// and its meaning, which is the definition of right for everything else.
//
// Operators carry ONNX's names and attribute names, in one canonical form: every
// node makes one value, operands that ONNX wants constant (the bounds of Clip,
// the shape of Reshape, …) are attributes, and all attributes are explicit.
// Reading ONNX's many spellings into this form is package onnx's work.
//
// The package does not know graphs, devices or costs.
package op

import (
	"fmt"
	"slices"
	"sort"

	"pimflow/internal/fault"
	"pimflow/internal/nearest"
	"pimflow/internal/tensor"
)

// Op is one row of the table.
//
// Shapes, attributes and boxes passed to the functions have been checked: the
// number of inputs is within MinIn..MaxIn, Attrs.Complete has run, and Type and
// Shape have returned no error for them.
type Op struct {
	Name         string
	MinIn, MaxIn int    // number of inputs; MaxIn < 0: any number
	Attrs        []Attr // every attribute the operator knows

	// Type is the element type of the value; nil: that of the first input.
	Type func(a Attrs, in []tensor.Type) (tensor.Type, error)
	// Shape is the shape of the value, or an error that names the attribute or
	// extent that does not fit.
	Shape func(a Attrs, in []tensor.Shape) (tensor.Shape, error)
	// Need is what each input must supply for the box out of the value, one box
	// an input (empty where nothing is read). All halos are here. nil: the value
	// cannot be cut, and all of every input is needed.
	Need func(a Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box
	// MACs is the number of multiply-accumulates behind the box out, padding
	// included; nil: none.
	MACs func(a Attrs, in []tensor.Shape, out tensor.Box) int64
	// Eval writes the box out of dst, which has the whole value's shape, and
	// reads nothing of the inputs but what Need names.
	Eval func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box)

	// Map is the function an element-wise operator of one input applies to runs;
	// Combine that of two inputs. nil for all other operators. y, which may be an
	// operand, is set element by element. An operator with either can be an
	// epilogue of another node.
	Map     func(a Attrs) func(y, x []float32)
	Combine func(y, a, b []float32)

	// Largest and Count are set where an extent of the value depends on the values of the inputs. The
	// attribute "size" fixes that extent. Largest is the most it can be for inputs of such shapes, Count
	// what it is for given ones. Eval writes the first size entries, and 0 beyond Count.
	Largest func(a Attrs, in []tensor.Shape) int
	Count   func(a Attrs, in []*tensor.Tensor) int

	// View is set where the value is the input's values in the same order, so
	// that a device has nothing to do.
	View bool

	// Real names the row of the same operator on real numbers, where this one is its form on integers of
	// 8 bits that stand for them; "": it is none. The first operands are those of that row (Values), attributes
	// have its names, and the rest of the operands says what the integers mean.
	Real   string
	Widens bool // the value of a constant is better kept as the integers that it is made from

	values  func(operands int) int // nil: all
	product *product               // on integers; nil: it is none
}

// Values is the number of first operands that are values, of so many operands: the rest says what
// integers mean, or is a bias of a product on them.
func (o *Op) Values(operands int) int {
	if o.values == nil {
		return operands
	}
	return o.values(operands)
}

// Quantizes reports whether the value is real numbers rounded to integers of 8 bits.
func (o *Op) Quantizes() bool {
	return o.Name == "QuantizeLinear" || o.Real != "" && (o.product == nil || o.product.result == integerResult)
}

// OnReals is the name of the operator: that of the row on real numbers, where there is one.
func (o *Op) OnReals() string {
	if o.Real != "" {
		return o.Real
	}
	return o.Name
}

// Kind is the type of an attribute's value.
type Kind uint8

// The kinds of attribute, and the Go type that an Attrs map holds for each.
const (
	Int    Kind = iota // int64
	Float              // float32
	String             // string
	Ints               // []int64
	Floats             // []float32
)

// Attr describes an attribute. A nil Default makes it required.
type Attr struct {
	Name    string
	Kind    Kind
	Default any
	OneOf   []string // the values a String may take; nil: any
	Wide    bool     // integers of any size make sense; otherwise up to ±2³¹
}

// Attrs holds the attributes of one node by name; values are int64, float32,
// string, []int64 or []float32 as Kind says.
type Attrs map[string]any

// Int returns the attribute as an int. It panics when the node has none, which
// Complete makes impossible for an attribute of the operator.
func (a Attrs) Int(name string) int { return int(a[name].(int64)) }

// Float returns the attribute as a float32; see Int.
func (a Attrs) Float(name string) float32 { return a[name].(float32) }

// String returns the attribute as a string; see Int.
func (a Attrs) String(name string) string { return a[name].(string) }

// Ints returns the attribute as ints; see Int.
func (a Attrs) Ints(name string) []int {
	v := a[name].([]int64)
	out := make([]int, len(v))
	for i, x := range v {
		out[i] = int(x)
	}
	return out
}

// Names returns the names of the attributes present, sorted.
func (a Attrs) Names() []string {
	names := make([]string, 0, len(a))
	for n := range a {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// Clone returns a copy that shares no map (but the slices).
func (a Attrs) Clone() Attrs {
	c := make(Attrs, len(a))
	for k, v := range a {
		c[k] = v
	}
	return c
}

// kindOf is the kind of a Go value that Attrs may hold.
func kindOf(v any) (Kind, bool) {
	switch v.(type) {
	case int64:
		return Int, true
	case float32:
		return Float, true
	case string:
		return String, true
	case []int64:
		return Ints, true
	case []float32:
		return Floats, true
	}
	return 0, false
}

var kindNames = [...]string{"an integer", "a float", "a string", "integers", "floats"}

// Complete returns a with the defaults of o filled in. It fails on an attribute
// that o does not know, a value of another kind, and a missing required one.
func (a Attrs) Complete(o *Op) (Attrs, error) {
	known := make([]string, len(o.Attrs))
	for i, d := range o.Attrs {
		known[i] = d.Name
	}
	for _, n := range a.Names() {
		if !slices.Contains(known, n) {
			return nil, fmt.Errorf("attribute %.80q is not known to %s%s", n, o.Name, nearest.Hint(n, known))
		}
	}
	c := make(Attrs, len(o.Attrs))
	for _, d := range o.Attrs {
		v, ok := a[d.Name]
		if !ok {
			if d.Default == nil {
				return nil, fmt.Errorf("attribute %.80q of %s is missing", d.Name, o.Name)
			}
			v = d.Default
		}
		if k, ok := kindOf(v); !ok || k != d.Kind {
			return nil, fmt.Errorf("attribute %.80q of %s is %v: %s wanted", d.Name, o.Name, v, kindNames[d.Kind])
		}
		if s, ok := v.(string); ok && d.OneOf != nil && !slices.Contains(d.OneOf, s) {
			return nil, fmt.Errorf("attribute %.80q of %s is %.80q: one of %s wanted", d.Name, o.Name, s, fault.Names(d.OneOf))
		}
		if !d.Wide && !within(v, 1<<31) {
			return nil, fmt.Errorf("attribute %.80q of %s is %v: integers up to 2147483648 wanted", d.Name, o.Name, v)
		}
		c[d.Name] = v
	}
	return c, nil
}

// within reports whether all integers of an attribute's value are from -limit to
// limit, so that arithmetic with two of them does not overflow.
func within(v any, limit int64) bool {
	list, ok := v.([]int64)
	if n, one := v.(int64); one {
		list, ok = []int64{n}, true
	}
	return !ok || !slices.ContainsFunc(list, func(n int64) bool { return n < -limit || n > limit })
}

// Lookup returns the row called name.
func Lookup(name string) (*Op, error) {
	if o := byName[name]; o != nil {
		return o, nil
	}
	return nil, fmt.Errorf("operator %.80q is not known%s", name, nearest.Hint(name, Names()))
}

// Names returns the names of all operators, sorted.
func Names() []string {
	names := make([]string, 0, len(byName))
	for n := range byName {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}
