// Package trace times the command traces of DRAM channels as the published simulators do:
// traces of single channels as PIMFlow's simulator, traces of a host's instructions as
// aim_simulator.
//
// A machine and texts go in; cycles, commands and energies come out. The package does not know
// layers and plans.
//
// In the literature: trace-driven simulation.
package trace

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/dram"
	"pimflow/internal/files"
	"pimflow/internal/hw"
	"pimflow/internal/pim"
)

// Simulator times the channels of a machine.
type Simulator struct {
	Machine  *hw.Machine
	Standard *dram.Standard
	channel  *dram.Channel
}

// New returns the simulator of a machine; with noHiding without GWRITE latency hiding.
func New(m *hw.Machine, noHiding bool) (*Simulator, error) {
	std, err := pim.Standard(m)
	if err != nil {
		return nil, err
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
	return &Simulator{m, std, ch}, nil
}

// Phase begins a phase of long work and returns a function that takes its progress; nil if nobody
// listens.
type Phase func(name string) func(done, total int)

// Schema names the form of Traces' JSON.
const Schema = "pimflow.sim/1"

// Traces holds traces of DRAM channels, each timed alone.
type Traces struct {
	Schema  string  `json:"schema"`
	Machine string  `json:"machine"`
	Clock   float64 `json:"clock_ps"` // of the DRAM commands
	Gap     int64   `json:"gwrite_gap_ck"`
	Traces  []Trace `json:"traces"` // one channel each
	All     *Trace  `json:"all"`    // the slowest's name and time, the sums of the rest; nil for one trace
}

// Trace is the trace of one channel.
type Trace struct {
	File      string        `json:"file"`
	Total     int64         `json:"commands_total"` // of the trace: without those of refreshes
	Cycles    int64         `json:"cycles"`
	NS        float64       `json:"ns"`
	Refreshes int64         `json:"refreshes"`
	Issued    device.Counts `json:"issued"`
	Energy    Energy        `json:"energy_j"`
}

// Energy is the energy of channels in J, by the published simulator's account.
type Energy struct {
	COMP    float64 `json:"comp"`
	GWRITE  float64 `json:"gwrite"`
	READRES float64 `json:"readres"`
	PREA    float64 `json:"prea"`
	Total   float64 `json:"total"`
}

// Files times files of one channel each, one after the other; "-" is stdin.
func (s *Simulator) Files(ctx context.Context, files []string, stdin io.Reader, phase Phase) (*Traces, error) {
	all := &Traces{
		Schema: Schema, Machine: s.Machine.Name, Clock: s.Machine.PIM.Clock.Picoseconds(),
		Gap: s.Machine.PIM.Timing["gwrite_gap_ck"],
	}
	var sum dram.Result
	slowest := 0
	for i, file := range files {
		if slices.Contains(files[:i], file) {
			return nil, fmt.Errorf("%s is given twice", file)
		}
		r, err := read(ctx, file, stdin, phase(file), s.channel.TimeTrace)
		if err != nil {
			return nil, err
		}
		all.Traces = append(all.Traces, s.result(file, r))
		if i == 0 {
			sum.Issued = make([]int64, len(r.Issued))
		}
		for op, n := range r.Issued {
			sum.Issued[op] += n
		}
		if r.Cycles > sum.Cycles {
			sum.Cycles, slowest = r.Cycles, i
		}
	}
	if len(files) > 1 {
		t := s.result(files[slowest], sum)
		all.All = &t
	}
	return all, nil
}

func (s *Simulator) result(file string, r dram.Result) Trace {
	t := Trace{
		File: file, Cycles: int64(r.Cycles), NS: s.NS(r.Cycles),
		Issued: s.Counts(r.Issued), Total: s.Commands(r.Issued),
	}
	if f := s.Standard.Refresh; f != nil {
		t.Refreshes = r.Issued[f.Do]
	}
	e := dram.ArtifactEnergy(r)
	t.Energy = Energy{COMP: e.COMP, GWRITE: e.GWRITE, READRES: e.READRES, PREA: e.PREA, Total: e.Total()}
	return t
}

// Time times the program of a channel. Too many waiting refreshes are an error, as the published
// simulator aborts then.
func (s *Simulator) Time(stream dram.Stream) (dram.Result, error) {
	r := s.channel.Time(stream)
	if r.Overflow {
		return r, fmt.Errorf("more than %d refreshes wait, where the published simulator aborts", s.Standard.Refresh.Queue)
	}
	return r, nil
}

// NS converts cycles to ns.
func (s *Simulator) NS(c dram.Cycle) float64 {
	return device.Time(s.Machine.PIM.Clock.PS(int64(c))).NS()
}

// Counts adds the names of commands to their numbers.
func (s *Simulator) Counts(n []int64) device.Counts {
	var c device.Counts
	for op := range n {
		c = append(c, device.Count{Kind: s.Standard.Ops[op].Name, N: n[op]})
	}
	return c
}

// Commands returns the number of commands without those of refreshes.
func (s *Simulator) Commands(issued []int64) int64 {
	total := int64(0)
	for op, n := range issued {
		if f := s.Standard.Refresh; f == nil || dram.Op(op) != f.Close && dram.Op(op) != f.Do {
			total += n
		}
	}
	return total
}

// openFile opens a file, "-" for stdin, and returns its name for errors.
func openFile(file string, stdin io.Reader) (string, io.ReadCloser, error) {
	if file == "-" {
		return "stdin", io.NopCloser(stdin), nil
	}
	f, err := files.Open(file, math.MaxInt64) // it is read in constant memory
	return file, f, err
}

// read times one file, "-" for stdin. It returns as soon as ctx ends, even if a read still waits.
func read[R any](ctx context.Context, file string, stdin io.Reader, progress func(done, total int), time func(string, io.Reader) (R, error)) (R, error) {
	var none R
	name, in, err := openFile(file, stdin)
	if err != nil {
		return none, err
	}
	defer in.Close()
	r := &reader{ctx: ctx, in: in, progress: progress}
	if file != "-" {
		r.size = files.Size(file)
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

// reader reads until ctx ends, and reports progress if the size is known.
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
