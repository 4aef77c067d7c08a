package onnx

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pimflow/internal/tensor"
)

// stored writes a model with a weight of raw_data and of external data, and returns both files.
func stored(t *testing.T, n int) (file, weights string) {
	t.Helper()
	dir := t.TempDir()
	file, weights = filepath.Join(dir, "m.onnx"), filepath.Join(dir, "w.bin")
	entry := func(k, v string) []byte { return appendMessage(nil, 13, appendString(appendString(nil, 1, k), 2, v)) }
	out := appendString(appendInt(appendInt(nil, 1, uint64(n)), 2, 1), 8, "k")
	out = append(append(out, entry("location", "w.bin")...), appendInt(nil, 14, 1)...)
	w := initial("w", filled(tensor.Float32, tensor.Shape{n}, 2))
	x, y := input("x", n), result("y")
	data := model(13, x, y, w, appendMessage(nil, 5, out), call("Mul", "x w", "a"), call("Mul", "a k", "y"))
	for name, b := range map[string][]byte{file: data, weights: make([]byte, 4*n)} {
		if err := os.WriteFile(name, b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return file, weights
}

// TestChangedFile: a model that is written to, or shrinks, after it was opened is an error, never a crash and
// never silence.
func TestChangedFile(t *testing.T) {
	const n = 1 << 20
	for _, c := range []struct {
		name   string
		change func(file string) error
	}{
		{"shrinks", func(file string) error { return os.Truncate(file, 100) }},
		{"grows", func(file string) error { return os.Truncate(file, 1<<24) }},
		{"is overwritten", func(file string) error {
			f, err := os.OpenFile(file, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = f.WriteAt([]byte{1, 2, 3, 4}, 1<<20)
			return err
		}},
	} {
		for k := range 2 {
			m, w := stored(t, n)
			file := []string{m, w}[k]
			old := time.Now().Add(-time.Hour) // another time than that of the change
			if err := os.Chtimes(file, old, old); err != nil {
				t.Fatal(err)
			}
			f, err := Read(t.Context(), m, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := f.Whole(); err != nil {
				t.Errorf("unchanged: %v", err)
			}
			if err := c.change(file); err != nil {
				t.Fatal(err)
			}
			for i := range f.Graph.Nodes {
				if v := f.Graph.Nodes[i].Const; v != nil && len(v.Floats()) != n {
					t.Errorf("%d values", len(v.Floats()))
				}
			}
			if err := f.Whole(); err == nil || !strings.HasPrefix(err.Error(), file+": it was changed while it was read: ") {
				t.Errorf("%s %s: %v", filepath.Base(file), c.name, err)
			}
			f.Close()
		}
	}
}

// TestReplacedFile: another file in the place of the model is none of its business.
func TestReplacedFile(t *testing.T) {
	m, _ := stored(t, 8)
	f, err := Read(t.Context(), m, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.WriteFile(m+".new", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(m+".new", m); err != nil {
		t.Fatal(err)
	}
	for i := range f.Graph.Nodes {
		if v := f.Graph.Nodes[i].Const; v != nil && v.Floats()[7] != 2 && v.Floats()[7] != 0 {
			t.Errorf("value %v", v.Floats()[7])
		}
	}
	if err := f.Whole(); err != nil {
		t.Error(err)
	}
}
