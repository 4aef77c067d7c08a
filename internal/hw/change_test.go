package hw

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestConstants: the constants of a machine are all its numbers, each once, and each
// can be written again as it is.
func TestConstants(t *testing.T) {
	for _, name := range Names() {
		m, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		var paths []string
		for _, c := range m.Constants() {
			paths = append(paths, c.Path)
			same, err := m.With(c.Path, c.Text)
			if err != nil {
				t.Errorf("%s: %s: %v", name, c.Path, err)
				continue
			}
			same.Given = m.Given // a number that is set no longer follows from others
			if d := cmp.Diff(m, same); d != "" {
				t.Errorf("%s: %s written again:\n%s", name, c.Path, d)
			}
		}
		slices.Sort(paths)
		var want []string
		for path := range m.Sources { // every number has a source
			want = append(want, path)
		}
		slices.Sort(want)
		if d := cmp.Diff(want, paths); d != "" {
			t.Errorf("%s: numbers with sources and constants differ:\n%s", name, d)
		}
	}
}

func TestWith(t *testing.T) {
	m, err := Load("newton")
	if err != nil {
		t.Fatal(err)
	}
	before := m.Constants()
	for _, c := range []struct {
		path    string
		percent int
		text    string // that Changed says
		want    string // of the changed machine, or the error
	}{
		{"gpu.launch_ck", -20, "3211", "3211"},
		{"pim.timing.rp_ck", -20, "21", "21"},
		{"pim.buffers", -10, "3", "3"}, // 3.6, which rounds to the 4 that it is
		{"pim.timing.rtp_ck", 10, "5", "5"},
		{"memory.pim_channels", 10, "18", "18"},
		{"gpu.clock_ps", 10, "10139217/10000", "10139217/10000"},
		{"memory.channel_gb_per_s", 10, "30.8", "30.8"},
		{"pim.timing.ccds_ck", -10, "1", `pim.timing.ccds_ck: 1 >= pim.timing.bl_ck wanted, 2: rule "column cadence": a column access moves a whole burst before the next begins`},
		{"gpu.model.eta", -10, "0.8743976999999999", "0.8743976999999999"},
		{"gpu.model.eta", 10, "1.0687083", "gpu.model.eta: 1.0687083 is out of range: >0..1 wanted"},
		{"link.finish.pj_per_op", -30, "0.35", "0.35"}, // below its low bound, which moves
		{"memory.channels", -50, "16", "16"},
		{"memory.channels", -60, "13", "memory.pim_channels: 16: at most memory.channels, 13, wanted"},
	} {
		i := slices.IndexFunc(before, func(k Constant) bool { return k.Path == c.path })
		text, value := before[i].Changed(c.percent)
		if text != c.text {
			t.Errorf("%s %+d %%: %s: %s wanted", c.path, c.percent, text, c.text)
		}
		n, err := m.With(c.path, text)
		if err != nil {
			if err.Error() != c.want {
				t.Errorf("%s = %s: %v: %s wanted", c.path, text, err, c.want)
			}
			continue
		}
		for j, k := range n.Constants() {
			if j == i && math.Abs(k.Value-value) > 1e-12*value {
				t.Errorf("%s = %s: %v as a number, %v wanted", c.path, text, value, k.Value)
			}
			_, follows := m.Given[k.Path]
			if j == i && k.Text != c.want || j != i && k.Text != before[j].Text && !follows {
				t.Errorf("%s = %s: %s is %s", c.path, text, k.Path, k.Text)
			}
		}
	}
	if d := cmp.Diff(before, m.Constants(), cmp.AllowUnexported(Constant{})); d != "" {
		t.Errorf("With changed the machine:\n%s", d)
	}
	for _, c := range []struct{ path, text, want string }{
		{"gpu.smm", "3", `gpu.smm: unknown key (did you mean "gpu.sm"?)`},
		{"memory.pim_channels", "8.5", "memory.pim_channels: 8.5: a whole number wanted"},
		{"gpu.fused", "no", "gpu.fused: no: true or false wanted"},
		{"launch.pim", "joined", `launch.pim: "joined": each or joint wanted (did you mean "joint"?)`},
		{"launch.gpu", "queue", `launch.gpu: "queue": stream or graph wanted`},
		{"gpu.energy.constant_w", "NaN", "gpu.energy.constant_w: NaN: a number wanted"},
		{"gpu.energy.constant_w", "Inf", "gpu.energy.constant_w: Inf is out of range: at most 2^53 wanted"},
		{"gpu.error.conv", "1.1", "gpu.error.conv: value 1.1: 1 wanted, since only the bounds of an error have a meaning"},
		{"gpu.error.conv", "0", "gpu.error.conv: 0 is out of range: >0 wanted"},
		{"link.pim_launch_error", "2", "link.pim_launch_error: value 2: 1 wanted, since only the bounds of an error have a meaning"},
		{"pim.number_format", "", "pim.number_format: empty: a text wanted"},
	} {
		if _, err := m.With(c.path, c.text); err == nil || err.Error() != c.want {
			t.Errorf("%s = %s: %v: %s wanted", c.path, c.text, err, c.want)
		}
	}
	// Bounds keep their relative distance from the value.
	for _, c := range []struct {
		path, text string
		want       Range
	}{
		{"gpu.energy.constant_w", "31.36", Range{31.36, 20, 64.6}},
		{"gpu.energy.constant_w", "0", Range{}},
		{"gpu.launches.stream_us", "37", Range{37, 24, 50}},
		{"pim.energy.init_pj", "2", Range{2, 0, 2}}, // of 0
		{"link.pim_launch_error", "0", Range{}},
	} {
		n, err := m.With(c.path, c.text)
		if err != nil {
			t.Errorf("%s = %s: %v", c.path, c.text, err)
			continue
		}
		for _, k := range n.Constants() {
			if k.Path == c.path && *k.Range != c.want {
				t.Errorf("%s = %s: %+v, %+v wanted", c.path, c.text, *k.Range, c.want)
			}
		}
	}
	n, err := m.With("launch.pim", "joint")
	if err == nil {
		n, err = n.With("pim.number_format", "bf16")
	}
	if err != nil || n.Launch.PIM != Joint || n.PIM.Format != "bf16" {
		t.Errorf("a switch and a text: %v, %+v", err, n)
	}
	zero := Constant{Path: "x_ck", whole: true}
	up, _ := zero.Changed(10)
	if down, _ := zero.Changed(-10); up != "1" || down != "-1" {
		t.Errorf("0 in 10 %% steps: %s and %s", up, down)
	}
}

// TestQuickly: a machine that is changed without the way over a file is that of the file, and most changes need no file.
func TestQuickly(t *testing.T) {
	texts := []string{"launch.gpu=graph", "launch.pim=each", "launch.pim=joint", "link.finish.where=gpu", "link.finish.where=dram", "gpu.fused=true", "pim.number_format=bf16", "name=other", "gpu.model.winograd=2", "gpu.error.conv=1"}
	quick, all := 0, 0
	for _, name := range []string{"newton", "aim", "artifact"} {
		m, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		list := m.Constants()
		for i := range list {
			text, _ := list[i].Changed([]int{-10, 20}[i%2])
			texts = append(texts, list[i].Path+"="+text)
		}
		r := rand.New(rand.NewPCG(1, 1))
		for range 40 {
			changes := []string{texts[r.IntN(len(texts))], texts[r.IntN(len(texts))]}[:1+r.IntN(2)]
			want, err := m.slowly(changes)
			got := m.quickly(changes)
			if all++; err != nil {
				if got != nil {
					t.Errorf("%s: %s are taken: %v", name, changes, err)
				}
				continue
			}
			if got == nil {
				continue
			}
			quick++
			if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("%s: %s:\n%s", name, changes, d)
			}
		}
		if again, err := Load(name); err != nil || cmp.Diff(m, again) != "" {
			t.Errorf("%s is changed itself", name)
		}
	}
	if quick < all/3 {
		t.Errorf("%d of %d changes without a file", quick, all)
	}
}
