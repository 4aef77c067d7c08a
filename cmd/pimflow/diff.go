package main

import (
	"context"
	"strings"

	"pimflow"

	"github.com/spf13/cobra"

	"pimflow/internal/files"
	"pimflow/internal/report"
)

func diffCommand() *cobra.Command {
	var q request
	var f form
	c := &cobra.Command{
		Use:   "diff A B",
		Short: "Print the differences between two plans or runs, layer by layer",
		Long: `Print the differences between two plans or runs, layer by layer, in ns and pJ.

A and B are plans (.plan, as "pimflow run -o" writes) or runs (.json, as "pimflow run --json" prints).
A plan names its network; the plan of another model needs --model. Layers are matched by name.`,
		Args: wantArgs(2, 2),
		RunE: func(c *cobra.Command, args []string) error {
			var runs []*pimflow.Report
			for _, file := range args {
				r, err := loadRun(c.Context(), file, &q)
				if err != nil {
					return err
				}
				runs = append(runs, r)
			}
			d, err := report.NewDiff(args[0], runs[0], args[1], runs[1])
			if err != nil {
				return err
			}
			return f.print(c.OutOrStdout(), d, d.Text)
		},
	}
	c.Flags().StringVar(&q.model, "model", "", "model of the plans, if it is no network of the zoo")
	c.Flags().StringVar(&q.opts.Machine, "machine", "", "machine of the plans, if it is a .json file")
	q.modelFlags(c)
	f.flags(c, "layer that differs")
	return c
}

// loadRun reads a run, or times a plan.
func loadRun(ctx context.Context, file string, q *request) (*pimflow.Report, error) {
	if !strings.HasSuffix(file, ".plan") {
		f, err := files.OpenText(file, report.MaxRun)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return report.ReadRun(f, file)
	}
	if err := q.bind(); err != nil {
		return nil, err
	}
	s, p, err := pimflow.OpenPlan(ctx, file, q.model, q.opts)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return s.Time(p)
}
