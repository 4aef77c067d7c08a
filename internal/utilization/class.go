package utilization

import (
	"slices"
	"strconv"
	"strings"

	"pimflow/internal/graph"
)

// The classes of layers that are not named by a kernel's extents.
const (
	Depthwise = "depthwise" // a convolution with as many groups as input channels, and more than one
	FC        = "FC"        // a product with constant weights: Gemm or MatMul
	Product   = "product"   // a product of two activations
	Other     = "other"
)

// Class is the class of an operation: of a convolution its kernel, as "1x1", else one of the names above. That of a transposed
// convolution ends in " transposed".
func Class(g *graph.Graph, id graph.ID) string {
	nd := &g.Nodes[id]
	switch name := nd.Op.OnReals(); name {
	case "Conv", "ConvTranspose":
		in := g.Nodes[nd.In[0]].Shape
		if n := nd.Attrs.Int("group"); n > 1 && n == in[1] {
			return Depthwise
		}
		var kernel []string
		for _, k := range nd.Attrs.Ints("kernel_shape") {
			kernel = append(kernel, strconv.Itoa(k))
		}
		class := strings.Join(kernel, "x")
		if name == "ConvTranspose" {
			class += " transposed"
		}
		return class
	case "Gemm", "MatMul":
		if _, constant := g.Value(nd.In[1]); !constant {
			return Product
		}
		return FC
	}
	return Other
}

// Bytes is the size of what an operation reads and makes, each value once, weights included. Real numbers have the given size.
func Bytes(g *graph.Graph, id graph.ID, real int) (n int64) {
	size := func(x graph.ID, elements int) {
		if t := g.Nodes[x].Type; t.Float() {
			n += int64(elements) * int64(real)
		} else {
			n += int64(elements) * int64(t.Bytes())
		}
	}
	size(id, g.Nodes[id].Shape.Size())
	in := g.Nodes[id].In
	for i, need := range g.Need(g.Whole(id)) {
		if !slices.Contains(in[:i], in[i]) {
			size(in[i], need.Size())
		}
	}
	return n
}
