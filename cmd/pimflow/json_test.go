package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pimflow"

	"pimflow/internal/asktell"
	"pimflow/internal/convolution"
	"pimflow/internal/emit"
	"pimflow/internal/report"
	"pimflow/internal/result"
	"pimflow/internal/trace"
)

// document is a form of JSON that commands write.
type document struct {
	schema   string
	commands string // that write it
	about    string
	value    any // of its type
}

// documents lists the forms. docs/json.md is made of them.
var documents = []document{
	{pimflow.ReportSchema, "`run --json`", "A plan, its time and its energy. `report`, `diff`, `plot` and `pareto` read it.", pimflow.Report{}},
	{report.CompareSchema, "`compare --json`", "Policies for several models, batches and machines. `plot` and `pareto` read it.", report.Comparison{}},
	{report.ExplainSchema, "`explain --json`", "Why each layer is where it is, or all alternatives of one layer.", report.Explain{}},
	{report.DiffSchema, "`diff --json`", "The differences of two plans or runs.", report.Diff{}},
	{report.MemorySchema, "`map --json`", "Where the weights of a plan are in the banks.", report.Memory{}},
	{emit.Schema, "`emit --json`, `manifest.json` of `emit`", "The streams in a folder. `sim` reads it.", emit.Manifest{}},
	{result.Schema, "`sweep -o FILE.jsonl`, a line a point", "The result of a design point, after the key *schema*; the columns of .csv and .parquet. `plot` and `pareto` read it.", result.Row{}},
	{asktell.Schema, "`sweep --ask-tell`", "The line that announces a space. docs/guided.md has the conversation.", asktell.Announcement{}},
	{report.ParetoSchema, "`pareto --json`", "Pareto fronts.", report.Fronts{}},
	{report.SensitivitySchema, "`sensitivity --json`", "The effect of each constant of a machine.", report.Sensitivity{}},
	{report.LaunchesSchema, "`launches --json`", "Plans under several launch latencies.", report.Launches{}},
	{report.ListSchema, "`zoo --json`, `machine --json`, `gpu --json`, `policy --json`", "What is built in.", report.List{}},
	{report.BuiltSchema, "`version --json`", "What the program was built from.", report.Built{}},
	{report.GlossarySchema, "`terms --json`", "The words of reports.", report.Glossary{}},
	{report.OperatorsSchema, "`operators --json`", "The ONNX operators.", report.Operators{}},
	{report.CalibrationSchema, "`calibrate --json`", "A fit of the GPU model, and its errors.", report.Calibration{}},
	{report.ValidationSchema, "`validate --json`", "Measured whole networks beside modelled ones.", report.Validation{}},
	{report.PaperSchema, "`reproduce --json`", "Values of the published evaluation beside ours.", report.Paper{}},
	{report.ReproduceSchema, "`reproduce --view readings --json`", "Readings of the published accounting, and the bridge to ours. `plot` reads it.", report.Reproduction{}},
	{report.RatiosSchema, "`reproduce --view ratios --json`", "Histogram of the GPU's share.", report.Ratios{}},
	{report.MechanismsSchema, "`reproduce --view mechanisms --json`", "What placing, splitting and pipelining gain.", report.Mechanisms{}},
	{report.KernelsSchema, "`reproduce --view kernels --json`", "Published speed-ups of kernels beside ours.", report.Kernels{}},
	{report.SweepSchema, "`reproduce --view NAME --json`, the other views", "Speed-ups over one number of the published machine.", report.Sweep{}},
	{convolution.Schema, "`layer --json`", "One convolution: the published commands, ours, the GPU.", convolution.Cost{}},
	{trace.Schema, "`sim --json` of PIMFlow's traces", "Traces of channels, timed.", trace.Traces{}},
	{trace.HostSchema, "`sim --json` of host instructions", "A trace of a host, timed.", trace.Host{}},
	{trace.HostsSchema, "`sim --json` of a folder of host instructions", "Traces of a host, timed: a file a channel.", trace.Hosts{}},
	{trace.StreamsSchema, "`sim --json` of streams", "Streams of channels, timed.", trace.Streams{}},
	{emit.ValuesSchema, "`sim --values --json`", "Streams, performed on their images.", emit.Performed{}},
	{trace.AuditSchema, "`audit --json`", "Which commands of a log break which rules.", trace.Audit{}},
}

// inner are schemas of messages between the coordinator and the workers of one version, which are for no other program.
var inner = []string{"pimflow.runner/1", "pimflow.job/1", "pimflow.block/1", "pimflow.result/1"}

// units are the units of numbers by the endings of their keys.
var units = []struct{ end, unit string }{
	{"pj_per_byte", "pJ/B"}, {"pj_per_bit", "pJ/bit"}, {"pj_per_op", "pJ"}, {"ps_per_byte", "ps/B"}, {"ps_per_op", "ps"}, {"bytes_per_ck_sm", "B/cycle"}, {"_mw", "mW"},
	{"_gb_per_s", "GB/s"}, {"_gb_s", "GB/s"}, {"gflops_per_w", "GFLOP/s/W"}, {"gflop_per_s", "GFLOP/s"}, {"gflops", "GFLOP/s"}, {"images_per_s", "1/s"}, {"_ns", "ns"}, {"_us", "us"}, {"_ps", "ps"}, {"_pj", "pJ"}, {"_w", "W"},
	{"_ck", "cycles"}, {"cycles", "cycles"}, {"_cycle", "cycle"}, {"_bytes", "B"}, {"_percent", "%"}, {"_mib", "MiB"}, {"_s", "s"}, {"_flops", "FLOP"},
}

// unitOf is the unit of a number; "" for none.
func unitOf(key, kind string) string {
	if !strings.HasPrefix(kind, "number") && !strings.HasPrefix(kind, "integer") {
		return ""
	}
	key = strings.TrimSuffix(strings.TrimRight(key, "[]"), ".*")
	key = key[strings.LastIndex(key, ".")+1:]
	for _, cut := range []string{"_low", "_high", "_sum", "_total"} {
		key = strings.Replace(key, cut, "", 1)
	}
	for _, u := range units {
		if strings.HasSuffix(key, u.end) || key == strings.TrimPrefix(u.end, "_") {
			return u.unit
		}
	}
	return ""
}

// jsonHead begins docs/json.md.
const jsonHead = `# JSON

Each form of JSON that a command writes, made from the program's types (` + "`go test ./cmd/pimflow -run TestJSON -update`" + `). *schema* is the name of a form
and its version. The version is raised when a key goes, or means something else, or has values of another type. Keys are added without that.

* The first key of an object that a command prints is *version*: the commit, the Go version, and a hash of all machines.
* ` + "`a[].b`" + ` is the key b of each element of the list a, ` + "`a.*`" + ` each value of an object with keys that depend on the input.
* *or null* is said of a key that is always there, *or absent* of one that is not.
* The end of a key is its unit: ` + "`_ns`, `_us`, `_ps`, `_s` times, `_ck` cycles of the device's clock, `_pj` energies, `_w` powers, `_bytes` bytes" + `. Ratios and counts have none.
  ` + "`_low` and `_high`" + ` are the bounds of the number of the same name without.
* Numbers are unrounded. Times are those of the model; only wall clocks of searches (` + "`search_s`" + `) differ from call to call.

`

// TestJSON: docs/json.md is what the types say; no key goes or changes its type without a new version of its form.
func TestJSON(t *testing.T) {
	const place = "../../docs/json.md"
	was, err := os.ReadFile(place)
	if err != nil && !*update {
		t.Fatal(err)
	}
	src := &source{root: "../..", files: map[string]*parsedPackage{}}
	var b bytes.Buffer
	b.WriteString(jsonHead)
	for _, d := range documents {
		fmt.Fprintf(&b, "* [`%s`](#%s): %s\n", d.schema, anchor(d.schema), d.commands)
	}
	for _, d := range documents {
		rows := src.rows(t, d.value)
		for _, text := range broken(fieldsOf(string(was), d.schema), rows) {
			t.Errorf("%s: %s: raise the version", d.schema, text)
		}
		fmt.Fprintf(&b, "\n## %s\n\nWritten by %s. %s\n\n| key | type | unit | meaning |\n|---|---|---|---|\n", d.schema, d.commands, d.about)
		for _, r := range rows {
			if r.about == "" {
				t.Errorf("%s: key %s (%s) has no words", d.schema, r.key, r.where)
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", r.key, r.kind, unitOf(r.key, r.kind), strings.ReplaceAll(r.about, "|", "\\|"))
		}
	}
	if *update && !t.Failed() {
		if err := os.WriteFile(place, b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	} else if !bytes.Equal(was, b.Bytes()) && !t.Failed() {
		t.Errorf("%s is not what the types say: go test ./cmd/pimflow -run TestJSON -update", place)
	}
}

// broken says which keys of a page went, or have values of another type.
func broken(old map[string]string, rows []jsonRow) (list []string) {
	for _, key := range slices.Sorted(maps.Keys(old)) {
		i := slices.IndexFunc(rows, func(r jsonRow) bool { return r.key == key })
		if i < 0 {
			list = append(list, fmt.Sprintf("key %s is gone", key))
		} else if rows[i].kind != old[key] {
			list = append(list, fmt.Sprintf("key %s was %s and is %s", key, old[key], rows[i].kind))
		}
	}
	return list
}

// anchor is the name that a page of GitHub gives a heading.
func anchor(heading string) string {
	return regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(heading, "")
}

// fieldsOf are the keys of a form in a page, with their types.
func fieldsOf(page, schema string) map[string]string {
	fields := map[string]string{}
	_, text, _ := strings.Cut(page, "\n## "+schema+"\n")
	text, _, _ = strings.Cut(text, "\n## ")
	for line := range strings.Lines(text) {
		if cells := strings.Split(line, " | "); len(cells) > 3 && strings.HasPrefix(cells[0], "| `") {
			fields[strings.Trim(cells[0], "|` ")] = cells[1]
		}
	}
	return fields
}

// TestJSONSchemas: each name of a form that the source has is documented.
func TestJSONSchemas(t *testing.T) {
	src := &source{root: "../.."}
	for _, schema := range src.schemas(t) {
		if !slices.Contains(inner, schema) && !slices.ContainsFunc(documents, func(d document) bool { return d.schema == schema }) {
			t.Errorf("%s is not in the table of documents", schema)
		}
	}
}

// TestFieldsOf: what a page says is read back, and what breaks it is told; a new key does not.
func TestFieldsOf(t *testing.T) {
	page := "\n## pimflow.x/1\n\nabout\n\n| key | type | unit | meaning |\n|---|---|---|---|\n| `a` | number | ns | x |\n| `b[].c` | string or null |  | y |\n\n## pimflow.y/1\n\n| `d` | number | | z |\n"
	got := fieldsOf(page, "pimflow.x/1")
	if len(got) != 2 || got["a"] != "number" || got["b[].c"] != "string or null" {
		t.Errorf("%v", got)
	}
	rows := []jsonRow{{key: "a", kind: "string"}, {key: "new", kind: "number"}}
	if text := strings.Join(broken(got, rows), "; "); text != "key a was number and is string; key b[].c is gone" {
		t.Error(text)
	}
}
