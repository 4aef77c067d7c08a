package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"pimflow"

	"pimflow/internal/dram"
	"pimflow/internal/hw"
)

const machineHead = `# The machine file

Every key of a machine, made from the program's types (` + "`go test ./cmd/pimflow -run TestMachineFile -update`" + `). ` + "`pimflow machine NAME`" + ` prints a file;
[machines.md](machines.md) says what the built-in ones are, and [adding.md](adding.md#-a-machine) how to add one.

* A number is ` + "`{\"value\": 11, \"source\": \"...\"}`" + `, a number with bounds has ` + "`\"low\"` and `\"high\"`" + ` too; a text or a switch stands by itself.
* In place of ` + "`\"value\"`" + ` a number may have a ` + "`\"formula\"`" + ` of keys and numbers with + - * / between them, and a number of cycles its duration in ` + "`\"ns\"`" + `.
* A file with a ` + "`\"base\"`" + ` has only what differs; without, every key is wanted but those that *may be missing*.
* *on %s* is the value of the default machine, or the formula that it follows from.
* A *fraction* is two whole numbers, as ` + "`\"8000/7\"`" + `, of picoseconds.

| key | type | unit | allowed | meaning | on %s |
|---|---|---|---|---|---|
`

// TestMachineFile: docs/machine-file.md is what the types say.
func TestMachineFile(t *testing.T) {
	const place = "../../docs/machine-file.md"
	m, err := hw.Load(pimflow.DefaultMachine)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, c := range m.Constants() {
		values[c.Path] = c.Text
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, machineHead, m.Name, m.Name)
	src := &source{root: "../..", files: map[string]*parsedPackage{}}
	for _, r := range src.rows(t, hw.Machine{}) {
		allowed := r.tag.Get("want")
		if r.tag.Get("missing") == "may" {
			allowed = strings.TrimPrefix(allowed+"; may be missing", "; ")
		}
		if r.key == "pim.timing.*" {
			r.key = "pim.timing.*"
		}
		value := values[r.key]
		if g := m.Given[r.key]; g.Formula != "" {
			value = "`" + g.Formula + "`"
		}
		unit := unitOf(r.key, r.kind)
		if r.about == "" {
			t.Errorf("key %s (%s) has no words", r.key, r.where)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s |\n", r.key, r.kind, unit, allowed, strings.ReplaceAll(r.about, "|", "\\|"), value)
	}
	b.WriteString("\n## Parameters of the standards\n\n`pim.timing` has the parameters of `pim.standard`, in cycles of the PIM's clock, named as JEDEC's: `rcd_ck` is tRCD. The rules that they are in are a file a standard in internal/dram.\n\n| parameter | standards |\n|---|---|\n")
	of := map[string][]string{}
	var names []string
	for _, name := range hw.Names() {
		m, err := hw.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		s, err := dram.Lookup(m.PIM.Standard)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range s.Timing {
			if of[p] == nil {
				names = append(names, p)
			}
			if !slices.Contains(of[p], s.Name) {
				of[p] = append(of[p], s.Name)
			}
		}
	}
	slices.Sort(names)
	for _, p := range names {
		fmt.Fprintf(&b, "| `pim.timing.%s` | %s |\n", p, strings.Join(of[p], ", "))
	}
	if *update {
		if err := os.WriteFile(place, b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if was, err := os.ReadFile(place); err != nil || !bytes.Equal(was, b.Bytes()) {
		t.Errorf("%s is not what the types say: go test ./cmd/pimflow -run TestMachineFile -update (%v)", place, err)
	}
}
