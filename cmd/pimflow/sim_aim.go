package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"pimflow/internal/dram/aimhost"
	"pimflow/internal/report"
)

// hostSchema names the form of a hostRun's JSON.
const hostSchema = "pimflow.sim.host/1"

// hostRun is a trace of a host's instructions for all channels at once.
type hostRun struct {
	Schema       string        `json:"schema"`
	Machine      string        `json:"machine"`
	Clock        float64       `json:"clock_ps"`
	File         string        `json:"file"`
	Channels     int           `json:"channels"`
	Instructions int64         `json:"instructions"`
	Cycles       int64         `json:"cycles"`
	NS           float64       `json:"ns"`
	Total        int64         `json:"commands_total"`
	Issued       report.Counts `json:"issued"` // over all channels, as the three below
	Idle         int64         `json:"idle_cycles_sum"`
	Active       int64         `json:"active_cycles_sum"`
	Precharged   int64         `json:"precharged_cycles_sum"`
}

// hostTraces times files of host instructions, each alone.
func (s *simulator) hostTraces(ctx context.Context, files []string, asJSON bool, stdin io.Reader, stdout, stderr io.Writer) error {
	bar := newBar(stderr)
	defer bar.stop()
	var runs []hostRun
	for i, file := range files {
		if slices.Contains(files[:i], file) {
			return fmt.Errorf("%s is given twice", file)
		}
		r, err := readTrace(ctx, file, stdin, bar.phase(file), func(name string, in io.Reader) (aimhost.Result, error) {
			return aimhost.Time(s.channel, name, in, s.machine.Memory.Channels)
		})
		if err != nil {
			return err
		}
		runs = append(runs, hostRun{
			Schema: hostSchema, Machine: s.machine.Name, Clock: s.machine.PIM.Clock.Picoseconds(),
			File: file, Channels: s.machine.Memory.Channels, Instructions: r.Instructions,
			Cycles: int64(r.Cycles), NS: s.ns(r.Cycles), Issued: s.counts(r.Issued),
			Idle: r.Idle, Active: r.Open, Precharged: r.Precharged,
		})
		run := &runs[len(runs)-1]
		if f := s.std.Refresh; f != nil { // the host has none
			run.Issued = slices.Delete(run.Issued, int(f.Do), int(f.Do)+1)
		}
		for _, c := range run.Issued {
			run.Total += c.N
		}
	}
	bar.stop()
	for i := range runs {
		write := runs[i].text
		if asJSON {
			write = runs[i].json
		} else if i > 0 {
			fmt.Fprintln(stdout)
		}
		if err := write(stdout); err != nil {
			return err
		}
	}
	return nil
}

func (r *hostRun) json(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

func (r *hostRun) text(w io.Writer) error {
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

// hostColumns are the columns of a table of traces that are counted anew.
func (s *simulator) hostColumns(r *aimhost.Result, hash string) map[string]string {
	cells := map[string]string{
		"isr_lines": strconv.FormatInt(r.Instructions, 10), "cycles": strconv.FormatInt(int64(r.Cycles), 10),
		"idle_cycles_sum":       strconv.FormatInt(r.Idle, 10),
		"active_cycles_sum":     strconv.FormatInt(r.Open, 10),
		"precharged_cycles_sum": strconv.FormatInt(r.Precharged, 10),
		"sha256":                hash,
	}
	for op, n := range r.Issued {
		cells[s.std.Ops[op].Name] = strconv.FormatInt(n, 10)
	}
	return cells
}

// hostTable runs the column "trace" of a CSV file, "-" for stdin, and prints its rows
// in order with what can be counted counted anew; a column cycles is added if there
// is none.
func (s *simulator) hostTable(ctx context.Context, file string, stdin io.Reader, stdout io.Writer) error {
	name, f, err := openTrace(file, stdin)
	if err != nil {
		return err
	}
	defer f.Close()
	text := bufio.NewReader(f)
	first, _ := text.Peek(text.Size()) // an error comes again below
	end := bytes.IndexByte(first, '\n')
	in, out := csv.NewReader(text), csv.NewWriter(stdout)
	out.UseCRLF = end > 0 && first[end-1] == '\r'
	write := func(cells []string) error {
		if err := out.Write(cells); err != nil {
			return err
		}
		out.Flush() // what is done can be seen
		return out.Error()
	}
	wrong := func(err error) error {
		var p *csv.ParseError
		if errors.As(err, &p) {
			return fmt.Errorf("%s:%d: %w", name, p.Line, p.Err)
		}
		return fmt.Errorf("%s: %w", name, err)
	}
	head, err := in.Read()
	if err == io.EOF {
		return fmt.Errorf("%s:1: it is empty: a column trace wanted", name)
	}
	if err != nil {
		return wrong(err)
	}
	head = slices.Clone(head)
	trace := slices.Index(head, "trace")
	if trace < 0 {
		return fmt.Errorf("%s:1: column \"trace\" is missing among %q", name, head)
	}
	if !slices.Contains(head, "cycles") {
		head = append(head, "cycles")
	}
	if err := write(head); err != nil {
		return err
	}
	for {
		cells, err := in.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return wrong(err)
		}
		line, _ := in.FieldPos(trace)
		r, hash, err := s.hostText(ctx, cells[trace])
		if err != nil {
			return fmt.Errorf("%s:%d: trace: %w", name, line, err)
		}
		cells = append(cells, make([]string, len(head)-len(cells))...)
		counted := s.hostColumns(&r, hash)
		for i, column := range head {
			if cell, ok := counted[column]; ok {
				cells[i] = cell
			}
		}
		if err := write(cells); err != nil {
			return err
		}
	}
}

// hostText runs a text with loops and returns the SHA-256 of its lines too.
func (s *simulator) hostText(ctx context.Context, text string) (aimhost.Result, string, error) {
	loops, err := aimhost.ParseLoops(text)
	if err != nil {
		return aimhost.Result{}, "", err
	}
	h, err := aimhost.New(s.channel, s.machine.Memory.Channels)
	if err != nil {
		return aimhost.Result{}, "", err
	}
	hash := sha256.New()
	n, ended := 0, false
	err = loops.Lines(func(line string) error {
		n++
		if _, err := io.WriteString(hash, line+"\n"); err != nil {
			return err
		}
		if ended {
			return nil // the simulator reads nothing after EOC
		}
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		in, some, err := aimhost.ParseInstruction(line)
		if err == nil && some {
			ended = in.End()
			err = h.Do(in)
		}
		if err != nil {
			return fmt.Errorf("line %d: %q: %w", n, line, err)
		}
		return nil
	})
	if err == nil && !ended {
		err = fmt.Errorf("line %d: it ends without AiM EOC", n)
	}
	if err != nil {
		return aimhost.Result{}, "", err
	}
	return h.Result(), hex.EncodeToString(hash.Sum(nil)), nil
}
