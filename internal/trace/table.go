package trace

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"pimflow/internal/csvtext"
	"pimflow/internal/dram"
	"pimflow/internal/files"
	"pimflow/internal/nearest"
)

// RowPhase begins a row of a table, by its file and line. It returns a function that takes the row's progress, nil if nobody listens, and
// one that ends the row.
type RowPhase func(name string) (progress func(done, total int), end func())

// tableForm is a kind of table: it has the columns keys, and add are the columns that are added if there are none. kinds are the cells of
// a column kind; nil: any. count returns the cells of a row that are counted anew, by column.
type tableForm struct {
	keys  []string
	add   []string
	kinds []string
	count func(row tableRow) (map[string]string, error)
}

// tableRow is a row of a table.
type tableRow struct {
	head, cells []string
	progress    func(done, total int) // nil: nobody listens
}

// has reports whether there is a column.
func (r tableRow) has(column string) bool { return slices.Contains(r.head, column) }

// cell is the cell of a column, "" where there is none.
func (r tableRow) cell(column string) string {
	if i := slices.Index(r.head, column); i >= 0 {
		return r.cells[i]
	}
	return ""
}

// refreshes are the columns refi and rfc, an interval and a length in ticks, each 0 to most; false: there are none.
func (r tableRow) refreshes(most int64) (every [2]int64, given bool, err error) {
	for i, column := range refreshColumns {
		if !r.has(column) {
			return every, false, nil
		}
		text := r.cell(column)
		if every[i], err = strconv.ParseInt(text, 10, 64); err != nil || every[i] < 0 || every[i] > most {
			return every, false, fmt.Errorf("%s: %.80q: 0 to %d ticks wanted", column, text, most)
		}
	}
	return every, true, nil
}

// refreshColumns go together.
var refreshColumns = []string{"refi", "rfc"}

// checkHead refuses columns that are there twice, and one of refi and rfc alone.
func checkHead(head []string) error {
	for i, column := range head {
		if slices.Contains(head[:i], column) {
			return fmt.Errorf("column %.80q is there twice: once wanted", column)
		}
	}
	for i, column := range refreshColumns {
		if other := refreshColumns[1-i]; slices.Contains(head, column) && !slices.Contains(head, other) {
			return fmt.Errorf("column %s is missing beside %s: both or neither wanted", other, column)
		}
	}
	return nil
}

// printTable reads a CSV file, plain or gzip, "-" for stdin, and prints its rows in order with what can be counted counted anew. The form is the
// first of whose keys one is a column; all of them are wanted then.
func printTable(file string, stdin io.Reader, stdout io.Writer, phase RowPhase, forms ...tableForm) error {
	name, f, err := openFile(file, stdin)
	if err != nil {
		return err
	}
	defer f.Close()
	unzipped, err := dram.TraceText(name, f)
	if err != nil {
		return err
	}
	text := bufio.NewReader(files.Text(unzipped))
	first, _ := text.Peek(text.Size()) // an error comes again below
	end := bytes.IndexByte(first, '\n')
	in, out := csv.NewReader(text), csv.NewWriter(stdout)
	out.UseCRLF = end > 0 && first[end-1] == '\r'
	write := func(cells []string) error {
		if err := out.Write(cells); err != nil {
			return err
		}
		out.Flush() // finished rows appear at once
		return out.Error()
	}
	head, err := in.Read()
	if err == io.EOF {
		return fmt.Errorf("%s:1: it is empty: a column %s wanted", name, forms[0].keys[0])
	}
	if err != nil {
		return csvtext.Broken(name, err)
	}
	head = slices.Clone(head)
	has := func(column string) bool { return slices.Contains(head, column) }
	chosen := max(0, slices.IndexFunc(forms, func(f tableForm) bool { return slices.ContainsFunc(f.keys, has) }))
	for _, key := range forms[chosen].keys {
		if !has(key) {
			return fmt.Errorf("%s:1: column %.80q is missing: the columns are %.80q", name, key, strings.Join(head, ","))
		}
	}
	if err := checkHead(head); err != nil {
		return fmt.Errorf("%s:1: %w", name, err)
	}
	form := &forms[chosen]
	at := slices.Index(head, form.keys[0])
	for _, column := range form.add {
		if !slices.Contains(head, column) {
			head = append(head, column)
		}
	}
	if err := write(head); err != nil {
		return err
	}
	for {
		cells, err := in.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return csvtext.Broken(name, err)
		}
		line, _ := in.FieldPos(at)
		cells = append(cells, make([]string, len(head)-len(cells))...)
		row := tableRow{head: head, cells: cells}
		if kind := row.cell("kind"); row.has("kind") && form.kinds != nil && !slices.Contains(form.kinds, kind) {
			return fmt.Errorf("%s:%d: kind %.80q: one of %s wanted%s", name, line, kind, strings.Join(form.kinds, ", "), nearest.Hint(kind, form.kinds))
		}
		end := func() {}
		if phase != nil {
			row.progress, end = phase(fmt.Sprintf("%s:%d", name, line))
		}
		counted, err := form.count(row)
		end()
		if err != nil {
			return fmt.Errorf("%s:%d: %w", name, line, err)
		}
		for i, column := range head {
			if cell, ok := counted[column]; ok {
				cells[i] = cell
			}
		}
		if err := write(cells); err != nil {
			return err
		}
	}
}
