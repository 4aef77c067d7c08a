package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"pimflow"

	"github.com/spf13/cobra"

	"pimflow/internal/evaluate"
	"pimflow/internal/explain"
	"pimflow/internal/fault"
	"pimflow/internal/hw"
	"pimflow/internal/platform"
	"pimflow/internal/report"
	"pimflow/internal/search"
	"pimflow/internal/space"
)

// compareFlags holds the flags of compare.
type compareFlags struct {
	request
	policies []string
	batches  []int
	form
	gap      bool
	chains   bool
	verbose  bool
	machines []string
	columns  int
}

// gapTables are the flags of tables with their own policies.
var gapTables = []struct {
	name, of string
	policies []string
	chosen   func(*compareFlags) *bool
}{
	{"gap", "policies pimflow and auto", []string{"pimflow", pimflow.DefaultPolicy}, func(f *compareFlags) *bool { return &f.gap }},
	{"chains", "policy auto", []string{pimflow.DefaultPolicy}, func(f *compareFlags) *bool { return &f.chains }},
}

func compareCommand() *cobra.Command {
	f := &compareFlags{}
	c := &cobra.Command{
		Use:   "compare MODEL…",
		Short: "Plan models under several policies and print the results as a table",
		Long: `Plan models under several policies, and at several batches, and print the results as a table: latency; speed-up and energy
over the GPU alone, with their bounds; images a second if runs follow each other back to back. "gap" is by how much the
latency exceeds the lower bound of all plans of costed tiles, "two tiles" the same for plans with at most two a layer.

A model that cannot be planned is a row with its error. The exit code is then that of the errors, the largest of several.

With --pim-channels auto each policy plans each model for every eighth of the memory channels as PIM channels. The table
has its best plan and that plan's number of channels. Numbers are compared at low effort, and auto's best is searched again
with the effort asked for. run --pim-channels auto also tries numbers in between.`,
		Args: wantArgs(1, math.MaxInt),
		RunE: func(c *cobra.Command, args []string) error {
			for _, x := range gapTables {
				if !*x.chosen(f) {
					continue
				}
				for _, name := range []string{"policy", "json", "csv", "pim-channels"} {
					if c.Flags().Changed(name) {
						return fault.Usagef("--%s prints one table of %s: leave out --%s", x.name, x.of, name)
					}
				}
				f.policies = x.policies
			}
			if f.gap && f.chains {
				return fault.Usagef("--gap does not go with --chains")
			}
			if f.verbose && !f.gap {
				return fault.Usagef("-v goes with --gap")
			}
			if len(f.batches) == 0 {
				f.batches = []int{0} // the model's
			}
			f.columns = columnsOf(c, f.columns)
			return compareModels(c, f, args)
		},
	}
	c.Flags().StringSliceVar(&f.machines, "machine", []string{pimflow.DefaultMachine}, "machines by name or .json file, with commas between them")
	changeFlags(c, &f.opts.GPU, &f.opts.Set)
	profileFlag(c, &f.opts.Profile)
	f.openFlags(c)
	f.effortFlags(c)
	fl := c.Flags()
	fl.StringSliceVar(&f.policies, "policy", pimflow.Policies(), "policies, see pimflow policy")
	fl.IntSliceVar(&f.batches, "batch", nil, "images at once, for models that leave it open; several as 1,4,16 (default 1)")
	fl.StringVar(&f.channels, "pim-channels", "", "number of PIM channels, or auto to search the best (default: the machine's)")
	fl.BoolVar(&f.gap, "gap", false, "print instead how far policy auto is below policy pimflow and above its lower bounds, with the effort of the search")
	fl.BoolVar(&f.chains, "chains", false, "print instead what PIM work spends, in the plans of auto, on values that other PIM work reads")
	columnsFlag(c, &f.columns)
	fl.BoolVarP(&f.verbose, "verbose", "v", false, "with --gap: also the seconds that each search took, bounds included")
	f.form.flags(c, "plan")
	return c
}

// eighths is how many numbers of PIM channels are tried.
const eighths = 8

// compareModels plans models, each at every batch, and prints the results.
func compareModels(c *cobra.Command, f *compareFlags, models []string) error {
	ctx, stdout, stderr := c.Context(), c.OutOrStdout(), c.ErrOrStderr()
	if err := f.check(models); err != nil {
		return err
	}
	plans := len(f.machines) * len(models) * len(f.batches) * len(f.policies)
	if f.channels == autoChannels {
		plans *= eighths
	}
	bar := newBar(c, each(plans)...)
	defer bar.stop()
	all := &report.Comparison{Schema: report.CompareSchema, Columns: f.columns, Own: f.channels == autoChannels, Policies: f.policies}
	var failures []error
	type job struct {
		machine, model string
		batch          int
	}
	var jobs []job
	names := map[string]string{}
	sums := map[string]string{}
	for _, machine := range f.machines {
		m, _, err := hw.LoadWith(machine, f.opts.GPU, f.opts.Set)
		if err != nil {
			return err
		}
		names[machine] = m.Name
		var text strings.Builder
		if err := m.Show(&text); err != nil {
			return err
		}
		if other, there := sums[text.String()]; there {
			return fault.Usagef("--machine: machine %.80q is given twice, as %.80s and as %.80s", m.Name, other, machine)
		}
		sums[text.String()] = machine
		if launches := fmt.Sprintf("gpu=%s pim=%s", m.Launch.GPU, m.Launch.PIM); !slices.Contains(all.Launches, launches) {
			all.Launches = append(all.Launches, launches)
		}
		for _, model := range models {
			for _, batch := range f.batches {
				jobs = append(jobs, job{machine, model, batch})
			}
		}
	}
	for _, machine := range f.machines {
		all.Machines = append(all.Machines, machineLabel(machine, names))
	}
	for _, x := range jobs {
		f.opts.Machine, f.model, f.opts.Batch = x.machine, x.model, x.batch
		m, err := compareModel(ctx, f, all, bar)
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			failures = append(failures, err)
			m = report.ModelResult{Model: x.model, Batch: max(x.batch, 1), Error: fault.Line(err)}
		}
		m.Machine = machineLabel(x.machine, names)
		all.Models = append(all.Models, m)
		patience.Store(int64(grace)) // there is something to print
	}
	bar.stop()
	if ctx.Err() != nil && len(all.Models) == 0 {
		return ctx.Err()
	}
	if len(failures) == len(all.Models) && !slices.ContainsFunc(failures, func(err error) bool { return err.Error() != failures[0].Error() }) {
		return failures[0] // of the machine, or of the only model
	}
	write := all.Text
	switch {
	case f.json:
		write = all.JSON
	case f.csv:
		write = all.CSV
	case f.chains:
		write = all.Chains
	case f.gap:
		write = func(w io.Writer) error { return all.Gaps(w, f.verbose) }
	}
	if ctx.Err() != nil {
		despite(stdout)
	}
	if err := errors.Join(write(stdout), flush(stdout)); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return errRest
	}
	if len(failures) == 0 {
		return nil
	}
	kind := fault.Infeasible
	told := map[string]bool{}
	for _, err := range failures {
		if line := fault.Line(err); !told[line] {
			told[line] = true
			fmt.Fprintln(stderr, "pimflow:", line)
		}
		kind = min(kind, fault.Of(err)) // the largest exit code
	}
	return fault.As(kind, errFailed)
}

// machineLabel is a machine's name, or what it was given as where another of them has the same name.
func machineLabel(given string, names map[string]string) string {
	for other, name := range names {
		if other != given && name == names[given] {
			return given
		}
	}
	return names[given]
}

// check refuses models, policies and batches that are given twice, and unknown policies.
func (f *compareFlags) check(models []string) error {
	given := map[string]bool{}
	for _, m := range models {
		if given[filepath.Clean(m)] {
			return fault.Usagef("model %.80s is given twice", m)
		}
		given[filepath.Clean(m)] = true
	}
	for i, name := range f.policies {
		if _, err := search.Lookup(name); err != nil {
			return fmt.Errorf("--policy: %w", err)
		}
		if slices.Contains(f.policies[:i], name) {
			return fault.Usagef("--policy %s is given twice", name)
		}
	}
	for i, name := range f.machines {
		if slices.ContainsFunc(f.machines[:i], func(other string) bool { return filepath.Clean(other) == filepath.Clean(name) }) {
			return fault.Usagef("--machine %s is given twice", name)
		}
	}
	for i, n := range f.batches {
		if slices.Contains(f.batches[:i], n) {
			return fault.Usagef("--batch %d is given twice", n)
		}
	}
	return nil
}

// compareModel plans one model at one batch under every policy. With auto as --pim-channels it
// tries every eighth of the memory channels as PIM channels, and keeps the best plan of each
// policy. It notes in all what the models have in common.
func compareModel(ctx context.Context, f *compareFlags, all *report.Comparison, bar *bar) (m report.ModelResult, err error) {
	s, err := f.open(ctx, bar)
	if err != nil {
		return m, err
	}
	defer s.Close()
	g, base, _, p := s.Internal()
	if p != nil {
		n, on := p.Measured()
		all.Profile = &report.ProfileFile{File: p.File, Kernels: n, MeasuredOn: on}
	}
	m.Model, m.Bindings = g.Name, s.Bindings()
	numbers := []int{base.Memory.PIMChannels}
	if all.Own {
		numbers = platform.Eighths(base.Memory.Channels)
	}
	e := &evaluate.Evaluator{Over: s, TimeLimit: f.how.TimeLimit}
	defer heap(len(g.Nodes))()
	for k, n := range numbers {
		p, label := space.Point{Model: f.model, Machine: base.Name, Objective: search.Latency.String(), Effort: f.how.Effort}, ""
		if all.Own {
			p.Effort = search.Low.String() // the best is searched again
			p.Set, label = channelsSet(n), fmt.Sprintf(", %d PIM channels", n)
		}
		for i, name := range f.policies {
			if k == 0 {
				m.Results = append(m.Results, report.PolicyResult{Policy: name})
			} else if policy, err := search.Lookup(name); err == nil && policy.PIM == "" {
				continue // policies without PIM do not depend on the number
			}
			bar.label = m.Model + " " + name + label
			p.Policy = name
			row, err := comparePoint(ctx, e, &p, &m)
			if err != nil {
				return m, err
			}
			if best := &m.Results[i]; row.Speedup > best.Speedup {
				*best = row
			}
		}
	}
	if all.Own {
		err = againOf(ctx, f, e, &m)
	}
	return m, err
}

// channelsSet sets the number of PIM channels.
func channelsSet(n int) []string { return []string{fmt.Sprintf("%s=%d", hw.PIMChannels, n)} }

// againOf searches the best number of PIM channels of policy auto, which was found at low effort, with the effort that was asked for.
func againOf(ctx context.Context, f *compareFlags, e *evaluate.Evaluator, m *report.ModelResult) error {
	for i := range m.Results {
		best := &m.Results[i]
		if policy, err := search.Lookup(best.Policy); best.Speedup == 0 || err != nil || !policy.All {
			continue
		}
		p := space.Point{Model: f.model, Set: channelsSet(best.PIMChannels), Policy: best.Policy, Objective: search.Latency.String(), Effort: f.how.Effort}
		bounds := *m // those of all numbers stay
		row, err := comparePoint(ctx, e, &p, &bounds)
		if err != nil {
			return err
		}
		if best.Effort = row.Effort; row.Speedup > best.Speedup {
			*best = row
		}
	}
	return nil
}

// comparePoint plans a point. The speed-up stays 0 if its policy has no device for some layer.
func comparePoint(ctx context.Context, e *evaluate.Evaluator, p *space.Point, m *report.ModelResult) (report.PolicyResult, error) {
	row := report.PolicyResult{Policy: p.Policy}
	of, err := e.Find(ctx, p, space.Full, nil)
	if errors.Is(err, pimflow.ErrNoDevice) {
		return row, nil
	}
	if err != nil {
		return row, err
	}
	r, err := of.Session.Time(of.Plan)
	if err != nil {
		return row, err
	}
	m.Baseline, m.Batch = r.Baseline, r.Throughput.Images
	row = report.PolicyResult{
		Policy: p.Policy, Total: r.Total, TotalLow: r.TotalLow, TotalHigh: r.TotalHigh, Speedup: r.Speedup, SpeedupLow: r.Low, SpeedupHigh: r.High,
		Energy: r.Energy.Ratio, EnergyLow: r.Energy.RatioLow, EnergyHigh: r.Energy.RatioHigh,
		Power: r.Energy.Power, PowerLow: r.Energy.PowerLow, PowerHigh: r.Energy.PowerHigh,
		Efficiency: r.Energy.Efficiency, EfficiencyLow: r.Energy.EfficiencyLow, EfficiencyHigh: r.Energy.EfficiencyHigh,
		Period: r.Throughput.Period, Rate: r.Throughput.Rate,
		GPUBusy: r.GPUBusy, PIMBusy: r.PIMBusy, PIMChannels: of.Plan.Internal().Plan.PIMChannels,
		Effort: r.Effort, Search: r.Search, Chain: explain.ChainOf(of.Plan.Internal().Timeline),
	}
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
