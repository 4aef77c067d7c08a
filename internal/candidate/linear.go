package candidate

import "pimflow/internal/device"

// Linear is a linear objective of the makespan and the energy of a program: the values of
// parts of a program add up. A change that lessens it lessens the objective that it
// approximates, which is linear or, as the logarithm of a product, concave.
//
// In the literature: a weighted sum (scalarization) of two objectives.
type Linear struct {
	Time   float64 // a picosecond
	Energy float64 // a pJ
}

// Of is the objective of a time and an energy in pJ.
func (o Linear) Of(t device.Time, energy float64) float64 {
	return o.Time*float64(t) + o.Energy*energy
}

// Sum is the objective of windows one after the other.
func (o Linear) Sum(list []*Window) (v float64) {
	for _, w := range list {
		v += o.Of(w.Time, w.Energy)
	}
	return v
}

// Weights of ties: a picosecond of device time, and of a node's completion time, beside a
// picosecond of makespan (estimated: small enough to order only windows of equal makespan).
// Needless work and late nodes are in the way of further moves.
const (
	busyWeight       = 1e-12
	completionWeight = 1e-11
)

// Cost is the objective of a window, with ties broken by device time and completion times.
func (o Linear) Cost(w *Window) float64 {
	return o.Of(w.Time, w.Energy) + o.Time*(busyWeight*float64(w.Busy[0]+w.Busy[1])+completionWeight*w.Completion)
}

// Alone is the objective of a partition whose devices work at the same time.
func (o Linear) Alone(p *Partition) float64 {
	return o.Of(max(p.Busy[0], p.Busy[1]), p.Energy)
}
