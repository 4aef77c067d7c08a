package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"pimflow/internal/report"
)

// shownOptions is the number of alternatives that are printed without --all.
const shownOptions = 6

func explainCommand() *cobra.Command {
	var r request
	var json, all bool
	c := &cobra.Command{
		Use:   "explain MODEL [NODE]",
		Short: "Say why each layer is where it is, or what else was tried for one",
		Long: `Say why each layer is where it is, or what else was tried for one.

One row a layer: what bounds it on each device, and the way to execute it on other
devices that is fastest alone. With NODE, the ways to execute this layer that the
search kept, what their times go to, and what the plan would take with each of them.`,
		Args: wantArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			r.model = args[0]
			if all && len(args) == 1 {
				return fmt.Errorf("--all is for the alternatives of one layer: name a layer of %s too", r.model)
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
			rep := report.NewExplain(timed, p.Internal().Plan.PIM, r.plan != "")
			if len(args) == 2 {
				rep.Layer, err = s.Explain(p, args[1])
			} else {
				rep.Layers, err = s.Reasons(p)
			}
			if err != nil {
				return err
			}
			if json {
				return rep.JSON(c.OutOrStdout())
			}
			most := shownOptions
			if all {
				most = 0
			}
			return rep.Text(c.OutOrStdout(), most)
		},
	}
	fl := c.Flags()
	r.planFlag(c, "explain")
	r.policyFlag(c)
	r.batchFlag(c)
	profileFlag(c, &r.opts.Profile)
	fl.BoolVar(&all, "all", false, fmt.Sprintf("print every alternative of the layer, not only the %d fastest alone", shownOptions))
	fl.BoolVar(&json, "json", false, "print one JSON object, with every alternative")
	return c
}
