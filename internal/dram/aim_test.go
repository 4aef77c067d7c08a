package dram

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
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

// unrefreshed is aimTiming without refreshes.
func unrefreshed() Timing {
	t := aimTiming()
	t["refi_ck"] = maxTiming
	return t
}

// host runs a text with loops on 32 channels.
func host(t rapid.TB, timing Timing, text string) (HostResult, error) {
	t.Helper()
	c, err := aim.New(timing)
	if err != nil {
		t.Fatal(err)
	}
	h, err := c.NewHost(HostChannels)
	if err != nil {
		t.Fatal(err)
	}
	loops, err := ParseLoops(text)
	if err != nil {
		return HostResult{}, err
	}
	if err := loops.Lines(func(line string) error {
		in, some, err := ParseInstruction(line)
		if err != nil || !some {
			return err
		}
		return h.Do(in)
	}); err != nil {
		return HostResult{}, err
	}
	return h.Result(), nil
}

// aimGolden are the rows of testdata/aim.csv by column.
func aimGolden(t testing.TB) []map[string]string {
	f, err := os.Open("testdata/aim.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]string
	for _, cells := range all[1:] {
		row := map[string]string{}
		for i, h := range all[0] {
			row[h] = cells[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// TestAimGolden runs the published simulator's traces: cycles, commands and its own
// statistics are those it printed.
func TestAimGolden(t *testing.T) {
	rows := aimGolden(t)
	if len(rows) != 198 {
		t.Errorf("%d rows, 198 wanted", len(rows))
	}
	for _, row := range rows {
		r, err := host(t, aimTiming(), row["trace"])
		if err != nil {
			t.Errorf("%s: %v", row["name"], err)
			continue
		}
		loops, err := ParseLoops(row["trace"])
		if err != nil {
			t.Fatal(err)
		}
		hash := sha256.New()
		if err := loops.Lines(func(line string) error { _, err := fmt.Fprintln(hash, line); return err }); err != nil {
			t.Fatal(err)
		}
		got := map[string]string{"name": row["name"], "kind": row["kind"], "trace": row["trace"], "sha256": hex.EncodeToString(hash.Sum(nil))}
		for column, n := range map[string]int64{
			"isr_lines": r.Instructions, "cycles": int64(r.Cycles),
			"idle_cycles_sum": r.Idle, "active_cycles_sum": r.Open, "precharged_cycles_sum": r.Precharged,
		} {
			got[column] = strconv.FormatInt(n, 10)
		}
		for op, n := range r.Issued {
			if Op(op) != aimREF || n > 0 { // the host has none
				got[aim.Ops[op].Name] = strconv.FormatInt(n, 10)
			}
		}
		if d := cmp.Diff(row, got); d != "" {
			t.Errorf("%s: %s", row["name"], d)
		}
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

// anyTrace draws instructions on few channels, banks and rows, which meet often.
func anyTrace(t *rapid.T) string {
	var b strings.Builder
	masks := []string{"0x1", "0x2", "0x3", "0x80000001", "0xffffffff"}
	n := func(name string, most int) int { return rapid.IntRange(0, most).Draw(t, name) }
	kinds := make([]*instruction, 0, len(instructions))
	for i := range instructions {
		if k := &instructions[i]; k.refused == "" && !k.end {
			kinds = append(kinds, k)
		}
	}
	for range n("instructions", 25) {
		k := rapid.SampledFrom(kinds).Draw(t, "kind")
		times := 1
		if k.op == aimRD || k.op == aimWR {
			times = rapid.SampledFrom([]int{1, 1, 2, 8, 40}).Draw(t, "times")
		}
		for range times {
			b.WriteString(k.name)
			for _, o := range k.operands {
				switch o.name {
				case "opsize":
					fmt.Fprintf(&b, " %d", rapid.SampledFrom([]int{1, 2, 3, 32, 33, 34, 35, 70}).Draw(t, "units"))
				case "mask":
					m := len(masks) - 1
					if k.op == aimWRA16 {
						m = 1
					}
					b.WriteString(" " + masks[n("mask", m)])
				case "channel":
					fmt.Fprintf(&b, " %d", 31-n("channel", 1))
				case "cfr":
					fmt.Fprintf(&b, " %d", 2)
				case "bank":
					fmt.Fprintf(&b, " %d", rapid.SampledFrom([]int{0, 1, 4, 15}).Draw(t, "bank"))
				default:
					fmt.Fprintf(&b, " %d", n(o.name, 2))
				}
			}
			b.WriteString(" | ")
		}
	}
	return b.String() + "AiM EOC"
}

// TestAimReferee: the slow host agrees in all that is counted, with other timings too.
func TestAimReferee(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		timing, text := aimTiming(), anyTrace(t)
		if rapid.Bool().Draw(t, "other timing") {
			for _, p := range aim.Parameters() {
				timing[p] = rapid.Int64Range(0, 90).Draw(t, p)
			}
			timing["refi_ck"] = maxTiming
		}
		fast, err := host(t, timing, text)
		if err != nil {
			if !strings.Contains(err.Error(), "never ends") {
				t.Fatal(err)
			}
			return // the referee would never end
		}
		slow := newSlowHost(timing)
		n := int64(0)
		for line := range strings.SplitSeq(text, " | ") {
			in, _, err := ParseInstruction(line)
			if err != nil {
				t.Fatal(err)
			}
			n++
			if !slow.do(in) {
				t.Fatalf("%q: the referee never ends", line)
			}
		}
		if d := cmp.Diff(slow.result(n), fast); d != "" {
			t.Fatal(d)
		}
	})
}

// TestAimNeverEnds: an access whose row a MAC_ABK closed waits for the PRE that waits
// for it, and the next one in its bank for ever.
func TestAimNeverEnds(t *testing.T) {
	timing := aimTiming()
	timing["rcdrd_ck"] = 500 // longer than the MAC_ABK needs to close the row
	_, err := host(t, timing, "R MEM 0 0 1 | AiM MAC_ABK 1 0x80000000 2 | R MEM 0 0 3 | AiM EOC")
	if err == nil || !strings.Contains(err.Error(), "never ends") {
		t.Errorf("%v", err)
	}
}

// TestAimStream: what all channels do alike is a stream too, with the precharges
// and activations written out.
func TestAimStream(t *testing.T) {
	c := channel(t, aim, unrefreshed())
	op := func(name string) Item { return Do(Command{Op: aim.Op(name)}) }
	times := func(n int, name string) Item { return Loop(n, op(name)) }
	for _, row := range []struct {
		trace  string
		stream Stream
		cycles Cycle
	}{
		// The EOC takes a cycle after the last of them is over, two after an answer.
		{"1024*i(AiM MAC_ABK 64 0xffffffff {i}) | AiM EOC",
			Stream{op("ACT16"), times(64, "MAC16"), Loop(1023, op("PREA"), op("ACT16"), times(64, "MAC16"))}, 231383 - 1},
		{"1024*i(AiM WR_BIAS 4 0xffffffff) | AiM EOC", Stream{times(1024, "WRMAC16")}, 2083 - 1},
		{"1024*i(AiM RD_MAC 4 0xffffffff) | AiM EOC", Stream{times(1024, "RDMAC16")}, 3106 - 2},
		{"1024*i(AiM WR_BIAS 4 0xffffffff | AiM MAC_ABK 64 0xffffffff 0 | AiM RD_MAC 4 0xffffffff | AiM MAC_ABK 64 0xffffffff 1) | AiM EOC",
			Stream{
				op("WRMAC16"), op("ACT16"), times(64, "MAC16"), op("RDMAC16"), op("PREA"), op("ACT16"), times(64, "MAC16"),
				Loop(1023, op("WRMAC16"), op("PREA"), op("ACT16"), times(64, "MAC16"), op("RDMAC16"), op("PREA"), op("ACT16"), times(64, "MAC16")),
			}, 576482 - 1},
	} {
		r, err := host(t, aimTiming(), row.trace)
		if err != nil {
			t.Fatal(err)
		}
		got := c.Time(row.stream)
		for i := range got.Issued {
			got.Issued[i] *= HostChannels
		}
		if got.Cycles != row.cycles || !slices.Equal(got.Issued, r.Issued) {
			t.Errorf("%s: %d cycles, %d wanted; commands %d, of the host %d", row.trace, got.Cycles, row.cycles, got.Issued, r.Issued)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a stream with a command of one bank was timed")
		}
	}()
	c.Time(Stream{op("MAC")})
}

// TestAimForms are closed forms of cycles, for any size.
func TestAimForms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, u := rapid.IntRange(1, 20).Draw(t, "N"), rapid.IntRange(1, 130).Draw(t, "n")
		for _, row := range []struct {
			trace string
			want  int
		}{
			{"%d*i(AiM MAC_ABK %d 0xff {i}) | AiM EOC", 57 + 2*(u-1) + (n-1)*(98+2*u) + 2},
			{"%d*i(AiM MAC_SBK %d 0xff 3 {i}) | AiM EOC", 57 + 2*(u-1) + (n-1)*(98+2*u) + 2},
			{"%d*i(AiM EWMUL %d 0xff {i}) | AiM EOC", 26 + 2*(u-1) + (n-1)*(94+2*u) + 2},
			{"%d*i(AiM COPY_GBBK %d 0xff 3 {i}) | AiM EOC", 49 + 2*(u-1) + (n-1)*(119+2*u) + 2},
			{"%d*i(AiM COPY_BKGB %d 0xff 3 {i}) | AiM EOC", 67 + 2*(u-1) + (n-1)*(108+2*u) + 2},
			{"%d*i(AiM WR_GB %d 0 0xff) | AiM EOC", 33 + 2*(u*n-1) + 4},
			{"AiM WR_GB 64 0 0xff | %d*i(AiM WR_BIAS 0 0xff | AiM MAC_ABK %d 0xff {i} | AiM RD_MAC 0 0xff) | AiM EOC", 128 + n*(158+2*u)},
		} {
			r, err := host(t, aimTiming(), fmt.Sprintf(row.trace, n, u))
			if err != nil {
				t.Fatal(err)
			}
			if int(r.Cycles) != row.want {
				t.Errorf(row.trace+": %d cycles, %d wanted", n, u, r.Cycles, row.want)
			}
		}
	})
}

func TestAimTrace(t *testing.T) {
	c := channel(t, aim, aimTiming())
	text := "# a comment\n\nAiM ISR_MAC_ABK 0x40  4294967295 3 \r\nW CFR 2 1\n  AiM EOC\nnothing reads this"
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, in := range []string{text, z.String()} {
		if r, err := c.TimeHost("f", strings.NewReader(in), 32); err != nil || r.Cycles != 57+2*63+2 || r.Instructions != 3 {
			t.Errorf("%v, %v", r, err)
		}
	}
	for _, row := range []struct{ text, want string }{
		{"AiM SYNC\n", "f:2: the trace ends without AiM EOC"},
		{"", "f:1: the trace ends without AiM EOC"},
		{"\nAiM MAC_ABQ 1 1 1\n", `f:2: "AiM MAC_ABQ 1 1 1": instruction "AiM MAC_ABQ" is unknown (did you mean "AiM MAC_ABK"?)`},
		{"AiM", `f:1: "AiM": instruction "AiM" is unknown`},
		{"W ISR_MEM 1 1 1", `instruction "W ISR_MEM" is unknown`},
		{"AiM MAC_ABK 1 1", "2 operands: 3 wanted (opsize mask row)"},
		{"AiM SYNC 1", "1 operands: 0 wanted ()"},
		{"AiM MAC_ABK 0 1 1", `opsize "0": 1 to 2147483647 wanted`},
		{"AiM MAC_ABK 1 0 1", `mask "0": 1 to 4294967295 wanted`},
		{"AiM MAC_ABK 1 0x100000000 1", `mask "0x100000000": 1 to`},
		{"AiM MAC_ABK 1 1 -1", `row "-1": 0 to 536870911 wanted`},
		{"AiM MAC_ABK 1 1 0x", `row "0x": 0 to`},
		{"AiM MAC_SBK 1 1 16 0", `bank "16": 0 to 15 wanted`},
		{"W MEM 32 0 0", `channel "32": 0 to 31 wanted`},
		{"R CFR 3 0", `cfr "3": 0 to 2 wanted`},
		{"AiM WR_ABK 0 3 0", "mask 0x3 has 2 channels: WR_ABK writes to one"},
		{"AiM WR_AFLUT 1", "the published simulator refuses it"},
		{"AiM EOC" + strings.Repeat(" ", 5000), "f:1: a line of over 4096 bytes"},
		{"\x1f\x8b", "f: "},
	} {
		_, err := c.TimeHost("f", strings.NewReader(row.text), 32)
		if err == nil || !strings.Contains(err.Error(), row.want) || !strings.HasPrefix(err.Error(), "f:") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.40q: %v: %s wanted", row.text, err, row.want)
		}
	}
	for _, n := range []int{0, 33} {
		if _, err := c.TimeHost("f", strings.NewReader(text), n); err == nil {
			t.Errorf("%d channels accepted", n)
		}
	}
	if _, err := c.TimeHost("f", strings.NewReader("R MEM 4 0 0\nAiM EOC"), 4); err == nil || !strings.Contains(err.Error(), "channel 4 of 4") {
		t.Errorf("channel 4 of 4: %v", err)
	}
	if _, err := channel(t, artifact, hiding()).TimeHost("f", strings.NewReader(text), 32); err == nil {
		t.Error("the artifact has no host")
	}
}

func TestLoops(t *testing.T) {
	for text, want := range map[string]string{
		"a | b":                                 "a;b",
		" 2 * i ( a {i} | 2*j(b{i*2+j}) ) | c ": "a 0;b0;b1;a 1;b2;b3;c",
		"3*i(x{-i//2} {-i%2} {(i+0x10)*(2-i)})": "x0 0 32;x-1 1 17;x-1 0 0",
		"2*i(2*i({i}))":                         "0;1;0;1",
		"0*i(a)":                                "",
		"2*i(a":                                 "error character 6: a ) wanted, the end of loop i",
		"a)":                                    "error character 2: a ) without its (",
		"":                                      "error character 1: a line or a loop wanted",
		"a | | b":                               "error character 5: a line or a loop wanted",
		"2*i({j})":                              `error character 6: "j" is neither a number nor an index of the loops ["i"] around`,
		"{1+":                                   `error character 4: "" is neither`,
		"{1":                                    "error character 3: a } wanted",
		"{(1}":                                  "error character 4: a ) wanted",
		"2*i({1//i})":                           "error 1//0: division by zero",
		"{4000000000*4000000000}":               "error 4000000000 * 4000000000: numbers of up to 2147483648 wanted",
		"99999999999999999999*i(a)":             "error character 1: 99999999999999999999 is too large",
		"{" + strings.Repeat("-", 70) + "1}":    "error character 66: over 64 parentheses and signs in each other",
		strings.Repeat("1*i(", 65):              "error character 257: over 64 loops in each other",
	} {
		var lines []string
		l, err := ParseLoops(text)
		if err == nil {
			err = l.Lines(func(line string) error { lines = append(lines, line); return nil })
		}
		got := strings.Join(lines, ";")
		if err != nil {
			got = "error " + err.Error()
		}
		if got != want && !(strings.HasPrefix(want, "error") && strings.HasPrefix(got, want)) {
			t.Errorf("%.40q: %s: %s wanted", text, got, want)
		}
	}
}

func FuzzHost(f *testing.F) {
	f.Add("2*i(AiM MAC_ABK {i+1} 0x3 {i}) | R MEM 1 2 3 | AiM EOC")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := channel(t, aim, aimTiming()).NewHost(HostChannels)
		if err != nil {
			t.Fatal(err)
		}
		loops, err := ParseLoops(text)
		if err != nil {
			return
		}
		stop := fmt.Errorf("enough")
		n := 0
		err = loops.Lines(func(line string) error {
			in, some, err := ParseInstruction(line)
			if n++; n > 100 || h.ended || in.Units > 1000 {
				return stop
			}
			if err != nil || !some {
				return err
			}
			return h.Do(in)
		})
		if err == nil && h.ended && h.Result().Cycles < Cycle(n) {
			t.Errorf("%d lines in %d cycles", n, h.Result().Cycles)
		}
	})
}

func BenchmarkHost(b *testing.B) {
	c := channel(b, aim, aimTiming())
	for _, name := range []string{"ship_micro_wrbias_mac_rdmac_mac", "rand_mix2_10", "rand_mix2_4"} {
		b.Run(name, func(b *testing.B) {
			rows := aimGolden(b)
			i := slices.IndexFunc(rows, func(r map[string]string) bool { return r["name"] == name })
			loops, err := ParseLoops(rows[i]["trace"])
			if err != nil {
				b.Fatal(err)
			}
			var sum int64
			for b.Loop() {
				h, err := c.NewHost(HostChannels)
				if err != nil {
					b.Fatal(err)
				}
				if err := loops.Lines(func(line string) error {
					in, _, err := ParseInstruction(line)
					if err != nil {
						return err
					}
					return h.Do(in)
				}); err != nil {
					b.Fatal(err)
				}
				for _, n := range h.Result().Issued {
					sum += n
				}
			}
			b.ReportMetric(float64(sum)/b.Elapsed().Seconds()/1e6, "Mcommands/s")
		})
	}
}
