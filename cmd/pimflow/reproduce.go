package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"pimflow/internal/published"
	"pimflow/internal/report"
)

func reproduceCommand() *cobra.Command {
	var r request
	var asJSON, seInputs bool
	c := &cobra.Command{
		Use:   "reproduce [MODEL…]",
		Short: "Sum up models in the published accounting, and bridge from there to this project's",
		Long: `Sum up models in the accounting of the published system (PIMFlow, CGO 2023), and bridge from there to this project's, one
repair a step. Without MODEL: mobilenet-v2, whose figures are in the artifact's README.`,
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
			out := &report.Reproduction{Schema: report.ReproduceSchema}
			for _, model := range args {
				r.model = model
				opened, err := r.open(bar)
				if err != nil {
					return err
				}
				defer opened.Close()
				g, m, _, _ := opened.Internal()
				if s := m.PIM.Standard; s != "artifact" {
					return fmt.Errorf("machine %s: pim.standard is %s: artifact wanted, whose rules the bridge changes", m.Name, s)
				}
				out.Machine, out.Clock = m.Name, m.GPU.Clock.Picoseconds()
				variants, err := published.Compare(c.Context(), g, m, change, bar.phase(model+" variants"))
				if err != nil {
					return err
				}
				bridge, err := published.Bridge(c.Context(), g, m, change, bar.phase(model+" bridge"))
				if err != nil {
					return err
				}
				out.Add(g.Name, variants, bridge)
			}
			bar.stop()
			if asJSON {
				return out.JSON(c.OutOrStdout())
			}
			return out.Text(c.OutOrStdout())
		},
	}
	r.machineFlag(c, PublishedMachine)
	c.Flags().BoolVar(&seInputs, "se-inputs", false, "give squeeze-excite layers on the PIM all their inputs; the artifact's back end gives them one by mistake")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}
