package graph

import (
	"bytes"
	"fmt"
	"slices"
)

// Form is what an operation is, whatever its name and its place: the operator with its attributes and its epilogue, types and
// shapes of the value and of what it reads, and which of these are constant or the same. Operations of one form need the same of
// their inputs for the same box.
//
// In the literature: value numbering (Cocke 1970), without the values.
func (g *Graph) Form(id ID) string {
	nd := &g.Nodes[id]
	var b bytes.Buffer
	fmt.Fprintf(&b, "%v %v", nd.Type, nd.Shape)
	if nd.Op != nil {
		fmt.Fprintf(&b, " %s %d", nd.Op.Name, nd.Operands())
		writeAttrs(&b, nd.Attrs)
	}
	for _, s := range nd.Post {
		fmt.Fprintf(&b, " + %s %d %v", s.Op.Name, s.Operand-len(nd.In), s.Swap)
		writeAttrs(&b, s.Attrs)
	}
	for k, x := range nd.In {
		in := &g.Nodes[x]
		_, known := g.Value(x)
		fmt.Fprintf(&b, "; %v %v %v %v", in.Type, in.Shape, in.Const != nil, known)
		if same := slices.Index(nd.In, x); same < k {
			fmt.Fprintf(&b, " as %d", same)
		}
	}
	return b.String()
}
