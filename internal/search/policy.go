package search

import (
	"fmt"

	"pimflow/internal/graph"
	"pimflow/internal/nearest"
	"pimflow/internal/plan"
)

// Policy is a row of the policy table: which divisions of the work it tries.
type Policy struct {
	Name   string
	About  string               // what it is, and its source
	PIM    bool                 // some memory channels compute and the GPU does without them; false: GPU alone, all channels
	Splits func(rows int) []int // first rows of the PIM part to try, ascending, of a layer of that many rows; nil: none
	Chains []Chain              // pipelines to try
	All    bool                 // also tries every policy of the table, and keeps the fastest plan
}

// Chain is a kind of pipeline: consecutive nodes, each reading the one before.
type Chain struct {
	Nodes   []func(*graph.Node) bool // what each node of the chain must be
	Devices []string                 // where each runs
	Cuts    func(rows int) []int     // rows of the last node to cut its bands at, each tried alone
}

// policies is the table. The published ones are PIMFlow's (CGO 2023), on this
// project's machines, mapping and overlap; GPU and PIM of a split work at once.
var policies = []Policy{
	{Name: "gpu", About: "all work on the GPU, which keeps every memory channel (the baseline)"},
	{Name: "newton++", PIM: true, About: "each layer whole, on the faster device (Newton++, CGO 2023)"},
	{Name: "mddp", PIM: true, Splits: tenths, About: "layers also split by rows in steps of 10 % (MD-DP, CGO 2023)"},
	{Name: "pipeline", PIM: true, Chains: published, About: "newton++ and two-stage pipelines over 1x1-dw, kxk-1x1 and 1x1-dw-1x1 (CGO 2023)"},
	{Name: "pimflow", PIM: true, Splits: tenths, Chains: published, About: "mddp and pipelines together (PIMFlow, CGO 2023)"},
	{Name: "auto", PIM: true, Splits: everyRow, Chains: anyChain, All: true, About: "every row cut, pipelines of two and three nodes of any kind, and every other policy"},
}

// Default is the policy of a run that names none.
const Default = "auto"

// Policies returns the table, in order.
func Policies() []Policy { return policies }

// Lookup returns the policy called name.
func Lookup(name string) (Policy, error) {
	var names []string
	for _, p := range policies {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return Policy{}, fmt.Errorf("policy %q is not known: one of %v wanted%s", name, names, nearest.Hint(name, names))
}

// tenths are the GPU's shares of 10 % to 90 %, rounded up to rows as published.
func tenths(rows int) []int {
	var at []int
	for t := 1; t < 10; t++ {
		if r := (rows*t + 9) / 10; r > 0 && r < rows && (len(at) == 0 || at[len(at)-1] != r) {
			at = append(at, r)
		}
	}
	return at
}

func everyRow(rows int) []int {
	var at []int
	for r := 1; r < rows; r++ {
		at = append(at, r)
	}
	return at
}

func half(rows int) []int {
	if rows < 2 {
		return nil
	}
	return []int{rows / 2}
}

// published are the three pipeline types of PIMFlow (CGO 2023).
var published = []Chain{
	{[]func(*graph.Node) bool{pointwise, depthwise}, []string{plan.PIM, plan.GPU}, half},
	{[]func(*graph.Node) bool{spatial, pointwise}, []string{plan.GPU, plan.PIM}, half},
	{[]func(*graph.Node) bool{pointwise, depthwise, pointwise}, []string{plan.PIM, plan.GPU, plan.PIM}, half},
}

// anyChain are two and three nodes of any kind on alternating devices.
var anyChain = []Chain{
	{[]func(*graph.Node) bool{plan.Cuttable, plan.Cuttable}, []string{plan.PIM, plan.GPU}, tenths},
	{[]func(*graph.Node) bool{plan.Cuttable, plan.Cuttable}, []string{plan.GPU, plan.PIM}, tenths},
	{[]func(*graph.Node) bool{plan.Cuttable, plan.Cuttable, plan.Cuttable}, []string{plan.PIM, plan.GPU, plan.PIM}, tenths},
	{[]func(*graph.Node) bool{plan.Cuttable, plan.Cuttable, plan.Cuttable}, []string{plan.GPU, plan.PIM, plan.GPU}, tenths},
}

// pointwise is a dense convolution with a 1x1 kernel.
func pointwise(nd *graph.Node) bool { return conv(nd) && unit(nd) && !depthwise(nd) }

// depthwise is a convolution whose groups are its input channels.
func depthwise(nd *graph.Node) bool {
	return conv(nd) && nd.Attrs.Int("group") > 1 && nd.Attrs.Int("group") == nd.Shape[1]
}

// spatial is any convolution, depthwise or not, with a kernel above 1x1.
func spatial(nd *graph.Node) bool { return conv(nd) && !unit(nd) }

func conv(nd *graph.Node) bool { return nd.Op.Name == "Conv" && plan.Cuttable(nd) }

func unit(nd *graph.Node) bool {
	for _, k := range nd.Attrs.Ints("kernel_shape") {
		if k != 1 {
			return false
		}
	}
	return true
}
