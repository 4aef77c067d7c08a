package main

import (
	"testing"

	"pimflow"
)

// TestSized counts the sizes that an exported model has fixed: those of a detector, and none of a classifier.
func TestSized(t *testing.T) {
	for model, want := range map[string]int{"../../docs/detector.onnx": 2, "toy": 0} {
		s, err := pimflow.Open(t.Context(), model, pimflow.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if got := sized(s); got != want {
			t.Errorf("%s: %d sizes depend on data, %d wanted", model, got, want)
		}
	}
}
