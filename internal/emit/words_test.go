package emit_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pimflow/internal/emit"
)

// programmed is a folder with images of units that execute programs.
func programmed(t testing.TB) (folder string, man *emit.Manifest) {
	t.Helper()
	return written(t, "hbm-pim", emit.Options{Format: "pimflow", Images: true, Layer: "fc"})
}

// TestWordsWrong: programs that are others, no programs, or other values of the banks are found.
func TestWordsWrong(t *testing.T) {
	folder, _ := programmed(t)
	man, m, err := emit.Read(folder)
	if err != nil {
		t.Fatal(err)
	}
	c := man.Steps[0].Channels[0].Images
	text, err := os.ReadFile(filepath.Join(folder, c.Program.Name))
	if err != nil {
		t.Fatal(err)
	}
	if head := "word,code,instruction\n0,0xa4"; !strings.HasPrefix(string(text), head) || !strings.Contains(string(text), ",0x20000000,EXIT\n") {
		t.Errorf("%s", text)
	}
	replaced := func(from, to string) func([]byte) []byte {
		return func(b []byte) []byte {
			if !strings.Contains(string(b), from) {
				t.Errorf("no %q in %s", from, b)
			}
			return []byte(strings.Replace(string(b), from, to, 1))
		}
	}
	for _, x := range []struct {
		file string
		edit func([]byte) []byte
		want string
	}{
		{c.Program.Name, replaced("\n1,", "\n2,"), `:3: word "2": 1 wanted`},
		{c.Program.Name, replaced(",0xa4", ",0xA4"), `:2: code "0xA4`},
		{c.Program.Name, replaced("0x20000000", "0x30000000"), "instruction 0x30000000: operation 3: NOP, JUMP"},
		{c.Program.Name, replaced(",EXIT", ",NOP 0"), `instruction "NOP 0": "EXIT" wanted, that of code 0x20000000`},
		{c.Program.Name, replaced("word,", "words,"), ":1: "},
		{c.Program.Name, replaced("0x20000000,EXIT", "0x00000000,NOP 0"), "command "},
		{c.Weights.Name, func(b []byte) []byte { b[130] ^= 1; return b }, "that is read is"},
		{c.Rows.Name, replaced(",512,", ",513,"), "row image 0: row 0 of the stream, chunk 0, width 513, period 1, bank 0, banks 1, element 0, elements "},
	} {
		name := filepath.Join(folder, x.file)
		edited(t, name, x.edit, func() {
			_, err := emit.Perform(t.Context(), folder, man, m, nil, nil)
			if err == nil || !strings.Contains(err.Error(), x.want) || !strings.HasPrefix(err.Error(), folder) || strings.Contains(err.Error(), "\n") {
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

// TestProgramRefused: a manifest names a way of programs that the machine has, and the words of each channel; that of another machine names none.
func TestProgramRefused(t *testing.T) {
	hbm, _ := programmed(t)
	newton, _ := written(t, "newton", emit.Options{Format: "pimflow", Images: true, Layer: "fc"})
	const first = "steps/0/channels/0/images/program"
	for _, d := range []struct {
		folder string
		damaged
	}{
		{hbm, damaged{"steps/0/images/program", "lanes", `steps[0].images.program: "lanes": one of inputs on lanes, `}},
		{hbm, damaged{"steps/0/images/program", "", `steps[0].images.program: "": one of inputs on lanes, `}},
		{hbm, damaged{first, nil, "steps[0].channels[0].images.program: false: true, "}},
		{newton, damaged{"steps/0/images/program", "inputs on lanes", `steps[0].images.program: "inputs on lanes": none, `}},
		{newton, damaged{first, emit.File{Name: "manifest.json"}, "steps[0].channels[0].images.program: true: false, "}},
	} {
		name := filepath.Join(d.folder, emit.ManifestName)
		edited(t, name, func(text []byte) []byte { return changedAt(t, text, d.path, d.value) }, func() {
			if _, _, err := emit.Read(d.folder); err == nil || !strings.Contains(err.Error(), d.want) {
				t.Errorf("%s = %v: %v: %q wanted", d.path, d.value, err, d.want)
			}
		})
	}
}
