package report

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"pimflow"

	"pimflow/internal/candidate"
	"pimflow/internal/fault"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/sweep"
)

// SensitivitySchema names the form of Sensitivity's JSON.
const SensitivitySchema = "pimflow.sensitivity/1"

// Sensitivity holds the effects of a machine's constants on a model's speed-up, the largest first.
type Sensitivity struct {
	Schema    string            `json:"schema"`
	Model     string            `json:"model"`
	Machine   string            `json:"machine"`
	Policy    string            `json:"policy"`
	Layers    int               `json:"layers"`
	Baseline  float64           `json:"baseline_ns"` // of the unchanged machine
	Total     float64           `json:"total_ns"`
	Speedup   float64           `json:"speedup"`
	Noise     float64           `json:"search_noise"` // the most that a plan of another machine gained over the machine's own search
	Percents  []int             `json:"percents"`     // the changes of each constant
	Constants []ConstantEffect  `json:"constants"`
	Energy    *EnergySensitives `json:"energy"` // null until SetEnergy

	Bindings []pimflow.Binding `json:"-"` // what the model's file leaves open
}

// ConstantEffect is a constant and its changes, one for each of Percents.
type ConstantEffect struct {
	Name    string           `json:"name"`   // its path in the machine's file
	Value   string           `json:"value"`  // as the file has it
	Effect  float64          `json:"effect"` // largest change of the speed-up with the best plan, as a share
	Changes []ConstantChange `json:"changes"`
}

// ConstantChange is one value of a constant and its effect.
type ConstantChange struct {
	Percent int     `json:"percent"`        // the wanted change
	Value   string  `json:"value"`          // as in a machine's file
	Actual  float64 `json:"actual_percent"` // after rounding; 0 if the constant is 0
	Moved   int     `json:"layers_moved"`   // number of layers placed differently in the plan searched again
	Found   Outcome `json:"searched_again"`
	Kept    Outcome `json:"plan_kept"`
}

// Outcome is a plan on a changed machine, or the reason why there is none.
type Outcome struct {
	Baseline float64 `json:"baseline_ns"`
	Total    float64 `json:"total_ns"`
	Speedup  float64 `json:"speedup"`
	Error    string  `json:"error,omitempty"`
}

// EnergySensitives holds the ratio of the plan's energy to that of the GPU alone, and the ratios at
// the bounds of single constants.
type EnergySensitives struct {
	Ratio     float64          `json:"ratio"`
	Constants []EnergyConstant `json:"constants"`
}

// EnergyConstant is a constant with bounds, and the ratio at each bound.
type EnergyConstant struct {
	Name      string  `json:"name"`
	Value     float64 `json:"value"`
	Low       float64 `json:"low"`
	High      float64 `json:"high"`
	RatioLow  float64 `json:"ratio_at_low"`
	RatioHigh float64 `json:"ratio_at_high"`
}

// NewSensitivity returns the report of a sensitivity analysis.
func NewSensitivity(g *graph.Graph, m *hw.Machine, policy string, percents []int, s *sweep.Sensitivity) *Sensitivity {
	base := &s.Base.Row
	out := &Sensitivity{
		Schema: SensitivitySchema, Model: g.Name, Machine: m.Name, Policy: policy, Layers: len(candidate.Operations(g)),
		Baseline: base.Baseline, Total: base.Total, Speedup: base.Speedup, Noise: s.Noise, Percents: percents,
	}
	outcome := func(t sweep.Times, err error) Outcome {
		if err != nil {
			return Outcome{Error: err.Error()}
		}
		return Outcome{Baseline: t.Baseline.NS(), Total: t.Total.NS(), Speedup: t.Speedup()}
	}
	for i := range s.Constants {
		c := &s.Constants[i]
		e := ConstantEffect{Name: c.Path, Value: c.Text, Effect: c.Effect(base.Speedup)}
		for _, ch := range c.Changes {
			e.Changes = append(e.Changes, ConstantChange{
				Percent: ch.Percent, Value: ch.Text, Actual: ch.Actual, Moved: ch.Moved,
				Found: outcome(ch.Found, ch.Err), Kept: outcome(ch.Kept, ch.KeptErr),
			})
		}
		out.Constants = append(out.Constants, e)
	}
	return out
}

// SetEnergy adds the ratios at the bounds of energy constants.
func (s *Sensitivity) SetEnergy(ratio float64, list []sweep.Energy) {
	s.Energy = &EnergySensitives{Ratio: ratio}
	for _, e := range list {
		s.Energy.Constants = append(s.Energy.Constants, EnergyConstant{e.Path, e.Range.Value, e.Range.Low, e.Range.High, e.Low, e.High})
	}
}

// Text writes a row a constant.
func (s *Sensitivity) Text(w io.Writer) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "model     %s, %d layers\n%s", fault.Name(s.Model), s.Layers, bindings(s.Bindings))
	fmt.Fprintf(b, "machine   %s, one constant changed at a time\n", s.Machine)
	fmt.Fprintf(b, "policy    %s: speed-up %.3f\n", s.Policy, s.Speedup)
	fmt.Fprintf(b, "noise     %.2f %%: the most that a machine's own search missed and the search of another found\n", 100*s.Noise)
	if len(s.Constants) > 0 {
		b.WriteByte('\n')
		s.table(b)
	}
	if s.Energy != nil {
		b.WriteByte('\n')
		s.Energy.table(b)
	}
	_, err := io.WriteString(w, trimLines(b.String()))
	return err
}

func (s *Sensitivity) table(b *strings.Builder) {
	t := table{{}, {right: true}, {right: true}}
	head := []string{"constant", "value", "effect"}
	for _, group := range []string{"again ", "kept ", "moved "} {
		for i, p := range s.Percents {
			if i > 0 {
				group = ""
			}
			t, head = append(t, column{right: true}), append(head, fmt.Sprintf("%s%+d %%", group, p))
		}
	}
	t = append(t, column{})
	t.row(append(head, "")...)
	for _, c := range s.Constants {
		row := []string{c.Name, short(c.Value), fmt.Sprintf("%+.2f %%", 100*c.Effect)}
		switch {
		case !c.valid():
			row[2] = "-"
		case c.Effect == 0:
			row[2] = "0"
		}
		for _, ch := range c.Changes {
			row = append(row, ch.Found.cell())
		}
		for _, ch := range c.Changes {
			row = append(row, ch.Kept.cell())
		}
		for _, ch := range c.Changes {
			cell := strconv.Itoa(ch.Moved)
			if ch.Found.Error != "" {
				cell = "-"
			}
			row = append(row, cell)
		}
		t.row(append(row, c.note())...)
	}
	t.write(b)
}

func (o Outcome) cell() string {
	if o.Error != "" {
		return "invalid"
	}
	return fmt.Sprintf("%.3f", o.Speedup)
}

// note lists the values of whole numbers, and the reasons against invalid values.
func (c *ConstantEffect) note() string {
	var values, actual, notes []string
	rounded := false
	for _, ch := range c.Changes {
		values, actual = append(values, ch.Value), append(actual, fmt.Sprintf("%+.0f", ch.Actual))
		rounded = rounded || math.Abs(ch.Actual-float64(ch.Percent)) > 0.5
	}
	switch {
	case c.Value == "0" && values[0] != "0":
		notes = append(notes, "values "+strings.Join(values, " "))
	case c.Value != "0" && rounded:
		notes = append(notes, fmt.Sprintf("values %s (%s %%)", strings.Join(values, " "), strings.Join(actual, " ")))
	}
	var reasons, said []string // without the value; the notes of them
	var percents [][]string
	for _, ch := range c.Changes {
		for _, o := range []struct{ head, reason string }{{"", ch.Found.Error}, {", plan kept", ch.Kept.Error}} {
			key := strings.ReplaceAll(o.reason, ch.Value, "")
			k := slices.Index(reasons, key)
			switch {
			case o.reason == "" || o.head != "" && o.reason == ch.Found.Error:
			case k < 0:
				reasons, said = append(reasons, key), append(said, " %"+o.head+": "+o.reason)
				percents = append(percents, []string{fmt.Sprintf("%+d", ch.Percent)})
			default:
				percents[k] = append(percents[k], fmt.Sprintf("%+d", ch.Percent))
			}
		}
	}
	for i, text := range said {
		notes = append(notes, strings.Join(percents[i], " ")+text)
	}
	return strings.Join(notes, "; ")
}

// valid reports whether any change of the constant has a plan.
func (c *ConstantEffect) valid() bool {
	return slices.ContainsFunc(c.Changes, func(ch ConstantChange) bool { return ch.Found.Error == "" })
}

// short returns a number with six digits; a fraction stays as it is.
func short(text string) string {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || x == math.Trunc(x) {
		return text
	}
	return strconv.FormatFloat(x, 'g', 6, 64)
}

func (e *EnergySensitives) table(b *strings.Builder) {
	fmt.Fprintf(b, "energy of the plan / of the GPU alone: %.3f; with one constant at a bound\n\n", e.Ratio)
	t := table{{}, {right: true}, {right: true}, {right: true}, {right: true}, {right: true}}
	t.row("constant", "value", "low", "high", "ratio at low", "at high")
	number := func(x float64) string { return strconv.FormatFloat(x, 'g', 6, 64) }
	for _, c := range e.Constants {
		t.row(c.Name, number(c.Value), number(c.Low), number(c.High), fmt.Sprintf("%.3f", c.RatioLow), fmt.Sprintf("%.3f", c.RatioHigh))
	}
	t.write(b)
}
