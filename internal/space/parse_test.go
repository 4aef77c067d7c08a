package space

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const whole = `# a comment
models: [toy, "vgg-16"]
batches: [1, {from: 4, to: 16, factor: 2}]
machines: [toy]
policies: [auto, gpu]
objectives: [latency]
overrides:
  memory.pim_channels: {from: 1, to: 4}
  pim.buffers: [1, 2]
  launch.pim:
    - each
    - joint
zip:
  - [memory.pim_channels, batches]
where: ["memory.pim_channels * pim.buffers <= 5"]
sample: {points: 7, method: latin, seed: 3}
effort: low
search: full
`

// TestDamagedSpecs: an error is one line with the file, the line, the value and what is wanted.
func TestDamagedSpecs(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{"", "", ""},
		{"models:", "model:", `s.yaml:2: "model" is not known (did you mean "models"?): models, batches, machines, gpus, policies, objectives, overrides, zip, where, sample, effort, search, anchors wanted`},
		{"[toy, \"vgg-16\"]", "[toy, vgg-17]", `s.yaml:2: models: model "vgg-17" is not known (did you mean "vgg-16"?)`},
		{"[toy, \"vgg-16\"]", "[toy, toy]", `s.yaml:2: models: "toy" is there twice`},
		{"[toy, \"vgg-16\"]", "toy", `s.yaml:2: models: String "toy": a list of values, or {from: 2, to: 16, step: 2}, wanted`},
		{"[toy, \"vgg-16\"]", "[toy, [x]]", `s.yaml:2: models: a list: a number or a text wanted`},
		{"[toy, \"vgg-16\"]", "[toy, ]", ``},
		{"[toy, \"vgg-16\"]", "", `s.yaml:2: models: nothing: a list`},
		{"[toy, \"vgg-16\"]", "[]", `s.yaml:2: models: no value: a list wanted`},
		{"[toy, \"vgg-16\"]", "[toy", `s.yaml:3: not YAML, here or before: `},
		{"[toy, \"vgg-16\"]", "[toy, no.onnx]", `s.yaml:2: models: stat no.onnx: no such file or directory`},
		{"[toy, \"vgg-16\"]", "&a [toy]", `s.yaml:2: "&": plain keys and values wanted`},
		{"[toy, \"vgg-16\"]", "!!seq [toy]", `s.yaml:2: "!!seq": plain keys and values wanted`},
		{"models: [toy, \"vgg-16\"]\n", "", `s.yaml:1: models: missing: one or more wanted`},
		{"# a comment", "models: [toy]", `s.yaml:2: "models" is there twice`},
		{"# a comment", "--- 1\n---", `2 YAML documents: one with models wanted`},
		{"[1, {from: 4, to: 16, factor: 2}]", "[0, 1, 2, 4]", `s.yaml:3: batches: "0": a whole number of 1 to 1048576 wanted`},
		{"[1, {from: 4, to: 16, factor: 2}]", "[1.5, 1, 2, 4]", `s.yaml:3: batches: "1.5": a whole number of 1 to 1048576 wanted`},
		{"[1, {from: 4, to: 16, factor: 2}]", "[1, 2, 4, 1048577]", `s.yaml:3: batches: "1048577": a whole number of 1 to 1048576 wanted`},
		{"factor: 2", "factor: 2, step: 1", `s.yaml:3: batches: step 1 and factor 2: one of both wanted`},
		{"factor: 2", "times: 2", `s.yaml:3: batches: "times" is not known: from, to and step or factor wanted`},
		{"factor: 2", "factor: x", `s.yaml:3: batches: 4..16xx: "x": a decimal number wanted`},
		{"from: 1, to: 4", "to: 3", `s.yaml:8: memory.pim_channels: a range without from or to: both wanted`},
		{"from: 1, to: 4", "from: 1, to: 99999999", `s.yaml:8: memory.pim_channels: 1..99999999: more values than an axis may have`},
		{"from: 1, to: 4", "from: 1, to: 3, step: 2", `s.yaml:14: zip: memory.pim_channels has 2 values and batches has 4: as many wanted`},
		{"from: 1, to: 4", "from: 3, to: 6", `s.yaml:8: memory.pim_channels: machine toy: memory.pim_channels: 5: at most memory.channels, 4, wanted`},
		{"[toy]\npol", "[toys]\npol", `s.yaml:4: machines: machine "toys" is not known (did you mean "toy"?)`},
		{"[auto, gpu]", "[auto, cpu]", `s.yaml:5: policies: policy "cpu" is not known`},
		{"[latency]", "[speed]", `s.yaml:6: objectives: objective "speed" is not known`},
		{"pim.buffers: [1", "pim.buffer: [1", `s.yaml:9: pim.buffer: machine toy: pim.buffer: unknown key (did you mean "pim.buffers"?)`},
		{"pim.buffers: [1, 2]", "pim.buffers: [1, 2.5]", `s.yaml:9: pim.buffers: machine toy: pim.buffers: 2.5: a whole number wanted`},
		{"pim.buffers: [1, 2]", "pim.buffers: [1, 0]", `s.yaml:9: pim.buffers: machine toy: pim.buffers: 0 is out of range: 1..64 wanted`},
		{"pim.buffers: [1, 2]", "buffers: [1, 2]", `s.yaml:9: overrides: "buffers": a key of the machine wanted`},
		{"    - joint", "    - jointly", `s.yaml:12: launch.pim: machine toy: launch.pim: "jointly": each or joint wanted`},
		{"batches]", "bathes]", `s.yaml:14: zip: "bathes" is no axis of the space (did you mean "batches"?)`},
		{"[memory.pim_channels, batches]", "[batches]", `s.yaml:14: zip: "batches": two or more axes wanted`},
		{"[memory.pim_channels, batches]", "batches", `s.yaml:14: zip: String "batches": a list of names of axes wanted`},
		{"  - [memory.pim_channels, batches]", "  - [memory.pim_channels, batches]\n  - [batches, launch.pim]", `s.yaml:15: zip: batches is there twice`},
		{"pim.buffers <= 5", "pim.buffer <= 5", `s.yaml:15: where: "memory.pim_channels * pim.buffer <= 5": column 23: pim.buffer: machine toy has no such key (did you mean "pim.buffers"?)`},
		{"<= 5", "<= 0", `s.yaml:16: sample: no point of those that were drawn is allowed`},
		{`["memory.pim_channels * pim.buffers <= 5"]`, `x`, `s.yaml:15: where: String "x": a list of constraints, as ["pim.banks <= 16"], wanted`},
		{"points: 7", "points: 0", `s.yaml:16: sample: 0 points: 1 to 10000000 wanted`},
		{"points: 7", "points: many", `s.yaml:16: sample.points: "many": a whole number wanted`},
		{"method: latin", "method: grid", `s.yaml:16: sample: method "grid": one of random, latin, halving, nsga2 wanted`},
		{"points: 7, method: latin", "points: 70, method: nsga2", ``},
		{"points: 7, method: latin, seed: 3}\neffort: low", "points: 70, method: halving}\neffort: high", ``},
		{"points: 7, method: latin", "points: 70, method: halving", `s.yaml:16: sample: method halving with effort low and search full has one effort`},
		{"points: 7, method: latin", "points: 3, method: nsga2", `s.yaml:16: sample: 3 points: 8 to 100000 wanted, one or more for each model and batch`},
		{"seed: 3", "population: 3", `s.yaml:16: population: 3: 1 or more wanted, and method nsga2`},
		{"seed: 3", "population: none", `s.yaml:16: sample.population: "none": a whole number of 1 or more wanted`},
		{"seed: 3", "seed: -3", `s.yaml:16: sample.seed: "-3": a whole number of 0 to 18446744073709551615 wanted`},
		{"seed: 3", "sead: 3", `s.yaml:16: sample: "sead" is not known (did you mean "seed"?): points, method, seed, population wanted`},
		{"effort: low", "effort: lower", `s.yaml:17: effort: effort "lower"`},
		{"effort: low", "effort: 1000000000", `s.yaml:17: effort: 1000000000 steps a layer: at most 999999999 wanted`},
		{"# a comment", "\ufeff# a comment", ``},
		{"search: full", "anchors: many", `s.yaml:18: anchors: "many": a whole number of 1 to 1024 wanted`},
		{"search: full", "anchors: 0", `s.yaml:18: anchors: "0": a whole number of 1 to 1024 wanted`},
		{"search: full", "anchors: 2000", `s.yaml:18: anchors: 2000: 1 to 1024 wanted`},
		{"search: full", "search: fully", `s.yaml:18: search: "fully": one of anchors, full, all wanted (did you mean "full"?)`},
		{whole, "", "s.yaml: 0 YAML documents"},
		{whole, "5", `s.yaml:1: the spec: Integer "5": a mapping of keys and values wanted`},
		{whole, "models: [a\xff]", "s.yaml: text in UTF-8 wanted"},
		{whole, "? [a, b]\n: c", "s.yaml:2: not YAML, here or before: "},
		{whole, strings.Repeat("[", 100000), "s.yaml:1: \"[\" is too deep within others: 16 levels at most wanted"},
		{whole, strings.Repeat("- ", 100000), "s.yaml:1: \"-\" is too deep within others: 16 levels at most wanted"},
	} {
		spec, err := Parse("s.yaml", []byte(strings.Replace(whole, c.old, c.new, 1)))
		if err == nil {
			_, err = New(spec)
		}
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%q: %v", c.new, err)
		case c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want) && !strings.Contains(c.want, "documents") || strings.Contains(err.Error(), "\n")):
			t.Errorf("%q: %v: %s wanted", c.new, err, c.want)
		}
	}
}

// TestLargest: a file of the largest size, whatever is in it, is read or refused in a line.
func TestLargest(t *testing.T) {
	for name, text := range map[string]string{
		"brackets": strings.Repeat("[\n", maxFile/2), "maps": strings.Repeat("{a:\n", maxFile/4), "dashes": strings.Repeat("-\n", maxFile/2), "steps": steps(), "keys": strings.Repeat("? ", 30) + strings.Repeat("\n?", maxFile/2),
		"values": "models: [" + strings.Repeat("a, ", maxFile/3) + "]", "lines": "models:\n" + strings.Repeat("- a\n", maxFile/4), "quotes": strings.Repeat(`"`, maxFile), "anchors": strings.Repeat("&a ", maxFile/3),
		"tags": strings.Repeat("!a ", maxFile/3), "colons": strings.Repeat("a: ", maxFile/3), "comments": strings.Repeat("#\n", maxFile/2), "literal": "a: |\n" + strings.Repeat("  b\n", maxFile/4), "documents": strings.Repeat("---\n", maxFile/4),
		"aliases": "a: &a [x]\n" + strings.Repeat("? *a\n", maxFile/5),
	} {
		if _, err := Parse("s.yaml", []byte(text[:min(len(text), maxFile)])); err != nil && (!strings.HasPrefix(err.Error(), "s.yaml") || strings.Contains(err.Error(), "\n") || len(err.Error()) > 500) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// steps is a mapping in a mapping in a mapping.
func steps() string {
	var b strings.Builder
	for n := 0; b.Len() < maxFile; n++ {
		b.WriteString(strings.Repeat(" ", n) + "a:\n")
	}
	return b.String()
}

// TestLargeFile: a file that is no spec is not read to its end.
func TestLargeFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "s.yaml")
	if err := os.WriteFile(file, bytes.Repeat([]byte("#"), maxFile+1), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(file); err == nil || !strings.Contains(err.Error(), "more than 65536 bytes") {
		t.Error(err)
	}
}

// FuzzSpec: what is read is printed, and read again as the same.
func FuzzSpec(f *testing.F) {
	f.Add(whole)
	f.Add("{}")
	f.Add("models: [toy]\noverrides: {a.b: [\"\\u00e9\", '1']}\n")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse("s.yaml", []byte(text))
		if err != nil {
			if strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), "s.yaml:") {
				t.Fatalf("%q", err)
			}
			return
		}
		var first, second bytes.Buffer
		s.Print(&first)
		again, err := Parse("s.yaml", first.Bytes())
		if err != nil {
			t.Fatalf("%v\n%s", err, &first)
		}
		if again.Print(&second); first.String() != second.String() {
			t.Fatalf("%s\n%s", &first, &second)
		}
	})
}
