package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"pimflow/internal/published"
)

// KernelsSchema names the form of Kernels' JSON.
const KernelsSchema = "pimflow.kernels/1"

// Kernels holds published speed-ups of kernels on devices with PIM beside ours.
type Kernels struct {
	Schema  string      `json:"schema"`
	Sources []string    `json:"sources"` // of all claims
	Rows    []KernelRow `json:"rows"`
}

// KernelRow is a published speed-up, and ours.
type KernelRow struct {
	Machine    string          `json:"machine"`
	Kernel     string          `json:"kernel"`   // "bandwidth" against the peak of the pins
	Against    string          `json:"against"`  // GPU, pins, peak or units
	Reported   [2]float64      `json:"reported"` // published, least and most
	Source     string          `json:"source"`
	Sizes      []KernelSpeedup `json:"sizes,omitempty"`
	Ours       *[2]float64     `json:"ours"`              // least and most; null: Missing says why
	Difference *float64        `json:"difference"`        // relative, between the nearest values of ours and reported; 0 where they overlap
	Missing    string          `json:"missing,omitempty"` // why there is no value of ours

	source int
}

// KernelSpeedup is ours of a size.
type KernelSpeedup struct {
	Size    string  `json:"size"` // outputs and products of each, or channels and pixels
	Speedup float64 `json:"speedup"`
}

// Add adds the results of a machine.
func (k *Kernels) Add(machine string, list []published.KernelResult) {
	k.Schema, k.Sources = KernelsSchema, published.KernelSources
	for i := range list {
		c := &list[i]
		r := KernelRow{
			Machine: machine, Kernel: c.Kernel, Against: c.Against, Reported: [2]float64{c.KernelClaim.Low, c.KernelClaim.High},
			Source: published.KernelSources[c.Source], Missing: c.Missing, source: c.Source,
		}
		if r.Kernel == "" {
			r.Kernel = "bandwidth"
		}
		for _, s := range c.Sizes {
			r.Sizes = append(r.Sizes, KernelSpeedup(s))
		}
		if c.Missing == "" {
			d := c.Difference()
			r.Ours, r.Difference = &[2]float64{c.Low, c.High}, &d
		}
		k.Rows = append(k.Rows, r)
	}
}

// JSON writes the comparison as one object.
func (k *Kernels) JSON(w io.Writer) error { return JSON(w, k) }

// CSV writes a row for each size of a claim, and one for each claim without sizes.
func (k *Kernels) CSV(w io.Writer) error {
	rows := [][]string{{"machine", "kernel", "against", "size", "reported_low", "reported_high", "ours", "difference", "missing", "source"}}
	for i := range k.Rows {
		r := &k.Rows[i]
		row := func(size string, ours *float64) {
			var difference *float64
			if ours != nil {
				d := (&published.KernelResult{KernelClaim: &published.KernelClaim{Low: r.Reported[0], High: r.Reported[1]}, Low: *ours, High: *ours}).Difference()
				difference = &d
			}
			rows = append(rows, []string{r.Machine, r.Kernel, r.Against, size, digits(r.Reported[0]), digits(r.Reported[1]), optional(ours), optional(difference), r.Missing, r.Source})
		}
		for j := range r.Sizes {
			row(r.Sizes[j].Size, &r.Sizes[j].Speedup)
		}
		switch {
		case len(r.Sizes) > 0:
		case r.Ours != nil:
			row("", &r.Ours[0])
		default:
			row("", nil)
		}
	}
	return writeCSV(w, rows)
}

// Text writes one table, a row a claim, and below it the kernels and the sources of the rows.
func (k *Kernels) Text(w io.Writer) error {
	b := &strings.Builder{}
	b.WriteString(foldTo("Speed-ups of kernels on memory that computes, all channels of the machine computing. GPU: over the machine's GPU, launches included; "+
		"pins: over reading the operands at the pins, launches left out; peak: bandwidth inside over that of the pins; units: operations executed, as a share of those that the units could execute in that time. Least and most over the sizes; "+
		"the difference is between the nearest values of both, 0 where they overlap.", width))
	b.WriteString("\n")
	t := table{{}, {}, {}, {right: true}, {}, {right: true}, {right: true}}
	t.row("machine", "kernel", "against", "published", "", "ours", "difference")
	for i := range k.Rows {
		r := &k.Rows[i]
		cells := []string{r.Machine, r.Kernel, r.Against, span(r.Reported), fmt.Sprintf("[%d]", r.source+1)}
		if r.Ours == nil {
			t.open(append(cells, "not executed")...)
			continue
		}
		t.row(append(cells, span(*r.Ours), fmt.Sprintf("%+.0f %%", 100**r.Difference+0))...)
	}
	t.write(b)
	b.WriteByte('\n')
	any := func(is func(r *KernelRow) bool) bool {
		return slices.ContainsFunc(k.Rows, func(r KernelRow) bool { return is(&r) })
	}
	for _, n := range published.Kernels {
		if !any(func(r *KernelRow) bool { return r.Kernel == n.Name }) {
			continue
		}
		var sizes []string
		for _, s := range n.Sizes {
			sizes = append(sizes, s.Name)
		}
		b.WriteString(foldTo(fmt.Sprintf("%s: %s; %s", n.Name, n.About, strings.Join(sizes, ", ")), width))
	}
	for i, s := range k.Sources {
		if any(func(r *KernelRow) bool { return r.source == i }) {
			b.WriteString(foldTo(fmt.Sprintf("[%d] %s", i+1, s), width))
		}
	}
	_, err := io.WriteString(w, trimLines(b.String()))
	return err
}

// span is one value, or the least and the most.
func span(v [2]float64) string {
	if low, high := published.Number(v[0]), published.Number(v[1]); low != high {
		return low + " to " + high
	}
	return published.Number(v[0])
}
