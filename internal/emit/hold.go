package emit

import (
	"fmt"

	"pimflow/internal/device"
	"pimflow/internal/fault"
)

// Taken is what a stream of a folder takes.
type Taken struct {
	Cycles int64
	Issued device.Counts // with those of refreshes and changes of mode
	Timed  bool          // its file has cycles
	// Those of the stream itself, without refreshes, where the file has no cycles.
	Unrefreshed int64
	Commands    int64
}

// Hold is the error of a stream that takes other cycles or other commands than the manifest says.
func (m *Manifest) Hold(name string, c *Channel, t *Taken) error {
	h := holder{name: name}
	h.hold(t.Cycles, c.Last, "cycles")
	if t.Timed != m.Timed {
		h.fail("its lines have cycles: %v", t.Timed, "%v wanted, timed", m.Timed)
	}
	h.issued(t.Issued, c.Issued, func(string) bool { return true })
	if !t.Timed {
		h.hold(t.Unrefreshed, c.Bare, "cycles without refreshes")
		h.hold(t.Commands, c.Commands, "commands")
	}
	return h.err
}

// endOfCode is the cycles of EOC: the host decodes it, and waits for its answer.
const endOfCode = 2

// HoldHost is Hold of host instructions, which request neither refreshes nor the last precharge.
func (m *Manifest) HoldHost(name string, c *Channel, cycles int64, issued device.Counts) error {
	if cycles != c.Requested+endOfCode {
		return fault.As(fault.Infeasible, fmt.Errorf("%s: %d cycles: %d wanted, those of %s and %d of EOC", name, cycles, c.Requested+endOfCode, ManifestName, endOfCode))
	}
	h := holder{name: name}
	h.issued(issued, c.Issued, func(kind string) bool { return requested[kind] })
	return h.err
}

// requested are the commands that instructions request.
var requested = map[string]bool{"WRGB": true, "MAC16": true, "WRMAC16": true, "RDMAC16": true}

// holder keeps the first error of a stream.
type holder struct {
	name string
	err  error
}

func (h *holder) hold(value, wanted int64, what string) {
	if value != wanted {
		h.fail("%d "+what, value, "%d wanted, those", wanted)
	}
}

// issued holds counts of commands by name.
func (h *holder) issued(list, wanted device.Counts, held func(kind string) bool) {
	want := map[string]int64{}
	for _, n := range wanted {
		want[n.Kind] = n.N
	}
	for _, n := range list {
		if held(n.Kind) {
			h.hold(n.N, want[n.Kind], "commands "+n.Kind)
		}
	}
}

func (h *holder) fail(is string, value any, wanted string, want any) {
	if h.err == nil {
		h.err = fault.As(fault.Infeasible, fmt.Errorf("%s: "+is+": "+wanted+" of %s", h.name, value, want, ManifestName))
	}
}
