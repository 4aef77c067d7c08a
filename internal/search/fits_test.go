package search

import (
	"pimflow/internal/memory"
	"pimflow/internal/plan"
	"pimflow/internal/program"
)

// memoryOf is a memory without room for any weights.
type memoryOf struct{ asked int }

// refuse is Target.Fits.
func (m *memoryOf) refuse(p *program.Program) error {
	var full *memory.FullError
	for _, s := range p.Steps {
		if s.Device != plan.PIM {
			continue
		}
		if full == nil {
			full = &memory.FullError{Node: s.Node}
		}
		full.Nodes = append(full.Nodes, s.Node)
	}
	if m.asked++; full == nil {
		return nil
	}
	return full
}
