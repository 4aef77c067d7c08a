package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/spf13/cobra"

	"pimflow/internal/plan"
	"pimflow/internal/report"
	"pimflow/internal/search"
)

func compareCommand() *cobra.Command {
	var machine, prof, channels string
	var batch int
	var asJSON bool
	c := &cobra.Command{
		Use:   "compare MODEL…",
		Short: "Plan models under every policy and print the results as a table",
		Long: `Plan models under every policy and print the results as a table. Below it is by how much less than
pimflow's plan auto's takes, that plan itself would take if its PIM work were launched together (joint), and any plan can,
or any that cuts no layer in more than two pieces: the bounds that run prints.

With --pim-channels auto each policy plans each model with every eighth of the machine's channels computing, and the best
of its plans is in the table, with its number of channels; run --pim-channels auto tries numbers in between, too.`,
		Args: wantArgs(1, math.MaxInt),
		RunE: func(c *cobra.Command, args []string) error {
			bar := newBar(c.ErrOrStderr())
			defer bar.stop()
			all := &report.Comparison{Schema: report.CompareSchema}
			for _, model := range args {
				p, err := open(request{model: model, machine: machine, batch: batch, profile: prof, channels: channels})
				if err != nil {
					return err
				}
				compare := compareModel
				if channels == autoChannels {
					compare = compareChannels
				}
				m, err := compare(c.Context(), p, bar)
				p.Close()
				if err != nil {
					return err
				}
				all.Machine, all.Own = p.Machine.Name, channels == autoChannels
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
	c.Flags().StringVar(&channels, "pim-channels", "", "how many memory channels compute, or auto: how many is best (default: the machine's)")
	c.Flags().IntVar(&batch, "batch", 0, "images at once, for models that leave it open (default 1)")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// compareModel plans one model under every policy.
func compareModel(ctx context.Context, p *path, bar *bar) (report.ModelResult, error) {
	m := report.ModelResult{Model: p.Graph.Name}
	for _, policy := range search.Policies() {
		p.Target.Progress = bar.phase(m.Model + " " + policy.Name)
		row, err := p.result(ctx, policy, &m)
		if err != nil {
			return m, err
		}
		m.Results = append(m.Results, row)
	}
	return m, nil
}

// compareChannels plans one model under every policy with every eighth of the channels
// computing, and keeps the best plan of each.
func compareChannels(ctx context.Context, p *path, bar *bar) (report.ModelResult, error) {
	m := report.ModelResult{Model: p.Graph.Name}
	base := p.Machine
	for k, n := range eighths(base.Memory.Channels) {
		if err := p.use(withChannels(base, n), nil); err != nil {
			return m, err
		}
		for i, policy := range search.Policies() {
			if k == 0 {
				m.Results = append(m.Results, report.PolicyResult{Policy: policy.Name})
			} else if policy.PIM == "" {
				continue // the same whatever computes
			}
			p.Target.Progress = bar.phase(fmt.Sprintf("%s %s, %d PIM channels", m.Model, policy.Name, n))
			row, err := p.result(ctx, policy, &m)
			if err != nil {
				return m, err
			}
			if best := &m.Results[i]; row.Speedup > best.Speedup {
				*best = row
			}
		}
	}
	p.Machine = base
	return m, nil
}

// result plans a model under a policy; without a speed-up where that has no device for
// some layer.
func (p *path) result(ctx context.Context, policy search.Policy, m *report.ModelResult) (report.PolicyResult, error) {
	row := report.PolicyResult{Policy: policy.Name}
	if err := cmp.Or(p.search(ctx, policy.Name), ctx.Err()); errors.Is(err, search.ErrNoDevice) {
		return row, nil
	} else if err != nil {
		return row, err
	}
	r := report.New(p.Graph, p.Machine, p.Result)
	m.Baseline = r.Baseline
	row.Total, row.Speedup, row.GPUBusy, row.PIMBusy, row.PIMChannels = r.Total, r.Speedup, r.GPUBusy, r.PIMBusy, r.PIMChannels
	var joint *float64
	if policy.Name == report.Measure {
		pl := *p.Result.Plan
		pl.Launch = plan.Joint
		same, err := search.Given(p.Graph, &pl, p.Target)
		if err != nil {
			return row, err
		}
		ns := same.Timeline.Total.NS()
		joint = &ns
	}
	for _, b := range []struct{ of, least **float64 }{{&joint, &m.Joint}, {&r.Bound, &m.Bound}, {&r.BoundTwo, &m.BoundTwo}} {
		if *b.of != nil && (*b.least == nil || **b.of < **b.least) {
			*b.least = *b.of
		}
	}
	if p.Profile != nil {
		n := report.SourcesOf(p.Result.Timeline)
		row.GPUSources = &n
	}
	return row, nil
}
