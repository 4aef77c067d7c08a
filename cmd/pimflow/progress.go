package main

import (
	"io"
	"os"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"pimflow/internal/fault"
)

// bar shows the progress of long work on a terminal, phase by phase, each from its second second
// on. The zero value shows nothing.
type bar struct {
	mu       sync.Mutex
	out      io.Writer // nil without a terminal
	began    time.Time
	name     string        // of the phase
	label    string        // in place of the names of phases; "" for none
	text     func() string // in place of both, as it is when it is shown; nil for none
	progress *mpb.Progress
	current  *mpb.Bar
}

// barAfter is the age at which a phase shows a bar.
const barAfter = time.Second

// newBar returns a bar on w; it shows nothing if w is no terminal, or one without escape sequences.
func newBar(w io.Writer) *bar {
	b := &bar{}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" {
		b.out = f
	}
	return b
}

// phase ends the phase before and begins another. The function it returns takes the progress, from
// any goroutine; it is nil without a terminal.
func (b *bar) phase(name string) func(done, total int) {
	b.tell(name, 0, 0)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.out == nil {
		return nil
	}
	return func(done, total int) { b.tell(name, done, total) }
}

// tell takes the progress of a phase, from any goroutine. A new name begins a new phase.
func (b *bar) tell(phase string, done, total int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.out == nil {
		return
	}
	if b.label != "" {
		phase = b.label
	}
	if phase != b.name {
		b.end()
		b.name, b.began = phase, time.Now()
	}
	if b.current == nil && total > 0 && time.Since(b.began) > barAfter {
		text := b.text
		if text == nil {
			text = func() string { return fault.Name(phase) }
		}
		b.progress = mpb.New(mpb.WithOutput(b.out), mpb.WithAutoRefresh())
		b.current = b.progress.AddBar(int64(total), mpb.BarRemoveOnComplete(),
			mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return text() + " " })), mpb.AppendDecorators(decor.Percentage()))
	}
	if b.current != nil && int64(done) > b.current.Current() {
		b.current.SetCurrent(int64(done))
	}
}

// stop removes the bar, for good: work that was left may still tell of its progress.
func (b *bar) stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.end()
	b.out = nil
}

// end is stop while mu is held.
func (b *bar) end() {
	if b.current != nil {
		b.current.Abort(true)
		b.progress.Wait()
		b.current, b.progress = nil, nil
	}
	b.name = ""
}
