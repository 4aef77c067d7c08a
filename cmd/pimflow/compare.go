package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"

	"pimflow"

	"github.com/spf13/cobra"

	"pimflow/internal/platform"
	"pimflow/internal/report"
	"pimflow/internal/search"
)

func compareCommand() *cobra.Command {
	var r request
	var asJSON bool
	c := &cobra.Command{
		Use:   "compare MODEL…",
		Short: "Plan models under every policy and print the results as a table",
		Long: `Plan models under every policy and print the results as a table. The last rows are times below that of policy
pimflow, in per cent: auto's plan and two lower bounds, that of all plans and that of plans with at most two tiles a layer
(two tiles).

With --pim-channels auto each policy plans each model for every eighth of the memory channels as PIM channels. The table
has its best plan and that plan's number of channels. run --pim-channels auto also tries numbers in between.`,
		Args: wantArgs(1, math.MaxInt),
		RunE: func(c *cobra.Command, args []string) error {
			bar := newBar(c.ErrOrStderr())
			defer bar.stop()
			all := &report.Comparison{Schema: report.CompareSchema}
			for _, model := range args {
				r.model = model
				s, err := r.open(bar)
				if err != nil {
					return err
				}
				own := r.channels == autoChannels
				m, err := compareModel(c.Context(), s, own, bar)
				s.Close()
				if err != nil {
					return err
				}
				all.Machine, all.Own = s.Machine().Name(), own
				if _, _, _, p := s.Internal(); p != nil {
					n, on := p.Measured()
					all.Profile = &report.ProfileFile{File: p.File, Kernels: n, MeasuredOn: on}
				}
				all.Models = append(all.Models, m)
			}
			all.Policies = pimflow.Policies()
			bar.stop()
			if asJSON {
				return all.JSON(c.OutOrStdout())
			}
			return all.Text(c.OutOrStdout())
		},
	}
	r.machineFlag(c, pimflow.DefaultMachine)
	r.batchFlag(c)
	profileFlag(c, &r.opts.Profile)
	c.Flags().StringVar(&r.channels, "pim-channels", "", "number of PIM channels, or auto to search the best (default: the machine's)")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// compareModel plans one model under every policy. With own it tries every eighth of the memory
// channels as PIM channels, and keeps the best plan of each policy.
func compareModel(ctx context.Context, s *pimflow.Session, own bool, bar *bar) (report.ModelResult, error) {
	g, base, _, _ := s.Internal()
	m := report.ModelResult{Model: g.Name}
	numbers := []int{base.Memory.PIMChannels}
	if own {
		numbers = platform.Eighths(base.Memory.Channels)
	}
	for k, n := range numbers {
		on, label := s, m.Model+" %s"
		if own {
			label += fmt.Sprintf(", %d PIM channels", n)
			var err error
			if on, err = withChannels(s, strconv.Itoa(n)); err != nil {
				return m, err
			}
		}
		for i, policy := range search.Policies() {
			if k == 0 {
				m.Results = append(m.Results, report.PolicyResult{Policy: policy.Name})
			} else if policy.PIM == "" {
				continue // policies without PIM do not depend on the number
			}
			bar.label = fmt.Sprintf(label, policy.Name)
			row, err := comparePolicy(ctx, on, policy.Name, &m)
			if err != nil {
				return m, err
			}
			if best := &m.Results[i]; row.Speedup > best.Speedup {
				*best = row
			}
		}
	}
	return m, nil
}

// comparePolicy plans a model under a policy. The speed-up stays 0 if the policy has no device for
// some layer.
func comparePolicy(ctx context.Context, s *pimflow.Session, policy string, m *report.ModelResult) (report.PolicyResult, error) {
	row := report.PolicyResult{Policy: policy}
	p, err := find(ctx, s, pimflow.Search{Policy: policy})
	if errors.Is(err, pimflow.ErrNoDevice) {
		return row, nil
	}
	if err != nil {
		return row, err
	}
	r, err := s.Time(p)
	if err != nil {
		return row, err
	}
	m.Baseline = r.Baseline
	row.Total, row.Speedup, row.GPUBusy, row.PIMBusy, row.PIMChannels = r.Total, r.Speedup, r.GPUBusy, r.PIMBusy, r.PIMChannels
	for _, b := range []struct{ of, least **float64 }{{&r.Bound, &m.Bound}, {&r.BoundTwo, &m.BoundTwo}} {
		if *b.of != nil && (*b.least == nil || **b.of < **b.least) {
			*b.least = *b.of
		}
	}
	if r.GPUProfile != nil {
		row.GPUSources = &r.GPUProfile.Plan
	}
	return row, nil
}
