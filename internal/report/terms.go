package report

import (
	"io"
	"strings"
	"unicode/utf8"
)

// words are the words of reports, in the order in which a reader needs them.
var words = []Term{
	{"PIM", "processing in memory: multiply-accumulate units beside the banks of DRAM chips."},
	{"bank", "array of DRAM cells. One row of it at a time is open, and can be read and written."},
	{"channel", "banks that share a bus. The channels of the PIM compute; the GPU has the others."},
	{"GPU alone", "the model on the GPU, which then has every memory channel: what speed-ups compare with."},
	{"layer", "operation of the model with what is fused into it, as Conv+Relu."},
	{"tile", "part of a layer's output on one device, written as a range in each dimension: [0:1 0:32 0:56 0:112]."},
	{"plan", "the tiles of all layers, each with its device, in order."},
	{"policy", "rule that says which plans are tried. gpu is the GPU alone, pimflow the published division, auto this project's search. pimflow policy lists all."},
	{"effort", "how long the search of auto goes on: low, normal, high, or steps a layer."},
	{"piece", "a tile in its place in the plan."},
	{"step", "a tile in the order of its device."},
	{"stream", "the DRAM commands of a step in one channel."},
	{"replay", "check of a stream without values: every product once, rows open, buffers filled, timing rules kept."},
	{"split", "layer whose tiles on both devices run at the same time."},
	{"pipe", "layers of a pipeline: a tile starts when its own inputs are ready, while others of the layer before are still computed."},
	{"exclusive", "layer that runs alone. The GPU may then use every memory channel."},
	{"launch", "start of a kernel on the GPU or of work on the PIM. Joint: work of the PIM that shares the launch of the work before it."},
	{"busy", "time in which a device launches, moves data or computes."},
	{"latency", "time from the first launch to the last result of one run."},
	{"period", "time from the end of a run to the end of the next, back to back."},
	{"images/s", "rate of runs back to back: the next one may start while the last one ends, on a device that is free."},
	{"[low, high]", "range over the errors of the GPU model on measured networks and over the cost of a launch; of energies, also over the bounds of every constant."},
	{"bound", "time that no plan of the costed tiles is below: proven. The gap is what is above it, time that a better plan may save or slack of the proof."},
	{"two tiles", "the bound of plans that cut no layer in more than two tiles."},
	{"row hit", "column read of a row that an earlier read has used: no activation."},
	{"multiplier", "lane of a bank's MAC unit."},
	{"cause", "what a device does or waits for: launch; l2, dram, link and latency, bytes on their way; fma, tensor and mac, arithmetic; activate, read, write and refresh, DRAM commands; wait for input; no work left."},
	{"why", "why an alternative lost: slower alone; tie; the plan would take longer for one more launch, a busy device or a chain that waits; no room in the banks; no place in the order."},
	{"standby", "power that is drawn for the whole run, whatever is done."},
	{"cold start", "writing of the weights into the PIM's banks, once before the first run."},
	{"ck", "cycles of the clock of the device that is named."},
	{"class", "kind of a layer: the kernel of a convolution, as 1x1 or 3x3, depthwise, FC for products with weights, or the operator."},
	{"launch, move, compute", "shares of the plan's time of a class: starting work; bytes on their way, and waits for them; arithmetic, on the PIM all DRAM commands."},
	{"saved", "time of the GPU alone less time of the plan. Time in which both devices work is shared equally between their layers, so that a column adds up to the run."},
}

// GlossarySchema names the form of Glossary's JSON.
const GlossarySchema = "pimflow.terms/1"

// Glossary has the meaning of each word.
type Glossary struct {
	Schema string `json:"schema"`
	Words  []Term `json:"words"`
}

// Term is a word of reports.
type Term struct {
	Word    string `json:"word"`    // as reports have it
	Meaning string `json:"meaning"` // for people
}

// NewGlossary returns all words.
func NewGlossary() *Glossary { return &Glossary{GlossarySchema, words} }

// Text writes the meaning of each word.
func (g *Glossary) Text(w io.Writer) error {
	wide := 0
	for _, t := range words {
		wide = max(wide, utf8.RuneCountInString(t.Word))
	}
	b := &strings.Builder{}
	for _, t := range words {
		for i, line := range strings.Split(strings.TrimSuffix(foldTo(t.Meaning, width-wide-2), "\n"), "\n") {
			word := t.Word
			if i > 0 {
				word = ""
			}
			b.WriteString(word + strings.Repeat(" ", wide+2-utf8.RuneCountInString(word)) + line + "\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
