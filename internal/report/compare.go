package report

import (
	"fmt"
	"io"
	"strings"

	"pimflow"
)

// CompareSchema names the form of Comparison's JSON.
const CompareSchema = "pimflow.compare/1"

// Comparison holds the results of every policy for several models on one machine.
type Comparison struct {
	Schema   string        `json:"schema"`
	Machine  string        `json:"machine"`
	Own      bool          `json:"own_pim_channels"` // each result is the best of several numbers of PIM channels
	Policies []string      `json:"policies"`
	Models   []ModelResult `json:"models"`

	Profile *ProfileFile `json:"gpu_profile,omitempty"` // null if all GPU times are the model's
}

// ModelResult holds the results of one model, in the order of the policies.
type ModelResult struct {
	Model    string         `json:"model"`
	Baseline float64        `json:"baseline_ns"`         // GPU alone, with every channel
	Bound    *float64       `json:"bound_ns"`            // lower bound of auto's plans, over all numbers of PIM channels tried
	BoundTwo *float64       `json:"bound_two_pieces_ns"` // the same for plans with at most two pieces a layer
	Results  []PolicyResult `json:"results"`
}

// PolicyResult is the plan of one policy; its speed-up is 0 if the policy has no device for some
// layer.
type PolicyResult struct {
	Policy  string  `json:"policy"`
	Total   float64 `json:"total_ns"`
	Speedup float64 `json:"speedup"`
	GPUBusy float64 `json:"gpu_busy_ns"`
	PIMBusy float64 `json:"pim_busy_ns"`

	PIMChannels int `json:"pim_channels"` // that compute in the plan

	GPUSources *pimflow.Sources `json:"gpu_sources,omitempty"` // of the plan's tiles on the GPU; null without a profile
}

// JSON writes the comparison as one object.
func (c *Comparison) JSON(w io.Writer) error { return JSON(w, c) }

// Text writes a table of times and speed-ups over the GPU alone.
func (c *Comparison) Text(w io.Writer) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "machine %s; total time in ns and speed-up over the GPU with every channel", c.Machine)
	if c.Own {
		fmt.Fprint(b, ", and how many channels compute, each the best of several numbers")
	}
	fmt.Fprint(b, "\n\n")
	t, head := table{{}}, []string{"policy"}
	for _, m := range c.Models {
		t, head = append(t, column{right: true}, column{right: true}), append(head, m.Model, "")
		if c.Own {
			t, head = append(t, column{right: true}), append(head, "")
		}
	}
	t.row(head...)
	for i, p := range c.Policies {
		cells := []string{p}
		for _, m := range c.Models {
			r, of := &m.Results[i], []string{"-", "-", "-"} // no device executes some layer
			if r.Speedup > 0 {
				of = []string{fmt.Sprintf("%.1f", r.Total), fmt.Sprintf("%.3f", r.Speedup), fmt.Sprint(r.PIMChannels)}
			}
			if !c.Own {
				of = of[:2]
			}
			cells = append(cells, of...)
		}
		t.row(cells...)
	}
	for _, x := range below {
		cells := []string{x.name}
		for i := range c.Models {
			m := &c.Models[i]
			cells = append(cells, m.less(x.of(m)), "", "")
			if !c.Own {
				cells = cells[:len(cells)-1]
			}
		}
		t.row(cells...)
	}
	t.write(b)
	if c.Profile != nil {
		c.sources(b)
	}
	_, err := io.WriteString(w, trimLines(b.String()))
	return err
}

// Measure is the policy that the last rows compare with.
const Measure = "pimflow"

// below lists the last rows: times and bounds in per cent below policy pimflow.
var below = []struct {
	name string
	of   func(m *ModelResult) float64 // ns; 0 for none
}{
	{"auto below pimflow", func(m *ModelResult) float64 { return m.total("auto") }},
	{"bound below pimflow", func(m *ModelResult) float64 { return known(m.Bound) }},
	{"  two tiles", func(m *ModelResult) float64 { return known(m.BoundTwo) }},
}

func known(ns *float64) float64 {
	if ns == nil {
		return 0
	}
	return *ns
}

// total returns the time of a policy's plan; 0 if it has none.
func (m *ModelResult) total(policy string) float64 {
	for _, r := range m.Results {
		if r.Policy == policy {
			return r.Total
		}
	}
	return 0
}

// less returns the per cent by which a time is below that of policy pimflow.
func (m *ModelResult) less(ns float64) string {
	of := m.total(Measure)
	if ns == 0 || of == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f %%", 100*(1-ns/of))
}

// sources writes a table of the sources of GPU times, one row a plan.
func (c *Comparison) sources(b *strings.Builder) {
	fmt.Fprintf(b, "\nGPU times %s\n", c.Profile.from())
	t := table{{}, {}, {right: true}, {right: true}, {right: true}, {right: true}}
	t.row(append([]string{"model", "policy"}, sourceHead...)...)
	for _, m := range c.Models {
		for i, p := range c.Policies {
			t.row(append([]string{m.Model, p}, sourceCells(m.Results[i].GPUSources)...)...)
		}
	}
	t.write(b)
}
