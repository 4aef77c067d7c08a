package page

import (
	"html/template"
	"strings"

	"pimflow/internal/usage"
)

// policies is the seventh section: compared with the paper's?
type policies struct {
	Title  string
	Figure template.HTML // "": they were not searched
}

func (p *pager) policies() (s policies) {
	list := p.Report.Policies
	if len(list) == 0 {
		return s
	}
	s.Title = "This plan, beside those of other policies"
	if x := p.published(); x != nil && x.Total > 0 {
		switch d := 1 - p.Total/x.Total; {
		case d >= 0.005:
			s.Title = "This plan takes " + percent(d) + " less time than the published PIMFlow policy’s"
		case d <= -0.005:
			s.Title = "This plan takes " + percent(-d) + " more time than the published PIMFlow policy’s"
		default:
			s.Title = "This plan takes as long as the published PIMFlow policy’s"
		}
	}
	most := 0.0
	for _, x := range list {
		most = max(most, x.Total)
	}
	var c canvas
	c.put(`<div class="policies"><div class="head"><span></span><span>time, µs</span><span class="n">speed-up</span><span class="gt">GPU busy</span><span class="pt">PIM busy</span><span class="about"></span></div>`)
	for _, x := range list {
		class, name := "a2", esc(cut(x.Name, 24))
		switch x.Name {
		case p.Policy:
			class, name = "ink", "<b>"+name+"</b>"
		case "gpu":
			class = "a3"
		}
		about := brief(x.About)
		c.put(`<div class="pol" data-p="%s" title="%s"><span>%s</span><div class="time"><i class="%s" style="width:%s"></i><em>%s</em></div><span class="n">%s</span>`,
			esc(x.Name), esc(measures(&x)), name, class, pc(quotient(x.Total, most)), us(x.Total), bold(ratio(x.Speedup), x.Name == p.Policy))
		for _, y := range []struct {
			hue  string
			busy float64
		}{{"g2", x.GPUBusy}, {"p2", x.PIMBusy}} {
			c.put(`<div class="busy"><div><i class="%s" style="width:%s"></i></div><em>%s</em></div>`, y.hue, pc(quotient(y.busy, x.Total)), percent(quotient(y.busy, x.Total)))
		}
		c.put(`<span class="about">%s</span></div>`, esc(about))
	}
	c.put(`</div>`)
	s.Figure = c.html()
	return s
}

// measures are the time of a policy's plan, its speed-up and its energy, with their ranges.
func measures(x *usage.Policy) string {
	return us(x.Total) + " µs, " + ratio(x.Speedup) + " of the GPU alone’s speed (" + ratio(x.SpeedupLow) + " to " + ratio(x.SpeedupHigh) + "), " +
		millijoule(x.Energy) + " mJ (" + millijoule(x.EnergyLow) + " to " + millijoule(x.EnergyHigh) + ")"
}

// brief is a description up to its first semicolon outside of parentheses, with the source that it ends with.
func brief(about string) string {
	depth, end := 0, len(about)
	for i, r := range about {
		switch r {
		case '(':
			depth++
		case ')':
			depth--
		case ';':
			if depth == 0 && end == len(about) {
				end = i
			}
		}
	}
	short := about[:end]
	if i := strings.LastIndexByte(about, '('); i > end && strings.HasSuffix(about, ")") {
		short += " " + about[i:]
	}
	return short
}
