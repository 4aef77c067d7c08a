package run

import (
	"math"
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/hw"
)

// Bounds are the least and the greatest time of a program (Interval).
func (d *Deviating) Bounds() (low, high device.Time) {
	of := func(o []outcome) float64 { return float64(o[0].time) }
	s := spread{d}
	return device.Time(s.least(of)), device.Time(s.greatest(of))
}

// Interval is the least and the greatest speed-up of a program over a baseline while their
// times deviate, the same in both, and no plan is searched again:
//
//   - either each class of kernels takes its time or a bound (device.Uncertainty), or all
//     modelled kernels of the GPU, with their launches, take their time times a bound of
//     the error of whole networks. That error was measured with those of the classes
//     in it, so it takes their place and is not multiplied with them.
//   - with either, launches and measured times take their value or a bound.
//
// The extremes are those that no other bound of one class exceeds.
//
// In the literature: interval analysis with correlated factors.
func Interval(base, p *Deviating) (low, high float64) {
	of := func(o []outcome) float64 {
		if o[1].time == 0 {
			return 1
		}
		return float64(o[0].time) / float64(o[1].time)
	}
	s := spread{base, p}
	return s.least(of), s.greatest(of)
}

// EnergyBounds are the energies of a program, with standby in pJ a nanosecond, where their sum is least and where it is
// greatest, while times deviate as in Interval and constants of energy lie between their bounds.
func (d *Deviating) EnergyBounds(standby *device.Ledger) (low, high device.Ledger) {
	s := spread{d}
	least, most := math.Inf(1), math.Inf(-1)
	s.least(func(o []outcome) float64 {
		e := o[0].energy(standby)
		v := e.Total().Low
		if v < least {
			least, low = v, e
		}
		return v
	})
	s.greatest(func(o []outcome) float64 {
		e := o[0].energy(standby)
		v := e.Total().High
		if v > most {
			most, high = v, e
		}
		return v
	})
	return low, high
}

// EnergyInterval is the least and the greatest quotient of the energies of a program and of a baseline; times and constants
// deviate as in EnergyBounds, the same in both.
func EnergyInterval(standby *device.Ledger, base, p *Deviating) (low, high float64) {
	s := spread{base, p}
	ratio := func(o []outcome) (low, high float64) {
		of, over := o[1].energy(standby), o[0].energy(standby)
		_, low, high = of.Ratio(&over)
		return low, high
	}
	low = s.least(func(o []outcome) float64 { v, _ := ratio(o); return v })
	high = s.greatest(func(o []outcome) float64 { _, v := ratio(o); return v })
	return low, high
}

// PowerBounds are the least and the greatest mean power of a program in mW; times and constants deviate as in EnergyBounds.
func (d *Deviating) PowerBounds(standby *device.Ledger) (low, high float64) {
	s := spread{d}
	power := func(o []outcome, of func(device.Energy) float64) float64 {
		if o[0].time == 0 {
			return 0
		}
		e := o[0].energy(standby)
		return of(e.Total()) / o[0].time.NS()
	}
	low = s.least(func(o []outcome) float64 { return power(o, func(e device.Energy) float64 { return e.Low }) })
	high = s.greatest(func(o []outcome) float64 { return power(o, func(e device.Energy) float64 { return e.High }) })
	return low, high
}

// spread is programs on one machine that deviate together.
type spread []*Deviating

func (s spread) least(value func([]outcome) float64) float64 { return s.extreme(value, 1) }

func (s spread) greatest(value func([]outcome) float64) float64 { return s.extreme(value, -1) }

// extreme is the least value or, with sign -1, the greatest.
func (s spread) extreme(value func([]outcome) float64, sign float64) float64 {
	best := math.Inf(int(sign))
	for i, factor := range factors(s[0].network) {
		e := &deviation{spread: s, value: value, sign: sign, network: factor, classes: s.classes(i > 0)}
		if v := e.extreme(); sign*v < sign*best {
			best = v
		}
	}
	return best
}

// factors are those on the time of modelled kernels: 1, and the bounds of the error of whole networks, unless it is not known.
func factors(network hw.Range) []float64 {
	if network.Value > 0 {
		return []float64{1, network.Low, network.High}
	}
	return []float64{1}
}

// classes are the classes of uncertain work of programs, sorted; without those of kernels where
// the error of whole networks takes their place.
func (s spread) classes(network bool) (list []string) {
	for _, d := range s {
		for _, c := range d.classes {
			if !(network && c.kernels) && !slices.Contains(list, c.name) {
				list = append(list, c.name)
			}
		}
	}
	slices.Sort(list)
	return list
}

// deviation is a value of programs whose kernels take network times their time.
type deviation struct {
	spread
	value   func([]outcome) float64
	sign    float64
	network float64 // of modelled kernels of the GPU
	classes []string
}

// at is the value with each class at its lower bound (-1), its time (0) or its upper bound (1).
func (e *deviation) at(classes []int8) float64 {
	var room [2]outcome
	list := room[:0]
	for _, d := range e.spread {
		list = append(list, d.at(e.network, e.classes, classes))
	}
	return e.value(list)
}

// extreme is the least value, or with sign -1 the greatest: class after class is set to the bound
// that moves it furthest, until none does.
//
// In the literature: coordinate descent over the vertices of a box.
func (e *deviation) extreme() float64 {
	at := make([]int8, len(e.classes))
	best := e.at(at)
	for moved := true; moved; {
		moved = false
		for i := range at {
			kept := at[i]
			for bound := int8(-1); bound <= 1; bound++ {
				if at[i] = bound; bound == kept {
					continue
				}
				if v := e.at(at); e.sign*v < e.sign*best {
					best, kept, moved = v, bound, true
				}
			}
			at[i] = kept
		}
	}
	return best
}
