package trace

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// onHost runs a table from stdin on a machine with a host.
func onHost(t *testing.T, machine, table string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := simulator(t, machine).HostTable(t.Context(), "-", strings.NewReader(table), &out, nil)
	return out.String(), err
}

// TestTableBounds: what is too long is refused before it is run, wherever its length is written.
func TestTableBounds(t *testing.T) {
	const most = "commands with the iterations of all loops: at most 536870912 wanted, each of which sim visits"
	for _, machine := range []string{"aim", "lpddr5-aim"} {
		for trace, want := range map[string]string{
			"1000000000000*i(AiM MAC_ABK 1 0x1 0) | AiM EOC":                "1000000000001 " + most,
			"AiM MAC_ABK 1000000000 0x1 0 | AiM EOC":                        "1000000001 " + most,
			"1000*i(AiM MAC_ABK 600000 0x1 {i}) | AiM EOC":                  "600000001 " + most,
			"2*i(AiM MAC_ABK {i+1000000000} 0x1 0) | AiM EOC":               `line 1: "AiM MAC_ABK 1000000000 0x1 0": 1000000000 commands up to here: at most 536870912 wanted`,
			"9000000000000000000*i(9000000000000000000*j(AiM EOC))":         "at least 9223372036854775807 " + most,
			"9000000000000000000*i(1*j(AiM EOC) | 900*j(AiM EOC))":          "at least 9223372036854775807 " + most,
			"AiM EOC | 1000000000000*i(AiM EOC)":                            "1000000000001 " + most,
			"1*i(AiM MAC_ABK 1 0x1 {i//0}) | AiM EOC":                       "character 25: 0//0: division by zero",
			"AiM MAC_ABK 1 0x1 {i} | AiM EOC":                               `character 20: "i" is no number, and no loop is around`,
			"9000000000000000000*i(0*j(AiM SYNC)) | AiM EWADD 1000000000 1": `line 1: "AiM EWADD 1000000000 1": 2 operands: 3 wanted`,
		} {
			if _, err := onHost(t, machine, "trace\n"+trace+"\n"); err == nil || !strings.HasPrefix(err.Error(), "stdin:2: trace: "+want) {
				t.Errorf("%s, %s: %v: %s wanted", machine, trace, err, want)
			}
		}
	}
	// Loops without lines take no time, nor does a great operand of what requests nothing.
	if out, err := onHost(t, "aim", "trace\n9000000000000000000*i(0*j(AiM SYNC)) | AiM EWADD 1000000000 1 1 | AiM EOC\n"); err != nil || !strings.HasSuffix(out, ",3\n") {
		t.Errorf("%q, %v", out, err)
	}
	if _, err := onHost(t, "aim", "refi,rfc,trace\n3125,304,AiM EOC\n"); err == nil || !strings.Contains(err.Error(), "the simulator of aim serves no refresh") {
		t.Error(err)
	}
}

// TestTableProgress: a long row tells how far it is, within an instruction too, and ends with its context.
func TestTableProgress(t *testing.T) {
	for _, machine := range []string{"aim", "hbm3-pim"} {
		s, run := simulator(t, machine), (*Simulator).HostTable
		table := "trace\nAiM MAC_ABK 100000000 0x1 0 | AiM EOC\n"
		if machine == "hbm3-pim" {
			run, table = (*Simulator).ModelTable, "trace\n100000000*r(MACAB 0 0)\n"
		}
		ctx, stop := context.WithCancel(t.Context())
		name, last, ended := "", 0, false
		err := run(s, ctx, "-", strings.NewReader(table), &bytes.Buffer{}, func(row string) (func(done, total int), func()) {
			name = row
			return func(done, total int) {
				if done < last || total < 100_000_000 || total > 100_000_001 {
					t.Errorf("%d of %d after %d", done, total, last)
				}
				if last = done; done > 5000 {
					stop()
				}
			}, func() { ended = true }
		})
		if !errors.Is(err, context.Canceled) || name != "stdin:2" || last <= 5000 || last > 50_000 || !ended {
			t.Errorf("%s: %v, row %s, %d told, ended %v", machine, err, name, last, ended)
		}
		stop()
	}
}

// TestTableGzip: a table may be compressed; what is cut off says so.
func TestTableGzip(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	fmt.Fprint(z, "trace\r\nAiM EOC\r\n")
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if out, err := onHost(t, "aim", packed.String()); err != nil || out != "trace,cycles\r\nAiM EOC,2\r\n" {
		t.Errorf("%q, %v", out, err)
	}
	if _, err := onHost(t, "aim", packed.String()[:20]); err == nil || !strings.Contains(err.Error(), "the gzip file is cut off") {
		t.Error(err)
	}
}
