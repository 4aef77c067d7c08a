package main

import (
	"math"
	"strings"

	"github.com/spf13/cobra"

	"pimflow/internal/fault"
	"pimflow/internal/figure"
)

func paretoCommand() *cobra.Command {
	var by, where []string
	var out form
	c := &cobra.Command{
		Use:   "pareto FILE…",
		Short: "Print the results of which no other is better in every respect",
		Long: `Print the results of which no other is at least as good in every respect and better in one, for each network and batch.

A FILE is a table of results (.csv, .jsonl, .parquet, as pimflow sweep writes), or what pimflow run or compare prints with
--json (.json). --by has the respects: columns, of which less is better, or with max: before them more; of speedup and
images_per_s more is better anyway. In place of columns,
  time    is total_ns
  energy  is energy_pj
  cost    is mac_units, buffer_bytes and channels: hardware that differs in two of them is no cheaper
A note says which rows have an error and are left out. --csv prints all columns, for pimflow plot and other programs.`,
		Args: wantArgs(1, math.MaxInt),
		RunE: func(c *cobra.Command, args []string) error {
			aims, err := figure.ParseAims(by)
			if err != nil {
				return err
			}
			all, err := readData(c, args)
			if err != nil {
				return err
			}
			d, err := all.Where(where)
			if err != nil {
				return err
			}
			for _, a := range aims {
				if err := d.Check(a.Column); err != nil && c.Flags().Changed("by") {
					return fault.Usagef("--by %s: %w", a.Column, err)
				}
			}
			f, err := figure.NewFronts(d, aims)
			if err != nil {
				return err
			}
			all.note(c)
			switch w := c.OutOrStdout(); {
			case out.json:
				return f.JSON(w)
			case out.csv:
				return f.CSV(w)
			default:
				return f.Text(w)
			}
		},
	}
	fl := c.Flags()
	fl.StringSliceVar(&by, "by", []string{"time", "energy"}, "respects: columns, or "+strings.Join(figure.Aims(), ", "))
	fl.StringArrayVar(&where, "where", nil, "COLUMN=VALUE: only rows that have it; may be repeated")
	out.flags(c, "result, as pimflow sweep writes")
	return c
}
