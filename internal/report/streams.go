package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"pimflow/internal/emit"
	"pimflow/internal/fault"
	"pimflow/internal/trace"
)

// Streams writes streams of channels for people: a row for each.
func Streams(w io.Writer, s *trace.Streams) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "streams    %s\nmachine    %s; PIM clock %.4f ns\n\n", counted(len(s.Streams), "channel"), s.Machine, s.Clock/1e3)
	rows := newStreamRows("stream")
	for i := range s.Streams {
		rows.stream(s.Streams[i].File, &s.Streams[i])
	}
	if len(s.Streams) > 1 {
		rows.stream("all", s.All)
	}
	rows.write(b)
	b.WriteString(streamNotes)
	_, err := io.WriteString(w, trimLines(b.String()))
	return err
}

// StreamSteps writes the streams of a folder for people: a row for each step.
func StreamSteps(w io.Writer, m *emit.Manifest, s *trace.Streams) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "streams    %s of %s: %s of %s\nmachine    %s; PIM clock %.4f ns\n\n", fault.Name(m.Model), fault.Name(m.Machine), counted(len(s.Streams), "channel"), counted(len(m.Steps), "step"), s.Machine, s.Clock/1e3)
	rows := newStreamRows("step")
	at := 0
	for _, step := range m.Steps {
		sum := trace.Streams{}
		for range step.Channels {
			sum.Add(s.Streams[at])
			at++
		}
		rows.stream(fmt.Sprintf("%d %s", step.Step, step.Layer), sum.All)
	}
	if len(m.Steps) > 1 {
		rows.stream("all", s.All)
	}
	rows.write(b)
	b.WriteString(streamNotes)
	_, err := io.WriteString(w, trimLines(b.String()))
	return err
}

const streamNotes = "\nck of the slowest channel; bus, data, mac: the means over channels of the cycles with a command, with data, with MAC units at work\n" +
	"energy of these channels at work, without standby and refresh\n"

// streamRows is a table with a row for each stream, or for several.
type streamRows struct{ table }

func newStreamRows(first string) *streamRows {
	r := &streamRows{table{{}, {right: true}, {right: true}, {right: true}, {right: true}, {right: true}, {right: true}, {right: true}, {right: true}}}
	r.row(first, "ck", "without refresh", "us", "commands", "bus %", "data %", "mac %", "energy uJ")
	return r
}

func (r *streamRows) stream(name string, s *trace.Stream) {
	if s == nil {
		return
	}
	part := func(v float64) string { return strconv.FormatFloat(100*v, 'f', 1, 64) }
	r.row(name, strconv.FormatInt(s.Cycles, 10), strconv.FormatInt(s.Unrefreshed, 10), strconv.FormatFloat(s.NS/1e3, 'f', 3, 64), strconv.FormatInt(s.Commands, 10),
		part(s.Use.CommandBus), part(s.Use.DataBus), part(s.Use.Units), strconv.FormatFloat(s.Total/1e6, 'f', 3, 64))
}

// Hosts writes host instructions of a folder for people: a row for each step, with the channel that takes longest.
func Hosts(w io.Writer, m *emit.Manifest, h []trace.Host) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "streams    %s of %s: %s of %s, as host instructions\n\n", fault.Name(m.Model), fault.Name(m.Machine), counted(len(h), "channel"), counted(len(m.Steps), "step"))
	rows := table{{}, {right: true}, {right: true}, {right: true}, {right: true}, {right: true}}
	rows.row("step", "plan ck", "refreshes", "closing", "host", "simulated ck")
	at := 0
	for _, s := range m.Steps {
		slowest := 0
		for i := range s.Channels {
			if s.Channels[i].Last > s.Channels[slowest].Last {
				slowest = i
			}
		}
		c, cycles := s.Channels[slowest], h[at+slowest].Cycles
		at += len(s.Channels)
		n := func(v int64) string { return strconv.FormatInt(v, 10) }
		rows.row(fmt.Sprintf("%d %s", s.Step, s.Layer), n(c.Last), n(c.Bare-c.Last), n(c.Requested-c.Bare), n(cycles-c.Requested), n(cycles))
	}
	rows.write(b)
	b.WriteString("\nof the channel that takes longest in the plan; the simulated host requests neither refreshes nor the last precharge\n")
	_, err := io.WriteString(w, trimLines(b.String()))
	return err
}

// Performed writes what the streams of a folder make of its images.
func Performed(w io.Writer, m *emit.Manifest, p *emit.Performed) error {
	_, err := fmt.Fprintf(w, "values     %s of %s: %s of %s performed\n%d values that are read and %d results are those of the plan's execution, to the bit\n",
		fault.Name(m.Model), fault.Name(m.Machine), counted(p.Channels, "channel"), counted(p.Steps, "step"), p.Reads, p.Results)
	return err
}
