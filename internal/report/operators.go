package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"pimflow/internal/gpu"
	"pimflow/internal/onnx"
	"pimflow/internal/op"
	"pimflow/internal/pim"
)

// OperatorsSchema names the form of Operators' JSON.
const OperatorsSchema = "pimflow.operators/1"

// Operators lists the operators that .onnx files may have.
type Operators struct {
	Schema      string     `json:"schema"`
	Operators   []Operator `json:"operators"`   // those of ONNX first, by name
	Unsupported []string   `json:"unsupported"` // the other operators of ONNX
}

// Operator is an operator of a file and what is made of it.
type Operator struct {
	Domain  string   `json:"domain"` // "" of ONNX itself
	Name    string   `json:"name"`
	Since   int      `json:"since"` // the first opset of the domain that is read
	Until   int      `json:"until"` // the last one
	Becomes []string `json:"becomes"`
	GPU     bool     `json:"gpu"`  // the GPU executes it
	PIM     bool     `json:"pim"`  // the PIM executes a part of it
	View    bool     `json:"view"` // nothing is executed: the values are the input's
	Cut     string   `json:"cut"`  // into tiles: yes, whole, or partly if it becomes some operators of either kind
	Limits  string   `json:"limits,omitempty"`
}

// NewOperators lists all operators.
func NewOperators() (*Operators, error) {
	list := &Operators{Schema: OperatorsSchema, Unsupported: onnx.Unsupported()}
	onGPU, onPIM := gpu.Rules(), pim.Operators()
	for _, o := range onnx.Operators() {
		row := Operator{Domain: o.Domain, Name: o.Name, Since: o.Since, Until: o.Until, Becomes: o.Becomes, Limits: o.Limits}
		cut, whole := 0, 0
		for _, name := range o.Becomes {
			c, err := op.Lookup(name)
			switch {
			case err != nil:
				return nil, err
			case c.View:
				continue
			case c.Need != nil:
				cut++
			default:
				whole++
			}
			row.GPU = row.GPU || slices.Contains(onGPU, c.OnReals())
			row.PIM = row.PIM || slices.Contains(onPIM, name)
		}
		row.View = cut+whole == 0 && len(o.Becomes) > 0
		switch {
		case cut > 0 && whole > 0:
			row.Cut = "partly"
		case cut > 0:
			row.Cut = "yes"
		case whole > 0:
			row.Cut = "whole"
		}
		list.Operators = append(list.Operators, row)
	}
	return list, nil
}

// Text writes a row for each operator, and the names of those that are not supported.
func (l *Operators) Text(w io.Writer) error {
	b := &strings.Builder{}
	t := table{{}, {}, {}, {}, {}}
	t.row("operator", "opsets", "device", "cut", "becomes; what of it is refused")
	for _, o := range l.Operators {
		name, opsets, device := o.Name, fmt.Sprintf("%d-%d", o.Since, o.Until), "-"
		if o.Domain != "" {
			name, opsets = name+" of "+o.Domain, fmt.Sprint(o.Since)
		}
		switch {
		case o.PIM:
			device = "gpu, pim"
		case o.GPU:
			device = "gpu"
		case o.View:
			device = "view"
		}
		rest := ""
		if len(o.Becomes) > 0 && !slices.Equal(o.Becomes, []string{o.Name}) {
			rest = strings.Join(o.Becomes, ", ")
		}
		if o.Limits != "" {
			rest += "; refused: " + o.Limits
		}
		t.open(name, opsets, device, o.Cut, strings.TrimPrefix(rest, "; "))
	}
	t.write(b)
	fmt.Fprintf(b, "\nNot supported: %s\n", strings.Join(l.Unsupported, ", "))
	for line := range strings.Lines(b.String()) {
		if _, err := io.WriteString(w, strings.TrimRight(line, " \n")+"\n"); err != nil {
			return err
		}
	}
	return nil
}
