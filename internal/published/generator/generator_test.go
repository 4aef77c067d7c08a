package generator

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"fmt"
	"os"
	"strconv"
	"testing"

	"pimflow/internal/dram"
)

// artifactTiming is the artifact's configuration (GDDR6-config.cfg, GDDR6_3500).
func artifactTiming(hiding bool) dram.Timing {
	t := dram.Timing{
		"ccds_ck": 2, "rcdr_ck": 11, "rp_ck": 11, "rc_ck": 35, "faw_ck": 17, "cl_ck": 11, "bl_ck": 2,
		"refi_ck": 1900, "rfc_ck": 350, "gwrite_gap_ck": 64, "gwrite_act_extra_ck": 16, "readres_gwrite_ck": 6, "comp_act_ck": 0, "act_act_ck": 0,
	}
	if hiding {
		t["gwrite_gap_ck"] = 1
	}
	return t
}

func artifactChannel(t testing.TB, hiding bool) *dram.Channel {
	t.Helper()
	std, err := dram.Lookup("artifact")
	if err != nil {
		t.Fatal(err)
	}
	c, err := std.New(artifactTiming(hiding))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// goldenRow is a row of a golden file.
type goldenRow map[string]string

func (r goldenRow) int(t *testing.T, column string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(r[column], 10, 64)
	if err != nil {
		t.Fatalf("%s %s: %v", r["layer"], column, err)
	}
	return n
}

func (r goldenRow) layer(t *testing.T) Layer {
	n := func(column string) int { return int(r.int(t, column)) }
	return Layer{
		OC: n("oc"), IC: n("ic"), H: n("h"), W: n("w"), KH: n("kh"), KW: n("kw"), PH: n("ph"), PW: n("pw"),
		Stride: n("stride"), Channels: n("n_channel"), Buffers: n("gw"),
	}
}

func (r goldenRow) String() string {
	return fmt.Sprintf("%s %s gw %s hiding %s", r["network"], r["layer"], r["gw"], r["hiding"])
}

func golden(t *testing.T, file string) []goldenRow {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in := csv.NewReader(f)
	in.Comment = '#'
	all, err := in.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []goldenRow
	for _, values := range all[1:] {
		r := goldenRow{}
		for i, column := range all[0] {
			r[column] = values[i]
		}
		rows = append(rows, r)
	}
	return rows
}

func commandCounts(s dram.Stream) (n [9]int64, total int64) {
	s.Count(n[:])
	for _, k := range n {
		total += k
	}
	return n, total
}

// TestPublishedGolden compares each golden row: commands and cycles of channel 0,
// and where they are given all counts, the slowest channel, the energy.
func TestPublishedGolden(t *testing.T) {
	channels := map[string]*dram.Channel{"0": artifactChannel(t, false), "1": artifactChannel(t, true)}
	for file, want := range map[string]int{"testdata/published.csv": 352, "testdata/published_ratios.csv": 1248} {
		rows := golden(t, file)
		if len(rows) != want {
			t.Errorf("%s: %d rows, %d wanted", file, len(rows), want)
		}
		for _, r := range rows {
			code, err := Conv(r.layer(t))
			if err != nil {
				t.Fatal(err)
			}
			channel := channels[r["hiding"]]
			result := channel.Time(code.Channels[0])
			check := func(column string, got int64) {
				t.Helper()
				if want := r.int(t, column); got != want {
					t.Errorf("%v: %s %d, %d wanted", r, column, got, want)
				}
			}
			_, commands := commandCounts(code.Channels[0])
			check("commands", commands)
			check("cycles", int64(result.Cycles))
			if _, ok := r["sha256"]; !ok {
				continue
			}
			is := result.Issued
			check("gwrite", is[0])
			check("g_act", is[1]+is[2]+is[3]+is[4])
			check("comp", is[5])
			check("readres", is[6])
			check("prea", is[7])
			check("ref", is[8])
			if got := fmt.Sprintf("%.6g", dram.ArtifactEnergy(result).Total()); got != r["energy_j"] {
				t.Errorf("%v: %s J, %s wanted", r, got, r["energy_j"])
			}
			slowest, lines := result.Cycles, int64(0)
			for _, s := range code.Channels {
				_, n := commandCounts(s)
				lines += n
				slowest = max(slowest, channel.Time(s).Cycles)
			}
			check("lines_all_channels", lines)
			check("cycles_max_over_channels", int64(slowest))
			writes := map[int]int64{}
			for i, part := range code.parts {
				n, _ := commandCounts(part[0])
				writes[code.Groups[i]] += n[0]
			}
			for _, g := range []int{1, 2, 4} {
				check(fmt.Sprintf("gwrite_%d", g), writes[g])
			}
		}
	}
}

// TestPublishedText compares the text of channel 0's trace by its hash, and its
// length with the size that the choice of groups goes by.
func TestPublishedText(t *testing.T) {
	hashed := 0
	for _, r := range golden(t, "testdata/published.csv") {
		if r["hiding"] == "0" {
			continue // the same trace as with hiding
		}
		code, err := Conv(r.layer(t))
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		if err := code.WriteTrace(&text, 0); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(text.Bytes())); got != r["sha256"] {
			t.Errorf("%v: SHA-256 %s, %s wanted", r, got, r["sha256"])
		}
		size := 0
		for i, part := range code.parts {
			_, n := traceSize(part[0], code.texts[i])
			size += n
		}
		if size != text.Len() {
			t.Errorf("%v: %d bytes counted, %d written", r, size, text.Len())
		}
		hashed++
	}
	if hashed != 176 {
		t.Errorf("%d traces hashed, 176 wanted", hashed)
	}
}
