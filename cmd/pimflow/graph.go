package main

import (
	"github.com/spf13/cobra"
)

func graphCommand() *cobra.Command {
	var raw, values bool
	var batch int
	c := &cobra.Command{
		Use:   "graph MODEL",
		Short: "Print a model's graph, as plans are made for it",
		Args:  wantArgs(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			p := &path{}
			if err := p.read(args[0], batch); err != nil {
				return err
			}
			defer p.Close()
			g := p.Graph
			if raw {
				g = p.Model
			}
			return g.Print(c.OutOrStdout(), values)
		},
	}
	c.Flags().BoolVar(&raw, "raw", false, "before simplification")
	c.Flags().BoolVar(&values, "values", false, "with the values of all constants, so that the text can be run")
	c.Flags().IntVar(&batch, "batch", 0, "images at once, for models that leave it open (default 1)")
	return c
}
