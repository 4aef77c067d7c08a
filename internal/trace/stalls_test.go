package trace

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pimflow/internal/pim"
)

func streamsOf(t testing.TB, s *Simulator, text string) *Stream {
	t.Helper()
	all, err := s.Streams(t.Context(), []string{"-"}, strings.NewReader(text), true, silent)
	if err != nil {
		t.Fatal(err)
	}
	return &all.Streams[0]
}

// TestStalls: on newton (tRCDR 22, tRAS 53, tCCD 2, tCL 22, a burst of 2) a row is opened in cycle 2, multiplied in 24, read in 26 and closed in 55; a log
// whose precharge is five cycles later has as much idle time.
func TestStalls(t *testing.T) {
	s := simulator(t, "newton")
	want := &pim.Spent{
		Cycles: 55, Commands: 5,
		Stalls: []pim.Stall{{Rule: "tRCDR", Cycles: 21}, {Rule: "tCCD to READRES", Cycles: 1}, {Rule: "tRAS", Cycles: 28}},
		Open:   []pim.Open{{Banks: "0-3", Cycles: 53}, {Banks: "4-7"}, {Banks: "8-11"}, {Banks: "12-15"}},
	}
	x := streamsOf(t, s, "pimflow stream 1 newton\nGWRITE0 buf=0 data=0\nG_ACT0 row=0\nCOMP0 row=0 col=0 buf=0\nREADRES data=0\nPREA\n")
	if diff := cmp.Diff(want, x.Spent); diff != "" {
		t.Error(diff)
	}
	x = streamsOf(t, s, "cycle,command\n1,GWRITE0\n2,G_ACT0\n24,COMP0\n26,READRES\n60,PREA\n")
	want.Cycles, want.Open[0].Cycles = 60, 58
	want.Stalls = append(want.Stalls, pim.Stall{Rule: "idle", Cycles: 5})
	if diff := cmp.Diff(want, x.Spent); diff != "" {
		t.Error(diff)
	}
	x = streamsOf(t, s, "command\nREADRES\n")
	if n := len(x.Spent.Stalls); n != 1 || x.Spent.Stalls[0].Rule != "end" || x.Spent.Stalls[0].Cycles != x.Spent.Cycles-1 {
		t.Errorf("%+v", x.Spent)
	}
}

// TestStallsAddUp: commands and waits are all cycles of long streams with refreshes and changes of mode.
func TestStallsAddUp(t *testing.T) {
	for machine, text := range map[string]string{
		"newton":     "pimflow stream 1 newton\nloop 400 {\nGWRITE1 buf=0 data=16i\nG_ACT0 row=0\nG_ACT3 row=0\nloop 7 {\nCOMP1 row=0 col=j buf=0\n}\nREADRES data=16i\nPREA\n}\n",
		"lpddr5-aim": "pimflow stream 1 lpddr5-aim\nloop 400 {\nWRGB buf=0 data=16i\nWRMAC16 acc=0\nACT16-2 row=0\nloop 7 {\nMAC16 row=0 col=j acc=0\n}\nRDMAC16 acc=0 data=16i\nPREA\n}\n",
		"aim":        "pimflow stream 1 aim\nloop 400 {\nWRGB buf=0 data=16i\nWRMAC16 acc=0\nACT16 row=0\nloop 7 {\nMAC16 row=0 col=j acc=0\n}\nRDMAC16 acc=0 data=16i\nPREA\n}\n",
	} {
		x := streamsOf(t, simulator(t, machine), text)
		sum := x.Spent.Commands
		rules := map[string]bool{}
		for _, r := range x.Spent.Stalls {
			sum += int64(r.Cycles)
			rules[r.Rule] = true
		}
		if sum != x.Cycles || int64(x.Spent.Cycles) != x.Cycles || x.Refreshes == 0 || !rules["tRFC"] || rules["idle"] || machine != "newton" && !rules["mode"] {
			t.Errorf("%s: %d cycles of %d: %+v", machine, sum, x.Cycles, x.Spent)
		}
		if open := x.Spent.Open[0].Cycles; open < 1 || int64(open) > x.Cycles {
			t.Errorf("%s: rows are open for %d cycles", machine, open)
		}
	}
}
