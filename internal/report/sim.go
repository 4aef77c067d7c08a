package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"pimflow/internal/trace"
)

// energyOf returns the energy of a kind of command.
func energyOf(e *trace.Energy, kind string) (float64, bool) {
	switch kind {
	case "COMP":
		return e.COMP, true
	case "GWRITE":
		return e.GWRITE, true
	case "READRES":
		return e.READRES, true
	case "PREA":
		return e.PREA, true
	}
	return 0, false
}

// Traces writes the traces of channels for people: a row for each kind of command of a single
// trace, a row for each of several traces.
func Traces(w io.Writer, s *trace.Traces) error {
	b := &strings.Builder{}
	machine := fmt.Sprintf("machine    %s; PIM clock %.4f ns, gwrite_gap_ck %d\n", s.Machine, s.Clock/1e3, s.Gap)
	if s.All == nil {
		t := &s.Traces[0]
		fmt.Fprintf(b, "trace      %s, one channel: %d commands\n%s", t.File, t.Total, machine)
		fmt.Fprintf(b, "time       %s  %s\n", ns(t.NS), ck(t.Cycles))
		fmt.Fprintf(b, "refreshes  %d\n\n", t.Refreshes)
		traceCommands(b, t)
		b.WriteString("\nenergy of this channel alone; ")
	} else {
		fmt.Fprintf(b, "traces     %d, one channel each\n%s\n", len(s.Traces), machine)
		traceTable(b, s)
		b.WriteString("\nlast row: the slowest's time, the sums of the rest\nenergy of these channels alone; ")
	}
	b.WriteString("the published simulator counts no activation, refresh, transfer or leakage\n")
	_, err := io.WriteString(w, trimLines(b.String()))
	return err
}

// traceCommands writes a row for each kind of command.
func traceCommands(b *strings.Builder, t *trace.Trace) {
	rows := table{{}, {right: true}, {right: true}}
	rows.row("", "issued", "energy J")
	issued := int64(0)
	for _, c := range t.Issued {
		e := "-"
		if j, ok := energyOf(&t.Energy, c.Kind); ok {
			e = joules(j)
		}
		rows.row(c.Kind, strconv.FormatInt(c.N, 10), e)
		issued += c.N
	}
	rows.row("all", strconv.FormatInt(issued, 10), joules(t.Energy.Total))
	rows.write(b)
}

// traceTable writes a row for each trace: time and commands, then energy.
func traceTable(b *strings.Builder, s *trace.Traces) {
	times := table{{}, {right: true}, {right: true}, {right: true}}
	head := []string{"trace", "ns", "ck", "refreshes"}
	for _, c := range s.All.Issued {
		times = append(times, column{right: true})
		head = append(head, c.Kind)
	}
	times.row(head...)
	energy := table{{}, {right: true}, {right: true}, {right: true}, {right: true}, {right: true}}
	energy.row("trace", "COMP J", "GWRITE J", "READRES J", "PREA J", "total J")
	row := func(name string, t *trace.Trace) {
		cells := []string{name, fmt.Sprintf("%.1f", t.NS), strconv.FormatInt(t.Cycles, 10), strconv.FormatInt(t.Refreshes, 10)}
		for _, c := range t.Issued {
			cells = append(cells, strconv.FormatInt(c.N, 10))
		}
		times.row(cells...)
		e := t.Energy
		energy.row(name, joules(e.COMP), joules(e.GWRITE), joules(e.READRES), joules(e.PREA), joules(e.Total))
	}
	for i := range s.Traces {
		row(s.Traces[i].File, &s.Traces[i])
	}
	row("all", s.All)
	times.write(b)
	b.WriteByte('\n')
	energy.write(b)
}

// joules prints as many digits as the published simulator.
func joules(v float64) string { return fmt.Sprintf("%.6g", v) }

// Host writes the trace of a host's instructions for people.
func Host(w io.Writer, r *trace.Host) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "trace      %s, %d channels: %d instructions, %d commands\n", r.File, r.Channels, r.Instructions, r.Total)
	fmt.Fprintf(b, "machine    %s; PIM clock %.4f ns\n", r.Machine, r.Clock/1e3)
	fmt.Fprintf(b, "time       %.1f ns  %d ck\n\n", r.NS, r.Cycles)
	width := max(len("issued"), len(strconv.FormatInt(max(r.Total, r.Idle, r.Active, r.Precharged), 10)))
	row := func(name string, n int64) { fmt.Fprintf(b, "%-12s  %*d\n", name, width, n) }
	fmt.Fprintf(b, "%-12s  %*s\n", "", width, "issued")
	for _, c := range r.Issued {
		row(c.Kind, c.N)
	}
	row("all", r.Total)
	fmt.Fprintf(b, "\n%-12s  %*s\n", "", width, "ck")
	row("idle", r.Idle)
	row("active", r.Active)
	row("precharged", r.Precharged)
	b.WriteString("\nsums over the channels; no refresh is simulated\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// HostJSON writes the trace of a host's instructions as one JSON object.
func HostJSON(w io.Writer, r *trace.Host) error {
	return JSON(w, r)
}
