package report

import (
	"fmt"
	"io"
	"math"
	"strings"

	"pimflow/internal/calibrate"
)

// ValidationSchema names the form of Validation's JSON.
const ValidationSchema = "pimflow.validate/1"

// Validation is measured whole networks beside the GPU model's times of them.
type Validation struct {
	Schema   string            `json:"schema"`
	Machine  string            `json:"machine,omitempty"` // whose GPU is modelled; "": each row's own
	Rows     []ValidationRow   `json:"rows"`
	Scores   []ValidationScore `json:"scores"`
	NotBuilt []NotBuilt        `json:"not_built"`
}

// ValidationRow is a network. Times are in microseconds.
type ValidationRow struct {
	Model    string  `json:"model"`
	GPU      string  `json:"gpu"`
	Dtype    string  `json:"dtype"`
	Source   string  `json:"source"` // the software that ran it
	Batch    int     `json:"batch"`
	Measured float64 `json:"measured_us"`
	Modelled float64 `json:"modelled_us"`
	Low      float64 `json:"low_us"`
	High     float64 `json:"high_us"`
	Inside   bool    `json:"inside"`
	Kernels  int     `json:"kernels"`
	Start    string  `json:"start"` // where the start of a kernel is from
}

// ValidationScore is the errors of a group of rows, relative, and how many are inside.
type ValidationScore struct {
	Group    string  `json:"group"`
	N        int     `json:"n"`
	MAPE     float64 `json:"mape"`
	Bias     float64 `json:"bias"`
	Spearman float64 `json:"spearman"`
	Inside   int     `json:"inside"`
}

// NotBuilt is a measured network that has no modelled time.
type NotBuilt struct {
	Model  string `json:"model"`
	GPU    string `json:"gpu"`
	Dtype  string `json:"dtype"`
	Source string `json:"source"`
	Batch  int    `json:"batch"`
	Why    string `json:"why"`
}

// NewValidation reports modelled networks; machine is "" where each is on its own GPU.
func NewValidation(machine string, list []calibrate.Validated) *Validation {
	r := &Validation{Schema: ValidationSchema, Machine: machine, Rows: []ValidationRow{}, Scores: []ValidationScore{}, NotBuilt: []NotBuilt{}}
	nano := func(us float64) float64 { return math.Round(us*1e3) / 1e3 }
	for i := range list {
		v := &list[i]
		if v.Why != "" {
			r.NotBuilt = append(r.NotBuilt, NotBuilt{v.Name, v.GPU, v.Dtype, v.Source, v.Batch, v.Why})
			continue
		}
		r.Rows = append(r.Rows, ValidationRow{Model: v.Name, GPU: v.GPU, Dtype: v.Dtype, Source: v.Source, Batch: v.Batch, Measured: nano(v.US),
			Modelled: nano(v.Modelled), Low: nano(v.Low), High: nano(v.High), Inside: v.Inside(), Kernels: v.Kernels, Start: v.From})
	}
	for _, s := range calibrate.ScoreNetworks(list) {
		r.Scores = append(r.Scores, ValidationScore{s.Group, s.N, s.MAPE, s.Bias, s.Spearman, s.Inside})
	}
	return r
}

// JSON writes the report as one object.
func (r *Validation) JSON(w io.Writer) error { return JSON(w, r) }

// Text writes a row a network, the scores, and what is not modelled.
func (r *Validation) Text(w io.Writer) error {
	var b strings.Builder
	on := "each on the GPU that it was measured on"
	if r.Machine != "" {
		on = "all on the GPU of machine " + r.Machine
	}
	fmt.Fprintf(&b, "measured whole networks, %s, with every memory channel: us\n", on)
	t := table{{}, {}, {}, {right: true}, {right: true}, {right: true}, {right: true}, {right: true}, {}, {right: true}, {}}
	t.row("GPU", "software", "network", "batch", "measured", "modelled", "error", "low", "to", "high", "")
	for _, v := range r.Rows {
		outside := ""
		switch {
		case v.Measured < v.Low:
			outside = "faster than the interval"
		case v.Measured > v.High:
			outside = "slower than the interval"
		}
		t.row(v.GPU+" "+v.Dtype, v.Source, v.Model, fmt.Sprint(v.Batch), fmt.Sprintf("%.0f", v.Measured), fmt.Sprintf("%.0f", v.Modelled),
			fmt.Sprintf("%+.1f %%", 100*(v.Modelled/v.Measured-1)), fmt.Sprintf("%.0f", v.Low), "to", fmt.Sprintf("%.0f", v.High), outside)
	}
	t.write(&b)
	b.WriteString("\nmean absolute error and bias in %, rank correlation, measurements inside the interval\n")
	t = table{{}, {right: true}, {right: true}, {right: true}, {right: true}, {right: true}}
	t.row("", "n", "error", "bias", "rank", "inside")
	for _, s := range r.Scores {
		t.row(s.Group, fmt.Sprint(s.N), fmt.Sprintf("%.1f", 100*s.MAPE), fmt.Sprintf("%+.1f", 100*s.Bias), fmt.Sprintf("%.3f", s.Spearman),
			fmt.Sprintf("%d of %d", s.Inside, s.N))
	}
	t.write(&b)
	if len(r.NotBuilt) > 0 {
		b.WriteString("\nnot built\n")
		t = table{{}, {}, {}, {right: true}, {}}
		for _, v := range r.NotBuilt {
			t.row(v.GPU+" "+v.Dtype, v.Source, v.Model, fmt.Sprint(v.Batch), v.Why)
		}
		t.write(&b)
	}
	_, err := io.WriteString(w, trimLines(b.String()))
	return err
}
