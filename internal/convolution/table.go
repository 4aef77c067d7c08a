package convolution

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"pimflow/internal/csvtext"
	"pimflow/internal/device"
	"pimflow/internal/files"
	"pimflow/internal/hw"
	"pimflow/internal/nearest"
)

// Columns lists the columns of a table of layers, in the order of the output.
func Columns() []string {
	names := []string{"network", "layer"}
	for _, a := range arguments {
		names = append(names, a.name)
	}
	return append(names, "latency_hiding")
}

// maxFile bounds a table of layers, in bytes. Estimated.
const maxFile = 1 << 30

// Table costs the rows of a CSV file, "-" for stdin, and writes them as CSV with further columns.
// Errors begin with file and line.
func (b *Bench) Table(ctx context.Context, file string, all bool, stdin io.Reader, stdout io.Writer) error {
	name, in := "stdin", stdin
	if file != "-" {
		f, err := files.Open(file, maxFile)
		if err != nil {
			return err
		}
		defer f.Close()
		name, in = file, f
	}
	rows, err := newRows(name, files.Text(in), b.m)
	if err != nil {
		return err
	}
	out := csv.NewWriter(stdout)
	write := func(cells []string) error {
		if err := out.Write(cells); err != nil {
			return err
		}
		out.Flush() // finished rows appear at once
		return out.Error()
	}
	head := append(Columns(), "commands_total", "cycles")
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

// cells returns a row of the output.
func (b *Bench) cells(r *row, all bool) ([]string, error) {
	total, cycles, err := b.first(&r.Question)
	if err != nil {
		return nil, err
	}
	cells := append(slices.Clip(r.cells), strconv.FormatInt(total, 10), strconv.FormatInt(int64(cycles), 10))
	if !all {
		return cells, nil
	}
	cell, speedUp, floor, ratio := "", "", "", ""
	ours, least, err := b.ours(&r.Question)
	if err == nil {
		cell, floor = strconv.FormatInt(ours.Stream, 10), strconv.FormatInt(int64(least.Cycles()), 10)
		quotient := func(a, b int64) string { return strconv.FormatFloat(float64(a)/float64(b), 'f', 2, 64) }
		speedUp, ratio = quotient(int64(cycles), ours.Stream), quotient(ours.Stream, int64(least.Cycles()))
	} else if !errors.Is(err, device.ErrUnsupported) {
		return nil, err
	}
	gpu, err := b.gpu(&r.Question)
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
	at   []int // of each of Columns
}

// row is a question, its line, and its cells in the order of Columns.
type row struct {
	Question
	line  int
	cells []string
}

func newRows(name string, in io.Reader, m *hw.Machine) (*rows, error) {
	r := &rows{name: name, m: m, in: csv.NewReader(in)}
	head, err := r.in.Read()
	if err == io.EOF {
		return nil, fmt.Errorf("%s:1: it is empty: the columns %s wanted", name, strings.Join(Columns(), ","))
	}
	if err != nil {
		return nil, csvtext.Broken(r.name, err)
	}
	unknown := slices.DeleteFunc(slices.Clone(head), func(c string) bool { return slices.Contains(Columns(), c) })
	for _, c := range Columns() {
		i := slices.Index(head, c)
		switch {
		case i < 0:
			return nil, fmt.Errorf("%s:1: column %.80q is missing%s: the columns %s wanted", name, c, nearest.Hint(c, unknown), strings.Join(Columns(), ","))
		case slices.Contains(head[i+1:], c):
			return nil, fmt.Errorf("%s:1: column %.80q is there twice", name, c)
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
		return nil, csvtext.Broken(r.name, err)
	}
	row := &row{Question: Question{Layer: Layer{Groups: 1, Dilation: 1}}}
	row.line, _ = r.in.FieldPos(0)
	for i, name := range Columns() {
		text := record[r.at[i]]
		row.cells = append(row.cells, text)
		at := func(wanted string) error {
			line, _ := r.in.FieldPos(r.at[i])
			return fmt.Errorf("%s:%d: %s: %.80q: %s wanted", r.name, line, name, text, wanted)
		}
		a := slices.IndexFunc(arguments, func(a argument) bool { return a.name == name })
		switch {
		case a >= 0:
			n, err := strconv.Atoi(text)
			if lo, hi := arguments[a].min, arguments[a].max; err != nil || n < lo || n > hi {
				return nil, at(fmt.Sprintf("a whole number of %d to %d", lo, hi))
			}
			*arguments[a].value(&row.Question) = n
		case name == "latency_hiding":
			if text != "0" && text != "1" {
				return nil, at("0 or 1")
			}
			row.Hiding = text == "1"
		}
	}
	if err := row.Check(r.m); err != nil {
		return nil, fmt.Errorf("%s:%d: %w", r.name, row.line, err)
	}
	return row, nil
}
