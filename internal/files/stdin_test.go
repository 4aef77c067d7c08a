package files

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
)

// TestKeep: what is kept is read again by its name, which says what it is, and is gone after Drop.
func TestKeep(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for _, x := range []struct{ text, name string }{
		{"\x93NUMPY\x01", "stdin.npy"}, {"\x89PNG\r", "stdin.png"}, {"PAR1", "stdin.parquet"}, {"{\"schema\":\"pimflow.point/1\"}\n{}", "stdin.jsonl"},
		{" {\"schema\": \"pimflow.run/1\"}", "stdin.json"}, {"[1]", "stdin.json"}, {"graph \"g\"\n", "stdin.graph"}, {"plan \"toy\"\n", "stdin.plan"},
		{"\x08\x07", "stdin.onnx"}, {"a\x00b", "stdin.onnx"}, {"a: b\n", "stdin.yaml"}, {strings.Repeat("a,b\n", 1000), "stdin.yaml"},
	} {
		name, err := Keep(iotest.OneByteReader(strings.NewReader(x.text)), ".yaml")
		if err != nil || name != x.name {
			t.Fatalf("%.20q: %q, %v, %q wanted", x.text, name, err, x.name)
		}
		for range 2 {
			f, err := Open(name, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(f)
			f.Close()
			if err != nil || string(got) != x.text {
				t.Errorf("%.20q: %.20q, %v", x.text, got, err)
			}
		}
		if Size(name) != len(x.text) || At("other") != "other" {
			t.Errorf("%s: %d bytes; other is at %s", name, Size(name), At("other"))
		}
		path := At(name)
		Drop()
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) || At(name) != name {
			t.Errorf("%s is still there: %v", path, err)
		}
	}
	if _, err := Keep(strings.NewReader(""), ""); err == nil || err.Error() != "standard input: empty: a file wanted" {
		t.Error(err)
	}
	if _, err := Keep(iotest.ErrReader(errors.New("broken")), ""); err == nil || err.Error() != "standard input: broken" {
		t.Error(err)
	}
	Drop()
}
