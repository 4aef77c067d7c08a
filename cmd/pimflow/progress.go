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

// phase ends the phase before and begins one; the function it returns is told how
// much is done, from any goroutine.
func (b *bar) phase(name string) func(done, total int) {
	b.stop()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.began = time.Now()
	if b.out == nil {
		return nil
	}
	return func(done, total int) {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.current == nil && time.Since(b.began) > barAfter {
			b.progress = mpb.New(mpb.WithOutput(b.out), mpb.WithAutoRefresh())
			b.current = b.progress.AddBar(int64(total), mpb.BarRemoveOnComplete(),
				mpb.PrependDecorators(decor.Name(name+" ")), mpb.AppendDecorators(decor.Percentage()))
		}
		if b.current != nil && int64(done) > b.current.Current() {
			b.current.SetCurrent(int64(done))
		}
	}
}

// stop removes what is shown.
func (b *bar) stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.current != nil {
		b.current.Abort(true)
		b.progress.Wait()
		b.current, b.progress = nil, nil
	}
}
