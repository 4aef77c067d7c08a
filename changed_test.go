package pimflow_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pimflow"

	"pimflow/internal/onnx"
	"pimflow/internal/zoo"
)

// TestChangedModel: nothing is said of a model whose file was written to since it was opened.
func TestChangedModel(t *testing.T) {
	g, err := zoo.Build("toy", 1)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "toy.onnx")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := onnx.Write(f, g); err != nil {
		t.Fatal(err)
	}
	f.Close()
	s, err := pimflow.Open(t.Context(), file, pimflow.Options{Machine: "toy"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if names := s.Files(); len(names) != 1 || names[0] != file {
		t.Errorf("read from %q", names)
	}
	p, err := s.Plan(t.Context(), pimflow.Search{Policy: "newton++"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Run(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	now := time.Now().Add(time.Hour) // another time than that of the file
	if err := os.Chtimes(file, now, now); err != nil {
		t.Fatal(err)
	}
	_, ran := s.Run(t.Context(), p)
	_, checked := s.Check(t.Context(), p)
	for what, err := range map[string]error{"Run": ran, "Check": checked, "Print": s.Print(io.Discard, false, true)} {
		if err == nil || !strings.HasPrefix(err.Error(), file+": it was changed while it was read: ") {
			t.Errorf("%s: %v", what, err)
		}
	}
}
