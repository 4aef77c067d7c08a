package onnx

import (
	"fmt"

	"pimflow/internal/fault"
	"pimflow/internal/nearest"
	"pimflow/internal/tensor"
)

// outputs names the results, and warns where the file says otherwise of their types than its nodes do.
func (l *lowering) outputs(g *graphProto, f *File) error {
	seen := map[string]bool{}
	for _, p := range g.outputs {
		v := l.value(p.name)
		if v == nil {
			return fmt.Errorf("output %.80q is made by no node%s", p.name, nearest.Hint(p.name, l.names()))
		}
		if seen[p.name] {
			return fmt.Errorf("output %.80q is there twice", p.name)
		}
		seen[p.name] = true
		if p.kind != "" && p.kind != aTensor {
			return fmt.Errorf("output %.80q: %s: a tensor wanted", p.name, p.kind)
		}
		if says := p.contradicts(v, f.names); says != "" {
			f.Warnings = append(f.Warnings, fmt.Sprintf("output %.80q: the file says %s, its nodes make %v %v", p.name, says, v.typ, v.shape))
		}
		l.b.Output(p.name, l.id(v))
	}
	l.values(g, f)
	return nil
}

// values warns in a line where the file says otherwise of the values between than its nodes do.
func (l *lowering) values(g *graphProto, f *File) {
	n, first := 0, ""
	for _, p := range g.values {
		v := l.env[p.name]
		if v == nil || p.kind != aTensor {
			continue
		}
		if says := p.contradicts(v, f.names); says != "" {
			if n++; n == 1 {
				first = fmt.Sprintf("value %.80q: the file says %s, its nodes make %v %v", p.name, says, v.typ, v.shape)
			}
		}
	}
	if n > 1 {
		first += fmt.Sprintf("; and so of %d more", n-1)
	}
	if n > 0 {
		f.Warnings = append(f.Warnings, first)
	}
}

// contradicts is what the file says of a value, where that is not what it is; names are the dimensions bound by name.
func (p *valueProto) contradicts(v *value, names map[string]*Bound) string {
	differ := p.elem != 0 && p.elem != int64(v.typ) || p.hasShape && len(p.dims) != len(v.shape)
	for i := 0; p.hasShape && !differ && i < len(p.dims); i++ {
		d := p.dims[i]
		switch b := names[d.param]; {
		case !d.open():
			differ = d.value != int64(v.shape[i])
		case b != nil && d.param != "":
			differ = b.Value != v.shape[i]
		}
	}
	if !differ {
		return ""
	}
	s := ""
	if p.elem != 0 {
		s = fmt.Sprintf("element type %d", p.elem)
		if typ, err := elemType(p.elem); err == nil {
			s = typ.String()
		}
		s += " "
	}
	if !p.hasShape {
		return s + "of any shape"
	}
	return s + p.shape()
}

// open reports whether the file leaves a dimension open: by a name, by nothing, or by 0 or -1 as old exporters do.
func (d dimProto) open() bool { return !d.known || d.value == 0 || d.value == -1 }

// shape prints the shape a file states, as batchx3x224x224.
func (v *valueProto) shape() string {
	if len(v.dims) == 0 {
		return tensor.Shape{}.String()
	}
	s := ""
	for i, d := range v.dims {
		if i > 0 {
			s += "x"
		}
		if d.open() {
			s += fault.Name(or(d.param, "?"))
		} else {
			s += fmt.Sprint(d.value)
		}
	}
	return s
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
