package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"pimflow/internal/hw"
	"pimflow/internal/plan"
	"pimflow/internal/platform"
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
			m, err := hw.Load(args[0])
			if err != nil {
				return err
			}
			// A machine is right when its devices can be made.
			to, err := platform.Target(m, platform.Makers{})
			if err == nil {
				_, err = to.Devices(m.Memory.PIMChannels, plan.Extended)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			return m.Print(c.OutOrStdout())
		},
	}
}
