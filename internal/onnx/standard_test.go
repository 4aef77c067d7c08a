package onnx

import (
	"maps"
	"slices"
	"testing"
)

// TestStandard: what is supported is ONNX's.
func TestStandard(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(lowerings)) {
		if !isStandard(name) {
			t.Errorf("operator %s is not in the table standard", name)
		}
	}
}
