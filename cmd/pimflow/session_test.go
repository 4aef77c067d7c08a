package main

import (
	"math"
	"runtime"
	"runtime/debug"
	"testing"
)

// TestHeap: a search has room beside what is there before it, and what it sets is undone.
func TestHeap(t *testing.T) {
	percent, limit := debug.SetGCPercent(100), debug.SetMemoryLimit(math.MaxInt64)
	defer func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}()
	weights := make([]byte, 512<<20) // never touched
	undo := heap(50)
	if got := debug.SetMemoryLimit(-1); got < int64(len(weights))+100<<20 {
		t.Errorf("a limit of %d bytes, of which weights take %d", got, len(weights))
	}
	undo()
	if p, l := debug.SetGCPercent(100), debug.SetMemoryLimit(-1); p != 100 || l != math.MaxInt64 {
		t.Errorf("afterwards %d %%, %d bytes", p, l)
	}
	runtime.KeepAlive(weights)
}
