package main

import (
	"io"

	"github.com/spf13/cobra"

	"pimflow/internal/fault"
	"pimflow/internal/report"
)

// listing prints networks, machines, GPUs or policies.
type listing struct {
	form
	width int // of a name in a line of text
}

func (l *listing) flags(c *cobra.Command) { l.form.flags(c, "entry of the list") }

// check refuses a form where there is no list but one entry, of a name.
func (l *listing) check(args []string) error {
	switch {
	case l.json && len(args) > 0:
		return fault.Usagef("--json is for the list: leave out %s", args[0])
	case l.csv && len(args) > 0:
		return fault.Usagef("--csv is for the list: leave out %s", args[0])
	}
	return nil
}

func (l *listing) list(w io.Writer, entries []report.Entry) error {
	list := &report.List{Schema: report.ListSchema, Entries: entries}
	return l.print(w, list, func(w io.Writer) error { return list.Text(w, l.width) })
}
