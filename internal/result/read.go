package result

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"pimflow/internal/csvtext"
	"pimflow/internal/files"
	"pimflow/internal/jsontext"
	"pimflow/internal/nearest"
)

// maxFile bounds a table, in bytes; maxLine bounds a line of JSON. Estimated: a row has 2,000.
const (
	maxFile = 1 << 40
	maxLine = 1 << 20
)

// source is a table to read.
type source struct {
	io.Reader
	file *os.File // of Parquet, whose end is read first; nil for others
	name string
}

// Read reads the rows of a table one by one, of the form that the file's name ends in, in the order of the file. It ends
// with the first error of row, or of the file: one line with the file's name, the line, the column and what is wanted.
func Read(file string, row func(*Row) error) error {
	if err := Format(file); err != nil {
		return err
	}
	s := &source{name: file}
	if ending(file) == ".parquet" {
		f, err := os.Open(files.At(file))
		if err != nil {
			return err
		}
		defer f.Close()
		s.file = f
	} else {
		f, err := files.OpenText(file, maxFile)
		if err != nil {
			return err
		}
		defer f.Close()
		s.Reader = f
	}
	return formats[ending(file)].read(s, row)
}

// Keys lists the keys of the machine among the columns of a table, in the order of their columns.
func keysOf(names []string) (keys []Key) {
	for _, n := range names {
		if isKey(n) {
			keys = append(keys, Key{Name: n})
		}
	}
	return keys
}

// ErrColumns is the end of the error of a table with other columns.
var ErrColumns = errors.New("a table of schema " + Schema + " wanted")

// layout finds the cell of each column of a table; columns may be in any order, but all are wanted.
func layout(names []string) ([]cell, error) {
	all := cells(keysOf(names))
	var known []string
	for i := range all {
		known = append(known, all[i].name)
	}
	list := make([]cell, len(names))
	for i, n := range names {
		at := slices.Index(known, n)
		if at < 0 {
			return nil, fmt.Errorf("column %.80q is not known%s: %w", n, nearest.Hint(n, known), ErrColumns)
		}
		if slices.Contains(names[:i], n) {
			return nil, fmt.Errorf("column %.80q is there twice", n)
		}
		list[i] = all[at]
	}
	for _, k := range known {
		if !slices.Contains(names, k) {
			return nil, fmt.Errorf("column %s is missing: %w", k, ErrColumns)
		}
	}
	return list, nil
}

// errSchema is the error of a row of another schema.
func errSchema(found string) error {
	return fmt.Errorf("%s %.80q: %.80q wanted", SchemaColumn, found, Schema)
}

func readCSV(s *source, row func(*Row) error) error {
	in := csv.NewReader(s)
	in.ReuseRecord = true
	head, err := in.Read()
	if err == io.EOF {
		return fmt.Errorf("%s: empty: a line with the names of the columns wanted", s.name)
	}
	if err != nil {
		return csvtext.Broken(s.name, err)
	}
	list, err := layout(slices.Clone(head))
	if err != nil {
		return fmt.Errorf("%s:1: %w", s.name, err)
	}
	for {
		record, err := in.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return csvtext.Broken(s.name, err)
		}
		var r Row
		for i, text := range record {
			if err := list[i].parse(&r, text); err != nil {
				line, _ := in.FieldPos(i)
				return fmt.Errorf("%s:%d: %w", s.name, line, err)
			}
		}
		if err := r.whole(list, func(i int) bool { return record[i] == "" }); err != nil {
			line, _ := in.FieldPos(0)
			return fmt.Errorf("%s:%d: %w", s.name, line, err)
		}
		if err := row(&r); err != nil {
			return err
		}
	}
}

// parse puts the value of a text into a row; the empty one leaves the row as it is.
func (c *cell) parse(r *Row, text string) error {
	if c.name == SchemaColumn && text != Schema {
		return errSchema(text)
	}
	if text == "" {
		return nil
	}
	var v any = text
	var err error
	wanted := ""
	switch c.kind {
	case integer:
		v, err = strconv.Atoi(text)
		wanted = "a whole number"
	case number:
		v, err = csvtext.Number(text)
		wanted = "a number"
	case logical:
		wanted = "true or false"
		if v, err = strconv.ParseBool(text); err == nil && text != "true" && text != "false" {
			err = strconv.ErrSyntax
		}
	}
	if err != nil {
		return fmt.Errorf("%s %.80q: %s wanted", c.name, text, wanted)
	}
	c.put(r, v)
	return nil
}

func readLines(s *source, row func(*Row) error) error {
	in := bufio.NewScanner(s)
	in.Buffer(nil, maxLine)
	n := 0
	for in.Scan() {
		n++
		r, err := parseLine(in.Bytes())
		if err != nil {
			return fmt.Errorf("%s:%d: %w", s.name, n, err)
		}
		if err := row(r); err != nil {
			return err
		}
	}
	if err := in.Err(); err != nil {
		return fmt.Errorf("%s:%d: %w", s.name, n+1, err)
	}
	return nil
}

// parseLine reads a row's JSON.
func parseLine(data []byte) (*Row, error) {
	r := &struct {
		Schema string `json:"schema"`
		Row
	}{}
	if err := jsontext.Strict(data, r); err != nil {
		return nil, fmt.Errorf("not the JSON of a row: %w", err)
	}
	if r.Schema != Schema {
		return nil, errSchema(r.Schema)
	}
	var given map[string]json.RawMessage
	if err := jsontext.Decode(data, &given); err != nil {
		return nil, err
	}
	list := cells(keysOf(sorted(r.Set)))
	if err := r.whole(list, func(i int) bool { return len(given[list[i].name]) == 0 || string(given[list[i].name]) == "null" }); err != nil {
		return nil, err
	}
	return &r.Row, r.writable(list)
}

func sorted(set map[string]string) (names []string) {
	for k := range set {
		names = append(names, k)
	}
	slices.Sort(names)
	return names
}
