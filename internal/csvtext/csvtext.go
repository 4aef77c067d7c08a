// Package csvtext has what readers of CSV tables share: numbers as people write them, and errors in words.
//
// A text goes in; a number comes out, or an error of one line. The package does not know which tables there are.
package csvtext

import (
	"encoding/csv"
	"errors"
	"fmt"
	"math"
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
