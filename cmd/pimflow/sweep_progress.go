package main

import (
	"fmt"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"pimflow/internal/report"
	"pimflow/internal/result"
)

// tally counts the rows of a sweep, and shows them: in a bar on a terminal, elsewhere as a line at the beginning and from time to time.
type tally struct {
	*bar
	mu                   sync.Mutex
	done, failed, cached int
	best                 *result.Row // of the largest speed-up
	total                int
}

func newTally(c *cobra.Command, total int) *tally {
	way, _ := c.Flags().GetString("progress") // all commands have it
	t := &tally{bar: barOn(c, way), total: total}
	t.start(func() <-chan time.Time { return time.After(lineEvery) })
	return t
}

// start writes a line now and whenever next has one, unless there is a bar.
func (t *tally) start(next func() <-chan time.Time) {
	if t.text = t.now; t.out != nil && !t.drawn {
		fmt.Fprintln(t.out, "pimflow:", t.now())
		t.lines(next)
	}
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
	done := t.done
	t.mu.Unlock()
	t.tell("points", done, t.total)
}

// now is how far the sweep is: points, failed and remembered ones, the rate, what is left, and the best so far.
func (t *tally) now() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := fmt.Sprintf("%d of %s", t.done, report.Count(t.total, "point"))
	if t.failed > 0 {
		text += fmt.Sprintf(", %d without a result", t.failed)
	}
	if t.cached > 0 {
		text += fmt.Sprintf(", %d known before", t.cached)
	}
	if took := time.Since(t.began); t.done == t.total {
		text += ", some are compared with searches"
	} else if t.done > 0 && took > 0 {
		rate := float64(t.done) / took.Seconds()
		left := time.Duration(float64(t.total-t.done) / rate * float64(time.Second))
		text += fmt.Sprintf(", %.1f/s, %v left", rate, left.Round(time.Second))
	}
	if t.best != nil {
		text += fmt.Sprintf(", best speed-up %.3f at point %d", t.best.Speedup, t.best.Point)
	}
	return text
}
