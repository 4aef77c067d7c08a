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
	for lane := range p.Work {
		p.Work[lane] = make([]float64, intervals)
	}
	for i, span := range tl.Spans {
		s := &tl.Program.Steps[i]
		cost := s.Cost()
		to, from, length := p.Work[program.Lane(s.Device)], span.Start.NS(), (span.End - span.Start).NS()
		for k := min(int(from/p.Interval), intervals-1); k < intervals; k++ {
			share := 1.0 // of a step that takes no time
			if length > 0 {
				lo, hi := max(from, float64(k)*p.Interval), min(from+length, float64(k+1)*p.Interval)
				if k == intervals-1 {
					hi = from + length
				}
				if lo >= from+length {
					break
				}
				share = max(hi-lo, 0) / length
			}
			to[k] += share * cost.Energy.Total().Value / p.Interval
			if length == 0 {
				break
			}
		}
	}
	return p
}
