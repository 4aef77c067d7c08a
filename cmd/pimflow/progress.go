package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"pimflow/internal/fault"
)

// The ways to show progress.
const (
	autoProgress  = "auto"  // a bar on a terminal, elsewhere lines of what takes minutes
	plainProgress = "plain" // lines
	noProgress    = "none"
)

var progressWays = []string{autoProgress, plainProgress, noProgress}

// telling is what is told beside results. All commands have it.
type telling struct {
	progress string
	quiet    bool
}

func (t *telling) flags(fl *pflag.FlagSet) {
	fl.StringVar(&t.progress, "progress", autoProgress, "how far long work is: plain, a line from time to time; none; auto, a bar on a terminal, elsewhere lines of what takes minutes")
	fl.BoolVarP(&t.quiet, "quiet", "q", false, "no progress and no notes on standard error; run prints its first sentence only")
}

// quiet reports whether nothing but results, warnings and errors is wanted.
func quiet(c *cobra.Command) bool {
	q, _ := c.Flags().GetBool("quiet") // all commands have it
	return q
}

// part is a phase of the work of a command. A name "" is that of any phase, any other that of phases that begin with it.
type part struct {
	name   string
	weight float64
}

// each are as many equal parts as there are phases whose names are not known.
func each(n int) []part { return slices.Repeat([]part{{"", 1}}, n) }

// bar shows how far the work of a command is, all of its phases together, with the time that it took and that is left. The zero value shows nothing.
type bar struct {
	mu      sync.Mutex
	out     io.Writer // nil: nothing is shown
	drawn   bool      // as a bar
	began   time.Time
	parts   []part
	at      int // the current part, from 1; 0 before the first
	name    string
	share   float64       // of the current part that is done
	most    float64       // of all work that was shown as done
	label   string        // in place of the names of phases; "" for none
	text    func() string // in place of names and shares, as it is when it is shown; nil for none
	shown   *mpb.Progress
	current *mpb.Bar
	silent  func() // ends the lines; nil for none
}

// barAfter is the age at which work shows a bar, lineEvery the time between two lines without one. Estimated.
const (
	barAfter  = time.Second
	lineEvery = 10 * time.Second
)

// firstLine is the age of the first line without a bar. Work that is over sooner needs none. Estimated. Tests whose commands print the same
// however busy the machine is set another.
var firstLine = time.Minute

// newBar returns the bar of a command, with the parts of its work as far as they are known.
func newBar(c *cobra.Command, parts ...part) *bar {
	way, _ := c.Flags().GetString("progress") // all commands have it
	first := firstLine
	if way == plainProgress {
		first = lineEvery
	}
	b := barOn(c, way)
	if b.parts = parts; b.out != nil && !b.drawn {
		b.lines(func() <-chan time.Time {
			wait := first
			first = lineEvery
			return time.After(wait)
		})
	}
	return b
}

// barOn returns a bar that begins no lines by itself.
func barOn(c *cobra.Command, way string) *bar {
	b := &bar{began: time.Now()}
	if quiet(c) || way == noProgress {
		return b
	}
	b.out = c.ErrOrStderr()
	f, ok := b.out.(*os.File)
	b.drawn = way == autoProgress && ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
	return b
}

// lines writes a line whenever a channel has something; next returns it.
func (b *bar) lines(next func() <-chan time.Time) {
	stop, stopped := make(chan struct{}), make(chan struct{})
	w := b.out
	go func() {
		defer close(stopped)
		for {
			select {
			case <-next():
				if text := b.line(); text != "" {
					fmt.Fprintln(w, "pimflow:", text)
				}
			case <-stop:
				return
			}
		}
	}()
	b.silent = sync.OnceFunc(func() { close(stop); <-stopped })
}

// expect adds parts to the work.
func (b *bar) expect(parts ...part) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.parts = append(b.parts, parts...)
}

// phase begins a phase. The function it returns takes its progress, from any goroutine; it is nil where nothing is shown.
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
	if current, to := b.told(phase, done, total); current != nil { // it asks for the text, which is locked
		current.SetCurrent(to)
	}
}

// told is tell, and returns the bar that is to be drawn, nil for none, and its length.
func (b *bar) told(phase string, done, total int) (*mpb.Bar, int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.out == nil {
		return nil, 0
	}
	if b.label != "" {
		phase = b.label
	}
	if phase != b.name {
		b.begin(phase)
	}
	if total > 0 {
		b.share = max(b.share, min(1, float64(done)/float64(total)))
	}
	b.most = max(b.most, b.done())
	if !b.drawn || time.Since(b.began) < barAfter {
		return nil, 0
	}
	if b.current == nil {
		b.shown = mpb.New(mpb.WithOutput(b.out), mpb.WithAutoRefresh())
		b.current = b.shown.AddBar(steps+1, mpb.BarRemoveOnComplete(), // it is never complete: stop removes it
			mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return b.now() + " " })))
	}
	return b.current, int64(b.most * steps)
}

// steps is the length of a bar.
const steps = 1000

// begin goes on to the next part of the work that has the name of a phase, or puts one there.
func (b *bar) begin(phase string) {
	b.name, b.share = phase, 0
	for i := b.at; i < len(b.parts); i++ {
		if strings.HasPrefix(phase, b.parts[i].name) {
			b.at = i + 1
			return
		}
	}
	b.parts = slices.Insert(b.parts, b.at, part{phase, 1})
	b.at++
}

// done is the share of all work that is done, by weight.
func (b *bar) done() float64 {
	all, done := 0.0, 0.0
	for i, p := range b.parts {
		all += p.weight
		switch {
		case i < b.at-1:
			done += p.weight
		case i == b.at-1:
			done += p.weight * b.share
		}
	}
	if all == 0 {
		return 0
	}
	return done / all
}

// line is the progress as a line; "" before there is any.
func (b *bar) line() string {
	b.mu.Lock()
	name := b.name
	b.mu.Unlock()
	if name == "" && b.text == nil {
		return ""
	}
	return b.now()
}

// now is the phase, the share of all work that is done, the time that it took, and that which is left as far as can be told.
func (b *bar) now() string {
	if b.text != nil {
		return b.text()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return fault.Name(b.name) + ": " + howFar(b.most, time.Since(b.began))
}

// knownFrom is the share of work from which on the rest of the time can be told. Estimated.
const knownFrom = 0.02

// almost is the most that is shown of work that is not over.
const almost = 0.99

// howFar is a share of work, the time that it took and that which is left.
func howFar(done float64, took time.Duration) string {
	done = min(done, almost) // what is told is over before the command is
	text := fmt.Sprintf("%.0f %%, %v", 100*done, took.Round(time.Second))
	if done >= knownFrom {
		left := time.Duration(float64(took) * (1 - done) / done)
		text += fmt.Sprintf(", about %v left", left.Round(time.Second))
	}
	return text
}

// stop removes the bar, for good: work that was left may still tell of its progress.
func (b *bar) stop() {
	if b.silent != nil {
		b.silent()
	}
	b.mu.Lock()
	current, shown := b.current, b.shown
	b.out, b.current, b.shown = nil, nil, nil
	b.mu.Unlock()
	if current != nil { // it may still ask for the text
		current.Abort(true)
		shown.Wait()
	}
}
