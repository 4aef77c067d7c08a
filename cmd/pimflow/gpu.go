package main

import (
	"github.com/spf13/cobra"

	"pimflow/internal/hw"
	"pimflow/internal/report"
)

func gpuCommand() *cobra.Command {
	l := &listing{width: 10}
	c := &cobra.Command{
		Use:   "gpu [NAME|FILE]",
		Short: "List the GPUs, or check one and print it with the source of each number",
		Long: `List the GPUs, or check one and print it with the source of each number. A machine takes one in place of its own as
--machine newton+t4, or newton+FILE.json; its memory channels stay.`,
		Args: wantArgs(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := l.check(args); err != nil {
				return err
			}
			if len(args) == 0 {
				var list []report.Entry
				for _, name := range hw.BoardNames() {
					b, err := hw.LoadBoard(name)
					if err != nil {
						return err
					}
					list = append(list, report.Entry{Name: name, About: b.About})
				}
				return l.list(c.OutOrStdout(), list)
			}
			b, err := hw.LoadBoard(args[0])
			if err != nil {
				return err
			}
			if err := checkBoard(args[0], b); err != nil {
				return err
			}
			return b.Print(c.OutOrStdout())
		},
	}
	l.flags(c)
	return c
}
