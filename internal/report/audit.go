package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"pimflow/internal/trace"
)

// Audit writes what a log of commands says against the rules, for people: the verdict, a row for each rule that is broken,
// then the first violations.
func Audit(w io.Writer, a *trace.Audit) error {
	b := &strings.Builder{}
	of := a.Files[0]
	if len(a.Files) > 1 {
		of = counted(len(a.Files), "file")
	}
	fmt.Fprintf(b, "audit      %s on %s: %d commands in %s, the last in cycle %d", of, a.Machine, a.Commands, counted(a.Channels, "channel"), a.Cycles)
	if a.Issued > 0 {
		b.WriteString(", issued here")
	}
	r := &a.Refreshes
	fmt.Fprintf(b, "\nrefreshes  %d of %d requested", r.Issued, r.Requested)
	if r.Missing > 0 {
		fmt.Fprintf(b, "; the %d missing would take %.0f ck, %.1f %% of the log", r.Missing, r.Cycles, 100*r.Part)
	}
	if a.Violations == 0 {
		fmt.Fprintf(b, "\nno rule of standard %s is broken\n", a.Standard)
		_, err := io.WriteString(w, b.String())
		return err
	}
	fmt.Fprintf(b, "\nstandard %s: %s\n\n", a.Standard, counted(int(a.Violations), "violation"))
	rows := table{{}, {right: true}, {right: true}, {right: true}}
	rows.row("rule", "violations", "at most by ck", "first in cycle")
	for _, x := range a.Rules {
		by := "-"
		if x.Worst > 0 {
			by = strconv.FormatInt(x.Worst, 10)
		}
		rows.row(x.Rule, strconv.FormatInt(x.N, 10), by, strconv.FormatInt(x.First.Cycle, 10))
	}
	rows.write(b)
	if len(a.First) > 0 {
		b.WriteByte('\n')
	}
	for _, x := range a.First {
		if len(a.Files) > 1 {
			fmt.Fprintf(b, "%s, ", x.File)
		}
		if x.Line > 0 {
			fmt.Fprintf(b, "line %d, ", x.Line)
		}
		fmt.Fprintf(b, "channel %d, cycle %d: %s: %s\n", x.Channel, x.Cycle, x.Rule, x.Text)
	}
	if a.Unlisted > 0 {
		fmt.Fprintf(b, "and %d more\n", a.Unlisted)
	}
	_, err := io.WriteString(w, trimLines(b.String()))
	return err
}

// counted is a number of things by their name.
func counted(n int, name string) string {
	if n == 1 {
		return "1 " + name
	}
	return strconv.Itoa(n) + " " + name + "s"
}
