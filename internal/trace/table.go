package trace

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"slices"

	"pimflow/internal/csvtext"
	"pimflow/internal/files"
)

// tableForm is a kind of table: it has a column key, and add are the columns that are added if there are none. count returns the
// cells of a row that are counted anew, by column.
type tableForm struct {
	key   string
	add   []string
	count func(row tableRow) (map[string]string, error)
}

// tableRow is a row of a table.
type tableRow struct{ head, cells []string }

// has reports whether there is a column.
func (r tableRow) has(column string) bool { return slices.Contains(r.head, column) }

// cell is the cell of a column, "" where there is none.
func (r tableRow) cell(column string) string {
	if i := slices.Index(r.head, column); i >= 0 {
		return r.cells[i]
	}
	return ""
}

// printTable reads a CSV file, "-" for stdin, and prints its rows in order with what can be counted counted anew. The form is the
// first whose key is a column; without one the key of the first is missing.
func printTable(file string, stdin io.Reader, stdout io.Writer, forms ...tableForm) error {
	name, f, err := openFile(file, stdin)
	if err != nil {
		return err
	}
	defer f.Close()
	text := bufio.NewReader(files.Text(f))
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
		return fmt.Errorf("%s:1: it is empty: a column %s wanted", name, forms[0].key)
	}
	if err != nil {
		return csvtext.Broken(name, err)
	}
	head = slices.Clone(head)
	chosen := slices.IndexFunc(forms, func(f tableForm) bool { return slices.Contains(head, f.key) })
	if chosen < 0 {
		return fmt.Errorf("%s:1: column %.80q is missing among %.80q", name, forms[0].key, head)
	}
	form := &forms[chosen]
	at := slices.Index(head, form.key)
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
		counted, err := form.count(tableRow{head, cells})
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
