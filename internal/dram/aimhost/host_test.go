package aimhost

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pimflow/internal/dram"
	"pimflow/internal/hw"
)

// The standard aim and its timing on the machine aim, that of aim_simulator's
// GDDR6_AiM_timing.
var aim, published = func() (*dram.Standard, dram.Timing) {
	m, err := hw.Load("aim")
	if err != nil {
		panic(err)
	}
	std, err := dram.Lookup(m.PIM.Standard)
	if err != nil {
		panic(err)
	}
	return std, dram.Timing(m.PIM.Timing)
}()

// never is an interval of refreshes that no stream reaches the end of.
const never = 100_000_000

// changed is the published timing with one parameter changed.
func changed(name string, v int64) dram.Timing {
	t := maps.Clone(published)
	t[name] = v
	return t
}

func channel(t testing.TB, s *dram.Standard, timing dram.Timing) *dram.Channel {
	t.Helper()
	c, err := s.New(timing)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// host runs a text with loops on 32 channels.
func host(t rapid.TB, timing dram.Timing, text string) (Result, error) {
	t.Helper()
	c, err := aim.New(timing)
	if err != nil {
		t.Fatal(err)
	}
	h, err := New(c, MaxChannels)
	if err != nil {
		t.Fatal(err)
	}
	return runText(h, text)
}

// runText runs a text with loops on a host.
func runText(h *Host, text string) (Result, error) {
	loops, err := ParseLoops(text)
	if err != nil {
		return Result{}, err
	}
	if err := loops.Lines(func(line string) error {
		in, some, err := ParseInstruction(line)
		if err != nil || !some {
			return err
		}
		return h.Do(in)
	}); err != nil {
		return Result{}, err
	}
	return h.Result(), nil
}

// aimGolden are the rows of testdata/aim.csv by column.
func aimGolden(t testing.TB) []map[string]string { return golden(t, "testdata/aim.csv") }

func golden(t testing.TB, file string) []map[string]string {
	f, err := os.Open(file)
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
		r, err := host(t, published, row["trace"])
		if err != nil {
			t.Errorf("%s: %v", row["name"], err)
			continue
		}
		counts := slices.Clone(r.Issued)
		if counts[aim.Op("REFab")] == 0 { // the host has none, and the file no column
			counts[aim.Op("REFab")] = -1
		}
		compare(t, row, aim, &r, counts)
	}
}

// compare holds a row of golden results against a run; counts below 0 are of no column.
func compare(t *testing.T, row map[string]string, std *dram.Standard, r *Result, counts []int64) {
	t.Helper()
	loops, err := ParseLoops(row["trace"])
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.New()
	if err := loops.Lines(func(line string) error { _, err := fmt.Fprintln(hash, line); return err }); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{"sha256": hex.EncodeToString(hash.Sum(nil))}
	for _, column := range []string{"name", "kind", "trace", "refi", "rfc"} {
		if cell, ok := row[column]; ok {
			got[column] = cell
		}
	}
	for column, n := range map[string]int64{
		"isr_lines": r.Instructions, "cycles": int64(r.Cycles),
		"idle_cycles_sum": r.Idle, "active_cycles_sum": r.Open, "precharged_cycles_sum": r.Precharged,
	} {
		got[column] = strconv.FormatInt(n, 10)
	}
	for op, n := range counts {
		if n >= 0 {
			got[std.Ops[op].Name] = strconv.FormatInt(n, 10)
		}
	}
	if d := cmp.Diff(row, got); d != "" {
		t.Errorf("%s: %s", row["name"], d)
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
		if k.access != noAccess {
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
					if k.single {
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
		timing, text := maps.Clone(published), anyTrace(t)
		if rapid.Bool().Draw(t, "other timing") {
			for _, p := range aim.Parameters() {
				timing[p] = rapid.Int64Range(0, 90).Draw(t, p)
			}
			timing["refi_ck"] = never
		}
		fast, err := host(t, timing, text)
		if err != nil {
			if !strings.Contains(err.Error(), "never ends") {
				t.Fatal(err)
			}
			return // the referee would never end
		}
		newSlowHost(aim, timing).hold(t, text, fast)
	})
}

// hold runs a text on the slow host, and holds what the fast one says against it.
func (h *slowHost) hold(t *rapid.T, text string, fast Result) {
	n := int64(0)
	for line := range strings.SplitSeq(text, " | ") {
		in, _, err := ParseInstruction(line)
		if err != nil {
			t.Fatal(err)
		}
		n++
		if !h.do(in) {
			t.Fatalf("%q: the referee never ends", line)
		}
	}
	if d := cmp.Diff(h.result(n), fast); d != "" {
		t.Fatal(d)
	}
}

// TestAimNeverEnds: an access whose row a MAC_ABK closed waits for the PRE that waits
// for it, and the next one in its bank for ever.
func TestAimNeverEnds(t *testing.T) {
	// Longer than the MAC_ABK needs to close the row.
	_, err := host(t, changed("rcdrd_ck", 500), "R MEM 0 0 1 | AiM MAC_ABK 1 0x80000000 2 | R MEM 0 0 3 | AiM EOC")
	if err == nil || !strings.Contains(err.Error(), "never ends") {
		t.Errorf("%v", err)
	}
}

// TestAimStream: what all channels do alike is a stream too, with the precharges
// and activations written out.
func TestAimStream(t *testing.T) {
	c := channel(t, aim, changed("refi_ck", never))
	op := func(name string) dram.Item { return dram.Do(dram.Command{Op: aim.Op(name)}) }
	times := func(n int, name string) dram.Item { return dram.Loop(n, op(name)) }
	for _, row := range []struct {
		trace  string
		stream dram.Stream
		cycles dram.Cycle
	}{
		// The EOC takes a cycle after the last of them is over, two after an answer.
		{"1024*i(AiM MAC_ABK 64 0xffffffff {i}) | AiM EOC",
			dram.Stream{op("ACT16"), times(64, "MAC16"), dram.Loop(1023, op("PREA"), op("ACT16"), times(64, "MAC16"))}, 231383 - 1},
		{"1024*i(AiM WR_BIAS 4 0xffffffff) | AiM EOC", dram.Stream{times(1024, "WRMAC16")}, 2083 - 1},
		{"1024*i(AiM RD_MAC 4 0xffffffff) | AiM EOC", dram.Stream{times(1024, "RDMAC16")}, 3106 - 2},
		{"1024*i(AiM WR_BIAS 4 0xffffffff | AiM MAC_ABK 64 0xffffffff 0 | AiM RD_MAC 4 0xffffffff | AiM MAC_ABK 64 0xffffffff 1) | AiM EOC",
			dram.Stream{
				op("WRMAC16"), op("ACT16"), times(64, "MAC16"), op("RDMAC16"), op("PREA"), op("ACT16"), times(64, "MAC16"),
				dram.Loop(1023, op("WRMAC16"), op("PREA"), op("ACT16"), times(64, "MAC16"), op("RDMAC16"), op("PREA"), op("ACT16"), times(64, "MAC16")),
			}, 576482 - 1},
	} {
		r, err := host(t, published, row.trace)
		if err != nil {
			t.Fatal(err)
		}
		got := c.Time(row.stream)
		for i := range got.Issued {
			got.Issued[i] *= MaxChannels
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
	c.Time(dram.Stream{op("MAC")})
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
			r, err := host(t, published, fmt.Sprintf(row.trace, n, u))
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
	c := channel(t, aim, published)
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
		if r, err := Time(c, "f", strings.NewReader(in), 32); err != nil || r.Cycles != 57+2*63+2 || r.Instructions != 3 {
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
		_, err := Time(c, "f", strings.NewReader(row.text), 32)
		if err == nil || !strings.Contains(err.Error(), row.want) || !strings.HasPrefix(err.Error(), "f:") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.40q: %v: %s wanted", row.text, err, row.want)
		}
	}
	for _, n := range []int{0, 33} {
		if _, err := Time(c, "f", strings.NewReader(text), n); err == nil {
			t.Errorf("%d channels accepted", n)
		}
	}
	if _, err := Time(c, "f", strings.NewReader("R MEM 4 0 0\nAiM EOC"), 4); err == nil || !strings.Contains(err.Error(), "channel 4 of 4") {
		t.Errorf("channel 4 of 4: %v", err)
	}
	m, err := hw.Load("artifact")
	if err != nil {
		t.Fatal(err)
	}
	std, err := dram.Lookup(m.PIM.Standard)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Time(channel(t, std, dram.Timing(m.PIM.Timing)), "f", strings.NewReader(text), 32); err == nil {
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
		"2*i({j})":                              `error character 6: "j" is neither a number nor an index of the loops around: i`,
		"{1+":                                   `error character 4: "" is no number, and no loop is around`,
		"{1":                                    "error character 3: a } wanted",
		"{(1}":                                  "error character 4: a ) wanted",
		"2*i({1//i})":                           "error character 7: 1//0: division by zero",
		"{4000000000*4000000000}":               "error character 12: 4000000000 * 4000000000: numbers of up to 2147483648 wanted",
		"99999999999999999999*i(a)":             `error character 1: count "99999999999999999999" of a loop: a whole number of 0 to 9223372036854775807 wanted`,
		"a | -3*i(a)":                           `error character 5: count "-3" of a loop: a whole number of 0 to`,
		"1.5*i(a)":                              `error character 1: count "1.5" of a loop: a whole number`,
		"2*j(NaN * i(a))":                       `error character 5: count "NaN" of a loop: a whole number`,
		"*i(a)":                                 `error character 1: count "" of a loop: a whole number`,
		"3*(a)":                                 `error character 1: name "" of a loop: a letter wanted, then letters, digits and _`,
		"3*2i(a)":                               `error character 1: name "2i" of a loop: a letter wanted`,
		"9000000000*i(0*j(a)) | b":              "b",
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
		h, err := New(channel(t, aim, published), MaxChannels)
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
		if err == nil && h.ended && h.Result().Cycles < dram.Cycle(n) {
			t.Errorf("%d lines in %d cycles", n, h.Result().Cycles)
		}
	})
}

func BenchmarkHost(b *testing.B) {
	c := channel(b, aim, published)
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
				h, err := New(c, MaxChannels)
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
