package main

import (
	"io"
	"os"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

// bar shows the progress of long work on a terminal, one phase after the other,
// from the second after a phase began. Its zero value shows nothing.
type bar struct {
	mu       sync.Mutex
	out      io.Writer // nil where nobody looks
	began    time.Time
	name     string // of the phase
	label    string // in place of the names of phases; "" for none
	progress *mpb.Progress
	current  *mpb.Bar
}

// barAfter is how long a phase runs before it shows a bar.
const barAfter = time.Second

// newBar returns a bar on w, which shows nothing unless w is a terminal.
func newBar(w io.Writer) *bar {
	b := &bar{}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		b.out = f
	}
	return b
}

// phase begins a phase, which ends the one before; the function it returns is told how much is
// done, from any goroutine. It is nil where nobody looks.
func (b *bar) phase(name string) func(done, total int) {
	b.tell(name, 0, 0)
	if b.out == nil {
		return nil
	}
	return func(done, total int) { b.tell(name, done, total) }
}

// tell says how much of a phase is done, from any goroutine; another phase than before
// begins.
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
		b.progress = mpb.New(mpb.WithOutput(b.out), mpb.WithAutoRefresh())
		b.current = b.progress.AddBar(int64(total), mpb.BarRemoveOnComplete(),
			mpb.PrependDecorators(decor.Name(phase+" ")), mpb.AppendDecorators(decor.Percentage()))
	}
	if b.current != nil && int64(done) > b.current.Current() {
		b.current.SetCurrent(int64(done))
	}
}

// stop removes what is shown.
func (b *bar) stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.end()
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
