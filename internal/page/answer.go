package page

import (
	"html/template"
	"math"
	"strings"

	"pimflow/internal/fault"
	"pimflow/internal/usage"
)

// answer is the first section: is it worth it?
type answer struct {
	Plain, Head, Interval string
	Lead                  template.HTML
	Speed, Time, Energy   template.HTML
}

// verdict says how the plan's speed compares with the GPU alone's, from the numbers.
func verdict(speedup float64) string {
	switch s := math.Round(100*speedup) / 100; {
	case s > 1:
		return "runs " + ratio(speedup) + " faster with PIM than on the GPU alone"
	case s < 1 && speedup > 0:
		return "runs " + ratio(1/speedup) + " slower with PIM than on the GPU alone"
	}
	return "runs as fast with PIM as on the GPU alone"
}

// aside is the interval of the speed-up.
func aside(low, high float64) string {
	return "(" + number(low, 2) + " to " + number(high, 2) + ")"
}

func (p *pager) answer() (a answer) {
	name := fault.Name(p.Model)
	a.Head = cut(name, 60) + " " + verdict(p.Speedup)
	a.Interval = aside(p.Low, p.High)
	a.Plain = a.Head + " " + a.Interval

	var c canvas
	c.put("<b>%s → %s%sµs</b> ", headline(p.Baseline), headline(p.Total), space)
	switch n := p.Throughput.Images; {
	case n == 1:
		c.put("an image")
	case n > 1:
		c.put("for %s", plural(n, "image"))
	default:
		c.put("a run")
	}
	e := &p.Report.Energy
	c.put(", with ")
	switch {
	case e.RatioLow < 1 && e.RatioHigh > 1 && math.Abs(e.Ratio-1) < 0.05:
		c.put("<b>about the same energy</b>")
	case more(e.Ratio) == "no change":
		c.put("<b>the same energy</b>")
	default:
		c.put("<b>%s energy</b>", more(e.Ratio))
	}
	c.put(": %s → %s%smJ (%s to %s). ", millijoule(e.Baseline), millijoule(e.Total), space, more(e.RatioLow), more(e.RatioHigh))
	if p.Low < 1 && p.High > 1 {
		c.put("Within the errors of the GPU’s model the plan may be <b>faster or slower</b>. ")
	}
	switch k := p.Check; {
	case k == nil:
		c.put("The outputs are not checked: add <code>--check</code>.")
	case k.OK:
		c.put("The outputs were computed by the plan’s own commands and agree with the model.")
	default:
		c.put("<b>The check failed:</b> %s.", esc(cut(fault.Name(k.Reason), 300)))
	}
	if p.Stopped {
		c.put(" The search was stopped: this is the best plan so far.")
	}
	a.Lead = c.html()
	a.Speed, a.Time, a.Energy = p.speed(), p.time(), p.joules()
	return a
}

// published is the policy that this plan is compared with; nil where it is not known, or is this plan's.
func (p *pager) published() *usage.Policy {
	for i := range p.Report.Policies {
		if x := &p.Report.Policies[i]; x.Name == "pimflow" && p.Policy != "pimflow" {
			return x
		}
	}
	return nil
}

// speed is the speed-up as a dot on a line from 1 to the bound, with its interval as a band and the published policy as a tick.
func (p *pager) speed() template.HTML {
	bound := 0.0
	if p.Bound != nil && *p.Bound > 0 {
		bound = p.Baseline / *p.Bound
	}
	low, high := min(1, p.Low, p.Speedup), max(1, p.High, p.Speedup, bound)
	other := p.published()
	if other != nil {
		low, high = min(low, other.Speedup), max(high, other.Speedup)
	}
	if high-low < 0.2 {
		high = low + 0.2
	}
	at := func(x float64) float64 { return (x - low) / (high - low) }
	var c canvas
	c.put(`<div class="fig speed" role="img" aria-label="%s">`, esc(verdict(p.Speedup)+" "+aside(p.Low, p.High)))
	c.put(`<span class="l v" style="%s">%s</span>`, anchored(at(p.Speedup)), ratio(p.Speedup))
	c.put(`<svg width="100%%" height="18" aria-hidden="true"><line class="axis" x1="0" x2="100%%" y1="9" y2="9"/>`)
	c.put(`<rect class="a2" x="%s" width="%s" y="5" height="8"/>`, pc(at(p.Low)), pc(at(p.High)-at(p.Low)))
	mark := func(x float64) { c.put(`<line class="mark" x1="%s" x2="%s" y1="2" y2="16"/>`, pc(at(x)), pc(at(x))) }
	mark(1)
	if bound > 0 {
		mark(bound)
	}
	if other != nil {
		mark(other.Speedup)
	}
	c.put(`<circle class="ink" cx="%s" cy="9" r="5"/></svg>`, pc(at(p.Speedup)))
	label := func(x float64, text string) {
		c.put(`<span class="l" style="%s">%s</span>`, anchored(at(x)), text)
	}
	c.put(`<div class="row">`)
	label(1, "1 GPU alone")
	c.put(`</div><div class="row">`)
	label((p.Low+p.High)/2, number(p.Low, 2)+" to "+number(p.High, 2)+" GPU model’s error")
	c.put(`</div>`)
	if other != nil {
		c.put(`<div class="row">`)
		label(other.Speedup, number(other.Speedup, 2)+" policy pimflow")
		c.put(`</div>`)
	}
	if bound > 0 {
		c.put(`<div class="row">`)
		label(bound, number(bound, 2)+" bound")
		c.put(`</div>`)
	}
	c.put(`</div>`)
	return c.html()
}

// time is two bars with the bound as a notch.
func (p *pager) time() template.HTML {
	var c canvas
	most := max(p.Baseline, p.Total)
	c.put(`<div class="bars">`)
	c.put(`<span>GPU alone</span><div class="bar"><i class="a2" style="width:%s"></i></div><span class="n">%s%sµs</span>`, pc(quotient(p.Baseline, most)), us(p.Baseline), space)
	c.put(`<span><b>GPU + PIM</b></span><div class="bar"><i class="ink" style="width:%s"></i>`, pc(quotient(p.Total, most)))
	if p.Bound != nil {
		c.put(`<u style="left:%s"></u>`, pc(quotient(*p.Bound, most)))
	}
	c.put(`</div><span class="n"><b>%s%sµs</b></span>`, us(p.Total), space)
	if p.Bound != nil {
		c.put(`<span></span><div class="bar under"><span class="l" style="%s">bound %s</span></div><span></span>`, anchored(quotient(*p.Bound, most)), us(*p.Bound))
	}
	c.put(`</div>`)
	return c.html()
}

// joules is two bars with their ranges below.
func (p *pager) joules() template.HTML {
	var c canvas
	e := &p.Report.Energy
	most := max(e.BaselineHigh, e.High)
	c.put(`<div class="bars">`)
	for _, x := range []struct {
		name, class      string
		value, low, high float64
	}{{"GPU alone", "a2", e.Baseline, e.BaselineLow, e.BaselineHigh}, {"<b>GPU + PIM</b>", "ink", e.Total, e.Low, e.High}} {
		c.put(`<span>%s</span><div class="bar ranged"><i class="%s" style="width:%s"></i><s style="left:%s;width:%s"></s></div><span class="n">%s%s</span>`,
			x.name, x.class, pc(quotient(x.value, most)), pc(quotient(x.low, most)), pc(quotient(x.high-x.low, most)),
			bold(millijoule(x.value)+space+"mJ", strings.HasPrefix(x.name, "<b>")), "")
	}
	c.put(`<span></span><div class="bar under"><span class="l" style="left:0">lines: low to high</span></div><span></span></div>`)
	return c.html()
}

func bold(s string, is bool) string {
	if is {
		return "<b>" + s + "</b>"
	}
	return s
}
