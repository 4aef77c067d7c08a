package hw

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBase: a file with a base has what it changes, with its own sources, and numbers that follow
// from that are computed again.
func TestBase(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	mine := file("mine.json", `{"base": "aim", "name": "mine", "memory": {"pim_channels": {"value": 8, "source": "mine"}},
		"pim": {"energy": {"activate_pj": {"value": 5000, "source": "mine"}}}}`)
	m, err := Load(mine)
	if err != nil {
		t.Fatal(err)
	}
	aim, err := Load("aim")
	if err != nil {
		t.Fatal(err)
	}
	if m.Name != "mine" || m.Memory.PIMChannels != 8 || m.Sources["memory.pim_channels"] != "mine" || m.Sources["gpu.sm"] != aim.Sources["gpu.sm"] {
		t.Errorf("%+v", m.Memory)
	}
	if want := 1000.0 / 32 / 24; m.Link.PerByte != want {
		t.Errorf("%v ps a byte with 24 channels, %v wanted", m.Link.PerByte, want)
	}
	if e := m.PIM.Energy; e.Activate != (Range{5000, 3054.23728814, 7500}) || e.Refresh.Value != 80000 {
		t.Errorf("activate %v, refresh %v", e.Activate, e.Refresh)
	}
	if aim.Memory.PIMChannels != 16 || aim.PIM.Energy.Refresh.Value != 47200 {
		t.Errorf("the base changed: %+v", aim.Memory)
	}
	yours := file("yours.json", `{"base": "mine.json", "name": "yours", "memory": {"channel_gb_per_s": {"value": 28, "source": "yours"}}}`)
	n, err := Load(yours)
	if err != nil {
		t.Fatal(err)
	}
	if n.Memory.PIMChannels != 8 || n.PIM.Clock != (Period{4000, 7}) || n.PIM.Timing["rc_ck"] != 78 || n.PIM.Timing["refi_ck"] != 2916 {
		t.Errorf("at 14 Gb/s a pin: %+v", n.PIM)
	}
	file("a.json", `{"base": "b.json", "name": "a"}`)
	for _, c := range []struct{ text, want string }{
		{`{"base": "mine.json"}`, "name: missing"},
		{`{"base": "aym", "name": "x"}`, `base: machine "aym" is not known (did you mean "aim"?)`},
		{`{"base": 3, "name": "x"}`, `base: 3: the name or the file of a machine wanted`},
		{`{"base": "a.json", "name": "x"}`, "is based on this file"},
		{`{"base": "x.json", "name": "x"}`, "is based on this file"},
		{`{"base": "aim", "name": "x", "pim": {"bancs": {"value": 4, "source": "mine"}}}`, `pim.bancs: unknown key (did you mean "banks"?)`},
		{`{"base": "aim", "name": "x", "gpu": {"sm": {"value": 4}}}`, "gpu.sm.source: missing"},
		{`{"base": "newton", "name": "x", "gpu": {"energy": {"constant_w": {"value": 5, "low": 20, "high": 30, "source": "mine"}}}}`, "x.json:1: gpu.energy.constant_w: low 20, value 5, high 30: in this order wanted"},
		{`{"base": "newton", "name": "x", "gpu": {"launches": {"stream_us": {"value": 1, "low": 2.4, "high": 5, "source": "mine"}}}}`, "gpu.launches.stream_us: low 2.4, value 1, high 5: in this order wanted"},
		{`{"base": "newton", "name": "x", "gpu": {"energy": {"constant_w": {"value": 15, "high": 14, "source": "mine"}}}}`, "gpu.energy.constant_w: low 9.56632653061, value 15, high 14: in this order wanted"},
		{`{"base": "newton", "name": "x", "gpu": {"error": {"launch": {"value": 1, "low": 2, "high": 3, "source": "mine"}}}}`, "gpu.error.launch: low 2, value 1, high 3: in this order wanted"},
		{`{"base": "newton", "name": "x", "gpu": {"error": {"conv": {"value": 1.1, "source": "mine"}}}}`, "gpu.error.conv: value 1.1: 1 wanted, since only the bounds of an error have a meaning"},
		{`{"base": "newton", "name": "x", "gpu": {"error": {"conv": {"formula": "2 / 2", "source": "mine"}}}}`, "gpu.error.conv: a formula: 1 wanted"},
		{`{"base": "aim", "name": "x", "pim": {"banks": {"value": 8, "source": "mine"}}}`, `rule "banks of the standard"`},
		{`{"base": "aim", "name": "x", "pim": {"standard": "newton"}}`, "x.json: 15 keys missing: pim.timing.bl_ck, pim.timing.ccds_ck, pim.timing.cl_ck, pim.timing.cwl_ck, pim.timing.faw_ck, pim.timing.ras_ck, and 9 more: parameters of standard newton"},
	} {
		x := file("x.json", c.text)
		if c.want == "is based on this file" {
			file("b.json", `{"base": "x.json", "name": "b"}`)
		}
		if _, err := Load(x); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v: %q wanted", c.text, err, c.want)
		}
	}
}

// TestFormula: what a number follows from, and what is wrong with a formula.
func TestFormula(t *testing.T) {
	m, err := Load("newton")
	if err != nil {
		t.Fatal(err)
	}
	with := func(path string, g Given) error {
		c, err := m.again()
		if err != nil {
			t.Fatal(err)
		}
		c.Given[path] = g
		return c.Derive()
	}
	// The bounds of an energy go as far as its value.
	for formula, want := range map[string]Range{"9": {9, 1, 9}, "0.5": {0.5, 0.5, 4}, "2": {2, 1, 4}} {
		c, err := m.again()
		if err != nil {
			t.Fatal(err)
		}
		c.PIM.Energy.Activate, c.Given["pim.energy.activate_pj"] = Range{3, 1, 4}, Given{Formula: formula}
		if err := c.Derive(); err != nil || c.PIM.Energy.Activate != want {
			t.Errorf("an energy of %s: %v, %v; want %v", formula, c.PIM.Energy.Activate, err, want)
		}
	}
	for _, c := range []struct {
		path    string
		given   Given
		want    float64
		problem string
	}{
		{"gpu.launch_ck", Given{Formula: "2 * gpu.sm + 3 - pim.banks / 4"}, 79, ""},
		{"gpu.launch_ck", Given{Formula: "gpu.sm / 16"}, 3, ""}, // 2.5, rounded
		{"pim.timing.rrd_ck", Given{Formula: "rcdr_ck / 2"}, 11, ""},
		{"pim.timing.rrd_ck", Given{NS: "5.735"}, 11, ""}, // 10.036 cycles
		{"pim.timing.rrd_ck", Given{NS: "5.728"}, 10, ""}, // 10.024, forgiven
		{"gpu.launch_ck", Given{NS: "3700"}, 4015, ""},
		{"gpu.launch_ck", Given{Formula: "gpu.smm"}, 0, `gpu.launch_ck: formula "gpu.smm": unknown number gpu.smm (did you mean "gpu.sm"?)`},
		{"gpu.launch_ck", Given{Formula: "link.pim_launch_ck"}, 0, "follows from the number itself"},
		{"gpu.launch_ck", Given{Formula: "gpu.sm / link.finish.ps_per_op *"}, 0, "with + - * / between them wanted"},
		{"gpu.launch_ck", Given{Formula: "gpu.sm gpu.sm"}, 0, "with + - * / between them wanted"},
		{"gpu.launch_ck", Given{Formula: "gpu.sm / pim.energy.init_pj"}, 0, "divides by pim.energy.init_pj, which is 0"},
		{"pim.clock_ps", Given{Formula: "9000000000000 * gpu.sm"}, 0, "pim.clock_ps: 3.6e+14 ps: at most 1e+12 wanted"},
		{"gpu.launch_ck", Given{Formula: "0 - gpu.sm"}, 0, "gpu.launch_ck: -40 is out of range"},
		{"gpu.sms", Given{Formula: "1"}, 0, "gpu.sms: a formula of no number"},
	} {
		err := with(c.path, c.given)
		if c.problem == "" != (err == nil) || err != nil && !strings.Contains(err.Error(), c.problem) {
			t.Errorf("%s %v: %v: %q wanted", c.path, c.given, err, c.problem)
		}
		if c.problem == "" {
			n, _ := m.again()
			n.Given[c.path] = c.given
			if err := n.Derive(); err != nil {
				t.Fatal(err)
			}
			for _, k := range n.Constants() {
				if k.Path == c.path && k.Value != c.want {
					t.Errorf("%s %v: %v, %v wanted", c.path, c.given, k.Value, c.want)
				}
			}
		}
	}
}

// TestSet: keys are changed together, and rules are asked afterwards.
func TestSet(t *testing.T) {
	m, err := Load("newton")
	if err != nil {
		t.Fatal(err)
	}
	n, err := m.Set("memory.pins_per_channel=32", "memory.burst_length=8", "memory.pim_channels=8", "pim.number_format=fp32")
	if err != nil {
		t.Fatal(err)
	}
	if n.Memory.Pins != 32 || n.Memory.Burst != 8 || n.Link.PerByte != 1000.0/28/24 || n.PIM.Lanes() != 8 || n.Memory.ElementSize != 4 {
		t.Errorf("%+v %+v", n.Memory, n.Link)
	}
	if !strings.HasPrefix(n.Sources["memory.pim_channels"], "set; ") {
		t.Errorf("source %q", n.Sources["memory.pim_channels"])
	}
	over, err := n.Set("link.ps_per_byte=3", "memory.pim_channels=4") // overridden: follows no longer
	if err != nil || over.Link.PerByte != 3 {
		t.Errorf("%v, %+v", err, over.Link)
	}
	for _, c := range []struct{ set, want string }{
		{"pim.lanes=24", "machine newton: pim.lanes: follows from other keys, which may be set"},
		{"memory.pins_per_channel=32", `machine newton: 8 * pim.column_bytes (pim.column_bytes 32): 256 = memory.pins_per_channel * memory.burst_length (memory.pins_per_channel 32, memory.burst_length 16) wanted, 512: rule "burst and column": a column access is what the pins move in a burst`},
		{"memory.pim_channels", `machine newton: "memory.pim_channels": KEY=VALUE wanted, as memory.pim_channels=8`},
	} {
		if _, err := m.Set(c.set); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v: %q wanted", c.set, err, c.want)
		}
	}
	graph, err := m.Set("launch.gpu=graph")
	if err != nil || graph.GPU.Launch != graph.GPU.Clock.Cycles(int64(1e6*m.GPU.Launches.Graph.Value)) || graph.Link.Launch != graph.GPU.Launch {
		t.Errorf("in a graph: %v, %d and %d cycles", err, graph.GPU.Launch, graph.Link.Launch)
	}
	artifact, err := Load("artifact")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := artifact.Set("launch.gpu=graph"); err == nil || err.Error() != "machine artifact: launch.gpu: graph: gpu.launches.graph_us is missing: what such a launch takes" {
		t.Errorf("a mechanism of unknown cost: %v", err)
	}
	for _, c := range []struct{ machine, gpu, want string }{{"newton", "t4", "newton+t4"}, {"newton+t4", "rtx2060", "newton+rtx2060"}} {
		m, from, err := LoadWith(c.machine, c.gpu, []string{"gpu.launch_ck=77"})
		if err != nil || m.Name != c.want || from != c.want || m.Link.Launch != 77 {
			t.Errorf("%s with %s: %v, %v, %+v", c.machine, c.gpu, err, from, m)
		}
	}
}

// TestShow: what Show adds is not read, and every number that follows from others is in it.
func TestShow(t *testing.T) {
	for _, name := range Names() {
		m, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := m.Show(&b); err != nil {
			t.Fatal(err)
		}
		again, err := Parse("m.json", []byte(b.String()))
		if err != nil {
			t.Fatal(err)
		}
		if again.Link != m.Link || again.PIM.Clock != m.PIM.Clock {
			t.Errorf("%s: %+v is read again as %+v", name, m.Link, again.Link)
		}
		for path := range m.Given {
			if !strings.Contains(b.String(), "\n    \""+path+"\": ") {
				t.Errorf("%s: %s is not shown", name, path)
			}
		}
	}
}
