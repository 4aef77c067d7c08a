// Package profile replaces a GPU model's times by measured ones.
//
// A Profile is a table of kernels with their times, read and printed as CSV. A kernel is the
// work of a cut of a layer, identified by its geometry, not by the names of layer or network.
// Over wraps a device: its costs become the measured ones, where there are any. Kernel.Alone
// is a kernel as a network by itself, to be measured; a Runner is a program that measures it.
//
// The package does not know how a device models its costs, nor plans.
//
// In the literature: profile-guided cost models; operator lookup tables.
package profile

import (
	"fmt"
	"slices"
	"strings"

	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// Kernel is a layer, or a part of a layer, by its geometry: an operator with its epilogue on
// operands of these shapes. Cuts at different places with the same shapes and padding are one
// kernel.
type Kernel struct {
	Op       *op.Op
	In       []Operand // of Op
	Attrs    op.Attrs  // complete; pads and group of the part
	Out      tensor.Shape
	Type     tensor.Type // of floating-point computation
	Epilogue []*op.Op    // each with Map or Combine; a second operand has shape Out
}

// Operand is a value that a kernel reads.
type Operand struct {
	Shape tensor.Shape
	Const bool        // known before the network runs
	Type  tensor.Type // of integers; 0: floating-point
}

// Of is the kernel of a cut, with floating-point computation in t.
func Of(g *graph.Graph, c graph.Cut, t tensor.Type) Kernel {
	nd := &g.Nodes[c.Node]
	k := Kernel{Op: nd.Op, Attrs: nd.Attrs, Out: c.Box.Shape(), Type: t}
	for _, s := range nd.Post {
		k.Epilogue = append(k.Epilogue, s.Op)
	}
	p := &part{attrs: nd.Attrs, in: g.InShapes(c.Node)[:nd.Operands()], box: c.Box, shape: nd.Shape}
	for _, b := range g.Need(c) {
		p.need = append(p.need, b.Clone()) // it may share memory with the cut
	}
	if adapt := parts[nd.Op.Name]; adapt != nil {
		k.Attrs = adapt(p)
	} else {
		p.uncut()
	}
	for i, x := range nd.In[:nd.Operands()] {
		_, known := g.Value(x)
		o := Operand{Shape: p.need[i].Shape(), Const: known}
		if typ := g.Nodes[x].Type; !typ.Float() {
			o.Type = typ
		}
		k.In = append(k.In, o)
	}
	return k
}

// part is a box of an operation, rewritten as an operation.
type part struct {
	attrs op.Attrs
	in    []tensor.Shape
	need  []tensor.Box
	box   tensor.Box
	shape tensor.Shape // of the whole value
}

// parts has the operators whose attributes differ for a part: the padding at the edges of the
// whole is no padding inside it.
var parts = map[string]func(*part) op.Attrs{
	"Conv":          convolution,
	"ConvTranspose": transposed,
	"MaxPool":       pooling,
	"AveragePool":   pooling,
}

// uncut keeps the operands whole along dimensions that are not cut, since attributes may name
// positions there.
func (p *part) uncut() {
	full := tensor.Full(p.shape)
	for i, s := range p.in {
		for d := range s {
			if p.box.Equal(full) || len(s) == len(full) && p.box[d] == full[d] {
				p.need[i][d] = tensor.Range{Lo: 0, Hi: s[d]}
			}
		}
	}
}

// convolution sets the attributes of a part of a Conv.
func convolution(p *part) op.Attrs {
	a := pooling(p)
	per := p.shape[1] / p.attrs.Int("group")
	a["group"] = int64((p.box[1].Hi-1)/per - p.box[1].Lo/per + 1)
	return a
}

// pooling sets the attributes of a part of an operator with windows. Along a dimension that is
// not cut they are those of the whole, with rows that no window reads.
func pooling(p *part) op.Attrs {
	kernel, strides, pads, dilations := p.attrs.Ints("kernel_shape"), p.attrs.Ints("strides"), p.attrs.Ints("pads"), p.attrs.Ints("dilations")
	n, padding := len(kernel), slices.Clone(p.attrs["pads"].([]int64))
	for d := range n {
		r, have := p.box[2+d], &p.need[0][2+d]
		if r.Lo == 0 && r.Hi == p.shape[2+d] {
			*have = tensor.Range{Lo: 0, Hi: p.in[0][2+d]}
			continue
		}
		first := r.Lo*strides[d] - pads[d]
		end := (r.Hi-1)*strides[d] - pads[d] + dilations[d]*(kernel[d]-1) + 1
		padding[d], padding[n+d] = int64(have.Lo-first), int64(end-have.Hi)
	}
	a := p.attrs.Clone()
	a["pads"] = padding
	return a
}

// transposed sets the attributes of a part of a ConvTranspose: input i contributes to the
// outputs from i·stride − begin on.
func transposed(p *part) op.Attrs {
	kernel, strides, pads, dilations := p.attrs.Ints("kernel_shape"), p.attrs.Ints("strides"), p.attrs.Ints("pads"), p.attrs.Ints("dilations")
	n, padding, extra := len(kernel), slices.Clone(p.attrs["pads"].([]int64)), slices.Clone(p.attrs["output_padding"].([]int64))
	for d := range n {
		r, have := p.box[2+d], &p.need[0][2+d]
		if r.Lo == 0 && r.Hi == p.shape[2+d] {
			*have = tensor.Range{Lo: 0, Hi: p.in[0][2+d]}
			continue
		}
		begin := pads[d] + r.Lo - have.Lo*strides[d]
		beyond := (have.Len()-1)*strides[d] + dilations[d]*(kernel[d]-1) + 1 - begin - r.Len()
		padding[d], padding[n+d], extra[d] = int64(begin), int64(max(beyond, 0)), int64(max(-beyond, 0))
	}
	a := p.attrs.Clone()
	a["pads"], a["output_padding"] = padding, extra
	per := p.shape[1] / p.attrs.Int("group")
	a["group"] = int64((p.box[1].Hi-1)/per - p.box[1].Lo/per + 1)
	return a
}

// Epilogues is the names of the epilogue, as "Add+Relu".
func (k *Kernel) Epilogues() string {
	var names []string
	for _, e := range k.Epilogue {
		names = append(names, e.Name)
	}
	return strings.Join(names, "+")
}

// String prints the kernel's columns in the order of the header, separated by spaces.
func (k *Kernel) String() string {
	cells := k.cells()
	var b strings.Builder
	for i, c := range kernelColumns {
		if cells[i] != "" {
			fmt.Fprintf(&b, " %s=%s", c, cells[i])
		}
	}
	return strings.TrimPrefix(b.String(), " ")
}

// key is equal for equal kernels.
func (k *Kernel) key() string { return strings.Join(k.cells(), "\x00") }
