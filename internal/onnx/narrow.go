package onnx

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// quantizedNames are parts of the names of operators on quantised values.
var quantizedNames = []string{"Quantize", "Dequantize", "QLinear", "QGemm", "Integer"}

func (p *nodeProto) onQuantized() bool {
	return slices.ContainsFunc(quantizedNames, func(s string) bool { return strings.Contains(p.opType, s) })
}

// quantized refuses a graph whose nodes have quantised values of types that are not read: it counts them, by operator and type. A
// node has the type of a tensor that it reads, or makes.
func (g *graphProto) quantized() error {
	types := map[string]string{} // of tensors that are not read, by name
	note := func(name string, typ int64) {
		if _, err := elemType(typ); err != nil && onnxTypes[typ] != "" {
			types[name] = onnxTypes[typ]
		}
	}
	for _, t := range g.inits {
		note(t.name, t.typ)
	}
	for _, p := range g.nodes {
		for _, a := range p.attrs {
			if a.tensor != nil && p.opType == "Constant" && len(p.out) == 1 {
				note(p.out[0], a.tensor.typ)
			}
		}
	}
	counts, all, first := map[string]int{}, 0, ""
	for i, p := range g.nodes {
		if !p.onQuantized() {
			continue
		}
		typ := ""
		for _, a := range p.attrs {
			if _, err := elemType(a.i); a.name == "output_dtype" && a.i != 0 && err != nil {
				typ = onnxTypes[a.i]
			}
		}
		for _, name := range p.in {
			if t := types[name]; t != "" && typ == "" {
				typ = t
			}
		}
		if typ == "" {
			continue
		}
		if counts[p.opType+" of "+typ]++; all == 0 {
			first = nodeLabel(p, i)
		}
		all++
	}
	if all == 0 {
		return nil
	}
	var list []string
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, fmt.Sprintf("%s (%d)", k, counts[k]))
	}
	what := "quantised types are"
	if len(list) == 1 {
		what = "quantised type is"
	}
	return fmt.Errorf("%d %s not supported: %s, the first at %s; int8 and uint8 are read, and int32 by DequantizeLinear; --until VALUE takes the network up to a value", len(list), what, strings.Join(list, ", "), first)
}
