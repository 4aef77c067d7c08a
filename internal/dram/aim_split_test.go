package dram

import (
	"maps"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// aimSplitTiming is that of the machine in docs/aim-split.json: the groups are 28 cycles apart, the last 84 behind the first.
func aimSplitTiming() Timing {
	t := aimTiming()
	t["faw_ck"] = 28
	return t
}

// aimSplitWaits are the waits that differ from aim's, in cycles. A command that does not act on one group after the other waits 84 cycles
// more than on aim, since the fourth group is three times tFAW, 28 cycles, behind the first. A MAC register or the global buffer is accessed
// 86 cycles after the last MAC of the first group: 32 of them pass in the change of mode between, which leaves 54.
const aimSplitWaits = `
PREA    ACT 116  PRE 116  REFab 116
ACT16   ACT 173  PRE 138  RD 120  WR 112  MAC 140  RDCP 150  WRCP 132  WRA16 112  ACT16 112
MAC16   PRE 96   RD 86    MAC 86  RDCP 86  WRGB 54  RDMAC16 54  RDAF16 54  WRMAC16 54
AF16    PRE 96   WRGB 54  RDMAC16 54  RDAF16 54  WRMAC16 54
EWMUL16 PRE 123  RD 86    WR 86   MAC 86   RDCP 86  WRCP 86  WRA16 86  WRGB 54  RDMAC16 54  RDAF16 54  WRMAC16 54
`

func TestAimSplitWaits(t *testing.T) {
	waits := func(s *Standard, timing Timing) map[string]int64 {
		book, err := s.book(timing)
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]int64{}
		for l := range levels {
			for a := range s.Ops {
				for b := range s.Ops {
					if w := book.longest(l, Op(a), Op(b)); w > 0 {
						all[strconv.Itoa(int(l))+" "+s.Ops[a].Name+" "+s.Ops[b].Name] = w
					}
				}
			}
		}
		return all
	}
	want := waits(aim, aimTiming())
	for _, line := range strings.Split(strings.TrimSpace(aimSplitWaits), "\n") {
		cells := strings.Fields(line)
		for i := 1; i < len(cells); i += 2 {
			n, err := strconv.ParseInt(cells[i+1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			want["0 "+cells[0]+" "+cells[i]] = n
		}
	}
	if d := cmp.Diff(want, waits(aimSplit, aimSplitTiming())); d != "" {
		t.Error(d)
	}
	near := maps.Clone(aimSplitTiming())
	near["faw_ck"] = 0
	if d := cmp.Diff(waits(aim, aimTiming()), waits(aimSplit, near)); d != "" {
		t.Errorf("groups at no distance: %s", d)
	}
}

// TestAimSplitRow: two rows and a read by hand. TMOD 1, WRMAC16 33, TMOD 34, ACT16 66, 64 MAC16 56 later from 122 to 248,
// PREA 260, ACT16 292, MAC16 348 to 474, TMOD 54 after the last at 528, RDMAC16 560: 86 after the last MAC16.
func TestAimSplitRow(t *testing.T) {
	row := func() Stream {
		return Stream{Do(Command{Op: aimACT16}), Loop(64, Do(Command{Op: aimMAC16}))}
	}
	s := append(append(append(Stream{Do(Command{Op: aimWRMAC16})}, row()...), Do(Command{Op: aimPREA})), row()...)
	r := channel(t, aimSplit, aimSplitTiming()).Run()
	s.Walk(func(c *Command, _ []int) bool {
		r.Issue(c.Op)
		return true
	})
	if at := r.Issue(aimRDMAC16); at != 560 {
		t.Errorf("read in cycle %d", at)
	}
}

// TestAimSplitBlocks: blocks as the mapping writes them, in the engine, the fast-forward and the referee.
func TestAimSplitBlocks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := func(name string, lo, hi int) int { return rapid.IntRange(lo, hi).Draw(t, name) }
		do := func(op Op) Item { return Do(Command{Op: op}) }
		timing := aimSplitTiming()
		timing["faw_ck"] = int64(n("faw", 15, 60))
		timing["refi_ck"] = rapid.SampledFrom([]int64{700, 3333}).Draw(t, "refi")
		row := Stream{do(aimACT16), Loop(n("comps", 1, 64), do(aimMAC16)), do(aimPREA)}
		block := append(Stream{Loop(n("inits", 1, 4), do(aimWRMAC16))}, Loop(n("rows", 1, 4), row...), Loop(n("reads", 1, 4), do(aimRDMAC16)))
		same(t, aimSplit, timing, Stream{Loop(n("fills", 1, 12), append(Stream{Loop(n("fill", 1, 64), do(aimWRGB))}, block...)...)})
	})
}
