package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
)

// difference is a command whose outputs differ, as they were compared.
type difference struct {
	line     string
	was, now []byte
}

// compare runs the commands on both revisions, prints the first that differs without
// announcement, and reports whether there is none.
func compare(ctx context.Context, base, head *revision, said announcement, lines []string, jobs int, all bool, out io.Writer) (bool, error) {
	var mu sync.Mutex
	found := map[int]difference{} // by line
	moved := map[string]int{}     // announced differences
	var failed error
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	try := func(i int) {
		was, err := base.output(ctx, lines[i])
		if err == nil {
			var now []byte
			if now, err = head.output(ctx, lines[i]); err == nil {
				was, now, same := said.equal(was, now)
				if same {
					return
				}
				mu.Lock()
				defer mu.Unlock()
				if change, ok := said.covers(lines[i]); ok {
					moved[change]++
					return
				}
				found[i] = difference{lines[i], was, now}
				if !all {
					cancel()
				}
				return
			}
		}
		mu.Lock()
		defer mu.Unlock()
		if failed == nil && len(found) == 0 {
			failed = fmt.Errorf("%s: %w", lines[i], err)
		}
		cancel()
	}
	next := make(chan int)
	var workers sync.WaitGroup
	for range jobs {
		workers.Go(func() {
			for i := range next {
				try(i)
			}
		})
	}
	for i := range lines {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	workers.Wait()
	if failed != nil {
		return false, failed
	}
	for _, change := range slices.Sorted(maps.Keys(moved)) {
		fmt.Fprintf(out, "differ as announced by %q: %d commands\n", change, moved[change])
	}
	if len(found) == 0 {
		fmt.Fprintln(out, "no difference")
		return true, nil
	}
	order := slices.Sorted(maps.Keys(found))
	if all {
		count := map[string]int{}
		for _, d := range found {
			command, _, _ := strings.Cut(d.line, " ")
			count[command]++
		}
		for _, command := range slices.Sorted(maps.Keys(count)) {
			fmt.Fprintf(out, "differ: %d of %s\n", count[command], command)
		}
	} else {
		order = order[:1]
	}
	for _, i := range order {
		found[i].print(out)
	}
	return false, nil
}

// print shows the first line that differs, with the lines before it.
func (d difference) print(out io.Writer) {
	fmt.Fprintf(out, "differs: pimflow %s\n", d.line)
	was, now := bytes.Split(d.was, []byte("\n")), bytes.Split(d.now, []byte("\n"))
	i := 0
	for i < min(len(was), len(now)) && bytes.Equal(was[i], now[i]) {
		i++
	}
	for _, text := range was[max(0, i-3):i] {
		fmt.Fprintf(out, "  %s\n", text)
	}
	show := func(sign string, lines [][]byte) {
		if i < len(lines) {
			fmt.Fprintf(out, "%s %s\n", sign, lines[i])
		} else {
			fmt.Fprintf(out, "%s (ends at line %d)\n", sign, i)
		}
	}
	show("-", was)
	show("+", now)
}
