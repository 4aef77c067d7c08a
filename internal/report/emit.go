package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"pimflow/internal/emit"
	"pimflow/internal/fault"
)

// Emitted writes what is in a folder of streams for people: a row for each step.
func Emitted(w io.Writer, m *emit.Manifest) error {
	b := &strings.Builder{}
	files := 0
	for _, s := range m.Steps {
		files += len(s.Channels)
	}
	fmt.Fprintf(b, "streams    %s on %s: %s of %s, %d commands, %d bytes as %s\n\n", fault.Name(m.Model), fault.Name(m.Machine), counted(files, "file"), counted(len(m.Steps), "step"), m.Commands, m.Bytes, m.Format)
	rows := table{{right: true}, {}, {right: true}, {right: true}, {right: true}, {right: true}, {right: true}}
	rows.row("step", "layer", "channels", "launches", "rows", "commands", "ck")
	for _, s := range m.Steps {
		commands, lo, hi := int64(0), 0, 0
		for i, c := range s.Channels {
			if commands += c.Commands; i == 0 || c.Rows[0] < lo {
				lo = c.Rows[0]
			}
			hi = max(hi, c.Rows[1])
		}
		rows.row(strconv.Itoa(s.Step), s.Layer, strconv.Itoa(len(s.Channels)), strconv.Itoa(s.Launches), fmt.Sprintf("%d:%d", lo, hi),
			strconv.FormatInt(commands, 10), strconv.FormatInt(s.Slowest, 10))
	}
	rows.write(b)
	b.WriteString("\nrows of the banks over all channels; ck of the slowest channel, refreshes included\n")
	_, err := io.WriteString(w, trimLines(b.String()))
	return err
}
