package pimflow

import (
	"fmt"
	"io"
	"slices"

	"pimflow/internal/fault"
	"pimflow/internal/hw"
	"pimflow/internal/pim"
	"pimflow/internal/plan"
	"pimflow/internal/platform"
)

// Machine is a GPU and its memory channels, some of which compute. It does not change: Set
// returns another one.
type Machine struct {
	hw      *hw.Machine
	from    string   // what it was loaded by
	changes []string // keys set since
}

// LoadMachine returns a machine that Machines lists, or that of a .json file; "newton+t4" is
// newton with the GPU t4. An error names the file, the line, the key and what is wanted, or the
// number that a device refuses.
func LoadMachine(name string) (*Machine, error) {
	m, err := hw.Load(name)
	if err != nil {
		return nil, err
	}
	return place(&Machine{hw: m, from: name})
}

// place checks that devices can be made of a machine.
func place(m *Machine) (*Machine, error) {
	if err := devices(m.hw); err != nil {
		return nil, fmt.Errorf("%s: %w", m.from, err)
	}
	return m, nil
}

// devices is the error of making a machine's devices.
func devices(m *hw.Machine) error {
	if !pim.Mapped(m) { // it may be shown; a plan is refused
		return nil
	}
	t, err := platform.Target(m, platform.Makers{})
	if err == nil {
		_, err = t.Devices(m.Memory.PIMChannels, plan.Extended)
	}
	return err
}

// Machines lists the names of the machines that are built in, in order.
func Machines() []string { return hw.Names() }

// Machine returns the session's.
func (s *Session) Machine() *Machine { m := s.on; return &m }

// Name returns the machine's name.
func (m *Machine) Name() string { return m.hw.Name }

// Set returns a machine with keys changed, each written as "memory.pim_channels=8": a key that
// Print shows, and a number, true or false, or a text. Numbers that follow from others are computed
// again. The error of a key that there is not names the nearest; that of a value says what is
// wanted, and what no DRAM could be is refused.
func (m *Machine) Set(keys ...string) (*Machine, error) {
	c, err := m.hw.Set(keys...)
	if err != nil {
		return nil, err
	}
	changed := &Machine{c, m.from, append(slices.Clone(m.changes), keys...)}
	return changed, changed.blame(devices(c))
}

// blame marks the error of a machine as one of its changes, where there is none without them.
func (m *Machine) blame(err error) error {
	if err == nil || len(m.changes) == 0 {
		return err
	}
	if _, before := LoadMachine(m.from); before != nil {
		return err
	}
	return fault.As(fault.Usage, err)
}

// WithGPU returns the machine with another GPU, one that pimflow gpu lists or a .json file; its
// memory channels stay, and keys that were set are set again.
func (m *Machine) WithGPU(nameOrFile string) (*Machine, error) {
	c, from, err := hw.LoadWith(m.from, nameOrFile, m.changes)
	if err != nil {
		return nil, err
	}
	return place(&Machine{c, from, m.changes})
}

// Print writes the machine as JSON that LoadMachine reads from a file: each number with its
// unit in the key and its source beside it, and derived figures, which are not read.
func (m *Machine) Print(w io.Writer) error { return m.hw.Show(w) }
