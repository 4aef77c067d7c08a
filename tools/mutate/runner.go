package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// runner applies faults one at a time.
type runner struct {
	root, folder string
	drawn        bool // faults that do not build are left out
	mu           sync.Mutex
	sound        map[string]*baseline // by killer
}

// baseline is a killer without a fault.
type baseline struct {
	once sync.Once
	took time.Duration
	err  error
}

func newRunner(drawn bool) (*runner, error) {
	root, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "mutate")
	return &runner{root: root, folder: folder, drawn: drawn, sound: map[string]*baseline{}}, err
}

func (r *runner) close() { os.RemoveAll(r.folder) }

// without runs a killer without a fault, once, and returns how long it takes.
func (r *runner) without(ctx context.Context, k killer) (time.Duration, error) {
	r.mu.Lock()
	b := r.sound[k.String()]
	if b == nil {
		b = &baseline{}
		r.sound[k.String()] = b
	}
	r.mu.Unlock()
	b.once.Do(func() {
		b.err = r.inFolder(func(folder string) error {
			binary, err := k.build(ctx, r.root, folder, "")
			if err != nil {
				return err
			}
			for _, part := range k.parts() {
				res, err := part.run(ctx, r.root, binary, 10*time.Minute)
				if err == nil && !res.passed {
					err = fmt.Errorf("%s fails without a fault: %s", part, res.how)
				}
				if err != nil {
					return err
				}
				b.took = max(b.took, res.took)
			}
			return nil
		})
	})
	return b.took, b.err
}

// parts are the killer's runs, one by one: each must pass without a fault.
func (k killer) parts() (list []killer) {
	if k.runs == nil {
		return []killer{k}
	}
	for _, line := range k.runs {
		list = append(list, killer{pkg: k.pkg, runs: []string{line}})
	}
	return list
}

func (r *runner) inFolder(do func(folder string) error) error {
	folder, err := os.MkdirTemp(r.folder, "")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	return do(folder)
}

// try applies a fault.
func (r *runner) try(ctx context.Context, f *fault) (res result, err error) {
	err = r.inFolder(func(folder string) error {
		overlay, err := f.overlay(r.root, folder)
		if err != nil {
			return err
		}
		binary, err := f.killer.build(ctx, r.root, folder, overlay)
		if err != nil {
			return err
		}
		for _, k := range append([]killer{f.killer}, f.more...) {
			took, err := r.without(ctx, k)
			if err != nil {
				return err
			}
			if res, err = k.run(ctx, r.root, binary, max(slowest, slower*took)); err != nil || !res.passed {
				return err
			}
		}
		return nil
	})
	return res, err
}

// all applies faults until so many as wanted have been built, prints a line for each in their
// order, and reports whether none survived without a reason. Faults that cannot be tried are printed, too,
// and are an error in the end.
func (r *runner) all(ctx context.Context, list []fault, want, jobs int, out io.Writer) (bool, error) {
	type end struct {
		result
		err error
	}
	ends := make([]chan end, len(list))
	for i := range ends {
		ends[i] = make(chan end, 1)
	}
	ctx, cancel := context.WithCancel(ctx)
	var workers sync.WaitGroup
	defer workers.Wait()
	defer cancel()
	next := make(chan int)
	for range jobs {
		workers.Go(func() {
			for i := range next {
				res, err := r.try(ctx, &list[i])
				ends[i] <- end{res, err}
			}
		})
	}
	workers.Go(func() {
		defer close(next)
		for i := range list {
			select {
			case next <- i:
			case <-ctx.Done():
				return
			}
		}
	})
	killed, survived, explained, untried := 0, 0, 0, 0
	for i := range list {
		if killed+survived+explained == want {
			break
		}
		var e end
		select {
		case e = <-ends[i]:
		case <-ctx.Done():
			return false, ctx.Err()
		}
		f := &list[i]
		switch reason := f.equivalent(); {
		case r.drawn && errors.Is(e.err, errBuild):
			continue
		case ctx.Err() != nil:
			return false, ctx.Err()
		case e.err != nil:
			untried++
			fmt.Fprintf(out, "untried     %s: %s\n            %v\n", f.file, f.what, e.err)
		case e.passed && reason != "":
			explained++
			fmt.Fprintf(out, "equivalent  %s: %s\n            %s\n", f.file, f.what, reason)
		case e.passed:
			survived++
			fmt.Fprintf(out, "survived    %s: %s\n            %s\n", f.file, f.what, f.killer)
		default:
			killed++
			fmt.Fprintf(out, "killed      %s: %s\n            %s, %s\n", f.file, f.what, filepath.ToSlash(f.killer.pkg), e.how)
		}
	}
	fmt.Fprintf(out, "%d faults: %d killed, %d equivalent, %d survived\n", killed+survived+explained, killed, explained, survived)
	if untried > 0 {
		return false, fmt.Errorf("%d faults could not be tried", untried)
	}
	return survived == 0, nil
}
