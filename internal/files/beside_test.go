package files

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// TestBeside: a file as Windows writes it is at its place as a whole, or is not there.
func TestBeside(t *testing.T) {
	dir := t.TempDir()
	place := put(t, dir, "a", "as it was", 0o666)
	begin := func() *beside {
		b, err := newBeside(place)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(b, "changed"); err != nil {
			t.Fatal(err)
		}
		if filepath.Dir(b.Name()) != dir || b.Name() == place {
			t.Error(b.Name())
		}
		return b
	}
	check := func(want string) {
		t.Helper()
		if got, err := os.ReadFile(place); string(got) != want {
			t.Errorf("%q, %v: %q wanted", got, err, want)
		}
		if list := names(t, dir); len(list) != 1 {
			t.Error("left over:", list)
		}
	}
	b := begin()
	if err := b.Cleanup(); err != nil {
		t.Error(err)
	}
	check("as it was")
	if err := b.CloseAtomicallyReplace(); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
	b = begin()
	if err := errors.Join(b.CloseAtomicallyReplace(), b.Cleanup()); err != nil {
		t.Error(err)
	}
	check("changed")

	b = begin()
	b.place = filepath.Join(dir, "no", "folder")
	if err := b.CloseAtomicallyReplace(); err == nil {
		t.Error("a file is in a folder that is not there")
	}
	check("changed")
	if _, err := newBeside(b.place); err == nil {
		t.Error("a file begins in a folder that is not there")
	}
}
