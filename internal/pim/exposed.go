package pim

import (
	"maps"

	"pimflow/internal/dram"
	"pimflow/internal/hw"
)

// Exposed returns the timing of a machine on which a buffer write takes its time,
// a column access of the row for each part of the buffer, before anything follows
// (32 x nCCDS on the artifact, whose switch is RAMULATOR_DISABLE_GWRITE_LATENCY_HIDING).
// Where buffer writes move single columns they always take their time, and it
// returns the timing as it is.
func Exposed(p *hw.PIM) dram.Timing {
	t := maps.Clone(dram.Timing(p.Timing))
	for i := range dialects {
		if d := &dialects[i]; d.standard == p.Standard && d.gap != "" {
			t[d.gap] = int64(p.Columns) * t["ccds_ck"]
		}
	}
	return t
}
