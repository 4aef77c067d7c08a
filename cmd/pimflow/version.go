package main

import (
	"github.com/spf13/cobra"

	"pimflow/internal/report"
)

func versionCommand() *cobra.Command {
	var f form
	c := &cobra.Command{
		Use:   "version",
		Short: "Print the commit, the Go version and the hash of each machine",
		Long: `Print the commit, the Go version and the hash of each machine and GPU that is built in. The key "version" of all JSON has
the commit, the Go version and the first digits of one hash of them all.`,
		Args: wantArgs(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			built := report.NewBuilt()
			return f.print(c.OutOrStdout(), built, built.Text)
		},
	}
	f.flags(c, "machine and GPU")
	return c
}
