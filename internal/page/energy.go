package page

import (
	"html/template"
	"math"
	"strings"

	"pimflow/internal/fault"
)

// energy is the fifth section: where does it go?
type energy struct {
	Title  string
	Figure template.HTML
	Power  template.HTML
}

// partNames are the parts of the energy for people, with what they are for: 1 standby, 2 moving data, 3 computing.
var partNames = map[string]struct {
	text string
	kind int
}{
	"gpu_standby": {"standby", 1}, "gpu_active": {"SMs active", 3}, "gpu_mac": {"tensor cores", 3}, "gpu_fma": {"FMA units", 3}, "gpu_l2": {"L2", 2}, "gpu_dram": {"DRAM", 2},
	"pim_standby": {"standby", 1}, "pim_refresh": {"refresh", 1}, "pim_active": {"channels active", 3}, "pim_activate": {"row activation", 2}, "pim_column_read": {"column reads", 2},
	"pim_mac": {"multipliers", 3}, "pim_buffer": {"global buffers", 2}, "pim_io": {"pins", 2}, "pim_finish": {"finishing", 3},
}

// standing and working are the differences of the plan's energy from the GPU's alone: of standby, and of the PIM's work.
func (p *pager) energyTitle() string {
	standby, gpu, pim := 0.0, 0.0, 0.0
	for _, x := range p.Report.Energy.Parts {
		switch d := x.Total - x.Baseline; {
		case partNames[x.Name].kind == 1:
			standby += d
		case strings.HasPrefix(x.Name, "pim"):
			pim += d
		default:
			gpu += d
		}
	}
	say := func(pj float64) string { return millijoule(math.Abs(pj)) + space + "mJ" }
	total := p.Report.Energy.Total
	small := func(pj float64) bool { return math.Abs(pj) < 0.0005*total }
	var s string
	switch {
	case total <= 0:
		return "The plan takes no energy"
	case small(standby):
		s = "Standby takes as much energy as on the GPU alone"
	case standby < 0:
		s = "The shorter run saves " + say(standby) + " of standby"
	default:
		s = "The longer run costs " + say(standby) + " of standby"
	}
	switch {
	case small(gpu):
	case gpu < 0:
		s += ", the GPU " + say(gpu) + " of work"
	default:
		s += ", the GPU works for " + say(gpu) + " more"
	}
	if !small(pim) {
		s += "; PIM work costs " + say(pim)
	}
	return s
}

func (p *pager) energy() (s energy) {
	s.Title = p.energyTitle()
	e := &p.Report.Energy
	most := max(e.BaselineHigh, e.High)
	var c canvas
	c.put(`<div class="bars energy">`)
	for k, name := range []string{"GPU alone", "GPU + PIM"} {
		var sums [2][4]float64
		for _, x := range e.Parts {
			dev := 0
			if strings.HasPrefix(x.Name, "pim") {
				dev = 1
			}
			sums[dev][partNames[x.Name].kind] += []float64{x.Baseline, x.Total}[k]
		}
		c.put(`<span>%s</span><div class="bar ranged">`, bold(name, k == 1))
		for dev, hue := range []string{"g", "p"} {
			for kind := 1; kind <= 3; kind++ {
				c.put(`<i class="%s%d" style="width:%s"></i>`, hue, kind, pc(quotient(sums[dev][kind], most)))
			}
		}
		value, low, high := e.Baseline, e.BaselineLow, e.BaselineHigh
		if k == 1 {
			value, low, high = e.Total, e.Low, e.High
		}
		c.put(`<s style="left:%s;width:%s"></s></div><span class="n">%s</span>`, pc(quotient(low, most)), pc(quotient(high-low, most)), bold(millijoule(value)+space+"mJ", k == 1))
	}
	c.put(`</div><table class="parts"><thead><tr><th colspan="2">By part, mJ</th><th class="scale"><div class="plot">`)
	largest := 0.0
	for _, x := range e.Parts {
		largest = max(largest, x.BaselineHigh, x.High)
	}
	at := func(pj float64) float64 { return math.Sqrt(quotient(max(pj, 0), largest)) }
	for i, x := range roots(largest / 1e9) {
		c.put(`<span%s style="%s">%s</span>`, map[bool]string{true: ` class="odd"`}[i > 0 && i < len(roots(largest/1e9))-1], anchored(at(x*1e9)), number(x, places(x)))
	}
	c.put(`</div></th><th class="n">alone</th><th class="n">plan</th></tr></thead><tbody>`)
	last := ""
	for i, x := range e.Parts {
		if x.BaselineHigh == 0 && x.High == 0 {
			continue
		}
		dev, hue := "GPU", "g"
		if strings.HasPrefix(x.Name, "pim") {
			dev, hue = "PIM", "p"
		}
		first := ""
		if dev != last {
			first, last = dev, dev
		}
		name := partNames[x.Name].text
		if name == "" {
			name = esc(cut(x.Name, 30))
		}
		c.put(`<tr%s title="%s"><th class="%st" scope="row">%s</th><td>%s</td><td class="scale"><svg width="100%%" height="14" aria-hidden="true">`, map[bool]string{true: ` class="first"`}[first != ""], esc(p.constants(i)), hue, first, name)
		for _, y := range []struct {
			class          string
			value, low, hi float64
			top            int
		}{{"a3", x.Baseline, x.BaselineLow, x.BaselineHigh, 4}, {hue + "3", x.Total, x.Low, x.High, 10}} {
			if y.hi > 0 {
				c.put(`<line class="%s" x1="%s" x2="%s" y1="%d" y2="%d"/><circle class="%s" cx="%s" cy="%d" r="2.6"/>`, y.class, pc(at(y.low)), pc(at(y.hi)), y.top, y.top, y.class, pc(at(y.value)), y.top)
			}
		}
		c.put(`</svg></td><td class="n">%s</td><td class="n"><b>%s</b></td></tr>`, part(x.Baseline), part(x.Total))
	}
	c.put(`<tr class="first"><th colspan="3" scope="row">Average power, W</th><td class="n">%s</td><td class="n"><b>%s</b></td></tr>`, number(e.BaselinePower, 1), number(e.Power, 1))
	c.put(`</tbody></table>`)
	s.Figure = c.html()
	s.Power = p.power()
	return s
}

// constants says of a part of the energy its range in both runs, and which constants of the machine it is proportional to, from which source.
func (p *pager) constants(i int) string {
	x := &p.Report.Energy.Parts[i]
	say := func(value, low, high float64) string {
		return part(value) + space + "mJ (" + part(low) + " to " + part(high) + ")"
	}
	s := "GPU alone " + say(x.Baseline, x.BaselineLow, x.BaselineHigh) + ", plan " + say(x.Total, x.Low, x.High)
	if m := p.Manifest; m != nil && i < len(m.Energy) {
		for _, k := range m.Energy[i] {
			s += "\n" + cut(fault.Name(k.Key), 60) + ": " + cut(fault.Name(k.Source), 300)
		}
	}
	return s
}

// roots are the ticks of a square-root scale to a largest.
func roots(largest float64) (list []float64) {
	all := ticks(largest)
	list = append(list, 0)
	if len(all) < 2 {
		return list
	}
	last := 0.0
	for _, x := range []float64{all[1] / 10, all[1] / 2, all[1], all[len(all)/2], all[len(all)-1]} {
		if s := math.Sqrt(x / largest); s-last > 0.14 {
			list, last = append(list, x), s
		}
	}
	return list
}

// places is how many decimals a tick needs.
func places(x float64) int {
	if x == 0 {
		return 0
	}
	for n := range 6 {
		if p := x * math.Pow(10, float64(n)); math.Abs(p-math.Round(p)) < 1e-6*p {
			return n
		}
	}
	return 6
}

// power is the power of both runs over time, as steps; the interval of the plan is shorter where it is faster.
func (p *pager) power() template.HTML {
	a, b := &p.u.Baseline.Power, &p.u.Plan.Power
	end := max(p.Baseline, p.Total)
	most := 0.0
	sum := func(w *powers, i int) float64 { return w.Standby + w.GPU[i] + w.PIM[i] }
	for _, w := range []*powers{a, b} {
		if len(w.GPU) != len(w.PIM) {
			return ""
		}
		for i := range w.GPU {
			most = max(most, sum(w, i))
		}
	}
	if !(most > 0) || !(end > 0) {
		return ""
	}
	const high = 90
	var c canvas
	c.put(`<p class="grey">Power over time, W: the highest %s, standby %s; grey the GPU alone.</p><div class="watts"><svg width="100%%" height="%d" viewBox="0 0 1000 %d" preserveAspectRatio="none" role="img" aria-label="Power over time, up to %s W">`,
		number(most, 0), number(b.Standby, 0), high, high, number(most, 0))
	for k, w := range []*powers{a, b} {
		var d strings.Builder
		for i := range w.GPU {
			d.WriteString(map[bool]string{true: "M", false: "L"}[i == 0] + f(1000*float64(i)*w.Interval/end) + " " + f(high*(1-sum(w, i)/most)) + "H" + f(1000*float64(i+1)*w.Interval/end))
		}
		c.put(`<path class="%s" d="%s"/>`, []string{"was", "is"}[k], d.String())
	}
	y := high * (1 - b.Standby/most)
	c.put(`<path class="dots" d="M0 %sH1000"/></svg></div>`, f(y))
	return c.html()
}
