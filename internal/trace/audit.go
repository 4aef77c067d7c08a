package trace

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"math/bits"
	"slices"
	"strings"

	"pimflow/internal/dram"
	"pimflow/internal/dram/aimhost"
	"pimflow/internal/pim"
)

// AuditSchema names the form of Audit's JSON.
const AuditSchema = "pimflow.audit/1"

// Audit is what a log of commands says against the rules of a machine's standard.
type Audit struct {
	Schema     string      `json:"schema"`
	Machine    string      `json:"machine"`
	Standard   string      `json:"standard"`
	Clock      float64     `json:"clock_ps"`
	Files      []string    `json:"files"`
	Issued     int         `json:"issued_here"` // files without cycles: their commands were issued as soon as the rules allow
	Channels   int         `json:"channels"`    // of all files, as Commands
	Commands   int64       `json:"commands"`
	Cycles     int64       `json:"last_cycle"` // of the longest
	Violations int64       `json:"violations"`
	Rules      []RuleCount `json:"rules"`     // those that are broken, in the order in which they first were
	First      []Breach    `json:"first"`     // violations, as many as are wanted
	Refreshes  Refreshes   `json:"refreshes"` // over all channels
	Unlisted   int64       `json:"unlisted"`  // violations that First has no place for
}

// RuleCount counts the violations of a rule.
type RuleCount struct {
	Rule  string `json:"rule"`
	N     int64  `json:"violations"`
	Worst int64  `json:"worst_ck"` // the most cycles by which a command is too early or too late
	First Breach `json:"first"`
}

// Breach is a violation and its place.
type Breach struct {
	File    string `json:"file"`
	Line    int64  `json:"line,omitempty"` // of the file; 0 where its commands were issued here
	Channel int    `json:"channel"`
	Cycle   int64  `json:"cycle"`
	Rule    string `json:"rule"`
	By      int64  `json:"by_ck"`
	Text    string `json:"text"`
}

// Refreshes are those that a log has, and that it should have.
type Refreshes struct {
	Issued    int64 `json:"issued"`
	Requested int64 `json:"requested"` // by the end of each channel
	Missing   int64 `json:"missing"`
	// The cycles that the missing ones would add, and their part of the cycles of the log, summed over the channels: of
	// commands of all banks as the engine times them with refreshes and without, else as long as refreshes take by themselves.
	Cycles float64 `json:"missing_ck"`
	Part   float64 `json:"missing_part"`
}

// auditor audits the channels of a log.
type auditor struct {
	sim         *Simulator
	unrefreshed *dram.Channel
	std         *dram.Standard
	out         *Audit
	most        int // of First
	file        string
	channels    []*auditedChannel
	sum         float64 // of the channels' last cycles
}

// auditedChannel is a channel of a log.
type auditedChannel struct {
	audit         *dram.Audit
	with, without *dram.Run // the same commands with refreshes, and without; nil: some is of a single bank
	last          dram.Cycle
}

func (a *auditor) channel(n int) (*auditedChannel, error) {
	for len(a.channels) <= n {
		a.channels = append(a.channels, nil)
	}
	if a.channels[n] == nil {
		audit, err := a.std.NewAudit(dram.Timing(a.sim.Machine.PIM.Timing))
		if err != nil {
			return nil, err
		}
		a.channels[n] = &auditedChannel{audit: audit, with: a.sim.channel.Run(), without: a.unrefreshed.Run()}
		a.out.Channels++
	}
	return a.channels[n], nil
}

// issue audits a command.
func (a *auditor) issue(e *event) error {
	c, err := a.channel(e.channel)
	if err != nil {
		return err
	}
	if e.at < c.last {
		return fmt.Errorf("cycle %d after cycle %d of channel %d: ascending cycles wanted", e.at, c.last, e.channel)
	}
	c.last = e.at
	a.out.Commands++
	op := c.audit.Meant(e.op, e.row) // of the log; one that was issued here is what was meant
	c.audit.Issue(op, e.bank, e.row, e.at, func(v *dram.Violation) { a.broken(e, v) })
	if c.with != nil {
		c.shadow(a.std, op)
	}
	return nil
}

// shadow issues a command of the log itself to the engines, which serve refreshes and change modes by themselves.
func (c *auditedChannel) shadow(std *dram.Standard, op dram.Op) {
	switch o := &std.Ops[op]; {
	case o.Bank:
		c.with, c.without = nil, nil
	case std.Refresh != nil && op == std.Refresh.Do || std.Hidden(op):
	default:
		c.with.Issue(op)
		c.without.Issue(op)
	}
}

// broken counts a violation.
func (a *auditor) broken(e *event, v *dram.Violation) {
	out := a.out
	out.Violations += v.Times
	i := slices.IndexFunc(out.Rules, func(r RuleCount) bool { return r.Rule == v.Rule })
	var b Breach
	if listed := len(out.First) < a.most; i < 0 || listed {
		b = Breach{a.file, e.line, e.channel, int64(v.At), v.Rule, int64(v.By), strings.TrimPrefix(v.String(), fmt.Sprintf("cycle %d: ", v.At))}
		if listed {
			out.First = append(out.First, b)
		} else {
			out.Unlisted++
		}
	} else {
		out.Unlisted++
	}
	if i < 0 {
		i = len(out.Rules)
		out.Rules = append(out.Rules, RuleCount{Rule: v.Rule, First: b})
	}
	r := &out.Rules[i]
	r.N += v.Times
	r.Worst = max(r.Worst, int64(v.By))
}

// end counts refreshes at the end of all channels of a file.
func (a *auditor) end() {
	std := a.std
	for n, c := range a.channels {
		if c == nil {
			continue
		}
		c.audit.Finish(func(v *dram.Violation) { a.broken(&event{channel: n}, v) })
		issued, requested := c.audit.Refreshes(c.last)
		missing := c.audit.Missing(c.last)
		r := &a.out.Refreshes
		r.Issued, r.Requested, r.Missing = r.Issued+issued, r.Requested+requested, r.Missing+missing
		a.out.Cycles = max(a.out.Cycles, int64(c.last))
		a.sum += float64(c.last)
		if missing == 0 {
			continue
		}
		each := float64(a.sim.channel.Wait(std.Refresh.Close, std.Refresh.Do) + a.sim.channel.Wait(std.Refresh.Do, std.Refresh.Do))
		if c.with != nil {
			served := c.with.Finish()
			if n := served.Issued[std.Refresh.Do]; n > 0 {
				each = float64(served.Cycles-c.without.Finish().Cycles) / float64(n)
			}
		}
		r.Cycles += float64(missing) * each
	}
	a.channels = nil
}

// Audit holds files against the rules of the machine, each by itself; "-" is stdin. A file is a log with cycles, or a stream or
// instructions of a host, which are issued first. At most most violations are listed; all are counted. Memory does not grow with a file, but
// with a stream's loops.
func (s *Simulator) Audit(ctx context.Context, list []string, stdin io.Reader, most int, phase Phase) (*Audit, error) {
	out := &Audit{
		Schema: AuditSchema, Machine: s.Machine.Name, Standard: s.Standard.Name, Clock: s.Machine.PIM.Clock.Picoseconds(), Files: list,
		Rules: []RuleCount{}, First: []Breach{},
	}
	a := &auditor{sim: s, unrefreshed: s.channel.Unrefreshed(), std: s.Standard, out: out, most: most}
	for i, file := range list {
		if slices.Contains(list[:i], file) {
			return nil, fmt.Errorf("%s is given twice", file)
		}
		a.file = file
		_, err := read(ctx, file, stdin, phase(file), func(name string, in io.Reader) (*Audit, error) {
			text, err := dram.TraceText(name, in)
			if err != nil {
				return nil, err
			}
			return out, a.read(ctx, name, text, s)
		})
		if err != nil {
			return nil, err
		}
		a.end()
	}
	if a.sum > 0 {
		out.Refreshes.Part = out.Refreshes.Cycles / a.sum
	}
	return out, nil
}

// read reads a file by its first line.
func (a *auditor) read(ctx context.Context, name string, text *bufio.Reader, s *Simulator) error {
	first, _ := text.Peek(64) // an error comes again below
	switch head, _, _ := strings.Cut(string(first), "\n"); {
	case strings.HasPrefix(head, "pimflow stream ") && !strings.HasSuffix(strings.TrimRight(head, "\r"), " timed"):
		a.out.Issued++
		return a.stream(ctx, name, text)
	case aimhost.Hosts(a.std) && !strings.HasPrefix(head, "pimflow stream ") && !strings.Contains(head, ","):
		a.out.Issued++
		return a.host(name, text, s)
	}
	if head, _, _ := strings.Cut(string(first), "\n"); a.std.Name == pimflowTraces && !strings.Contains(head, ",") && !strings.HasPrefix(head, "pimflow stream ") {
		a.out.Issued++
		return a.published(name, text)
	}
	log, issued := newLogReader(a.std, pim.Bounds(&a.sim.Machine.PIM)), map[int]*dram.Run{}
	err := log.read(name, text, func(e *event) error {
		if log.timed {
			return a.issue(e)
		}
		return a.untimed(issued, e)
	})
	if !log.timed && err == nil {
		a.out.Issued++
		for _, n := range slices.Sorted(maps.Keys(issued)) {
			issued[n].Finish()
		}
	}
	return err
}

// pimflowTraces is the standard whose traces the published simulator of PIMFlow reads.
const pimflowTraces = "artifact"

// published issues the commands of such a trace on a channel.
func (a *auditor) published(name string, text io.Reader) error {
	runs := map[int]*dram.Run{}
	line := int64(0)
	err := dram.ReadTrace(name, text, func(op dram.Op) error {
		line++
		return a.untimed(runs, &event{op: op, bank: dram.AllBanks, row: dram.AnyRow, line: line})
	})
	if err == nil && runs[0] != nil {
		runs[0].Finish()
	}
	return err
}

// untimed issues a command of a log without cycles.
func (a *auditor) untimed(runs map[int]*dram.Run, e *event) error {
	c, err := a.channel(e.channel)
	if err != nil {
		return err
	}
	e.op = c.audit.Meant(e.op, e.row)
	o, f := &a.std.Ops[e.op], a.std.Refresh
	if o.Bank || f != nil && e.op == f.Do || a.std.Hidden(e.op) {
		return fmt.Errorf("%s is of one bank, or issued when it is due: a log with cycles wanted", o.Name)
	}
	run := runs[e.channel]
	if run == nil {
		run = a.sim.channel.Run()
		runs[e.channel] = run
	}
	var failed error
	run.Observe(func(op dram.Op, at dram.Cycle) {
		made := event{channel: e.channel, op: op, bank: dram.AllBanks, row: dram.AnyRow, at: at, line: e.line}
		if op == e.op {
			made.row = e.row
		}
		if failed == nil {
			failed = a.issue(&made)
		}
	})
	run.Issue(e.op)
	return failed
}

// maxVisited bounds the commands of a loop nest, where each is visited: about a minute, at 10^7 a second (estimated).
const maxVisited = 1 << 29

// visited is the error of a stream with more commands than are visited.
func visited(name, by string, std *dram.Standard, st dram.Stream) error {
	counts, total := make([]int64, len(std.Ops)), int64(0)
	st.Count(counts)
	for _, n := range counts {
		total += n
	}
	if err := few(total, by); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// few is the error of more commands than are visited.
func few(total int64, by string) error {
	if total <= maxVisited {
		return nil
	}
	least := ""
	if total == math.MaxInt64 {
		least = "at least "
	}
	return fmt.Errorf("%s%d commands with the iterations of all loops: at most %d wanted, each of which %s visits", least, total, maxVisited, by)
}

// stream issues a stream on a channel.
func (a *auditor) stream(ctx context.Context, name string, text *bufio.Reader) error {
	meter, err := pim.NewMeter(a.sim.Machine)
	if err != nil {
		return err
	}
	st, err := meter.ParseStream(name, text)
	if err != nil {
		return err
	}
	if err := visited(name, "audit", a.std, st); err != nil {
		return err
	}
	c, err := a.channel(0)
	if err != nil {
		return err
	}
	run, ops := a.sim.channel.Run(), meter.Commands()
	n, own, row := 0, dram.Op(0), int64(dram.AnyRow)
	run.Observe(func(op dram.Op, at dram.Cycle) {
		e := event{op: op, bank: dram.AllBanks, row: dram.AnyRow, at: at}
		if op == own { // of the stream: commands of refreshes have no row
			e.row = row
		}
		if err == nil {
			err = a.issue(&e)
		}
	})
	st.Walk(func(k *dram.Command, index []int) bool {
		if n++; n%1024 == 0 && err == nil {
			err = ctx.Err()
		}
		if row = dram.AnyRow; ops.Has(k.Op, "row") {
			row = k.Row.At(index)
		}
		own = c.audit.Meant(k.Op, row)
		run.Issue(own)
		return err == nil
	})
	if err == nil {
		run.Finish()
	}
	return err
}

// host issues what instructions request, on the machine's channels.
func (a *auditor) host(name string, text *bufio.Reader, s *Simulator) error {
	h, err := aimhost.New(a.sim.channel, s.Machine.Memory.Channels)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	h.Limit(int64(s.Machine.PIM.Rows))
	h.Observe(func(i aimhost.Issued) {
		for left := i.Channels; left != 0 && err == nil; {
			n := bits.LeadingZeros32(left)
			left &^= 1 << (31 - n)
			e := event{channel: n, op: i.Op, bank: dram.AllBanks, row: i.Row, at: i.At}
			if a.std.Ops[i.Op].Bank {
				e.bank = i.Bank
			}
			err = a.issue(&e)
		}
	})
	if _, failed := h.Run(name, text); err == nil {
		err = failed
	}
	return err
}
