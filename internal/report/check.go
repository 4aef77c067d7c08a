package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"pimflow"

	"pimflow/internal/fault"
	"pimflow/internal/plan"
)

// checkText writes a check: whether the plan is right, then what the number format costs.
func checkText(b *strings.Builder, c *pimflow.Check, verbose bool) {
	if !c.Replay.OK {
		fmt.Fprintf(b, "\nreplay FAILED: %s\n", printable(c.Replay.Error))
		return
	}
	fmt.Fprintf(b, "\ncheck     %s\n", verdict(c))
	if n := len(c.Faults); n > 1 {
		for _, f := range some(c.Faults[1:], verbose) {
			fmt.Fprintf(b, "  also %s\n", printable(f.String()))
		}
		more(b, n-1, verbose)
	}
	if c.MaxError > 0 {
		fmt.Fprintf(b, "  errors of outputs up to %g wanted: %d layers are kept off the PIM\n", c.MaxError, len(c.GPUOnly))
		for _, n := range some(c.GPUOnly, verbose) {
			fmt.Fprintf(b, "    %s\n", fault.Name(n))
		}
		more(b, len(c.GPUOnly), verbose)
	}
	t := table{{}, {right: true}, {right: true}, {right: true}, {}}
	t.row("", "compared", "zero", "not finite", "")
	row := func(name string, e *pimflow.Evidence, found string) {
		t.row(name, fmt.Sprint(e.Compared), fmt.Sprint(e.Zero), fmt.Sprint(e.NotFinite), found)
	}
	held := "within the bound of their arithmetic"
	switch {
	case c.Exact:
		held = "equal, on whole numbers"
	case c.Whole:
		held = "equal"
	}
	equal := "equal"
	if n := len(c.Inexact); n > 0 {
		held += fmt.Sprintf("; in %d layers within the bound, sums are beyond the whole numbers of the format: %s", n, strings.Join(c.Inexact, ", "))
	}
	for _, f := range c.Faults {
		if f.Device == plan.PIM {
			held = "some wrong"
		} else {
			equal = "some wrong"
		}
	}
	if c.PIMTiles > 0 {
		row(fmt.Sprintf("  %d PIM tiles", c.PIMTiles), &c.PIM, held)
	}
	if c.GPUTiles > 0 {
		row(fmt.Sprintf("  %d GPU tiles", c.GPUTiles), &c.GPU, equal)
	}
	if !c.Exact {
		row("  simplified graph", &c.Simplified.Evidence, difference(&c.Simplified))
		for i := range c.Outputs {
			row("  output "+fault.Name(c.Outputs[i].Name), &c.Outputs[i].Evidence, difference(&c.Outputs[i]))
		}
	}
	t.write(b)
	formatText(b, c.Format, verbose)
	r := &c.Replay
	if r.Streams == 0 {
		b.WriteString("replay    nothing: no tile is on the PIM\n")
		return
	}
	fmt.Fprintf(b, "replay ok: %d streams, %d commands, %d of them timed, %d column accesses each once\n", r.Streams, r.Commands, r.Timed, r.Accesses)
}

// verdict says whether the plan is right and, where it is, which outputs the number format loses values of.
func verdict(c *pimflow.Check) string {
	if !c.OK {
		return "FAILED: " + printable(c.Reason)
	}
	var lost []string
	for i := range c.Outputs {
		if text := losses(c, &c.Outputs[i]); text != "" {
			lost = append(lost, text)
		}
	}
	switch n := len(lost); n {
	case 0:
		return "ok"
	case 1:
		return "ok, but " + lost[0]
	default:
		return fmt.Sprintf("ok, but %s; so are values of %d more outputs", lost[0], n-1)
	}
}

// losses says how many values of an output are lost: those that are not finite, and those that are 0. "": none.
func losses(c *pimflow.Check, o *pimflow.OutputCheck) string {
	zeros := vanished(o)
	if o.Lost+zeros == 0 {
		return ""
	}
	in, how := "", "not finite"
	if c.PIMTiles > 0 {
		in = " in the PIM's number format"
	}
	switch {
	case o.Lost == 0:
		how = "0"
	case zeros > 0:
		how = fmt.Sprintf("%d not finite, %d 0", o.Lost, zeros)
	}
	return fmt.Sprintf("%d of %d values of output %s are lost%s: %s", o.Lost+zeros, o.Compared+o.Lost, fault.Name(o.Name), in, how)
}

// vanished is how many values of an output are 0 that the model's are not, where they are half or more of these: less is what
// rounding does around 0.
func vanished(o *pimflow.OutputCheck) int64 {
	if 2*o.Vanished < o.Compared+o.Lost-o.Zero {
		return 0
	}
	return o.Vanished
}

// difference describes an error.
func difference(d *pimflow.OutputCheck) string {
	s := "equal"
	if d.Compared+d.NotFinite == 0 {
		s = "no values"
	} else if d.Compared == 0 {
		s = "nothing finite to compare"
	} else if d.MaxAbs > 0 {
		s = fmt.Sprintf("largest error %.3g, %.3g of the largest value", d.MaxAbs, d.MaxRel)
	}
	if d.Changed > 0 {
		s = fmt.Sprintf("%d integers differ, %.3g %%", d.Changed, 100*float64(d.Changed)/float64(d.Compared))
	}
	if n := vanished(d); n > 0 {
		s += fmt.Sprintf("; %d values are 0 that the model's are not", n)
	}
	if d.Lost > 0 {
		s += fmt.Sprintf("; %d values are not finite that the model's are", d.Lost)
	}
	return s
}

// shown is how many lines of a list are printed without -v.
const shown = 5

// some is the beginning of a list.
func some[T any](list []T, all bool) []T {
	if all {
		return list
	}
	return list[:min(len(list), shown)]
}

// more says how many lines of a list are left out.
func more(b *strings.Builder, n int, all bool) {
	if n > shown && !all {
		fmt.Fprintf(b, "  and %d more (-v)\n", n-shown)
	}
}

// few is the part of a layer's values that may become 0 before the layer is named without -v: less than half
// precision takes from all of them (estimated).
const few = 1e-3

// formatText lists the layers with values that the PIM's number format cannot hold, those with most that
// become infinite first. Layers in which few values become 0 are counted.
func formatText(b *strings.Builder, list []pimflow.LayerRange, verbose bool) {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(x, y pimflow.LayerRange) int {
		return cmp.Or(cmp.Compare(y.InputsOver+y.WeightsOver+y.ResultsOver, x.InputsOver+x.WeightsOver+x.ResultsOver),
			cmp.Compare(y.InputsUnder+y.WeightsUnder+y.ResultsUnder, x.InputsUnder+x.WeightsUnder+x.ResultsUnder))
	})
	var lines []string
	for _, l := range list {
		var parts []string
		named := verbose
		for _, k := range []struct {
			n, of int64
			about string
			over  bool
		}{
			{l.InputsOver, l.Inputs, "inputs overflow", true}, {l.WeightsOver, l.Weights, "weights overflow", true}, {l.ResultsOver, l.Results, "results overflow", true},
			{l.InputsUnder, l.Inputs, "inputs underflow", false}, {l.WeightsUnder, l.Weights, "weights underflow", false}, {l.ResultsUnder, l.Results, "results underflow", false},
		} {
			if k.n > 0 {
				parts = append(parts, fmt.Sprintf("%s: %d of %d", k.about, k.n, k.of))
				named = named || k.over || float64(k.n) >= few*float64(k.of)
			}
		}
		if named {
			lines = append(lines, fmt.Sprintf("format    layer %s: %s\n", fault.Name(l.Layer), strings.Join(parts, ", ")))
		}
	}
	for _, l := range some(lines, verbose) {
		b.WriteString(l)
	}
	more(b, len(lines), verbose)
	if n := len(list) - len(lines); n > 0 {
		fmt.Fprintf(b, "format    %d layers with less than %g of their values underflowing (-v)\n", n, few)
	}
}
