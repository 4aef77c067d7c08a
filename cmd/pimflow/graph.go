package main

import (
	"github.com/spf13/cobra"
)

func graphCommand() *cobra.Command {
	var r request
	var raw, values bool
	c := &cobra.Command{
		Use:   "graph MODEL",
		Short: "Print a model's simplified graph, which plans are made for",
		Args:  wantArgs(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			r.model = args[0]
			s, err := r.open(c.Context(), &bar{})
			if err != nil {
				return err
			}
			defer s.Close()
			return s.Print(c.OutOrStdout(), raw, values)
		},
	}
	c.Flags().BoolVar(&raw, "raw", false, "before simplification")
	c.Flags().BoolVar(&values, "values", false, "with the values of all constants, for a text that can be executed")
	r.modelFlags(c)
	return c
}
