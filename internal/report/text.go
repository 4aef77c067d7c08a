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
	"pimflow/internal/search"
)

// Count is a number with a noun, in the plural unless the number is 1.
func Count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// Run writes the report of a plan for people: the breakdown of its time and energy and, with
// verbose, a row for each layer.
func Run(w io.Writer, r *pimflow.Report, verbose bool) error {
	b := &strings.Builder{}
	gpu := fmt.Sprintf("clock %.4f ns", r.Clocks.GPU/1e3)
	fmt.Fprintf(b, "model     %s, %d layers, %.1f M multiply-accumulates\n", fault.Name(r.Model), len(r.Layers), float64(r.MACs)/1e6)
	b.WriteString(bindings(r.Bindings))
	b.WriteString(sizes(r.Sizes, verbose))
	fmt.Fprintf(b, "machine   %s, %d memory channels, %d of them PIM\n", r.Machine, r.Channels, r.PIMChannels)
	if r.Integers > 0 {
		fmt.Fprintf(b, "integers  %.1f %% of the multiply-accumulates are of integers of 8 bits: all times of the GPU, alone and in the plan, are of its int8 kernels\n", 100*float64(r.Integers)/float64(max(r.MACs, 1)))
	}
	if r.PlanMachine != "" {
		fmt.Fprintf(b, "plan      made for machine %s\n", fault.Name(r.PlanMachine))
	}
	if text := pinned(r.Layers); text != "" {
		fmt.Fprintf(b, "pinned    %s\n", text)
	}
	policy := fault.Name(r.Policy)
	if r.Objective != search.Latency.String() {
		policy += " for " + r.Objective
	}
	if r.Effort != search.Normal.String() && r.Policy == pimflow.DefaultPolicy {
		policy += ", effort " + r.Effort
	}
	if r.Stopped {
		policy += ", stopped before the end"
	}
	fmt.Fprintf(b, "policy    %s: %s\n\n", policy, placements(r))
	if len(r.ChannelsTried) > 0 {
		b.WriteString("PIM channels tried, and the speed-up:\n")
		t := table{{right: true}, {right: true}}
		for _, c := range r.ChannelsTried {
			t.row(fmt.Sprint(c.PIMChannels), fmt.Sprintf("%.3f", r.Baseline/c.Total))
		}
		t.write(b)
		b.WriteByte('\n')
	}
	summary := table{{right: false}, {right: true}, {right: true}, {right: false}}
	summary.row("GPU only", ns(r.Baseline), ck(r.BaselineTicks), fmt.Sprintf("between %.1f and %.1f; all %d channels; GPU %s", r.BaselineLow, r.BaselineHigh, r.Channels, gpu))
	summary.row("plan", ns(r.Total), ck(r.TotalTicks), fmt.Sprintf("speed-up %.3f, between %.3f and %.3f", r.Speedup, r.Low, r.High))
	summary.row("  period", ns(r.Throughput.Period), "", throughput(&r.Throughput))
	if r.Bound != nil {
		gap := fmt.Sprintf("optimality gap %.1f %%", 100*(r.Total / *r.Bound - 1))
		if r.Exact {
			gap += "; exact: no plan of at most two tiles a layer is better"
		}
		summary.row("bound", ns(*r.Bound), "", gap)
		summary.row("  two tiles", ns(*r.BoundTwo), "", fmt.Sprintf("gap %.1f %%: no plan of at most two costed tiles a layer takes less", 100*(r.Total / *r.BoundTwo - 1)))
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
	launchTable(b, r)
	if r.GPUProfile != nil {
		profileText(b, r.GPUProfile)
	}
	energyText(b, &r.Energy, verbose)
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
		layerTable(b, r)
	}
	_, err := io.WriteString(w, trimLines(b.String()))
	return err
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

// placements counts the layers by kind, as "12 gpu, 30 split".
func placements(r *pimflow.Report) string {
	n, sole := map[string]int{}, 0
	for _, l := range r.Layers {
		if n[l.Kind]++; l.Exclusive {
			sole++
		}
	}
	var parts []string
	for _, k := range []string{"gpu", "pim", "split", "pipe"} {
		if n[k] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[k], k))
		}
	}
	if sole > 0 {
		parts = append(parts, fmt.Sprintf("%d of them exclusive", sole))
	}
	return strings.Join(parts, ", ")
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
	open  []int // the rows whose text may be longer than the column
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

func (t table) write(b *strings.Builder) {
	width := make([]int, len(t))
	for i, c := range t {
		for r, s := range c.cells {
			if !slices.Contains(c.open, r) {
				width[i] = max(width[i], utf8.RuneCountInString(s))
			}
		}
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
