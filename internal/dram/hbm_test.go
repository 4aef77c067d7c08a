package dram

import (
	"slices"

	"pgregory.net/rapid"
)

// hbmTiming is that of the machine hbm-pim.
func hbmTiming() Timing {
	return Timing{
		"bl_ck": 2, "ccds_ck": 2, "ccdl_ck": 4, "ccdab_ck": 4, "rcdrd_ck": 14, "rcdwr_ck": 10, "rp_ck": 14, "ras_ck": 34, "rc_ck": 48,
		"rrds_ck": 4, "rrdl_ck": 6, "faw_ck": 30, "wr_ck": 16, "rtpl_ck": 5, "wtrs_ck": 6, "wtrl_ck": 9, "cl_ck": 20, "cwl_ck": 8,
		"mode_extra_ck": 0, "fence_ck": 0, "rfc_ck": 260, "refi_ck": 3900,
	}
}

// hbmVisits draws a stream of visits to rows, registers and modes.
func hbmVisits(t *rapid.T) []Op {
	ops := []Op{hbmACTMR, hbmPREMR}
	for range rapid.IntRange(1, 40).Draw(t, "visits") {
		ops = append(ops, hbmACTAB)
		for range rapid.IntRange(0, 3).Draw(t, "runs") {
			op := rapid.SampledFrom([]Op{hbmRDAB, hbmWRAB, hbmRDAB, hbmWRAB, hbmWRREG, hbmFENCE}).Draw(t, "column")
			ops = append(ops, slices.Repeat([]Op{op}, rapid.SampledFrom([]int{1, 2, 8, 32, 300}).Draw(t, "columns"))...)
		}
		ops = append(ops, hbmPREA)
	}
	return append(ops, hbmACTMR, hbmPREMR)
}
