package space

import (
	"strings"
	"testing"
)

// TestSampledValues: of a sample only the values that were drawn are checked, and a key that no machine has is an error at once.
func TestSampledValues(t *testing.T) {
	spec := func(keys ...string) *Spec {
		s := &Spec{Sample: &Sample{Points: 2, Method: Random}}
		for _, k := range append([]string{models + "=toy", machines + "=toy"}, keys...) {
			name, text, _ := strings.Cut(k, "=")
			values, err := ParseValues(text)
			if err != nil {
				t.Fatal(err)
			}
			s.Put(Axis{Name: name, Values: values})
		}
		return s
	}
	if _, err := New(spec("memory.pim_channelz=1..100000", "pim.buffers=1..100000")); err == nil || !strings.Contains(err.Error(), "memory.pim_channelz") {
		t.Error(err)
	}
	s, err := New(spec("gpu.launch_ck=1..100000"))
	if err != nil {
		t.Fatal(err)
	}
	visited := 0
	for range s.occurring(s.axes[s.find("gpu.launch_ck")].dim) {
		visited++
	}
	if visited != 2 || len(s.drawn) != 2 {
		t.Errorf("%d values checked of %d points", visited, len(s.drawn))
	}
}

// TestKnown: a key that no machine has, and more points than a space may have, are refused before values are written out; a key of some machine is for
// later.
func TestKnown(t *testing.T) {
	for _, c := range []struct {
		machines string
		keys     []string
		want     string
	}{
		{"newton,aim", []string{"pim.bufers=2", "gpu.launch_ck=1..1000000"}, `pim.bufers: machine newton: pim.bufers: unknown key (did you mean "pim.buffers"?)`},
		{"newton,aim", []string{"memory.gpu_channels=2"}, `memory.gpu_channels: machine newton: memory.gpu_channels: follows from other keys, which may be set`},
		{"aim,newton", []string{"pim.timing.rcdrdmac_ck=40", "pim.timing.nosuch_ck=1"}, "pim.timing.nosuch_ck: machine aim: pim.timing.nosuch_ck: unknown key"},
		{"aim,newton", []string{"pim.timing.rcdrdmac_ck=40"}, "pim.timing.rcdrdmac_ck: machine newton: pim.timing.rcdrdmac_ck: unknown key"},
		{"newton", []string{"pim.buffers=1..1000", "pim.banks=1..1000", "memory.pim_channels=1..1000"}, "sample: missing, and the space has 1000000000 points"},
		{"newton", []string{"pim.buffers=1..2", "pim.banks=1,2,4"}, "pim.buffers has 2 values and pim.banks has 3: as many wanted"},
	} {
		s := &Spec{}
		for _, text := range append([]string{"models=toy", "machines=" + c.machines}, c.keys...) {
			key, list, _ := strings.Cut(text, "=")
			values, err := ParseValues(list)
			if err != nil {
				t.Fatal(err)
			}
			s.Put(Axis{Name: key, Values: values})
		}
		if strings.Contains(c.want, "as many") {
			s.Zip = []Group{{Axes: []string{"pim.buffers", "pim.banks"}}}
		}
		made := &Space{spec: s}
		err := made.name()
		for _, step := range []func() error{made.known, made.group} {
			if err == nil {
				err = step()
			}
		}
		if strings.HasPrefix(c.want, "pim.timing.rcdrdmac_ck") {
			if err != nil {
				t.Error(err)
			}
			_, err = New(s)
		} else if made.axes[0].values != nil {
			t.Errorf("%v: values are written out", c.keys)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v: %v, %q wanted", c.machines, c.keys, err, c.want)
		}
	}
}

// TestUnusedAnchors: a number of anchors without anchors is an error.
func TestUnusedAnchors(t *testing.T) {
	for search, fine := range map[string]bool{"": true, Anchors: true, Full: false, All: false} {
		s := &Spec{Search: Text{Text: search}, Anchors: Count{N: 3}}
		s.Put(Axis{Name: models, Values: []Value{{Text: "toy"}}})
		_, err := New(s)
		if (err == nil) != fine || err != nil && !strings.Contains(err.Error(), "3: search "+search+" has none") {
			t.Errorf("%q: %v", search, err)
		}
	}
}
