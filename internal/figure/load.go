package figure

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"pimflow"

	"pimflow/internal/fault"
	"pimflow/internal/files"
	"pimflow/internal/jsontext"
	"pimflow/internal/report"
	"pimflow/internal/result"
)

// Data is what files hold: rows of results, and what has more to it than a row.
type Data struct {
	Rows    []Record
	Runs    []*pimflow.Report        // of pimflow run --json
	Bridges []report.ReproducedModel // of pimflow reproduce --json
	Stalls  []report.Stall           // of pimflow sim --stalls
	Left    []string                 // what holds no numbers, and why
	files   []string
}

// Record is a row, the file that it is of, and what its file has beside or not at all.
type Record struct {
	result.Row
	File     string
	Baseline map[string]result.Energy // parts of the energy of the GPU alone; nil: not known
	lacks    func(column string) bool // nil: every column is there
}

// Read adds the rows of a file: a table of results, by the ending of its name, what pimflow run, compare or reproduce
// prints with --json, or what pimflow sim prints with --stalls. Rows with an error are left out. Errors are one line with the file's name.
func (d *Data) Read(file string) error {
	if slices.Contains(d.files, file) {
		return fault.Usagef("file %.80s is given twice", file)
	}
	d.files = append(d.files, file)
	if strings.ToLower(filepath.Ext(file)) == ".json" {
		return d.readJSON(file)
	}
	if err := result.Format(file); err != nil {
		return fmt.Errorf("%w, or in .json", err)
	}
	if strings.ToLower(filepath.Ext(file)) == ".csv" && report.HasStalls(file) {
		return report.ReadStalls(file, func(s *report.Stall) error {
			d.Stalls = append(d.Stalls, *s)
			return nil
		})
	}
	return result.Read(file, func(r *result.Row) error {
		if r.Error != "" {
			d.Left = append(d.Left, fmt.Sprintf("%s: point %d: %s", file, r.Point, r.Error))
			return nil
		}
		if !(r.Total > 0) {
			return fmt.Errorf("%s: point %d: total_ns %v: more than 0 wanted", file, r.Point, r.Total)
		}
		d.Rows = append(d.Rows, Record{Row: *r, File: file})
		return nil
	})
}

// printed are the commands whose JSON can be read, by its schema.
var printed = []struct {
	schema, command string
	add             func(d *Data, file string, data []byte) error
}{
	{pimflow.ReportSchema, "run", (*Data).addRun},
	{report.CompareSchema, "compare", (*Data).addComparison},
	{report.ReproduceSchema, "reproduce", (*Data).addReproduction},
}

func (d *Data) readJSON(file string) error {
	f, err := files.OpenText(file, report.MaxRun)
	if err != nil {
		return err
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	var head struct {
		Schema string `json:"schema"`
	}
	var known []string
	err = jsontext.Decode(data, &head)
	if err == nil {
		err = jsontext.Once(data)
	}
	for _, p := range printed {
		if err == nil && p.schema == head.Schema {
			return p.add(d, file, data)
		}
		known = append(known, "pimflow "+p.command+" --json")
	}
	wanted := "what " + strings.Join(known, ", ") + " print wanted"
	if err != nil {
		return fmt.Errorf("%s: %w: %s", file, err, wanted)
	}
	return fmt.Errorf("%s: schema %.80q: %s", file, head.Schema, wanted)
}

// only says that a record has no other columns.
func only(columns ...string) func(string) bool {
	return func(c string) bool { return !slices.Contains(columns, c) }
}

// runColumns are those that the JSON of a run has, besides parts of energies.
var runColumns = []string{
	"model", "batch", "machine", "policy", "objective", "effort", "pim_channels", "channels", "stopped",
	"baseline_ns", "baseline_low_ns", "baseline_high_ns", "total_ns", "total_low_ns", "total_high_ns", "speedup", "speedup_low", "speedup_high",
	"gpu_busy_ns", "pim_busy_ns", "both_busy_ns", "launch_ns", "pim_launch_ns", "idle_ns", "baseline_images_per_s", "images_per_s",
	"baseline_energy_pj", "energy_pj", "energy_low_pj", "energy_high_pj", "energy_ratio", "energy_ratio_low", "energy_ratio_high",
}

func (d *Data) addRun(file string, data []byte) error {
	r := &pimflow.Report{}
	if err := jsontext.Decode(data, r); err != nil {
		return fmt.Errorf("%s: not what pimflow run --json prints: %w", file, err)
	}
	row := Record{File: file, Baseline: map[string]result.Energy{}, Row: result.Row{
		Model: r.Model, Batch: r.Throughput.Images, Machine: r.Machine, Policy: r.Policy, Objective: r.Objective, Effort: r.Effort,
		PIMChannels: r.PIMChannels, Channels: r.Channels, Stopped: r.Stopped,
		Baseline: r.Baseline, BaselineLow: r.BaselineLow, BaselineHigh: r.BaselineHigh, Total: r.Total, TotalLow: r.TotalLow, TotalHigh: r.TotalHigh,
		Speedup: r.Speedup, SpeedupLow: r.Low, SpeedupHigh: r.High,
		GPUBusy: r.GPUBusy, PIMBusy: r.PIMBusy, BothBusy: r.BothBusy, Launch: r.Launch, PIMLaunch: r.PIMLaunch, Idle: r.Idle,
		BaselineRate: r.Throughput.BaselineRate, Rate: r.Throughput.Rate,
		BaselineEnergy: r.Energy.Baseline, Energy: r.Energy.Total, EnergyLow: r.Energy.Low, EnergyHigh: r.Energy.High,
		Ratio: r.Energy.Ratio, RatioLow: r.Energy.RatioLow, RatioHigh: r.Energy.RatioHigh, Parts: map[string]result.Energy{},
	}}
	columns := slices.Clone(runColumns)
	if r.Bound != nil && r.BoundTwo != nil {
		row.Bound, row.BoundTwo = *r.Bound, *r.BoundTwo
		columns = append(columns, "bound_ns", "bound_two_pieces_ns")
	}
	for _, p := range r.Energy.Parts {
		row.Parts[p.Name] = result.Energy{Value: p.Total, Low: p.Low, High: p.High}
		row.Baseline[p.Name] = result.Energy{Value: p.Baseline, Low: p.BaselineLow, High: p.BaselineHigh}
		columns = append(columns, "energy_"+p.Name+"_pj", "energy_"+p.Name+"_low_pj", "energy_"+p.Name+"_high_pj")
	}
	row.lacks = only(columns...)
	d.Rows, d.Runs = append(d.Rows, row), append(d.Runs, r)
	return nil
}

// compareColumns are those that the JSON of a comparison has.
var compareColumns = []string{
	"model", "batch", "machine", "policy", "effort", "pim_channels", "baseline_ns", "total_ns", "total_low_ns", "total_high_ns",
	"speedup", "speedup_low", "speedup_high", "energy_ratio", "energy_ratio_low", "energy_ratio_high", "images_per_s", "gpu_busy_ns", "pim_busy_ns",
}

func (d *Data) addComparison(file string, data []byte) error {
	c := &report.Comparison{}
	if err := jsontext.Decode(data, c); err != nil {
		return fmt.Errorf("%s: not what pimflow compare --json prints: %w", file, err)
	}
	for _, m := range c.Models {
		if m.Error != "" {
			d.Left = append(d.Left, fmt.Sprintf("%s: %s: %s", file, fault.Name(m.Model), m.Error))
		}
		for _, r := range m.Results {
			if r.Speedup == 0 {
				d.Left = append(d.Left, fmt.Sprintf("%s: %s, policy %s: no device executes some layer", file, fault.Name(m.Model), r.Policy))
				continue
			}
			d.Rows = append(d.Rows, Record{File: file, lacks: only(compareColumns...), Row: result.Row{
				Model: m.Model, Batch: m.Batch, Machine: m.Machine, Policy: r.Policy, Effort: r.Effort, PIMChannels: r.PIMChannels,
				Baseline: m.Baseline, Total: r.Total, TotalLow: r.TotalLow, TotalHigh: r.TotalHigh,
				Speedup: r.Speedup, SpeedupLow: r.SpeedupLow, SpeedupHigh: r.SpeedupHigh,
				Ratio: r.Energy, RatioLow: r.EnergyLow, RatioHigh: r.EnergyHigh, Rate: r.Rate, GPUBusy: r.GPUBusy, PIMBusy: r.PIMBusy,
			}})
		}
	}
	return nil
}

func (d *Data) addReproduction(file string, data []byte) error {
	r := &report.Reproduction{}
	if err := jsontext.Decode(data, r); err != nil {
		return fmt.Errorf("%s: not what pimflow reproduce --json prints: %w", file, err)
	}
	d.Bridges = append(d.Bridges, r.Models...)
	return nil
}
