package candidate

import "pimflow/internal/device"

// objective is an Objective made linear: parts of a program then add up. A change
// that lessens it lessens the objective itself, which is linear or, as the logarithm
// of a product, concave.
type Linear struct {
	Time, Energy float64
}

// of is the objective of a time and work.
func (o Linear) Of(t device.Time, work float64) float64 {
	return o.Time*float64(t) + o.Energy*work
}

// sum is the objective of stretches one after the other.
func (o Linear) Sum(list []*Window) (v float64) {
	for _, t := range list {
		v += o.Of(t.Time, t.Energy)
	}
	return v
}

// What a picosecond counts beside one of the program's time, only between programs
// that take the same: of a busy device, and of a node's end. Work that is not needed,
// and nodes that end late without being waited for, are in the way of further moves.
const (
	idle  = 1e-12
	early = 1e-11
)

// cost is the objective of a stretch, which also tells those apart that take the same.
func (o Linear) Cost(t *Window) float64 {
	return o.Of(t.Time, t.Energy) + o.Time*(idle*float64(t.Busy[0]+t.Busy[1])+early*t.Ends)
}

// alone is the objective of a division whose devices work at the same time.
func (o Linear) Alone(d *Partition) float64 {
	return o.Of(max(d.Busy[0], d.Busy[1]), d.Energy)
}
