package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"
	"sync"

	"pimflow/internal/asktell"
	"pimflow/internal/result"
	"pimflow/internal/space"
)

// asked is an ask that waits for its answer.
type asked struct {
	id     json.RawMessage
	number int              // of its line
	row    chan *result.Row // of one row; nil: there is an error
	err    error
}

// window bounds the asks without an answer. Estimated: the work of a hundred workers.
const window = 256

// converse evaluates the points that lines of in ask for, at the same time, and answers in the order of the lines. It returns when in has
// ended and all is answered.
func converse(ctx context.Context, s *space.Space, where []string, by engine, in io.Reader, out io.Writer) error {
	if err := asktell.Announce(out, s, where); err != nil {
		return err
	}
	if err := flush(out); err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	var runs sync.WaitGroup
	defer runs.Wait()
	defer stop(nil)
	names, number := s.Keys()
	var keys []result.Key
	for i, n := range names {
		keys = append(keys, result.Key{Name: n, Number: number[i]})
	}
	queue := make(chan *asked, window)
	go func() {
		defer close(queue)
		if err := begin(ctx, s, by, in, queue, &runs, stop); err != nil {
			stop(err)
		}
	}()
	for {
		var a *asked
		var more bool
		select {
		case a, more = <-queue:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if !more {
			return context.Cause(ctx)
		}
		err := a.err
		if err != nil {
			err = asktell.Error(out, a.id, a.number, err)
		} else {
			select {
			case r := <-a.row:
				err = asktell.Row(out, a.id, r, keys)
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		if err == nil {
			err = flush(out)
		}
		if err != nil {
			return err
		}
	}
}

// begin starts the evaluation of each ask. What fails is told to stop.
func begin(ctx context.Context, s *space.Space, by engine, in io.Reader, to chan<- *asked, runs *sync.WaitGroup, stop context.CancelCauseFunc) error {
	lines := asktell.NewLines(in)
	for {
		line, n, err, end := lines.Next()
		if end == io.EOF {
			return nil
		}
		if end != nil {
			return fmt.Errorf("standard input: %w", end)
		}
		a := asktell.Ask{ID: json.RawMessage("null")}
		if err == nil {
			a, err = asktell.Parse(line, s)
		}
		w := &asked{id: a.ID, number: n, err: err}
		if err == nil {
			w.row = make(chan *result.Row, 1)
			runs.Go(func() {
				if err := by.run(ctx, one(s, a.Point), func(r *result.Row, _ bool) error {
					w.row <- r
					return nil
				}); err != nil {
					stop(err)
				}
			})
		}
		select {
		case to <- w:
		case <-ctx.Done():
			return nil
		}
	}
}

// one is the task of a point.
func one(s *space.Space, i int) iter.Seq[space.Task] { return slices.Values([]space.Task{s.Task(i)}) }
