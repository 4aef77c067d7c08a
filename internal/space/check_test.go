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
