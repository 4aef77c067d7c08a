package report

import (
	"encoding/csv"
	"io"
	"strconv"

	"pimflow/internal/emit"
	"pimflow/internal/trace"
)

// Stalls writes where the cycles of streams go as CSV: a line for each part of each stream, with its cycles and their share. The parts
// "command" and "wait" add up to the cycles of the stream. m is the manifest of the streams, nil for single files.
func Stalls(w io.Writer, m *emit.Manifest, s *trace.Streams) error {
	out := csv.NewWriter(w)
	out.Write([]string{"step", "layer", "channel", "file", "part", "of", "cycles", "share"})
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
