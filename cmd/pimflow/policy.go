package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"pimflow/internal/search"
)

func policyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "policy",
		Short: "List the policies",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			for _, p := range search.Policies() {
				fmt.Fprintf(c.OutOrStdout(), "%-10s %s\n", p.Name, p.About)
			}
			return nil
		},
	}
}
