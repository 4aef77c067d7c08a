package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"

	"pimflow/internal/report"
)

// TestLists: what is built in is shipped as text, JSON and CSV with the same names.
func TestLists(t *testing.T) {
	run := func(line string) string {
		t.Helper()
		var out, stderr bytes.Buffer
		if code := command(t.Context(), strings.Fields(line), &out, &stderr); code != 0 {
			t.Fatalf("%s: exit code %d, %s", line, code, &stderr)
		}
		return out.String()
	}
	for _, name := range []string{"zoo", "machine", "gpu", "policy"} {
		var all struct {
			Schema  string
			Entries []report.Entry
		}
		if err := json.Unmarshal([]byte(run(name+" --json")), &all); err != nil || all.Schema != report.ListSchema || len(all.Entries) < 2 {
			t.Errorf("%s: %+v, %v", name, all, err)
		}
		rows, err := csv.NewReader(strings.NewReader(run(name + " --csv"))).ReadAll()
		if err != nil || len(rows) != len(all.Entries)+1 || rows[0][0] != "name" {
			t.Fatalf("%s: %q, %v", name, rows, err)
		}
		lines := strings.Split(strings.TrimSpace(run(name)), "\n")
		for i, e := range all.Entries {
			if rows[i+1][0] != e.Name || rows[i+1][1] != e.About || strings.Fields(lines[i])[0] != e.Name || !strings.HasSuffix(lines[i], e.About) {
				t.Errorf("%s: %q, %q, %q", name, e, rows[i+1], lines[i])
			}
		}
	}
	for line, want := range map[string]string{
		"zoo --json --csv":      "--json does not go with --csv",
		"machine newton --json": "--json is for the list: leave out newton",
		"gpu t4 --csv":          "--csv is for the list: leave out t4",
	} {
		var out, stderr bytes.Buffer
		if code := command(t.Context(), strings.Fields(line), &out, &stderr); code != exitUsage || stderr.String() != "pimflow: "+want+"\n" {
			t.Errorf("%s: exit code %d, %s%s wanted", line, code, &stderr, want)
		}
	}
}
