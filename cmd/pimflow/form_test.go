package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// noTable are the commands that print no table, or one that other programs read as it is.
var noTable = map[string]string{
	"report": "writes a page", "code": "prints command streams", "graph": "prints a graph, which is read back", "export": "writes a model", "worker": "prints nothing",
	"plot": "writes a figure", "profile": "prints CSV", "layer": "prints CSV with --csv, which names its input", "sim": "prints CSV with --stalls; --csv names its input",
	"help": "", "completion": "",
}

// TestForms: what prints a table prints it as JSON with a schema and as CSV too, with the same rows.
func TestForms(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "log.csv")
	if err := os.WriteFile(log, []byte("cycle,command,bank,row\n0,READRES,0,0\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	plan := filepath.Join(dir, "toy.plan")
	run := func(code int, line string) string {
		t.Helper()
		var out, stderr bytes.Buffer
		if got := command(t.Context(), strings.Fields(line), &out, &stderr); got != code {
			t.Fatalf("%s: exit code %d, %s", line, got, &stderr)
		}
		return out.String()
	}
	run(0, "run toy --machine toy --policy gpu --launches=false -q -o "+plan)
	run(0, "run toy --machine toy --launches=false -q -o "+plan+"2.plan")
	lines := map[string]struct {
		line string
		rows string // the key of the rows in JSON
		code int
	}{
		"run": {line: "run toy --machine toy --launches=false", rows: "layers"}, "compare": {line: "compare toy --machine toy --policy gpu,pimflow", rows: ""},
		"explain": {line: "explain toy --machine toy", rows: "layers"}, "diff": {line: "diff " + plan + " " + plan + "2.plan", rows: "layers"},
		"map": {line: "map toy --machine toy", rows: "steps"}, "emit": {line: "emit toy --machine toy -o " + dir + "/streams", rows: "steps"},
		"sweep": {line: "sweep --model toy --machine toy --policy gpu,pimflow"}, "pareto": {line: "pareto " + dir + "/rows.csv"},
		"sensitivity": {line: "sensitivity toy --machine toy --policy pimflow --quick --only link"}, "launches": {line: "launches toy --machine toy --policy pimflow"},
		"zoo": {line: "zoo", rows: "entries"}, "machine": {line: "machine", rows: "entries"}, "gpu": {line: "gpu", rows: "entries"}, "policy": {line: "policy", rows: "entries"},
		"operators": {line: "operators", rows: "operators"}, "calibrate": {line: "calibrate --eval t4_networks", rows: "eval"}, "validate": {line: "validate --gpu t4", rows: "rows"},
		"reproduce": {line: "reproduce toy --view ratios"}, "audit": {line: "audit " + log + " --machine newton", rows: "first", code: 1},
		"terms": {line: "terms", rows: "words"}, "version": {line: "version", rows: "parts"},
	}
	run(0, "sweep --model toy --machine toy --policy gpu,pimflow -o "+dir+"/rows.csv")
	for _, c := range rootCommand().Commands() {
		name := c.Name()
		of, ok := lines[name]
		if _, none := noTable[name]; ok == none {
			t.Errorf("%s: it is neither here nor in noTable, or in both", name)
			continue
		} else if none {
			continue
		}
		line := func(i string) string { return strings.Replace(of.line, "/streams", "/streams"+i, 1) }
		text := run(of.code, line("1")+" --json")
		rows, err := csv.NewReader(strings.NewReader(run(of.code, line("2")+" --csv"))).ReadAll()
		if err != nil || len(rows) < 2 || len(rows[0]) < 2 || slices.Contains(rows[0], "") {
			t.Fatalf("%s: %q, %v", of.line, rows, err)
		}
		if name == "sweep" {
			if n := strings.Count(text, "\n"); n != len(rows)-1 {
				t.Errorf("sweep: %d lines of JSON, %d of CSV", n, len(rows))
			}
			continue
		}
		all := map[string]json.RawMessage{}
		if err := json.Unmarshal([]byte(text), &all); err != nil || !strings.HasPrefix(string(all["schema"]), `"pimflow.`) {
			t.Errorf("%s: %.200s: %v", of.line, text, err)
		}
		if of.rows == "" {
			continue
		}
		var list []map[string]json.RawMessage
		if err := json.Unmarshal(all[of.rows], &list); err != nil || len(list) != len(rows)-1 {
			t.Fatalf("%s: %d rows of CSV, %d of JSON: %v", of.line, len(rows)-1, len(list), err)
		}
		for k, head := range rows[0] {
			var s string
			if value, ok := list[0][head]; ok && json.Unmarshal(value, &s) == nil && s != rows[1][k] {
				t.Errorf("%s: %s is %q in CSV and %q in JSON", of.line, head, rows[1][k], s)
			}
		}
	}
	for _, both := range []string{"run toy", "terms", "sweep --model toy", "audit " + log} {
		var out, stderr bytes.Buffer
		if code := command(t.Context(), strings.Fields(both+" --json --csv"), &out, &stderr); code != exitUsage || stderr.String() != "pimflow: --json does not go with --csv\n" {
			t.Errorf("%s: exit code %d, %s", both, code, &stderr)
		}
	}
}
