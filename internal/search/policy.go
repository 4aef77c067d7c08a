package search

import (
	"fmt"
	"strings"

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
	// Launch says how PIM work is launched, plan.Each or plan.Joint; "": plan.Each.
	Launch  string
	Splits  func(g *graph.Graph, nd *graph.Node) []int // first rows of the PIM tile to try, ascending; nil: none
	Chains  []Chain                                    // pipelines to try
	Offload nodeTest                                   // nodes that run on the PIM whatever they cost; nil: none
	Only    nodeTest                                   // the only nodes that may run on the PIM; nil: all that it executes
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
	{Name: "gpu", About: "all work on the GPU, which keeps every memory channel (the baseline)"},
	{Name: "conv1x1", PIM: plan.Extended, Only: pointwise, About: "1x1 convolutions, and nothing else, whole on the PIM where that is faster (PIMFlow's predecessor, IEEE CAL 2022)"},
	{Name: "by-operator", PIM: plan.Extended, Offload: everything, About: "all that the PIM can execute runs there, whatever it costs (ONNX Runtime for PIM, ICEIC 2022)"},
	{Name: "by-benefit", PIM: plan.Extended, About: "greedy: a layer runs whole on the PIM if it gains more there than its transfers and launch cost (CAIRO, TACO 2018; IOTPIM); these are in all times here, so that newton++ chooses the same"},
	{Name: "exclusive", PIM: plan.Extended, Exclusive: true, About: "each layer whole on the faster device, one at a time: the GPU then has every memory channel; handing over costs a launch and a latency each way (IEEE Access 2024)"},
	{Name: "newton+", PIM: plan.Basic, About: "each layer whole on the faster device; PIM channels share their inputs and wait for them (Newton+, CGO 2023)"},
	{Name: "newton++", PIM: plan.Extended, About: "each layer whole on the faster device; channels in groups, inputs written in the shadow of activations (Newton++, CGO 2023)"},
	{Name: "mddp", PIM: plan.Extended, Splits: publishedSplits, About: "newton++ and convolutions split by rows in steps of 10 % (MD-DP, CGO 2023)"},
	{Name: "pipeline", PIM: plan.Extended, Chains: published, About: "newton++ and two-stage pipelines over 1x1-dw, kxk-1x1 and 1x1-dw-1x1 (CGO 2023)"},
	{Name: "pimflow", PIM: plan.Extended, Splits: publishedSplits, Chains: published, About: "mddp and pipeline together (PIMFlow, CGO 2023)"},
	{Name: "auto", PIM: plan.Extended, Launch: plan.Fused, All: true, About: "layers cut by rows, channels and images, pipelines of any length, branches side by side, PIM work launched together, whatever moves find; and every other policy"},
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
	return Policy{}, fmt.Errorf("policy %q is not known: one of %s wanted%s", name, strings.Join(names, ", "), nearest.Hint(name, names))
}
