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
		Args:  wantArgs(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			for _, p := range search.Policies() {
				if _, err := fmt.Fprintf(c.OutOrStdout(), "%-11s  %s\n", p.Name, p.About); err != nil {
					return err
				}
			}
			return nil
		},
	}
}
