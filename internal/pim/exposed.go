package pim

import (
	"maps"

	"pimflow/internal/dram"
	"pimflow/internal/hw"
)

// Exposed returns the timing of a machine on which a buffer write takes its time, a column
// access of the row for each part of the buffer, before anything follows. (On the artifact 32
// x nCCDS; its switch is RAMULATOR_DISABLE_GWRITE_LATENCY_HIDING.) Where commands write single
// columns, these always take their time, and the timing is returned as it is.
func Exposed(p *hw.PIM) dram.Timing {
	t := maps.Clone(dram.Timing(p.Timing))
	for i := range dialects {
		if d := &dialects[i]; d.standard == p.Standard && d.gap != "" {
			t[d.gap] = int64(p.Columns()) * t["ccds_ck"]
		}
	}
	return t
}
