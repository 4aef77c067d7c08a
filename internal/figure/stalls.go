package figure

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"pimflow/internal/fault"
	"pimflow/internal/nearest"
	"pimflow/internal/report"
)

// stallViews are what of the cycles is along x.
var stallViews = []struct {
	name  string
	parts []string // of a stall
}{
	{"cause", report.StallSum},
	{"unit", []string{"command", "data bus", "mac units"}},
	{"banks", []string{"row open"}},
}

// stallRows are columns that may be along y.
var stallRows = []string{"channel", "layer", "step", "file"}

// mostCauses is how many causes have a column of their own: the others are one. Estimated: the width of a page.
const mostCauses = 12

// mostStallRows bounds the rows of all panels. Estimated: a page has 80.
const mostStallRows = 2000

// stalls is the part of the cycles of each channel, or of each value of another column, that goes to each cause, over all of its streams: a
// panel for each value of --group.
func stalls(d *Data, o *Options) (*Figure, error) {
	if len(d.Stalls) == 0 {
		return nil, fmt.Errorf("%s: no line says where cycles go: what pimflow sim --stalls prints wanted", strings.Join(d.files, ", "))
	}
	var views []string
	for _, v := range stallViews {
		views = append(views, v.name)
	}
	view := slices.Index(views, cmp.Or(o.X, views[0]))
	if view < 0 {
		return nil, fault.Usagef("--x %.80q: one of %s wanted%s", o.X, strings.Join(views, ", "), nearest.Hint(o.X, views))
	}
	y := o.Y
	if y == "" {
		y = "channel"
		if !slices.ContainsFunc(d.Stalls, func(s report.Stall) bool { return s.Channel != "" }) {
			y = "file" // single files
		}
	}
	for flag, columns := range map[string][]string{"y": {y}, "group": o.Group} {
		for _, c := range columns {
			if !slices.Contains(stallRows, c) {
				return nil, fault.Usagef("--%s %.80q: one of %s wanted%s", flag, c, strings.Join(stallRows, ", "), nearest.Hint(c, stallRows))
			}
		}
	}
	t := newStallTable(d.Stalls, stallViews[view].parts, y, o.Group)
	if n := len(t.panels) * len(t.rows); n > mostStallRows {
		return nil, fault.Usagef("--y %s: %d rows in %d panels: %d in all at most wanted, as with --where layer=NAME", y, len(t.rows), len(t.panels), mostStallRows)
	}
	f := &Figure{Beside: true, Shades: &Shades{Label: "share of the cycles (%)", High: 100}}
	for _, p := range t.panels {
		f.Panels = append(f.Panels, t.panel(p, y))
	}
	return f, nil
}

// someStalls are the lines that have a value.
func someStalls(lines []report.Stall, column, value string) (list []report.Stall, err error) {
	if !slices.Contains(stallRows, column) {
		return nil, fault.Usagef("--where %.80s=%.80s: one of the columns %s wanted%s", column, value, strings.Join(stallRows, ", "), nearest.Hint(column, stallRows))
	}
	var there []string
	for i := range lines {
		text, _ := lines[i].Text(column)
		if there = appendNew(there, text); text == value {
			list = append(list, lines[i])
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("--where %.80s=%.80s: no line is so%s: %s is %.300s", column, value, nearest.Hint(value, there), column, strings.Join(there, ", "))
	}
	return list, nil
}

// stallTable is cycles by panel, row and cause.
type stallTable struct {
	panels, rows, causes []string
	cycles               map[[3]string]float64
	all                  map[[2]string]float64 // of a row of a panel
}

func newStallTable(lines []report.Stall, parts []string, y string, group []string) *stallTable {
	t := &stallTable{cycles: map[[3]string]float64{}, all: map[[2]string]float64{}}
	sums := map[string]float64{}
	for i := range lines {
		s := &lines[i]
		row, _ := s.Text(y)
		var labels []string
		for _, c := range group {
			text, _ := s.Text(c)
			labels = append(labels, text)
		}
		panel := strings.Join(labels, ", ")
		t.panels, t.rows = appendNew(t.panels, panel), appendNew(t.rows, row)
		if slices.Contains(report.StallSum, s.Part) {
			t.all[[2]string{panel, row}] += s.Cycles
		}
		if slices.Contains(parts, s.Part) {
			cause := cmp.Or(s.Of, map[string]string{"command": "commands", "mac units": "MAC units"}[s.Part], s.Part)
			if _, seen := sums[cause]; !seen {
				t.causes = append(t.causes, cause)
			}
			sums[cause] += s.Cycles
			t.cycles[[3]string{panel, row, cause}] += s.Cycles
		}
	}
	t.sort()
	if len(t.causes) > mostCauses {
		t.fold(sums)
	}
	return t
}

// appendNew appends a text that is not there yet.
func appendNew(list []string, text string) []string {
	if slices.Contains(list, text) {
		return list
	}
	return append(list, text)
}

// sort orders rows by their numbers, if all are numbers.
func (t *stallTable) sort() {
	at := map[string]int{}
	for _, r := range t.rows {
		n, err := strconv.Atoi(r)
		if err != nil {
			return
		}
		at[r] = n
	}
	slices.SortStableFunc(t.rows, func(a, b string) int { return cmp.Compare(at[a], at[b]) })
}

// fold makes one cause of those that take the fewest cycles.
func (t *stallTable) fold(sums map[string]float64) {
	const others = "others"
	by := slices.Clone(t.causes)
	slices.SortStableFunc(by, func(a, b string) int { return cmp.Compare(sums[b], sums[a]) })
	few := by[mostCauses-1:]
	for key, n := range t.cycles {
		if slices.Contains(few, key[2]) {
			t.cycles[[3]string{key[0], key[1], others}] += n
		}
	}
	t.causes = append(slices.DeleteFunc(t.causes, func(c string) bool { return slices.Contains(few, c) }), others)
}

// panel is a part of the table, the first row at the top.
func (t *stallTable) panel(name, y string) Panel {
	p := Panel{Title: name, Y: Axis{Label: y}, X: Axis{Names: t.causes, Low: -0.5, High: float64(len(t.causes)) - 0.5}}
	for _, row := range slices.Backward(t.rows) {
		all := t.all[[2]string{name, row}]
		if all == 0 {
			continue
		}
		at := float64(len(p.Y.Names))
		p.Y.Names = append(p.Y.Names, row)
		for i, cause := range t.causes {
			part := t.cycles[[3]string{name, row, cause}] / all
			text := strconv.FormatFloat(100*part, 'f', 1, 64)
			p.Boxes = append(p.Boxes, Box{X0: float64(i) - 0.5, X1: float64(i) + 0.5, Y0: at - 0.5, Y1: at + 0.5, Style: shaded, Shade: min(part, 1), Text: text})
		}
	}
	p.Y.Low, p.Y.High = -0.5, float64(len(p.Y.Names))-0.5
	return p
}
