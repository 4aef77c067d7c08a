package report

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"pimflow"

	"pimflow/internal/explain"
	"pimflow/internal/fault"
)

// CompareSchema names the form of Comparison's JSON.
const CompareSchema = "pimflow.compare/2"

// Comparison holds the results of policies for several models and batches, each on each machine.
type Comparison struct {
	Schema   string        `json:"schema"`
	Machines []string      `json:"machines"`
	Own      bool          `json:"own_pim_channels"` // each result is the best of several numbers of PIM channels
	Policies []string      `json:"policies"`
	Models   []ModelResult `json:"models"` // an element for each batch of a model on each machine

	Profile *ProfileFile `json:"gpu_profile,omitempty"` // null if all GPU times are the model's

	Launches []string `json:"-"` // how kernels and PIM work are launched on the machines, under every policy
	Columns  int      `json:"-"` // characters that a line of Text may have; 0: as many as it takes
}

// ModelResult holds the results of one model at one batch, in the order of the policies.
type ModelResult struct {
	Model    string         `json:"model"`
	Machine  string         `json:"machine"`
	Batch    int            `json:"batch"`               // images at once
	Error    string         `json:"error,omitempty"`     // the model is not planned, and why
	Baseline float64        `json:"baseline_ns"`         // GPU alone, with every channel
	Bound    *float64       `json:"bound_ns"`            // lower bound of auto's plans, over all numbers of PIM channels tried
	BoundTwo *float64       `json:"bound_two_pieces_ns"` // the same for plans with at most two pieces a layer
	Results  []PolicyResult `json:"results"`

	Bindings []pimflow.Binding `json:"-"` // what the model's file leaves open

	mean bool // of several models
}

// PolicyResult is the plan of one policy; its speed-up is 0 if the policy has no device for some
// layer. Low and high are the bounds of the number before.
type PolicyResult struct {
	Policy      string  `json:"policy"`
	Total       float64 `json:"total_ns"`
	TotalLow    float64 `json:"total_low_ns"`
	TotalHigh   float64 `json:"total_high_ns"`
	Speedup     float64 `json:"speedup"`
	SpeedupLow  float64 `json:"speedup_low"`
	SpeedupHigh float64 `json:"speedup_high"`
	Energy      float64 `json:"energy_ratio"` // that of the GPU alone is 1
	EnergyLow   float64 `json:"energy_ratio_low"`
	EnergyHigh  float64 `json:"energy_ratio_high"`

	Power          float64 `json:"mean_w"` // the energy over the time
	PowerLow       float64 `json:"mean_w_low"`
	PowerHigh      float64 `json:"mean_w_high"`
	Efficiency     float64 `json:"gflops_per_w"` // two operations a multiply-accumulate of the model
	EfficiencyLow  float64 `json:"gflops_per_w_low"`
	EfficiencyHigh float64 `json:"gflops_per_w_high"`

	Period  float64 `json:"period_ns"` // of runs back to back
	Rate    float64 `json:"images_per_s"`
	GPUBusy float64 `json:"gpu_busy_ns"`
	PIMBusy float64 `json:"pim_busy_ns"`

	PIMChannels int `json:"pim_channels"` // that compute in the plan

	Effort string  `json:"effort"` // of the search: low, normal, high, or the steps a layer that a time limit left
	Search float64 `json:"-"`      // wall clock of the search in seconds

	Chain *explain.Chain `json:"-"` // what its PIM work spends on values that leave the channels and come back

	GPUSources *pimflow.Sources `json:"gpu_sources,omitempty"` // of the plan's tiles on the GPU; null without a profile
}

// JSON writes the comparison as one object.
func (c *Comparison) JSON(w io.Writer) error { return JSON(w, c) }

// Text writes a table with a row for each model, batch and policy, and geometric means.
func (c *Comparison) Text(w io.Writer) error {
	b := &strings.Builder{}
	t := c.table()
	kept, _ := t.fit(c.Columns)
	has := func(head string) bool {
		return slices.ContainsFunc(kept, func(x column) bool { return x.cells[0] == head })
	}
	line := func(text string) { b.WriteString(foldTo(text, cmp.Or(c.Columns, math.MaxInt))) }
	text := c.names()
	if len(c.Models) > 0 && !has("batch") {
		text += fmt.Sprintf("; batch %d", c.Models[0].Batch)
	}
	text += "; latency in us; speed-up and energy over those of the GPU with every channel"
	if has("images/s") {
		text += "; images/s back to back"
	}
	line(text)
	if owned(c) {
		line("channels: those that compute, the best of several numbers")
	}
	if has("gap") {
		line("gap: latency above the lower bound of all plans of costed tiles, and of those with at most two a layer")
	}
	for i := range c.Models {
		if m := &c.Models[i]; len(m.Bindings) > 0 {
			fmt.Fprintf(b, "open in %s: %s\n", fault.Name(m.Model), boundTo(m.Bindings))
		}
	}
	b.WriteByte('\n')
	t.writeIn(b, c.Columns)
	if c.Profile != nil {
		c.sources(b)
	}
	_, err := io.WriteString(w, trimLines(b.String()))
	return err
}

// table has a row for each model, batch and policy, and for geometric means.
func (c *Comparison) table() table {
	var columns []compareColumn
	var head []string
	var t table
	for _, x := range compareColumns {
		if x.shown == nil || x.shown(c) {
			columns, head, t = append(columns, x), append(head, x.head), append(t, column{right: x.right, rank: x.rank, brief: x.brief})
		}
	}
	t.row(head...)
	lists := append(slices.Clone(c.Models), c.means()...)
	for k := range lists {
		m := &lists[k]
		if len(c.Policies) > 1 && k > 0 {
			t.row(make([]string, len(t))...)
		}
		if m.Error != "" {
			t.open(append(lead(c, m), m.Error)...)
		}
		for i := range m.Results {
			var cells []string
			for _, x := range columns {
				cells = append(cells, x.of(m, i))
			}
			if m.Results[i].Speedup == 0 {
				t.open(append(cells[:len(lead(c, m))+1], "no device executes some layer")...)
			} else {
				t.row(cells...)
			}
		}
	}
	return t
}

// compareColumn is a column of Text: its cell in the row of a model's policy, and whether it is
// there.
type compareColumn struct {
	head  string
	right bool
	of    func(m *ModelResult, policy int) string
	shown func(c *Comparison) bool // nil: always
	rank  int                      // of its column in a table
	brief func(string) string      // likewise
}

// leading is an empty table of the columns that rows begin with, and their heads.
func (c *Comparison) leading() (t table, heads []string) {
	if several(c) {
		t, heads = table{{}}, []string{"machine"}
	}
	return append(t, column{}, column{right: true}), append(heads, "network", "batch")
}

// lead is the cells that a row begins with.
func lead(c *Comparison, m *ModelResult) []string {
	if several(c) {
		return []string{m.Machine, fault.Name(m.Model), strconv.Itoa(m.Batch)}
	}
	return []string{fault.Name(m.Model), strconv.Itoa(m.Batch)}
}

// names are those of the machines.
func (c *Comparison) names() string {
	if several(c) {
		return "machines " + strings.Join(c.Machines, ", ")
	}
	return "machine " + c.Machines[0]
}

// several reports whether the results are of more than one machine.
func several(c *Comparison) bool { return len(c.Machines) > 1 }

func batch(m *ModelResult, i int) string { return first(i, strconv.Itoa(m.Batch)) }

var compareColumns = []compareColumn{
	{"machine", false, func(m *ModelResult, i int) string { return first(i, m.Machine) }, several, 0, nil},
	{"network", false, func(m *ModelResult, i int) string { return first(i, fault.Name(m.Model)) }, nil, 0, nil},
	{"batch", true, batch, oneBatch, 4, nil},
	{"batch", true, batch, func(c *Comparison) bool { return !oneBatch(c) }, 0, nil},
	{"policy", false, func(m *ModelResult, i int) string { return m.Results[i].Policy }, nil, 0, nil},
	{"channels", true, func(m *ModelResult, i int) string {
		if m.mean {
			return ""
		}
		return strconv.Itoa(m.Results[i].PIMChannels)
	}, owned, 0, nil},
	{"us [low, high]", true, func(m *ModelResult, i int) string {
		r := &m.Results[i]
		return fmt.Sprintf("%.1f [%.0f, %.0f]", r.Total/1e3, r.TotalLow/1e3, r.TotalHigh/1e3)
	}, nil, 5, unbounded},
	{"speed-up [low, high]", true, func(m *ModelResult, i int) string {
		r := &m.Results[i]
		return within(r.Speedup, r.SpeedupLow, r.SpeedupHigh)
	}, nil, 0, nil},
	{"energy [low, high]", true, func(m *ModelResult, i int) string {
		r := &m.Results[i]
		return within(r.Energy, r.EnergyLow, r.EnergyHigh)
	}, nil, 3, unbounded},
	{"images/s", true, func(m *ModelResult, i int) string { return fmt.Sprintf("%.1f", m.Results[i].Rate) }, nil, 8, nil},
	{"gap", true, func(m *ModelResult, i int) string { return gap(m.Results[i].Total, m.Bound) }, bounded, 6, nil},
	{"two tiles", true, func(m *ModelResult, i int) string { return gap(m.Results[i].Total, m.BoundTwo) }, bounded, 7, nil},
}

// unbounded is a cell without its interval.
func unbounded(cell string) string {
	value, _, _ := strings.Cut(cell, " [")
	return value
}

// oneBatch reports whether all rows are of the same batch.
func oneBatch(c *Comparison) bool {
	return !slices.ContainsFunc(c.Models, func(m ModelResult) bool { return m.Batch != c.Models[0].Batch })
}

// first is a text in the first row, and none below.
func first(i int, text string) string {
	if i > 0 {
		return ""
	}
	return text
}

// within is a number with its bounds.
func within(v, low, high float64) string { return fmt.Sprintf("%.3f [%.3f, %.3f]", v, low, high) }

// gap is how much longer a time is than its bound; "" without a bound.
func gap(ns float64, bound *float64) string {
	if bound == nil {
		return ""
	}
	return fmt.Sprintf("%.1f %%", 100*(ns / *bound - 1))
}

// owned reports whether policies have their own numbers of PIM channels.
func owned(c *Comparison) bool { return c.Own }

// bounded reports whether bounds are known.
func bounded(c *Comparison) bool {
	return slices.ContainsFunc(c.Models, func(m ModelResult) bool { return m.Bound != nil })
}

// means are the geometric means over the models with a plan under every policy, one for each
// batch of each machine that has several.
func (c *Comparison) means() (list []ModelResult) {
	type group struct {
		machine string
		batch   int
	}
	var groups []group
	for _, m := range c.Models {
		if of := (group{m.Machine, m.Batch}); !slices.Contains(groups, of) {
			groups = append(groups, of)
		}
	}
	for _, of := range groups {
		n, all, mean := 0, 0, ModelResult{mean: true, Machine: of.machine, Batch: of.batch, Results: make([]PolicyResult, len(c.Policies))}
		for _, m := range c.Models {
			if (group{m.Machine, m.Batch}) != of {
				continue
			}
			if all++; m.Error != "" || slices.ContainsFunc(m.Results, func(r PolicyResult) bool { return r.Speedup == 0 }) {
				continue
			}
			n++
			for i := range m.Results {
				sums := mean.Results[i].numbers()
				for k, v := range m.Results[i].numbers() {
					*sums[k] += math.Log(*v)
				}
			}
		}
		if n < 2 {
			continue
		}
		if mean.Model = "geometric mean"; n < all {
			mean.Model += fmt.Sprintf(" of %d", n)
		}
		for i := range mean.Results {
			mean.Results[i].Policy = c.Policies[i]
			for _, v := range mean.Results[i].numbers() {
				*v = math.Exp(*v / float64(n))
			}
		}
		list = append(list, mean)
	}
	return list
}

// numbers are those that a geometric mean is taken of.
func (r *PolicyResult) numbers() []*float64 {
	return []*float64{&r.Total, &r.TotalLow, &r.TotalHigh, &r.Speedup, &r.SpeedupLow, &r.SpeedupHigh, &r.Energy, &r.EnergyLow, &r.EnergyHigh, &r.Rate}
}

// CSV writes the rows as comma-separated values, without means.
func (c *Comparison) CSV(w io.Writer) error {
	rows := [][]string{nil}
	for _, x := range compareValues {
		rows[0] = append(rows[0], x.head)
	}
	for k := range c.Models {
		m := &c.Models[k]
		results := m.Results
		if m.Error != "" {
			results = []PolicyResult{{}}
		}
		for i := range results {
			var cells []string
			for _, x := range compareValues {
				cells = append(cells, x.of(m, &results[i]))
			}
			rows = append(rows, cells)
		}
	}
	return writeCSV(w, rows)
}

// compareValues lists the columns of CSV, named as in JSON. A number that is not known is "".
var compareValues = []struct {
	head string
	of   func(m *ModelResult, r *PolicyResult) string
}{
	{"model", func(m *ModelResult, r *PolicyResult) string { return m.Model }},
	{"machine", func(m *ModelResult, r *PolicyResult) string { return m.Machine }},
	{"batch", func(m *ModelResult, r *PolicyResult) string { return strconv.Itoa(m.Batch) }},
	{"policy", func(m *ModelResult, r *PolicyResult) string { return r.Policy }},
	{"pim_channels", func(m *ModelResult, r *PolicyResult) string { return value(r, float64(r.PIMChannels)) }},
	{"total_ns", func(m *ModelResult, r *PolicyResult) string { return value(r, r.Total) }},
	{"total_low_ns", func(m *ModelResult, r *PolicyResult) string { return value(r, r.TotalLow) }},
	{"total_high_ns", func(m *ModelResult, r *PolicyResult) string { return value(r, r.TotalHigh) }},
	{"speedup", func(m *ModelResult, r *PolicyResult) string { return value(r, r.Speedup) }},
	{"speedup_low", func(m *ModelResult, r *PolicyResult) string { return value(r, r.SpeedupLow) }},
	{"speedup_high", func(m *ModelResult, r *PolicyResult) string { return value(r, r.SpeedupHigh) }},
	{"energy_ratio", func(m *ModelResult, r *PolicyResult) string { return value(r, r.Energy) }},
	{"energy_ratio_low", func(m *ModelResult, r *PolicyResult) string { return value(r, r.EnergyLow) }},
	{"energy_ratio_high", func(m *ModelResult, r *PolicyResult) string { return value(r, r.EnergyHigh) }},
	{"mean_w", func(m *ModelResult, r *PolicyResult) string { return value(r, r.Power) }},
	{"mean_w_low", func(m *ModelResult, r *PolicyResult) string { return value(r, r.PowerLow) }},
	{"mean_w_high", func(m *ModelResult, r *PolicyResult) string { return value(r, r.PowerHigh) }},
	{"gflops_per_w", func(m *ModelResult, r *PolicyResult) string { return value(r, r.Efficiency) }},
	{"gflops_per_w_low", func(m *ModelResult, r *PolicyResult) string { return value(r, r.EfficiencyLow) }},
	{"gflops_per_w_high", func(m *ModelResult, r *PolicyResult) string { return value(r, r.EfficiencyHigh) }},
	{"period_ns", func(m *ModelResult, r *PolicyResult) string { return value(r, r.Period) }},
	{"images_per_s", func(m *ModelResult, r *PolicyResult) string { return value(r, r.Rate) }},
	{"gpu_busy_ns", func(m *ModelResult, r *PolicyResult) string { return value(r, r.GPUBusy) }},
	{"pim_busy_ns", func(m *ModelResult, r *PolicyResult) string { return value(r, r.PIMBusy) }},
	{"bound_ns", func(m *ModelResult, r *PolicyResult) string { return optional(m.Bound) }},
	{"bound_two_pieces_ns", func(m *ModelResult, r *PolicyResult) string { return optional(m.BoundTwo) }},
	{"error", func(m *ModelResult, r *PolicyResult) string { return m.Error }},
}

// value is a number of a plan.
func value(r *PolicyResult, v float64) string {
	if r.Speedup == 0 {
		return ""
	}
	return digits(v)
}

// sources writes a table of the sources of GPU times, one row a plan.
func (c *Comparison) sources(b *strings.Builder) {
	fmt.Fprintf(b, "\nGPU times %s\n", c.Profile.from())
	t := table{{}, {right: true}, {}, {right: true}, {right: true}, {right: true}, {right: true}}
	t.row(append([]string{"network", "batch", "policy"}, sourceHead...)...)
	for _, m := range c.Models {
		for _, r := range m.Results {
			if r.GPUSources != nil {
				t.row(append([]string{fault.Name(m.Model), strconv.Itoa(m.Batch), r.Policy}, sourceCells(r.GPUSources)...)...)
			}
		}
	}
	t.write(b)
}
