package pim

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"pimflow/internal/dram"
	"pimflow/internal/graph"
)

func commandsOf(t fataler, standard string) *Commands {
	std, err := dram.Lookup(standard)
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewCommands(std)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func printed(t fataler, c *Commands, s dram.Stream) string {
	var b bytes.Buffer
	if err := c.PrintStream(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var sameStream = cmpopts.EquateEmpty()

// TestNotationDrawn: streams of any commands and addresses, and of every mapping of drawn layers, are read as they are
// printed.
func TestNotationDrawn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := commandsOf(t, rapid.SampledFrom(dialects).Draw(t, "dialect").standard)
		s := anyNest(t, c, 0, 1)
		text := printed(t, c, s)
		got, err := c.ParseStream("f", strings.NewReader(text))
		if diff := cmp.Diff(s, got, sameStream); err != nil || diff != "" {
			t.Fatalf("%v\n%s\n%s", err, text, diff)
		}
	})
	for _, make := range anyLayers {
		rapid.Check(t, func(t *rapid.T) {
			n := make(t)
			code := compile(t, anyMachine(t), anyChannels(t), n.g, graph.Cut{Node: n.id, Box: anyBox(t, n.g.Nodes[n.id].Shape)})
			for _, s := range code.perChannel() {
				st := code.device.stream(s)
				text := printed(t, code.device.ops, st)
				got, err := code.device.ops.ParseStream("f", strings.NewReader(text))
				if diff := cmp.Diff(st, got, sameStream); err != nil || diff != "" {
					t.Fatalf("%v\n%s\n%s", err, text, diff)
				}
			}
		})
	}
}

// anyNest draws a stream inside so many loops, which iterate so often together.
func anyNest(t *rapid.T, c *Commands, depth int, times int64) (s dram.Stream) {
	for range rapid.IntRange(1, 3).Draw(t, "items") {
		if depth < maxNesting && times < 1<<40 && rapid.IntRange(0, 2).Draw(t, "loop") == 0 {
			n := rapid.Int64Range(1, 1<<rapid.IntRange(0, 12).Draw(t, "size")).Draw(t, "times")
			s = append(s, dram.Loop(int(n), anyNest(t, c, depth+1, times*n)...))
			continue
		}
		op := dram.Op(rapid.IntRange(0, len(c.names)-1).Filter(func(o int) bool { return c.roles[o] != noRole }).Draw(t, "op"))
		k := dram.Command{Op: op}
		for _, o := range c.operands[op] {
			a := dram.Affine{Base: rapid.Int64Range(-9, 1<<30).Draw(t, "base")}
			for range rapid.IntRange(0, depth).Draw(t, "strides") {
				a.Stride = append(a.Stride, rapid.Int64Range(-2, 16).Draw(t, "stride"))
			}
			for n := len(a.Stride); n > 0 && a.Stride[n-1] == 0; n-- {
				a.Stride = a.Stride[:n-1]
			}
			*o.of(&k) = a
		}
		if c.roles[op] == gatherRole {
			n := rapid.IntRange(1, 1<<30)
			k.Fill = dram.Gather{Len: n.Draw(t, "len"), Count: n.Draw(t, "count"), Pitch: n.Draw(t, "pitch")}
		}
		s = append(s, dram.Do(k))
	}
	return s
}

// TestNotationRefuses: what is no stream is refused with its line.
func TestNotationRefuses(t *testing.T) {
	deep := strings.Repeat("loop 2 {\n", maxNesting+1)
	for _, c := range []struct{ text, want string }{
		{"", `f:1: it is empty: "pimflow stream 1 newton" wanted first`},
		{"PREA\n", `f:1: "PREA": "pimflow stream 1 newton" wanted first`},
		{"pimflow stream 1 aim\n", `f:1: "pimflow stream 1 aim": "pimflow stream 1 newton" wanted first`},
		{"#\nPREB", `"PREB" is no command of a stream of newton (did you mean "PREA"?): loop`},
		{"#\nREF", `f:3: "REF": "REF" is no command of a stream`},
		{"COMP0 row=0 col=0", `f:2: "COMP0 row=0 col=0": 2 operands: 3 wanted ["row=" "col=" "buf="]`},
		{"COMP0 row=0 buf=0 col=0", `operand "buf=0": col=… wanted`},
		{"READRES data=", `data="": an address wanted`},
		{"READRES data=1+2", "with one number alone at most"},
		{"READRES data=+1", "an address wanted"},
		{"READRES data=i", "it is inside 0 loops"},
		{"READRES data=01", "numbers up to"},
		{"READRES data=1125899906842625", "numbers up to 1125899906842624 wanted"},
		{"loop 3 {\nREADRES data=i+2i\n}", `f:3: "READRES data=i+2i": data="i+2i": an index occurs once`},
		{"loop 3 {\nREADRES data=0i\n}", "a step of 0 is left out"},
		{"loop 3 {\nREADRES data=2ii\n}", "+ or - wanted"},
		{"loop 1000000000 {\nREADRES data=1000000000i\n}", "the loops reach an address beyond"},
		{"loop 3 {\nREADRES data=1125899906842623+i\n}", "the loops reach an address beyond"},
		{"loop 3 {", "f:3: the end inside 1 loops: } wanted"},
		{"loop 3 {\n}", "a loop of no commands"},
		{"}", "no loop is open"},
		{"loop 0 {", `"0" iterations: 1 to 2^60 wanted`},
		{"loop 1152921504606846977 {", "1 to 2^60 wanted"},
		{"loop 3", `"loop N {" wanted`},
		{"loop 3 {\nPREA\n} }", "} alone wanted"},
		{"loop 1152921504606846976 {\nPREA\nPREA\n}", "more than 2^60 commands"},
		{"loop 1152921504606846976 {\nloop 1152921504606846976 {\nPREA\n}\n}", "more than 2^60 commands"},
		{"loop 1152921504606846976 {\nPREA\n}\nPREA", `f:5: "PREA": more than 2^60 commands`},
		{deep, "a loop inside 18 others: at most 17 wanted"},
		{strings.Repeat("x", dram.MaxLine+1), "a line of over"},
	} {
		text := c.text
		if c.text != "" && !strings.HasPrefix(c.want, "f:1:") {
			text = "pimflow stream 1 newton\n" + text
		}
		_, err := commandsOf(t, "newton").ParseStream("f", strings.NewReader(text))
		if err == nil || !strings.HasPrefix(err.Error(), "f:") || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.80q: %v, %s wanted", c.text, err, c.want)
		}
	}
	fill := "pimflow stream 1 artifact\nGWRITE data=0 fill=%s\n"
	for _, v := range []string{"2 pitch=1", "0x4 pitch=1", "2x0 pitch=1", "2x4 pitch=0", "2x4x8 pitch=1"} {
		if _, err := commandsOf(t, "artifact").ParseStream("f", strings.NewReader(strings.Replace(fill, "%s", v, 1))); err == nil {
			t.Errorf("fill=%s is read", v)
		}
	}
}

// TestNotationVast: loops of 2^60 commands are read and timed without being written out.
func TestNotationVast(t *testing.T) {
	c := commandsOf(t, "newton")
	text := "pimflow stream 1 newton\n" + strings.Repeat("loop 1024 {\n", 6) + "GWRITE0 buf=0 data=0\n" + strings.Repeat("}\n", 6)
	st, err := c.ParseStream("f", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	n := make([]int64, len(c.names))
	if st.Count(n); n[c.Write[0]] != 1<<60 {
		t.Errorf("%d commands, 2^60 wanted", n[c.Write[0]])
	}
}

// FuzzParseStream: a text is a stream whose print is read as the same stream, or an error of name and line.
func FuzzParseStream(f *testing.F) {
	for i := range dialects {
		f.Add(i, "pimflow stream 1 "+dialects[i].standard+"\n")
	}
	f.Add(0, "pimflow stream 1 artifact\n# x\nloop 2 {\n GWRITE data=8i fill=2x16 pitch=32\n G_ACT0 row=3\n}\n")
	f.Add(1, "pimflow stream 1 newton\nloop 9 {\nloop 1152921504606846976 {\nCOMP3 row=-1+2i col=j buf=5-j\n}\n}\n")
	f.Add(2, "pimflow stream 1 aim\nWRMAC16 acc=0\nRDMAC16 acc=0 data=7\n")
	f.Fuzz(func(t *testing.T, dialect int, text string) {
		c := commandsOf(t, dialects[uint(dialect)%uint(len(dialects))].standard)
		st, err := c.ParseStream("f", strings.NewReader(text))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "f:") || strings.ContainsAny(err.Error(), "\n\r") {
				t.Errorf("%q", err)
			}
			return
		}
		again, err := c.ParseStream("f", strings.NewReader(printed(t, c, st)))
		if diff := cmp.Diff(st, again, sameStream); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
	})
}
