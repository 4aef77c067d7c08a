package report

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"pimflow/internal/calibrate"
	"pimflow/internal/hw"
)

// ValidationSchema names the form of Validation's JSON.
const ValidationSchema = "pimflow.validate/1"

// Validation is measured whole networks beside the GPU model's times of them.
type Validation struct {
	Schema   string            `json:"schema"`
	Machine  string            `json:"machine,omitempty"` // whose GPU is modelled; "": each row's own
	Unlike   []Unlike          `json:"unlike,omitempty"`  // measured GPUs with another memory or launch than the machine
	Rows     []ValidationRow   `json:"rows"`
	Scores   []ValidationScore `json:"scores"`
	NotBuilt []NotBuilt        `json:"not_built"`
}

// Unlike is a measured GPU and the machine that its networks are modelled on, where these differ.
type Unlike struct {
	GPU     string `json:"gpu"`
	Own     Place  `json:"measured_on"`
	Machine Place  `json:"modelled_on"`
}

// Place is what differs for one GPU from machine to machine: bandwidth and L2 of all memory
// channels, and the start of a kernel.
type Place struct {
	GBps   float64 `json:"gb_per_s"`
	L2     float64 `json:"l2_mib"`
	Launch float64 `json:"launch_us"`
}

// String prints it, as "320 GB/s, 4 MiB of L2 and 4.7 us a launch".
func (p Place) String() string {
	return fmt.Sprintf("%.0f GB/s, %.3g MiB of L2 and %.1f us a launch", p.GBps, p.L2, p.Launch)
}

func place(m *hw.Machine) Place {
	n := float64(m.Memory.Channels)
	return Place{GBps: n * m.Memory.ChannelGBps, L2: n * float64(m.Memory.ChannelL2) / (1 << 20), Launch: float64(m.GPU.Launch) / (m.GPU.Clock.GHz() * 1e3)}
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
	Group    string   `json:"group"`
	N        int      `json:"n"`
	MAPE     float64  `json:"mape"`
	Bias     float64  `json:"bias"`
	Spearman *float64 `json:"spearman"` // rank correlation; null of less than three rows
	Inside   int      `json:"inside"`
	Goal     *bool    `json:"goal,omitempty"` // of networks of one image: whether the error and the number inside are as wanted
}

// What is wanted of networks of one image.
const (
	wantedError  = 0.12 // mean absolute error, at most
	wantedInside = 0.9  // of the measurements, at least
)

// NotBuilt is a measured network that has no modelled time.
type NotBuilt struct {
	Model  string `json:"model"`
	GPU    string `json:"gpu"`
	Dtype  string `json:"dtype"`
	Source string `json:"source"`
	Batch  int    `json:"batch"`
	Why    string `json:"why"`
}

// NewValidation reports modelled networks, all on the GPU of a machine, or, where it is nil, each on
// its own of boards.
func NewValidation(on *hw.Machine, boards []*hw.Board, list []calibrate.Validated) *Validation {
	r := &Validation{Schema: ValidationSchema, Rows: []ValidationRow{}, Scores: []ValidationScore{}, NotBuilt: []NotBuilt{}}
	if on != nil {
		r.Machine = on.Name
		for _, b := range boards {
			own, machine := place(b.Machine(on.Memory.ElementSize)), place(on)
			if own != machine && slices.ContainsFunc(list, func(v calibrate.Validated) bool { return v.Why == "" && calibrate.Same(v.GPU, b.Name) }) {
				r.Unlike = append(r.Unlike, Unlike{b.Name, own, machine})
			}
		}
	}
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
		x := ValidationScore{Group: s.Group, N: s.N, MAPE: s.MAPE, Bias: s.Bias, Spearman: rank(&s.Score), Inside: s.Inside}
		if s.OneImage && on == nil {
			met := s.MAPE <= wantedError && float64(s.Inside) >= wantedInside*float64(s.N)
			x.Goal = &met
		}
		r.Scores = append(r.Scores, x)
	}
	return r
}

// Text writes a row a network, the scores, and what is not modelled.
func (r *Validation) Text(w io.Writer) error {
	var b strings.Builder
	on := "each on the GPU that it was measured on"
	if r.Machine != "" {
		on = "all on the GPU of machine " + r.Machine
	}
	fmt.Fprintf(&b, "measured whole networks, %s, with every memory channel: us\n", on)
	for _, u := range r.Unlike {
		fmt.Fprintf(&b, "machine %s has %v, %s has %v: a difference from the measurement is no error of the model alone\n", r.Machine, u.Machine, u.GPU, u.Own)
	}
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
	fmt.Fprintf(&b, "\nmean absolute error and bias in %%, rank correlation, measurements inside the interval; wanted at batch 1: at most %.0f %%, at least %.0f %% inside\n",
		100*wantedError, 100*wantedInside)
	t = table{{}, {right: true}, {right: true}, {right: true}, {right: true}, {right: true}, {}}
	t.row("", "n", "error", "bias", "rank", "inside", "")
	for _, s := range r.Scores {
		t.row(s.Group, fmt.Sprint(s.N), fmt.Sprintf("%.1f", 100*s.MAPE), fmt.Sprintf("%+.1f", 100*s.Bias), number(s.Spearman),
			fmt.Sprintf("%d of %d", s.Inside, s.N), goal(s.Goal))
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

// goal says whether a score is as wanted; nothing where nothing is wanted.
func goal(met *bool) string {
	switch {
	case met == nil:
		return ""
	case *met:
		return "as wanted"
	}
	return "not as wanted"
}
