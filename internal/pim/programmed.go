package pim

import (
	"cmp"
	"fmt"
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/dram"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/pim/unit"
)

// microProgram is a way to compute a matrix product by the programs of units (hbm-pim). All have one pattern: inputs are written to
// registers of all units; for each of some output groups as many columns of weights are read, and an instruction multiplies each by its input
// and adds to the accumulator of its group; the accumulators are stored.
//
// In the literature: spatial mapping of a loop nest to the lanes of a vector unit.
type microProgram struct {
	name    string
	outputs int       // of an output group: one accumulator of all units
	lanes   int       // products of an output that a column access adds
	file    unit.File // holds the inputs: a column access of each output group has a register of it
	parts   int       // sums of an output, which are added when they are read out
	turned  bool      // pixels take the place of outputs, and weights that of inputs
	maps    int       // of an element-wise layer; 0: a matrix product
}

// microPrograms are those that are tried: the fastest is chosen, layer by layer.
var microPrograms = []microProgram{
	// A column is products of one output. Inputs differ from lane to lane.
	{name: "inputs on lanes", outputs: unit.Units, lanes: unit.Lanes, file: unit.GRFA, parts: unit.Lanes},
	// A column is products of one input. Outputs differ from lane to lane.
	{name: "outputs on lanes", outputs: unit.Units * unit.Lanes, lanes: 1, file: unit.SRFM, parts: 1},
	// A column is the inputs of one product. Pixels differ from lane to lane, and a weight is that of all.
	{name: "pixels on lanes", outputs: unit.Units * unit.Lanes, lanes: 1, file: unit.SRFM, parts: 1, turned: true},
	// Element-wise layers: of two maps in the banks, and of one map and scalars.
	{name: "two maps", outputs: unit.Units * unit.Lanes, lanes: 1, parts: 1, maps: 2},
	{name: "one map", outputs: unit.Units * unit.Lanes, lanes: 1, parts: 1, maps: 1},
}

// scratchRows are the rows below the reserved ones that results are stored in, for the host to read.
const scratchRows = 1

// geometry is that of a machine under the program.
func (p *microProgram) geometry(m *hw.Machine, g geometry) (geometry, error) {
	const column = 2 * unit.Lanes
	for _, x := range []struct {
		key       string
		got, want any
	}{
		{"banks", m.PIM.Banks, unit.Banks}, {"mac_units", m.PIM.Units, unit.Units}, {"number_format", m.PIM.Format, "fp16"},
		{"column_bytes", m.PIM.Column, column}, {"row_bytes", m.PIM.Row, column * unit.Columns}, {"rows_per_bank", m.PIM.Rows, unit.Rows},
		{"buffer_bytes", m.PIM.Buffer, column * unit.Registers}, {"buffers", m.PIM.Buffers, 1}, {"accumulators", m.PIM.Sums, unit.Registers},
	} {
		if x.got != x.want {
			return g, fmt.Errorf("machine %s: pim.%s is %v: %v wanted, that of the units", m.Name, x.key, x.got, x.want)
		}
	}
	g.outputs, g.results, g.units, g.wide = p.outputs, unit.Lanes, unit.Units, unit.Lanes/p.lanes
	g.lanes, g.buffer, g.columns, g.buffers = p.lanes, unit.Registers, unit.Columns, 1
	g.rows = unit.DataRows - scratchRows
	return g, nil
}

// roundingOf is that of a machine, a switch of its standard.
func roundingOf(m *hw.Machine) unit.Rounding {
	if m.PIM.Rounding == "separate" {
		return unit.Separate
	}
	return unit.Fused
}

// programsOf are the programs of a standard; nil: its commands have one meaning.
func programsOf(standard string) []microProgram {
	if i := slices.IndexFunc(dialects, func(d dialect) bool { return d.standard == standard }); i >= 0 {
		return dialects[i].programs
	}
	return nil
}

// firstProgram is a program for what does not depend on it.
func firstProgram(standard string) *microProgram {
	if all := programsOf(standard); len(all) > 0 {
		return &all[0]
	}
	return nil
}

// devices is the device of a machine: where its units execute programs, one for each, of which the best is chosen.
func (s *Mappings) devices(m *hw.Machine, channels int, timing dram.Timing, basic bool) (device.Device, error) {
	make := func(p *microProgram, name string) (*Device, error) {
		d, err := newDevice(m, channels, timing, s.known(m, channels, basic, name), p)
		if err != nil {
			return nil, err
		}
		d.basic = basic
		return d, nil
	}
	all := programsOf(m.PIM.Standard)
	if all == nil {
		d, err := make(nil, "")
		if err != nil {
			return nil, err
		}
		return d, nil
	}
	var p programmed
	for i := range all {
		d, err := make(&all[i], all[i].name)
		if err != nil {
			return nil, err
		}
		p = append(p, d)
	}
	return p, nil
}

// programmed is channels whose units execute programs: a device for each.
type programmed []*Device

// Name is "pim".
func (p programmed) Name() string { return p[0].Name() }

// Form is the form of a node in its graph.
func (p programmed) Form(g *graph.Graph, id graph.ID) string { return p[0].Form(g, id) }

// Compile compiles a cut for each program and returns the fastest; of equal ones that of least energy. The error is the first program's.
func (p programmed) Compile(g *graph.Graph, c graph.Cut) (best device.Code, err error) {
	var first error
	for _, d := range p {
		code, err := d.Compile(g, c)
		if err != nil {
			if first == nil {
				first = err
			}
			continue
		}
		if best == nil || faster(code.Cost(), best.Cost()) {
			best = code
		}
	}
	if best == nil {
		return nil, first
	}
	return best, nil
}

func faster(a, b device.Cost) bool {
	return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Energy.Total().Value, b.Energy.Total().Value)) < 0
}

// Programmed reports whether the units of a machine execute programs.
func Programmed(m *hw.Machine) bool { return programsOf(m.PIM.Standard) != nil }

// Programs are the ways in which the programs of a machine's units compute a product; none: its units execute no programs.
func Programs(m *hw.Machine) []string { return programNames(programsOf(m.PIM.Standard)) }

func programNames(all []microProgram) (names []string) {
	for _, p := range all {
		names = append(names, p.name)
	}
	return names
}
