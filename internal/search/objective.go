package search

import (
	"pimflow/internal/candidate"
	"pimflow/internal/device"
	"pimflow/internal/fault"
	"pimflow/internal/nearest"
)

// Objective is the objective of a search, which it minimizes. The zero value is Latency.
type Objective int

// The objectives, all of the whole program.
const (
	Latency Objective = iota // the makespan
	Energy                   // standby included
	EDP                      // the energy-delay product
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
	return 0, fault.Usagef("objective %.80q is not known: one of %s wanted%s", name, fault.Names(objectives[:]), nearest.Hint(name, objectives))
}

// value is the objective of a program of a makespan and an energy, in pJ without standby power,
// which is in pJ a nanosecond. It grows with both.
func (o Objective) value(t device.Time, work, standby float64) float64 {
	switch energy := work + standby*t.NS(); o {
	case Energy:
		return energy
	case EDP:
		return energy * t.NS()
	}
	return float64(t)
}

// around is the objective made linear near a program: its tangent; for EDP, that of its
// logarithm.
func (o Objective) around(t device.Time, work, standby float64) candidate.Linear {
	switch ns := t.NS(); {
	case o == Energy:
		return candidate.Linear{Time: standby / 1e3, Energy: 1}
	case o == EDP && ns > 0 && work+standby*ns > 0:
		energy := work + standby*ns
		return candidate.Linear{Time: (1/ns + standby/energy) / 1e3, Energy: 1 / energy}
	}
	return candidate.Linear{Time: 1}
}
