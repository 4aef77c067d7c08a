package search

import (
	"fmt"

	"pimflow/internal/device"
	"pimflow/internal/nearest"
)

// Objective is what a search makes small. The zero value is latency.
type Objective int

// The objectives. All of them are of the whole program.
const (
	Latency Objective = iota // its time
	Energy                   // the values of all its energies, standby included
	EDP                      // the product of both
)

var objectives = []string{"latency", "energy", "edp"}

// Objectives lists them.
func Objectives() []Objective { return []Objective{Latency, Energy, EDP} }

// String is the objective's name in commands.
func (o Objective) String() string { return objectives[o] }

// ParseObjective is the inverse of String.
func ParseObjective(name string) (Objective, error) {
	for i, n := range objectives {
		if n == name {
			return Objective(i), nil
		}
	}
	return 0, fmt.Errorf("objective %q is not known: one of %q wanted%s", name, objectives, nearest.Hint(name, objectives))
}

// value is the objective of a program that takes a time and work, in pJ without
// standby. It grows with both.
func (o Objective) value(t device.Time, work, standby float64) float64 {
	switch energy := work + standby*t.NS(); o {
	case Energy:
		return energy
	case EDP:
		return energy * t.NS()
	}
	return float64(t)
}

// objective is an Objective made linear: parts of a program then add up. A change
// that lessens it lessens the objective itself, which is linear or, as the logarithm
// of a product, concave.
type objective struct {
	perTime, perWork float64
}

// around makes an objective linear near a program.
func (o Objective) around(t device.Time, work, standby float64) objective {
	switch ns := t.NS(); {
	case o == Energy:
		return objective{standby / 1e3, 1}
	case o == EDP && ns > 0 && work+standby*ns > 0:
		energy := work + standby*ns
		return objective{(1/ns + standby/energy) / 1e3, 1 / energy}
	}
	return objective{1, 0}
}

// of is the objective of a time and work.
func (o objective) of(t device.Time, work float64) float64 {
	return o.perTime*float64(t) + o.perWork*work
}

// sum is the objective of stretches one after the other.
func (o objective) sum(list []*stretch) (v float64) {
	for _, t := range list {
		v += o.of(t.time, t.work)
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
func (o objective) cost(t *stretch) float64 {
	return o.of(t.time, t.work) + o.perTime*(idle*float64(t.busy[0]+t.busy[1])+early*t.ends)
}

// alone is the objective of a division whose devices work at the same time.
func (o objective) alone(d *division) float64 {
	return o.of(max(d.busy[0], d.busy[1]), d.work)
}
