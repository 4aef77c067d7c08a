package main

import (
	"github.com/spf13/cobra"

	"pimflow/internal/search"
)

func policyCommand() *cobra.Command {
	l := &listing{format: "%-11s  %s\n"}
	c := &cobra.Command{
		Use:   "policy",
		Short: "List the policies",
		Args:  wantArgs(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := l.check(nil); err != nil {
				return err
			}
			var list []shipped
			for _, p := range search.Policies() {
				list = append(list, shipped{p.Name, p.About})
			}
			return l.print(c.OutOrStdout(), list)
		},
	}
	l.flags(c)
	return c
}
