package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"pimflow/internal/fault"
	"pimflow/internal/files"
)

// stopped is the cause of a context that a signal ended.
type stopped struct {
	by   os.Signal
	word string
	code int // exit code: 128 and the signal's number
}

func (s *stopped) Error() string { return s.word }

// stops lists the signals that end a command.
var stops = []stopped{
	{os.Interrupt, "interrupted", 130},
	{syscall.SIGTERM, "terminated", 143},
	{syscall.SIGHUP, "hung up", 129},
}

// patience is the time that a command has to end by itself after a signal, before it is left.
var patience atomic.Int64

// grace is the patience with a search: to stop, and to print the plan so far. Measured: the search of resnet-50 or vgg-16 needs up to 90 ms of a processor.
const grace = 400 * time.Millisecond

// brief is the patience with all else, which has nothing to print. Estimated.
const brief = 100 * time.Millisecond

func main() {
	signals := make(chan os.Signal, len(stops))
	for _, s := range stops {
		if s.by != syscall.SIGHUP || !signal.Ignored(s.by) { // as nohup asks
			signal.Notify(signals, s.by)
		}
	}
	last := &sync.Once{}
	ctx, cancel := context.WithCancelCause(context.WithValue(context.Background(), lastKey{}, last))
	patience.Store(int64(brief))
	ended := make(chan int, 1)
	go func() { ended <- command(ctx, os.Args[1:], os.Stdout, os.Stderr) }()
	code := 0
	select {
	case code = <-ended:
	case by := <-signals:
		code = stopBy(by, cancel, last, ended, signals)
	}
	files.Abandon()
	os.Exit(code)
}

// stopBy ends the command by a signal and returns the exit code. A second signal does not wait.
func stopBy(by os.Signal, cancel context.CancelCauseFunc, last *sync.Once, ended <-chan int, signals <-chan os.Signal) int {
	cause := &stopped{by, by.String(), 1}
	for i := range stops {
		if stops[i].by == by {
			cause = &stops[i]
		}
	}
	cancel(cause)
	select {
	case code := <-ended:
		return code
	case <-signals:
	case <-time.After(time.Duration(patience.Load())):
	}
	last.Do(func() { fmt.Fprintln(os.Stderr, "pimflow:", cause) })
	return cause.code
}

// lastKey is the key of a context's *sync.Once, which has the last line of a command printed by the command, or where
// that takes too long by main, but not by both.
type lastKey struct{}

// say prints the last line of a command.
func say(ctx context.Context, w io.Writer, line string) {
	print := func() { fmt.Fprintln(w, "pimflow:", line) }
	if last, ok := ctx.Value(lastKey{}).(*sync.Once); ok {
		last.Do(print)
	} else {
		print()
	}
}

// The exit codes beside those of stops.
const (
	exitOK     = 0
	exitFailed = 1 // a check failed, or nothing is feasible
	exitUsage  = 2
	exitInput  = 3
)

// exitCodes is how help says it.
const exitCodes = `Exit codes: 0 ok; 1 a check failed, or nothing is feasible; 2 the command line is wrong; 3 an input is
wrong, or a file cannot be read or written; 130, 143, 129 stopped by INT, TERM, HUP.`

// exitCode returns the exit code of a command that ended with an error, and the error's line; "" where it is
// printed already.
func exitCode(ctx context.Context, err error) (int, string) {
	if ctx.Err() != nil {
		cause := &stops[0] // of a context that no signal ended
		errors.As(context.Cause(ctx), &cause)
		if errors.Is(err, errStopped) || errors.Is(err, errRest) || errors.Is(err, errSweep) || errors.Is(err, errAfter) {
			return cause.code, fault.Line(err)
		}
		return cause.code, cause.word
	}
	if err == nil {
		return exitOK, ""
	}
	line := ""
	if !errors.Is(err, errFailed) {
		line = fault.Line(err)
	}
	return map[fault.Kind]int{fault.Input: exitInput, fault.Usage: exitUsage, fault.Infeasible: exitFailed}[fault.Of(err)], line
}

// within returns what f returns or, as soon as the context ends, its error. f may then still be at work;
// nothing may be shared with it.
func within[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	done := make(chan answer, 1)
	go func() {
		value, err := f()
		done <- answer{value, err}
	}()
	select {
	case a := <-done:
		return a.value, a.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}
