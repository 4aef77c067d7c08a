package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestGenerated: the assembly in internal/vector is what this program writes.
func TestGenerated(t *testing.T) {
	made := t.TempDir()
	const pkg = "../internal/vector/"
	cmd := exec.Command("go", "run", "./vector", "-out", filepath.Join(made, "kernels_amd64.s"), "-stubs", filepath.Join(made, "kernels_amd64.go"), "-pkg", "vector")
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"kernels_amd64.s", "kernels_amd64.go"} {
		want, err := os.ReadFile(filepath.Join(made, name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join("..", pkg, name))
		if err != nil {
			t.Fatal(err)
		}
		if body(got) != body(want) {
			t.Errorf("%s is not what the generator writes: go generate ./internal/vector", name)
		}
	}
}

// body is a file without its first line, which has the command with its paths.
func body(text []byte) string {
	for i, c := range text {
		if c == '\n' {
			return string(text[i:])
		}
	}
	return ""
}
