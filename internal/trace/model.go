package trace

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"pimflow/internal/dram"
	"pimflow/internal/dram/aimhost"
	"pimflow/internal/dram/hbmhost"
)

// notSimulated is the column that says why a row has no new counts.
const notSimulated = "not_simulated"

// reordered is the kind of rows whose requests the model's controller reorders.
const reordered = "sched"

// ModelTable runs the column "trace" of a CSV file as the open model of HBM3-PIM does, "-" for stdin, each row in its columns preset,
// refi and rfc: without preset in the timing of the machine, without refi and rfc refreshed as that timing or the preset is. It prints the rows in order with what can be counted counted anew. Rows of kind
// "sched" need the model's reordering controller: their counts are left empty, and a column not_simulated says why.
// A file without that column is one of products (products).
func (s *Simulator) ModelTable(ctx context.Context, file string, stdin io.Reader, stdout io.Writer, phase RowPhase) error {
	traces := tableForm{[]string{"trace"}, []string{"cycles", notSimulated}, []string{"inorder", reordered}, func(row tableRow) (map[string]string, error) {
		t, err := s.modelTiming(row)
		if err != nil {
			return nil, err
		}
		loops, err := aimhost.ParseLoops(row.cell("trace"))
		if err != nil {
			return nil, fmt.Errorf("trace: %w", err)
		}
		if err := few(loops.Count(nil), "sim"); err != nil {
			return nil, fmt.Errorf("trace: %w", err)
		}
		return modelRow(ctx, &t, loops, row.cell("kind") == reordered, row.progress)
	}}
	return printTable(file, stdin, stdout, phase, traces, s.products(ctx))
}

// modelTiming is that of a row.
func (s *Simulator) modelTiming(row tableRow) (t hbmhost.Timing, err error) {
	if row.has("preset") {
		if t, err = hbmhost.Preset(row.cell("preset")); err != nil {
			return t, fmt.Errorf("preset: %w", err)
		}
	} else {
		t = hbmhost.Of(dram.Timing(s.Machine.PIM.Timing))
	}
	every, given, err := row.refreshes(1 << 30)
	if err != nil {
		return t, err
	}
	if given {
		t.Interval, t.Refresh = every[0], every[1]
	}
	return t, t.Check()
}

// modelRow counts a row anew; with reordered only the text of its trace.
func modelRow(ctx context.Context, t *hbmhost.Timing, loops aimhost.Loops, unordered bool, progress func(done, total int)) (map[string]string, error) {
	text, issue := sha256.New(), sha256.New()
	lines, total := 0, int(loops.Count(nil))
	var failed error
	trace := func(yield func(hbmhost.Instruction) bool) {
		err := loops.Lines(func(line string) error {
			lines++
			if lines%1024 == 0 {
				if progress != nil {
					progress(lines, total)
				}
				if ctx.Err() != nil {
					return ctx.Err()
				}
			}
			fmt.Fprintln(text, line)
			in, err := hbmhost.ParseInstruction(line)
			if err != nil {
				return fmt.Errorf("line %d: %.80q: %w", lines, line, err)
			}
			if !yield(in) {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			failed = fmt.Errorf("trace: %w", err)
		}
	}
	n := make([]int, len(hbmhost.Commands))
	var first []string
	var order *hbmhost.ErrOrder
	cells := map[string]string{notSimulated: "", "cycles": "", "first_ticks": "", "issue_sha256": ""}
	for _, name := range hbmhost.Commands {
		cells[name] = ""
	}
	if unordered {
		order = &hbmhost.ErrOrder{Line: "kind " + reordered}
	} else {
		cycles, err := hbmhost.Run(t, trace, func(i hbmhost.Issue) {
			n[i.Command]++
			fmt.Fprintln(issue, i.At, hbmhost.Commands[i.Command])
			if len(first) < 6 {
				first = append(first, fmt.Sprintf("%d:%s", i.At, hbmhost.Commands[i.Command]))
			}
		}, ctx.Err)
		if failed != nil || err != nil && !errors.As(err, &order) {
			return nil, cmp.Or(failed, err)
		}
		cells["cycles"] = strconv.FormatInt(cycles, 10)
	}
	if order != nil {
		cells["cycles"], cells[notSimulated] = "", order.Error()
		lines = 0
		text.Reset()
		for range trace { // the rest of its text
		}
	} else {
		cells["first_ticks"], cells["issue_sha256"] = strings.Join(first, " "), hex.EncodeToString(issue.Sum(nil))
		for c, name := range hbmhost.Commands {
			cells[name] = strconv.Itoa(n[c])
		}
	}
	cells["lines"], cells["sha256"] = strconv.Itoa(lines), hex.EncodeToString(text.Sum(nil))
	return cells, failed
}

// errEnough ends the lines of a trace that nobody reads on.
var errEnough = errors.New("enough")
