package onnx

import "testing"

// TestStandard: what is supported is ONNX's.
func TestStandard(t *testing.T) {
	for _, name := range opTypes() {
		if !isStandard(name) {
			t.Errorf("operator %s is not in the table standard", name)
		}
	}
}
