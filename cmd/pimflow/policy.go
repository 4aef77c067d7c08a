package main

import (
	"github.com/spf13/cobra"

	"pimflow/internal/report"
	"pimflow/internal/search"
)

func policyCommand() *cobra.Command {
	l := &listing{width: 12}
	c := &cobra.Command{
		Use:   "policy",
		Short: "List the policies",
		Args:  wantArgs(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := l.check(nil); err != nil {
				return err
			}
			var list []report.Entry
			for _, p := range search.Policies() {
				list = append(list, report.Entry{Name: p.Name, About: p.About})
			}
			return l.list(c.OutOrStdout(), list)
		},
	}
	l.flags(c)
	return c
}
