package main

import (
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pimflow/internal/fault"
	"pimflow/internal/files"
	"pimflow/internal/page"
	"pimflow/internal/report"
)

func reportCommand() *cobra.Command {
	out := ""
	c := &cobra.Command{
		Use:   "report RUN.json",
		Short: "Write a page with figures of a run, for a browser",
		Long: `Write a page with figures of a run, for a browser: one HTML file that needs no server and no network.

RUN.json is what "pimflow run --json" prints. The page is that of "pimflow run --html"; the plans of the other policies are on it
if that run was with --html too.`,
		Args: wantArgs(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			if out == "" {
				return fault.Usagef("report: -o FILE wanted")
			}
			if err := tryOutputs(inputs(c, args), files.Named{By: "-o", Name: out}); err != nil {
				return err
			}
			f, err := files.OpenText(args[0], report.MaxRun)
			if err != nil {
				return err
			}
			defer f.Close()
			rep, err := report.ReadRun(f, args[0])
			if err != nil {
				return err
			}
			if err := page.Check(rep, args[0]); err != nil {
				return err
			}
			return files.Write(c.Context(), files.File{Name: out, Write: func(w io.Writer) error { return page.Write(w, rep) }})
		},
	}
	c.Flags().StringVarP(&out, "out", "o", "", "write the page to this file")
	return c
}

// commandLine is a command with its argument and the flags that were given, but for those of what it prints, in the order of their names.
func commandLine(c *cobra.Command, argument string) string {
	line := []string{c.CommandPath(), argument}
	c.Flags().Visit(func(f *pflag.Flag) {
		switch list, ok := f.Value.(pflag.SliceValue); {
		case slices.Contains([]string{"html", "json", "csv", "verbose", "quiet", "progress", "columns"}, f.Name):
		case ok:
			for _, x := range list.GetSlice() {
				line = append(line, "--"+f.Name+" "+x)
			}
		case f.Value.String() == "true" || f.Value.String() == f.NoOptDefVal:
			line = append(line, "--"+f.Name)
		default:
			line = append(line, "--"+f.Name+"="+f.Value.String())
		}
	})
	return strings.Join(line, " ")
}
