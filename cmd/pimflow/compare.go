package main

import (
	"cmp"
	"context"
	"errors"
	"math"

	"github.com/spf13/cobra"

	"pimflow/internal/report"
	"pimflow/internal/search"
)

func compareCommand() *cobra.Command {
	var machine, prof string
	var batch int
	var asJSON bool
	c := &cobra.Command{
		Use:   "compare MODEL…",
		Short: "Plan models under every policy and print the results as a table",
		Args:  wantArgs(1, math.MaxInt),
		RunE: func(c *cobra.Command, args []string) error {
			bar := newBar(c.ErrOrStderr())
			defer bar.stop()
			all := &report.Comparison{Schema: report.CompareSchema}
			for _, model := range args {
				p, err := open(request{model: model, machine: machine, batch: batch, profile: prof})
				if err != nil {
					return err
				}
				m, err := compareModel(c.Context(), p, bar)
				p.Close()
				if err != nil {
					return err
				}
				all.Machine = p.Machine.Name
				if p.Profile != nil {
					file := report.NewProfileFile(p.Profile)
					all.Profile = &file
				}
				all.Models = append(all.Models, m)
			}
			for _, policy := range search.Policies() {
				all.Policies = append(all.Policies, policy.Name)
			}
			bar.stop()
			if asJSON {
				return all.JSON(c.OutOrStdout())
			}
			return all.Text(c.OutOrStdout())
		},
	}
	c.Flags().StringVar(&machine, "machine", DefaultMachine, "machine by name or .json file")
	profileFlag(c, &prof)
	c.Flags().IntVar(&batch, "batch", 0, "images at once, for models that leave it open (default 1)")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// compareModel plans one model under every policy.
func compareModel(ctx context.Context, p *path, bar *bar) (report.ModelResult, error) {
	m := report.ModelResult{Model: p.Graph.Name}
	for _, policy := range search.Policies() {
		p.Target.Progress = bar.phase(m.Model + " " + policy.Name)
		if err := cmp.Or(p.search(ctx, policy.Name), ctx.Err()); errors.Is(err, search.ErrNoDevice) {
			m.Results = append(m.Results, report.PolicyResult{Policy: policy.Name})
			continue
		} else if err != nil {
			return m, err
		}
		r := report.New(p.Graph, p.Machine, p.Result)
		m.Baseline = r.Baseline
		row := report.PolicyResult{
			Policy: r.Policy, Total: r.Total, Speedup: r.Speedup, GPUBusy: r.GPUBusy, PIMBusy: r.PIMBusy,
		}
		if p.Profile != nil {
			n := report.SourcesOf(p.Result.Timeline)
			row.GPUSources = &n
		}
		m.Results = append(m.Results, row)
	}
	return m, nil
}
