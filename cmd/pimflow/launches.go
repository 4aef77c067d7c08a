package main

import (
	"io"

	"pimflow"

	"github.com/spf13/cobra"

	"pimflow/internal/report"
	"pimflow/internal/sweep"
)

// launchNetworks lists the networks of the published evaluation (CGO 2023).
var launchNetworks = []string{"mobilenet-v2", "mnasnet-1.0", "efficientnet-b0", "resnet-50", "vgg-16"}

func launchesCommand() *cobra.Command {
	var r request
	var f form
	c := &cobra.Command{
		Use:   "launches [MODEL…]",
		Short: "Plan models under several launch latencies, and print the share of removed launches in the gain",
		Long: `Plan models under several launch latencies, and print the share of removed launches in the gain. Without MODEL: the
five networks of the published evaluation.

The launch of a GPU kernel takes 0, the latency in a graph (2 us, estimated, for a GPU whose file has none), the machine's
latency, or 5.2 us (measured back to back on an RTX 2060, with its host). A launch of PIM work takes as long, or 0 as in the
published system, or, beside kernels in a graph, the machine's latency. "each": every tile of PIM work has its own launch.
"fused": tiles that wait for nothing of the GPU share the launch before. GPU kernels are fused (one for a convolution) or
unfused (an offset kernel, the convolution, its epilogue, as on the machine artifact). All other numbers are the machine's.

"gain" is the time of the GPU alone less that of the plan. "launches of both" are the launch times of the GPU alone and of
the plan, summed over all kernels and PIM work even where devices overlap. "launches removed" is their difference, "of
gain" its share in the gain; both are negative for plans with more launches than the GPU alone, as plans with split layers
have. "launches free" is the speed-up of the same plan with launches of no time.`,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = launchNetworks
			}
			out := &report.Launches{Schema: report.LaunchesSchema, Policy: r.how.Policy}
			var models []*sweep.Model
			for _, model := range args { // errors of reading come before any search
				r.model = model
				opened, err := r.open(c.Context(), &bar{}) // searches run at the same time
				if err != nil {
					return err
				}
				defer opened.Close()
				m, err := varied(&r, opened)
				if err != nil {
					return err
				}
				models = append(models, m)
			}
			bar := newBar(c, each(len(models))...)
			defer bar.stop()
			for _, m := range models {
				graph, _, _, _ := m.Session.Internal()
				m.Progress = bar.phase(graph.Name)
				rows, err := sweep.Launches(c.Context(), m)
				if err != nil {
					return err
				}
				out.Add(graph.Name, m.Session.Bindings(), rows)
			}
			_, machine, _, _ := models[0].Session.Internal()
			out.Machine, out.Clock = machine.Name, machine.GPU.Clock.Picoseconds()
			bar.stop()
			return f.print(c.OutOrStdout(), out, func(w io.Writer) error { return out.Text(w, machine) })
		},
	}
	r.machineFlag(c, pimflow.DefaultMachine)
	r.policyFlag(c)
	r.modelFlags(c)
	f.flags(c, "way to launch")
	return c
}
