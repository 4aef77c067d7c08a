package main

import (
	"slices"
	"strings"

	"pimflow"

	"github.com/spf13/cobra"

	"pimflow/internal/fault"
	"pimflow/internal/hw"
	"pimflow/internal/nearest"
	"pimflow/internal/report"
	"pimflow/internal/search"
	"pimflow/internal/sweep"
)

func sensitivityCommand() *cobra.Command {
	var r request
	var only []string
	var quick, energy bool
	var f form
	c := &cobra.Command{
		Use:   "sensitivity MODEL",
		Short: "Print the sensitivity of the speed-up to each constant of the machine",
		Long: `Print the sensitivity of the speed-up to each constant of the machine (one-at-a-time analysis).

Each number that a time can depend on changes by -20, -10, +10 and +20 per cent, one at a time. Whole numbers are rounded
and change by at least 1; the row then lists their values. For each value a plan is searched again, and every plan that is
found for any value is timed for each: "again" has the best. "kept" has the plan of the unchanged machine. The table has
the speed-up of both over the GPU alone on the changed machine. "moved" counts the layers that the new plan splits or
places differently. "effect", which sorts the rows, is the largest relative change of the speed-up "again". "noise" is the
most that a search missed and another found: an effect of that size may be the searches'. An "invalid" value is one
that the machine cannot have; the reason follows. Energies are left out: no time depends on them.`,
		Args: wantArgs(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			r.model = args[0]
			opened, err := r.open(c.Context(), &bar{}) // searches run at the same time
			if err != nil {
				return err
			}
			defer opened.Close()
			m, err := varied(&r, opened)
			if err != nil {
				return err
			}
			parts := []part{{"constants", 20}}
			if energy {
				parts = append(parts, part{"energies", 1})
			}
			bar := newBar(c, parts...)
			defer bar.stop()
			graph, machine, _, _ := opened.Internal()
			chosen, err := chosen(machine, only, energy)
			if err != nil {
				return err
			}
			percents := []int{-20, -10, 10, 20}
			if quick {
				percents = []int{-10, 10}
			}
			m.Progress = bar.phase("constants")
			s, err := sweep.Vary(c.Context(), m, percents, chosen)
			if err != nil {
				return err
			}
			rep := report.NewSensitivity(graph, machine, r.how.Policy, percents, s)
			rep.Bindings = opened.Bindings()
			if energy {
				m.Progress = bar.phase("energies")
				ratio, list, err := s.Energies(c.Context(), m, chosen)
				if err != nil {
					return err
				}
				rep.SetEnergy(ratio, list)
			}
			bar.stop()
			return f.print(c.OutOrStdout(), rep, rep.Text)
		},
	}
	fl := c.Flags()
	r.machineFlag(c, pimflow.DefaultMachine)
	r.policyFlag(c)
	r.modelFlags(c)
	fl.StringSliceVar(&only, "only", nil, "constants or groups of constants, as link,pim.timing (default: all)")
	fl.BoolVar(&quick, "quick", false, "only -10 and +10 per cent")
	fl.BoolVar(&energy, "energy", false, "also print the ratio of the plan's energy to the GPU's at the bounds of each energy constant")
	f.flags(c, "change of a constant")
	return c
}

// varied returns a session and a policy as the input of package sweep.
func varied(r *request, s *pimflow.Session) (*sweep.Model, error) {
	_, err := search.Lookup(r.how.Policy)
	return &sweep.Model{Name: r.model, Session: s, Policy: r.how.Policy}, err
}

// chosen returns a function that accepts the constants of --only, paths or beginnings of paths.
func chosen(m *hw.Machine, only []string, energy bool) (func(path string) bool, error) {
	var names []string // paths, and the beginnings of paths
	for _, c := range m.Constants() {
		for at := 0; at < len(c.Path); at++ {
			if c.Path[at] == '.' && !slices.Contains(names, c.Path[:at]) {
				names = append(names, c.Path[:at])
			}
		}
		names = append(names, c.Path)
	}
	for _, o := range only {
		if !slices.Contains(names, o) {
			return nil, fault.Usagef("--only %s: machine %s has no such number%s: paths as pimflow machine prints them wanted, as link or pim.timing.rp_ck",
				strings.Join(only, ","), m.Name, nearest.Hint(o, names))
		}
		if slices.ContainsFunc(m.Constants(), func(c hw.Constant) bool { return sweep.Within(c.Path, o) }) &&
			!slices.ContainsFunc(m.Constants(), func(c hw.Constant) bool { return sweep.Within(c.Path, o) && !sweep.OfBounds(c.Path) }) {
			return nil, fault.Usagef("--only %s: only bounds of times depend on %s", strings.Join(only, ","), o)
		}
		timed := slices.ContainsFunc(m.Constants(), func(c hw.Constant) bool { return sweep.Within(c.Path, o) && sweep.Timed(m, c.Path) })
		if !timed && !energy {
			return nil, fault.Usagef("--only %s: no time depends on %s: --energy shows what energies do", strings.Join(only, ","), o)
		}
	}
	return func(path string) bool {
		return len(only) == 0 || slices.ContainsFunc(only, func(o string) bool { return sweep.Within(path, o) })
	}, nil
}
