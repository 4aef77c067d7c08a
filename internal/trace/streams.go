package trace

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"pimflow/internal/device"
	"pimflow/internal/dram"
	"pimflow/internal/pim"
)

// StreamsSchema names the form of Streams' JSON.
const StreamsSchema = "pimflow.sim.streams/1"

// Streams holds streams of channels, each timed alone.
type Streams struct {
	Schema  string   `json:"schema"`
	Machine string   `json:"machine"`
	Clock   float64  `json:"clock_ps"`
	Streams []Stream `json:"streams"`
	All     *Stream  `json:"all"` // the slowest's name and time, the sums of the rest
}

// Stream is the stream of a channel.
type Stream struct {
	File        string             `json:"file"`
	Commands    int64              `json:"commands"` // without those of refreshes and changes of mode
	Cycles      int64              `json:"cycles"`
	Unrefreshed int64              `json:"cycles_without_refresh"`
	NS          float64            `json:"ns"`
	Refreshes   int64              `json:"refreshes"`
	Issued      device.Counts      `json:"issued"`
	Bytes       int64              `json:"bytes"` // over the pins
	Use         pim.Use            `json:"busy"`
	Energy      map[string]float64 `json:"energy_pj"` // by part
	Total       float64            `json:"energy_pj_total"`

	Spent *pim.Spent `json:"-"` // where it was asked for
	Timed bool       `json:"-"` // the file has cycles
	Own   int64      `json:"-"` // commands of the file, without refreshes and changes of mode that the simulator adds
}

// IsStream reports whether a file begins as a stream does, or as a table of commands. What it reads of stdin, the file "-", is
// read again.
func IsStream(file string, stdin *bufio.Reader) (bool, error) {
	_, in, err := openFile(file, stdin)
	if err != nil {
		return false, err
	}
	var text *bufio.Reader
	if file == "-" {
		if magic, _ := stdin.Peek(2); string(magic) == "\x1f\x8b" {
			return false, nil
		}
		text = stdin
	} else {
		defer in.Close()
		if text, err = dram.TraceText(file, in); err != nil {
			return false, err
		}
	}
	first, _ := text.Peek(512)
	head, _, _ := strings.Cut(string(first), "\n")
	return strings.HasPrefix(head, "pimflow stream ") || slices.Contains(strings.Split(strings.TrimRight(head, "\r"), ","), "command"), nil
}

// Streams times files of one stream each: loop nests, whose loops are not written out, or tables and streams with cycles, which are counted
// to the last result; "-" is stdin. spend asks for Spent, for which every command is visited.
func (s *Simulator) Streams(ctx context.Context, list []string, stdin io.Reader, spend bool, phase Phase) (*Streams, error) {
	meter, err := pim.NewMeter(s.Machine)
	if err != nil {
		return nil, err
	}
	all := &Streams{Schema: StreamsSchema, Machine: s.Machine.Name, Clock: s.Machine.PIM.Clock.Picoseconds()}
	for i, file := range list {
		if slices.Contains(list[:i], file) {
			return nil, fmt.Errorf("%s is given twice", file)
		}
		var spent *pim.Spent
		m, err := read(ctx, file, stdin, phase(file), func(name string, in io.Reader) (m measured, err error) {
			var u *pim.Usage
			if spend {
				if u, err = meter.Usage(); err != nil {
					return m, err
				}
			}
			if m, err = s.measure(ctx, meter, name, in, u); err == nil && spend {
				spent = u.Finish(m.Cycles)
			}
			return m, err
		})
		if err != nil {
			return nil, err
		}
		x := s.stream(file, &m.Measure)
		x.Spent, x.Timed, x.Own = spent, m.timed, m.own
		all.Add(x)
	}
	return all, nil
}

// measured is the measure of a file.
type measured struct {
	pim.Measure
	timed bool  // it has cycles
	own   int64 // its commands, without refreshes and changes of mode that the simulator adds
}

// measure measures a file by its first line, and tells u of every command unless it is nil.
func (s *Simulator) measure(ctx context.Context, meter *pim.Meter, name string, in io.Reader, u *pim.Usage) (m measured, err error) {
	text, err := dram.TraceText(name, in)
	if err != nil {
		return m, err
	}
	first, _ := text.Peek(64)
	if head, _, _ := strings.Cut(string(first), "\n"); strings.HasPrefix(head, "pimflow stream ") && !strings.HasSuffix(strings.TrimRight(head, "\r"), " timed") {
		st, err := meter.ParseStream(name, text)
		if err != nil {
			return m, err
		}
		if m.Measure, err = meter.Measure(st); err != nil {
			return m, fmt.Errorf("%s: %w", name, err)
		}
		n := make([]int64, len(s.Standard.Ops))
		for st.Count(n); len(n) > 0; n = n[1:] {
			m.own += n[0]
		}
		if u != nil {
			if err := visited(name, "sim --stalls", s.Standard, st); err != nil {
				return m, err
			}
			run, n := meter.DRAM().Run(), 0
			run.Observe(u.Issue)
			st.Walk(func(k *dram.Command, _ []int) bool {
				if n++; n%1024 == 0 {
					err = ctx.Err()
				}
				run.Issue(k.Op)
				return err == nil
			})
			run.Finish()
		}
		return m, err
	}
	log := newLogReader(s.Standard, meter.Bounds())
	r := dram.Result{Issued: make([]int64, len(s.Standard.Ops))}
	refreshed, unrefreshed := meter.DRAM().Run(), meter.Unrefreshed().Run()
	if u != nil {
		refreshed.Observe(u.Issue)
	}
	channel, filled := -1, int64(0)
	err = log.read(name, text, func(e *event) error {
		o := &s.Standard.Ops[e.op]
		switch f := s.Standard.Refresh; {
		case channel >= 0 && channel != e.channel:
			return fmt.Errorf("channel %d after channel %d: the log of one channel wanted", e.channel, channel)
		case o.Bank:
			return fmt.Errorf("%s acts on one bank: commands of all banks wanted; pimflow audit takes any", o.Name)
		case f != nil && e.op == f.Do || s.Standard.Hidden(e.op):
			if !log.timed {
				return fmt.Errorf("%s is issued when it is due: commands of a stream wanted where there are no cycles", o.Name)
			}
		default:
			unrefreshed.Issue(e.op)
			if !log.timed {
				refreshed.Issue(e.op)
			}
		}
		if u != nil && log.timed {
			u.Issue(e.op, e.at)
		}
		channel = e.channel
		m.own++
		r.Issued[e.op]++
		r.Cycles = max(r.Cycles, e.at, e.at+meter.DRAM().ResultAfter(e.op))
		if meter.Gathers(e.op) {
			filled += e.moves
		}
		return nil
	})
	if err != nil {
		return m, err
	}
	if !log.timed {
		r = refreshed.Finish()
	}
	m.Measure, m.timed = meter.Counted(r, unrefreshed.Finish().Cycles, filled), log.timed
	return m, nil
}

func (s *Simulator) stream(file string, m *pim.Measure) Stream {
	x := Stream{
		File: file, Cycles: int64(m.Cycles), Unrefreshed: int64(m.Unrefreshed), NS: s.NS(m.Cycles), Issued: s.Counts(m.Issued), Bytes: m.Bytes, Use: m.Use,
		Energy: map[string]float64{},
	}
	refresh := s.Standard.Refresh
	for op, n := range m.Issued {
		switch {
		case refresh != nil && dram.Op(op) == refresh.Do:
			x.Refreshes = n
		case !s.Standard.Hidden(dram.Op(op)):
			x.Commands += n
		}
	}
	for p := range device.Parts {
		if e := m.Energy[p].Value; e != 0 {
			x.Energy[p.String()] = e
		}
	}
	x.Total = m.Energy.Total().Value
	return x
}

// Add adds a stream, and to the sums.
func (all *Streams) Add(x Stream) {
	all.Streams = append(all.Streams, x)
	if len(all.Streams) == 1 {
		sum := x
		sum.Issued = slices.Clone(x.Issued)
		sum.Energy = map[string]float64{}
		for k, v := range x.Energy {
			sum.Energy[k] = v
		}
		all.All = &sum
		return
	}
	sum := all.All
	// Parts of busy cycles are those of all streams' cycles.
	before, now := sum.Use, float64(len(all.Streams))
	mean := func(a, b float64) float64 { return a + (b-a)/now }
	sum.Use = pim.Use{CommandBus: mean(before.CommandBus, x.Use.CommandBus), DataBus: mean(before.DataBus, x.Use.DataBus), Units: mean(before.Units, x.Use.Units)}
	sum.Commands, sum.Refreshes, sum.Bytes, sum.Total = sum.Commands+x.Commands, sum.Refreshes+x.Refreshes, sum.Bytes+x.Bytes, sum.Total+x.Total
	for i := range sum.Issued {
		sum.Issued[i].N += x.Issued[i].N
	}
	for k, v := range x.Energy {
		sum.Energy[k] += v
	}
	if x.Cycles > sum.Cycles {
		sum.File, sum.Cycles, sum.Unrefreshed, sum.NS = x.File, x.Cycles, x.Unrefreshed, x.NS
	}
}
