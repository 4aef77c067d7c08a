package csvtext

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestNumber(t *testing.T) {
	for text, want := range map[string]float64{"1": 1, "-1.5": -1.5, "2e3": 2000, "+.5": 0.5, "1E-2": 0.01} {
		if x, err := Number(text); err != nil || x != want {
			t.Errorf("%q: %v, %v", text, x, err)
		}
	}
	for _, text := range []string{"", "1_0", "0x1p4", "inf", "NaN", "1e999", "1 ", "1,5", "e", "-", "1..2"} {
		if x, err := Number(text); err == nil {
			t.Errorf("%q is %v", text, x)
		}
	}
}

func TestBroken(t *testing.T) {
	for text, want := range map[string]string{
		"a,b\n1\n":      "f.csv:2: another number of cells than in the line of columns",
		"a,b\n1,\"2\n":  `f.csv:2: a cell in quotes has no end, or text after it: "" for a quote within it wanted`,
		"a,b\n1,2\"3\n": `f.csv:2: a quote within a cell: the cell in quotes, and "" for the quote, wanted`,
	} {
		_, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if got := Broken("f.csv", err).Error(); got != want {
			t.Errorf("%q: %s, %s wanted", text, got, want)
		}
	}
	if err := Broken("f.csv", io.ErrClosedPipe); !errors.Is(err, io.ErrClosedPipe) || err.Error() != "f.csv: io: read/write on closed pipe" {
		t.Error(err)
	}
}

func TestRows(t *testing.T) {
	for text, want := range map[string]string{
		"a,b\n1,2\r\n\n\"3\",4\n": "2: 1 2;3: 3 4;",
		"a,b\n":                   "",
		"":                        `f:1: "": the columns a,b wanted`,
		"a,c\n1,2\n":              `f:1: "a,c": the columns a,b wanted`,
		"a,b\n1\n":                "f:2: another number of cells than in the line of columns",
		"a,b\n1,\"2\n":            `f:2: a cell in quotes has no end, or text after it: "" for a quote within it wanted`,
		"a,b\n1,2\n0,0\n3,4\n":    "2: 1 2;0 is refused",
	} {
		got := ""
		err := Rows("f", strings.NewReader(text), []string{"a", "b"}, func(line int, cells []string) error {
			if cells[0] == "0" {
				return errors.New("0 is refused")
			}
			got += fmt.Sprintf("%d: %s;", line, strings.Join(cells, " "))
			return nil
		})
		if err != nil {
			got += err.Error()
		}
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
