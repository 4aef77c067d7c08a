package main

import (
	"io"
	"math"

	"github.com/spf13/cobra"

	"pimflow"
	"pimflow/internal/fault"
	"pimflow/internal/report"
	"pimflow/internal/trace"
)

func auditCommand() *cobra.Command {
	var machine machineFlags
	var f form
	var most int
	c := &cobra.Command{
		Use:   "audit FILE…",
		Short: "Hold logs of DRAM commands against every rule of a machine's standard",
		Long: `Hold logs of DRAM commands against every rule of a machine's standard.

Which command breaks which rule, in which cycle, by how much; a summary by rule; the refreshes that are missing, and what
they would cost. A file is plain or gzip, "-" is the standard input. What has a command a line is read in constant memory; a loop nest
is held in memory, with at most 2^29 commands in all iterations, about a minute. Channels of several files are held against the
rules each by itself. A file is

  a table      CSV with a first line of names: cycle and command wanted; channel, bank and row where they are there
  a stream     as pimflow emit writes it, with cycles (--timed) or without
  instructions of the published AiM simulator's host, on a machine whose pim.standard is aim or lpddr5-aim
  a trace      of PIMFlow's published simulator, on a machine whose pim.standard is artifact

What has no cycles is issued first, as soon as the rules allow. The exit code is 1 if a rule is broken.`,
		Args: wantArgs(1, math.MaxInt),
		RunE: func(c *cobra.Command, args []string) error {
			m, err := machine.load()
			if err != nil {
				return err
			}
			if most < 0 {
				return fault.Usagef("--most %d: 0 or more wanted", most)
			}
			s, err := trace.New(m, false)
			if err != nil {
				return err
			}
			bar := newBar(c, each(len(args))...)
			defer bar.stop()
			a, err := s.Audit(c.Context(), args, c.InOrStdin(), most, bar.phase)
			if err != nil {
				return err
			}
			bar.stop()
			if err := f.print(c.OutOrStdout(), a, func(w io.Writer) error { return report.Audit(w, a) }); err != nil {
				return err
			}
			if a.Violations > 0 {
				return errFailed
			}
			return nil
		},
	}
	machine.add(c, pimflow.DefaultMachine, "machine by name or .json file, whose rules are wanted")
	c.Flags().IntVar(&most, "most", 10, "list as many violations; all are counted")
	f.flags(c, "violation that is listed")
	return c
}
