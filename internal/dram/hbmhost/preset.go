package hbmhost

import (
	"fmt"
	"strings"

	"pimflow/internal/dram"
	"pimflow/internal/nearest"
)

// Timing is the parameters of the model in ticks. Refresh, Interval 0: never.
type Timing struct {
	BL, CL, RCD, RP, RAS, RC, WR, RTPS, RTPL, CWL  int64
	CCDS, CCDL, CCDAB, RRDS, RRDL, WTRS, WTRL, FAW int64
	Interval, Refresh                              int64
}

// presets are the timings of the model (DCC, ISCA 2026, src/Ramulator2/HBMPIM), and HBM2 as UniNDP
// (HPCA 2025) and PIMsim (7bvcxz/PIMsim) have it. Refresh is that of 4 Gb.
var presets = []struct {
	name string
	Timing
}{
	{"HBM2_2.0Gbps", Timing{2, 20, 14, 14, 34, 48, 16, 4, 5, 8, 2, 4, 4, 4, 6, 6, 9, 30, 3900, 260}},
	{"HBM3_4.8Gbps", Timing{2, 17, 17, 17, 41, 58, 20, 5, 8, 5, 2, 4, 6, 2, 4, 8, 10, 36, 4680, 313}},
	{"HBM3_5.2Gbps", Timing{2, 19, 19, 19, 45, 63, 21, 6, 8, 6, 2, 4, 6, 2, 4, 8, 11, 39, 5070, 339}},
	{"HBM3_5.6Gbps", Timing{2, 20, 20, 20, 48, 68, 23, 6, 9, 6, 2, 4, 6, 2, 4, 9, 12, 42, 5460, 365}},
	{"HBM3_6.0Gbps", Timing{2, 21, 21, 21, 51, 72, 24, 6, 9, 6, 2, 4, 6, 2, 4, 9, 12, 45, 5850, 391}},
	{"HBM3_6.4Gbps", Timing{2, 23, 23, 23, 55, 77, 26, 7, 10, 7, 2, 4, 7, 2, 4, 10, 13, 48, 6240, 416}},
}

// free ends the name of a preset without a power limit: accesses of all banks are as close as those of a group.
const free = "_NPC"

// Preset returns the timing of a name. The error names the nearest.
func Preset(name string) (Timing, error) {
	base, unlimited := strings.CutSuffix(name, free)
	var known []string
	for _, p := range presets {
		if p.name == base {
			if unlimited {
				p.CCDAB = p.CCDL
			}
			return p.Timing, nil
		}
		known = append(known, p.name)
	}
	return Timing{}, fmt.Errorf("%.80q: one of %s wanted, or with %s behind it%s", name, strings.Join(known, ", "), free, nearest.Hint(base, known))
}

// Of is the timing of parameters of the standard hbm-pim.
func Of(t dram.Timing) Timing {
	return Timing{
		BL: t["bl_ck"], CL: t["cl_ck"], RCD: t["rcdrd_ck"], RP: t["rp_ck"], RAS: t["ras_ck"], RC: t["rc_ck"], WR: t["wr_ck"], RTPL: t["rtpl_ck"],
		CWL: t["cwl_ck"], CCDS: t["ccds_ck"], CCDL: t["ccdl_ck"], CCDAB: t["ccdab_ck"], RRDS: t["rrds_ck"], RRDL: t["rrdl_ck"],
		WTRS: t["wtrs_ck"], WTRL: t["wtrl_ck"], FAW: t["faw_ck"], Interval: t["refi_ck"], Refresh: t["rfc_ck"],
	}
}

// Check refuses refreshes that never end: an interval that is shorter than closing the rows and two refreshes take.
func (t *Timing) Check() error {
	if least := t.RAS + t.RTPL + 4; t.Interval > 0 && t.Interval < least {
		return fmt.Errorf("refi: %d: 0 or at least %d ticks wanted, in which two refreshes are served", t.Interval, least)
	}
	return nil
}
