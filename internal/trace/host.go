package trace

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"pimflow/internal/device"
	"pimflow/internal/dram/aimhost"
)

// HostSchema names the form of Host's JSON.
const HostSchema = "pimflow.sim.host/1"

// Host is a trace of a host's instructions for all channels at once.
type Host struct {
	Schema       string        `json:"schema"`
	Machine      string        `json:"machine"`
	Clock        float64       `json:"clock_ps"`
	File         string        `json:"file"`
	Channels     int           `json:"channels"`
	Instructions int64         `json:"instructions"`
	Cycles       int64         `json:"cycles"`
	NS           float64       `json:"ns"`
	Total        int64         `json:"commands_total"`
	Issued       device.Counts `json:"issued"` // over all channels, as the three below
	Idle         int64         `json:"idle_cycles_sum"`
	Active       int64         `json:"active_cycles_sum"`
	Precharged   int64         `json:"precharged_cycles_sum"`
}

// HostsSchema names the form of Hosts' JSON.
const HostsSchema = "pimflow.sim.hosts/1"

// Hosts holds traces of a folder, a file a channel of a step, each timed alone.
type Hosts struct {
	Schema string `json:"schema"`
	Traces []Host `json:"traces"` // in the order of the manifest
}

// HostFiles times files of host instructions, each alone; "-" is stdin.
func (s *Simulator) HostFiles(ctx context.Context, files []string, stdin io.Reader, phase Phase) ([]Host, error) {
	var list []Host
	for i, file := range files {
		if slices.Contains(files[:i], file) {
			return nil, fmt.Errorf("%s is given twice", file)
		}
		r, err := read(ctx, file, stdin, phase(file), func(name string, in io.Reader) (aimhost.Result, error) {
			h, err := aimhost.New(s.channel, s.Machine.Memory.Channels)
			if err != nil {
				return aimhost.Result{}, fmt.Errorf("%s: %w", name, err)
			}
			h.Limit(int64(s.Machine.PIM.Rows))
			return h.Run(name, in)
		})
		if err != nil {
			return nil, err
		}
		h := Host{
			Schema: HostSchema, Machine: s.Machine.Name, Clock: s.Machine.PIM.Clock.Picoseconds(),
			File: file, Channels: s.Machine.Memory.Channels, Instructions: r.Instructions,
			Cycles: int64(r.Cycles), NS: s.NS(r.Cycles), Issued: s.Counts(r.Issued),
			Idle: r.Idle, Active: r.Open, Precharged: r.Precharged,
		}
		if f := s.Standard.Refresh; f != nil { // the host has none
			h.Issued = slices.Delete(h.Issued, int(f.Do), int(f.Do)+1)
		}
		for _, c := range h.Issued {
			h.Total += c.N
		}
		list = append(list, h)
	}
	return list, nil
}

// hostColumns are the columns of a table of traces that are counted anew.
func (s *Simulator) hostColumns(r *aimhost.Result, hash string) map[string]string {
	cells := map[string]string{
		"isr_lines": strconv.FormatInt(r.Instructions, 10), "cycles": strconv.FormatInt(int64(r.Cycles), 10),
		"idle_cycles_sum":       strconv.FormatInt(r.Idle, 10),
		"active_cycles_sum":     strconv.FormatInt(r.Open, 10),
		"precharged_cycles_sum": strconv.FormatInt(r.Precharged, 10),
		"sha256":                hash,
	}
	for op, n := range r.Issued {
		cells[s.Standard.Ops[op].Name] = strconv.FormatInt(n, 10)
	}
	return cells
}

// HostTable runs the column "trace" of a CSV file, "-" for stdin, and prints its rows
// in order with what can be counted counted anew; a column cycles is added if there
// is none. Rules, timings and channels are those of the published device of the standard, where
// there is one: its refreshes are those of the columns "refi" and "rfc", in ticks, and none
// without them. Other simulators serve none.
func (s *Simulator) HostTable(ctx context.Context, file string, stdin io.Reader, stdout io.Writer, phase RowPhase) error {
	return printTable(file, stdin, stdout, phase, tableForm{[]string{"trace"}, []string{"cycles"}, nil, func(row tableRow) (map[string]string, error) {
		host, err := s.tableHost(row)
		if err != nil {
			return nil, err
		}
		r, hash, err := hostText(ctx, host, row.cell("trace"), row.progress)
		if err != nil {
			return nil, fmt.Errorf("trace: %w", err)
		}
		return s.hostColumns(&r, hash), nil
	}})
}

// tableHost is the host for a row of a table.
func (s *Simulator) tableHost(row tableRow) (*aimhost.Host, error) {
	device := aimhost.PublishedOf(s.Standard)
	every, _, err := row.refreshes(math.MaxUint32)
	if err != nil {
		return nil, err
	}
	if device == nil {
		if every[0] > 0 {
			return nil, fmt.Errorf("refi: %d: 0 wanted, or no columns refi and rfc: the simulator of %s serves no refresh", every[0], s.Standard.Name)
		}
		return aimhost.New(s.channel, s.Machine.Memory.Channels)
	}
	h, err := device.Host(every[0], every[1])
	if err != nil {
		return nil, fmt.Errorf("refi %d, rfc %d: %w", every[0], every[1], err)
	}
	return h, nil
}

// hostText runs a text with loops on a host that has done nothing yet and returns the SHA-256 of its lines too.
func hostText(ctx context.Context, h *aimhost.Host, text string, progress func(done, total int)) (aimhost.Result, string, error) {
	loops, err := aimhost.ParseLoops(text)
	if err != nil {
		return aimhost.Result{}, "", err
	}
	total := max(loops.Count(nil), loops.Count(func(line string) int64 {
		in, _, _ := aimhost.ParseInstruction(line) // what is wrong is told where it is run
		return max(1, in.Requests())
	}))
	if err := few(total, "sim"); err != nil {
		return aimhost.Result{}, "", err
	}
	h.Watch(func(taken int64) error {
		if progress != nil {
			progress(int(taken), int(total))
		}
		return ctx.Err()
	})
	hash := sha256.New()
	n, ended, asked := 0, false, int64(0)
	err = loops.Lines(func(line string) error {
		n++
		if _, err := io.WriteString(hash, line+"\n"); err != nil {
			return err
		}
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if ended {
			return nil // the simulator reads nothing after EOC
		}
		in, some, err := aimhost.ParseInstruction(line)
		if err == nil && some {
			ended = in.End()
			if asked += in.Requests(); asked > maxVisited { // of numbers that are computed from indices
				err = fmt.Errorf("%d commands up to here: at most %d wanted, each of which sim visits", asked, maxVisited)
			} else {
				err = h.Do(in)
			}
		}
		if err != nil {
			return fmt.Errorf("line %d: %.80q: %w", n, line, err)
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
