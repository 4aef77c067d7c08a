package search

import (
	"fmt"

	"pimflow/internal/candidate"
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

// around makes an objective linear near a program.
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
