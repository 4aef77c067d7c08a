package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"pimflow/internal/fault"
	"pimflow/internal/report"
)

// shownOptions is the number of alternatives that are printed without --all.
const shownOptions = 6

func explainCommand() *cobra.Command {
	var r request
	var all bool
	var f form
	c := &cobra.Command{
		Use:   "explain MODEL [NODE]",
		Short: "Print the reason for each layer's placement, or all alternatives of one layer",
		Long: `Print the reason for each layer's placement, or all alternatives of one layer.

One row a layer: its limit on each device, and the fastest alternative on other devices,
executed alone. With NODE: every alternative of this layer that the search kept, the
breakdown of its time, and the time of the plan with it.`,
		Args: wantArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			r.model = args[0]
			if all && len(args) == 1 {
				return fault.Usagef("--all is for the alternatives of one layer: name a layer of %s too", r.model)
			}
			s, p, err := r.walked(c)
			if err != nil {
				return err
			}
			defer s.Close()
			timed, err := s.Time(p)
			if err != nil {
				return err
			}
			rep := report.NewExplain(timed, p.Internal().Plan, r.plan != "")
			if len(args) == 2 {
				rep.Layer, err = s.Explain(p, args[1])
			} else {
				rep.Layers, err = s.Reasons(p)
			}
			if err != nil {
				return err
			}
			most := shownOptions
			if all {
				most = 0
			}
			return f.print(c.OutOrStdout(), rep, func(w io.Writer) error { return rep.Text(w, most) })
		},
	}
	fl := c.Flags()
	r.plannedFlags(c, "explain")
	fl.BoolVar(&all, "all", false, fmt.Sprintf("print every alternative of the layer, not only the %d fastest alone", shownOptions))
	f.flags(c, "layer, or alternative of the layer")
	return c
}
