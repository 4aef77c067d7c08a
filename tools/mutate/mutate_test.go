package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTable: each row of the table stands where it says, once, and is told apart.
func TestTable(t *testing.T) {
	list := table()
	if len(list) < 60 {
		t.Errorf("%d faults", len(list))
	}
	seen := map[string]bool{}
	for _, f := range list {
		if _, err := f.mutated("../.."); err != nil {
			t.Error(err)
		}
		if key := f.file + f.what; seen[key] {
			t.Errorf("%s: %s: twice", f.file, f.what)
		} else {
			seen[key] = true
		}
		if _, err := os.Stat(filepath.Join("../..", f.killer.pkg)); err != nil {
			t.Error(err)
		}
	}
}

// TestDrawn: the same seed draws the same faults, of every package.
func TestDrawn(t *testing.T) {
	t.Chdir("../..")
	var first string
	for range 2 {
		list, err := drawn(rand.New(rand.NewPCG(7, 0)))
		if err != nil {
			t.Fatal(err)
		}
		text, in := "", map[string]bool{}
		for _, f := range list[:len(packages)] {
			text += f.file + " " + f.what + "\n"
			in[f.killer.pkg] = true
			if _, err := f.mutated("."); err != nil {
				t.Error(err)
			}
		}
		if first == "" {
			first = text
		}
		if text != first || len(in) != len(packages) {
			t.Errorf("%d packages:\n%sthan\n%s", len(in), text, first)
		}
	}
}

// TestFaults: in a small module a fault that a test sees is killed, one in a comment and one that no
// test asks about survive, and rows that are wrong are errors.
func TestFaults(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"go.mod":          "module small\n\ngo 1.26\n",
		"sum/sum.go":      "package sum\n\n// Of adds.\nfunc Of(a, b int) int { return a + b }\n\n// No one tests it.\nfunc Half(a int) int { return a / 2 }\n",
		"sum/sum_test.go": "package sum\n\nimport \"testing\"\n\nfunc TestOf(t *testing.T) {\n\tif Of(1, 2) != 3 {\n\t\tt.Error()\n\t}\n}\n\nfunc TestWrong(t *testing.T) { t.Error() }\n",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	of := func(old, new, tests string) fault {
		return fault{what: "some fault", file: "sum/sum.go", old: old, new: new, killer: in("sum", tests)}
	}
	for _, c := range []struct {
		fault
		want string
		fine bool
	}{
		{of("a + b", "a - b", "TestOf"), "killed      sum/sum.go: some fault\n            sum, TestOf\n", true},
		{of("// Of adds.", "// Of subtracts.", "TestOf"), "survived    sum/sum.go: some fault\n            sum TestOf\n", false},
		{of("a / 2", "a / 3", "TestOf"), "1 survived", false},
		{of("a + b", "a + ", "TestOf"), "does not build", false},
		{of("a * b", "a + b", "TestOf"), "stands there 0 times", false},
		{of("int", "int64", "TestOf"), "stands there 4 times", false},
		{of("a + b", "a + b", "TestOf"), "replaced by itself", false},
		{of("a + b", "b + a", "TestNone"), "no such test", false},
		{of("a + b", "a - b", "TestWrong"), "fails without a fault", false},
	} {
		r, err := newRunner(false)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		fine, err := r.all(context.Background(), []fault{c.fault}, 1, 1, &out)
		r.close()
		if text := fmt.Sprint(&out, err); fine != c.fine || !strings.Contains(text, c.want) {
			t.Errorf("%q => %q: %t, %s; want %q", c.old, c.new, fine, text, c.want)
		}
	}
}
