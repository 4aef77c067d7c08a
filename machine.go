package pimflow

import (
	"fmt"
	"io"
	"strings"

	"pimflow/internal/hw"
	"pimflow/internal/plan"
	"pimflow/internal/platform"
)

// Machine is a GPU and its memory channels, some of which compute. It does not change: Set
// returns another one.
type Machine struct{ hw *hw.Machine }

// LoadMachine returns a machine that Machines lists, or that of a .json file; "newton+t4" is
// newton with the GPU t4. An error names the file, the line, the key and what is wanted, or the
// number that a device refuses.
func LoadMachine(name string) (*Machine, error) {
	m, err := hw.Load(name)
	if err != nil {
		return nil, err
	}
	t, err := platform.Target(m, platform.Makers{})
	if err == nil {
		_, err = t.Devices(m.Memory.PIMChannels, plan.Extended)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &Machine{m}, nil
}

// Machines lists the names of the machines that are built in, in order.
func Machines() []string { return hw.Names() }

// Machine returns the session's.
func (s *Session) Machine() *Machine { return &Machine{s.machine} }

// Name returns the machine's name.
func (m *Machine) Name() string { return m.hw.Name }

// Set returns a machine with keys changed, each written as "memory.pim_channels=8": a key that
// Print shows, and a number, true or false, or a text. The error for an unknown key names the
// nearest, that for a value what is wanted.
func (m *Machine) Set(keys ...string) (*Machine, error) {
	c := m.hw
	for _, text := range keys {
		key, value, ok := strings.Cut(text, "=")
		if !ok {
			return nil, fmt.Errorf("machine %s: %q: KEY=VALUE wanted, as memory.pim_channels=8", m.hw.Name, text)
		}
		next, err := c.With(key, value)
		if err != nil {
			return nil, fmt.Errorf("machine %s: %w", m.hw.Name, err)
		}
		if from, ok := next.Sources[key]; ok {
			next.Sources[key] = "set; the machine's file has another value, from: " + from
		}
		c = next
	}
	return &Machine{c}, nil
}

// Print writes the machine as JSON that LoadMachine reads from a file: each number with its
// unit in the key and its source beside it.
func (m *Machine) Print(w io.Writer) error { return m.hw.Print(w) }

// loadMachine loads a machine and changes keys of it.
func loadMachine(name string, keys []string) (*hw.Machine, error) {
	m, err := hw.Load(name)
	if err != nil {
		return nil, err
	}
	c, err := (&Machine{m}).Set(keys...)
	if err != nil {
		return nil, err
	}
	return c.hw, nil
}
