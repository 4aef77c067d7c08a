package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"pimflow/internal/csvtext"
	"pimflow/internal/emit"
	"pimflow/internal/files"
	"pimflow/internal/nearest"
	"pimflow/internal/trace"
)

// Stall is a line of the CSV that says where the cycles of a stream go.
type Stall struct {
	Step, Layer, Channel, File string // all but File are empty for single files
	Part, Of                   string // Part is one of StallParts
	Cycles, Share              float64
}

// StallParts are the parts of a stream's cycles. Those of StallSum add up to all.
var (
	StallParts = []string{"command", "wait", "data bus", "mac units", "row open"}
	StallSum   = StallParts[:2]
)

// stallColumns are the columns of the CSV.
var stallColumns = []string{"step", "layer", "channel", "file", "part", "of", "cycles", "share"}

// Text is the text of a column.
func (s *Stall) Text(column string) (text string, known bool) {
	of := map[string]string{"step": s.Step, "layer": s.Layer, "channel": s.Channel, "file": s.File, "part": s.Part, "of": s.Of}
	text, known = of[column]
	return text, known
}

// Stalls writes where the cycles of streams go as CSV: a line for each part of each stream, with its cycles and their share. m is the manifest
// of the streams, nil for single files. ReadStalls reads it.
func Stalls(w io.Writer, m *emit.Manifest, s *trace.Streams) error {
	out := csv.NewWriter(w)
	out.Write(stallColumns)
	at := 0
	each := func(step, layer, channel, file string) {
		x := &s.Streams[at]
		at++
		line := func(part, of string, cycles, share float64) {
			out.Write([]string{step, layer, channel, file, part, of, strconv.FormatFloat(cycles, 'f', -1, 64), strconv.FormatFloat(share, 'f', 6, 64)})
		}
		all := float64(max(x.Cycles, 1))
		line("command", "", float64(x.Spent.Commands), float64(x.Spent.Commands)/all)
		for _, r := range x.Spent.Stalls {
			line("wait", r.Rule, float64(r.Cycles), float64(r.Cycles)/all)
		}
		line("data bus", "", x.Use.DataBus*float64(x.Cycles), x.Use.DataBus)
		line("mac units", "", x.Use.Units*float64(x.Cycles), x.Use.Units)
		for _, o := range x.Spent.Open {
			line("row open", "banks "+o.Banks, float64(o.Cycles), float64(o.Cycles)/all)
		}
	}
	if m == nil {
		for i := range s.Streams {
			each("", "", "", s.Streams[i].File)
		}
	} else {
		for _, st := range m.Steps {
			for _, c := range st.Channels {
				each(strconv.Itoa(st.Step), st.Layer, strconv.Itoa(c.Channel), c.File)
			}
		}
	}
	out.Flush()
	return out.Error()
}

// MaxStalls bounds the CSV in bytes: 100,000 streams of 20 lines (estimated).
const MaxStalls = 1 << 28

// HasStalls reports whether a regular file begins as Stalls writes it.
func HasStalls(file string) bool {
	if info, err := os.Stat(files.At(file)); err != nil || !info.Mode().IsRegular() {
		return false
	}
	f, err := files.OpenText(file, MaxStalls)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, len(strings.Join(stallColumns, ",")))
	_, err = io.ReadFull(f, head)
	return err == nil && string(head) == strings.Join(stallColumns, ",")
}

// ReadStalls reads the lines of a file that Stalls wrote. The error is `file:line: …`.
func ReadStalls(file string, each func(*Stall) error) error {
	f, err := files.OpenText(file, MaxStalls)
	if err != nil {
		return err
	}
	defer f.Close()
	return csvtext.Rows(file, f, stallColumns, func(line int, cells []string) error {
		s := Stall{Step: cells[0], Layer: cells[1], Channel: cells[2], File: cells[3], Part: cells[4], Of: cells[5]}
		if !slices.Contains(StallParts, s.Part) {
			return fmt.Errorf("%s:%d: part %.80q: one of %s wanted%s", file, line, s.Part, strings.Join(StallParts, ", "), nearest.Hint(s.Part, StallParts))
		}
		for i, to := range []*float64{&s.Cycles, &s.Share} {
			if *to, err = csvtext.Number(cells[6+i]); err != nil || *to < 0 {
				return fmt.Errorf("%s:%d: %s %.80q: a number of 0 or more wanted", file, line, stallColumns[6+i], cells[6+i])
			}
		}
		return each(&s)
	})
}
