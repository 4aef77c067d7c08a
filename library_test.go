package pimflow_test

import (
	"encoding/json"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// program returns the Go program of the README.
func program(t *testing.T) string {
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, ok := strings.Cut(string(data), "```go\n")
	text, _, closed := strings.Cut(text, "```\n")
	if !ok || !closed {
		t.Fatal("README.md has no Go program")
	}
	return text
}

// TestOtherModule builds the program of the README in another module and compares its
// answer with that of the command.
func TestOtherModule(t *testing.T) {
	text := program(t)
	if n := strings.Count(text, "\n"); n > 20 {
		t.Errorf("the program has %d lines", n)
	}
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile("go.sum")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for file, data := range map[string]string{
		"main.go": text, "go.sum": string(sums),
		"go.mod": "module other\n\ngo 1.26\n\nrequire pimflow v0.0.0\n\nreplace pimflow => " + root + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(data), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	run := func(dir, mod string, args ...string) []byte {
		t.Helper()
		c := exec.Command("go", append([]string{"run"}, args...)...)
		c.Dir, c.Env = dir, append(os.Environ(), "GOFLAGS=-mod="+mod, "GOWORK=off")
		var stderr strings.Builder
		c.Stderr = &stderr
		out, err := c.Output()
		if err != nil {
			t.Fatalf("go run %v: %v\n%s", args, err, &stderr)
		}
		return out
	}
	var r struct {
		Total json.Number `json:"total_ns"`
	}
	if err := json.Unmarshal(run(root, "readonly", "./cmd/pimflow", "run", "mobilenet-v2", "--pim-channels", "8", "--policy", "pimflow", "--json"), &r); err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(string(run(dir, "mod", "."))); got != r.Total.String()+" ns" {
		t.Errorf("another module's program says %s, the command %s ns", got, r.Total)
	}
}

// maxExported is how many types and functions the package may export.
const maxExported = 46

// TestExported: the package exports few names, and each type, function and method has a
// comment.
func TestExported(t *testing.T) {
	fset := token.NewFileSet()
	var files []*ast.File
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	pkg, err := doc.NewFromFiles(fset, files, "pimflow")
	if err != nil {
		t.Fatal(err)
	}
	exported := len(pkg.Types) + len(pkg.Funcs)
	funcs := pkg.Funcs
	for _, typ := range pkg.Types {
		exported += len(typ.Funcs)
		if typ.Doc == "" {
			t.Errorf("type %s has no comment", typ.Name)
		}
		funcs = append(append(funcs, typ.Funcs...), typ.Methods...)
	}
	for _, f := range funcs {
		if f.Doc == "" {
			t.Errorf("%s has no comment", f.Name)
		}
	}
	if exported > maxExported {
		t.Errorf("%d exported types and functions: at most %d wanted", exported, maxExported)
	}
	t.Logf("%d exported types and functions", exported)
}
