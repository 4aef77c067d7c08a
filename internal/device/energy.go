package device

import (
	"cmp"
	"slices"

	"pimflow/internal/hw"
)

// Energy is an energy in picojoules, with the machine's constants at their values and at
// their lower and upper bounds.
type Energy struct{ Value, Low, High float64 }

// Of is n times a constant of a machine in pJ, or n nanoseconds of one in mW.
func Of(r hw.Range, n float64) Energy { return Energy{r.Value * n, r.Low * n, r.High * n} }

// Plus is the sum of both.
func (e Energy) Plus(o Energy) Energy {
	return Energy{e.Value + o.Value, e.Low + o.Low, e.High + o.High}
}

// Times is n times the energy.
func (e Energy) Times(n float64) Energy { return Energy{e.Value * n, e.Low * n, e.High * n} }

// Part is an account of a Ledger.
type Part int

// The parts, in the order of every output. Standby power is charged for the whole run; all
// other parts are caused by work.
const (
	GPUStandby    Part = iota // board and idle SMs
	GPUActive                 // SMs that have work, beyond idle ones
	GPUMAC                    // tensor cores, padding of tiles included
	GPUFMA                    // FMA units
	GPUL2                     // bytes between SMs and L2
	GPUDRAM                   // bytes between L2 and DRAM
	PIMStandby                // channels that can compute
	PIMRefresh                // of their banks
	PIMActive                 // channels at work, beyond standby
	PIMActivate               // rows opened and closed
	PIMColumnRead             // columns read from open rows
	PIMMAC
	PIMBuffer // the SRAM of inputs and results
	PIMIO     // bits over the pins of the channels
	PIMFinish // outputs computed from results that were read out
	Parts     // the number of parts
)

var partNames = [Parts]string{
	"gpu_standby", "gpu_active", "gpu_mac", "gpu_fma", "gpu_l2", "gpu_dram",
	"pim_standby", "pim_refresh", "pim_active", "pim_activate", "pim_column_read", "pim_mac", "pim_buffer", "pim_io", "pim_finish",
}

// String is the part's name in reports, as "pim_column_read".
func (p Part) String() string { return partNames[p] }

// Ledger is an energy by parts. Each part is proportional to constants of the machine that
// no other part uses.
type Ledger [Parts]Energy

// Total is the sum of the parts.
func (l *Ledger) Total() (sum Energy) {
	for _, e := range l {
		sum = sum.Plus(e)
	}
	return sum
}

// Add adds another ledger, part by part.
func (l *Ledger) Add(o *Ledger) {
	for i, e := range o {
		l[i] = l[i].Plus(e)
	}
}

// Times is n times the ledger, part by part.
func (l *Ledger) Times(n float64) (out Ledger) {
	for i, e := range l {
		out[i] = e.Times(n)
	}
	return out
}

// Ratio is the total of l over that of base, with its least and its greatest value if the
// constants of each part lie anywhere between their bounds, the same in both ledgers. It is 0
// if base has no energy.
//
// In the literature: a linear-fractional programme over a box; an optimum is at a threshold
// of the quotients.
func (l *Ledger) Ratio(base *Ledger) (value, low, high float64) {
	var order []Part
	for p := range Parts {
		if l[p].Value > 0 || base[p].Value > 0 {
			order = append(order, p)
		}
	}
	// A quotient of sums grows with each term whose own quotient is above it. At an extreme,
	// the parts with the larger quotients are at one bound and the rest at the other.
	slices.SortStableFunc(order, func(p, q Part) int {
		return cmp.Compare(l[q].Value*base[p].Value, l[p].Value*base[q].Value)
	})
	quotient := func(n int, first, rest func(Energy) float64) float64 {
		over, under := 0.0, 0.0
		for i, p := range order {
			of := rest
			if i < n {
				of = first
			}
			over, under = over+of(l[p]), under+of(base[p])
		}
		if under == 0 {
			return 0
		}
		return over / under
	}
	valueOf := func(e Energy) float64 { return e.Value }
	lowOf, highOf := func(e Energy) float64 { return e.Low }, func(e Energy) float64 { return e.High }
	value = quotient(0, valueOf, valueOf)
	low, high = value, value
	for n := range len(order) + 1 {
		low = min(low, quotient(n, lowOf, highOf))
		high = max(high, quotient(n, highOf, lowOf))
	}
	return value, low, high
}
