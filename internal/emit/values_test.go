package emit_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pimflow/internal/emit"
)

// TestValuesWrong: a weight, an input or a stream that is another is found.
func TestValuesWrong(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "out")
	if _, err := emit.Folder(t.Context(), folder, source(t, "newton"), emit.Options{Format: "pimflow", Images: true, Layer: "fc"}, nil); err != nil {
		t.Fatal(err)
	}
	man, m, err := emit.Read(folder)
	if err != nil {
		t.Fatal(err)
	}
	step := man.Steps[0]
	c := step.Channels[0]
	for _, x := range []struct {
		file string
		edit func(text []byte) []byte
		want string
	}{
		{c.Images.Weights.Name, func(b []byte) []byte { b[131] ^= 1; return b }, "that is read is"},
		{step.Images.Inputs.Name, func(b []byte) []byte { b[131] ^= 1; return b }, "that is read is"},
		{step.Images.Results.Name, func(b []byte) []byte { b[130] ^= 1; return b }, "result 0 of the streams is"},
		{c.Images.Reads.Name, func(b []byte) []byte { b[130] ^= 1; return b }, "value 0 that is read is"},
		{c.File, func(b []byte) []byte { return []byte(strings.Replace(string(b), "buf=0", "buf=1", 1)) }, "which was not filled"},
		{c.Images.Rows.Name, func(b []byte) []byte { return []byte(strings.Replace(string(b), ",0,", ",x,", 1)) }, `:2: "x": a number wanted`},
		{c.Images.Rows.Name, func(b []byte) []byte { return b[1:] }, ":1: \"ow,chunk,"},
		{c.Images.Weights.Name, func(b []byte) []byte { return b[:100] }, "the file ends"},
	} {
		name := filepath.Join(folder, x.file)
		edited(t, name, x.edit, func() {
			_, err := emit.Perform(t.Context(), folder, man, m, nil, nil)
			if err == nil || !strings.Contains(err.Error(), x.want) || !strings.HasPrefix(err.Error(), folder) {
				t.Errorf("%s: %v, %q wanted", x.file, err, x.want)
			}
			if err := man.Verify(t.Context(), folder); err == nil || !strings.HasPrefix(err.Error(), name+": SHA-256") {
				t.Errorf("%s: %v", x.file, err)
			}
		})
	}
	if _, err := emit.Perform(t.Context(), folder, man, m, nil, nil); err != nil {
		t.Error(err)
	}
}

// edited changes a file while a function runs.
func edited(t *testing.T, name string, edit func(text []byte) []byte, run func()) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err == nil {
		err = os.WriteFile(name, edit(slices.Clone(text)), 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	run()
	if err := os.WriteFile(name, text, 0o666); err != nil {
		t.Fatal(err)
	}
}
