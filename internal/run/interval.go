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
	l, h := extremes(network, []*program.Program{p}, func(t []device.Time) float64 { return float64(t[0]) })
	return device.Time(l), device.Time(h)
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
	return extremes(network, []*program.Program{base, p}, func(t []device.Time) float64 {
		if t[1] == 0 {
			return 1
		}
		return float64(t[0]) / float64(t[1])
	})
}

// extremes are the least and the greatest value of the times of programs.
func extremes(network hw.Range, programs []*program.Program, value func([]device.Time) float64) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	factors := []float64{1}
	if network.Value > 0 {
		factors = append(factors, network.Low, network.High)
	}
	for i, factor := range factors {
		e := &deviation{programs: programs, value: value, network: factor}
		free := classes(programs, i > 0)
		low, high = min(low, e.extreme(free, 1)), max(high, e.extreme(free, -1))
	}
	return low, high
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

// deviation times programs whose times deviate.
type deviation struct {
	programs []*program.Program
	value    func([]device.Time) float64
	network  float64 // factor on the time of modelled kernels of the GPU
}

// at is the value with each class at its lower bound (-1), its time (0) or its upper bound (1).
func (e *deviation) at(class map[string]int) float64 {
	var times []device.Time
	for _, p := range e.programs {
		times = append(times, timed(p, func(s *program.Step, c *device.Cost) device.Time {
			t := c.At(func(u *device.Uncertainty) device.Time {
				return [...]device.Time{u.Low, u.Time, u.High}[1+class[u.Class]]
			})
			if e.network != 1 && s.Device == plan.GPU && c.Source != device.Measured {
				t = device.Time(math.Round(e.network * float64(t)))
			}
			return t
		}).Total)
	}
	return e.value(times)
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
