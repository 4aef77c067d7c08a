package result

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"pimflow/internal/fault"
)

// Writer writes rows one by one. Close writes what is left, and does not close what is written to.
type Writer interface {
	Write(r *Row) error
	Close() error
}

// formats are the forms of tables, by the ending of their files.
var formats = map[string]struct {
	write func(w io.Writer, keys []Key) Writer
	read  func(f *source, row func(*Row) error) error
}{
	".csv":     {newCSV, readCSV},
	".jsonl":   {newLines, readLines},
	".parquet": {newParquet, readParquet},
}

// endings lists the endings of files for messages.
const endings = ".csv, .jsonl or .parquet"

// Format checks the ending of a file's name.
func Format(file string) error {
	if _, ok := formats[ending(file)]; !ok {
		return fault.Usagef("%.80s: a file that ends in %s wanted", file, endings)
	}
	return nil
}

func ending(file string) string { return strings.ToLower(filepath.Ext(file)) }

// NewWriter returns a writer of the form that the file's name ends in. Rows may have changed no other keys.
func NewWriter(w io.Writer, file string, keys []Key) (Writer, error) {
	if err := Format(file); err != nil {
		return nil, err
	}
	return formats[ending(file)].write(w, keys), nil
}

// writable refuses a row that a table does not hold.
func (r *Row) writable(cells []cell) error {
	for i := range cells {
		v, _ := cells[i].get(r)
		if x, ok := v.(float64); ok && (math.IsNaN(x) || math.IsInf(x, 0)) {
			return fmt.Errorf("point %d: %s is %v: a number wanted", r.Point, cells[i].name, x)
		}
	}
	for key, v := range r.Set {
		if !isKey(key) || v == "" || !slices.ContainsFunc(cells, func(c cell) bool { return c.name == key }) {
			return fmt.Errorf("point %d: %.80s=%.80s has no column", r.Point, key, v)
		}
	}
	for part := range r.Parts {
		if !slices.Contains(Parts(), part) {
			return fmt.Errorf("point %d: energy %.80s has no column", r.Point, part)
		}
	}
	return nil
}

// written is a value as text.
func written(v any) string {
	switch x := v.(type) {
	case int:
		return strconv.Itoa(x)
	case float64:
		return strconv.FormatFloat(x, 'g', -1, 64)
	case bool:
		return strconv.FormatBool(x)
	}
	return v.(string)
}

// csvWriter writes comma-separated values (RFC 4180), the first line with the names of the columns.
type csvWriter struct {
	to    *csv.Writer
	cells []cell
	line  []string
	begun bool
}

func newCSV(w io.Writer, keys []Key) Writer {
	c := cells(keys)
	return &csvWriter{to: csv.NewWriter(w), cells: c, line: make([]string, len(c))}
}

func (w *csvWriter) begin() error {
	if w.begun {
		return nil
	}
	w.begun = true
	for i := range w.cells {
		w.line[i] = w.cells[i].name
	}
	return w.to.Write(w.line)
}

func (w *csvWriter) Write(r *Row) error {
	if err := r.writable(w.cells); err != nil {
		return err
	}
	if err := w.begin(); err != nil {
		return err
	}
	for i := range w.cells {
		w.line[i] = ""
		if v, ok := w.cells[i].get(r); ok {
			w.line[i] = written(v)
		}
	}
	return w.to.Write(w.line)
}

func (w *csvWriter) Close() error {
	if err := w.begin(); err != nil {
		return err
	}
	w.to.Flush()
	return w.to.Error()
}

// lineWriter writes a JSON object a line: a row's JSON after its schema, with null where a point with an error has no number.
type lineWriter struct {
	to    *bufio.Writer
	cells []cell
}

func newLines(w io.Writer, keys []Key) Writer { return &lineWriter{bufio.NewWriter(w), cells(keys)} }

func (w *lineWriter) Write(r *Row) error {
	if err := r.writable(w.cells); err != nil {
		return err
	}
	fmt.Fprintf(w.to, `{"%s":"%s"`, SchemaColumn, Schema)
	for i := range columns {
		c := columns[i].cell()
		v, ok := c.get(r)
		if !ok {
			v = nil
		}
		if err := w.member(c.name, v); err != nil {
			return err
		}
		for _, m := range maps {
			if m.after == c.name {
				if err := w.member(m.name, m.of(r)); err != nil {
					return err
				}
			}
		}
	}
	_, err := w.to.WriteString("}\n")
	return err
}

// maps are the members of a row's JSON that a table has several columns for, and the members that they follow.
var maps = []struct {
	name, after string
	of          func(r *Row) any
}{
	{"set", "gpu", func(r *Row) any { return r.Set }},
	{"energy_parts", "energy_ratio_high", func(r *Row) any { return r.Parts }},
}

func (w *lineWriter) member(name string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w.to, `,"%s":%s`, name, data)
	return err
}

func (w *lineWriter) Close() error { return w.to.Flush() }
