package run

import (
	"math"
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/hw"
	"pimflow/internal/plan"
	"pimflow/internal/program"
)

// Bounds are the least and the greatest time of a program (Interval).
func Bounds(network hw.Range, p *program.Program) (low, high device.Time) {
	of := func(o []outcome) float64 { return float64(o[0].time) }
	d := spread{network: network, programs: []*program.Program{p}}
	return device.Time(d.least(of)), device.Time(d.greatest(of))
}

// Interval is the least and the greatest speed-up of a program over a baseline while their
// times deviate, the same in both, and no plan is searched again:
//
//   - either each class of kernels takes its time or a bound (device.Uncertainty), or all
//     modelled kernels of the GPU, with their launches, take their time times a bound of
//     network, the error of whole networks. That error was measured with those of the classes
//     in it, so it takes their place and is not multiplied with them.
//   - with either, launches and measured times take their value or a bound.
//
// The extremes are those that no other bound of one class exceeds. A network whose Value is 0 is
// not known.
//
// In the literature: interval analysis with correlated factors.
func Interval(network hw.Range, base, p *program.Program) (low, high float64) {
	of := func(o []outcome) float64 {
		if o[1].time == 0 {
			return 1
		}
		return float64(o[0].time) / float64(o[1].time)
	}
	d := spread{network: network, programs: []*program.Program{base, p}}
	return d.least(of), d.greatest(of)
}

// EnergyBounds are the energies of a program, with standby in pJ a nanosecond, where their sum is least and where it is
// greatest, while times deviate as in Interval and constants of energy lie between their bounds.
func EnergyBounds(network hw.Range, standby *device.Ledger, p *program.Program) (low, high device.Ledger) {
	d := spread{network: network, standby: standby, programs: []*program.Program{p}}
	least, most := math.Inf(1), math.Inf(-1)
	d.least(func(o []outcome) float64 {
		v := o[0].energy.Total().Low
		if v < least {
			least, low = v, o[0].energy
		}
		return v
	})
	d.greatest(func(o []outcome) float64 {
		v := o[0].energy.Total().High
		if v > most {
			most, high = v, o[0].energy
		}
		return v
	})
	return low, high
}

// EnergyInterval is the least and the greatest quotient of the energies of a program and of a baseline; times and constants
// deviate as in EnergyBounds, the same in both.
func EnergyInterval(network hw.Range, standby *device.Ledger, base, p *program.Program) (low, high float64) {
	d := spread{network: network, standby: standby, programs: []*program.Program{base, p}}
	low = d.least(func(o []outcome) float64 { _, v, _ := o[1].energy.Ratio(&o[0].energy); return v })
	high = d.greatest(func(o []outcome) float64 { _, _, v := o[1].energy.Ratio(&o[0].energy); return v })
	return low, high
}

// PowerBounds are the least and the greatest mean power of a program in mW; times and constants deviate as in EnergyBounds.
func PowerBounds(network hw.Range, standby *device.Ledger, p *program.Program) (low, high float64) {
	d := spread{network: network, standby: standby, programs: []*program.Program{p}}
	power := func(pj float64, t device.Time) float64 {
		if t == 0 {
			return 0
		}
		return pj / t.NS()
	}
	low = d.least(func(o []outcome) float64 { return power(o[0].energy.Total().Low, o[0].time) })
	high = d.greatest(func(o []outcome) float64 { return power(o[0].energy.Total().High, o[0].time) })
	return low, high
}

// spread is the times, and the energies if standby is set, that programs can take while they deviate.
type spread struct {
	network  hw.Range
	standby  *device.Ledger
	programs []*program.Program
}

// outcome is what one program takes.
type outcome struct {
	time   device.Time
	energy device.Ledger
}

func (d *spread) least(value func([]outcome) float64) float64 { return d.extreme(value, 1) }

func (d *spread) greatest(value func([]outcome) float64) float64 { return d.extreme(value, -1) }

// extreme is the least value or, with sign -1, the greatest.
func (d *spread) extreme(value func([]outcome) float64, sign float64) float64 {
	best := math.Inf(int(sign))
	factors := []float64{1}
	if d.network.Value > 0 {
		factors = append(factors, d.network.Low, d.network.High)
	}
	for i, factor := range factors {
		e := &deviation{spread: d, value: value, network: factor}
		if v := e.extreme(classes(d.programs, i > 0), sign); sign*v < sign*best {
			best = v
		}
	}
	return best
}

// classes are the classes of uncertain work of programs, sorted; without those of kernels where
// the error of whole networks takes their place.
func classes(programs []*program.Program, network bool) (list []string) {
	for _, p := range programs {
		for i := range p.Steps {
			for _, u := range p.Steps[i].Code.Cost().Uncertain {
				if !(network && u.Kind == device.OfKernel) && !slices.Contains(list, u.Class) {
					list = append(list, u.Class)
				}
			}
		}
	}
	slices.Sort(list)
	return list
}

// deviation is a value of programs whose kernels take network times their time.
type deviation struct {
	*spread
	value   func([]outcome) float64
	network float64 // of modelled kernels of the GPU
}

// at is the value with each class at its lower bound (-1), its time (0) or its upper bound (1).
func (e *deviation) at(class map[string]int) float64 {
	var list []outcome
	chosen := func(u *device.Uncertainty) device.Time {
		return [...]device.Time{u.Low, u.Time, u.High}[1+class[u.Class]]
	}
	for _, p := range e.programs {
		tl := timed(p, func(s *program.Step, c *device.Cost) device.Time {
			t := c.At(chosen)
			if e.scales(s, c) {
				t = device.Time(math.Round(e.network * float64(t)))
			}
			return t
		})
		o := outcome{time: tl.Total}
		if e.standby != nil {
			o.energy = e.energy(tl, chosen)
		}
		list = append(list, o)
	}
	return e.value(list)
}

// scales reports whether the factor of whole networks is on a step.
func (e *deviation) scales(s *program.Step, c *device.Cost) bool {
	return e.network != 1 && s.Device == plan.GPU && c.Source != device.Measured
}

// energy is Timeline.Energy, in which SMs are active as much longer as their kernels are.
func (e *deviation) energy(tl *Timeline, chosen func(*device.Uncertainty) device.Time) device.Ledger {
	sum := e.standby.Times(tl.Total.NS())
	for i := range tl.Program.Steps {
		s := &tl.Program.Steps[i]
		c := s.Cost()
		work := c.Energy
		work[device.GPUActive] = work[device.GPUActive].Times(e.longer(s, &c, chosen))
		sum.Add(&work)
	}
	return sum
}

// longer is the time of a step's kernels, without launches, over what it is without deviations.
func (e *deviation) longer(s *program.Step, c *device.Cost, chosen func(*device.Uncertainty) device.Time) float64 {
	if e.scales(s, c) {
		return e.network
	}
	var time, known device.Time
	for i := range c.Uncertain {
		if u := &c.Uncertain[i]; u.Kind != device.OfLaunch {
			time, known = time+chosen(u), known+u.Time
		}
	}
	if known == 0 {
		return 1
	}
	return float64(time) / float64(known)
}

// extreme is the least value, or with sign -1 the greatest: class after class is set to the bound
// that moves it furthest, until none does.
//
// In the literature: coordinate descent over the vertices of a box.
func (e *deviation) extreme(classes []string, sign float64) float64 {
	at := map[string]int{}
	best := e.at(at)
	for moved := true; moved; {
		moved = false
		for _, c := range classes {
			kept := at[c]
			for bound := -1; bound <= 1; bound++ {
				if at[c] = bound; bound == kept {
					continue
				}
				if v := e.at(at); sign*v < sign*best {
					best, kept, moved = v, bound, true
				}
			}
			at[c] = kept
		}
	}
	return best
}
