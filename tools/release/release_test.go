package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	long = flag.Bool("long", false, "build everything twice")
	some = flag.String("only", "", "with -long: systems and processors, as linux/amd64 (default all)")
)

// git executes git in a folder.
func git(t *testing.T, folder string, args ...string) {
	t.Helper()
	c := exec.Command("git", args...)
	c.Dir = folder
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

// small is a repository with a program that says no more than its name.
func small(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":              "module pimflow\n\ngo 1.26.0\n",
		"cmd/pimflow/main.go": "package main\n\nfunc main() { println(\"pimflow\") }\n",
		"README.md":           "read\n", "LICENSE": "free\n", "THIRD_PARTY": "none\n", "CHANGELOG.md": "new\n", "CITATION.cff": "cite\n",
	} {
		name = filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	git(t, folder, "init", "-q")
	git(t, folder, "add", ".")
	git(t, folder, "-c", "user.name=a", "-c", "user.email=a@a", "commit", "-qm", "first")
	return folder
}

// TestOpen: what is not committed is refused with its name, and so are unknown targets.
func TestOpen(t *testing.T) {
	folder := small(t)
	s, err := open(t.Context(), folder)
	if err != nil || len(s.commit) != 40 || time.Since(s.made) < 0 {
		t.Fatal(s, err)
	}
	b, err := s.build(t.Context(), target{"windows", "arm64"}, t.TempDir())
	if err != nil || !strings.HasSuffix(b.file, ".exe") || !strings.HasSuffix(b.version, s.commit[:12]) {
		t.Error(b, err)
	}
	if err := os.WriteFile(filepath.Join(folder, "more"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "dist")
	if err := release(t.Context(), folder, out, targets, io.Discard); err == nil || err.Error() != "?? more is changed: a commit without changes wanted" {
		t.Error(err)
	}
	if _, err := s.build(t.Context(), target{"linux", "amd64"}, t.TempDir()); err == nil || !strings.Contains(err.Error(), `changed "true"`) {
		t.Error(err)
	}
	git(t, folder, "clean", "-qf")
	if err := release(t.Context(), folder, folder, targets, io.Discard); err == nil || !strings.HasSuffix(err.Error(), "is there already: a new folder wanted") {
		t.Error(err)
	}
	if _, err := chosen("linux/amd64,plan9/386"); err == nil || !strings.HasPrefix(err.Error(), "-only plan9/386: one of [linux/amd64 ") {
		t.Error(err)
	}
}

// TestArchives: the bytes depend on files and time alone, and others read them.
func TestArchives(t *testing.T) {
	list := []entry{{"a/pimflow", []byte("binary"), 0o755}, {"a/LICENSE", []byte("free"), 0o644}}
	made := time.Date(2026, 12, 1, 10, 20, 30, 0, time.UTC)
	for _, pack := range []func([]entry, time.Time) ([]byte, error){tarred, zipped} {
		one, err := pack(list, made)
		two, err2 := pack(slices.Clone(list), made.Local())
		if err != nil || err2 != nil || !bytes.Equal(one, two) {
			t.Error("not the same bytes", err, err2)
		}
	}
	data, _ := tarred(list, made)
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		text, err2 := io.ReadAll(r)
		if err != nil || err2 != nil || !h.ModTime.Equal(made) {
			t.Fatal(err, err2, h.ModTime)
		}
		got = append(got, h.FileInfo().Mode().String()+" "+h.Name+" "+string(text))
	}
	data, _ = zipped(list, made)
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.File {
		o, err := f.Open()
		if err != nil || !f.Modified.Equal(made) {
			t.Fatal(err, f.Modified)
		}
		text, err := io.ReadAll(o)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, f.Mode().String()+" "+f.Name+" "+string(text))
	}
	want := []string{"-rwxr-xr-x a/pimflow binary", "-rw-r--r-- a/LICENSE free"}
	if want = append(want, want...); !slices.Equal(got, want) {
		t.Errorf("%q, %q wanted", got, want)
	}
}

// TestAnywhere: a list of modules does not depend on who made it.
func TestAnywhere(t *testing.T) {
	got, err := anywhere([]byte(`{"metadata": {"tools": [{"name": "x", "hashes": [1]}]}, "n": 12345678901234567890, "p": "a&b"}`))
	if want := "{\n  \"metadata\": {\n    \"tools\": [\n      {\n        \"name\": \"x\"\n      }\n    ]\n  },\n  \"n\": 12345678901234567890,\n  \"p\": \"a&b\"\n}\n"; err != nil || string(got) != want {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := anywhere([]byte(`{}`)); err == nil {
		t.Error("no tools, no error")
	}
}

// TestReproducible: two clones in different folders, without a shared cache of builds, give the same bytes.
func TestReproducible(t *testing.T) {
	if !*long {
		t.Skip("-long builds every binary twice")
	}
	list, err := chosen(*some)
	if err != nil {
		t.Fatal(err)
	}
	var folders [2]string
	for i, name := range []string{"one", "another place"} {
		clone := filepath.Join(t.TempDir(), name)
		git(t, ".", "clone", "-q", "../..", clone)
		if i == 1 {
			t.Setenv("GOCACHE", t.TempDir())
		}
		folders[i] = filepath.Join(t.TempDir(), "dist")
		if err := release(t.Context(), clone, folders[i], list, os.Stderr); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(folders[0])
	if err != nil || len(entries) != 2*len(list)+1 {
		t.Fatal(len(entries), err)
	}
	for _, e := range entries {
		one, err := os.ReadFile(filepath.Join(folders[0], e.Name()))
		two, err2 := os.ReadFile(filepath.Join(folders[1], e.Name()))
		if err != nil || err2 != nil || !bytes.Equal(one, two) {
			t.Errorf("%s: two builds differ: %v, %v", e.Name(), err, err2)
		}
		t.Logf("%s: %d bytes", e.Name(), len(one))
	}
	check := exec.Command("sha256sum", "-c", "SHA256SUMS")
	check.Dir = folders[0]
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
