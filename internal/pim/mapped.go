package pim

import (
	"slices"

	"pimflow/internal/hw"
)

// Mapped reports whether there is a mapping of layers to the DRAM standard of a machine. Without one its commands are timed and
// audited, and no network runs on it.
func Mapped(m *hw.Machine) bool {
	return slices.ContainsFunc(dialects, func(d dialect) bool { return d.standard == m.PIM.Standard })
}

// Machines lists the machines of the program that there is a mapping to, in order.
func Machines() []string {
	return slices.DeleteFunc(hw.Names(), func(name string) bool {
		m, err := hw.Load(name)
		return err == nil && !Mapped(m)
	})
}
