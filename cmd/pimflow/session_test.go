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

// TestWide: an evaluation of many points collects less often, unless the environment says how often.
func TestWide(t *testing.T) {
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	for _, row := range []struct {
		set  string
		want int
	}{{"", 200}, {"70", 100}} {
		t.Setenv("GOGC", row.set)
		undo := wide()
		if got := debug.SetGCPercent(-1); got != row.want {
			t.Errorf("GOGC=%q: %d %%, want %d", row.set, got, row.want)
		}
		debug.SetGCPercent(row.want)
		undo()
		if got := debug.SetGCPercent(100); got != 100 {
			t.Errorf("GOGC=%q: %d %% afterwards", row.set, got)
		}
	}
}
