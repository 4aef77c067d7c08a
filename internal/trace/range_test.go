package trace

import (
	"strings"
	"testing"
)

// TestRange: addresses that the machine has not are refused with their line, by audit and sim alike, whatever loops reach them.
func TestRange(t *testing.T) {
	for _, c := range []struct{ machine, text, want string }{
		{"newton", "cycle,command,row\n5,G_ACT1,16383\n", ""},
		{"newton", "cycle,command,row\n5,G_ACT1,16384\n", `f:2: "5,G_ACT1,16384": row: "16384": a number from 0 to 16383 wanted`},
		{"newton", "cycle,command,column,buffer,accumulator,data\n5,COMP0,63,31,0,x\n5,COMP0,,,,\n", ""},
		{"newton", "cycle,command,column\n5,COMP0,64\n", `f:2: "5,COMP0,64": column: "64": a number from 0 to 63 wanted`},
		{"newton", "cycle,command,buffer\n5,COMP0,32\n", `buffer: "32": a number from 0 to 31 wanted`},
		{"newton", "cycle,command,accumulator\n5,COMP0,-1\n", `accumulator: "-1": a number from 0 to `},
		{"newton", "pimflow stream 1 newton timed\n@5 COMP0 row=1 col=64 buf=0\n", `col: "64": a number from 0 to 63 wanted`},
		{"newton", "pimflow stream 1 newton timed\n@5 COMP0 row=1 col=6 buf=32\n", `: "32": a number from 0 to 31 wanted`},
		{"newton", "pimflow stream 1 newton timed\n@5 GWRITE0 buf=0 data=x\n", `data: "x": a number from 0 to `},
		{"newton", "pimflow stream 1 newton timed\n@5 GWRITE0 buf=0 date=0\n", `date: no operand of a command has this name`},
		{"newton", "cycle,command,cycle\n5,PREA,5\n", `f:1: "cycle,command,cycle": column "cycle" twice: once wanted`},
		{"newton", "cycle,command\n5,PREA,6,7\n", `f:2: "5,PREA,6,7": 4 columns: 2 wanted, those of the first line`},
		{"newton", "pimflow stream 1 newton timed\n@5 G_ACT1 row=16384\n", `f:2: "@5 G_ACT1 row=16384": row: "16384": a number from 0 to 16383 wanted`},
		{"newton", "pimflow stream 1 newton\nloop 4 {\nG_ACT0 row=16380+i\n}\n", ""},
		{"newton", "pimflow stream 1 newton\nloop 5 {\nG_ACT0 row=16380+i\n}\n", `f:3: "G_ACT0 row=16380+i": row="16380+i": 16384: 0 to 16383 wanted, those of the machine`},
		{"newton", "pimflow stream 1 newton\nloop 3 {\nG_ACT0 row=1-i\n}\n", `row="1-i": -1: 0 to 16383 wanted`},
		{"newton", "pimflow stream 1 newton\nloop 100000 {\nG_ACT0 row=i\n}\n", `row="i": 99999: 0 to 16383 wanted`},
		{"newton", "pimflow stream 1 newton\nCOMP0 row=0 col=64 buf=0\n", `col="64": 64: 0 to 63 wanted`},
		{"newton", "pimflow stream 1 newton\nCOMP0 row=0 col=63 buf=32\n", `buf="32": 32: 0 to 31 wanted`},
		{"newton", "pimflow stream 1 newton\nREADRES data=-1\n", `data="-1": -1: 0 to `},
		{"hbm-pim", "pimflow stream 1 hbm-pim timed\n@5 WRAB bank=1 row=0 col=0 data=0\n@90 RDSB bank=15 row=0 col=0 data=0\n", ""},
		{"hbm-pim", "pimflow stream 1 hbm-pim timed\n@5 WRAB bank=2 row=0 col=0 data=0\n", `f:2: "@5 WRAB bank=2 row=0 col=0 data=0": bank: "2": a number from 0 to 1 wanted`},
		{"hbm-pim", "pimflow stream 1 hbm-pim timed\n@5 RDSB bank=16 row=0 col=0 data=0\n", `bank: "16": a number from 0 to 15 wanted`},
		{"hbm-pim", "pimflow stream 1 hbm-pim\nRDAB bank=2 row=0 col=0\n", `bank="2": 2: 0 to 1 wanted`},
		{"hbm-pim", "pimflow stream 1 hbm-pim\nRDSB bank=16 row=0 col=0 data=0\n", `bank="16": 16: 0 to 15 wanted`},
		{"aim", "AiM MAC_ABK 4 0x80000000 16383\nAiM EOC\n", ""},
		{"aim", "AiM MAC_ABK 4 0x80000000 16384\nAiM EOC\n", `f:1: "AiM MAC_ABK 4 0x80000000 16384": row 16384: 0 to 16383 wanted, those of a bank`},
	} {
		s := simulator(t, c.machine)
		want := strings.Replace(c.want, "f:", "stdin:", 1)
		refused := func(err error) {
			t.Helper()
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v: %q wanted", c.text, err, want)
			}
		}
		_, err := s.Audit(t.Context(), []string{"-"}, strings.NewReader(c.text), 3, silent)
		refused(err)
		if c.machine == "aim" {
			_, err = s.HostFiles(t.Context(), []string{"-"}, strings.NewReader(c.text), silent)
		} else {
			_, err = s.Streams(t.Context(), []string{"-"}, strings.NewReader(c.text), false, silent)
		}
		refused(err)
	}
}

// TestMaxVisited: a loop nest of more commands than audit and sim --stalls visit in a minute is refused at once; sim times it without writing it out.
func TestMaxVisited(t *testing.T) {
	s := simulator(t, "newton")
	const text = "pimflow stream 1 newton\nloop 1000000000 {\nloop 1000000 {\nPREA\n}\n}\n"
	const want = "stdin: 1000000000000000 commands with the iterations of all loops: at most 536870912 wanted, each of which audit visits"
	if _, err := s.Audit(t.Context(), []string{"-"}, strings.NewReader(text), 3, silent); err == nil || err.Error() != want {
		t.Errorf("%v: %q wanted", err, want)
	}
	if _, err := s.Streams(t.Context(), []string{"-"}, strings.NewReader(text), true, silent); err == nil || err.Error() != strings.Replace(want, "audit", "sim --stalls", 1) {
		t.Errorf("%v", err)
	}
	if x, err := s.Streams(t.Context(), []string{"-"}, strings.NewReader(text), false, silent); err != nil || x.Streams[0].Own != 1e15 {
		t.Errorf("%v %v", x, err)
	}
}
