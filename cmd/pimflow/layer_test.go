package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"testing"

	"pimflow/internal/convolution"
	"pimflow/internal/hw"
)

// TestWriteTraces compares a file with the hash of pim_codegen's.
func TestWriteTraces(t *testing.T) {
	m, err := hw.Load(PublishedMachine)
	if err != nil {
		t.Fatal(err)
	}
	q := &convolution.Question{Channels: 16, Buffers: 4, Layer: convolution.Layer{
		IC: 32, OC: 16, H: 112, W: 112, KH: 1, KW: 1, Stride: 1, Groups: 1, Dilation: 1,
	}}
	dir := t.TempDir()
	if err := writeTraces(t.Context(), m, q, dir, "x"); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(dir + "/x-16.pim")
	if err != nil {
		t.Fatal(err)
	}
	const want = "aeda25a3d26639d6103e0b756dea9d3a1bace30b0bf25f4d3b425c75bb050b36"
	if got := fmt.Sprintf("%x", sha256.Sum256(data)); got != want {
		t.Errorf("SHA-256 %s, %s wanted", got, want)
	}
}
