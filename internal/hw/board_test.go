package hw

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestBoards is TestMachines for the GPUs.
func TestBoards(t *testing.T) {
	for _, name := range BoardNames() {
		b, err := LoadBoard(name)
		if err != nil {
			t.Fatal(err)
		}
		if b.Name != name {
			t.Errorf("gpus/%s.json is called %q", name, b.Name)
		}
		want, err := boards.ReadFile("gpus/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if err := b.Print(&got); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), got.String()); d != "" {
			t.Errorf("%s: file and Print differ:\n%s", name, d)
		}
	}
	if len(BoardNames()) != 7 {
		t.Errorf("GPUs: %v", BoardNames())
	}
}

// TestWithGPU: a machine with another GPU is a machine that prints and parses.
func TestWithGPU(t *testing.T) {
	for _, name := range BoardNames() {
		b, err := LoadBoard(name)
		if err != nil {
			t.Fatal(err)
		}
		m, err := Load("newton")
		if err != nil {
			t.Fatal(err)
		}
		n, err := m.WithGPU(b)
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		if err := n.Print(&text); err != nil {
			t.Fatal(err)
		}
		again, err := Parse("m.json", text.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(n, again); d != "" {
			t.Errorf("%s:\n%s", name, d)
		}
		if l, err := Load("newton+" + name); err != nil || cmp.Diff(n, l) != "" {
			t.Errorf("Load: %v", err)
		}
		want := b.GPU // but for the launch, which the machine's mechanism says
		want.Launch, want.Error.Launch = n.GPU.Launch, n.GPU.Error.Launch
		if start := float64(n.GPU.Launch) * n.GPU.Clock.Picoseconds() / 1e6; math.Abs(start-b.GPU.Launches.Stream.Value) > 1e-3 {
			t.Errorf("newton with %s: a launch of %.4f us: %.4f wanted", name, start, b.GPU.Launches.Stream.Value)
		}
		if n.GPU != want || n.Memory != m.Memory || name != "t4" && m.Sources["gpu.sm"] == n.Sources["gpu.sm"] || n.Name != "newton+"+name {
			t.Errorf("newton with %s: %+v", name, n.GPU)
		}
	}
}

func TestBoardErrors(t *testing.T) {
	data, err := boards.ReadFile("gpus/t4.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, want string }{
		{`"architecture"`, `"architectur"`, `g.json:4: architectur: unknown key (did you mean "architecture"?)`},
		{`"power_capped": true`, `"power_capped": 1`, `power_capped: 1: a bool wanted`},
		{`"T4 fp16 conv": {"value": 5`, `"T4 fp16 conv": {"value": -5`, `start_us.T4 fp16 conv: -5.`},
		{`"T4 fp16 conv"`, `""`, `start_us: a key is empty`},
		{`"launch_from": "T4`, `"launch_from": "T5`, `g.json: launch_from: "T5 fp16 network TRT8" is no key of start_us (did you mean "T4 fp16 network TRT8"?)`},
		{`"eta": {"value": 0`, `"eta": {"value": 1`, `gpu.model.eta: 1.`},
	} {
		text := strings.Replace(string(data), c.old, c.new, 1)
		if _, err := ParseBoard("g.json", []byte(text)); text == string(data) || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q for %q: %v: %q wanted", c.new, c.old, err, c.want)
		}
	}
	if _, err := ParseBoard("g.json", append(data, '{')); err == nil || !strings.Contains(err.Error(), "text after the end of the board") {
		t.Error(err)
	}
	if _, err := LoadBoard("t5"); err == nil || !strings.Contains(err.Error(), `GPU "t5" is not known (did you mean "t4"?)`) {
		t.Error(err)
	}
}

// FuzzParseBoard: what is read of a GPU is printed as a file that is read alike.
func FuzzParseBoard(f *testing.F) {
	for _, n := range BoardNames() {
		data, err := boards.ReadFile("gpus/" + n + ".json")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"name": "x", "gpu": {"sm": {"formula": "gpu.sm * 2", "source": "mine"}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := ParseBoard("f", data)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("an error of several lines: %q", err)
			}
			return
		}
		var text bytes.Buffer
		if err := b.Print(&text); err != nil {
			t.Fatal(err)
		}
		again, err := ParseBoard("g", text.Bytes())
		if err != nil {
			t.Fatalf("%v\n%s", err, text.Bytes())
		}
		if d := cmp.Diff(b, again); d != "" {
			t.Fatal(d)
		}
	})
}
