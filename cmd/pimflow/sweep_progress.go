package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"pimflow/internal/result"
)

// tally counts the rows of a sweep, and shows them: as a bar on a terminal, as a line from time to time elsewhere.
type tally struct {
	mu                   sync.Mutex
	out                  io.Writer
	done, failed, cached int
	best                 *result.Row // of the largest speed-up
	total                int
	began, told          time.Time
	progress             *mpb.Progress
	bar                  *mpb.Bar
}

// lineEvery is the time between two lines where there is no terminal.
const lineEvery = time.Minute

func newTally(stderr io.Writer, total int) *tally {
	t := &tally{out: stderr, total: total, began: time.Now(), told: time.Now()}
	if f, ok := stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" {
		t.progress = mpb.New(mpb.WithOutput(f), mpb.WithAutoRefresh())
		t.bar = t.progress.AddBar(int64(t.total), mpb.BarRemoveOnComplete(),
			mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return t.text() + " " })), mpb.AppendDecorators(decor.Percentage()))
	}
	return t
}

// add counts a row.
func (t *tally) add(r *result.Row, cached bool) {
	t.mu.Lock()
	t.done++
	if r.Error != "" {
		t.failed++
	} else if t.best == nil || r.Speedup > t.best.Speedup {
		t.best = r
	}
	if cached {
		t.cached++
	}
	line := t.bar == nil && time.Since(t.told) > lineEvery
	if line {
		t.told = time.Now()
	}
	t.mu.Unlock()
	if line {
		fmt.Fprintln(t.out, "pimflow:", t.text())
	}
	if t.bar != nil {
		t.bar.Increment()
	}
}

// text is how far the sweep is: points, failed and remembered ones, the rate, what is left, and the best so far.
func (t *tally) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := fmt.Sprintf("%d of %d points", t.done, t.total)
	if t.failed > 0 {
		text += fmt.Sprintf(", %d without a result", t.failed)
	}
	if t.cached > 0 {
		text += fmt.Sprintf(", %d known before", t.cached)
	}
	if took := time.Since(t.began); t.done > 0 && took > 0 {
		rate := float64(t.done) / took.Seconds()
		left := time.Duration(float64(t.total-t.done) / rate * float64(time.Second))
		text += fmt.Sprintf(", %.1f/s, %v left", rate, left.Round(time.Second))
	}
	if t.best != nil {
		text += fmt.Sprintf(", best speed-up %.3f at point %d", t.best.Speedup, t.best.Point)
	}
	return text
}

// stop removes the bar.
func (t *tally) stop() {
	if t.bar != nil {
		t.bar.Abort(true)
		t.progress.Wait()
		t.bar = nil
	}
}
