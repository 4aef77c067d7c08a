package report

import (
	"fmt"
	"io"
	"strings"
)

// CompareSchema names the form of Comparison's JSON.
const CompareSchema = "pimflow.compare/1"

// Comparison is policies against models on one machine.
type Comparison struct {
	Schema   string        `json:"schema"`
	Machine  string        `json:"machine"`
	Policies []string      `json:"policies"`
	Models   []ModelResult `json:"models"`

	Profile *ProfileFile `json:"gpu_profile,omitempty"` // unless all GPU times are the model's
}

// ModelResult is one model's row of results, one a policy in order.
type ModelResult struct {
	Model    string         `json:"model"`
	Baseline float64        `json:"baseline_ns"` // GPU alone, with every channel
	Results  []PolicyResult `json:"results"`
}

// PolicyResult is what one policy found for a model; the speed-up is 0 where it has no
// device for some layer.
type PolicyResult struct {
	Policy  string  `json:"policy"`
	Total   float64 `json:"total_ns"`
	Speedup float64 `json:"speedup"`
	GPUBusy float64 `json:"gpu_busy_ns"`
	PIMBusy float64 `json:"pim_busy_ns"`

	GPUSources *Sources `json:"gpu_sources,omitempty"` // of the plan's tiles on the GPU, where there is a profile
}

// JSON writes the comparison as one object.
func (c *Comparison) JSON(w io.Writer) error { return writeJSON(w, c) }

// Text writes a table of times and speed-ups over the GPU alone.
func (c *Comparison) Text(w io.Writer) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "machine %s; total time in ns and speed-up over the GPU with every channel\n\n", c.Machine)
	t := table{{}}
	for range c.Models {
		t = append(t, column{right: true}, column{right: true})
	}
	head := []string{"policy"}
	for _, m := range c.Models {
		head = append(head, m.Model, "")
	}
	t.row(head...)
	for i, p := range c.Policies {
		cells := []string{p}
		for _, m := range c.Models {
			if m.Results[i].Speedup == 0 {
				cells = append(cells, "-", "-") // no device executes some layer
				continue
			}
			cells = append(cells, fmt.Sprintf("%.1f", m.Results[i].Total), fmt.Sprintf("%.3f", m.Results[i].Speedup))
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

// sources writes where the times of each plan's tiles on the GPU come from.
func (c *Comparison) sources(b *strings.Builder) {
	fmt.Fprintf(b, "\nGPU times %s\n", c.Profile.from())
	t := table{{}, {}, {right: true}, {right: true}, {right: true}, {right: true}}
	t.row(append([]string{"model", "policy"}, sourceHead...)...)
	for _, m := range c.Models {
		for i, p := range c.Policies {
			t.row(append([]string{m.Model, p}, m.Results[i].GPUSources.cells()...)...)
		}
	}
	t.write(b)
}
