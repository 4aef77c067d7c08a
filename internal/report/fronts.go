package report

import (
	"fmt"
	"io"
	"strings"

	"pimflow/internal/fault"
)

// ParetoSchema names the form of Fronts' JSON.
const ParetoSchema = "pimflow.pareto/1"

// Fronts holds the rows of which no other is better in every respect, for each network.
type Fronts struct {
	Schema   string   `json:"schema"`
	By       []Aim    `json:"by"`
	Networks []Front  `json:"networks"`
	Head     []string `json:"-"` // of Cells
	Columns  []string `json:"-"` // that every row has, in order
}

// Aim is a column and what is better.
type Aim struct {
	Column string `json:"column"`
	Better string `json:"better"` // less or more
}

// Front holds the rows of one network.
type Front struct {
	Network string           `json:"network"`
	Points  int              `json:"points"` // rows in the files
	Rows    []map[string]any `json:"front"`  // values by column; a row of a file without a column has none
	Cells   [][]string       `json:"-"`      // as people read them
}

// JSON writes the fronts as one object.
func (f *Fronts) JSON(w io.Writer) error { return JSON(w, f) }

// CSV writes the rows with the columns that all of them have.
func (f *Fronts) CSV(w io.Writer) error {
	rows := [][]string{f.Columns}
	for _, n := range f.Networks {
		for _, r := range n.Rows {
			var cells []string
			for _, c := range f.Columns {
				cells = append(cells, fmt.Sprint(r[c]))
			}
			rows = append(rows, cells)
		}
	}
	return writeCSV(w, rows)
}

// Text writes a table for each network.
func (f *Fronts) Text(w io.Writer) error {
	b := &strings.Builder{}
	var by []string
	for _, a := range f.By {
		by = append(by, a.Better+" "+a.Column)
	}
	fmt.Fprintf(b, "Pareto front, for %s\n", strings.Join(by, ", "))
	for _, n := range f.Networks {
		fmt.Fprintf(b, "\n%s: %d of %d\n", fault.Name(n.Network), len(n.Rows), n.Points)
		var t table
		for range f.Head {
			t = append(t, column{right: true})
		}
		t.row(f.Head...)
		for _, cells := range n.Cells {
			t.row(cells...)
		}
		t.write(b)
	}
	_, err := io.WriteString(w, trimLines(b.String()))
	return err
}
