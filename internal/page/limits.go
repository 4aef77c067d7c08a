package page

import (
	"html/template"
	"slices"

	"pimflow/internal/usage"
)

// limits is the third section: what takes the time?
type limits struct {
	Title  string
	Legend template.HTML
	Rows   []limitRow
	Causes template.HTML
}

// limitRow is a class of layers.
type limitRow struct {
	Name                     string
	Layers                   int
	All                      bool
	Bars                     template.HTML
	Alone, Plan, Saved, Gain string
}

// classNames are the classes in words; those of kernels as they are, with a × and what they are.
var classNames = map[string]string{"all": "All layers", "depthwise": "Depthwise conv", "FC": "Fully connected", "product": "Product of activations", "other": "Other", "idle": "No device works"}

func className(class string) string {
	if n := classNames[class]; n != "" {
		return n
	}
	var b []rune
	for _, r := range class {
		if r == 'x' {
			r = '×'
		}
		b = append(b, r)
	}
	return string(b) + " conv"
}

func (p *pager) limits() (s limits) {
	all := &p.u.Limits[0]
	total := all.BaselineNS
	launch, moving := quotient(all.Baseline.Launch, total), quotient(all.Baseline.Moving, total)
	switch {
	case total <= 0:
		s.Title = "The GPU alone takes no time"
	case launch >= 0.5:
		s.Title = "The GPU alone launches kernels in " + percent(launch) + " of its time"
	case launch >= 0.1:
		s.Title = "The GPU alone launches kernels in " + percent(launch) + " of its time; memory and latency bind it in " + percent(moving)
	case moving >= 0.5:
		s.Title = "Memory and latency bind the GPU alone in " + percent(moving) + " of its time"
	default:
		s.Title = "Arithmetic binds the GPU alone in " + percent(quotient(all.Baseline.Computing, total)) + " of its time"
	}
	most := 0.0
	for i := range p.u.Limits {
		most = max(most, p.u.Limits[i].BaselineNS, p.u.Limits[i].Total)
	}
	for i := range p.u.Limits {
		l := &p.u.Limits[i]
		row := limitRow{Name: className(l.Class), Layers: l.Layers, All: i == 0, Alone: us(l.BaselineNS), Plan: us(l.Total), Saved: us(l.Saved)}
		if all.Saved != 0 {
			row.Gain = number(100*l.Gain, 1) + thin + "%"
		}
		var c canvas
		bars(&c, most, i == 0, strip{"a", l.Baseline})
		bars(&c, most, i == 0, strip{"g", l.GPU}, strip{"p", l.PIM})
		row.Bars = c.html()
		s.Rows = append(s.Rows, row)
	}
	var c canvas
	for _, x := range []struct{ n, text string }{{"1", "launching"}, {"2", "GPU: bound by memory or latency; PIM: link"}, {"3", "GPU: bound by arithmetic; PIM: commands"}} {
		c.put(`<span class="key"><i class="a%s"></i><i class="g%s"></i><i class="p%s"></i> %s</span>`, x.n, x.n, x.n, x.text)
	}
	c.put(`<span class="key"><b>grey</b> GPU alone, <b class="gt">blue</b> GPU and <b class="pt">orange</b> PIM of the plan</span>`)
	s.Legend, s.Causes = c.html(), p.causes()
	return s
}

// strip is the time of a device by what it does.
type strip struct {
	hue string
	usage.Split
}

// bars are strips after each other, with values inside where they fit.
func bars(c *canvas, most float64, values bool, list ...strip) {
	c.put(`<div class="strip%s">`, map[bool]string{true: " tall"}[values])
	for _, x := range list {
		for k, t := range []float64{x.Launch, x.Moving, x.Computing} {
			w := quotient(t, most)
			if w < 0.0005 {
				continue
			}
			text := ""
			if values && w > 0.07 {
				text = `<em>` + number(t/1e3, 0) + `</em>`
			}
			if values && w > 0.3 && x.hue == "a" {
				text = `<em><span class="wide">` + []string{"launch ", "memory, latency ", "arithmetic "}[k] + `</span>` + number(t/1e3, 0) + `</em>`
			}
			c.put(`<i class="%s%d" style="width:%s">%s</i>`, x.hue, k+1, pc(w), text)
		}
	}
	c.put(`</div>`)
}

// stalls are the causes of a device's time in the plan, the longest first.
func (p *pager) stalls(dev string) (list []usage.Stall) {
	for _, s := range p.u.Plan.Stalls {
		if s.Device == dev {
			list = append(list, s)
		}
	}
	slices.SortStableFunc(list, func(a, b usage.Stall) int {
		switch {
		case a.NS > b.NS:
			return -1
		case a.NS < b.NS:
			return 1
		}
		return 0
	})
	return list
}

// causes are the causes of each device's time, which add up to the total, as a line each.
func (p *pager) causes() template.HTML {
	var c canvas
	for _, d := range []struct{ dev, name string }{{"gpu", "GPU"}, {"pim", "PIM"}} {
		c.put(`<p class="grey causes"><b class="%st">%s of the plan, µs</b> `, d.dev[:1], d.name)
		for i, s := range p.stalls(d.dev) {
			if i > 0 {
				c.put(` · `)
			}
			c.put(`%s%s%s`, esc(cut(s.Cause, 40)), space, us(s.NS))
		}
		c.put(`</p>`)
	}
	return c.html()
}
