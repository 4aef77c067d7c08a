package main

import (
	"io"
	"strings"
	"testing"
	"time"

	"pimflow/internal/result"
)

// TestLines: where there is no terminal, how far a sweep is stands in a line at its beginning, and in one at each tick, whatever comes.
func TestLines(t *testing.T) {
	r, w := io.Pipe()
	lines := make(chan string, 4)
	go func() {
		var text []byte
		for b := make([]byte, 1); ; {
			if _, err := r.Read(b); err != nil {
				return
			}
			if text = append(text, b[0]); b[0] == '\n' {
				lines <- string(text)
				text = nil
			}
		}
	}()
	defer r.Close()
	ticks := make(chan time.Time)
	of := &tally{bar: &bar{out: w, began: time.Now()}, total: 2}
	of.start(func() <-chan time.Time { return ticks })
	if got := <-lines; got != "pimflow: 0 of 2 points\n" {
		t.Errorf("%q at the beginning", got)
	}
	of.add(&result.Row{Point: 3, Error: "x"}, true)
	ticks <- time.Time{}
	if got := <-lines; !strings.HasPrefix(got, "pimflow: 1 of 2 points, 1 without a result, 1 known before, ") {
		t.Errorf("%q after a row", got)
	}
	of.add(&result.Row{Point: 4, Speedup: 2}, false)
	ticks <- time.Time{}
	if got := <-lines; !strings.HasSuffix(got, ", best speed-up 2.000 at point 4\n") {
		t.Errorf("%q after both", got)
	}
	of.stop()
	select {
	case ticks <- time.Time{}:
		t.Error("a line after the end")
	default:
	}
}
