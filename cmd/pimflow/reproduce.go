package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"pimflow/internal/published"
	"pimflow/internal/report"
)

func reproduceCommand() *cobra.Command {
	var machine string
	var asJSON, seInputs bool
	c := &cobra.Command{
		Use:   "reproduce [MODEL…]",
		Short: "Add up models as the published system does, and bridge from there to this project's accounting",
		Long: `Add up models as the published system does (PIMFlow, CGO 2023), and bridge from there to this project's
accounting, one repair a step. Without MODEL: mobilenet-v2, whose figures the artifact's README prints.`,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{"mobilenet-v2"}
			}
			bar := newBar(c.ErrOrStderr())
			defer bar.stop()
			var change func(*published.Accounting)
			if seInputs {
				change = func(a *published.Accounting) { a.System.Columns1 = false }
			}
			r := &report.Reproduction{Schema: report.ReproduceSchema}
			for _, model := range args {
				p, err := open(request{model: model, machine: machine})
				if err != nil {
					return err
				}
				defer p.Close()
				if s := p.Machine.PIM.Standard; s != "artifact" {
					return fmt.Errorf("machine %s: pim.standard is %s: artifact wanted, whose rules the bridge changes", p.Machine.Name, s)
				}
				r.Machine, r.Clock = p.Machine.Name, p.Machine.GPU.Clock.Picoseconds()
				variants, err := published.Compare(c.Context(), p.Graph, p.Machine, change, bar.phase(model+" variants"))
				if err != nil {
					return err
				}
				bridge, err := published.Bridge(c.Context(), p.Graph, p.Machine, change, bar.phase(model+" bridge"))
				if err != nil {
					return err
				}
				r.Add(p.Graph.Name, variants, bridge)
			}
			bar.stop()
			if asJSON {
				return r.JSON(c.OutOrStdout())
			}
			return r.Text(c.OutOrStdout())
		},
	}
	c.Flags().StringVar(&machine, "machine", PublishedMachine, "machine by name or .json file")
	c.Flags().BoolVar(&seInputs, "se-inputs", false, "give squeeze-excite layers on the PIM all their inputs, where the artifact's back end gives them one by mistake")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}
