package report

import (
	"fmt"
	"io"
	"strings"

	"pimflow"

	"pimflow/internal/fault"
	"pimflow/internal/plan"
	"pimflow/internal/tensor"
)

// ExplainSchema names the form of Explain's JSON.
const ExplainSchema = "pimflow.explain/1"

// Explain holds the reasons for the placement of a plan's layers. Times are in ns, energies in pJ.
type Explain struct {
	Schema  string `json:"schema"`
	Model   string `json:"model"`
	Machine string `json:"machine"`
	Policy  string `json:"policy"`
	PIM     string `json:"pim"` // the command interface of the plan
	// Exclusive is the number of exclusive layers.
	Exclusive int `json:"layers_exclusive"`
	layers    int
	without   string               // why no layer has a time on the PIM, for people
	Given     bool                 `json:"given"` // the plan was given: the search kept no cuts
	Total     float64              `json:"total_ns"`
	Layers    []pimflow.Reason     `json:"layers,omitempty"`
	Layer     *pimflow.Explanation `json:"layer,omitempty"`    // in place of Layers
	Bindings  []pimflow.Binding    `json:"bindings,omitempty"` // what the model's file leaves open
	Warnings  []string             `json:"warnings,omitempty"`
}

// NewExplain returns the head of an explanation of a plan.
func NewExplain(r *pimflow.Report, p *plan.Plan, given bool) *Explain {
	x := &Explain{Schema: ExplainSchema, Model: r.Model, Machine: r.Machine, Policy: r.Policy, PIM: p.PIM, Given: given, Total: r.Total, Bindings: r.Bindings, Warnings: r.Warnings, layers: len(r.Layers)}
	if p.PIMChannels == 0 {
		x.without = "no times on the PIM: in this plan it has no memory channels"
		if r.PIMChannels > 0 {
			x.without += "; with policy pimflow it has some"
		}
		x.without += "\n"
	}
	for i := range r.Layers {
		if r.Layers[i].Exclusive {
			x.Exclusive++
		}
	}
	return x
}

var dimNames = [...]string{plan.Images: "images", plan.Channels: "channels", plan.Rows: "rows"}

// briefly shortens tiles that cover a layer to the device, and tiles cut along one dimension to
// their ranges in it, as "channels gpu 0:175, pim 175:192". Others stay as they are.
func briefly(shape []int, tiles string) string {
	list := strings.Split(tiles, " + ")
	full, dim := tensor.Full(shape), -1
	var boxes []tensor.Box
	var devices []string
	for _, t := range list {
		at := strings.Index(t, "[")
		box, err := tensor.ParseBox(t[at:])
		if err != nil {
			panic("report: tiles " + tiles + ": " + err.Error())
		}
		boxes, devices = append(boxes, box), append(devices, t[:at])
	}
	if len(list) == 1 && boxes[0].Equal(full) {
		return devices[0]
	}
	for _, box := range boxes {
		for d, r := range box {
			if r == full[d] {
				continue
			}
			if dim >= 0 && dim != d || d >= len(dimNames) {
				return tiles
			}
			dim = d
		}
	}
	for i, box := range boxes {
		list[i] = fmt.Sprintf("%s %d:%d", devices[i], box[dim].Lo, box[dim].Hi)
	}
	return dimNames[dim] + " " + strings.Join(list, ", ")
}

// Text writes a row for each layer, or one layer in full with at most most alternatives.
func (x *Explain) Text(w io.Writer, most int) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "model     %s\n%smachine   %s\npolicy    %s%s\nplan      %s\n\n", fault.Name(x.Model), bindings(x.Bindings), x.Machine, fault.Name(x.Policy), x.given(), ns(x.Total))
	if x.Layer != nil {
		explanation(b, x.Layer, most)
	} else {
		x.table(b)
	}
	_, err := io.WriteString(w, trimLines(b.String()))
	return err
}

// given names a plan that was not searched, and exclusive layers.
func (x *Explain) given() (s string) {
	if x.Given {
		s = ", a plan that was given: no cuts were tried"
	}
	switch x.Exclusive {
	case 0:
	case x.layers:
		s += ", exclusive: one device works at a time"
	default:
		s += fmt.Sprintf(", exclusive in %d of %d layers: one device works at a time there", x.Exclusive, x.layers)
	}
	return s
}

func (x *Explain) table(b *strings.Builder) {
	right := column{right: true}
	t := table{{}, {}, right, right, right, {}, {}, right, {}, {}, right, right, right, {}}
	t.row("layer", "placement", "ns", "alone ns", "GPU ns", "between", "bound by", "PIM ns", "bound by", "best elsewhere", "ns", "lost by ns", "%", "why")
	for i := range x.Layers {
		l := &x.Layers[i]
		cells := []string{fault.Name(l.Name), placement(l), fmt.Sprintf("%.1f", l.NS), fmt.Sprintf("%.1f", l.Alone), wholeNS(l.GPU), doubt(l), bound(l.GPU), wholeNS(l.PIM), bound(l.PIM)}
		if o := l.Best; o != nil {
			cells = append(cells, briefly(l.Shape, o.Tiles), fmt.Sprintf("%.1f", o.NS), fmt.Sprintf("%.1f", o.By), fmt.Sprintf("%.1f", 100*o.Share), o.Why)
		} else {
			cells = append(cells, "-", "-", "-", "-", "")
		}
		t.row(cells...)
	}
	t.write(b)
	if x.without != "" {
		b.WriteString("\n" + x.without)
	}
}

// placement returns the tiles in short, marked if exclusive or pipelined.
func placement(l *pimflow.Reason) (s string) {
	if l.Exclusive {
		s = "exclusive "
	}
	if l.Kind == "pipe" {
		s += "pipe "
	}
	return s + briefly(l.Shape, l.Placement)
}

// doubt returns the bounds of the GPU's time.
func doubt(l *pimflow.Reason) string {
	if l.GPU == nil {
		return "-"
	}
	return fmt.Sprintf("%.1f and %.1f", l.GPULow, l.GPUHigh)
}

func bound(w *pimflow.Whole) string {
	if w == nil {
		return "-"
	}
	return w.Bound
}

// terms returns at most most terms of a time, the largest first, in ns.
func terms(list []pimflow.Term, most int) string {
	var parts []string
	for i, t := range list {
		if i == most {
			parts = append(parts, "...")
			break
		}
		parts = append(parts, fmt.Sprintf("%s %.1f", t.Name, t.NS))
	}
	return strings.Join(parts, ", ")
}
