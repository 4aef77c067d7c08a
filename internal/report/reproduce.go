package report

import (
	"fmt"
	"io"
	"strings"

	"pimflow/internal/device"
	"pimflow/internal/fault"
	"pimflow/internal/published"
)

// ReproduceSchema names the form of Reproduction's JSON.
const ReproduceSchema = "pimflow.reproduce/1"

// Reproduction holds networks in the published accounting, and the bridge from it to this
// project's.
type Reproduction struct {
	Schema  string            `json:"schema"`
	Machine string            `json:"machine"`
	Clock   float64           `json:"gpu_ps"` // period of the cycles
	Models  []ReproducedModel `json:"models"`
}

// ReproducedModel holds the results of one network.
type ReproducedModel struct {
	Model    string         `json:"model"`
	Reported *Published     `json:"reported"` // what the artifact's README prints; null for other networks
	Variants []Published    `json:"variants"`
	Bridge   []BridgeResult `json:"bridge"`
}

// Published is a row of the published table: cycles of the GPU alone, speed-ups of convolutions
// alone by policy, and end to end under policy pimflow.
type Published struct {
	GPU          string             `json:"gpu"`
	ConvBaseline float64            `json:"conv_baseline_ck,omitempty"`
	ConvOnly     map[string]float64 `json:"conv_only"`
	Baseline     float64            `json:"baseline_ck"`
	EndToEnd     map[string]float64 `json:"end_to_end"`
}

// BridgeResult is the sum under policy pimflow after a step of the bridge.
type BridgeResult struct {
	Step         string  `json:"step"`
	About        string  `json:"about"`
	ConvBaseline float64 `json:"conv_baseline_ck"`
	ConvTotal    float64 `json:"conv_total_ck"`
	ConvOnly     float64 `json:"conv_only"`
	Baseline     float64 `json:"baseline_ck"`
	Total        float64 `json:"total_ck"`
	EndToEnd     float64 `json:"end_to_end"`
}

// Add appends a network's results.
func (r *Reproduction) Add(model string, variants []published.VariantRow, bridge []published.Row) {
	m := ReproducedModel{Model: model}
	ck := func(t device.Time) float64 { return float64(t) / r.Clock }
	for _, v := range variants {
		p := Published{GPU: v.Name, ConvOnly: map[string]float64{}, EndToEnd: map[string]float64{}}
		for _, s := range v.Sums {
			p.ConvOnly[s.Policy], p.EndToEnd[s.Policy] = s.ConvOnly.Speedup(), s.EndToEnd.Speedup()
			p.ConvBaseline, p.Baseline = ck(s.ConvOnly.Baseline), ck(s.EndToEnd.Baseline)
		}
		m.Variants = append(m.Variants, p)
	}
	if convolutions, endToEnd, cycles, ok := published.Reported(model); ok {
		m.Reported = &Published{GPU: "reported", ConvOnly: convolutions, Baseline: cycles, EndToEnd: map[string]float64{"pimflow": endToEnd}}
	}
	for _, b := range bridge {
		m.Bridge = append(m.Bridge, BridgeResult{b.Name, b.About,
			ck(b.ConvOnly.Baseline), ck(b.ConvOnly.Total), b.ConvOnly.Speedup(),
			ck(b.EndToEnd.Baseline), ck(b.EndToEnd.Total), b.EndToEnd.Speedup()})
	}
	r.Models = append(r.Models, m)
}

// JSON writes the reproduction as one object.
func (r *Reproduction) JSON(w io.Writer) error { return JSON(w, r) }

// Text writes two tables a network.
func (r *Reproduction) Text(w io.Writer) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "machine %s; times in GPU cycles of %.4f ns\n", r.Machine, r.Clock/1e3)
	for _, m := range r.Models {
		fmt.Fprintf(b, "\n%s: the published accounting, under seven readings of its GPU\n", fault.Name(m.Model))
		m.variants(b)
		fmt.Fprintf(b, "\n%s: from the published accounting to this project's, policy pimflow\n", fault.Name(m.Model))
		m.bridge(b)
	}
	_, err := io.WriteString(w, trimLines(b.String()))
	return err
}

func (m *ReproducedModel) variants(b *strings.Builder) {
	policies := published.Policies
	t := table{{}, {right: true}}
	head := []string{"speed-up of convolutions alone", "GPU ck"}
	for _, p := range policies {
		t = append(t, column{right: true})
		head = append(head, p)
	}
	t = append(t, column{right: true}, column{right: true})
	t.row(append(head, "end-to-end GPU ck", "pimflow")...)
	if m.Reported != nil {
		t.row(m.Reported.cells(policies)...)
	}
	for _, v := range m.Variants {
		t.row(v.cells(policies)...)
		if m.Reported != nil {
			t.row(v.difference(policies, m.Reported)...)
		}
	}
	t.write(b)
}

// cells returns a row of the table.
func (p *Published) cells(policies []string) []string {
	number := func(v float64, format string) string {
		if v == 0 {
			return "-" // not reported
		}
		return fmt.Sprintf(format, v)
	}
	c := []string{p.GPU, number(p.ConvBaseline, "%.0f")}
	for _, n := range policies {
		c = append(c, number(p.ConvOnly[n], "%.3f"))
	}
	return append(c, number(p.Baseline, "%.0f"), number(p.EndToEnd["pimflow"], "%.3f"))
}

// difference returns a row of the table: the differences of p from the reported figures.
func (p *Published) difference(policies []string, from *Published) []string {
	percent := func(v, of float64) string {
		if of == 0 {
			return ""
		}
		return fmt.Sprintf("%+.1f %%", 100*(v/of-1))
	}
	c := []string{"  difference", ""}
	for _, n := range policies {
		c = append(c, percent(p.ConvOnly[n], from.ConvOnly[n]))
	}
	return append(c, percent(p.Baseline, from.Baseline), percent(p.EndToEnd["pimflow"], from.EndToEnd["pimflow"]))
}

func (m *ReproducedModel) bridge(b *strings.Builder) {
	t := table{{}, {right: true}, {right: true}, {right: true}, {right: true}, {right: true}, {right: true}, {}}
	t.row("step", "conv GPU ck", "conv ck", "conv only", "GPU ck", "end-to-end ck", "end to end", "what changes")
	for _, s := range m.Bridge {
		t.row(s.Step, fmt.Sprintf("%.0f", s.ConvBaseline), fmt.Sprintf("%.0f", s.ConvTotal), fmt.Sprintf("%.3f", s.ConvOnly),
			fmt.Sprintf("%.0f", s.Baseline), fmt.Sprintf("%.0f", s.Total), fmt.Sprintf("%.3f", s.EndToEnd), s.About)
	}
	t.write(b)
}
