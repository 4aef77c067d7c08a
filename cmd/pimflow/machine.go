package main

import (
	"fmt"

	"pimflow"

	"github.com/spf13/cobra"

	"pimflow/internal/hw"
)

func machineCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "machine [NAME|FILE]",
		Short: "List the machines, or check one and print it with the source of each number",
		Args:  wantArgs(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				for _, name := range hw.Names() {
					m, err := hw.Load(name)
					if err != nil {
						return err
					}
					if _, err := fmt.Fprintf(c.OutOrStdout(), "%-10s %s\n", name, m.About); err != nil {
						return err
					}
				}
				return nil
			}
			m, err := pimflow.LoadMachine(args[0])
			if err != nil {
				return err
			}
			return m.Print(c.OutOrStdout())
		},
	}
}
