package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestNewFolder: a folder is there as a whole or not at all.
func TestNewFolder(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "out")
	write := func(folder string) error {
		if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v before the folder is written", err)
		}
		return os.WriteFile(filepath.Join(folder, "a"), []byte("x"), 0o666)
	}
	failed := errors.New("failed")
	err := NewFolder(name, func(folder string) error { return errors.Join(write(folder), failed) })
	if left, _ := os.ReadDir(dir); !errors.Is(err, failed) || len(left) > 0 {
		t.Errorf("%v, and %v is left", err, left)
	}
	if err := NewFolder(name, write); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if left, _ := os.ReadDir(dir); err != nil || len(left) != 1 || info.Mode().Perm()&0o500 != 0o500 {
		t.Errorf("%v, %v beside it", err, left)
	}
	if text, err := os.ReadFile(filepath.Join(name, "a")); err != nil || string(text) != "x" {
		t.Errorf("%q, %v", text, err)
	}
	if err := NewFolder(name, write); err == nil || !strings.Contains(err.Error(), "it exists") {
		t.Errorf("%v: the folder exists", err)
	}
	none := filepath.Join(dir, "none")
	if err := TryNewFolder(filepath.Join(none, "out")); err == nil || err.Error() != none+"/out: there is no folder "+none+": the name of a new folder in one that exists wanted" {
		t.Errorf("%v: a folder inside of none", err)
	}
	other := filepath.Join(dir, "other")
	err = NewFolder(other, func(folder string) error {
		return fmt.Errorf("step 3: %w", &fs.PathError{Op: "write", Path: filepath.Join(folder, "3", "a.csv"), Err: syscall.ENOSPC})
	})
	if want := "write " + filepath.Join(other, "3", "a.csv") + ": no space left on device"; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("%v: %q wanted", err, want)
	}
}
