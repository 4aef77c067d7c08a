// Package result holds the results of design points: one row a point, in CSV, JSON lines or Parquet, and the Pareto
// front of rows.
//
// In the literature: long-form (tidy) data.
package result

import (
	"strings"

	"pimflow/internal/job"
)

// Schema names the form of a Row's JSON, and the columns of its CSV.
const Schema = "pimflow.point/1"

// Row is the result of a design point. Times are in ns, energies in pJ. The tags are the names of the columns. Numbers are 0
// where Error says why there are none.
type Row struct {
	Point       int               `json:"point"` // its number in the space, from 0
	Model       string            `json:"model"`
	ModelHash   string            `json:"model_hash"` // of the graph and its weights' shapes
	Batch       int               `json:"batch"`
	Machine     string            `json:"machine"`
	MachineHash string            `json:"machine_hash"` // of all numbers, after changes
	GPU         string            `json:"gpu"`
	Set         map[string]string `json:"set"` // keys of the machine that were changed: a column each
	Policy      string            `json:"policy"`
	Objective   string            `json:"objective"`
	Effort      string            `json:"effort"`
	Search      string            `json:"search"` // full: the point's own; anchors: the best of plans of a few other points, or from there; all: the best of the plans of all points

	PIMChannels int `json:"pim_channels"`
	GPULaunches int `json:"gpu_launches"`    // kernels
	PIMLaunches int `json:"pim_launches"`    // launches of PIM work: a fused launch counts once
	Finishes    int `json:"finish_launches"` // kernels of the GPU that finish PIM work

	Baseline     float64 `json:"baseline_ns"` // the GPU alone
	BaselineLow  float64 `json:"baseline_low_ns"`
	BaselineHigh float64 `json:"baseline_high_ns"`
	Total        float64 `json:"total_ns"` // the plan
	TotalLow     float64 `json:"total_low_ns"`
	TotalHigh    float64 `json:"total_high_ns"`
	Speedup      float64 `json:"speedup"`
	SpeedupLow   float64 `json:"speedup_low"`
	SpeedupHigh  float64 `json:"speedup_high"`
	Bound        float64 `json:"bound_ns"`            // a lower bound of every plan's time; 0: none was computed
	BoundTwo     float64 `json:"bound_two_pieces_ns"` // the same for plans of at most two pieces a layer
	GPUBusy      float64 `json:"gpu_busy_ns"`
	PIMBusy      float64 `json:"pim_busy_ns"`
	BothBusy     float64 `json:"both_busy_ns"`
	Launch       float64 `json:"launch_ns"`
	PIMLaunch    float64 `json:"pim_launch_ns"`
	Idle         float64 `json:"idle_ns"`
	BaselineRate float64 `json:"baseline_images_per_s"` // back to back
	Rate         float64 `json:"images_per_s"`

	BaselineEnergy float64           `json:"baseline_energy_pj"`
	Energy         float64           `json:"energy_pj"`
	EnergyLow      float64           `json:"energy_low_pj"`
	EnergyHigh     float64           `json:"energy_high_pj"`
	Ratio          float64           `json:"energy_ratio"` // of the GPU alone
	RatioLow       float64           `json:"energy_ratio_low"`
	RatioHigh      float64           `json:"energy_ratio_high"`
	Parts          map[string]Energy `json:"energy_parts"` // three columns each

	// The cost of the hardware.
	MACUnits    int     `json:"mac_units"`     // multiply-accumulate units of all banks of all PIM channels, a lane each
	BufferBytes int     `json:"buffer_bytes"`  // of all global buffers and accumulators
	Channels    int     `json:"channels"`      // of the memory
	Internal    float64 `json:"internal_gb_s"` // what all banks of the PIM channels can read at once

	Stopped bool   `json:"stopped"` // a limit ended the search: the plan is the best so far
	Version string `json:"version"`
	Error   string `json:"error"` // "": the row holds numbers
}

// Of is the row of a job without numbers.
func Of(j *job.Job) Row {
	r := Row{
		Model: j.Model.Name, Batch: j.Batch, Machine: j.Machine.Name, Policy: j.Policy, Objective: j.Objective, Effort: j.Effort,
		Search: j.Way(), Version: j.Version, Set: map[string]string{},
	}
	if j.GPU != nil {
		r.GPU = j.GPU.Name
	}
	for _, s := range j.Set {
		key, value, _ := strings.Cut(s, "=")
		r.Set[key] = value
	}
	return r
}

// Energy is a part of a plan's energy and the least and most of it within the bounds of its constants.
type Energy struct {
	Value float64 `json:"pj"`
	Low   float64 `json:"low_pj"`
	High  float64 `json:"high_pj"`
}

// Objectives are what Pareto fronts of rows are of, all to be small: time, energy and multipliers. They are nil where the row has an error.
func (r *Row) Objectives() []float64 {
	if r.Error != "" {
		return nil
	}
	return []float64{r.Total, r.Energy, float64(r.MACUnits)}
}

// Minimised is what the search of the row's plan minimises.
func (r *Row) Minimised() float64 {
	switch r.Objective {
	case "energy":
		return r.Energy
	case "edp":
		return r.Energy * r.Total
	}
	return r.Total
}
