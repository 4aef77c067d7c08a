package search

import (
	"pimflow/internal/graph"
	"pimflow/internal/plan"
)

// The partitions of PIMFlow (CGO 2023), as its artifact makes them. Its rows are those of a
// convolution's input; a plan cuts outputs.

// publishedSplits are the GPU's shares of 10 % to 90 % of the input rows, rounded
// up, of the convolutions that MD-DP takes (InputSplit.satisfy in transform.py).
func publishedSplits(g *graph.Graph, nd *graph.Node) []int {
	if !conv(g, nd) || depthwise(g, nd) || nd.Attrs.Int("group") == 32 || dilated(nd) {
		return nil
	}
	rows, s, k := g.Nodes[nd.In[0]].Shape[plan.Rows], nd.Attrs.Ints("strides")[0], nd.Attrs.Ints("kernel_shape")[0]
	var at []int
	for t := 1; t < 10; t++ {
		h := (rows*t + 9) / 10
		if h+k/2-(h-1)%s >= rows-1 {
			continue // the GPU's part with its halo is the whole
		}
		if r := (h + s - 1) / s; r < nd.Shape[plan.Rows] && (len(at) == 0 || at[len(at)-1] != r) {
			at = append(at, r)
		}
	}
	return at
}

// published are the pipelines of policies: two stages.
var published = Stages(2)

// Stages returns the three kinds of pipeline (extract_layers.py) in n stages.
func Stages(n int) []Chain {
	pipe := stages(n)
	return []Chain{
		{[]nodeTest{halved(Pointwise), unstrided(depthwise)}, []string{plan.PIM, plan.GPU}, pipe},
		{[]nodeTest{halved(spatial), unstrided(Pointwise)}, []string{plan.GPU, plan.PIM}, pipe},
		{[]nodeTest{halved(Pointwise), unstrided(halved(depthwise)), unstrided(Pointwise)}, []string{plan.PIM, plan.GPU, plan.PIM}, pipe},
	}
}

// stages cuts the input rows of the first convolution into n equal parts.
func stages(n int) func(g *graph.Graph, ids []graph.ID, devices []string) []plan.Segment {
	return func(g *graph.Graph, ids []graph.ID, devices []string) []plan.Segment {
		nd := &g.Nodes[ids[0]]
		part, s := g.Nodes[nd.In[0]].Shape[plan.Rows]/n, nd.Attrs.Ints("strides")[0]
		var cuts []int
		for t := 1; t < n; t++ {
			cuts = append(cuts, (part*t+s-1)/s)
		}
		if seg, ok := plan.PipeUp(g, ids, devices, cuts...); ok {
			return []plan.Segment{seg}
		}
		return nil
	}
}

// halved takes a first convolution whose halves are even where it has a stride.
func halved(is nodeTest) nodeTest {
	return func(g *graph.Graph, nd *graph.Node) bool {
		return is(g, nd) && (nd.Attrs.Ints("strides")[0] == 1 || g.Nodes[nd.In[0]].Shape[plan.Rows]%4 == 0)
	}
}

// unstrided takes a following convolution, which must not have a stride.
func unstrided(is nodeTest) nodeTest {
	return func(g *graph.Graph, nd *graph.Node) bool { return is(g, nd) && nd.Attrs.Ints("strides")[0] == 1 }
}

// Fully is the fully connected layers that the published system sends to the PIM
// under every policy: products with weights, and 1x1 convolutions of single pixels
// (OffloadFC in transform.py).
func Fully(g *graph.Graph, nd *graph.Node) bool {
	switch nd.Op.Name {
	case "Gemm", "MatMul":
		_, ok := g.Value(nd.In[1])
		return ok && nd.Shape[0] == 1
	case "Conv":
		return conv(g, nd) && unit(nd) && nd.Shape[2] == 1 && nd.Shape[3] == 1 && g.Nodes[nd.In[0]].Shape[plan.Rows] == 1
	}
	return false
}

// conv is a two-dimensional convolution of more than a row.
func conv(g *graph.Graph, nd *graph.Node) bool {
	return nd.Op.Name == "Conv" && hasRows(nd)
}

// everything is every node.
func everything(*graph.Graph, *graph.Node) bool { return true }

// Pointwise reports whether a node is a dense convolution with a 1x1 kernel on more than a pixel.
func Pointwise(g *graph.Graph, nd *graph.Node) bool {
	return conv(g, nd) && unit(nd) && !depthwise(g, nd) && !Fully(g, nd)
}

// depthwise is a convolution whose groups are its channels in and out.
func depthwise(g *graph.Graph, nd *graph.Node) bool {
	group := 0
	if conv(g, nd) {
		group = nd.Attrs.Int("group")
	}
	return group > 1 && group == nd.Shape[1] && group == g.Nodes[nd.In[0]].Shape[1]
}

// spatial is any convolution, depthwise or not, with a kernel above 1x1.
func spatial(g *graph.Graph, nd *graph.Node) bool { return conv(g, nd) && !unit(nd) }

func unit(nd *graph.Node) bool {
	for _, k := range nd.Attrs.Ints("kernel_shape") {
		if k != 1 {
			return false
		}
	}
	return true
}

func dilated(nd *graph.Node) bool {
	for _, d := range nd.Attrs.Ints("dilations") {
		if d != 1 {
			return true
		}
	}
	return false
}

// hasRows reports whether a node's value has rows and may be cut along them.
func hasRows(nd *graph.Node) bool { return len(nd.Shape) == 4 && plan.Cuttable(nd, plan.Rows) }

// rest is what is no dense convolution: depthwise ones, fully connected layers, element-wise operations.
func rest(g *graph.Graph, nd *graph.Node) bool {
	switch nd.Op.OnReals() {
	case "Conv", "ConvTranspose":
		return depthwise(g, nd)
	}
	return true
}

// behindConvs is a dense convolution, and what is none and reads it: while the one makes output channels, the other has those before.
var behindConvs = []Chain{{
	[]nodeTest{func(g *graph.Graph, nd *graph.Node) bool { return !rest(g, nd) }, rest}, []string{plan.GPU, plan.PIM}, inChannels,
}}

// inChannels cuts the output channels of a chain into two and into four equal parts.
func inChannels(g *graph.Graph, ids []graph.ID, devices []string) (list []plan.Segment) {
	nd := &g.Nodes[ids[len(ids)-1]]
	if len(nd.Shape) <= plan.Channels || !plan.Cuttable(nd, plan.Channels) {
		return nil
	}
	for _, parts := range []int{2, 4} {
		if nd.Shape[plan.Channels] < parts {
			break
		}
		var cuts []int
		for i := 1; i < parts; i++ {
			cuts = append(cuts, nd.Shape[plan.Channels]*i/parts)
		}
		if seg, ok := plan.Pipe(g, ids, devices, plan.Channels, cuts); ok {
			list = append(list, seg)
		}
	}
	return list
}
