package emit

import (
	"encoding/json"
	"fmt"

	"pimflow/internal/device"
	"pimflow/internal/dram"
	"pimflow/internal/hw"
	"pimflow/internal/pim"
	"pimflow/internal/run"
	"pimflow/internal/tensor"
)

// Schema names the form of a manifest. The other names are files of the folder: the manifest, the machine with all its
// numbers, and the plan.
const (
	Schema       = "pimflow.emit/1"
	ManifestName = "manifest.json"
	MachineName  = "machine.json"
	PlanName     = "plan.txt"
)

// Manifest says what is in a folder of streams.
type Manifest struct {
	Schema   string  `json:"schema"`
	Model    string  `json:"model"`
	Machine  string  `json:"machine"`
	Hash     string  `json:"machine_sha256"` // of machine.json, with all its numbers
	PlanHash string  `json:"plan_sha256"`    // of plan.txt
	Standard string  `json:"standard"`
	Clock    float64 `json:"clock_ps"` // of the commands
	Channels int     `json:"channels"` // that compute
	Format   string  `json:"format"`
	Timed    bool    `json:"timed"`
	Images   bool    `json:"images"`  // with values
	Total    int64   `json:"plan_ps"` // of the whole plan
	Commands int64   `json:"commands_total"`
	Bytes    int64   `json:"bytes"` // of all streams' files
	Steps    []*Step `json:"steps"`
}

// Step is a part of a layer on the PIM. All its channels begin at once, each stream in a channel whose rows are closed.
type Step struct {
	Step     int        `json:"step"` // of the plan, from 0
	Layer    string     `json:"layer"`
	Operator string     `json:"operator"`
	Box      string     `json:"box"`      // of the layer's value
	Launches int        `json:"launches"` // 0: it shares that of the step before
	Start    int64      `json:"start_ps"` // in the plan
	End      int64      `json:"end_ps"`
	Written  bool       `json:"weights_written"` // the weights are no constant, and written before the streams
	Slowest  int64      `json:"cycles"`          // of the slowest channel
	Images   *Images    `json:"images,omitempty"`
	Channels []*Channel `json:"channels"` // but for idle ones
}

// Images are the values that a step's streams work on and make, in the number format of the machine.
type Images struct {
	Program  string       `json:"program,omitempty"` // the way in which programs compute the product; "": the units execute none
	Inputs   File         `json:"inputs"`            // the source matrices, by the element that a write of a buffer or a register names
	Results  File         `json:"results"`           // the sums of all channels, by the element that a result read names
	Matrices []pim.Matrix `json:"matrices"`
}

// ChannelImages are those of a channel.
type ChannelImages struct {
	Rows    File `json:"rows"`             // which weights are in which row of which banks
	Weights File `json:"weights"`          // of all rows
	Reads   File `json:"reads"`            // what the result reads return, one after the other
	Program File `json:"program,omitzero"` // the words of programs, by the number that a write of the program memory names
	Results Pair `json:"results"`          // those that the channel adds to, the first and the one after the last
}

// Pair is the first of a range and the one after the last.
type Pair [2]int

// UnmarshalJSON reads a list of two numbers.
func (p *Pair) UnmarshalJSON(text []byte) error {
	var list []int
	if json.Unmarshal(text, &list) != nil || len(list) != len(p) {
		return fmt.Errorf("%.80s: a range of two whole numbers wanted", text)
	}
	copy(p[:], list)
	return nil
}

// File is a file of the folder.
type File struct {
	Name   string `json:"file"`
	SHA256 string `json:"sha256"`
}

// Channel is the stream of a channel.
type Channel struct {
	Channel  int           `json:"channel"`
	File     string        `json:"file"`
	Rows     Pair          `json:"rows"` // of each bank, the first and the one after the last
	Commands int64         `json:"commands"`
	Issued   device.Counts `json:"issued"`      // with those of refreshes and changes of mode
	First    int64         `json:"first_cycle"` // of a command
	Last     int64         `json:"last_cycle"`  // with the arrival of the last result
	Bare     int64         `json:"last_cycle_without_refresh"`
	// Requested is the last cycle of what host instructions request: without refreshes and the last precharge.
	Requested int64  `json:"last_cycle_of_instructions"`
	Bytes     int64  `json:"bytes"`
	SHA256    string `json:"sha256"` // of the file

	Images *ChannelImages `json:"images,omitempty"`
}

func newManifest(model string, m *hw.Machine, t *run.Timeline, o Options) *Manifest {
	return &Manifest{
		Schema: Schema, Model: model, Machine: m.Name, Standard: m.PIM.Standard, Clock: m.PIM.Clock.Picoseconds(),
		Channels: m.Memory.PIMChannels, Format: o.Format, Timed: o.Timed, Images: o.Images, Total: int64(t.Total),
	}
}

func (m *Manifest) add(s *Step) {
	m.Steps = append(m.Steps, s)
	for _, c := range s.Channels {
		m.Commands += c.Commands
		m.Bytes += c.Bytes
		s.Slowest = max(s.Slowest, c.Last)
	}
}

func newStep(t *run.Timeline, i int, code *pim.Code) *Step {
	s := &t.Program.Steps[i]
	nd := &t.Program.Graph.Nodes[s.Node]
	out := &Step{
		Step: i, Layer: nd.Name, Operator: nd.Op.Name, Box: s.Box.String(), Launches: 1,
		Start: int64(t.Spans[i].Start), End: int64(t.Spans[i].End), Written: code.Dynamic(),
	}
	if s.Fused {
		out.Launches = 0
	}
	return out
}

func newChannel(unrefreshed *dram.Channel, code *pim.Code, c *pim.ChannelStream, rows tensor.Range) *Channel {
	ch := &Channel{
		Channel: c.Channel, Rows: [2]int{rows.Lo, rows.Hi}, First: int64(firstCycle(code.DRAM(), c.Stream)),
		Last: int64(c.Result.Cycles), Bare: int64(unrefreshed.Time(c.Stream).Cycles),
	}
	open := c.Stream
	if last := open[len(open)-1].Command; last != nil && code.DRAM().Standard().Ops[last.Op].Closes {
		open = open[:len(open)-1]
	}
	ch.Requested = int64(unrefreshed.Time(open).Cycles)
	n := make([]int64, len(c.Result.Issued))
	c.Stream.Count(n)
	for op, k := range n {
		ch.Commands += k
		ch.Issued = append(ch.Issued, device.Count{Kind: code.DRAM().Standard().Ops[op].Name, N: c.Result.Issued[op]})
	}
	return ch
}
