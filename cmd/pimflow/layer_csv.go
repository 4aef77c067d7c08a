package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"pimflow/internal/device"
	"pimflow/internal/hw"
	"pimflow/internal/nearest"
)

// columnNames are the columns of a table of layers, in the order of the output.
func columnNames() []string {
	names := []string{"network", "layer"}
	for _, a := range arguments {
		names = append(names, a.name)
	}
	return append(names, "latency_hiding")
}

// layerTable costs the rows of a CSV file, "-" for stdin.
func layerTable(ctx context.Context, b *bench, file string, all bool, stdin io.Reader, stdout io.Writer) error {
	name, in := "stdin", stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		defer f.Close()
		name, in = file, f
	}
	rows, err := newRows(name, in, b.m)
	if err != nil {
		return err
	}
	out := csv.NewWriter(stdout)
	write := func(cells []string) error {
		if err := out.Write(cells); err != nil {
			return err
		}
		out.Flush() // what is done can be seen
		return out.Error()
	}
	head := append(columnNames(), "commands_total", "cycles")
	if all {
		head = append(head, "our_cycles", "gpu_ns", "speed_up", "floor_ck", "floor_ratio")
		if b.profile != nil {
			head = append(head, "gpu_source")
		}
	}
	if err := write(head); err != nil {
		return err
	}
	return inOrder(ctx, rows.next, func(r *row) ([]string, error) {
		cells, err := b.cells(r, all)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, r.line, err)
		}
		return cells, nil
	}, write)
}

// cells is a row of the output.
func (b *bench) cells(r *row, all bool) ([]string, error) {
	total, cycles, err := b.first(&r.question)
	if err != nil {
		return nil, err
	}
	cells := append(slices.Clip(r.cells), strconv.FormatInt(total, 10), strconv.FormatInt(int64(cycles), 10))
	if !all {
		return cells, nil
	}
	cell, speedUp, floor, ratio := "", "", "", ""
	ours, least, err := b.ours(&r.question)
	if err == nil {
		cell, floor = strconv.FormatInt(ours.Stream, 10), strconv.FormatInt(int64(least.Cycles()), 10)
		quotient := func(a, b int64) string { return strconv.FormatFloat(float64(a)/float64(b), 'f', 2, 64) }
		speedUp, ratio = quotient(int64(cycles), ours.Stream), quotient(ours.Stream, int64(least.Cycles()))
	} else if !errors.Is(err, device.ErrUnsupported) {
		return nil, err
	}
	gpu, err := b.gpu(&r.question)
	if err != nil {
		return nil, err
	}
	ns, source := "", ""
	if gpu != nil {
		ns, source = strconv.FormatFloat(gpu.Time.NS(), 'f', 3, 64), gpu.Source.String()
	}
	cells = append(cells, cell, ns, speedUp, floor, ratio)
	if b.profile != nil {
		cells = append(cells, source)
	}
	return cells, nil
}

// rows reads a table of layers.
type rows struct {
	name string
	m    *hw.Machine
	in   *csv.Reader
	at   []int // of each of columnNames
}

// row is a question, where it stands, and its cells in the order of columnNames.
type row struct {
	question
	line  int
	cells []string
}

func newRows(name string, in io.Reader, m *hw.Machine) (*rows, error) {
	r := &rows{name: name, m: m, in: csv.NewReader(in)}
	head, err := r.in.Read()
	if err == io.EOF {
		return nil, fmt.Errorf("%s:1: it is empty: the columns %s wanted", name, strings.Join(columnNames(), ","))
	}
	if err != nil {
		return nil, r.wrong(err)
	}
	unknown := slices.DeleteFunc(slices.Clone(head), func(c string) bool { return slices.Contains(columnNames(), c) })
	for _, c := range columnNames() {
		i := slices.Index(head, c)
		switch {
		case i < 0:
			return nil, fmt.Errorf("%s:1: column %q is missing%s: the columns %s wanted", name, c, nearest.Hint(c, unknown), strings.Join(columnNames(), ","))
		case slices.Contains(head[i+1:], c):
			return nil, fmt.Errorf("%s:1: column %q is there twice", name, c)
		}
		r.at = append(r.at, i)
	}
	return r, nil
}

// next returns the next row, or io.EOF.
func (r *rows) next() (*row, error) {
	record, err := r.in.Read()
	if err == io.EOF {
		return nil, err
	}
	if err != nil {
		return nil, r.wrong(err)
	}
	row := &row{question: question{convolution: convolution{groups: 1, dilation: 1}}}
	row.line, _ = r.in.FieldPos(0)
	for i, name := range columnNames() {
		text := record[r.at[i]]
		row.cells = append(row.cells, text)
		at := func(wanted string) error {
			line, _ := r.in.FieldPos(r.at[i])
			return fmt.Errorf("%s:%d: %s: %q: %s wanted", r.name, line, name, text, wanted)
		}
		a := slices.IndexFunc(arguments, func(a argument) bool { return a.name == name })
		switch {
		case a >= 0:
			n, err := strconv.Atoi(text)
			if lo, hi := arguments[a].min, arguments[a].max; err != nil || n < lo || n > hi {
				return nil, at(fmt.Sprintf("a whole number of %d to %d", lo, hi))
			}
			*arguments[a].value(&row.question) = n
		case name == "latency_hiding":
			if text != "0" && text != "1" {
				return nil, at("0 or 1")
			}
			row.hiding = text == "1"
		}
	}
	if err := row.check(r.m); err != nil {
		return nil, fmt.Errorf("%s:%d: %w", r.name, row.line, err)
	}
	return row, nil
}

// wrong says where a file is no CSV.
func (r *rows) wrong(err error) error {
	var p *csv.ParseError
	if errors.As(err, &p) {
		return fmt.Errorf("%s:%d: %w", r.name, p.Line, p.Err)
	}
	return fmt.Errorf("%s: %w", r.name, err)
}

// inOrder works on what next returns until io.EOF, as many at a time as there are
// processors, and passes the results on in order. It ends at the first error in
// that order, or with ctx; a call of next that waits for input is left behind.
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
