package trace

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pimflow/internal/dram"
	"pimflow/internal/hw"
	"pimflow/internal/pim"
)

func simulator(t testing.TB, machine string) *Simulator {
	t.Helper()
	m, err := hw.Load(machine)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(m, false)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// logged is the log of visits to rows, as the engine issues them.
func logged(s *Simulator, visits int) (rows []string) {
	run := s.channel.Run()
	run.Observe(func(op dram.Op, at dram.Cycle) {
		rows = append(rows, fmt.Sprintf("%d,%s", at, s.Standard.Ops[op].Name))
	})
	for range visits {
		for _, name := range strings.Fields("GWRITE0 GWRITE0 G_ACT0 G_ACT1 G_ACT2 G_ACT3 COMP0 COMP0 READRES COMP0 READRES PREA") {
			run.Issue(s.Standard.Op(name))
		}
	}
	run.Finish()
	return rows
}

func audit(t testing.TB, s *Simulator, text string) *Audit {
	t.Helper()
	a, err := s.Audit(t.Context(), []string{"-"}, strings.NewReader(text), 10, silent)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestAuditPlanted: a line that is a cycle too early is found, with its rule, its line and its channel, and nothing else.
func TestAuditPlanted(t *testing.T) {
	s := simulator(t, "newton")
	rows := logged(s, 40)
	r := rand.New(rand.NewPCG(1, 2))
	const head = "cycle,command,channel\n"
	rules := map[string]bool{}
	for i := range 200 {
		bad := append([]string{}, rows...)
		at := 1 + r.IntN(len(bad)-1)
		var cycle, before int
		var name string
		fmt.Sscanf(strings.Replace(bad[at], ",", " ", 1), "%d %s", &cycle, &name)
		fmt.Sscanf(bad[at-1], "%d", &before)
		if cycle-before < 2 {
			continue
		}
		bad[at] = fmt.Sprintf("%d,%s", cycle-1, name)
		a := audit(t, s, head+strings.Join(bad, ",3\n")+",3\n")
		if a.Violations < 1 || len(a.First) != int(a.Violations) || a.Commands != int64(len(bad)) || a.Channels != 1 {
			t.Fatalf("%d: %+v", i, a)
		}
		for _, b := range a.First {
			if rules[b.Rule] = true; b.Line != int64(at+2) || b.Channel != 3 || b.Cycle != int64(cycle-1) || b.By != 1 {
				t.Errorf("%+v in line %d", b, at+2)
			}
		}
		if good := audit(t, s, head+strings.Join(rows, ",3\n")+",3\n"); i == 0 && (good.Violations != 0 || good.Refreshes.Missing != 0 || good.Refreshes.Issued == 0) {
			t.Fatalf("%+v", good)
		}
	}
	for _, rule := range []string{"tCCD writes", "tCCD", "tFAW", "tRCDR", "tRP", "tRAS"} {
		if !rules[rule] {
			t.Errorf("%s is never broken: %v", rule, rules)
		}
	}
}

// TestAuditRefreshes: a log without refreshes breaks their rule, and would take as much longer as the engine says.
func TestAuditRefreshes(t *testing.T) {
	s := simulator(t, "newton")
	run := s.channel.Unrefreshed().Run()
	var text strings.Builder
	text.WriteString("cycle,command\n")
	last := dram.Cycle(0)
	run.Observe(func(op dram.Op, at dram.Cycle) {
		fmt.Fprintf(&text, "%d,%s\n", at, s.Standard.Ops[op].Name)
		last = at
	})
	refreshed := s.channel.Run()
	for range 200 {
		for _, name := range strings.Fields("GWRITE0 G_ACT0 G_ACT1 G_ACT2 G_ACT3 COMP0 READRES PREA") {
			run.Issue(s.Standard.Op(name))
			refreshed.Issue(s.Standard.Op(name))
		}
	}
	a := audit(t, s, text.String())
	with := refreshed.Finish()
	refreshes := with.Issued[s.Standard.Refresh.Do]
	requested := int64(last) / s.Machine.PIM.Timing["refi_ck"]
	want := float64(requested) * float64(with.Cycles-run.Finish().Cycles) / float64(refreshes)
	if r := a.Refreshes; r.Issued != 0 || r.Requested != requested || r.Missing != requested || r.Cycles != want || r.Part != want/float64(last) || r.Part < 0.03 || r.Part > 0.09 {
		t.Errorf("%+v: %d requested, %v cycles wanted", r, requested, want)
	}
	if len(a.Rules) != 1 || a.Rules[0].Rule != dram.RuleRefresh || a.Violations != requested-8 {
		t.Errorf("%+v", a.Rules)
	}
}

// TestAuditModeRows: in logs of others, commands that open and close the rows of modes change the mode; a row that stands for another mode is
// found.
func TestAuditModeRows(t *testing.T) {
	m, err := hw.Load("hbm-pim")
	if err != nil {
		t.Fatal(err)
	}
	m.PIM.Timing["mode_extra_ck"] = 20
	s, err := New(m, false)
	if err != nil {
		t.Fatal(err)
	}
	const right = "cycle,command,bank,row\n1,ACT,0,16382\n35,PRE,0,\n69,ACTAB,,3\n83,RDAB,,3\n103,PREA,,\n117,ACTAB,,16383\n151,PREA,,\n185,ACT,4,16383\n199,RD,4,16383\n"
	untimed := "command,row\nACTAB,16382\n"
	for _, c := range []struct {
		log, from, to string
		want          []string
	}{
		{log: right},
		{right, "35,PRE,0", "35,PREA,", nil},
		{right, "1,ACT,0,16382", "1,ACTMR,,16382", nil},
		{right, "69,ACTAB,,3", "68,ACTAB,,3", []string{"mode change: ACTAB 33 cycles after PREMR: 34 wanted"}},
		{right, "1,ACT,0,16382", "1,ACTMR,,16383", []string{"mode: ACTMR of row 16383: 16382 wanted, that of the change to AB mode"}},
		{right, "35,PRE,0", "34,PRE,0", []string{"tRAS AB: PREMR 33 cycles after ACTAB/ACTMR: 34 wanted"}},
		{right, "1,ACT,0,16382", "1,ACT,0,16383", []string{"mode: ACTAB in SB mode"}},
		{log: "cycle,command,bank,row\n1,ACT,0,16382\n35,PRE,0,\n69,ACT,4,16382\n", want: []string{"mode: ACT in AB mode"}},
		{log: "command,row\nACTMR,16382\nPREA,\nACTAB,3\nRDAB,3\nPREA,\nACTAB,16383\nPREA,\nACTSB,3\nPREA,\n"},
		{log: "pimflow stream 1 hbm-pim\nACTMR row=16382\nPREA\nACTAB row=3\nPREA\nACTAB row=16383\nPREA\nACTSB bank=0 row=3\nPREA\n"},
		{log: untimed, want: []string{"mode: ACTAB in SB mode"}},
	} {
		a := audit(t, s, strings.Replace(c.log, c.from, c.to, 1))
		var got []string
		for _, b := range a.First {
			got = append(got, b.Rule+": "+b.Text)
		}
		for i := range max(len(got), len(c.want)) {
			if i >= len(got) || i >= len(c.want) || !strings.HasSuffix(got[i], strings.SplitN(c.want[i], ": ", 2)[1]) || !strings.HasPrefix(got[i], strings.SplitN(c.want[i], ": ", 2)[0]) {
				t.Errorf("%q => %q: %q, %q wanted", c.from, c.to, got, c.want)
				break
			}
		}
	}
}

// TestLogForms: a table, with its columns in any order and more of them, and a stream with cycles are the same log.
func TestLogForms(t *testing.T) {
	s := simulator(t, "newton")
	meter, err := pim.NewMeter(s.Machine)
	if err != nil {
		t.Fatal(err)
	}
	var want []event
	for i, text := range []string{
		"cycle,command,channel,bank,row\n5,G_ACT1,0,4-7,9\n60,PREA,0,,\n",
		"\ufeffnote,row,command,cycle\r\nx,9,G_ACT1,5\r\n,,PREA,60\r\n",
		"pimflow stream 1 newton timed\n# x\n@5 G_ACT1 row=9\n\n@60 PREA",
	} {
		var got []event
		in, err := dram.TraceText("f", strings.NewReader(text))
		if err == nil {
			err = newLogReader(s.Standard, meter.Bounds()).read("f", in, func(e *event) error {
				e.line = 0
				got = append(got, *e)
				return nil
			})
		}
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			want = []event{{op: s.Standard.Op("G_ACT1"), bank: dram.AllBanks, row: 9, at: 5}, {op: s.Standard.Op("PREA"), bank: dram.AllBanks, row: dram.AnyRow, at: 60}}
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(event{})); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

// FuzzAudit: a text is audited, or an error of name and line.
func FuzzAudit(f *testing.F) {
	newton, aim := simulator(f, "newton"), simulator(f, "aim")
	f.Add("cycle,command\n5,READRES\n5,READRES\n1152921504606846976,REF\n")
	f.Add("cycle,command,bank,row\n5,ACT,3,4\n9,RD,3,5\n")
	f.Add("pimflow stream 1 newton timed\n@1 COMP0 row=3 col=0 buf=1\n")
	f.Add("pimflow stream 1 newton\nloop 3 {\nREADRES data=i\n}\n")
	f.Add("command\nWRGB\nRDMAC16\n")
	f.Add("AiM WR_GB 3 0 0x80000000\nAiM EOC\n")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "loop") || len(text) > 1<<12 { // loops of any length: FuzzParseStream has them
			return
		}
		for _, s := range []*Simulator{newton, aim} {
			a, err := s.Audit(t.Context(), []string{"-"}, strings.NewReader(text), 3, silent)
			if err != nil {
				if !strings.HasPrefix(err.Error(), "stdin:") || strings.ContainsAny(err.Error(), "\n\r") {
					t.Errorf("%q", err)
				}
				continue
			}
			sum := int64(0)
			for _, r := range a.Rules {
				sum += r.N
			}
			if sum != a.Violations || len(a.First) > 3 || a.Commands < 0 {
				t.Errorf("%+v", a)
			}
		}
	})
}

// BenchmarkAuditLog: lines of a table, a second.
func BenchmarkAuditLog(b *testing.B) {
	s := simulator(b, "newton")
	rows := logged(s, 1000)
	text := []byte("cycle,command\n" + strings.Join(rows, "\n") + "\n")
	b.SetBytes(int64(len(text)))
	n := 0
	for b.Loop() {
		a, err := s.Audit(b.Context(), []string{"-"}, io.Reader(bytes.NewReader(text)), 10, silent)
		if err != nil || a.Violations > 0 {
			b.Fatal(a, err)
		}
		n += len(rows)
	}
	b.ReportMetric(float64(n)/1e6/b.Elapsed().Seconds(), "Mcommands/s")
}
