package hw

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"pimflow/internal/dram"
)

// Figure is a number that a machine has without its file saying so.
type Figure struct {
	Key   string
	Value float64
	About string
}

// ColumnPS is how long a channel that computes takes for a column access of all its banks.
func (m *Machine) ColumnPS() float64 {
	return m.PIM.Clock.Picoseconds() * float64(m.PIM.Cadence())
}

// InternalGBps is the bandwidth from the banks of a channel to its MAC units, in 1e9 bytes/s.
func (m *Machine) InternalGBps() float64 {
	return 1e3 * float64(m.PIM.MACUnits()*m.PIM.Column) / m.ColumnPS()
}

// Figures derives rates, peaks and sizes. GB are 1e9 bytes.
func (m *Machine) Figures() []Figure {
	mem, p, g := &m.Memory, &m.PIM, &m.GPU
	burst := p.Clock.Picoseconds() * float64(max(p.Timing["bl_ck"], 1))
	internal := m.InternalGBps()
	flops := 2e3 * float64(p.MACUnits()*p.Lanes()) / m.ColumnPS()
	peak := 2 * float64(g.SMs) * g.MACs * g.Clock.GHz()
	rate := mem.ChannelGBps * float64(mem.Channels)
	bank := float64(p.Rows) * float64(p.Row)
	computing, weights := float64(mem.PIMChannels), bank // bytes of a bank, and of its rows that may hold weights
	if std, err := dram.Lookup(p.Standard); err == nil { // an error would have been the machine's
		weights = float64(p.Rows-std.Kept) * float64(p.Row)
	}
	kept := float64(mem.Channels)
	if mem.PIMChannels < mem.Channels {
		kept -= computing
	}
	dirty := float64(mem.ChannelL2) // of a channel
	if g.WriteThrough {
		dirty = 0
	}
	return []Figure{
		{"pin_gbit_per_s", 8 * mem.ChannelGBps / float64(mem.Pins), "of a data pin"},
		{"channel_gb_per_s_from_gpu", mem.ChannelGBps, "of a channel"},
		{"channel_gb_per_s_from_pim", 1e3 * float64(p.Column) / burst, "a column access in a burst"},
		{"memory_gb_per_s", rate, "all channels"},
		{"mac_cadence_ck", float64(p.Cadence()), "a column access of every bank to the next: tCCD, or longer by pim.power_limit_mw"},
		{"mac_power_mw_of_a_channel", 1e3 * p.MACEnergy() / m.ColumnPS(), "column accesses of every bank at that pace, by pim.energy; beyond standby, activations and I/O"},
		{"internal_gb_per_s_of_a_channel", internal, "a column of every bank at that pace"},
		{"internal_gb_per_s", internal * computing, "the channels that compute"},
		{"pim_peak_gflop_per_s_of_a_channel", flops, "two operations a multiplier at that pace"},
		{"pim_peak_gflop_per_s", flops * computing, "the channels that compute"},
		{"gpu_peak_gflop_per_s", peak, "tensor cores"},
		{"gpu_ridge_flop_per_byte", peak / rate, "with every channel"},
		{"capacity_gb", float64(mem.Channels*p.Banks) * bank / 1e9, "all channels"},
		{"pim_capacity_gb", computing * float64(p.Banks) * weights / 1e9, "the channels that compute"},
		{"cold_start_ms_per_gb", 1e3 / (mem.ChannelGBps * max(1, computing)), "weights written once into the channels that compute: pimflow run has a plan's, in no time of it"},
		{"l2_write_back_us", dirty / (1e3 * mem.ChannelGBps), "all of a write-back L2, each slice to its channel: the most that PIM work may have to wait for; in no time"},
		{"remap_us_per_mb", 2e3 / (mem.ChannelGBps * kept), "1e6 bytes read and written by the channels that the GPU keeps, from one address mapping to the other; in no time"},
	}
}

// Show writes what Print does, and after it the figures and the numbers that follow from
// others, as an object "derived" that Parse does not read.
func (m *Machine) Show(w io.Writer) error {
	var b bytes.Buffer
	if err := m.Print(&b); err != nil {
		return err
	}
	b.Truncate(b.Len() - len("\n}\n"))
	b.WriteString(",\n  \"derived\": {\n    \"about\": \"computed from the numbers above, and not read: a change here changes nothing\"")
	for _, f := range m.Figures() {
		fmt.Fprintf(&b, ",\n    %q: {\"value\": %.6g, \"about\": %q}", f.Key, f.Value, f.About)
	}
	constants := m.Constants()
	for _, path := range slices.Sorted(maps.Keys(m.Given)) {
		i := slices.IndexFunc(constants, func(c Constant) bool { return c.Path == path })
		text := constants[i].Text
		if strings.Contains(text, "/") {
			text = fmt.Sprintf("%q", text)
		}
		fmt.Fprintf(&b, ",\n    %q: %s", path, text)
	}
	b.WriteString("\n  }\n}\n")
	_, err := w.Write(b.Bytes())
	return err
}
