package utilization

import (
	"pimflow/internal/device"
	"pimflow/internal/program"
	"pimflow/internal/run"
)

// Power is the mean power of a timeline in intervals of equal length, in mW.
type Power struct {
	Interval float64                  // ns
	Standby  float64                  // of both devices, at all times
	Work     [program.Lanes][]float64 // of the steps of each device, beyond standby, by interval
}

// PowerOf spreads the energy of each step evenly over its span. Where there is no time there are no intervals.
func PowerOf(tl *run.Timeline, standby *device.Ledger, intervals int) Power {
	p := Power{Standby: standby.Total().Value}
	if tl.Total == 0 || intervals < 1 {
		return p
	}
	p.Interval = tl.Total.NS() / float64(intervals)
	p.Work = Spread(tl, intervals, func(i int) float64 {
		cost := tl.Program.Steps[i].Cost()
		return cost.Energy.Total().Value
	})
	for _, list := range p.Work {
		for k := range list {
			list[k] /= p.Interval
		}
	}
	return p
}

// Spread spreads a number of each step evenly over its span, and adds up what falls into each of so many intervals of the timeline, by
// device. The timeline has a total above 0.
func Spread(tl *run.Timeline, intervals int, of func(step int) float64) (sums [program.Lanes][]float64) {
	each := tl.Total.NS() / float64(intervals)
	for lane := range sums {
		sums[lane] = make([]float64, intervals)
	}
	for i, span := range tl.Spans {
		to, from, length := sums[program.Lane(tl.Program.Steps[i].Device)], span.Start.NS(), (span.End - span.Start).NS()
		all := of(i)
		for k := min(int(from/each), intervals-1); k < intervals; k++ {
			share := 1.0 // of a step that takes no time
			if length > 0 {
				lo, hi := max(from, float64(k)*each), min(from+length, float64(k+1)*each)
				if k == intervals-1 {
					hi = from + length
				}
				if lo >= from+length {
					break
				}
				share = max(hi-lo, 0) / length
			}
			to[k] += share * all
			if length == 0 {
				break
			}
		}
	}
	return sums
}
