package report

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"pimflow"

	"pimflow/internal/fault"
	"pimflow/internal/plan"
)

// Count is a number with a noun, in the plural unless the number is 1.
func Count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// Run writes the report of a plan for people: the answer and, with verbose, the breakdown of its time and energy, and a row for each
// layer in lines of at most so many characters, 0: as long as it takes.
func Run(w io.Writer, r *pimflow.Report, verbose bool, columns int) error {
	b := &strings.Builder{}
	answer(b, r, columns)
	b.WriteString(sizes(r.Sizes, verbose))
	if len(r.ChannelsTried) > 0 {
		b.WriteString("\nPIM channels tried, and the speed-up:\n")
		t := table{{right: true}, {right: true}}
		for _, c := range r.ChannelsTried {
			t.row(fmt.Sprint(c.PIMChannels), fmt.Sprintf("%.3f", r.Baseline/c.Total))
		}
		t.write(b)
	}
	launchTable(b, r)
	if r.GPUProfile != nil {
		profileText(b, r.GPUProfile)
	}
	if verbose {
		details(b, r)
		if r.Utilization != nil {
			usageText(b, r.Utilization)
		}
		energyText(b, &r.Energy)
	}
	if len(r.Pareto) > 0 {
		pareto(b, r)
	}
	if r.Check != nil {
		checkText(b, r.Check, verbose)
	}
	for o, images := range r.Top {
		for n, classes := range images {
			of := fmt.Sprintf("image %d", n)
			if slices.Contains(r.TopWhole, o) {
				of = "all values"
			}
			fmt.Fprintf(b, "\ntop of output %d, %s\n", o, of)
			for _, c := range classes {
				fmt.Fprintf(b, "  %6d  %10.4f  %s\n", c.Index, c.Score, fault.Name(c.Label))
			}
		}
	}
	if verbose {
		b.WriteByte('\n')
		layerTable(b, r, columns)
	}
	_, err := io.WriteString(w, trimLines(b.String()))
	return err
}

// details writes the times of a plan to the cycle.
func details(b *strings.Builder, r *pimflow.Report) {
	gpu := fmt.Sprintf("clock %.4f ns", r.Clocks.GPU/1e3)
	b.WriteByte('\n')
	summary := table{{right: false}, {right: true}, {right: true}, {right: false}}
	summary.row("GPU only", ns(r.Baseline), ck(r.BaselineTicks), fmt.Sprintf("all %d channels; GPU %s", r.Channels, gpu))
	summary.row("plan", ns(r.Total), ck(r.TotalTicks), fmt.Sprintf("speed-up %.3f, between %.3f and %.3f", r.Speedup, r.Low, r.High))
	summary.row("  period", ns(r.Throughput.Period), "", throughput(&r.Throughput))
	if r.Bound != nil {
		gap := fmt.Sprintf("optimality gap %.1f %%", 100*(r.Total / *r.Bound - 1))
		summary.row("bound", ns(*r.Bound), "", gap)
		summary.row("  two tiles", ns(*r.BoundTwo), "", fmt.Sprintf("gap %.1f %%", 100*(r.Total / *r.BoundTwo - 1)))
	}
	summary.row("  GPU busy", ns(r.GPUBusy), "", share(r, r.GPUBusy))
	summary.row("  PIM busy", ns(r.PIMBusy), "", fmt.Sprintf("%s; PIM clock %.4f ns", share(r, r.PIMBusy), r.Clocks.PIM/1e3))
	summary.row("  both busy", ns(r.BothBusy), "", share(r, r.BothBusy))
	summary.row("  idle", ns(r.Idle), "", share(r, r.Idle))
	summary.row("  launches", ns(r.Launch), "", share(r, r.Launch)+", within GPU busy")
	if r.PIMLaunch > 0 {
		n, tiles := launches(r)
		summary.row("  launches", ns(r.PIMLaunch), "", fmt.Sprintf("%s, within PIM busy: %d for %d tiles", share(r, r.PIMLaunch), n, tiles))
	}
	if c := r.Cold; c != nil {
		summary.row("cold start", ns(c.NS), "", fmt.Sprintf("once, not in the plan's time: %d B of weights written into %d PIM channels", c.Bytes, r.PIMChannels))
	}
	summary.write(b)
}

// pinned counts the layers that were kept on a device; "" for none.
func pinned(layers []pimflow.Layer) string {
	var list []string
	for _, dev := range []string{plan.GPU, plan.PIM} {
		n := 0
		for i := range layers {
			if layers[i].Pinned == dev {
				n++
			}
		}
		if n > 0 {
			list = append(list, fmt.Sprintf("%d to %s", n, dev))
		}
	}
	return strings.Join(list, ", ")
}

// throughput describes runs back to back.
func throughput(t *pimflow.Throughput) string {
	s := fmt.Sprintf("%.1f images/s back to back, GPU only %.1f", t.Rate, t.BaselineRate)
	if !t.Exact {
		s += "; the mean of many runs"
	}
	return s
}

func share(r *pimflow.Report, v float64) string {
	if r.Total == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f %%", 100*v/r.Total)
}

func ns(v float64) string { return fmt.Sprintf("%.1f ns", v) }
func ck(v int64) string   { return fmt.Sprintf("%d ck", v) }

func shape(s []int) string {
	p := make([]string, len(s))
	for i, d := range s {
		p[i] = strconv.Itoa(d)
	}
	return strings.Join(p, "x")
}

// printable quotes control characters, which names in a model's file can contain.
func printable(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) || !utf8.ValidString(s) {
		return strings.TrimSuffix(strconv.Quote(s)[1:], `"`)
	}
	return s
}

// table lays out rows in columns.
type table []column

type column struct {
	right bool
	cells []string
	open  []int                    // the rows whose text may be longer than the column
	rank  int                      // columns of the highest rank give way first where lines are short; those of rank 0 stay
	brief func(cell string) string // what of each cell stays then; nil: the column is left out
}

func (t table) row(cells ...string) {
	for i := range t {
		t[i].cells = append(t[i].cells, printable(cells[i]))
	}
}

// open adds a row that ends with a text of any length.
func (t table) open(cells ...string) {
	last := &t[len(cells)-1]
	last.open = append(last.open, len(last.cells))
	t.row(append(cells, make([]string, len(t)-len(cells))...)...)
}

// fit is the table without the columns that lines of so many characters have no room for, and the heads of these; 0: lines are as long as it takes.
func (t table) fit(most int) (kept table, left []string) {
	kept = slices.Clone(t)
	for most > 0 {
		all, last := -2, -1
		for i := range kept {
			if all += kept[i].width() + 2; kept[i].rank > 0 && (last < 0 || kept[i].rank >= kept[last].rank) {
				last = i
			}
		}
		if all <= most || last < 0 {
			break
		}
		c := kept[last]
		head := c.cells[0]
		if c.brief == nil {
			kept = slices.Delete(kept, last, last+1)
			left = append(left, head)
			continue
		}
		kept[last] = column{right: c.right, open: c.open}
		for _, cell := range c.cells {
			kept[last].cells = append(kept[last].cells, c.brief(cell))
		}
		left = append(left, strings.TrimSpace(strings.TrimPrefix(head, c.brief(head)))+" of "+c.brief(head))
	}
	slices.Reverse(left)
	return kept, left
}

// writeIn writes the table in lines of at most so many characters, as far as its columns of rank 0 allow, and names the columns that are left out.
func (t table) writeIn(b *strings.Builder, most int) {
	kept, left := t.fit(most)
	kept.write(b)
	if len(left) > 0 {
		b.WriteString(foldTo(fmt.Sprintf("Left out in %d columns: %s. --columns 0 prints them.", most, strings.Join(left, "; ")), most))
	}
}

// width is that of the widest cell that the column has to hold.
func (c *column) width() (n int) {
	for r, s := range c.cells {
		if !slices.Contains(c.open, r) {
			n = max(n, utf8.RuneCountInString(s))
		}
	}
	return n
}

func (t table) write(b *strings.Builder) {
	width := make([]int, len(t))
	for i := range t {
		width[i] = t[i].width()
	}
	for r := range t[0].cells {
		for i, c := range t {
			pad := strings.Repeat(" ", max(0, width[i]-utf8.RuneCountInString(c.cells[r])))
			if i > 0 {
				b.WriteString("  ")
			}
			if c.right {
				b.WriteString(pad + c.cells[r])
			} else {
				b.WriteString(c.cells[r] + pad)
			}
		}
		b.WriteByte('\n')
	}
}

// trimLines removes spaces before line ends.
func trimLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return strings.Join(lines, "\n")
}
