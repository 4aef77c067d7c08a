package program

import "pimflow/internal/plan"

// Fuse launches steps together with the step before on the same device where their code
// can be (device.Cost.Joint) and they wait for nothing of the other device that this one
// did not wait for. That follows from who waits for whom, not from times: whatever steps
// take, what the later ones read of the other device is made when the first is launched.
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

// Lanes is how many devices work at once.
const Lanes = 2

// Lane numbers the devices.
func Lane(device string) int {
	if device == plan.PIM {
		return 1
	}
	return 0
}

// VectorClock is how many steps of each device have ended at a point of a program, as far as
// who waits for whom says.
type VectorClock [Lanes]int32

// Max is what has ended at the later of two points.
func (a VectorClock) Max(b VectorClock) VectorClock {
	for k := range a {
		a[k] = max(a[k], b[k])
	}
	return a
}

// Clocks is the steps of a program so far.
type Clocks struct {
	steps VectorClock
	last  [Lanes]VectorClock // what has ended when the device's last step starts
}

// Advance appends a step that waits for what has ended at a point. It returns what has
// ended when the step ends, and whether it follows on its device's step before without
// waiting for anything else of the other device.
func (o *Clocks) Advance(lane int, after VectorClock) (ends VectorClock, follows bool) {
	seen := o.last[lane].Max(after)
	follows = o.steps[lane] > 0 && seen[1-lane] == o.last[lane][1-lane]
	o.steps[lane]++
	o.last[lane] = seen
	seen[lane] = o.steps[lane]
	return seen, follows
}
