package emit_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/emit"
)

// damaged is a value of a manifest that is none of its folder.
type damaged struct {
	path  string // of the manifest's JSON, as "steps/0/launches"
	value any
	want  string // of the error
}

// TestReadRefuses: each value of a manifest is held against the machine and the others; the error says place, value and what is wanted.
func TestReadRefuses(t *testing.T) {
	folder, _ := written(t, "newton", emit.Options{Format: "pimflow", Layer: "block.project"})
	name := filepath.Join(folder, emit.ManifestName)
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	const first = "steps/0/channels/0/"
	for _, d := range []damaged{
		{"foo", 1, "key foo is not known: the manifest"},
		{"schema", "pimflow.emit/9", `schema "pimflow.emit/9" instead of`},
		{"standard", "aim", `standard: "aim": "newton", that of machine.json, wanted`},
		{"machine", "aim", `machine: "aim": "newton", that of`},
		{"machine_sha256", "00", "machine.json: SHA-256 4219b459665e…: 00… wanted"},
		{"plan_sha256", "00", "plan.txt: SHA-256 "},
		{"clock_ps", 1, "clock_ps: 1: 571.4285714285714, that of machine.json, wanted"},
		{"channels", 8, "channels: 8: 16, those of machine.json, wanted"},
		{"format", "foo", `format: "foo": one of pimflow, aim, csv wanted`},
		{"format", "aim", `format: "aim": another for standard newton wanted`},
		{"format", "csv", `channels[0].file: "0008-block.project/channel-00.pim": the ending .csv of format csv wanted`},
		{"images", true, "steps[0].images: false: true, as images of the manifest, wanted"},
		{"plan_ps", -1, "plan_ps: -1: 0 or more wanted"},
		{"plan_ps", 1, "steps[0].end_ps: "},
		{"commands_total", 401, "commands_total: 401: 400, the sum over all channels, wanted"},
		{"bytes", 1, "bytes: 1: 3592, the sum over all channels, wanted"},
		{"steps", []int{}, "steps: none: one or more wanted"},
		{"steps/0/step", -1, "steps[0].step: -1: more than -1 wanted"},
		{"steps/0/layer", "", `steps[0].layer: "": the name of a layer wanted`},
		{"steps/0/operator", "", `steps[0].operator: "": the name of an operator wanted`},
		{"steps/0/box", "x", `steps[0].box: "x": the box of a value, as [0:1 0:16] wanted`},
		{"steps/0/launches", -3, "steps[0].launches: -3: 0 or 1 wanted"},
		{"steps/0/start_ps", -1, "steps[0].start_ps: -1: 0 to "},
		{"steps/0/start_ps", 1e30, "key steps.start_ps: a whole number wanted, not 1e+30: the manifest"},
		{"steps/0/cycles", 999, "steps[0].cycles: 999: 184, the most of its channels' last_cycle, wanted"},
		{"steps/0/channels", []int{}, "steps[0].channels: none: one or more wanted"},
		{first + "channel", 99, "channels[0].channel: 99: 0 to 15, ascending, wanted"},
		{first + "channel", 1, "channels[1].channel: 1: 2 to 15, ascending, wanted"},
		{first + "rows", []int{4, 3}, "channels[0].rows: [4 3]: ascending numbers from 0 to "},
		{first + "rows", []int{-4, 3}, "channels[0].rows: [-4 3]: ascending"},
		{first + "rows", []int{1, 1 << 40}, "channels[0].rows: [1 1099511627776]: ascending"},
		{first + "rows", []int{1, 2, 3}, "[1,2,3]: a range of two whole numbers wanted: the manifest"},
		{first + "commands", 26, "channels[0].commands: 26: 1 to 25, those of issued, wanted"},
		{first + "issued", device.Counts{{Kind: "FOO", N: 5}}, `channels[0].issued: ["FOO"]: the commands of standard newton, GWRITE0 `},
		{first + "issued/PREA", -1, "channels[0].issued: -1 commands PREA: 0 or more wanted"},
		{first + "first_cycle", 0, "channels[0].first_cycle: 0: 1 to 184, last_cycle, wanted"},
		{first + "last_cycle", 185, "steps[0].cycles: 184: 185, the most"},
		{first + "last_cycle_without_refresh", 185, "channels[0].last_cycle_without_refresh: 185: 1 to 184, last_cycle, wanted"},
		{first + "last_cycle_of_instructions", 185, "channels[0].last_cycle_of_instructions: 185: 1 to 184, "},
		{first + "bytes", 0, "channels[0].bytes: 0: 1 or more wanted"},
		{first + "bytes", 1, "bytes: 3592: "},
	} {
		if err := os.WriteFile(name, changedAt(t, text, d.path, d.value), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, _, err := emit.Read(folder); err == nil || !strings.HasPrefix(err.Error(), folder) || !strings.Contains(err.Error(), d.want) {
			t.Errorf("%s = %v: %v: %q wanted", d.path, d.value, err, d.want)
		}
	}
	for text, want := range map[string]string{
		"": "it is empty", "[": "it ends early", "[1]": "byte 1: an object wanted, not a list", "{} {}": "byte 4: more after the end", "{x": "byte 2: it is no JSON",
		`{"schema": "x", "schema": "y"}`: "key schema: twice, once wanted",
	} {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, _, err := emit.Read(folder); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v: %q wanted", text, err, want)
		}
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if _, _, err := emit.Read(folder); err == nil || err.Error() != folder+": no manifest.json in it: a folder of pimflow emit wanted" {
		t.Errorf("%v", err)
	}
}

// changedAt is JSON with another value at a path, whose keys and indices have / between them.
func changedAt(t *testing.T, text []byte, path string, value any) []byte {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	if !put(m, strings.Split(path, "/"), value) {
		t.Fatalf("%s: no such place", path)
	}
	changed, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

// put sets a value of nested objects and lists.
func put(x any, path []string, value any) bool {
	for ; len(path) > 1; path = path[1:] {
		switch in := x.(type) {
		case map[string]any:
			x = in[path[0]]
		case []any:
			x = in[0]
		}
	}
	m, ok := x.(map[string]any)
	if ok {
		m[path[0]] = value
	}
	return ok
}

// TestVerifyRefuses: a folder whose machine, plan or stream was changed, is missing or is no regular file is refused.
func TestVerifyRefuses(t *testing.T) {
	folder, man := written(t, "newton", emit.Options{Format: "pimflow", Layer: "fc"})
	for _, file := range []string{emit.MachineName, emit.PlanName, man.Steps[0].Channels[0].File} {
		name := filepath.Join(folder, filepath.FromSlash(file))
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		refused := func(want string) {
			t.Helper()
			man, _, err := emit.Read(folder)
			if err == nil {
				err = man.Verify(t.Context(), folder)
			}
			if err == nil || !strings.HasPrefix(err.Error(), name+": "+want) {
				t.Errorf("%v: %q wanted", err, want)
			}
		}
		if err := os.WriteFile(name, append(text, '\n'), 0o666); err != nil {
			t.Fatal(err)
		}
		refused("SHA-256 ")
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
		refused("there is no such file: that of manifest.json wanted")
		if err := os.Mkdir(name, 0o777); err != nil {
			t.Fatal(err)
		}
		refused("a regular file wanted")
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// TestHold: what a stream takes is held against its manifest, each number.
func TestHold(t *testing.T) {
	man := &emit.Manifest{}
	c := &emit.Channel{Last: 9, Bare: 8, Requested: 7, Commands: 5, Issued: device.Counts{{Kind: "WRGB", N: 3}, {Kind: "PRE", N: 2}}}
	taken := func(f func(*emit.Taken)) *emit.Taken {
		x := &emit.Taken{Cycles: 9, Unrefreshed: 8, Commands: 5, Issued: device.Counts{{Kind: "WRGB", N: 3}, {Kind: "PRE", N: 2}}}
		f(x)
		return x
	}
	for _, x := range []struct {
		taken *emit.Taken
		want  string
	}{
		{taken(func(x *emit.Taken) {}), ""},
		{taken(func(x *emit.Taken) { x.Cycles = 10 }), "f: 10 cycles: 9 wanted, those of manifest.json"},
		{taken(func(x *emit.Taken) { x.Unrefreshed = 7 }), "f: 7 cycles without refreshes: 8 wanted, those of manifest.json"},
		{taken(func(x *emit.Taken) { x.Commands = 4 }), "f: 4 commands: 5 wanted, those of manifest.json"},
		{taken(func(x *emit.Taken) { x.Issued[1].N = 4 }), "f: 4 commands PRE: 2 wanted, those of manifest.json"},
		{taken(func(x *emit.Taken) { x.Timed = true }), "f: its lines have cycles: true: false wanted, timed of manifest.json"},
	} {
		got := ""
		if err := man.Hold("f", c, x.taken); err != nil {
			got = err.Error()
		}
		if got != x.want {
			t.Errorf("%q: %q wanted", got, x.want)
		}
	}
	if err := man.HoldHost("f", c, 9, device.Counts{{Kind: "PRE", N: 1}, {Kind: "WRGB", N: 3}}); err != nil {
		t.Error(err)
	}
	if err := man.HoldHost("f", c, 9, device.Counts{{Kind: "WRGB", N: 2}}); err == nil || err.Error() != "f: 2 commands WRGB: 3 wanted, those of manifest.json" {
		t.Error(err)
	}
}
