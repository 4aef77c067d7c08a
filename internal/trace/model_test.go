package trace

import (
	"bytes"
	"context"
	"encoding/csv"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pimflow/internal/hw"
)

// onModel runs a table on the machine hbm3-pim.
func onModel(t *testing.T, table string) (string, error) {
	t.Helper()
	m, err := hw.Load("hbm3-pim")
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(m, false)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = s.ModelTable(t.Context(), "-", strings.NewReader(table), &out, nil)
	return out.String(), err
}

// TestModelTable: cycles, commands, first ticks and the hash of all ticks are those of the model (DCC, ISCA 2026), whose rows these
// are; none is taken from the table.
func TestModelTable(t *testing.T) {
	want, err := os.ReadFile("testdata/hbm_traces.csv")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(want)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var bare bytes.Buffer
	w := csv.NewWriter(&bare)
	for i, row := range rows {
		cells := append([]string{}, row...)
		for j := 4; i > 0 && j < len(row)-1; j++ { // after kind, preset, refi, rfc; before trace
			cells[j] = "?"
		}
		if err := w.Write(cells); err != nil {
			t.Fatal(err)
		}
	}
	w.Flush()
	got, err := onModel(t, bare.String())
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(want), "\n", ",\n") // the column not_simulated
	text = strings.Replace(text, "trace,\n", "trace,not_simulated\n", 1)
	if d := cmp.Diff(text, got); d != "" || len(rows) < 20 {
		t.Error(d)
	}
}

// TestModelRows: what is not simulated says so, what is wrong is named, and a row without a preset has the machine's timing.
func TestModelRows(t *testing.T) {
	for _, c := range []struct{ table, want string }{
		{"kind,cycles,ACT,trace\nsched,17,3,RD 0 0 0 1 2\n", "sched,,,RD 0 0 0 1 2,\"kind sched: the model's controller reorders requests, which is not simulated\"\n"},
		{"lines,trace\n?,MACAB 0 0 | RD 0 0 0 1 2 | BAR\n", "3,MACAB 0 0 | RD 0 0 0 1 2 | BAR,,\"RD: the model's controller reorders requests, which is not simulated\"\n"},
		{"trace\nMACAB 0 0\n", "MACAB 0 0,20,\n"},
		{"refi,rfc,trace\n0,0,MACAB 0 0 | BAR\n", "0,0,MACAB 0 0 | BAR,21,\n"},
		{"preset,trace\nHBM2_2.0Gbps,4*c(MACAB 0 {c})\n", ",27,\n"},
		{"preset,trace\nHBM3_6.4Gbps_NPC,4*c(MACAB 0 {c})\n", ",36,\n"},
		{"preset,trace\nHBM3_6.4Gbps,2*i(WRGB {i} 0 0) | WRGB 1 1 0 | WRGB 1 1 1\n", ",8,\n"},
	} {
		got, err := onModel(t, c.table)
		if err != nil || !strings.Contains(got, c.want) {
			t.Errorf("%q: %q, %v: %q wanted", c.table, got, err, c.want)
		}
	}
	for _, c := range []struct{ table, want string }{
		{"preset,trace\nHBM3_5.3Gbps,BAR\n", `stdin:2: preset: "HBM3_5.3Gbps": one of HBM2_2.0Gbps, `},
		{"refi,rfc,trace\n-1,0,BAR\n", `stdin:2: refi: "-1": 0 to 1073741824 ticks wanted`},
		{"refi,rfc,trace\n40,0,BAR\n", `stdin:2: refi: 40: 0 or at least 57 ticks wanted`},
		{"refi,rfc,trace\n0,x,BAR\n", `stdin:2: rfc: "x": 0 to`},
		{"refi,rfc,trace\n,0,BAR\n", `stdin:2: refi: "": 0 to 1073741824 ticks wanted`},
		{"rfc,trace\n1,BAR\n", `stdin:1: column refi is missing beside rfc: both or neither wanted`},
		{"preset,trace\n,BAR\n", `stdin:2: preset: "": one of HBM2_2.0Gbps, `},
		{"kind,trace\nschedd,BAR\n", `stdin:2: kind "schedd": one of inorder, sched wanted (did you mean "sched"?)`},
		{"a,trace,a\n1,BAR,2\n", `stdin:1: column "a" is there twice: once wanted`},
		{"a,b\n1,2\n", `stdin:1: column "trace" is missing: the columns are "a,b"`},
		{"M,K\n1,2\n", `stdin:1: column "N" is missing: the columns are "M,K"`},
		{"M,K,N,best_ns\n1,2,3,NaN\n", `stdin:2: best_ns: "NaN": ns from 0.001 to 1e18 wanted, or nothing`},
		{"M,K,N,best_ns\n1,2,3,-5\n", `stdin:2: best_ns: "-5": ns from`},
		{"M,K,N,best_ns\n1,2,3,1e-300\n", `stdin:2: best_ns: "1e-300": ns from`},
		{"M,K,N,best_ns\n1,2,3,+Inf\n", `stdin:2: best_ns: "+Inf": ns from`},
		{"M,K,N,best_ns\n1,2,3,10312ns\n", `stdin:2: best_ns: "10312ns": ns from`},
		{"trace\n1000000000000*r(MACAB 0 0)\n", `stdin:2: trace: 1000000000000 commands with the iterations of all loops: at most 536870912 wanted`},
		{"kind,trace\nsched,1000000000000*r(RD 0 0 0 0 0)\n", `stdin:2: trace: 1000000000000 commands`},
		{"trace\n2*r(MACAB {r%0} 0)\n", `stdin:2: trace: character 13: 0%0: division by zero`},
		{"refi,rfc,trace\n100,1000,100*r(MACAB {r} 0)\n", `stdin:2: refi 100, rfc 1000: the model never ends here`},
		{"trace\nMACAB 0 32\n", `stdin:2: trace: line 1: "MACAB 0 32": col "32": 0 to 31 wanted`},
		{"trace\nBAR | MACAB 0\n", `stdin:2: trace: line 2: "MACAB 0": 1 operands: 2 wanted`},
		{"trace\nMACABS 0 0\n", `instruction "MACABS" is unknown (did you mean "MACAB"?)`},
		{"trace\n3*(\n", "stdin:2: trace: "},
		{"kind,trace\nsched,FOO\n", `instruction "FOO" is unknown`},
	} {
		if _, err := onModel(t, c.table); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v: %q wanted", c.table, err, c.want)
		}
	}
}

// FuzzModelTable: a table of the model's traces is CSV again with as many rows, or an error of file and line.
func FuzzModelTable(f *testing.F) {
	for _, machine := range []string{"hbm-pim", "hbm3-pim"} {
		f.Add(machine, "preset,refi,rfc,trace\nHBM2_2.0Gbps,3900,260,MACAB 0 1 | BAR | WRGB 1 2 3\n")
		f.Add(machine, "kind,cycles,trace\r\nsched,1,\"RD 0 0 0 1 2\"\r\ninorder,,MACAB 3 4\r\n")
		f.Add(machine, "refi,rfc,trace\n60,59,MACAB 0 0|MACAB 1 0|MACAB 2 0\n")
		f.Add(machine, "M,K,N,best_ns\n1,256,256,67\n")
		f.Add(machine, "name,trace\n\x00") // no row is lost
	}
	sims := map[string]*Simulator{}
	for _, machine := range []string{"hbm-pim", "hbm3-pim"} {
		sims[machine] = simulator(f, machine)
	}
	f.Fuzz(func(t *testing.T, machine, text string) {
		s := sims[machine]
		if s == nil || strings.Contains(text, "*") || len(text) > 1<<11 { // loops of any length
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		var out bytes.Buffer
		if err := s.ModelTable(ctx, "-", strings.NewReader(text), &out, nil); err != nil {
			if ctx.Err() == nil && (!strings.HasPrefix(err.Error(), "stdin:") || strings.ContainsAny(err.Error(), "\n\r")) {
				t.Errorf("%q", err)
			}
			return
		}
		rows, err := csv.NewReader(&out).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		if before, err := csv.NewReader(strings.NewReader(text)).ReadAll(); err != nil || len(rows) != len(before) {
			t.Errorf("%d rows, %d before: %v", len(rows), len(before), err)
		}
	})
}
