package dram_test

import (
	"encoding/csv"
	"maps"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pimflow/internal/dram"
	"pimflow/internal/dram/aimhost"
)

// hbmPresets are timings by preset, those without a power limit left out, in the order of hbmColumns.
var hbmPresets = map[string][]int64{
	"HBM2_2.0Gbps": {2, 20, 14, 10, 14, 34, 48, 16, 5, 8, 2, 4, 4, 4, 6, 6, 9, 30},
	"HBM3_5.2Gbps": {2, 19, 19, 19, 19, 45, 63, 21, 8, 6, 2, 4, 6, 2, 4, 8, 11, 39},
}

var hbmColumns = strings.Fields("bl cl rcdrd rcdwr rp ras rc wr rtpl cwl ccds ccdl ccdab rrds rrdl wtrs wtrl faw")

func hbmTiming(t *testing.T, preset string, refi, rfc int64) dram.Timing {
	name, free := strings.CutSuffix(preset, "_NPC")
	values, ok := hbmPresets[name]
	if !ok {
		t.Fatalf("preset %q", preset)
	}
	timing := dram.Timing{"mode_extra_ck": 0, "fence_ck": 0, "refi_ck": refi, "rfc_ck": rfc}
	for i, key := range hbmColumns {
		timing[key+"_ck"] = values[i]
	}
	if free {
		timing["ccdab_ck"] = 4
	}
	return timing
}

// hbmProgram makes a stream of a text of visits to rows: "R row n" reads n columns, "W" writes them, "RW" and "WR" do both in one
// activation; registers and changes of mode are visits too.
func hbmProgram(t *testing.T, std *dram.Standard, text string) (s dram.Stream) {
	loops, err := aimhost.ParseLoops(text)
	if err != nil {
		t.Fatal(err)
	}
	do := func(name string) { s = append(s, dram.Do(dram.Command{Op: std.Op(name)})) }
	many := func(name, n string) {
		k, err := strconv.Atoi(n)
		if err != nil {
			t.Fatal(err)
		}
		s = append(s, dram.Loop(k, dram.Do(dram.Command{Op: std.Op(name)})))
	}
	err = loops.Lines(func(line string) error {
		w := strings.Fields(line)
		do("ACTAB")
		switch w[0] {
		case "AB", "SB":
		case "OP":
			do("WRAB")
		case "CRF", "GRF", "SRF":
			many("WRAB", w[1])
		default:
			for i, kind := range w[0] {
				many(map[rune]string{'R': "RDAB", 'W': "WRAB"}[kind], w[2+i])
			}
		}
		do("PREA")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestHBMRules: sequences of visits to rows, registers and modes, with refreshes and without.
func TestHBMRules(t *testing.T) {
	f, err := os.Open("testdata/hbm_rules.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in := csv.NewReader(f)
	in.Comment = '#'
	rows, err := in.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	plain, err := dram.Lookup("hbm-pim")
	if err != nil {
		t.Fatal(err)
	}
	for n, row := range rows[1:] {
		cell := map[string]string{}
		for i, name := range rows[0] {
			cell[name] = row[i]
		}
		number := func(name string) int64 {
			v, err := strconv.ParseInt(cell[name], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		std, err := plain.With(map[string]string{"pim_turnaround": cell["pim_turnaround"]})
		if err != nil {
			t.Fatal(err)
		}
		timing := hbmTiming(t, cell["preset"], number("refi"), number("rfc"))
		c, err := std.New(timing)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]int64{}
		for _, name := range []string{"last", "ACTAB", "RDAB", "WRAB", "PREA", "REFab"} {
			want[name] = number(name)
		}
		st := hbmProgram(t, std, cell["program"])
		got := func(r dram.Result) map[string]int64 {
			m := map[string]int64{"last": int64(r.Cycles)}
			for name := range maps.Keys(want) {
				if name != "last" {
					m[name] = r.Issued[std.Op(name)]
				}
			}
			return m
		}
		if d := cmp.Diff(want, got(c.Time(st))); d != "" {
			t.Errorf("row %d, %s: %s", n+1, cell["program"], d)
		}
		run := c.Run()
		st.Walk(func(k *dram.Command, _ []int) bool { run.Issue(k.Op); return true })
		if d := cmp.Diff(want, got(run.Finish())); d != "" {
			t.Errorf("row %d, %s, command by command: %s", n+1, cell["program"], d)
		}
	}
	if len(rows) != 72 {
		t.Errorf("%d rows", len(rows)-1)
	}
}
