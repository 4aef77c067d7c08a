package main

import (
	"fmt"
	"slices"
	"strings"

	"pimflow"

	"github.com/spf13/cobra"

	"pimflow/internal/hw"
	"pimflow/internal/nearest"
	"pimflow/internal/report"
	"pimflow/internal/search"
	"pimflow/internal/sweep"
)

func sensitivityCommand() *cobra.Command {
	var r request
	var only []string
	var asJSON, quick, energy bool
	c := &cobra.Command{
		Use:   "sensitivity MODEL",
		Short: "Change each constant of the machine and print what becomes of the speed-up",
		Long: `Change each constant of the machine and print what becomes of the speed-up.

Each number that a time may depend on is changed by -20, -10, +10 and +20 per cent, one at a time. A whole number is
rounded, and where that leaves it as it is it changes by 1; the row then says which values it took. For each value the
plan is searched again ("again"), and the plan of the machine as it is, unchanged, is timed again ("kept"); the table has
the speed-up of both over the GPU alone on the changed machine. "moved" counts the layers that the plan searched again cuts
in other places or gives to another device. Rows are sorted by "effect", the largest relative change of the speed-up "again". A
value that the machine cannot have is "invalid", with the reason. Energies are left out: no time depends on them.`,
		Args: wantArgs(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			r.model = args[0]
			bar := newBar(c.ErrOrStderr())
			defer bar.stop()
			opened, err := r.open(bar)
			if err != nil {
				return err
			}
			defer opened.Close()
			m, err := varied(opened, r.how.Policy)
			if err != nil {
				return err
			}
			chosen, err := chosen(m.Machine, only, energy)
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
				return fmt.Errorf("%s: %w", m.Graph.Name, err)
			}
			rep := report.NewSensitivity(m.Graph, m.Machine, r.how.Policy, percents, s)
			if energy {
				m.Progress = bar.phase("energies")
				ratio, list, err := s.Energies(c.Context(), m, chosen)
				if err != nil {
					return fmt.Errorf("%s: %w", m.Graph.Name, err)
				}
				rep.SetEnergy(ratio, list)
			}
			bar.stop()
			if asJSON {
				return rep.JSON(c.OutOrStdout())
			}
			return rep.Text(c.OutOrStdout())
		},
	}
	fl := c.Flags()
	r.machineFlag(c, pimflow.DefaultMachine)
	r.policyFlag(c)
	r.batchFlag(c)
	fl.StringSliceVar(&only, "only", nil, "constants or groups of them, as link,pim.timing (default: all)")
	fl.BoolVar(&quick, "quick", false, "only -10 and +10 per cent")
	fl.BoolVar(&energy, "energy", false, "also print what the bounds of each energy constant make of the plan's energy over the GPU's")
	fl.BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// varied returns a session and a policy as the input of package sweep.
func varied(s *pimflow.Session, policy string) (*sweep.Model, error) {
	row, err := search.Lookup(policy)
	if err != nil {
		return nil, err
	}
	g, m, _, _ := s.Internal()
	return &sweep.Model{Graph: g, Machine: m, Policy: row}, nil
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
			return nil, fmt.Errorf("--only %s: machine %s has no such number%s: paths as pimflow machine prints them wanted, as link or pim.timing.rp_ck",
				strings.Join(only, ","), m.Name, nearest.Hint(o, names))
		}
		timed := slices.ContainsFunc(m.Constants(), func(c hw.Constant) bool { return sweep.Within(c.Path, o) && sweep.Timed(c.Path) })
		if !timed && !energy {
			return nil, fmt.Errorf("--only %s: no time depends on %s: --energy shows what energies do", strings.Join(only, ","), o)
		}
	}
	return func(path string) bool {
		return len(only) == 0 || slices.ContainsFunc(only, func(o string) bool { return sweep.Within(path, o) })
	}, nil
}
