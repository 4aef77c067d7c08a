package main

import (
	"io"
	"slices"

	"github.com/spf13/cobra"

	"pimflow/internal/fault"
	"pimflow/internal/report"
)

// form is the form in which a command prints its result: text, JSON or CSV.
type form struct{ json, csv bool }

// flags adds --json and --csv, which prints a row for each of rows.
func (f *form) flags(c *cobra.Command, rows string) {
	c.Flags().BoolVar(&f.json, "json", false, "print one JSON object, docs/json.md")
	c.Flags().BoolVar(&f.csv, "csv", false, "print comma-separated values: a row for each "+rows)
}

// chosen reports whether a form for other programs is asked for.
func (f *form) chosen() bool { return f.json || f.csv }

// print prints a result, as text by a function of its own.
func (f *form) print(w io.Writer, result any, text func(io.Writer) error) error {
	switch {
	case f.json:
		return report.JSON(w, result)
	case f.csv:
		return report.CSV(w, report.Rows(result))
	}
	return text(w)
}

// checkForm refuses both forms at once, and progress of another way than there are.
func checkForm(c *cobra.Command) error {
	if way, _ := c.Flags().GetString("progress"); !slices.Contains(progressWays, way) { // all commands have it
		return fault.Usagef("--progress %.80q: one of %s wanted", way, fault.Names(progressWays))
	}
	asJSON, err := c.Flags().GetBool("json")
	asCSV, other := c.Flags().GetBool("csv")
	if err == nil && other == nil && asJSON && asCSV {
		return fault.Usagef("--json does not go with --csv")
	}
	return nil
}
