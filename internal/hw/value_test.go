package hw

import (
	"slices"
	"strings"
	"testing"
)

func TestValue(t *testing.T) {
	m, err := Load("newton")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range m.Constants() {
		if v, err := m.Value(c.Path); err != nil || v != c.Value {
			t.Errorf("%s is %v, %v: %v wanted", c.Path, v, err, c.Value)
		}
	}
	for key, want := range map[string]any{"launch.gpu": "stream", "link.from_gpu_channels": true, "memory.gpu_channels": 16.0} {
		if v, err := m.Value(key); err != nil || v != want {
			t.Errorf("%s is %v, %v: %v wanted", key, v, err, want)
		}
	}
	if _, err := m.Value("pim.bank"); err == nil || err.Error() != `pim.bank: machine newton has no such key (did you mean "pim.banks"?)` {
		t.Error(err)
	}
}

// TestFollows: a number that is another one where some key is changed follows from that key, or the key is a text.
func TestFollows(t *testing.T) {
	for _, name := range []string{"newton", "artifact"} {
		m, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		keys := []string{}
		for _, d := range derivedKeys {
			keys = append(keys, d.key)
		}
		for _, c := range m.Constants() {
			keys = append(keys, c.Path)
		}
		moved := 0
		for _, c := range m.Constants() {
			text, _ := c.Changed(20)
			changed := m.quickly([]string{c.Path + "=" + text})
			if changed == nil {
				continue
			}
			for _, key := range keys {
				was, err1 := m.Value(key)
				is, err2 := changed.Value(key)
				if err1 != nil || err2 != nil || was == is {
					continue
				}
				moved++
				if !slices.Contains(m.Follows(key), c.Path) {
					t.Errorf("%s: %s is %v, not %v, where %s is %s: it follows from %s", name, key, is, was, c.Path, text, strings.Join(m.Follows(key), ", "))
				}
			}
		}
		if moved < 50 {
			t.Errorf("%s: %d numbers moved", name, moved)
		}
	}
}
