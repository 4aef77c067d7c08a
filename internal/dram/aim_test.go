package dram

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// aimTiming is that of aim_simulator's GDDR6_AiM_timing.
func aimTiming() Timing {
	return Timing{
		"bl_ck": 2, "ccds_ck": 2, "ccdl_ck": 2, "rcdrd_ck": 36, "rcdrdmac_ck": 56, "rcdewmul_ck": 25, "rcdrdaf_ck": 86,
		"rcdrdcp_ck": 66, "rcdwr_ck": 28, "rcdwrcp_ck": 48, "rp_ck": 32, "ras_ck": 54, "rc_ck": 89, "rrds_ck": 5, "rrdl_ck": 6,
		"wr_ck": 33, "rtp_ck": 12, "wtrs_ck": 9, "wtrl_ck": 11, "cl_ck": 50, "cwl_ck": 6, "clreg_ck": 0, "cwlreg_ck": 1,
		"cwlgb_ck": 1, "wpre_ck": 1, "modch_ck": 32, "rfc_ck": 210, "refi_ck": 3333,
	}
}

// aimWaits are the cycles from a command to another in the same channel as the device
// has them, by row and column in the order of the standard's commands.
const aimWaits = `
ACT       5 54  .  .  . 89  . 56 86 25  .  .  .  .  .  . 28  .
PREA     32 32 32  .  . 32  .  .  .  .  .  .  .  .  .  .  .  .
PRE       . 32  .  .  . 32  .  .  .  .  .  .  .  .  .  .  .  .
RD        . 12  .  2 50  .  2  2  .  2  2  . 55  2  2 55 50  .
WR        . 41  . 17  2  .  .  .  .  2  .  2  2 19 19  2  2  .
ACT16    89 54 54 36 28 89 56 56 86 25 66 48  .  .  .  . 28  .
MAC       . 12  .  2  .  .  2  2  .  2  2  .  .  2  2  .  .  .
MAC16     . 12 12  2  .  .  2  2  .  2  2  .  .  2  2  .  .  .
AF16      . 12 12  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
EWMUL16   . 39 39  2  2  .  2  2  .  2  2  2  .  2  2  2  2  .
RDCP      . 12  .  2  .  .  2  2  .  2  2  .  .  2  2  .  .  .
WRCP      . 41  .  .  2  .  .  .  .  2  .  2  2  .  .  2  2  .
WRGB      .  .  . 12  2  .  .  .  .  .  .  2  2 12 12  2  2  .
RDMAC16   .  .  .  2  .  .  2  2  .  2  2  .  5  2  2  5  .  .
RDAF16    .  .  .  2  .  .  2  2  .  2  2  .  5  2  2  5  .  .
WRMAC16   .  .  . 14  2  .  .  .  .  2  .  2  2 14 14  2  2  .
WRA16    73  .  . 19  2 73  .  .  .  2  .  2  2 19 19  2  2  .
`

// TestAimWaits: the rules come to the device's waits, at each level.
func TestAimWaits(t *testing.T) {
	book, err := aim.book(aimTiming())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int64{
		"0 PREA REFab": 32, "0 PRE REFab": 32, "0 WRA16 REFab": 73,
		"0 REFab ACT": 210, "0 REFab ACT16": 210, "0 REFab REFab": 210,
		"1 ACT ACT": 6, "1 WR RD": 19,
		"2 ACT ACT": 89, "2 ACT PRE": 54, "2 ACT RD": 36, "2 ACT WR": 28, "2 ACT MAC": 56, "2 ACT RDCP": 66, "2 ACT WRCP": 48,
		"2 PRE ACT": 32, "2 PRE PRE": 32, "2 RD PRE": 12, "2 MAC PRE": 12, "2 RDCP PRE": 12, "2 WR PRE": 41, "2 WRCP PRE": 41,
	}
	for _, group := range [][]string{{"RD", "MAC", "RDCP"}, {"WR", "WRCP"}} {
		for _, a := range group {
			for _, b := range group {
				want["1 "+a+" "+b] = 2
			}
		}
	}
	for _, line := range strings.Split(strings.TrimSpace(aimWaits), "\n") {
		cells := strings.Fields(line)
		for i, cell := range cells[1:] {
			if cell == "." {
				continue
			}
			n, err := strconv.ParseInt(cell, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			want["0 "+cells[0]+" "+aim.Ops[i].Name] = n
		}
	}
	got := map[string]int64{}
	for l := range levels {
		for a := range aim.Ops {
			for b := range aim.Ops {
				if w := book.longest(l, Op(a), Op(b)); w > 0 {
					got[fmt.Sprint(l, " ", aim.Ops[a].Name, " ", aim.Ops[b].Name)] = w
				}
			}
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
