package main

import (
	"io"

	"github.com/spf13/cobra"

	"pimflow/internal/memory"
	"pimflow/internal/report"
)

func mapCommand() *cobra.Command {
	var r request
	var verbose bool
	var f form
	c := &cobra.Command{
		Use:   "map MODEL",
		Short: "Print the layout of a plan's weights in the banks of the PIM channels",
		Long: `Print the layout of a plan's weights in the banks of the PIM channels.

One row for each step on the PIM. Its range of rows covers all channels. Row r of the
stream that "pimflow code" prints for a channel is the r-th row of the channel's range.`,
		Args: wantArgs(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			r.model = args[0]
			s, p, err := r.walked(c)
			if err != nil {
				return err
			}
			defer s.Close()
			g, machine, _, _ := s.Internal()
			m, err := memory.New(p.Internal().Timeline.Program)
			if err != nil {
				return err
			}
			rep := report.NewMemory(g, machine, p.Internal(), m)
			rep.Bindings = s.Bindings()
			return f.print(c.OutOrStdout(), rep, func(w io.Writer) error { return rep.Text(w, verbose) })
		},
	}
	fl := c.Flags()
	r.plannedFlags(c, "map")
	fl.BoolVarP(&verbose, "verbose", "v", false, "the rows of each channel")
	f.flags(c, "step on the PIM")
	return c
}
