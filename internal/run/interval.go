package run

import (
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/program"
)

// Interval is the least and the greatest speed-up of a program over a baseline, if each class
// of uncertain work (device.Uncertainty) takes its time or a bound, the same in both. Each
// class is set to the bound that alone moves the speed-up furthest. The interval is exact
// unless one class reverses the effect of another.
func Interval(base, p *program.Program) (low, high float64) {
	var classes []string
	for _, x := range []*program.Program{base, p} {
		for i := range x.Steps {
			for _, d := range x.Steps[i].Code.Cost().Uncertain {
				if !slices.Contains(classes, d.Class) {
					classes = append(classes, d.Class)
				}
			}
		}
	}
	slices.Sort(classes)
	speedup := func(at map[string]int) float64 {
		of := func(c *device.Cost) device.Time {
			return c.At(func(d *device.Uncertainty) device.Time {
				return [...]device.Time{d.Low, d.Time, d.High}[1+at[d.Class]]
			})
		}
		b, t := timed(base, of).Total, timed(p, of).Total
		if t == 0 {
			return 1
		}
		return float64(b) / float64(t)
	}
	middle := speedup(nil)
	low, high = middle, middle
	least, most := map[string]int{}, map[string]int{}
	for _, c := range classes {
		down, up := speedup(map[string]int{c: -1}), speedup(map[string]int{c: 1})
		if down < min(up, middle) {
			least[c] = -1
		} else if up < middle {
			least[c] = 1
		}
		if down > max(up, middle) {
			most[c] = -1
		} else if up > middle {
			most[c] = 1
		}
		low, high = min(low, down, up), max(high, down, up)
	}
	return min(low, speedup(least)), max(high, speedup(most))
}
