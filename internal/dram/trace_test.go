package dram

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestTrace(t *testing.T) {
	c := channel(t, artifact, hiding())
	s := Stream{
		Loop(2,
			Do(Command{Op: artGWRITE, Row: Affine{Base: 1, Stride: []int64{2}}}),
			Do(Command{Op: artGACT3, Row: Affine{Base: 16383}}),
			Loop(2, Do(Command{Op: artCOMP, Row: Affine{Base: 1}, Col: Affine{Base: 30, Stride: []int64{0, 1}}})),
			Do(Command{Op: artREADRES}),
		),
	}
	var text bytes.Buffer
	if err := WriteTrace(&text, s, "GWRITE_2 9 666 9"); err != nil {
		t.Fatal(err)
	}
	want := `0x00000800 GWRITE_2 9 666 9
0x19fff800 G_ACT3
0x00000f80 COMP
0x00000fc0 COMP
READRES
0x00001800 GWRITE_2 9 666 9
0x19fff800 G_ACT3
0x00000f80 COMP
0x00000fc0 COMP
READRES
`
	if d := cmp.Diff(want, text.String()); d != "" {
		t.Error(d)
	}
	for _, bad := range []Command{{Op: artGACT0, Row: Affine{Base: 1 << 14}}, {Op: artCOMP, Col: Affine{Base: -1}}} {
		if err := WriteTrace(io.Discard, Stream{Do(bad)}, "GWRITE"); err == nil || !strings.Contains(err.Error(), "no room") {
			t.Errorf("%v: error %v", bad, err)
		}
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	z.Write(text.Bytes())
	z.Close()
	for _, in := range []*bytes.Buffer{&text, &zipped} {
		r, err := c.TimeTrace("t.pim", in)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.Time(s), r); d != "" {
			t.Error(d)
		}
	}
}

func TestTraceLines(t *testing.T) {
	c := channel(t, artifact, hiding())
	for _, row := range []struct {
		text string
		op   Op
	}{
		{"READRES", artREADRES},
		{"READRES 0x0 whatever\r", artREADRES},
		{"0x00000000 GWRITE_4 9 666 9", artGWRITE},
		{"0 GWRITE", artGWRITE},
		{"FF   G_ACT2", artGACT2},
		{"0Xff G_ACT0", artGACT0},
		{"0xffffffffffffffff COMP", artCOMP},
	} {
		r, err := c.TimeTrace("t.pim", strings.NewReader(row.text+"\n"))
		if err != nil {
			t.Error(err)
		} else if r.Issued[row.op] != 1 {
			t.Errorf("%q: issued %d, one %s wanted", row.text, r.Issued, artifact.Ops[row.op].Name)
		}
	}
	for _, row := range []struct{ text, err string }{
		{"READRES\n0x0 COMP", `t.pim:2: "0x0 COMP": the last line has no line end`},
		{"READRES\n\n", `t.pim:2: "": an empty line`},
		{"0x0 READRES\n", `READRES has no address`},
		{"0x0 READ\n", `"READ" is an ordinary access`},
		{"0x0 W\n", `"W" is an ordinary access`},
		{"0x0\n", `no command`},
		{"0x0 \n", `no command`},
		{"0x0 COMP \n", `"COMP " ends in a blank`},
		{"0x0 COMP\r\n", `"COMP\r" ends in a blank or a carriage return`},
		{"0x0 COMQ\n", `"COMQ" is unknown (did you mean "COMP"?): GWRITE,`},
		{"COMP\n", `"COMP" is no address`},
		{"# text\n", `"#" is no address`},
		{"0x10000000000000000 COMP\n", `is no address`},
		{strings.Repeat("0", 5000) + "\n", `t.pim:1: a line of over 4096 bytes`},
		{"\x1f\x8bnonsense", `t.pim: the gzip file is damaged`},
		{strings.Repeat("0x0 GWRITE\n", 63_000), `t.pim: more than 32 refreshes wait for a READRES`},
	} {
		if _, err := c.TimeTrace("t.pim", strings.NewReader(row.text)); err == nil || !strings.Contains(err.Error(), row.err) {
			t.Errorf("%.40q: error %v, %q wanted", row.text, err, row.err)
		}
	}
	if r, err := c.TimeTrace("t.pim", strings.NewReader("")); err != nil || r.Cycles != 1 {
		t.Errorf("empty trace: %d cycles, %v; 1 wanted", r.Cycles, err)
	}
	if _, err := channel(t, toy, toyTiming()).TimeTrace("t.pim", strings.NewReader("")); err == nil {
		t.Error("a trace of another standard is accepted")
	}
}

// TestTraceRoundTrip: what is written is read back as the same commands.
func TestTraceRoundTrip(t *testing.T) {
	c := channel(t, artifact, noHiding())
	rapid.Check(t, func(t *rapid.T) {
		s := nest(t, artifact, 3, 500)
		var text bytes.Buffer
		if err := WriteTrace(&text, s, "GWRITE_1 "); err != nil {
			t.Fatal(err)
		}
		want := c.Time(s)
		r, err := c.TimeTrace("t.pim", &text)
		if (err != nil) != want.Overflow {
			t.Fatalf("overflow %v, error %v", want.Overflow, err)
		}
		if d := cmp.Diff(want, r); d != "" && err == nil {
			t.Fatal(d)
		}
	})
}

func FuzzTrace(f *testing.F) {
	f.Add([]byte("0x0 GWRITE_1 \n0x0 G_ACT0\n0x0 COMP\nREADRES\n"))
	f.Add([]byte("\x1f\x8b\x08"))
	f.Fuzz(func(t *testing.T, text []byte) {
		std, err := Lookup("artifact")
		if err != nil {
			t.Fatal(err)
		}
		c := channel(t, std, hiding())
		r, err := c.TimeTrace("t.pim", bytes.NewReader(text))
		if err == nil && r.Cycles < 1 {
			t.Fatalf("%d cycles", r.Cycles)
		}
	})
}
