package emit_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pimflow/internal/emit"
)

// FuzzRead: a manifest is read, verified and performed, or an error of its folder, whatever it says.
func FuzzRead(f *testing.F) { fuzzRead(f, "newton") }

// FuzzReadPrograms is FuzzRead where units execute programs.
func FuzzReadPrograms(f *testing.F) { fuzzRead(f, "hbm-pim") }

func fuzzRead(f *testing.F, machine string) {
	folder := filepath.Join(f.TempDir(), "out")
	if _, err := emit.Folder(f.Context(), folder, source(f, machine), emit.Options{Format: "pimflow", Images: true, Layer: "fc"}, nil); err != nil {
		f.Fatal(err)
	}
	name := filepath.Join(folder, emit.ManifestName)
	text, err := os.ReadFile(name)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	f.Add(strings.Replace(string(text), `"rows": [`, `"rows": [-9, 9223372036854775807], "x": [`, 1))
	f.Add(strings.Replace(string(text), `"results": [`, `"results": [0, 99999999], "x": [`, 1))
	f.Add(strings.ReplaceAll(string(text), `"outputs": 10`, `"outputs": 0`))
	f.Add(strings.ReplaceAll(string(text), `"images": {`, `"x": {`))
	f.Add(strings.Replace(string(text), `"program": {`, `"program": null, "x": {`, 1))
	f.Add(strings.Replace(string(text), `"program": "inputs`, `"program": "outputs`, 1))
	f.Add(strings.ReplaceAll(string(text), `-weights.npy`, `-weight.npy`))
	f.Add(strings.ReplaceAll(string(text), `-program.csv`, `-programs.csv`))
	f.Add(strings.ReplaceAll(string(text), `"pitch": `, `"pitch": -`))
	f.Add(strings.ReplaceAll(string(text), `"source": `, `"source": -`))
	f.Add(`{"schema": "pimflow.emit/1", "format": "aim", "standard": "newton", "steps": [null]}`)
	f.Fuzz(func(t *testing.T, manifest string) {
		if err := os.WriteFile(name, []byte(manifest), 0o666); err != nil {
			t.Fatal(err)
		}
		man, m, err := emit.Read(folder)
		if err == nil {
			err = man.Verify(t.Context(), folder)
			if _, failed := emit.Perform(t.Context(), folder, man, m, nil, nil); failed != nil && !strings.HasPrefix(failed.Error(), folder) {
				t.Errorf("%q", failed)
			}
		}
		if err != nil && (!strings.Contains(err.Error(), folder) || strings.ContainsAny(err.Error(), "\n\r")) {
			t.Errorf("%q", err)
		}
	})
}
