package program

import "pimflow/internal/plan"

// Fuse marks the steps whose launch is fused with that of their device's step before. The
// code must allow it (device.Cost.Fusible), and the step may wait for no step of the other
// device that the step before did not wait for. This follows from the order of the steps
// alone: whatever time each takes, the values that later steps read of the other device
// exist when the first of them is launched.
//
// In the literature: kernel fusion, launch amortisation.
func (p *Program) Fuse() {
	ends := make([]VectorClock, len(p.Steps))
	var c Clocks
	for i := range p.Steps {
		s := &p.Steps[i]
		var after VectorClock
		for _, j := range s.After {
			after = after.Max(ends[j])
		}
		follows := false
		ends[i], follows = c.Advance(Lane(s.Device), after)
		s.Fused = follows && s.Code.Cost().Fusible > 0
	}
}

// Lanes is the number of devices that work at the same time.
const Lanes = 2

// Lane is the index of a device: 1 for plan.PIM, 0 for every other.
func Lane(name string) int {
	if name == plan.PIM {
		return 1
	}
	return 0
}

// VectorClock counts, for each device, the steps that have certainly ended at a point of a
// program. "Certainly" means by the order of the steps, whatever time they take.
//
// In the literature: vector clock (Fidge 1988; Mattern 1988).
type VectorClock [Lanes]int32

// Max is the clock at the later of two points: the greater count of each device.
func (a VectorClock) Max(b VectorClock) VectorClock {
	for k := range a {
		a[k] = max(a[k], b[k])
	}
	return a
}

// Clocks holds the vector clocks of the devices after some steps. The zero value is a
// program without steps.
type Clocks struct {
	steps VectorClock        // steps so far, by device
	start [Lanes]VectorClock // the clock at the start of each device's last step
}

// Advance appends a step of a device. The step waits for the point whose clock is after. It
// returns the clock at the end of the step, and whether the step follows: its device had a
// step before, and the step waits for no further step of the other device.
func (c *Clocks) Advance(lane int, after VectorClock) (end VectorClock, follows bool) {
	now := c.start[lane].Max(after)
	follows = c.steps[lane] > 0 && now[1-lane] == c.start[lane][1-lane]
	c.steps[lane]++
	c.start[lane] = now
	now[lane] = c.steps[lane]
	return now, follows
}
