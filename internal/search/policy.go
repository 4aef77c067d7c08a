package search

import (
	"strings"

	"pimflow/internal/fault"
	"pimflow/internal/graph"
	"pimflow/internal/nearest"
	"pimflow/internal/plan"
)

// Policy is a row of the policy table: the plans that are tried.
type Policy struct {
	Name  string
	About string // what it is, and its source
	// PIM is the command interface of the memory channels that compute, which the
	// GPU then does without; "": none compute and the GPU has all channels.
	PIM string
	// Exclusive: one device works at a time, the GPU with every memory channel.
	Exclusive bool
	launch    string                                     // how PIM work is launched, set by the search; "": plan.Each
	Splits    func(g *graph.Graph, nd *graph.Node) []int // first rows of the PIM tile to try, ascending; nil: none
	Chains    []Chain                                    // pipelines to try
	Offload   nodeTest                                   // nodes that run on the PIM whatever they cost; nil: none
	Only      nodeTest                                   // the only nodes that may run on the PIM; nil: all that it executes
	// Vectors: Offload and Only are the nodes whose vectors fill the PIM's units (Target.Fills).
	Vectors bool
	// All: every policy of the table is tried, and then the local search; the best plan is
	// kept.
	All bool
}

// Chain is a kind of pipeline: consecutive nodes, each reading the one before.
type Chain struct {
	Nodes   []nodeTest // by node of the chain: what it must be
	Devices []string   // by node: where it runs
	// Pipe returns the segments to try for such nodes.
	Pipe func(g *graph.Graph, ids []graph.ID, devices []string) []plan.Segment
}

type nodeTest = func(g *graph.Graph, nd *graph.Node) bool

// policies is the table. The published ones are PIMFlow's (CGO 2023): its cuts, on
// this project's mapping, and with the time of the whole program.
var policies = []Policy{
	{Name: "gpu", About: "the baseline: all layers on the GPU, which has every memory channel"},
	{Name: "conv1x1", PIM: plan.Extended, Only: Pointwise, About: "1x1 convolutions, and no other layer, run whole on the PIM if that is faster (PIMFlow's predecessor, IEEE CAL 2022)"},
	{Name: "by-operator", PIM: plan.Extended, Offload: everything, About: "every operator that the PIM supports runs there, at any cost (ONNX Runtime for PIM, ICEIC 2022)"},
	{Name: "by-vector", PIM: plan.Extended, Vectors: true, About: "products whose vectors fill the PIM's units run there, at any cost, and no other layer: a column access of inputs, an output for each unit of a channel (PRIMO, DATE 2019)"},
	{Name: "by-benefit", PIM: plan.Extended, About: "greedy: a layer runs whole on the PIM if its gain exceeds the cost of transfers and launch (CAIRO, TACO 2018; IOTPIM); all times here include these costs, so newton++ makes the same plan"},
	{Name: "exclusive", PIM: plan.Extended, Exclusive: true, About: "serial: each layer runs alone and whole on the faster device; the GPU then has every memory channel, and each hand-over costs a launch and a latency each way (IEEE Access 2024)"},
	{Name: "non-conv", PIM: plan.Extended, Offload: rest, Only: rest, Chains: behindConvs, About: "dense convolutions on the GPU, all else that the PIM supports there, at any cost, pipelined with the convolution before it in output channels (after IEEE Access 2024)"},
	{Name: "newton+", PIM: plan.Basic, About: "each layer whole on the faster device; all PIM channels share their inputs, and buffer writes are exposed (Newton+, CGO 2023)"},
	{Name: "newton++", PIM: plan.Extended, About: "each layer whole on the faster device; channels in groups, buffer writes hidden behind activations (Newton++, CGO 2023)"},
	{Name: "mddp", PIM: plan.Extended, Splits: publishedSplits, About: "newton++, and convolutions split by rows in steps of 10 % (MD-DP, CGO 2023)"},
	{Name: "pipeline", PIM: plan.Extended, Chains: published, About: "newton++, and two-stage pipelines over 1x1-dw, kxk-1x1 and 1x1-dw-1x1 (CGO 2023)"},
	{Name: "pimflow", PIM: plan.Extended, Splits: publishedSplits, Chains: published, About: "mddp and pipeline together (PIMFlow, CGO 2023)"},
	{Name: "auto", PIM: plan.Extended, All: true, About: "local search over splits by rows, channels and images, pipelines of any length and parallel branches; includes every other policy"},
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
	return Policy{}, fault.Usagef("policy %.80q is not known: one of %s wanted%s", name, strings.Join(names, ", "), nearest.Hint(name, names))
}
