package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/spf13/cobra"

	"pimflow/internal/dram"
	"pimflow/internal/dram/aimhost"
	"pimflow/internal/dram/hbmhost"
	"pimflow/internal/emit"
	"pimflow/internal/fault"
	"pimflow/internal/report"
	"pimflow/internal/trace"
)

// noHidingHelp is the meaning of --no-hiding.
const noHidingHelp = "without GWRITE latency hiding: a GWRITE holds the next GWRITE or G_ACT for the columns of a row times ccds_ck"

func simCommand() *cobra.Command {
	var machine machineFlags
	var table string
	var noHiding, asJSON, values, stalls bool
	c := &cobra.Command{
		Use:   "sim FILE…|DIR",
		Short: "Time the command traces of DRAM channels, as the published simulators do, and streams of pimflow emit",
		Long: `Time the command traces of DRAM channels, as the published simulators do, and streams of pimflow emit.

DIR is a folder of pimflow emit: its machine counts, its files must be as they were written, and each channel must take
the cycles of the manifest. A FILE of it is a stream or a table of commands, alone; --machine names its machine.
Loops are not written out.

Otherwise a trace is the text of PIMFlow's command generator: one command of one channel a line, plain or gzip; "-" is
the standard input. It is read in constant memory. A line on which the published simulator hangs, aborts
or that it drops silently is an error.

Energy is that of the traces' own channels, by the published simulator's constants.

On a machine whose pim.standard is aim or lpddr5-aim, a trace is the text of aim_simulator: instructions of one
host for all channels, up to AiM EOC, without refreshes. --csv runs the traces of a table, written with loops as
8*i(AiM MAC_ABK 3 0x1 {i}) | AiM EOC, and prints its rows with new counts; on lpddr5-aim by the rules of that
simulator's device, slips included, with the refreshes of the columns refi and rfc, in ticks; without these columns there are none.

On a machine whose pim.standard is hbm-pim, --csv runs traces of the open model of HBM3-PIM (DCC, ISCA 2026), as
8*r(32*c(MACAB {r} {c}) | BAR), by its rules and in each row's preset, refi and rfc; without a column preset in the timing of the machine,
without refi and rfc refreshed as the preset or the machine is. Rows of kind sched need its controller, which
reorders: a column not_simulated says so. A table with columns M, K and N in place of traces is one of products, timed with two programs
of the units in every division over the channels; column over is the ratio to a column best_ns.`,
		Args: func(c *cobra.Command, args []string) error {
			if table != "" && len(args) > 0 {
				return fault.Usagef("sim: --csv and %.80q: one of a table and files wanted", args[0])
			}
			if table != "" {
				return nil
			}
			return wantArgs(1, math.MaxInt)(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 && isFolder(args[0]) {
				for _, flag := range []string{"machine", "gpu", "set", "no-hiding"} {
					if c.Flags().Changed(flag) {
						return fault.Usagef("--%s: the machine of folder %.80s is in it: leave it out, or name single files", flag, args[0])
					}
				}
				if values {
					return simValues(c, args[0], asJSON)
				}
				return simFolder(c, args[0], asJSON, stalls)
			}
			if values {
				return fault.Usagef("--values: a folder of pimflow emit --images wanted")
			}
			m, err := machine.load()
			if err != nil {
				return err
			}
			s, err := trace.New(m, noHiding)
			stdin := bufio.NewReaderSize(c.InOrStdin(), dram.MaxLine)
			stream := false
			if err == nil && len(args) > 0 {
				stream, err = trace.IsStream(args[0], stdin)
			}
			switch {
			case err != nil:
				return err
			case noHiding && (aimhost.Hosts(s.Standard) || hbmhost.Hosts(s.Standard)):
				return fault.Usagef("--no-hiding: machine %s has pim.standard %s, without GWRITE", m.Name, s.Standard.Name)
			case table != "" && !aimhost.Hosts(s.Standard) && !hbmhost.Hosts(s.Standard):
				return fault.Usagef("--csv: machine %s has pim.standard %s: one with host instructions wanted, as --machine aim, or hbm-pim", m.Name, s.Standard.Name)
			case stalls && asJSON:
				return fault.Usagef("--json does not go with --stalls")
			case table != "" && asJSON:
				return fault.Usagef("--json does not go with --csv")
			case stalls && !stream:
				return fault.Usagef("--stalls: streams or tables of pimflow emit wanted")
			case table != "" && hbmhost.Hosts(s.Standard):
				return s.ModelTable(c.Context(), table, c.InOrStdin(), lines(c.OutOrStdout()), rowBars(c))
			case table != "":
				return s.HostTable(c.Context(), table, c.InOrStdin(), lines(c.OutOrStdout()), rowBars(c))
			}
			bar := newBar(c, each(len(args))...)
			defer bar.stop()
			if stream {
				list, err := s.Streams(c.Context(), args, stdin, stalls, bar.phase)
				if err != nil {
					return err
				}
				bar.stop()
				switch {
				case stalls:
					return report.Stalls(c.OutOrStdout(), nil, list)
				case asJSON:
					return report.JSON(c.OutOrStdout(), list)
				}
				return report.Streams(c.OutOrStdout(), list)
			}
			if aimhost.Hosts(s.Standard) {
				return simHost(c.Context(), s, args, asJSON, bar, stdin, c.OutOrStdout())
			}
			traces, err := s.Files(c.Context(), args, stdin, bar.phase)
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
	c.Flags().BoolVar(&stalls, "stalls", false, "of streams: print CSV, where the cycles of each channel go: commands, waits by rule, data bus, MAC units, open rows by bank")
	c.Flags().BoolVar(&values, "values", false, "perform the streams of a folder on its images, and hold every value against them to the bit")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// rowBars are the phases of a table's rows: a bar each, which is gone before the row is printed.
func rowBars(c *cobra.Command) trace.RowPhase {
	return func(name string) (func(done, total int), func()) {
		bar := newBar(c, each(1)...)
		return bar.phase(name), bar.stop
	}
}

// simFolder times the streams of a folder of pimflow emit, and holds them against its manifest.
func simFolder(c *cobra.Command, folder string, asJSON, stalls bool) error {
	man, m, err := emit.Read(folder)
	if err != nil {
		return err
	}
	if err := man.Verify(c.Context(), folder); err != nil {
		return err
	}
	s, err := trace.New(m, false)
	if err != nil {
		return err
	}
	names := man.Files(folder)
	bar := newBar(c, each(len(names))...)
	defer bar.stop()
	if man.Format == "aim" && stalls {
		return fault.Usagef("--stalls: host instructions in folder %.80s: loop nests or tables wanted", folder)
	}
	if man.Format == "aim" {
		list, err := s.HostFiles(c.Context(), names, nil, bar.phase)
		if err != nil {
			return err
		}
		bar.stop()
		for i, ch := range man.AllChannels() {
			if err := man.HoldHost(names[i], ch, list[i].Cycles, list[i].Issued); err != nil {
				return err
			}
		}
		if asJSON {
			return report.JSON(c.OutOrStdout(), &trace.Hosts{Schema: trace.HostsSchema, Traces: list})
		}
		return report.Hosts(c.OutOrStdout(), man, list)
	}
	list, err := s.Streams(c.Context(), names, nil, stalls, bar.phase)
	if err != nil {
		return err
	}
	bar.stop()
	for i, ch := range man.AllChannels() {
		x := &list.Streams[i]
		taken := &emit.Taken{Cycles: x.Cycles, Issued: x.Issued, Timed: x.Timed, Unrefreshed: x.Unrefreshed, Commands: x.Own}
		if err := man.Hold(names[i], ch, taken); err != nil {
			return err
		}
	}
	switch {
	case stalls:
		return report.Stalls(c.OutOrStdout(), man, list)
	case asJSON:
		return report.JSON(c.OutOrStdout(), list)
	}
	return report.StreamSteps(c.OutOrStdout(), man, list)
}

// simValues performs the streams of a folder of pimflow emit.
func simValues(c *cobra.Command, folder string, asJSON bool) error {
	man, m, err := emit.Read(folder)
	if err != nil {
		return err
	}
	if err := man.Verify(c.Context(), folder); err != nil {
		return err
	}
	bar := newBar(c)
	defer bar.stop()
	done, err := emit.Perform(c.Context(), folder, man, m, bar.phase("perform"), nil)
	if err != nil {
		return err
	}
	bar.stop()
	if asJSON {
		return report.JSON(c.OutOrStdout(), done)
	}
	return report.Performed(c.OutOrStdout(), man, done)
}

// isFolder reports whether a name is that of a folder.
func isFolder(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
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
