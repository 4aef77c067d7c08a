package main

import (
	"bytes"
	"os"
	"testing"
)

// TestCurrent: THIRD_PARTY has the licences of what is linked now.
func TestCurrent(t *testing.T) {
	want, err := notices("../..")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../THIRD_PARTY")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("THIRD_PARTY is not current: go run -C tools ./notices >THIRD_PARTY")
	}
}
