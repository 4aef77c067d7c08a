package trace

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPublishedTable: tables run by the rules of the published device, refreshed as their rows say; single
// traces by those of the machine.
func TestPublishedTable(t *testing.T) {
	s := simulator(t, "lpddr5-aim")
	run := func(text string) (string, error) {
		file := filepath.Join(t.TempDir(), "f.csv")
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		err := s.HostTable(t.Context(), file, nil, &out, nil)
		return out.String(), err
	}
	// The published device takes 59 ticks for one MAC_ABK of 1, and of 100 rows 59 + 99 * 77; all 32 channels take part. Two refreshes
	// close a row before its products, and each takes 360 ticks until the row is open again.
	const rows = "refi,rfc,trace,cycles,REFab,CASRDMAC16,ACT16-1\n" +
		"0,304,AiM MAC_ABK 1 0xffffffff 0 | AiM EOC,?,?,?,?\n" +
		"3125,304,AiM MAC_ABK 1 0xffffffff 0 | AiM EOC,?,?,?,?\n" +
		"0,0,100*i(AiM MAC_ABK 1 0xffffffff {i}) | AiM EOC,?,?,?,?\n" +
		"3125,304,100*i(AiM MAC_ABK 1 0xffffffff {i}) | AiM EOC,?,?,?,?\n" +
		"500,100,\"AiM RD_MAC 0 0xffffffff | AiM EOC\",?,?,?,?\n"
	out, err := run(rows)
	if err != nil {
		t.Fatal(err)
	}
	got, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"59,0,0,32", "59,0,0,32", "7682,0,0,3200", "8402,64,0,3264", "40,0,32,0"} {
		cells := got[i+1]
		if now := strings.Join(cells[3:], ","); now != want {
			t.Errorf("row %d: %s, %s wanted", i+1, now, want)
		}
	}
	if out, err := run("trace\nAiM MAC_ABK 1 0x1 0 | AiM EOC\n"); err != nil || out != "trace,cycles\nAiM MAC_ABK 1 0x1 0 | AiM EOC,59\n" {
		t.Errorf("without columns of refreshes: %q, %v", out, err)
	}
	for text, want := range map[string]string{
		"refi,rfc,trace\n,304,AiM EOC\n":           `f.csv:2: refi: "": 0 to 4294967295 ticks wanted`,
		"refi,rfc,trace\n3125,-1,AiM EOC\n":        `f.csv:2: rfc: "-1": 0 to 4294967295 ticks wanted`,
		"refi,trace\n3125,AiM EOC\n":               "f.csv:1: column rfc is missing beside refi: both or neither wanted",
		"refi,rfc,trace\n100,304,AiM EOC\n":        "f.csv:2: refi 100, rfc 304: DRAM standard lpddr5-aim: a refresh every 100 cycles: at least 323 wanted",
		"refi,rfc,trace\n3125,304,AiM EOD\n":       `f.csv:2: trace: line 1: "AiM EOD"`,
		"refi,rfc,trace\n4000000000,1,AiM EOC\n":   "f.csv:2: refi 4000000000, rfc 1: timing parameter refi_ck",
		"refi,rfc,trace\n3125,304,AiM MAC_ABK 1\n": `f.csv:2: trace: line 1: "AiM MAC_ABK 1"`,
	} {
		if _, err := run(text); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v: %s wanted", text, err, want)
		}
	}
	// On the machine: two steps, 23 from the first, and EOC.
	file := filepath.Join(t.TempDir(), "f.isr")
	if err := os.WriteFile(file, []byte("AiM MAC_ABK 1 0x80000000 0\nAiM EOC\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	list, err := s.HostFiles(t.Context(), []string{file}, nil, func(string) func(int, int) { return nil })
	if err != nil || list[0].Cycles != 26 || list[0].Channels != 16 {
		t.Errorf("%+v, %v: 26 cycles wanted", list, err)
	}
}
