package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"pimflow/internal/device"
	"pimflow/internal/dram"
	"pimflow/internal/dram/aimhost"
	"pimflow/internal/hw"
	"pimflow/internal/pim"
	"pimflow/internal/report"
)

// noHidingHelp is the meaning of --no-hiding.
const noHidingHelp = "without GWRITE latency hiding: a GWRITE holds the next GWRITE or G_ACT for columns_per_row times ccds_ck"

func simCommand() *cobra.Command {
	var machine, table string
	var noHiding, asJSON bool
	c := &cobra.Command{
		Use:   "sim FILE…",
		Short: "Time the command traces of DRAM channels, as the published simulator does",
		Long: `Time the command traces of DRAM channels, as the published simulator does.

A trace is the text that PIMFlow's command generator writes: a command of one channel a line, plain or
gzip; "-" is the standard input. It is read in constant memory. Where the published simulator hangs,
aborts or drops a line without a word, the line is an error.

Energy is that of the traces' own channels by the published simulator's constants.

On a machine whose pim.standard is aim, a trace is the text that aim_simulator reads: instructions of one
host for all channels, up to AiM EOC; as there, no refresh is served. --csv runs the traces of a table, written with loops as
8*i(AiM MAC_ABK 3 0x1 {i}) | AiM EOC, and prints its rows with what can be counted counted anew.`,
		Args: func(c *cobra.Command, args []string) error {
			if table != "" {
				return wantArgs(0, 0)(c, args)
			}
			return wantArgs(1, math.MaxInt)(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			s, err := newSimulator(machine, noHiding)
			switch {
			case err != nil:
				return err
			case noHiding && aimhost.Hosts(s.std):
				return fmt.Errorf("--no-hiding: machine %s has pim.standard %s, without GWRITE", s.machine.Name, s.std.Name)
			case table != "" && !aimhost.Hosts(s.std):
				return fmt.Errorf("--csv: machine %s has pim.standard %s: one with host instructions wanted, as --machine aim", s.machine.Name, s.std.Name)
			case table != "" && asJSON:
				return fmt.Errorf("--json does not go with --csv")
			case table != "":
				return s.hostTable(c.Context(), table, c.InOrStdin(), c.OutOrStdout())
			case aimhost.Hosts(s.std):
				return s.hostTraces(c.Context(), args, asJSON, c.InOrStdin(), c.OutOrStdout(), c.ErrOrStderr())
			}
			rep, err := s.traces(c.Context(), args, c.InOrStdin(), c.ErrOrStderr())
			if err != nil {
				return err
			}
			if asJSON {
				return rep.JSON(c.OutOrStdout())
			}
			return rep.Text(c.OutOrStdout())
		},
	}
	c.Flags().StringVar(&machine, "machine", PublishedMachine, "machine by name or .json file, whose PIM clock and timing are used")
	c.Flags().BoolVar(&noHiding, "no-hiding", false, noHidingHelp)
	c.Flags().StringVar(&table, "csv", "", "run the column trace of this file, on a machine with host instructions")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// simulator times channels of a machine.
type simulator struct {
	machine *hw.Machine
	std     *dram.Standard
	channel *dram.Channel
}

func newSimulator(machine string, noHiding bool) (*simulator, error) {
	m, err := hw.Load(machine)
	if err != nil {
		return nil, err
	}
	return simulate(m, noHiding)
}

// simulate returns the simulator of a machine, or of the same without latency hiding.
func simulate(m *hw.Machine, noHiding bool) (*simulator, error) {
	std, err := dram.Lookup(m.PIM.Standard)
	if err != nil {
		return nil, fmt.Errorf("machine %s: pim.standard: %w", m.Name, err)
	}
	if noHiding {
		exposed := *m
		exposed.PIM.Timing = pim.Exposed(&m.PIM)
		m = &exposed
	}
	ch, err := std.New(dram.Timing(m.PIM.Timing))
	if err != nil {
		return nil, fmt.Errorf("machine %s: pim.timing: %w", m.Name, err)
	}
	return &simulator{m, std, ch}, nil
}

// traces times files one after the other.
func (s *simulator) traces(ctx context.Context, files []string, stdin io.Reader, stderr io.Writer) (*report.Sim, error) {
	bar := newBar(stderr)
	defer bar.stop()
	rep := &report.Sim{
		Schema: report.SimSchema, Machine: s.machine.Name, Clock: s.machine.PIM.Clock.Picoseconds(),
		Gap: s.machine.PIM.Timing["gwrite_gap_ck"],
	}
	var all dram.Result
	slowest := 0
	for i, file := range files {
		if j := slices.Index(files, file); j < i {
			return nil, fmt.Errorf("%s is given twice", file)
		}
		r, err := s.trace(ctx, file, stdin, bar.phase(file))
		if err != nil {
			return nil, err
		}
		rep.Traces = append(rep.Traces, s.result(file, r))
		if i == 0 {
			all.Issued = make([]int64, len(r.Issued))
		}
		for op, n := range r.Issued {
			all.Issued[op] += n
		}
		if r.Cycles > all.Cycles {
			all.Cycles, slowest = r.Cycles, i
		}
	}
	if len(files) > 1 {
		sum := s.result(files[slowest], all)
		rep.All = &sum
	}
	return rep, nil
}

// result is a result for people.
func (s *simulator) result(file string, r dram.Result) report.SimTrace {
	t := report.SimTrace{
		File: file, Cycles: int64(r.Cycles), NS: s.ns(r.Cycles),
		Issued: s.counts(r.Issued), Total: s.commands(r.Issued),
	}
	if f := s.std.Refresh; f != nil {
		t.Refreshes = r.Issued[f.Do]
	}
	e := dram.ArtifactEnergy(r)
	t.Energy = report.Energy{COMP: e.COMP, GWRITE: e.GWRITE, READRES: e.READRES, PREA: e.PREA, Total: e.Total()}
	return t
}

// ns is a duration in ns.
func (s *simulator) ns(c dram.Cycle) float64 {
	return device.Time(s.machine.PIM.Clock.PS(int64(c))).NS()
}

// counts names commands.
func (s *simulator) counts(n []int64) report.Counts {
	var c report.Counts
	for op := range n {
		c = append(c, device.Count{Kind: s.std.Ops[op].Name, N: n[op]})
	}
	return c
}

// commands is how many commands a stream has, those of refreshes left out.
func (s *simulator) commands(issued []int64) int64 {
	total := int64(0)
	for op, n := range issued {
		if f := s.std.Refresh; f == nil || dram.Op(op) != f.Close && dram.Op(op) != f.Do {
			total += n
		}
	}
	return total
}

// trace times one file.
func (s *simulator) trace(ctx context.Context, file string, stdin io.Reader, progress func(done, total int)) (dram.Result, error) {
	return readTrace(ctx, file, stdin, progress, s.channel.TimeTrace)
}

// openTrace opens a file, "-" for stdin, and returns its name in errors.
func openTrace(file string, stdin io.Reader) (string, io.ReadCloser, error) {
	if file == "-" {
		return "stdin", io.NopCloser(stdin), nil
	}
	f, err := os.Open(file)
	if err != nil {
		return "", nil, err
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		f.Close()
		return "", nil, fmt.Errorf("%s: a file wanted, not a folder", file)
	}
	return file, f, nil
}

// readTrace times one file, "-" for stdin. It returns at once when ctx ends, though
// a read may be waiting still.
func readTrace[R any](ctx context.Context, file string, stdin io.Reader, progress func(done, total int), time func(string, io.Reader) (R, error)) (R, error) {
	var none R
	name, in, err := openTrace(file, stdin)
	if err != nil {
		return none, err
	}
	defer in.Close()
	r := &reader{ctx: ctx, in: in, progress: progress}
	if f, ok := in.(*os.File); ok {
		info, err := f.Stat()
		if err != nil {
			return none, err
		}
		if info.Mode().IsRegular() {
			r.size = int(info.Size())
		}
	}
	type answer struct {
		result R
		error
	}
	done := make(chan answer, 1)
	go func() {
		result, err := time(name, r)
		done <- answer{result, err}
	}()
	select {
	case a := <-done:
		return a.result, a.error
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// reader reads until ctx ends, and tells how far it is where the size is known.
type reader struct {
	ctx        context.Context
	in         io.Reader
	done, size int
	progress   func(done, total int)
}

func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.in.Read(p)
	if r.done += n; r.progress != nil && r.size > 0 {
		r.progress(r.done, r.size)
	}
	return n, err
}
