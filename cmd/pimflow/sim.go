package main

import (
	"context"
	"fmt"
	"io"
	"math"

	"github.com/spf13/cobra"

	"pimflow/internal/dram/aimhost"
	"pimflow/internal/fault"
	"pimflow/internal/report"
	"pimflow/internal/trace"
)

// noHidingHelp is the meaning of --no-hiding.
const noHidingHelp = "without GWRITE latency hiding: a GWRITE holds the next GWRITE or G_ACT for the columns of a row times ccds_ck"

func simCommand() *cobra.Command {
	var machine machineFlags
	var table string
	var noHiding, asJSON bool
	c := &cobra.Command{
		Use:   "sim FILE…",
		Short: "Time the command traces of DRAM channels, as the published simulator does",
		Long: `Time the command traces of DRAM channels, as the published simulator does.

A trace is the text of PIMFlow's command generator: one command of one channel a line, plain or gzip; "-" is
the standard input. It is read in constant memory. A line on which the published simulator hangs, aborts
or that it drops silently is an error.

Energy is that of the traces' own channels, by the published simulator's constants.

On a machine whose pim.standard is aim, a trace is the text of aim_simulator: instructions of one host for
all channels, up to AiM EOC; as there, refreshes are not simulated. --csv runs the traces of a table, written with loops as
8*i(AiM MAC_ABK 3 0x1 {i}) | AiM EOC, and prints its rows with new counts.`,
		Args: func(c *cobra.Command, args []string) error {
			if table != "" {
				return wantArgs(0, 0)(c, args)
			}
			return wantArgs(1, math.MaxInt)(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			m, err := machine.load()
			if err != nil {
				return err
			}
			s, err := trace.New(m, noHiding)
			switch {
			case err != nil:
				return err
			case noHiding && aimhost.Hosts(s.Standard):
				return fault.Usagef("--no-hiding: machine %s has pim.standard %s, without GWRITE", m.Name, s.Standard.Name)
			case table != "" && !aimhost.Hosts(s.Standard):
				return fault.Usagef("--csv: machine %s has pim.standard %s: one with host instructions wanted, as --machine aim", m.Name, s.Standard.Name)
			case table != "" && asJSON:
				return fault.Usagef("--json does not go with --csv")
			case table != "":
				return s.HostTable(c.Context(), table, c.InOrStdin(), lines(c.OutOrStdout()))
			}
			bar := newBar(c.ErrOrStderr())
			defer bar.stop()
			if aimhost.Hosts(s.Standard) {
				return simHost(c.Context(), s, args, asJSON, bar, c.InOrStdin(), c.OutOrStdout())
			}
			traces, err := s.Files(c.Context(), args, c.InOrStdin(), bar.phase)
			if err != nil {
				return err
			}
			bar.stop()
			if asJSON {
				return report.JSON(c.OutOrStdout(), traces)
			}
			return report.Traces(c.OutOrStdout(), traces)
		},
	}
	machine.add(c, PublishedMachine, "machine by name or .json file, whose PIM clock and timing are used")
	c.Flags().BoolVar(&noHiding, "no-hiding", false, noHidingHelp)
	c.Flags().StringVar(&table, "csv", "", "run the column trace of this file, on a machine with host instructions")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// simHost times files of host instructions and prints them one after the other.
func simHost(ctx context.Context, s *trace.Simulator, files []string, asJSON bool, bar *bar, stdin io.Reader, stdout io.Writer) error {
	list, err := s.HostFiles(ctx, files, stdin, bar.phase)
	if err != nil {
		return err
	}
	bar.stop()
	for i := range list {
		write := report.Host
		if asJSON {
			write = report.HostJSON
		} else if i > 0 {
			fmt.Fprintln(stdout)
		}
		if err := write(stdout, &list[i]); err != nil {
			return err
		}
	}
	return nil
}
