package hw

import (
	"embed"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	"pimflow/internal/nearest"
)

// Board is a GPU as sold, in its own file: the gpu object of a machine, with the memory and
// the software of its measurements. `pimflow calibrate` writes such files.
type Board struct {
	Name         string             `json:"name"`
	About        string             `json:"about"`        // a sentence for people
	Architecture string             `json:"architecture"` // as "turing"; its boards share fitted parameters
	Memory       BoardMemory        `json:"memory"`
	Capped       bool               `json:"power_capped"`        // its clock under load is unknown and fitted
	Start        map[string]float64 `json:"start_us" want:">=0"` // launch and ramp of a kernel, by software stack
	LaunchFrom   string             `json:"launch_from"`         // the key of Start from which gpu.launch_ck is computed
	GPU          GPU                `json:"gpu"`

	// Sources and Given are as in Machine.
	Sources map[string]string `json:"-"`
	Given   map[string]Given  `json:"-"`
}

// BoardMemory is the DRAM of a board. None of it computes.
type BoardMemory struct {
	Channels    int     `json:"channels" want:"1..1024"`
	ChannelGBps float64 `json:"channel_gb_per_s" want:">0"`
	ChannelL2   int64   `json:"l2_per_channel_bytes" want:">0"`
}

//go:embed gpus/*.json
var boards embed.FS

// BoardNames returns the names of the built-in GPUs, sorted.
func BoardNames() []string { return namesIn(boards, "gpus") }

// LoadBoard returns the built-in GPU of that name, or reads a file if the argument contains a
// slash or ends in .json.
func LoadBoard(nameOrPath string) (*Board, error) {
	name, data, err := find(boards, "gpus", "GPU", nameOrPath)
	if err != nil {
		return nil, err
	}
	return ParseBoard(name, data)
}

// ParseBoard reads a GPU file. Its errors are those of Parse.
func ParseBoard(name string, data []byte) (*Board, error) {
	b := &Board{Sources: map[string]string{}, Given: map[string]Given{}}
	v := reflect.ValueOf(b).Elem()
	if err := newDecoder(name, data, b.Sources, b.Given).whole(v); err != nil {
		return nil, err
	}
	if err := checkName(b.Name); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := derive(v, b.Given, nil); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if _, ok := b.Start[b.LaunchFrom]; !ok {
		return nil, fmt.Errorf("%s: launch_from: %.80q is no key of start_us%s", name, b.LaunchFrom, nearest.Hint(b.LaunchFrom, slices.Sorted(maps.Keys(b.Start))))
	}
	return b, nil
}

// Print writes the GPU as JSON with the source of each number. ParseBoard reads it back to an
// equal board.
func (b *Board) Print(w io.Writer) error {
	return write(w, reflect.ValueOf(b).Elem(), b.Sources, b.Given)
}

// Clone returns a deep copy.
func (b *Board) Clone() *Board {
	c := *b
	c.Start, c.Sources, c.Given = maps.Clone(b.Start), maps.Clone(b.Sources), maps.Clone(b.Given)
	return &c
}

// Machine is the board as a machine without PIM channels, with elements of that many bytes.
// It has no sources and is not for printing.
func (b *Board) Machine(elementSize int) *Machine {
	return &Machine{Name: b.Name, About: b.About, GPU: b.GPU, Memory: Memory{Channels: b.Memory.Channels,
		ChannelGBps: b.Memory.ChannelGBps, ChannelL2: b.Memory.ChannelL2, ElementSize: elementSize}}
}

// WithGPU returns the machine with the GPU of a board. The memory channels, with their
// bandwidth and L2, stay those of the machine. Numbers that follow from the GPU's are
// computed again.
func (m *Machine) WithGPU(b *Board) (*Machine, error) {
	c := *m
	c.Name = m.Name + "+" + b.Name
	c.GPU = b.GPU
	c.Sources, c.Given = exchanged(m.Sources, b.Sources), exchanged(m.Given, b.Given)
	if c.Start().Value > 0 || c.Launch.GPU != Stream {
		c.Given["gpu.launch_ck"] = Given{Formula: startFormula}
	}
	if err := c.Derive(); err != nil {
		return nil, fmt.Errorf("machine %s: %w", c.Name, err)
	}
	return &c, nil
}

// exchanged takes what is of the GPU from another file.
func exchanged[T any](of, with map[string]T) map[string]T {
	all := maps.Clone(of)
	maps.DeleteFunc(all, func(path string, _ T) bool { return strings.HasPrefix(path, "gpu.") })
	for path, x := range with {
		if strings.HasPrefix(path, "gpu.") {
			all[path] = x
		}
	}
	return all
}
