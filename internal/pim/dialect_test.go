package pim

import (
	"testing"

	"pimflow/internal/dram"
)

// TestDialects: there is a mapping to every standard.
func TestDialects(t *testing.T) {
	for _, s := range dram.Standards() {
		if _, err := NewCommands(s); err != nil {
			t.Error(err)
		}
	}
}
