// Package pimflow_test holds what is true of the project as a whole.
package pimflow_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// ranks orders the packages by their paths under internal, and the root package: each imports packages of a lower rank only.
// ARCHITECTURE.md has the same table with a line on each.
var ranks = [][]string{
	{"budget", "csvtext", "explore", "fault", "files", "hostile", "jsontext", "nearest", "usage", "vector"},
	{"tensor", "dram", "job"},
	{"hw", "op", "npy", "dram/aimhost", "dram/hbmhost", "pim/unit"},
	{"graph"},
	{"simplify", "zoo", "plan", "device", "interval"},
	{"onnx", "gpu", "profile", "program", "transform", "result"},
	{"pim", "run", "queue"},
	{"calibrate", "memory", "published/generator", "trace", "candidate", "fake", "utilization"},
	{"bound", "emit", "search/local", "tracing"},
	{"search"},
	{"platform"},
	{"published", "space", "survey", "explain", "convolution"},
	{"pimflow"},
	{"asktell", "evaluate", "dispatch"},
	{"sweep"},
	{"report"},
	{"figure", "page"},
}

// libraries are the modules outside the standard library that the program, its
// tests aside, may import.
var libraries = []string{
	"codeberg.org/go-fonts/liberation",
	"codeberg.org/go-pdf/fpdf",
	"github.com/agnivade/levenshtein",
	"github.com/goccy/go-yaml",
	"github.com/google/renameio/v2",
	"github.com/nats-io/nats-server/v2",
	"github.com/nats-io/nats.go",
	"github.com/parquet-go/parquet-go",
	"github.com/spf13/cobra",
	"github.com/spf13/pflag",
	"github.com/vbauerster/mpb/v8",
	"github.com/x448/float16",
	"golang.org/x/image",
	"golang.org/x/sync",
	"golang.org/x/sys/cpu",
	"golang.org/x/term",
	"gonum.org/v1/gonum",
	"gonum.org/v1/plot",
	"google.golang.org/protobuf/encoding/protowire",
}

func rank(pkg string) int {
	return slices.IndexFunc(ranks, func(r []string) bool { return slices.Contains(r, pkg) })
}

func TestImportsGoDownInRank(t *testing.T) {
	seen := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		path = filepath.ToSlash(path)
		if err == nil && d.IsDir() && path != "." && path != "internal" && !strings.HasPrefix(path, "internal/") {
			return filepath.SkipDir
		}
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		pkg := "pimflow"
		if dir, ok := strings.CutPrefix(path, "internal/"); ok {
			pkg = dir[:strings.LastIndex(dir, "/")]
		}
		seen[pkg] = true
		if rank(pkg) < 0 {
			t.Errorf("%s: package %s has no rank", path, pkg)
		}
		for _, imp := range imports(t, path) {
			if sub, ok := strings.CutPrefix(imp, "pimflow/internal/"); (ok || imp == "pimflow") && (rank(sub) < 0 || rank(sub) >= rank(pkg)) {
				t.Errorf("%s of rank %d imports %s of rank %d", path, rank(pkg), sub, rank(sub))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range ranks {
		for _, pkg := range row {
			if !seen[pkg] {
				t.Errorf("package %s has a rank and no files", pkg)
			}
		}
	}
}

func TestLibraries(t *testing.T) {
	used := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if _, e := os.Stat(filepath.Join(path, "go.mod")); err == nil && e == nil && path != "." {
			return filepath.SkipDir // a module of its own
		}
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		for _, imp := range imports(t, path) {
			if !strings.Contains(strings.Split(imp, "/")[0], ".") {
				continue
			}
			i := slices.IndexFunc(libraries, func(l string) bool { return imp == l || strings.HasPrefix(imp, l+"/") })
			if i < 0 {
				t.Errorf("%s imports %s, which is not on the list", path, imp)
				continue
			}
			used[libraries[i]] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range libraries {
		if !used[l] {
			t.Errorf("%s is on the list and not used", l)
		}
	}
}

// TestArchitecturePage holds ARCHITECTURE.md's table against the ranks.
func TestArchitecturePage(t *testing.T) {
	data, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	for r, row := range ranks {
		for _, pkg := range row {
			if want := "| " + strconv.Itoa(r) + " | `" + pkg + "` |"; !strings.Contains(string(data), want) {
				t.Errorf("ARCHITECTURE.md has no row %q", want)
			}
		}
	}
}

func imports(t *testing.T, path string) []string {
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, i := range f.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	return list
}

// TestNoCgo: but for Go's own resolvers of names, which a static binary does without, nothing that the program links is
// written in C.
func TestNoCgo(t *testing.T) {
	for _, c := range []struct{ tags, want string }{{"", "net os/user runtime/cgo"}, {"netgo,osusergo", ""}} {
		list := exec.Command("go", "list", "-deps", "-tags", c.tags, "-f", "{{if .CgoFiles}}{{.ImportPath}}{{end}}", "./cmd/pimflow")
		list.Env = append(os.Environ(), "CGO_ENABLED=1")
		out, err := list.Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, pkg := range strings.Fields(string(out)) {
			if !slices.Contains(strings.Fields(c.want), pkg) {
				t.Errorf("with tags %q package %s needs cgo", c.tags, pkg)
			}
		}
	}
}

// TestQuotedNames: what an error quotes is cut, since names in files have any length.
func TestQuotedNames(t *testing.T) {
	whole := regexp.MustCompile(`(Errorf|Usagef|\.fail|errorf)\([^\n]*[^%]%q`)
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && (path == "tools" || path == "ortcheck" || path == ".git") {
			return fs.SkipDir
		}
		if err != nil {
			return err
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		for _, line := range whole.FindAllString(string(text), -1) {
			t.Errorf("%s: %s: %%.80q wanted", path, line)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
