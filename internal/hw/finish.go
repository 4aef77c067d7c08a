package hw

import (
	"fmt"
	"slices"
	"strings"

	"pimflow/internal/nearest"
)

// The places where results of PIM work are finished (Finish.Where).
const (
	InDRAM       = "dram"       // at the banks, before results leave the DRAM: finished values cross the pins
	InController = "controller" // in the channels' controllers: sums cross the pins
	OnGPU        = "gpu"        // sums go to the GPU, where a kernel finishes them: it has a launch of its own
)

// finishPlace is a place, and what an operation takes there.
type finishPlace struct {
	where  string
	perOp  string // the formula of ps_per_op
	source string
}

var finishPlaces = []finishPlace{
	{InDRAM, "pim.clock_ps * pim.timing.ccds_ck / pim.banks", "estimated: an adder at each bank, at the pace at which columns are read"},
	{InController, "pim.clock_ps * pim.timing.bl_ck / pim.lanes", "estimated: as many lanes as a bank has, at the pace at which results are read"},
	{OnGPU, "gpu.clock_ps / gpu.sm / gpu.fma_per_ck_sm", "an operation a clock of each FMA unit"},
}

// onGPUEnergy is the formula of pj_per_op on the GPU; its bounds are those of the key.
const onGPUEnergy = "gpu.energy.fma_pj"

// The paths of what follows from the place.
const (
	finishPerOp  = "link.finish.ps_per_op"
	finishEnergy = "link.finish.pj_per_op"
)

// followPlace makes what an operation takes follow from the place where results are finished, but
// for the numbers that are given with it. The energy of a unit in the DRAM or in a controller
// follows from nothing: it stays.
func (m *Machine) followPlace(given map[string]bool) {
	i := slices.IndexFunc(finishPlaces, func(p finishPlace) bool { return p.where == m.Link.Finish.Where })
	if i < 0 {
		return // checkNames refuses it
	}
	p := &finishPlaces[i]
	if !given[finishPerOp] {
		m.Given[finishPerOp], m.Sources[finishPerOp] = Given{Formula: p.perOp}, p.source
	}
	if !given[finishEnergy] && p.where == OnGPU {
		m.Given[finishEnergy], m.Sources[finishEnergy] = Given{Formula: onGPUEnergy}, "estimated: each operation an FMA of the GPU"
	}
}

// checkPlace refuses a place that is not known, and the GPU's energy elsewhere.
func (m *Machine) checkPlace() error {
	var known []string
	for i := range finishPlaces {
		known = append(known, finishPlaces[i].where)
	}
	switch f := &m.Link.Finish; {
	case !slices.Contains(known, f.Where):
		return fmt.Errorf("link.finish.where: %.80q: one of %s wanted%s", f.Where, strings.Join(known, ", "), nearest.Hint(f.Where, known))
	case f.Where != OnGPU && m.Given[finishEnergy].Formula == onGPUEnergy:
		return fmt.Errorf("%s: follows from %s: that of a unit wanted, since link.finish.where is %s", finishEnergy, onGPUEnergy, f.Where)
	}
	return nil
}
