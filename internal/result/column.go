package result

import (
	"fmt"
	"slices"
	"strings"

	"pimflow/internal/device"
)

// Column is a column of a table of rows. A key of the machine that was changed has a column of its own, by its name, which
// has a dot in it; no other has.
type Column struct {
	Name string
	Unit string // "" for none
	Doc  string
	// Found says that a point with an error has no value of it: the cell is then empty.
	Found bool
	at    func(r *Row) any // a pointer to an int, float64, bool or string of the row
}

// A described column says what a point is, a found one what was found for it.
func described(name, doc string, at func(*Row) any) Column {
	return Column{name, "", doc, false, at}
}

func found(name, unit, doc string, at func(*Row) any) Column {
	return Column{name, unit, doc, true, at}
}

// columns are the columns of every table, in order; those of parts of energies and of keys follow.
var columns = []Column{
	described("point", "its number in the space, from 0", func(r *Row) any { return &r.Point }),
	described("model", "a network that is built in, or a file", func(r *Row) any { return &r.Model }),
	described("model_hash", "of the graph and the shapes of its weights", func(r *Row) any { return &r.ModelHash }),
	described("batch", "images at once; 0 where the point has an error and the model's file decides", func(r *Row) any { return &r.Batch }),
	described("machine", "a machine that is built in, or a file", func(r *Row) any { return &r.Machine }),
	described("machine_hash", "of all numbers, after changes", func(r *Row) any { return &r.MachineHash }),
	described("gpu", "the GPU that replaces the machine's; empty: its own", func(r *Row) any { return &r.GPU }),
	described("policy", "which plans are tried", func(r *Row) any { return &r.Policy }),
	described("objective", "what is minimised: latency, energy or edp", func(r *Row) any { return &r.Objective }),
	described("effort", "of the search", func(r *Row) any { return &r.Effort }),
	described("search", "full: the point's own; anchors: the best of plans that were found at a few other points, or one near it; all: the best of the plans that were found at all points of its family", func(r *Row) any { return &r.Search }),

	found("pim_channels", "", "channels that compute", func(r *Row) any { return &r.PIMChannels }),
	found("gpu_launches", "", "kernels of the plan", func(r *Row) any { return &r.GPULaunches }),
	found("pim_launches", "", "launches of PIM work; a fused one counts once", func(r *Row) any { return &r.PIMLaunches }),
	found("finish_launches", "", "kernels of the GPU that finish PIM work", func(r *Row) any { return &r.Finishes }),

	found("baseline_ns", "ns", "time of the GPU alone, with every channel", func(r *Row) any { return &r.Baseline }),
	found("baseline_low_ns", "ns", "its least, within the errors of the GPU's model and the bounds of launches", func(r *Row) any { return &r.BaselineLow }),
	found("baseline_high_ns", "ns", "its most", func(r *Row) any { return &r.BaselineHigh }),
	found("total_ns", "ns", "time of the plan", func(r *Row) any { return &r.Total }),
	found("total_low_ns", "ns", "its least, within the same errors and bounds", func(r *Row) any { return &r.TotalLow }),
	found("total_high_ns", "ns", "its most", func(r *Row) any { return &r.TotalHigh }),
	found("speedup", "", "baseline_ns over total_ns", func(r *Row) any { return &r.Speedup }),
	found("speedup_low", "", "its least, with the same errors in both", func(r *Row) any { return &r.SpeedupLow }),
	found("speedup_high", "", "its most", func(r *Row) any { return &r.SpeedupHigh }),
	found("bound_ns", "ns", "a lower bound of the time of every plan of costed tiles; 0: none was computed", func(r *Row) any { return &r.Bound }),
	found("bound_two_pieces_ns", "ns", "the same for plans of at most two tiles a layer", func(r *Row) any { return &r.BoundTwo }),
	found("gpu_busy_ns", "ns", "the GPU works", func(r *Row) any { return &r.GPUBusy }),
	found("pim_busy_ns", "ns", "the PIM works", func(r *Row) any { return &r.PIMBusy }),
	found("both_busy_ns", "ns", "both work", func(r *Row) any { return &r.BothBusy }),
	found("launch_ns", "ns", "launches of kernels, within gpu_busy_ns", func(r *Row) any { return &r.Launch }),
	found("pim_launch_ns", "ns", "launches of PIM work, within pim_busy_ns", func(r *Row) any { return &r.PIMLaunch }),
	found("idle_ns", "ns", "neither works", func(r *Row) any { return &r.Idle }),
	found("baseline_images_per_s", "1/s", "of the GPU alone, runs back to back", func(r *Row) any { return &r.BaselineRate }),
	found("images_per_s", "1/s", "of the plan, runs back to back", func(r *Row) any { return &r.Rate }),

	found("baseline_energy_pj", "pJ", "energy of the GPU alone", func(r *Row) any { return &r.BaselineEnergy }),
	found("energy_pj", "pJ", "energy of the plan", func(r *Row) any { return &r.Energy }),
	found("energy_low_pj", "pJ", "its least, within the errors of times and the bounds of all energy constants", func(r *Row) any { return &r.EnergyLow }),
	found("energy_high_pj", "pJ", "its most", func(r *Row) any { return &r.EnergyHigh }),
	found("energy_ratio", "", "energy_pj over baseline_energy_pj", func(r *Row) any { return &r.Ratio }),
	found("energy_ratio_low", "", "its least, with the same errors and constants in both", func(r *Row) any { return &r.RatioLow }),
	found("energy_ratio_high", "", "its most", func(r *Row) any { return &r.RatioHigh }),

	found("mac_units", "", "multipliers of all banks of all PIM channels", func(r *Row) any { return &r.MACUnits }),
	found("buffer_bytes", "B", "global buffers and accumulators of all PIM channels", func(r *Row) any { return &r.BufferBytes }),
	found("channels", "", "channels of the memory", func(r *Row) any { return &r.Channels }),
	found("internal_gb_s", "GB/s", "what all banks of the PIM channels can read at once", func(r *Row) any { return &r.Internal }),

	found("stopped", "", "a limit ended the search: the plan is the best so far", func(r *Row) any { return &r.Stopped }),
	described("version", "of the program", func(r *Row) any { return &r.Version }),
	described("error", "why the point has no result; empty: it has", func(r *Row) any { return &r.Error }),
}

// SchemaColumn is the first column of every table: Schema.
const SchemaColumn = "schema"

// Columns lists the columns that every table has after SchemaColumn, in order, but for parts of energies.
func Columns() []Column { return slices.Clone(columns) }

// A partColumn is one number of a part of the plan's energy.
type partColumn struct {
	name string
	part string
	of   func(e *Energy) *float64
}

// partColumns lists the columns of parts, in the order of the ledger.
func partColumns() (list []partColumn) {
	for p := range device.Parts {
		name := p.String()
		list = append(list,
			partColumn{"energy_" + name + "_pj", name, func(e *Energy) *float64 { return &e.Value }},
			partColumn{"energy_" + name + "_low_pj", name, func(e *Energy) *float64 { return &e.Low }},
			partColumn{"energy_" + name + "_high_pj", name, func(e *Energy) *float64 { return &e.High }})
	}
	return list
}

// Parts lists the names of the parts of an energy.
func Parts() (list []string) {
	for p := range device.Parts {
		list = append(list, p.String())
	}
	return list
}

// Key is a key of the machine that rows have a column of.
type Key struct {
	Name string
	// Number says that every value is a number as strconv.FormatFloat(x, 'g', -1, 64) writes it: Parquet then has numbers.
	Number bool
}

// isKey reports whether a column is that of a key of the machine.
func isKey(column string) bool { return strings.Contains(column, ".") }

// kinds of cells.
type kind int

const (
	text kind = iota
	integer
	number
	logical
)

// cell is a column of one table.
type cell struct {
	name string
	kind kind
	get  func(r *Row) (value any, ok bool) // int, float64, bool or string; not ok: the cell is empty
	put  func(r *Row, value any)           // of the same type

	wanted need
}

// need says whether a cell may be empty.
type need int

const (
	never  need = iota // wanted: it may be empty
	result             // it may be empty where the point has an error
	always             // it may not be empty
)

// cells lists the columns of a table with these keys.
func cells(keys []Key) []cell {
	list := []cell{{SchemaColumn, text, func(*Row) (any, bool) { return Schema, true }, func(*Row, any) {}, always}}
	for i := range columns {
		list = append(list, columns[i].cell())
	}
	for _, c := range partColumns() {
		list = append(list, c.cell())
	}
	for _, k := range keys {
		list = append(list, k.cell())
	}
	return list
}

func (c *Column) cell() cell {
	of := cell{name: c.Name, wanted: always}
	switch c.at(&Row{}).(type) {
	case *int:
		of.kind = integer
	case *float64:
		of.kind = number
	case *bool:
		of.kind = logical
	}
	if of.kind == text {
		of.wanted = never
	} else if c.Found {
		of.wanted = result
	}
	of.get = func(r *Row) (any, bool) {
		v := load(c.at(r))
		return v, !c.Found || r.Error == "" || v != load(c.at(&Row{}))
	}
	of.put = func(r *Row, v any) { store(c.at(r), v) }
	return of
}

func (c *partColumn) cell() cell {
	get := func(r *Row) (any, bool) {
		e, ok := r.Parts[c.part]
		return *c.of(&e), ok
	}
	put := func(r *Row, v any) {
		if r.Parts == nil {
			r.Parts = map[string]Energy{}
		}
		e := r.Parts[c.part]
		*c.of(&e) = v.(float64)
		r.Parts[c.part] = e
	}
	return cell{c.name, number, get, put, never}
}

func (k *Key) cell() cell {
	name := k.Name
	get := func(r *Row) (any, bool) {
		v, ok := r.Set[name]
		return v, ok
	}
	put := func(r *Row, v any) {
		if r.Set == nil {
			r.Set = map[string]string{}
		}
		r.Set[name] = v.(string)
	}
	return cell{name, text, get, put, never}
}

// load is what a pointer of a column points to; store puts a value there.
func load(at any) any {
	switch p := at.(type) {
	case *int:
		return *p
	case *float64:
		return *p
	case *bool:
		return *p
	}
	return *at.(*string)
}

func store(at, v any) {
	switch p := at.(type) {
	case *int:
		*p = v.(int)
	case *float64:
		*p = v.(float64)
	case *bool:
		*p = v.(bool)
	case *string:
		*p = v.(string)
	}
}

// whole refuses a row that was read with empty cells, where a value is wanted.
func (r *Row) whole(list []cell, empty func(i int) bool) error {
	for i := range list {
		c := &list[i]
		if (c.wanted == always || c.wanted == result && r.Error == "") && empty(i) {
			return fmt.Errorf("%s is empty: a value wanted", c.name)
		}
	}
	return nil
}
