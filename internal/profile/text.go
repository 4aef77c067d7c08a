package profile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"pimflow/internal/nearest"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// kernelColumns are the columns that a kernel is written in.
var kernelColumns = []string{"op", "inputs", "kernel", "strides", "pads", "dilations", "group", "attributes", "output", "dtype", "epilogue"}

// windowColumns are the attributes that have a column of their own.
var windowColumns = map[string]string{
	"kernel": "kernel_shape", "strides": "strides", "pads": "pads", "dilations": "dilations", "group": "group",
}

// cells is the kernel in kernelColumns.
func (k *Kernel) cells() []string {
	var inputs, others []string
	for _, o := range k.In {
		inputs = append(inputs, o.String())
	}
	cells := map[string]string{
		"op": k.Op.Name, "inputs": strings.Join(inputs, " "), "output": k.Out.String(), "dtype": k.Type.String(), "epilogue": k.Epilogues(),
	}
	own := map[string]string{}
	for column, name := range windowColumns {
		own[name] = column
	}
	for _, name := range k.Attrs.Names() {
		if c := own[name]; c != "" {
			cells[c] = printAttr(k.Attrs[name])
		} else {
			others = append(others, name+"="+printAttr(k.Attrs[name]))
		}
	}
	cells["attributes"] = strings.Join(others, " ")
	list := make([]string, len(kernelColumns))
	for i, c := range kernelColumns {
		list[i] = cells[c]
	}
	return list
}

// String prints the shape, as 1x32x56x56, const:16x32x1x1 or int64:1x10.
func (o Operand) String() string {
	s := o.Shape.String()
	if o.Type != 0 {
		s = o.Type.String() + ":" + s
	}
	if o.Const {
		s = "const:" + s
	}
	return s
}

// printAttr prints a value of op.Attrs; lists have x between, as 3x3.
func printAttr(v any) string {
	number := func(f float32) string { return strconv.FormatFloat(float64(f), 'g', -1, 32) }
	var list []string
	switch v := v.(type) {
	case float32:
		return number(v)
	case []int64:
		for _, n := range v {
			list = append(list, strconv.FormatInt(n, 10))
		}
	case []float32:
		for _, f := range v {
			list = append(list, number(f))
		}
	default:
		return fmt.Sprint(v)
	}
	return strings.Join(list, "x")
}

// parseAttr reads what printAttr prints of a value of the attribute.
func parseAttr(a op.Attr, text string) (v any, err error) {
	each := func(parse func(string) error) error {
		if text == "" {
			return nil
		}
		for _, p := range strings.Split(text, "x") {
			if err := parse(p); err != nil {
				return err
			}
		}
		return nil
	}
	wanted := ""
	switch a.Kind {
	case op.String:
		return text, nil
	case op.Int:
		wanted = "a whole number"
		v, err = strconv.ParseInt(text, 10, 64)
	case op.Float:
		wanted = "a number"
		var f float64
		f, err = strconv.ParseFloat(text, 32)
		v = float32(f)
	case op.Ints:
		wanted = "whole numbers like 3x3"
		list := []int64{}
		err = each(func(p string) error {
			n, err := strconv.ParseInt(p, 10, 64)
			list = append(list, n)
			return err
		})
		v = list
	case op.Floats:
		wanted = "numbers like 0.5x0.5"
		list := []float32{}
		err = each(func(p string) error {
			f, err := strconv.ParseFloat(p, 32)
			list = append(list, float32(f))
			return err
		})
		v = list
	}
	if err != nil {
		return nil, fmt.Errorf("%.80q: %s wanted", text, wanted)
	}
	return v, nil
}

// parseKernel reads a kernel from kernelColumns. The error begins with the column.
func parseKernel(cell func(column string) string) (k Kernel, err error) {
	at := func(column string, err error) error { return fmt.Errorf("%s: %w", column, err) }
	if k.Op, err = op.Lookup(cell("op")); err != nil {
		return k, at("op", err)
	}
	for _, text := range strings.Fields(cell("inputs")) {
		o, err := parseOperand(text)
		if err != nil {
			return k, at("inputs", err)
		}
		k.In = append(k.In, o)
	}
	if k.Out, err = parseShape(cell("output")); err != nil {
		return k, at("output", err)
	}
	if k.Type, err = tensor.ParseType(cell("dtype")); err != nil {
		return k, at("dtype", err)
	}
	for _, name := range strings.FieldsFunc(cell("epilogue"), func(r rune) bool { return r == '+' }) {
		e, err := op.Lookup(name)
		if err == nil && e.Map == nil && e.Combine == nil {
			err = fmt.Errorf("%s cannot be an epilogue: an element-wise operator wanted", name)
		}
		if err != nil {
			return k, at("epilogue", err)
		}
		k.Epilogue = append(k.Epilogue, e)
	}
	if k.Attrs, err = parseAttrs(k.Op, cell); err != nil {
		return k, err
	}
	if _, _, err := k.Alone(tensor.Float32); err != nil {
		return k, at("output", err)
	}
	return k, nil
}

func parseAttrs(o *op.Op, cell func(column string) string) (op.Attrs, error) {
	given := map[string]string{} // text by attribute
	var names []string
	for _, a := range o.Attrs {
		names = append(names, a.Name)
	}
	for _, c := range kernelColumns {
		name, ok := windowColumns[c]
		if !ok {
			continue
		}
		has := slices.Contains(names, name)
		if text := cell(c); has {
			given[name] = text
		} else if text != "" {
			return nil, fmt.Errorf("%s: %.80q: %s has none: an empty cell wanted", c, text, o.Name)
		}
	}
	for _, f := range strings.Fields(cell("attributes")) {
		name, text, ok := strings.Cut(f, "=")
		_, twice := given[name]
		switch {
		case !ok:
			return nil, fmt.Errorf("attributes: %.80q: name=value wanted", f)
		case !slices.Contains(names, name):
			return nil, fmt.Errorf("attributes: %.80q is not known to %s%s", name, o.Name, nearest.Hint(name, names))
		case twice:
			return nil, fmt.Errorf("attributes: %.80q is given twice, or has a column of its own", name)
		}
		given[name] = text
	}
	attrs := op.Attrs{}
	for _, a := range o.Attrs {
		text, ok := given[a.Name]
		if !ok {
			continue
		}
		v, err := parseAttr(a, text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.Name, err)
		}
		attrs[a.Name] = v
	}
	attrs, err := attrs.Complete(o)
	if err != nil {
		return nil, fmt.Errorf("attributes: %w", err)
	}
	return attrs, nil
}

func parseOperand(text string) (o Operand, err error) {
	rest, known := strings.CutPrefix(text, "const:")
	o.Const = known
	if typ, shape, ok := strings.Cut(rest, ":"); ok {
		if o.Type, err = tensor.ParseType(typ); err != nil {
			return o, err
		}
		if o.Type.Float() {
			return o, fmt.Errorf("%.80q: floating values are of the column dtype: the shape alone wanted", text)
		}
		rest = shape
	}
	o.Shape, err = parseShape(rest)
	return o, err
}

// maxExtents bounds the size of a value in a file, so that sizes in bytes do not
// overflow.
const maxExtents = 1 << 40

func parseShape(text string) (tensor.Shape, error) {
	s, err := tensor.ParseShape(text)
	if err != nil {
		return nil, err
	}
	size := 1.0
	for _, d := range s {
		size *= float64(d)
	}
	if size < 1 || size > maxExtents {
		return nil, fmt.Errorf("shape %.80q: 1 to %d values wanted", text, int64(maxExtents))
	}
	return s, nil
}
