package files

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// put writes a file of a folder, and returns its name.
func put(t *testing.T, folder, name, text string, mode os.FileMode) string {
	t.Helper()
	name = filepath.Join(folder, name)
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		text string
		most int64
		want string // an error's end; "" for none
	}{
		{"abc\n", 4, ""},
		{"", 4, ""},
		{"\ufeffabc\n", 7, ""}, // a byte order mark is no text
		{"\ufeff", 4, ""},
		{"abc\nd", 4, "a: more than 4 bytes: a smaller file wanted"},
		{"a\nb\n\x00", 100, "a: a zero byte: text wanted"},
	} {
		name := put(t, dir, "a", c.text, 0o666)
		data, err := Read(name, c.most)
		if got := fmt.Sprint(err); c.want == "" && (err != nil || string(data) != strings.TrimPrefix(c.text, "\ufeff")) || c.want != "" && !strings.HasSuffix(got, c.want) {
			t.Errorf("%q of at most %d bytes: %q, %v: %q wanted", c.text, c.most, data, err, c.want)
		}
	}
	if _, err := Open(dir, 1); err == nil || err.Error() != dir+": a file wanted, not a folder" {
		t.Error(err)
	}
	if _, err := os.Stat("/dev/zero"); err == nil {
		if _, err := Read("/dev/zero", 1<<40); err == nil || err.Error() != "/dev/zero: a zero byte: text wanted" {
			t.Error(err)
		}
	}
}

// TestTextAhead: whoever looks ahead of a zero byte and then reads on does not take it for the end.
func TestTextAhead(t *testing.T) {
	in := bufio.NewReader(Text(strings.NewReader("a,b\n\x001,2\n")))
	if ahead, err := in.Peek(100); string(ahead) != "a,b\n" || err == nil {
		t.Errorf("%q, %v", ahead, err)
	}
	if data, err := io.ReadAll(in); string(data) != "a,b\n" || err == nil || err.Error() != "a zero byte: text wanted" {
		t.Errorf("%q, %v", data, err)
	}
}

func saying(s string) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
}

// names lists a folder.
func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	old := put(t, dir, "old", "old", 0o640)
	for from, to := range map[string]string{"link": "old", "link2": "link", "dangling": "new"} {
		if err := os.Symlink(to, filepath.Join(dir, from)); err != nil {
			t.Fatal(err)
		}
	}
	failed := errors.New("no more")
	err := Write(t.Context(),
		File{Name: filepath.Join(dir, "link2"), Write: saying("changed")},
		File{Name: filepath.Join(dir, "dangling"), Write: saying("made")},
		File{Name: filepath.Join(dir, "half"), Write: func(w io.Writer) error { io.WriteString(w, "hal"); return failed }},
		File{Name: filepath.Join(dir, "no", "folder"), Write: saying("")},
		File{Name: os.DevNull, Write: saying("nowhere")},
	)
	if !errors.Is(err, failed) || !strings.Contains(err.Error(), "open "+filepath.Join(dir, "no", "folder")+": ") {
		t.Error(err)
	}
	for name, want := range map[string]string{"old": "changed", "link": "changed", "new": "made"} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v: %q wanted", name, got, err, want)
		}
	}
	if info, err := os.Stat(old); err != nil || info.Mode() != 0o640 {
		t.Error("permissions", info.Mode(), err)
	}
	if to, err := os.Readlink(filepath.Join(dir, "link2")); err != nil || to != "link" {
		t.Error("link2 leads to", to, err)
	}
	if got := fmt.Sprint(names(t, dir)); got != "[dangling link link2 new old]" {
		t.Error(got)
	}
}

// TestWriteStopped: no file is replaced after the end of the context, and nothing is left.
func TestWriteStopped(t *testing.T) {
	dir := t.TempDir()
	first, second := put(t, dir, "a", "as it was", 0o666), filepath.Join(dir, "b")
	ctx, cancel := context.WithCancel(t.Context())
	err := Write(ctx, File{Name: first, Write: saying("changed")}, File{Name: second, Write: func(w io.Writer) error {
		cancel()
		return saying("made")(w)
	}})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if got, err := os.ReadFile(first); string(got) != "as it was" {
		t.Errorf("%q, %v", got, err)
	}
	if got := fmt.Sprint(names(t, dir)); got != "[a]" {
		t.Error("left over:", got)
	}
}

func TestTry(t *testing.T) {
	dir := t.TempDir()
	there := put(t, dir, "there", "as it was", 0o600)
	for name, want := range map[string]string{
		there:                           "",
		filepath.Join(dir, "new"):       "",
		filepath.Join(dir, "no", "new"): "open " + filepath.Join(dir, "no", "new") + ": ",
		dir:                             dir + ": a file wanted, not a folder",
		os.DevNull:                      "",
	} {
		if err := Try(name); want == "" && err != nil || want != "" && !strings.HasPrefix(fmt.Sprint(err), want) {
			t.Errorf("%s: %v: %q wanted", name, err, want)
		}
	}
	for name, want := range map[string]string{
		dir:                             "",
		filepath.Join(dir, "new", "er"): "",
		filepath.Join(there, "new"):     "stat " + filepath.Join(there, "new") + ": ",
		there:                           there + ": a folder wanted",
	} {
		if err := TryFolder(name); want == "" && err != nil || want != "" && !strings.HasPrefix(fmt.Sprint(err), want) {
			t.Errorf("folder %s: %v: %q wanted", name, err, want)
		}
	}
	if got := fmt.Sprint(names(t, dir)); got != "[there]" {
		t.Error("left over:", got)
	}
	if got, err := os.ReadFile(there); string(got) != "as it was" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestDistinct(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	put(t, dir, "in", "", 0o666)
	for from, to := range map[string]string{"link": "in", "later": "out", "folder": "."} {
		if err := os.Symlink(to, from); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link("in", "hard"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"in", "./in", true},
		{"in", "link", true},
		{"in", "hard", true},
		{"in", "out", false},
		{"out", "folder/out", true},
		{"out", "later", true},
		{"out", "other", false},
		{"no/out", "no/../no/out", true},
		{os.DevNull, os.DevNull, false},
	} {
		out := Named{"-o", c.a}
		for _, err := range []error{
			Distinct([]Named{{"MODEL", c.b}}, []Named{out}),
			Distinct(nil, []Named{out, {"--trace", c.b}}),
		} {
			if (err != nil) != c.same {
				t.Errorf("%s, %s: %v", c.a, c.b, err)
			}
		}
	}
	err := Distinct([]Named{{"MODEL", "in"}}, []Named{{"-o", "link"}})
	if want := "-o link is MODEL in: two files wanted"; fmt.Sprint(err) != want {
		t.Errorf("%v: %s wanted", err, want)
	}
}
