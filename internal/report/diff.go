package report

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"pimflow"

	"pimflow/internal/fault"
	"pimflow/internal/jsontext"
)

// DiffSchema names the form of Diff's JSON.
const DiffSchema = "pimflow.diff/1"

// Diff is the difference between two runs, B less A.
type Diff struct {
	Schema string       `json:"schema"`
	A      DiffSide     `json:"a"`
	B      DiffSide     `json:"b"`
	Totals []DiffNumber `json:"totals"` // the totals of both
	Layers []DiffLayer  `json:"layers"` // differing layers in the order of A, then those of B alone
	Same   int          `json:"same_layers"`
}

// DiffSide names one of the runs.
type DiffSide struct {
	File        string `json:"file"`
	Model       string `json:"model"`
	Machine     string `json:"machine"`
	Policy      string `json:"policy"`
	PIMChannels int    `json:"pim_channels"`
}

// DiffNumber is a number in both runs.
type DiffNumber struct {
	Name string  `json:"name"` // its key in the JSON of a run
	A    float64 `json:"a"`
	B    float64 `json:"b"`
}

// DiffLayer is a layer in both runs: its placement, and the sums of its tiles' times and of their
// energies without standby. A side without the layer has none of them.
type DiffLayer struct {
	Name   string   `json:"name"`
	PlaceA []string `json:"a_placement"`
	PlaceB []string `json:"b_placement"`
	NSA    float64  `json:"a_ns"`
	NSB    float64  `json:"b_ns"`
	PJA    float64  `json:"a_pj"`
	PJB    float64  `json:"b_pj"`
}

// MaxRun bounds the JSON of a run, in bytes. Estimated: a layer has some 4,000, and a program needs several times the text's size to read it.
const MaxRun = 1 << 28

// ReadRun reads the JSON of pimflow run; errors begin with name.
func ReadRun(r io.Reader, name string) (*pimflow.Report, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("%s: not what pimflow run --json prints: %w", name, err)
	}
	var run pimflow.Report
	err = jsontext.Decode(data, &run)
	if err == nil {
		err = jsontext.Once(data)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: not what pimflow run --json prints: %w", name, err)
	}
	if run.Schema != pimflow.ReportSchema {
		return nil, fmt.Errorf("%s: schema %.80q: %.80q wanted, as pimflow run --json prints", name, run.Schema, pimflow.ReportSchema)
	}
	return &run, nil
}

// NewDiff compares two runs, of one model or not, and matches their layers by name. It is an
// error if no name is in both.
func NewDiff(fileA string, a *pimflow.Report, fileB string, b *pimflow.Report) (*Diff, error) {
	side := func(file string, r *pimflow.Report) DiffSide {
		return DiffSide{file, r.Model, r.Machine, r.Policy, r.PIMChannels}
	}
	d := &Diff{Schema: DiffSchema, A: side(fileA, a), B: side(fileB, b)}
	for _, n := range totals {
		d.Totals = append(d.Totals, DiffNumber{n.key, n.of(a), n.of(b)})
	}
	for i, p := range a.Energy.Parts {
		if i < len(b.Energy.Parts) && b.Energy.Parts[i].Name == p.Name {
			d.Totals = append(d.Totals, DiffNumber{p.Name + "_pj", p.Total, b.Energy.Parts[i].Total})
		}
	}
	rest := slices.Clone(b.Layers)
	common := 0
	for i := range a.Layers {
		l := DiffLayer{Name: a.Layers[i].Name}
		l.PlaceA, l.NSA, l.PJA = placed(&a.Layers[i])
		if k := slices.IndexFunc(rest, func(o pimflow.Layer) bool { return o.Name == l.Name }); k >= 0 {
			common++
			l.PlaceB, l.NSB, l.PJB = placed(&rest[k])
			rest = slices.Delete(rest, k, k+1)
			if slices.Equal(l.PlaceA, l.PlaceB) && l.NSA == l.NSB && l.PJA == l.PJB {
				d.Same++
				continue
			}
		}
		d.Layers = append(d.Layers, l)
	}
	for i := range rest {
		l := DiffLayer{Name: rest[i].Name}
		l.PlaceB, l.NSB, l.PJB = placed(&rest[i])
		d.Layers = append(d.Layers, l)
	}
	if common == 0 && len(a.Layers)+len(b.Layers) > 0 {
		return nil, fmt.Errorf("%s is of model %.80q and %s of %.80q: they have no layer of one name", fileA, a.Model, fileB, b.Model)
	}
	return d, nil
}

// totals lists the numbers of a whole run, in the order of the output.
var totals = []struct {
	key string
	of  func(*pimflow.Report) float64
}{
	{"baseline_ns", func(r *pimflow.Report) float64 { return r.Baseline }},
	{"total_ns", func(r *pimflow.Report) float64 { return r.Total }},
	{"speedup", func(r *pimflow.Report) float64 { return r.Speedup }},
	{"gpu_busy_ns", func(r *pimflow.Report) float64 { return r.GPUBusy }},
	{"pim_busy_ns", func(r *pimflow.Report) float64 { return r.PIMBusy }},
	{"both_busy_ns", func(r *pimflow.Report) float64 { return r.BothBusy }},
	{"launch_ns", func(r *pimflow.Report) float64 { return r.Launch }},
	{"pim_launch_ns", func(r *pimflow.Report) float64 { return r.PIMLaunch }},
	{"idle_ns", func(r *pimflow.Report) float64 { return r.Idle }},
	{"energy_pj", func(r *pimflow.Report) float64 { return r.Energy.Total }},
}

// placed returns the places of a layer's tiles, and the sums of their times and energies.
func placed(l *pimflow.Layer) (where []string, ns, pj float64) {
	for _, t := range l.Tiles {
		where = append(where, t.Device+t.Box)
		ns += t.NS
		pj += t.Energy
	}
	return where, ns, pj
}

// JSON writes the comparison as one object.
func (d *Diff) JSON(w io.Writer) error { return JSON(w, d) }

// Text writes the differences for people.
func (d *Diff) Text(w io.Writer) error {
	b := &strings.Builder{}
	for i, s := range []DiffSide{d.A, d.B} {
		fmt.Fprintf(b, "%c  %s: %s on %s, policy %s, %d PIM channels\n", 'A'+i, printable(s.File), fault.Name(s.Model), fault.Name(s.Machine), fault.Name(s.Policy), s.PIMChannels)
	}
	t := table{{}, {right: true}, {right: true}, {right: true}, {right: true}}
	t.row("", "A", "B", "B - A", "")
	for _, n := range d.Totals {
		if n.A == n.B {
			continue
		}
		format := "%.1f"
		if n.Name == "speedup" {
			format = "%.3f"
		}
		t.row(n.Name, fmt.Sprintf(format, n.A), fmt.Sprintf(format, n.B), fmt.Sprintf("%+"+format[1:], n.B-n.A), change(n.A, n.B))
	}
	if len(t[0].cells) == 1 {
		b.WriteString("\nno total differs\n")
	} else {
		b.WriteByte('\n')
		t.write(b)
	}
	if len(d.Layers) > 0 {
		b.WriteByte('\n')
		d.layers(b)
	}
	fmt.Fprintf(b, "\n%d layers differ, %d are the same\n", len(d.Layers), d.Same)
	_, err := io.WriteString(w, trimLines(b.String()))
	return err
}

// layers writes a row for each differing layer, and one for each further tile.
func (d *Diff) layers(b *strings.Builder) {
	t := table{{}, {}, {}, {right: true}, {right: true}, {right: true}, {right: true}, {right: true}, {right: true}}
	t.row("layer", "A", "B", "A ns", "B ns", "B - A", "A pJ", "B pJ", "B - A")
	number := func(has []string, v float64) string {
		if has == nil {
			return "-"
		}
		return fmt.Sprintf("%.1f", v)
	}
	for _, l := range d.Layers {
		place := func(p []string, i int) string {
			switch {
			case i < len(p):
				return p[i]
			case p == nil && i == 0:
				return "-"
			}
			return ""
		}
		for i := range max(len(l.PlaceA), len(l.PlaceB), 1) {
			if i > 0 {
				t.row("", place(l.PlaceA, i), place(l.PlaceB, i), "", "", "", "", "", "")
				continue
			}
			t.row(fault.Name(l.Name), place(l.PlaceA, 0), place(l.PlaceB, 0),
				number(l.PlaceA, l.NSA), number(l.PlaceB, l.NSB), fmt.Sprintf("%+.1f", l.NSB-l.NSA),
				number(l.PlaceA, l.PJA), number(l.PlaceB, l.PJB), fmt.Sprintf("%+.1f", l.PJB-l.PJA))
		}
	}
	t.write(b)
}

// change returns the change from a to b in per cent.
func change(a, b float64) string {
	if a == 0 {
		return ""
	}
	return fmt.Sprintf("%+.1f %%", 100*(b-a)/math.Abs(a))
}
