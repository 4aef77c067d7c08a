package report

import (
	"fmt"
	"strings"

	"pimflow"
)

// launchTable writes the speed-up of the same search for each way to launch work.
func launchTable(b *strings.Builder, r *pimflow.Report) {
	if len(r.Launches) == 0 {
		return
	}
	t := table{{right: false}, {right: true}, {right: true}}
	b.WriteByte('\n')
	t.row("speed-up, by how work is launched (* the plan above)", "each", "joint")
	for i := 0; i+1 < len(r.Launches); i += 2 { // each and joint of one mechanism
		way := &r.Launches[i]
		cost := fmt.Sprintf("%.2f us a launch", way.Launch)
		if way.PIMLaunch != way.Launch {
			cost = fmt.Sprintf("%.2f us a kernel and %.2f us PIM work", way.Launch, way.PIMLaunch)
		}
		cells := []string{"  " + way.GPU + ", " + cost}
		for _, l := range r.Launches[i : i+2] {
			text := fmt.Sprintf("%.3f", l.Speedup)
			if l.Own {
				text = "*" + text
			}
			cells = append(cells, text)
		}
		t.row(cells...)
	}
	t.write(b)
}
