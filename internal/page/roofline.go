package page

import (
	"html/template"
	"math"
	"slices"
	"strings"

	"pimflow/internal/usage"
)

// roofline is the fourth section: how far from the hardware?
type roofline struct {
	Title  string
	Slope  string // the DRAM's roof
	Roofs  string // the others, where there is no margin for them
	Figure template.HTML
}

// dot is a layer or a piece in the figure.
type dot struct {
	class      string // of the drawing: a hollow, g or p
	kind       string // of the layer
	layer      int
	x          float64 // FLOP a byte
	flops      float64
	time, work float64 // ns, with and without launches
	peak       float64 // GFLOP/s
	roof       float64 // GFLOP/s: the peak, or of the GPU what its DRAM feeds, where that is less
}

func (d *dot) y(launches bool) float64 {
	if launches {
		return quotient(d.flops, d.time)
	}
	return quotient(d.flops, d.work)
}

// says is what the figure shows of a dot: operations a second and a byte, and the share of its roof.
func (d *dot) says() string {
	return si(d.y(true)*1e9) + "FLOP/s, " + few(d.x) + space + "FLOP/B, " + share(quotient(d.y(true), d.roof)) + " of its roof"
}

// dots are the layers on the GPU alone and the pieces of the plan that have products.
func (p *pager) dots() (list []dot) {
	add := func(x *usage.Piece, class string, flops float64) {
		l := p.Report.Layers[x.Layer].Use
		if l.FLOPs == 0 || l.Bytes == 0 || flops <= 0 || x.End <= x.Start {
			return
		}
		peak := p.u.Peaks.FMA
		switch {
		case class == "p":
			peak = p.u.Peaks.PIM
		case x.Tensor:
			peak = p.u.Peaks.Tensor
		}
		t := x.End - x.Start
		roof := peak
		if fed := l.Intensity * p.u.Peaks.BaselineDRAM; class != "p" && fed > 0 {
			roof = min(peak, fed)
		}
		list = append(list, dot{class, l.Class, x.Layer, l.Intensity, flops, t, max(t-x.Launch, t*1e-3), peak, roof})
	}
	for i := range p.u.Pieces {
		x := &p.u.Pieces[i]
		add(x, "a", float64(x.FLOPs))
	}
	for _, x := range p.pieces() {
		if x.Device == "pim" {
			add(x, "p", 2*float64(x.MACs))
		} else {
			add(x, "g", float64(x.FLOPs))
		}
	}
	return list
}

// reach is the share of the peaks that dots of a class reach, weighted by time.
func reach(list []dot, class string) (share float64, any bool) {
	done, could := 0.0, 0.0
	for i := range list {
		if d := &list[i]; d.class == class {
			done, could = done+d.flops, could+d.time*d.peak
		}
	}
	return quotient(done, could), could > 0
}

func (p *pager) rooflineTitle(list []dot) string {
	g, onGPU := reach(list, "g")
	m, onPIM := reach(list, "p")
	switch {
	case onPIM && onGPU:
		return "PIM pieces reach " + share(m) + " of their peak, GPU pieces " + share(g)
	case onPIM:
		return "PIM pieces reach " + share(m) + " of their peak"
	case onGPU:
		return "GPU pieces reach " + share(g) + " of their peak"
	}
	return "No layer multiplies"
}

// mostDecades bounds the lines of a logarithmic axis.
const mostDecades = 40

// mostDots is how many dots are drawn; of more, those of the longest.
const mostDots = 600

func (p *pager) roofline() (s roofline) {
	list := p.dots()
	s.Title = p.rooflineTitle(list)
	if len(list) == 0 {
		return s
	}
	peaks := &p.u.Peaks
	x0, x1, y0, y1 := math.Inf(1), 0.0, math.Inf(1), max(peaks.Tensor, peaks.PIM)
	for i := range list {
		d := &list[i]
		x0, x1 = min(x0, d.x), max(x1, d.x)
		y0, y1 = min(y0, d.y(true)), max(y1, d.y(true), d.y(false))
	}
	ridge := quotient(peaks.Tensor, peaks.BaselineDRAM)
	x0, x1 = x0/1.5, max(x1, ridge)*1.5
	y0, y1 = math.Pow(10, math.Floor(math.Log10(y0))), y1*1.6
	at := func(x float64) float64 { return math.Log(x/x0) / math.Log(x1/x0) }
	up := func(y float64) float64 { return 1 - math.Log(y/y0)/math.Log(y1/y0) }

	var c canvas
	c.put(`<div class="roof" id="roof" role="img" aria-label="%s"><div class="ys" aria-hidden="true">`, esc(s.Title))
	decades := func(from, to float64) (out []float64) {
		for e := math.Ceil(math.Log10(from) - 1e-9); e <= math.Log10(to) && len(out) < mostDecades; e++ {
			out = append(out, math.Pow(10, e))
		}
		return out
	}
	for _, y := range decades(y0, y1) {
		c.put(`<span style="top:%s">%s</span>`, pc(up(y)), si(y*1e9))
	}
	c.put(`</div><div class="field"><svg width="100%%" height="100%%" aria-hidden="true">`)
	for _, y := range decades(y0, y1) {
		c.put(`<line class="grid" x1="0" x2="100%%" y1="%s" y2="%s"/>`, pc(up(y)), pc(up(y)))
	}
	for _, x := range decades(x0, x1) {
		c.put(`<line class="grid" y1="0" y2="100%%" x1="%s" x2="%s"/>`, pc(at(x)), pc(at(x)))
	}
	line := func(class string, xa, ya, xb, yb float64) {
		if ya < y0 { // the line leaves the field below
			xa, ya = xa*y0/ya, y0
		}
		c.put(`<line class="%s" x1="%s" y1="%s" x2="%s" y2="%s"/>`, class, pc(at(xa)), pc(up(ya)), pc(at(xb)), pc(up(yb)))
	}
	type roof struct {
		class, text string
		y           float64
	}
	roofs := []roof{{"gt", "GPU tensor " + si(peaks.Tensor*1e9), peaks.Tensor}, {"gt", "GPU FMA " + si(peaks.FMA*1e9), peaks.FMA}}
	if peaks.BaselineDRAM > 0 {
		line("gline", x0, x0*peaks.BaselineDRAM, ridge, peaks.Tensor)
		line("gline", ridge, peaks.Tensor, x1, peaks.Tensor)
		if r := peaks.FMA / peaks.BaselineDRAM; r > x0 && r < x1 {
			line("gline dash", r, peaks.FMA, x1, peaks.FMA)
		}
	}
	if _, any := reach(list, "p"); any {
		line("pline", x0, peaks.PIM, x1, peaks.PIM)
		roofs = append(roofs, roof{"pt", "PIM " + si(peaks.PIM*1e9), peaks.PIM})
	}
	slices.SortStableFunc(list, func(a, b dot) int { // the large first, the small upon them
		switch {
		case a.time > b.time:
			return -1
		case a.time < b.time:
			return 1
		}
		return 0
	})
	longest := list[0].time
	for i := range list[:min(len(list), mostDots)] {
		d := &list[i]
		c.put(`<circle class="d%s" r="%s" cx="%s" cy="%s" data-y="%s" data-l="%d" data-q="%s"/>`, d.class, f(max(1.6, 8*math.Sqrt(d.time/longest))), pc(at(d.x)), pc(up(d.y(true))), pc(up(d.y(false))), d.layer, d.says())
	}
	c.put(`</svg></div><div class="tops" aria-hidden="true">`)
	slices.SortStableFunc(roofs, func(a, b roof) int {
		switch {
		case a.y > b.y:
			return -1
		case a.y < b.y:
			return 1
		}
		return 0
	})
	last := -1.0
	for _, r := range roofs {
		y := max(up(r.y), last+0.055) // a line apart
		last = y
		c.put(`<span class="%s" style="top:%s">%s</span>`, r.class, pc(y), r.text)
	}
	c.put(`</div><div class="xs" aria-hidden="true">`)
	for _, x := range decades(x0, x1) {
		c.put(`<span style="%s">%s</span>`, anchored(at(x)), si(x))
	}
	c.put(`</div>`)
	c.brackets(list, at)
	c.put(`</div>`)
	s.Figure = c.html()
	s.Slope = number(peaks.BaselineDRAM, 0) + space + "GB/s"
	for _, r := range roofs {
		s.Roofs += r.text + "FLOP/s, "
	}
	s.Roofs = strings.TrimSuffix(s.Roofs, ", ")
	return s
}

// brackets are the ranges of the classes under the axis, a row each.
func (c *canvas) brackets(list []dot, at func(float64) float64) {
	type span struct {
		class  string
		lo, hi float64
	}
	var spans []span
	for i := range list {
		d := &list[i]
		k := slices.IndexFunc(spans, func(s span) bool { return s.class == d.kind })
		if k < 0 {
			spans = append(spans, span{d.kind, d.x, d.x})
			k = len(spans) - 1
		}
		spans[k].lo, spans[k].hi = min(spans[k].lo, d.x), max(spans[k].hi, d.x)
	}
	slices.SortFunc(spans, func(a, b span) int {
		switch {
		case a.lo < b.lo:
			return -1
		case a.lo > b.lo:
			return 1
		}
		return strings.Compare(a.class, b.class)
	})
	c.put(`<div class="classes">`)
	for _, s := range spans {
		place := "left:calc(" + pc(at(s.hi)) + " + 10px)"
		if at(s.hi) > 0.7 {
			place = "right:calc(" + pc(1-at(s.lo)) + " + 6px)"
		}
		c.put(`<div><i style="left:%s;width:calc(%s + 4px)"></i><span style="%s">%s</span></div>`, pc(at(s.lo)), pc(at(s.hi)-at(s.lo)), place, esc(strings.ReplaceAll(s.class, "x", "×")))
	}
	c.put(`</div>`)
}
