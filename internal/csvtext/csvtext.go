// Package csvtext has what readers of CSV tables share: numbers as people write them, and errors in words.
//
// A text goes in; a number comes out, or an error of one line. The package does not know which tables there are.
package csvtext

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// errNumber is the error of a text that is no number; what was wanted is the caller's to say.
var errNumber = errors.New("no number")

// Number reads a finite decimal number, as -1.5 or 2e3. Other writings of Go, as 1_000 or 0x1p4, are none.
func Number(text string) (float64, error) {
	if strings.Trim(text, "0123456789+-.eE") != "" {
		return 0, errNumber
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(x, 0) {
		return 0, errNumber
	}
	return x, nil
}

// Rows reads a table whose first line has these columns. each takes the cells of a line, which are not kept, and its number. Errors are
// `file:line: …`, but for those of each.
func Rows(file string, in io.Reader, columns []string, each func(line int, cells []string) error) error {
	r := csv.NewReader(in)
	r.ReuseRecord = true
	for line := 1; ; line++ {
		cells, err := r.Read()
		switch {
		case err == io.EOF && line > 1:
			return nil
		case err == io.EOF, err == nil && line == 1 && !slices.Equal(cells, columns):
			return fmt.Errorf("%s:1: %.80q: the columns %s wanted", file, strings.Join(cells, ","), strings.Join(columns, ","))
		case err != nil:
			return Broken(file, err)
		case line > 1:
			if err := each(line, cells); err != nil {
				return err
			}
		}
	}
}

// words has the errors of encoding/csv in words.
var words = []struct {
	err  error
	says string
}{
	{csv.ErrFieldCount, "another number of cells than in the line of columns"},
	{csv.ErrQuote, `a cell in quotes has no end, or text after it: "" for a quote within it wanted`},
	{csv.ErrBareQuote, `a quote within a cell: the cell in quotes, and "" for the quote, wanted`},
}

// Broken is the error of reading a CSV file, with its name and line.
func Broken(file string, err error) error {
	var at *csv.ParseError
	if !errors.As(err, &at) {
		return fmt.Errorf("%s: %w", file, err)
	}
	for _, w := range words {
		if errors.Is(at.Err, w.err) {
			return fmt.Errorf("%s:%d: %s", file, at.Line, w.says)
		}
	}
	return fmt.Errorf("%s:%d: %w", file, at.Line, at.Err)
}
