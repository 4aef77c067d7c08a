package main

import (
	"encoding/csv"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"pimflow/internal/fault"
	"pimflow/internal/report"
)

// ListSchema names the form of the JSON that lists networks, machines, GPUs or policies.
const ListSchema = "pimflow.list/1"

// shipped is something that is built in.
type shipped struct {
	Name  string `json:"name"`  // as other commands take it
	About string `json:"about"` // for people
}

// listed is the JSON of a list.
type listed struct {
	Schema  string    `json:"schema"`
	Entries []shipped `json:"entries"`
}

// listing prints networks, machines, GPUs or policies as text, JSON or CSV.
type listing struct {
	json, csv bool
	format    string // of a line of text: name and about
}

func (l *listing) flags(c *cobra.Command) {
	c.Flags().BoolVar(&l.json, "json", false, "print the list as one JSON object")
	c.Flags().BoolVar(&l.csv, "csv", false, "print the list as comma-separated values")
}

// check refuses flags that exclude each other, and a form where there is no list but one entry, of a name.
func (l *listing) check(args []string) error {
	switch {
	case l.json && l.csv:
		return fault.Usagef("--json does not go with --csv")
	case l.json && len(args) > 0:
		return fault.Usagef("--json is for the list: leave out %s", args[0])
	case l.csv && len(args) > 0:
		return fault.Usagef("--csv is for the list: leave out %s", args[0])
	}
	return nil
}

func (l *listing) print(w io.Writer, list []shipped) error {
	if l.json {
		return report.JSON(w, listed{ListSchema, list})
	}
	if l.csv {
		out := csv.NewWriter(w)
		out.Write([]string{"name", "about"}) // Error returns its error
		for _, x := range list {
			out.Write([]string{x.Name, x.About})
		}
		out.Flush()
		return out.Error()
	}
	for _, x := range list {
		if _, err := fmt.Fprintf(w, l.format, x.Name, x.About); err != nil {
			return err
		}
	}
	return nil
}
