package main

import (
	"fmt"

	"pimflow"

	"github.com/spf13/cobra"

	"pimflow/internal/report"
	"pimflow/internal/sweep"
)

// launchNetworks lists the networks of the published evaluation (CGO 2023).
var launchNetworks = []string{"mobilenet-v2", "mnasnet-1.0", "efficientnet-b0", "resnet-50", "vgg-16"}

func launchesCommand() *cobra.Command {
	var r request
	var asJSON bool
	c := &cobra.Command{
		Use:   "launches [MODEL…]",
		Short: "Plan models under several launch latencies, and say how much of the gain is launches removed",
		Long: `Plan models under several launch latencies, and say how much of the gain is launches removed. Without MODEL: the
five networks of the published evaluation.

A launch of a GPU kernel takes nothing, 2 us (TensorRT in a CUDA graph, estimated), what the machine says, or 5.2 us
(measured back to back on an RTX 2060); PIM work is launched for as long, each piece or, where the machine can, joint, what
waits for nothing of the GPU together, or for nothing, as in the published system. GPU kernels are fused, one a convolution,
or unfused, an offset kernel, the convolution and its epilogue, as on the machine artifact. Everything else is the machine's.

"gain" is the time of the GPU alone less that of the plan. "launches removed" is the launch time of the GPU alone less that
of the plan, "launches of both", each added over all kernels and all PIM work whether or not the other device works
meanwhile; "of gain" is its part of the gain. It is negative where the plan launches more than the GPU alone does, as plans
that split layers do. "launches free" is the speed-up that the same plan would have if no launch of either device took time.`,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = launchNetworks
			}
			bar := newBar(c.ErrOrStderr())
			defer bar.stop()
			out := &report.Launches{Schema: report.LaunchesSchema, Policy: r.how.Policy}
			var models []*sweep.Model
			for _, model := range args { // errors of reading come before any search
				r.model = model
				opened, err := r.open(bar)
				if err != nil {
					return err
				}
				defer opened.Close()
				m, err := varied(opened, r.how.Policy)
				if err != nil {
					return err
				}
				models = append(models, m)
			}
			for _, m := range models {
				m.Progress = bar.phase(m.Graph.Name)
				rows, err := sweep.Launches(c.Context(), m)
				if err != nil {
					return fmt.Errorf("%s: %w", m.Graph.Name, err)
				}
				out.Add(m.Graph.Name, rows)
			}
			machine := models[0].Machine
			out.Machine, out.Clock = machine.Name, machine.GPU.Clock.Picoseconds()
			bar.stop()
			if asJSON {
				return out.JSON(c.OutOrStdout())
			}
			return out.Text(c.OutOrStdout(), machine)
		},
	}
	fl := c.Flags()
	r.machineFlag(c, pimflow.DefaultMachine)
	r.policyFlag(c)
	r.batchFlag(c)
	fl.BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}
