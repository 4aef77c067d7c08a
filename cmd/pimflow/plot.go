package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/spf13/cobra"

	"pimflow/internal/fault"
	"pimflow/internal/figure"
	"pimflow/internal/files"
	"pimflow/internal/result"
)

// plotFlags holds the flags of plot.
type plotFlags struct {
	figure.Options
	figure string
	out    string
	width  float64
	by     []string
}

// The widths of figures in inches: a column and a page of IEEE and ACM, and what is allowed.
const (
	columnWidth = 3.3
	pageWidth   = 7
	leastWidth  = 1.5
	mostWidth   = 40
)

func plotCommand() *cobra.Command {
	f := &plotFlags{}
	about := &strings.Builder{}
	for _, k := range figure.Kinds {
		fmt.Fprintf(about, "  %-10s%s\n", k.Name, k.About)
	}
	c := &cobra.Command{
		Use:   "plot FILE…",
		Short: "Draw results as a figure for a paper",
		Long: `Draw results as a figure for a paper, in SVG, PDF or PNG.

A FILE is a table of results (.csv, .jsonl, .parquet, as pimflow sweep writes), what pimflow run, compare or reproduce
prints with --json (.json), or what pimflow sim prints with --stalls (.csv). Rows of all files are drawn together. Figures:

` + about.String() + `
Series are the values of --group, or of all that differs between rows. A note says which rows have an error and are left
out. All text is 8 pt. Colours are told apart with any common colour blindness; hatches, dashes and markers in grey.`,
		Args: wantArgs(1, math.MaxInt),
		RunE: func(c *cobra.Command, args []string) error {
			if f.figure == "" {
				return fault.Usagef("plot: --figure wanted: one of %s", strings.Join(figure.Names(), ", "))
			}
			if f.out == "" {
				return fault.Usagef("plot: -o FILE wanted, which ends in .svg, .pdf or .png")
			}
			if !(f.width >= leastWidth && f.width <= mostWidth) {
				return fault.Usagef("--width %g: inches from %g to %g wanted", f.width, leastWidth, float64(mostWidth))
			}
			for flag, of := range map[string]string{"by": "pareto", "z": "heat"} {
				if c.Flags().Changed(flag) && f.figure != of {
					return fault.Usagef("--%s is for --figure %s: leave it out, or another figure wanted", flag, of)
				}
			}
			return plotFigure(c, f, args)
		},
	}
	fl := c.Flags()
	fl.StringVar(&f.figure, "figure", "", "figure: "+strings.Join(figure.Names(), ", "))
	fl.StringVarP(&f.out, "out", "o", "", "write the figure to this file, whose name ends in .svg, .pdf or .png")
	fl.Float64Var(&f.width, "width", columnWidth, fmt.Sprintf("width in inches: %g fits a column, %g a page", columnWidth, float64(pageWidth)))
	fl.StringVar(&f.Title, "title", "", "title above the figure (default none)")
	fl.StringVar(&f.X, "x", "", "column along x, or for the groups of bars")
	fl.StringVar(&f.Y, "y", "", "column along y")
	fl.StringVar(&f.Z, "z", "", "with --figure heat: the column that is shades (default speedup)")
	fl.StringSliceVar(&f.Group, "group", nil, "columns whose values are the series (default: all that says of what a row is, and differs)")
	fl.StringSliceVar(&f.by, "by", nil, "with --figure pareto: two columns, as in pimflow pareto (default time,energy)")
	fl.StringArrayVar(&f.Where, "where", nil, "COLUMN=VALUE: only rows that have it; may be repeated")
	return c
}

// plotFigure reads files, draws and writes.
func plotFigure(c *cobra.Command, f *plotFlags, args []string) error {
	format, err := figure.Format(f.out)
	if err != nil {
		return err
	}
	if f.By, err = figure.ParseAims(f.by); err != nil {
		return err
	}
	if err := tryOutputs(inputs(c, nil), files.Named{By: "-o", Name: f.out}); err != nil {
		return err
	}
	d, err := readData(c, args)
	if err != nil {
		return err
	}
	fig, err := d.Make(f.figure, &f.Options)
	if err != nil {
		return err
	}
	d.note(c)
	return files.Write(c.Context(), files.File{Name: f.out, Write: func(w io.Writer) error { return fig.Write(w, format, f.width) }})
}

// data is what the files of a command line hold.
type data struct{ figure.Data }

func readData(c *cobra.Command, args []string) (*data, error) {
	d := &data{}
	for _, file := range args {
		if err := c.Context().Err(); err != nil {
			return nil, err
		}
		err := d.Read(file)
		if errors.Is(err, result.ErrColumns) && c.Name() == "plot" {
			return nil, fmt.Errorf("%w, or what pimflow sim --stalls prints", err)
		}
		if err != nil {
			return nil, err
		}
	}
	return d, nil
}

// note says what is left out.
func (d *data) note(c *cobra.Command) {
	if n := len(d.Left); n > 0 && !quiet(c) {
		fmt.Fprintf(c.ErrOrStderr(), "pimflow: note: %d of %d rows have an error and are left out; the first: %s\n", n, n+len(d.Rows), d.Left[0])
	}
}
