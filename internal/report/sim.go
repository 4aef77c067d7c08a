package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"pimflow/internal/device"
)

// SimSchema names the form of Sim's JSON.
const SimSchema = "pimflow.sim/1"

// Sim is the traces of DRAM channels, each timed alone.
type Sim struct {
	Schema  string     `json:"schema"`
	Machine string     `json:"machine"`
	Clock   float64    `json:"clock_ps"` // of the DRAM commands
	Gap     int64      `json:"gwrite_gap_ck"`
	Traces  []SimTrace `json:"traces"` // one channel each
	All     *SimTrace  `json:"all"`    // the slowest's name and time, the sums of the rest; null for one trace
}

// SimTrace is the trace of one channel.
type SimTrace struct {
	File      string  `json:"file"`
	Total     int64   `json:"commands_total"` // of the trace: without those of refreshes
	Cycles    int64   `json:"cycles"`
	NS        float64 `json:"ns"`
	Refreshes int64   `json:"refreshes"`
	Issued    Counts  `json:"issued"`
	Energy    Energy  `json:"energy_j"`
}

// Energy is the energy of channels in J, by the published simulator's account.
type Energy struct {
	COMP    float64 `json:"comp"`
	GWRITE  float64 `json:"gwrite"`
	READRES float64 `json:"readres"`
	PREA    float64 `json:"prea"`
	Total   float64 `json:"total"`
}

// Counts are commands by kind; as JSON they are one object in their order.
type Counts device.Counts

// MarshalJSON writes {"GWRITE":1,…}.
func (c Counts) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, n := range c {
		if i > 0 {
			b.WriteByte(',')
		}
		kind, err := json.Marshal(n.Kind)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%s:%d", kind, n.N)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// of returns the part of the energy that belongs to a command kind.
func (e Energy) of(kind string) (float64, bool) {
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

// JSON writes the report as one object.
func (s *Sim) JSON(w io.Writer) error { return JSON(w, s) }

// Text writes the report for people: a row a command kind for one trace, a row a
// trace for several.
func (s *Sim) Text(w io.Writer) error {
	b := &strings.Builder{}
	machine := fmt.Sprintf("machine    %s; PIM clock %.4f ns, gwrite_gap_ck %d\n", s.Machine, s.Clock/1e3, s.Gap)
	if s.All == nil {
		t := &s.Traces[0]
		fmt.Fprintf(b, "trace      %s, one channel: %d commands\n%s", t.File, t.Total, machine)
		fmt.Fprintf(b, "time       %s  %s\n", ns(t.NS), ck(t.Cycles))
		fmt.Fprintf(b, "refreshes  %d\n\n", t.Refreshes)
		t.commands(b)
		b.WriteString("\nenergy of this channel alone; ")
	} else {
		fmt.Fprintf(b, "traces     %d, one channel each\n%s\n", len(s.Traces), machine)
		s.table(b)
		b.WriteString("\nlast row: the slowest's time, the sums of the rest\nenergy of these channels alone; ")
	}
	b.WriteString("the published simulator counts no activation, refresh, transfer or leakage\n")
	_, err := io.WriteString(w, trimLines(b.String()))
	return err
}

// commands writes one row a command kind.
func (t *SimTrace) commands(b *strings.Builder) {
	rows := table{{}, {right: true}, {right: true}}
	rows.row("", "issued", "energy J")
	issued := int64(0)
	for _, c := range t.Issued {
		e := "-"
		if j, ok := t.Energy.of(c.Kind); ok {
			e = joules(j)
		}
		rows.row(c.Kind, strconv.FormatInt(c.N, 10), e)
		issued += c.N
	}
	rows.row("all", strconv.FormatInt(issued, 10), joules(t.Energy.Total))
	rows.write(b)
}

// table writes one row a trace: time and commands, then energy.
func (s *Sim) table(b *strings.Builder) {
	times := table{{}, {right: true}, {right: true}, {right: true}}
	head := []string{"trace", "ns", "ck", "refreshes"}
	for _, c := range s.All.Issued {
		times = append(times, column{right: true})
		head = append(head, c.Kind)
	}
	times.row(head...)
	energy := table{{}, {right: true}, {right: true}, {right: true}, {right: true}, {right: true}}
	energy.row("trace", "COMP J", "GWRITE J", "READRES J", "PREA J", "total J")
	row := func(name string, t *SimTrace) {
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

// joules has the digits of the published simulator.
func joules(v float64) string { return fmt.Sprintf("%.6g", v) }
