package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"pimflow/internal/fault"
	"pimflow/internal/published"
)

// PaperSchema names the form of Paper's JSON.
const PaperSchema = "pimflow.paper/1"

// Paper holds values of the published accounting beside those that were published.
type Paper struct {
	Schema  string     `json:"schema"`
	Machine string     `json:"machine"`
	Sources []string   `json:"sources"`
	Within  float64    `json:"within"` // relative difference up to which values are called equal
	Rows    []PaperRow `json:"rows"`
}

// PaperRow is one value. Speed-ups and energies are ratios to the GPU alone, the measure
// "GPU alone" is in GPU cycles.
type PaperRow struct {
	Network    string   `json:"network"` // or which of several networks' values
	Policy     string   `json:"policy"`
	Measure    string   `json:"measure"`
	Reported   *float64 `json:"reported"` // null: no published value is known
	Maximum    bool     `json:"maximum"`  // reported is the most of any network
	Source     string   `json:"source,omitempty"`
	Ours       float64  `json:"ours"`
	Low        *float64 `json:"low"` // under all readings of the published GPU; null: not taken
	High       *float64 `json:"high"`
	Difference *float64 `json:"difference"` // of ours, relative to reported
	Verdict    string   `json:"verdict"`
	Reason     string   `json:"reason,omitempty"`

	source int
}

// NewPaper makes a report of comparisons.
func NewPaper(machine string, list []published.Comparison) *Paper {
	p := &Paper{Schema: PaperSchema, Machine: machine, Sources: published.Sources, Within: published.Within}
	for i := range list {
		c := &list[i]
		r := PaperRow{Network: c.Network, Policy: c.Policy, Measure: c.Measure, Ours: c.Ours, Verdict: c.Verdict(), Reason: c.Reason}
		if c.Low > 0 {
			r.Low, r.High = &c.Low, &c.High
		}
		if c.Claim != nil {
			d := c.Difference()
			r.Reported, r.Maximum, r.Difference = &c.Claim.Value, c.Claim.Maximum, &d
			r.source, r.Source = c.Claim.Source, published.Sources[c.Claim.Source]
		}
		p.Rows = append(p.Rows, r)
	}
	return p
}

// JSON writes the comparison as one object.
func (p *Paper) JSON(w io.Writer) error { return JSON(w, p) }

// CSV writes a row a value.
func (p *Paper) CSV(w io.Writer) error {
	rows := [][]string{{"network", "policy", "measure", "reported", "maximum", "source", "ours", "low", "high", "difference", "verdict", "reason"}}
	for _, r := range p.Rows {
		rows = append(rows, []string{r.Network, r.Policy, r.Measure, optional(r.Reported), strconv.FormatBool(r.Maximum), r.Source,
			digits(r.Ours), optional(r.Low), optional(r.High), optional(r.Difference), r.Verdict, r.Reason})
	}
	return writeCSV(w, rows)
}

// Text writes one table, a row for each network and policy.
func (p *Paper) Text(w io.Writer) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "machine %s, published accounting, %s; speed-up and energy are relative to the GPU alone with every channel\n", p.Machine, published.Variants[0].Name)
	fmt.Fprintf(b, "verdict: within %.0f %% of the published value, above or below it\n\n", 100*p.Within)
	t := table{{}, {}}
	for range 3 {
		t = append(t, column{right: true}, column{right: true}, column{right: true})
	}
	t = append(t, column{}, column{})
	t.row("network", "policy", "convolutions", "reported", "", "end to end", "reported", "", "energy", "reported", "", "verdict", "reason")
	last := ""
	for i := 0; i < len(p.Rows); {
		n := 1
		for i+n < len(p.Rows) && p.Rows[i+n].Network == p.Rows[i].Network && p.Rows[i+n].Policy == p.Rows[i].Policy {
			n++
		}
		row := paperCells(p.Rows[i : i+n])
		if row[0] == last {
			row[0] = ""
		} else {
			last = row[0]
		}
		t.row(row...)
		i += n
	}
	t.write(b)
	b.WriteByte('\n')
	for i, s := range p.Sources {
		fmt.Fprintf(b, "[%d] %s\n", i+1, s)
	}
	_, err := io.WriteString(w, trimLines(b.String()))
	return err
}

// paperCells returns the row of a network and a policy.
func paperCells(rows []PaperRow) []string {
	cells := make([]string, 13)
	cells[0], cells[1] = fault.Name(rows[0].Network), rows[0].Policy
	var verdicts, reasons []string
	for _, r := range rows {
		at, prefix, ours := 2, r.Measure+" ", published.Number(r.Ours)
		switch r.Measure {
		case published.EndToEnd:
			at = 5
		case published.GPUAlone:
			at, prefix, ours = 5, "", ours+" ck"
		case published.EnergyRatio:
			at = 8
		}
		cells[at] = ours
		if r.Reported == nil {
			continue
		}
		cells[at+1] = fmt.Sprintf("%s [%d]", published.Number(*r.Reported), r.source+1)
		if r.Maximum {
			cells[at+1] = "≤ " + cells[at+1]
		}
		cells[at+2] = fmt.Sprintf("%+.1f %%", 100**r.Difference)
		verdicts = append(verdicts, prefix+r.Verdict)
		if r.Reason != "" {
			reasons = append(reasons, r.Reason)
		}
	}
	if verdicts == nil {
		verdicts = []string{rows[0].Verdict}
	}
	cells[11], cells[12] = strings.Join(verdicts, ", "), strings.Join(reasons, "; ")
	return cells
}

// RatiosSchema names the form of Ratios' JSON.
const RatiosSchema = "pimflow.ratios/1"

// Ratios holds histograms of the GPU's share of the rows of convolutions.
type Ratios struct {
	Schema   string      `json:"schema"`
	Machine  string      `json:"machine"`
	Policy   string      `json:"policy"`
	Networks []RatiosRow `json:"networks"`
}

// RatiosRow is the histogram of one network: layers by tenths of their rows on the GPU, 0
// to 10.
type RatiosRow struct {
	Network string  `json:"network"`
	Layers  [11]int `json:"layers"`
}

// NewRatios makes a report of histograms.
func NewRatios(machine string, list []published.Histogram) *Ratios {
	r := &Ratios{Schema: RatiosSchema, Machine: machine, Policy: "mddp"}
	for _, h := range list {
		r.Networks = append(r.Networks, RatiosRow{h.Network, h.Layers})
	}
	return r
}

// JSON writes the histograms as one object.
func (r *Ratios) JSON(w io.Writer) error { return JSON(w, r) }

// CSV writes a row for each network and tenth.
func (r *Ratios) CSV(w io.Writer) error {
	rows := [][]string{{"network", "gpu_percent", "layers"}}
	for _, n := range r.Networks {
		for t, k := range n.Layers {
			rows = append(rows, []string{n.Network, strconv.Itoa(10 * t), strconv.Itoa(k)})
		}
	}
	return writeCSV(w, rows)
}

// Text writes a table with a row for each tenth.
func (r *Ratios) Text(w io.Writer) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "machine %s, published accounting, policy %s; convolutions by the part of their rows on the GPU, equal layers of a network once\n\n", r.Machine, r.Policy)
	t := table{{right: true}}
	head := []string{"GPU"}
	var all [11]int
	sum := 0
	for _, n := range r.Networks {
		t, head = append(t, column{right: true}), append(head, fault.Name(n.Network))
		for i, k := range n.Layers {
			all[i] += k
			sum += k
		}
	}
	t = append(t, column{right: true}, column{right: true}, column{})
	t.row(append(head, "all", "", "")...)
	for i, k := range all {
		row := []string{fmt.Sprintf("%d %%", 10*i)}
		for _, n := range r.Networks {
			row = append(row, strconv.Itoa(n.Layers[i]))
		}
		share := 100 * float64(k) / float64(max(sum, 1))
		t.row(append(row, strconv.Itoa(k), fmt.Sprintf("%.1f %%", share), strings.Repeat("#", int(share/2+0.5)))...)
	}
	t.write(b)
	_, err := io.WriteString(w, trimLines(b.String()))
	return err
}

// MechanismsSchema names the form of Mechanisms' JSON.
const MechanismsSchema = "pimflow.mechanisms/1"

// Mechanisms holds what placing, splitting and pipelining convolutions gains.
type Mechanisms struct {
	Schema  string         `json:"schema"`
	Machine string         `json:"machine"`
	Clock   float64        `json:"gpu_ps"` // period of the cycles
	Policy  string         `json:"policy"`
	Rows    []MechanismRow `json:"rows"`
}

// MechanismRow is one way to execute convolutions of a network.
type MechanismRow struct {
	Network string  `json:"network"`
	Way     string  `json:"way"`
	Layers  int     `json:"layers"`
	Share   float64 `json:"layers_share"`
	Placed  float64 `json:"placed_ck"` // gain over the GPU alone of each layer whole on the faster device
	Beyond  float64 `json:"beyond_ck"` // gain of splitting or pipelining over that
	Gain    float64 `json:"gain_ck"`   // sum of both
	Of      float64 `json:"gain_share"`
}

// NewMechanisms makes a report of shares; cycle is the period of the GPU's clock in ps.
func NewMechanisms(machine string, cycle float64, list []published.Mechanisms) *Mechanisms {
	r := &Mechanisms{Schema: MechanismsSchema, Machine: machine, Clock: cycle, Policy: "pimflow"}
	for i := range list {
		m := &list[i]
		for k, w := range m.Ways {
			row := MechanismRow{
				Network: m.Network, Way: published.Ways[k], Layers: w.Layers, Share: float64(w.Layers) / float64(max(m.Layers(), 1)),
				Placed: float64(w.Placed) / cycle, Beyond: float64(w.Beyond) / cycle, Gain: float64(w.Placed+w.Beyond) / cycle,
			}
			if gain := m.Gain(); gain > 0 {
				row.Of = float64(w.Placed+w.Beyond) / float64(gain)
			}
			r.Rows = append(r.Rows, row)
		}
	}
	return r
}

// JSON writes the shares as one object.
func (r *Mechanisms) JSON(w io.Writer) error { return JSON(w, r) }

// CSV writes a row for each network and way.
func (r *Mechanisms) CSV(w io.Writer) error {
	rows := [][]string{{"network", "way", "layers", "layers_share", "placed_ck", "beyond_ck", "gain_ck", "gain_share"}}
	for _, x := range r.Rows {
		rows = append(rows, []string{x.Network, x.Way, strconv.Itoa(x.Layers), digits(x.Share), digits(x.Placed), digits(x.Beyond), digits(x.Gain), digits(x.Of)})
	}
	return writeCSV(w, rows)
}

// Text writes a table.
func (r *Mechanisms) Text(w io.Writer) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "machine %s, published accounting, policy %s, convolutions alone; gain over the GPU alone in GPU cycles of %.4f ns\n\n", r.Machine, r.Policy, r.Clock/1e3)
	t := table{{}, {}}
	for range 6 {
		t = append(t, column{right: true})
	}
	t.row("network", "convolutions", "layers", "of layers", "placed", "beyond placing", "gain", "of gain")
	last := ""
	for _, x := range r.Rows {
		name := fault.Name(x.Network)
		if x.Network == last {
			name = ""
		}
		last = x.Network
		t.row(name, x.Way, strconv.Itoa(x.Layers), fmt.Sprintf("%.1f %%", 100*x.Share), fmt.Sprintf("%.0f", x.Placed), fmt.Sprintf("%.0f", x.Beyond),
			fmt.Sprintf("%.0f", x.Gain), fmt.Sprintf("%.1f %%", 100*x.Of))
	}
	t.write(b)
	b.WriteString("\nplaced: gain of each layer whole on the faster device, as in newton++; beyond placing: gain of its split or pipeline over that\n")
	_, err := io.WriteString(w, trimLines(b.String()))
	return err
}

// SweepSchema names the form of Sweep's JSON.
const SweepSchema = "pimflow.sweep/1"

// Sweep holds speed-ups in the published accounting under settings that differ in one thing.
type Sweep struct {
	Schema   string     `json:"schema"`
	Machine  string     `json:"machine"`
	Name     string     `json:"name"`
	About    string     `json:"about"`
	Settings []string   `json:"settings"`
	Rows     []SweepRow `json:"rows"`
}

// SweepRow is a measure of a network under a policy, by setting.
type SweepRow struct {
	Network string    `json:"network"`
	Policy  string    `json:"policy"`
	Measure string    `json:"measure"`
	Values  []float64 `json:"values"`
}

// NewSweep makes a report of a sweep.
func NewSweep(machine string, s *published.Sweep, list []published.Point) *Sweep {
	r := &Sweep{Schema: SweepSchema, Machine: machine, Name: s.Name, About: s.About}
	for _, set := range s.Settings {
		r.Settings = append(r.Settings, set.Name)
	}
	for n := len(s.Settings); len(list) >= n; list = list[n:] {
		for _, measure := range []string{published.Convolutions, published.EndToEnd} {
			row := SweepRow{Network: list[0].Network, Policy: list[0].Policy, Measure: measure}
			for _, p := range list[:n] {
				v := p.EndToEnd.Speedup()
				if measure == published.Convolutions {
					v = p.ConvOnly.Speedup()
				}
				row.Values = append(row.Values, v)
			}
			r.Rows = append(r.Rows, row)
		}
	}
	return r
}

// JSON writes the sweep as one object.
func (r *Sweep) JSON(w io.Writer) error { return JSON(w, r) }

// CSV writes a row for each network, policy, measure and setting.
func (r *Sweep) CSV(w io.Writer) error {
	rows := [][]string{{"network", "policy", "measure", r.Name, "speedup"}}
	for _, x := range r.Rows {
		for i, v := range x.Values {
			rows = append(rows, []string{x.Network, x.Policy, x.Measure, r.Settings[i], digits(v)})
		}
	}
	return writeCSV(w, rows)
}

// Text writes a table with a column for each setting.
func (r *Sweep) Text(w io.Writer) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "machine %s, published accounting, speed-up over the GPU alone by %s: %s\n\n", r.Machine, r.Name, r.About)
	t := table{{}, {}, {}}
	for range r.Settings {
		t = append(t, column{right: true})
	}
	t.row(append([]string{"network", "policy", "speed-up"}, r.Settings...)...)
	network, policy := "", ""
	for _, x := range r.Rows {
		row := []string{fault.Name(x.Network), x.Policy, x.Measure}
		if x.Network == network {
			row[0] = ""
			if x.Policy == policy {
				row[1] = ""
			}
		}
		network, policy = x.Network, x.Policy
		for _, v := range x.Values {
			row = append(row, fmt.Sprintf("%.3f", v))
		}
		t.row(row...)
	}
	t.write(b)
	_, err := io.WriteString(w, trimLines(b.String()))
	return err
}

// CSV writes a row for each policy of each reading, and for each step of the bridge.
func (r *Reproduction) CSV(w io.Writer) error {
	rows := [][]string{{"network", "table", "row", "policy", "conv_baseline_ck", "conv_only", "baseline_ck", "end_to_end"}}
	for _, m := range r.Models {
		for _, v := range m.Variants {
			for _, p := range published.Policies {
				rows = append(rows, []string{m.Model, "reading", v.GPU, p, digits(v.ConvBaseline), digits(v.ConvOnly[p]), digits(v.Baseline), digits(v.EndToEnd[p])})
			}
		}
		for _, s := range m.Bridge {
			rows = append(rows, []string{m.Model, "bridge", s.Step, "pimflow", digits(s.ConvBaseline), digits(s.ConvOnly), digits(s.Baseline), digits(s.EndToEnd)})
		}
	}
	return writeCSV(w, rows)
}

func digits(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }

// optional is empty for a value that is not known.
func optional(v *float64) string {
	if v == nil {
		return ""
	}
	return digits(*v)
}

func writeCSV(w io.Writer, rows [][]string) error {
	c := csv.NewWriter(w)
	if err := c.WriteAll(rows); err != nil {
		return err
	}
	c.Flush()
	return c.Error()
}
