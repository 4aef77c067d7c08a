package graph

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// inlineValues is the most values of a constant that are printed as decimals.
const inlineValues = 8

// Print writes g as text, one line a node, which Parse reads back: inputs,
// constants and operations in order, then the results.
//
//	graph "net"
//	%0 "x" = input float32 1x3x224x224
//	%1 "w" = const float32 8x3x1x1 base64:zcyMPw…
//	%2 "c" = Conv(%0, %1) {dilations=[1 1] …} + Add(%5) + Clip {max=6 min=0} -> float32 1x8x224x224
//	output "y" = %2
//
// An epilogue stage that computes Sub(operand, value) rather than
// Sub(value, operand) is printed as Sub(%5, .). Constants of more than 8 values
// are base64 of their little-endian bytes with values set, and ... without, which
// Parse refuses.
func (g *Graph) Print(w io.Writer, values bool) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "graph %q\n", g.Name)
	for i := range g.Nodes {
		nd := &g.Nodes[i]
		fmt.Fprintf(b, "%%%d %q = ", i, nd.Name)
		switch {
		case nd.Const != nil:
			fmt.Fprintf(b, "const %v %v ", nd.Type, nd.Shape)
			if err := printValues(b, nd.Const, values); err != nil {
				return err
			}
		case nd.Op == nil:
			fmt.Fprintf(b, "input %v %v", nd.Type, nd.Shape)
		default:
			printOp(b, nd)
		}
		fmt.Fprintln(b)
	}
	for _, o := range g.Outputs {
		fmt.Fprintf(b, "output %q = %%%d\n", o.Name, o.ID)
	}
	return b.Flush()
}

func printOp(w io.Writer, nd *Node) {
	fmt.Fprintf(w, "%s(", nd.Op.Name)
	for i, x := range nd.In[:nd.Operands()] {
		if i > 0 {
			fmt.Fprint(w, ", ")
		}
		fmt.Fprintf(w, "%%%d", x)
	}
	fmt.Fprint(w, ")")
	printAttrs(w, nd.Attrs)
	for _, s := range nd.Post {
		fmt.Fprintf(w, " + %s", s.Op.Name)
		if s.Op.Combine != nil {
			swap := ""
			if s.Swap {
				swap = ", ."
			}
			fmt.Fprintf(w, "(%%%d%s)", nd.In[s.Operand], swap)
		}
		printAttrs(w, s.Attrs)
	}
	fmt.Fprintf(w, " -> %v %v", nd.Type, nd.Shape)
}

func printAttrs(w io.Writer, a op.Attrs) {
	if len(a) == 0 {
		return
	}
	fmt.Fprint(w, " {")
	for i, n := range a.Names() {
		if i > 0 {
			fmt.Fprint(w, " ")
		}
		fmt.Fprintf(w, "%s=", n)
		switch v := a[n].(type) {
		case string:
			fmt.Fprintf(w, "%q", v)
		case float32:
			fmt.Fprint(w, formatFloat(v))
		case []float32:
			fmt.Fprint(w, "[")
			for i, x := range v {
				if i > 0 {
					fmt.Fprint(w, " ")
				}
				fmt.Fprint(w, formatFloat(x))
			}
			fmt.Fprint(w, "]")
		default:
			fmt.Fprint(w, v)
		}
	}
	fmt.Fprint(w, "}")
}

// formatFloat prints the shortest decimal that reads back as v.
func formatFloat(v float32) string { return strconv.FormatFloat(float64(v), 'g', -1, 32) }

func printValues(w io.Writer, t *tensor.Tensor, values bool) error {
	n := t.Shape.Size()
	if n > inlineValues || n > 0 && hasNaN(t) {
		if !values {
			_, err := io.WriteString(w, "...")
			return err
		}
		io.WriteString(w, "base64:")
		e := base64.NewEncoder(base64.RawStdEncoding, w)
		if err := t.WriteBytes(e); err != nil {
			return err
		}
		return e.Close()
	}
	var p []string
	if t.Type.Float() {
		for _, v := range t.Floats() {
			p = append(p, formatFloat(v))
		}
	} else {
		for _, v := range t.Ints() {
			p = append(p, strconv.FormatInt(v, 10))
		}
	}
	_, err := fmt.Fprintf(w, "[%s]", strings.Join(p, " "))
	return err
}

// hasNaN reports a NaN, whose bits a decimal would lose.
func hasNaN(t *tensor.Tensor) bool {
	if t.Type.Float() {
		for _, v := range t.Floats() {
			if math.IsNaN(float64(v)) {
				return true
			}
		}
	}
	return false
}
