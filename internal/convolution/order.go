package convolution

import (
	"context"
	"io"
	"runtime"
)

// inOrder works on the values of next until io.EOF, in parallel on all processors, and passes the
// results to done in order. It ends at the first error in that order, or with ctx; a call of next
// that still waits for input is left behind.
func inOrder[T, R any](ctx context.Context, next func() (T, error), work func(T) (R, error), done func(R) error) error {
	type task struct {
		in    T
		out   R
		err   error
		ready chan struct{}
	}
	workers := runtime.GOMAXPROCS(0)
	todo := make(chan *task)
	queue := make(chan *task, 64*workers) // ahead of the slowest
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	send := func(to chan *task, t *task) bool {
		select {
		case to <- t:
			return true
		case <-ctx.Done():
			return false
		}
	}
	go func() {
		defer close(queue)
		defer close(todo)
		for {
			in, err := next()
			if err == io.EOF {
				return
			}
			t := &task{in: in, err: err, ready: make(chan struct{})}
			if err != nil {
				close(t.ready)
			}
			if !send(queue, t) || err != nil || !send(todo, t) {
				return
			}
		}
	}()
	for range workers {
		go func() {
			for t := range todo {
				t.out, t.err = work(t.in)
				close(t.ready)
			}
		}()
	}
	for {
		select {
		case t, more := <-queue:
			if !more {
				return ctx.Err()
			}
			select {
			case <-t.ready:
			case <-ctx.Done():
				return ctx.Err()
			}
			if t.err != nil {
				return t.err
			}
			if err := done(t.out); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
