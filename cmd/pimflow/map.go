package main

import (
	"github.com/spf13/cobra"

	"pimflow/internal/memory"
	"pimflow/internal/report"
	"pimflow/internal/search"
)

func mapCommand() *cobra.Command {
	var r request
	var verbose, json bool
	c := &cobra.Command{
		Use:   "map MODEL",
		Short: "Print where in the PIM channels' banks the weights of a plan are",
		Long: `Print where in the PIM channels' banks the weights of a plan are.

One row a step on the PIM. Rows are those of the banks, over all channels; row r of
the stream that "pimflow code" prints for a channel is the r-th of the channel's rows.`,
		Args: wantArgs(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			r.model = args[0]
			p, err := walked(c, r)
			if err != nil {
				return err
			}
			defer p.Close()
			m, err := memory.New(p.Result.Timeline.Program)
			if err != nil {
				return err
			}
			rep := report.NewMemory(p.Graph, p.Machine, p.Result, m)
			if json {
				return rep.JSON(c.OutOrStdout())
			}
			return rep.Text(c.OutOrStdout(), verbose)
		},
	}
	fl := c.Flags()
	fl.StringVar(&r.machine, "machine", "", "machine by name or .json file (default "+DefaultMachine+", or the plan's)")
	fl.StringVar(&r.policy, "policy", search.Default, "policy, see pimflow policy")
	fl.StringVar(&r.plan, "plan", "", "map the plan in this file instead of searching one")
	profileFlag(c, &r.profile)
	fl.IntVar(&r.batch, "batch", 0, "images at once, for models that leave it open (default 1)")
	fl.BoolVarP(&verbose, "verbose", "v", false, "the rows of each channel")
	fl.BoolVar(&json, "json", false, "print one JSON object")
	return c
}
