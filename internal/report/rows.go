package report

import (
	"pimflow"

	"pimflow/internal/emit"
	"pimflow/internal/trace"
)

// Rows are the rows of a result as CSV writes them: those of the table that its text has.
func Rows(result any) any {
	switch r := result.(type) {
	case *pimflow.Report:
		return r.Layers
	case *Explain:
		if r.Layer != nil {
			return r.Layer.Options
		}
		return r.Layers
	case *Diff:
		return r.Layers
	case *Memory:
		return r.Steps
	case *emit.Manifest:
		return r.Steps
	case *trace.Audit:
		return r.First
	case *Operators:
		return r.Operators
	case *Validation:
		return r.Rows
	case *Calibration:
		return r.sets()
	case *Sensitivity:
		return r.changes()
	case *Launches:
		return r.rows()
	case *List:
		return r.Entries
	case *Built:
		return r.Parts
	case *Glossary:
		return r.Words
	}
	return nil
}

// calibrationRow is a set of measurements, and whether it is of those that were fitted to.
type calibrationRow struct {
	Table string `json:"table"` // data or eval
	SetScore
}

func (r *Calibration) sets() (list []calibrationRow) {
	for _, s := range r.Data {
		list = append(list, calibrationRow{"data", s})
	}
	for _, s := range r.Eval {
		list = append(list, calibrationRow{"eval", s})
	}
	return list
}

// sensitivityRow is a change of a constant.
type sensitivityRow struct {
	Name   string  `json:"name"`
	Own    string  `json:"unchanged"`
	Effect float64 `json:"effect"`
	ConstantChange
}

func (s *Sensitivity) changes() (list []sensitivityRow) {
	for _, c := range s.Constants {
		for _, change := range c.Changes {
			list = append(list, sensitivityRow{c.Name, c.Value, c.Effect, change})
		}
	}
	return list
}

// launchesRow is a way to launch work for a network.
type launchesRow struct {
	Model string `json:"model"`
	LaunchRow
}

func (l *Launches) rows() (list []launchesRow) {
	for _, m := range l.Models {
		for _, x := range m.Rows {
			list = append(list, launchesRow{m.Model, x})
		}
	}
	return list
}
