package report

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"pimflow"

	"pimflow/internal/fault"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/memory"
	"pimflow/internal/search"
	"pimflow/internal/tensor"
)

// MemorySchema names the form of Memory's JSON.
const MemorySchema = "pimflow.map/1"

// Memory is the layout of a plan's weights in the banks of the PIM channels.
type Memory struct {
	Schema   string `json:"schema"`
	Model    string `json:"model"`
	Machine  string `json:"machine"`
	Policy   string `json:"policy"`
	Channels int    `json:"pim_channels"`
	Rows     int    `json:"rows_per_bank"`
	RowBytes int    `json:"row_bytes"` // of a row of all banks of a channel

	Network  int `json:"network_bytes"`  // floating constants of the graph, and quantised ones
	Weights  int `json:"weights_bytes"`  // the part that the PIM reads, each weight once
	Stored   int `json:"stored_bytes"`   // with every copy
	Reserved int `json:"reserved_bytes"` // the rows that hold them

	Cold float64 `json:"cold_start_ns"` // writing them once, before the first run

	Steps []MemoryStep `json:"steps"`
	Taken []int        `json:"rows_by_channel"`

	Bindings []pimflow.Binding `json:"-"` // what the model's file leaves open
}

// MemoryStep is the layout of the weights of one PIM step.
type MemoryStep struct {
	Step     int             `json:"step"` // of the plan
	Layer    string          `json:"layer"`
	Box      string          `json:"box"`     // "" for all of the layer
	ReadBy   string          `json:"read_by"` // pim; gpu and pim; pim, in part gpu; pim, others gpu: which devices read the weights
	Weights  int             `json:"weights_bytes"`
	Both     int             `json:"gpu_too_bytes"` // the part that the GPU reads too, from its own channels
	Copies   float64         `json:"copies"`        // of each weight, in the mean
	Reserved int             `json:"reserved_rows"` // new rows of this step, all channels together; 0 if it reuses rows
	Stored   int             `json:"stored_bytes"`  // in the new rows
	Share    float64         `json:"share"`         // of the new rows in all rows of all channels
	Dynamic  bool            `json:"written_each_run,omitempty"`
	Channels []MemoryChannel `json:"channels"` // with work
}

// MemoryChannel is the range of a channel's rows with the weights of a step.
type MemoryChannel struct {
	Channel  int `json:"channel"`
	From     int `json:"from"`
	To       int `json:"to"`
	Reserved int `json:"reserved_rows"`
}

// NewMemory returns the layout of a plan's weights on a machine.
func NewMemory(g *graph.Graph, hm *hw.Machine, r *search.Result, m *memory.Map) *Memory {
	e := hm.WeightSize()
	rep := &Memory{
		Schema: MemorySchema, Model: g.Name, Machine: hm.Name, Policy: r.Plan.Policy, Channels: len(m.Taken),
		Rows: hm.PIM.Rows, RowBytes: hm.PIM.Banks * hm.PIM.Row,
		Network: m.Network*hm.Memory.ElementSize + m.Integers, Weights: m.Read * e, Stored: m.Stored * e, Steps: []MemoryStep{}, Taken: slices.Clone(m.Taken),
		Cold: m.ColdStart(hm).Time.NS(),
	}
	for i := range m.Steps {
		st := &m.Steps[i]
		tile := r.Timeline.Program.Steps[st.Index]
		nd := &g.Nodes[tile.Node]
		s := MemoryStep{Step: st.Index, Layer: nd.Name, ReadBy: readers(st), Weights: st.Read * e, Both: st.Both * e, Dynamic: st.Dynamic}
		if !tile.Box.Equal(tensor.Full(nd.Shape)) {
			s.Box = tile.Box.String()
		}
		held := 0
		for ch, p := range st.Places {
			if p.Len() > 0 {
				s.Channels = append(s.Channels, MemoryChannel{ch, p.Lo, p.Hi, p.Reserved})
				held += p.Weights
				s.Reserved += p.Reserved
				s.Stored += p.Stored * e
			}
		}
		s.Copies = float64(held) / float64(st.Read)
		s.Share = float64(s.Reserved) / float64(len(m.Taken)*rep.Rows)
		rep.Reserved += s.Reserved * rep.RowBytes
		rep.Steps = append(rep.Steps, s)
	}
	return rep
}

// readers names the devices that read the weights of a step.
func readers(s *memory.Step) string {
	switch {
	case !s.Elsewhere:
		return "pim"
	case s.Both == 0:
		return "pim, others gpu"
	case s.Both == s.Read:
		return "gpu and pim"
	}
	return "pim, in part gpu"
}

// Text writes a row for each step and the sums; with verbose also a row for each run of channels
// with equal ranges of rows.
func (m *Memory) Text(w io.Writer, verbose bool) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "model     %s\n%s", fault.Name(m.Model), bindings(m.Bindings))
	fmt.Fprintf(b, "policy    %s\n", fault.Name(m.Policy))
	if len(m.Steps) == 0 {
		fmt.Fprintf(b, "machine   %s\n\nno weights on the PIM; network %d B\n", m.Machine, m.Network)
		_, err := io.WriteString(w, trimLines(b.String()))
		return err
	}
	fmt.Fprintf(b, "machine   %s, %d PIM channels of %d rows of %d B in all banks\n\n", m.Machine, m.Channels, m.Rows, m.RowBytes)
	right := column{right: true}
	t := table{right, {}, {}, {}, right, right, right, right, right, right, {}}
	t.row("step", "layer", "read by", "channels", "rows", "a channel", "weights B", "copies", "stored B", "of banks", "")
	for i := range m.Steps {
		s := &m.Steps[i]
		groups := runs(s.Channels)
		lo, hi := s.Channels[0].From, s.Channels[0].To
		least, most, before := hi-lo, 0, 0
		var list []string
		for _, c := range s.Channels {
			lo, hi = min(lo, c.From), max(hi, c.To)
			least, most = min(least, c.To-c.From), max(most, c.To-c.From)
			if c.Reserved == 0 {
				before++
			}
		}
		for _, g := range groups {
			list = append(list, channelRange(g))
		}
		where := strings.Join(list, " ")
		if len(s.Channels) == m.Channels {
			where = "all"
		} else if len(list) > 1 {
			where = strconv.Itoa(len(s.Channels))
		}
		each := strconv.Itoa(least)
		if most > least {
			each += "-" + strconv.Itoa(most)
		}
		note := s.Box
		switch before {
		case 0:
		case len(s.Channels):
			note += " stored before"
		default:
			note += fmt.Sprintf(" stored before in %d channels", before)
		}
		if s.Dynamic {
			note += " written in each run"
		}
		t.row(strconv.Itoa(s.Step), fault.Name(s.Layer), s.ReadBy, where, fmt.Sprintf("%d:%d", lo, hi), each, strconv.Itoa(s.Weights),
			fmt.Sprintf("%.2f", s.Copies), strconv.Itoa(s.Stored), fmt.Sprintf("%.3f %%", 100*s.Share), strings.TrimSpace(note))
		if verbose {
			for _, g := range groups {
				t.row("", "", "", channelRange(g), fmt.Sprintf("%d:%d", g[0].From, g[0].To), strconv.Itoa(g[0].To-g[0].From), "", "", "", "", "")
			}
		}
	}
	t.write(b)
	share := func(rows int) string { return fmt.Sprintf("%d rows, %.3f %%", rows, 100*float64(rows)/float64(m.Rows)) }
	b.WriteByte('\n')
	fmt.Fprintf(b, "a channel holds  %s at least; %s at most\n", share(slices.Min(m.Taken)), share(slices.Max(m.Taken)))
	fmt.Fprintf(b, "network          %d B, %d B of it read by the PIM\n", m.Network, m.Weights)
	fmt.Fprintf(b, "stored           %d B with every copy, %.3f times what the PIM reads, in rows of %d B\n",
		m.Stored, float64(m.Stored)/float64(m.Weights), m.Reserved)
	fmt.Fprintf(b, "cold start       %s to write them, once before the first run\n", ns(m.Cold))
	_, err := io.WriteString(w, trimLines(b.String()))
	return err
}

// runs groups neighbouring channels with equal ranges of rows.
func runs(cs []MemoryChannel) (groups [][]MemoryChannel) {
	for i, c := range cs {
		if i > 0 && c.Channel == cs[i-1].Channel+1 && c.From == cs[i-1].From && c.To == cs[i-1].To {
			last := &groups[len(groups)-1]
			*last = append(*last, c)
		} else {
			groups = append(groups, []MemoryChannel{c})
		}
	}
	return groups
}

// channelRange prints neighbouring channels as "3" or "0-15".
func channelRange(g []MemoryChannel) string {
	s := strconv.Itoa(g[0].Channel)
	if len(g) > 1 {
		s += "-" + strconv.Itoa(g[len(g)-1].Channel)
	}
	return s
}
