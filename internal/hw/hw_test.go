package hw

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestMachines reads every machine of the program and checks that its file is
// what Print writes, and that it bears its file's name.
func TestMachines(t *testing.T) {
	for _, name := range Names() {
		m, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		if m.Name != name {
			t.Errorf("machines/%s.json is called %q", name, m.Name)
		}
		want, err := machines.ReadFile("machines/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if err := m.Print(&got); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), got.String()); d != "" {
			t.Errorf("%s: file and Print differ:\n%s", name, d)
		}
	}
}

// TestEnergySources: an energy has a year in its source, or is estimated.
func TestEnergySources(t *testing.T) {
	year := regexp.MustCompile(`\b20[012]\d\b`)
	n := 0
	for _, name := range Names() {
		m, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		for path, source := range m.Sources {
			if strings.Contains(path, ".energy.") {
				n++
				if !year.MatchString(source) && !strings.Contains(source, "estimated") {
					t.Errorf("%s: %s: source %q: a year or the word estimated wanted", name, path, source)
				}
			}
		}
	}
	if n != len(Names())*19 {
		t.Errorf("%d energies in %d machines", n, len(Names()))
	}
}

func TestLoad(t *testing.T) {
	data, err := machines.ReadFile("machines/toy.json")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "mine.json")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if m, err := Load(path); err != nil || m.GPU.SMs != 2 || m.Sources["gpu.sm"] == "" {
		t.Errorf("Load(file) = %+v, %v", m, err)
	}
	for arg, want := range map[string]string{
		"artefact":          `machine "artefact" is not known (did you mean "artifact"?)`,
		path + ".gone.json": "machine: open",
	} {
		if _, err := Load(arg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Load(%q): %v: %q wanted", arg, err, want)
		}
	}
}

// TestErrors edits the toy machine and wants each mistake named with its place.
func TestErrors(t *testing.T) {
	data, err := machines.ReadFile("machines/toy.json")
	if err != nil {
		t.Fatal(err)
	}
	const src = `, "source": "estimated: round numbers for checking by hand"}`
	for _, c := range []struct{ old, new, want string }{
		{`"sm": {`, `"sms": {`, `m.json:28: gpu.sms: unknown key (did you mean "sm"?)`},
		{`"fused": false,`, ``, `gpu.fused: missing`},
		{`"name": "toy",`, `"name": "to\ny",`, `m.json: name: "to\ny": up to 80 printed characters wanted`},
		{`"fused": false,`, `"fused": false, "fused": true,`, `m.json:40: gpu.fused: written twice`},
		{`"sm": {"value": 2`, `"sm": {"value": 2, "value": 3`, `m.json:28: gpu.sm.value: written twice`},
		{`"sm": {"value": 2`, `"sm": {"value": 2.5`, `m.json:28: gpu.sm: 2.5: a whole number wanted`},
		{`"sm": {"value": 2`, `"sm": {"value": "2"`, `m.json:28: gpu.sm: "2": a whole number wanted`},
		{`"sm": {"value": 2`, `"sm": {"value": 0`, `m.json:28: gpu.sm: 0 is out of range: 1..65536 wanted`},
		{`"sm": {"value": 2`, `"sm": {"value": null`, `m.json:28: gpu.sm: null: a whole number wanted`},
		{`"sm": {"value": 2`, `"sm": {"value": 99999999999999999999`, `m.json:28: gpu.sm: 99999999999999999999: a whole number wanted`},
		{`"sm": {"value": 2` + src, `"sm": {"value": 2}`, `m.json:28: gpu.sm.source: missing`},
		{`"sm": {"value": 2` + src, `"sm": {"value": 2, "source": " "}`, `m.json:28: gpu.sm: source is " ": where`},
		{`"sm": {"value": 2` + src, `"sm": {"value": 2, "source": null}`, `m.json:28: gpu.sm: source is null: where`},
		{`"sm": {"value": 2` + src, `"sm": 2`, `m.json:28: gpu.sm: 2: {"value": 2, "source": "…"} wanted`},
		{`"sm": {"value": 2` + src, `"sm": [2]`, `m.json:28: gpu.sm: [: {"value": …, "source": "…"} wanted`},
		{`"eta": {"value": 1`, `"eta": {"value": 0`, `gpu.model.eta: 0 is out of range: >0..1 wanted`},
		{`"eta": {"value": 1`, `"eta": {"value": 1.01`, `gpu.model.eta: 1.01 is out of range: >0..1 wanted`},
		{`"eta": {"value": 1`, `"eta": {"value": 1e999`, `gpu.model.eta: 1e999: a number wanted`},
		{`"om": {"value": 0`, `"om": {"value": -0.1`, `gpu.model.om: -0.1 is out of range: >=0 wanted`},
		{`"fused": false`, `"fused": 0`, `gpu.fused: 0: a bool wanted`},
		{`"fused": false`, `"fused": null`, `gpu.fused: null: a bool wanted`},
		{`"tile_library": "square"`, `"tile_library": ""`, `gpu.tile_library: empty`},
		{`"tile_library": "square"`, `"tile_library": true`, `gpu.tile_library: true: a string wanted`},
		{`"clock_ps": {"value": 1000`, `"clock_ps": {"value": "0/7"`, `gpu.clock_ps: "0/7": picoseconds wanted`},
		{`"clock_ps": {"value": 1000`, `"clock_ps": {"value": 1.5`, `gpu.clock_ps: "1.5": picoseconds wanted`},
		{`"clock_ps": {"value": 1000`, `"clock_ps": {"value": true`, `gpu.clock_ps: true: picoseconds wanted`},
		{`"pim_channels": {"value": 2`, `"pim_channels": {"value": 5`, `m.json: memory.pim_channels: 5: at most memory.channels, 4, wanted`},
		{`"rp_ck"`, `"rp"`, `pim.timing.rp: the name of a number of cycles ends in _ck`},
		{`"rp_ck"`, `"rc_ck"`, `pim.timing.rc_ck: written twice`},
		{`"rp_ck": {"value": 10`, `"rp_ck": {"value": -1`, `pim.timing.rp_ck: -1 is out of range: >=0 wanted`},
		{`"sm_idle_w": {"value": 1, "low": 0.5`, `"sm_idle_w": {"value": 1, "low": 1.5`, `m.json:61: gpu.energy.sm_idle_w: low 1.5, value 1, high 2: in this order wanted`},
		{`"sm_idle_w": {"value": 1, "low": 0.5`, `"sm_idle_w": {"value": 1, "low": -1`, `m.json:61: gpu.energy.sm_idle_w.low: -1 is out of range: >=0 wanted`},
		{`"sm_idle_w": {"value": 1, "low": 0.5`, `"sm_idle_w": {"value": 1`, `m.json:61: gpu.energy.sm_idle_w.low: missing`},
		{`"sm": {"value": 2`, `"sm": {"value": 2, "low": 1`, `m.json:28: gpu.sm.low: unknown key`},
		{`"name": "toy",`, `"name": "toy"`, `m.json:3: it is no JSON`},
		// Several keys, as of a file of an older form, are told together.
		{`"sm": {`, `"cores": {`, `m.json: 1 key missing: gpu.sm; 1 unknown: gpu.cores (line 28)`},
		{`"sm": {"value": 2` + src, `"sm": {"val": 2}`, `m.json: 2 keys missing: gpu.sm.value, gpu.sm.source; 1 unknown: gpu.sm.val (line 28, did you mean "value"?)`},
		{`"fused": false,`, `"fused": false, "fusion": [{"a": 1}], "lanes": 2,`, `m.json: 2 keys unknown: gpu.fusion (line 40, did you mean "fused"?), gpu.lanes (line 40, did you mean "launches"?)`},
		{`"sm_idle_w": {"value": 1, "low": 0.5, "high": 2` + src, `"sm_idle_w": {"value": 1}`, `m.json: 3 keys missing: gpu.energy.sm_idle_w.low, gpu.energy.sm_idle_w.high, gpu.energy.sm_idle_w.source`},
	} {
		text := strings.Replace(string(data), c.old, c.new, 1)
		if text == string(data) {
			t.Errorf("%q is not in the file", c.old)
		}
		_, err := Parse("m.json", []byte(text))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q for %q:\n got %v\nwant %s", c.new, c.old, err, c.want)
		}
	}
	for text, want := range map[string]string{
		string(data) + "{}":        `m.json:132: text after the end of the machine: "{}"`,
		`{"base": "newton"} and {`: `m.json:1: text after the end of the machine: "and {"`,
		`{"name": "mine"}, {}`:     `m.json:1: text after the end of the machine: ", {}"`,
		"":                         "m.json:1: the file ends too early",
		"[]":                       "m.json:1: [: an object { … } wanted",
		`{"pim": {"timing": {}}}`:  "m.json:1: pim.timing: empty",
		`{}`:                       "m.json: 7 keys missing: name, about, launch, memory, gpu, pim, and 1 more",
	} {
		if _, err := Parse("m.json", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v: %q wanted", text, err, want)
		}
	}
}

// TestEveryKey removes each line that holds one value: it must be missed.
func TestEveryKey(t *testing.T) {
	data, err := machines.ReadFile("machines/toy.json")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	key := regexp.MustCompile(`^\s*"(\w+)": [^{\n[]|^\s*"(\w+)": \{"value"`)
	n, timing := 0, slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, `"timing": {`) })
	for i, l := range lines {
		k := key.FindStringSubmatch(l)
		if k == nil || strings.HasSuffix(k[2], "_ck") && i > timing { // the timing map has no fixed keys
			continue
		}
		n++
		rest := append(append([]string{}, lines[:i]...), lines[i+1:]...)
		if !strings.HasSuffix(l, ",") { // the last of its object
			rest[i-1] = strings.TrimSuffix(rest[i-1], ",")
		}
		_, err := Parse("m", []byte(strings.Join(rest, "\n")))
		if err == nil || !strings.HasSuffix(err.Error(), k[1]+k[2]+": missing") {
			t.Errorf("without line %d %q: %v", i+1, l, err)
		}
	}
	if n != 84 {
		t.Errorf("%d keys were removed, not all 84", n)
	}
}

func TestPeriod(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Period{rapid.Int64Range(1, maxPeriod).Draw(t, "num"), rapid.Int64Range(1, maxPeriod).Draw(t, "den")}
		q, err := ParsePeriod(Period{p.Num, p.Den}.String())
		if err != nil || float64(q.Num)*float64(p.Den) != float64(p.Num)*float64(q.Den) && q.GHz() != p.GHz() {
			t.Fatalf("%v becomes %v, %v", p, q, err)
		}
		if again, err := ParsePeriod(q.String()); err != nil || again != q {
			t.Fatalf("%v becomes %v, %v", q, again, err)
		}
	})
	for _, c := range []struct {
		p        Period
		ck, want int64
	}{{Period{8000, 7}, 7, 8000}, {Period{8000, 7}, 1, 1143}, {Period{1, 2}, 1, 1}, {Period{625, 1}, 3, 1875},
		{Period{maxPeriod, 1}, 1 << 62, 1<<63 - 1}} {
		if got := c.p.PS(c.ck); got != c.want {
			t.Errorf("%v · %d = %d ps: %d wanted", c.p, c.ck, got, c.want)
		}
	}
	for _, bad := range []string{"", "0", "-1", "1/0", "+1", "1.0", "1/2/3", "a", "1000000000001", " 1"} {
		if p, err := ParsePeriod(bad); err == nil {
			t.Errorf("ParsePeriod(%q) = %v", bad, p)
		}
	}
}

// TestPrintParse changes numbers, names and sources at random: Print and Parse
// lose nothing.
func TestPrintParse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, err := Load(rapid.SampledFrom(Names()).Draw(t, "machine"))
		if err != nil {
			t.Fatal(err)
		}
		text := rapid.StringMatching(`[ -~λ\n]*[a-zé"\\<]`)
		m.About = text.Draw(t, "about")
		m.GPU.Fused = rapid.Bool().Draw(t, "fused")
		m.GPU.Launch = rapid.Int64Range(0, 1e9).Draw(t, "launch")
		m.GPU.L2SM = rapid.Float64Range(1e-300, limit).Draw(t, "l2sm")
		m.GPU.Clock, _ = ParsePeriod(Period{rapid.Int64Range(1, maxPeriod).Draw(t, "num"), rapid.Int64Range(1, 99).Draw(t, "den")}.String())
		low := rapid.Float64Range(0, limit/2).Draw(t, "low")
		m.PIM.Energy.MAC = Range{low, low / 2, low * rapid.Float64Range(1, 2).Draw(t, "high")}
		own := func(key string) bool { _, known := m.PIM.Timing[key]; return !known } // those of the standard have rules
		key := rapid.StringMatching(`[a-z"]+_ck`).Filter(own).Draw(t, "key")
		m.PIM.Timing[key] = rapid.Int64Range(0, limit).Draw(t, "ck")
		m.Sources["pim.timing."+key] = text.Draw(t, "source")

		if err := m.Derive(); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := m.Print(&b); err != nil {
			t.Fatal(err)
		}
		got, err := Parse("m", b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(m, got); d != "" {
			t.Fatal(d)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, n := range Names() {
		data, err := machines.ReadFile("machines/" + n + ".json")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"gpu": {"sm": {"value": 1e400, "source": null}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Parse("f", data)
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := m.Print(&b); err != nil {
			t.Fatal(err)
		}
		again, err := Parse("g", b.Bytes())
		if err != nil {
			t.Fatalf("%v\n%s", err, b.Bytes())
		}
		if d := cmp.Diff(m, again); d != "" {
			t.Fatal(d)
		}
	})
}
