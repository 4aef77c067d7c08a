package page

import (
	"html/template"
	"math"
	"strings"

	"pimflow/internal/fault"
	"pimflow/internal/usage"
)

// timeline is the second section: what happens when?
type timeline struct {
	Title    string
	Legend   template.HTML
	Figure   template.HTML
	Channels int // of the PIM that work; 0: none
	After    template.HTML
}

func (p *pager) timelineTitle() string {
	switch {
	case p.Total <= 0:
		return "The plan takes no time"
	case p.PIMBusy == 0:
		return "The plan leaves all work to the GPU"
	case p.GPUBusy == 0:
		return "The plan leaves all work to the PIM"
	case p.BothBusy == 0:
		return "The PIM works " + percent(p.PIMBusy/p.Total) + " of the plan’s time, the GPU " + percent(p.GPUBusy/p.Total) + ", never both at once"
	}
	return "The PIM works " + percent(p.PIMBusy/p.Total) + " of the plan’s time, the GPU " + percent(p.GPUBusy/p.Total) + ", both at once " + percent(p.BothBusy/p.Total)
}

// The lanes of the figure, in pixels from its top.
const (
	laneHigh  = 24
	aloneTop  = 0
	linesTop  = aloneTop + laneHigh
	gpuTop    = linesTop + 44
	pimTop    = gpuTop + laneHigh + 16
	lanesHigh = pimTop + laneHigh
)

// merged is the number of pieces above which what is narrower than 0.3 px is merged, and fine the number of parts of the axis then: of
// 0.3 px each at full width.
const merged, fine = 400, 3700

func (p *pager) timeline() (t timeline) {
	t.Title = p.timelineTitle()
	end := max(p.Baseline, p.Total)
	if !(end > 0) {
		end = 1
	}
	plan := p.pieces()
	for _, x := range plan {
		if x.Device == "pim" {
			n := 0
			for _, l := range x.Channels {
				n += l.N
			}
			t.Channels = max(t.Channels, n)
		}
	}
	var c canvas
	c.put(`<div class="tl" id="tl" data-end="%s" role="img" aria-label="%s">`, f(end), esc(t.Title))
	c.put(`<div class="phone lanename">GPU alone</div><div class="tags" aria-hidden="true"><span class="lane">%s</span><div class="plot">%s</div></div>`, esc(cut(strings.TrimRight(p.names.common, separators), 12)), p.tags(end))
	c.put(`<div class="lanes"><div class="names"><span style="top:%dpx">GPU alone</span><span class="gt" style="top:%dpx">Plan: GPU</span><span class="pt" style="top:%dpx">Plan: PIM</span></div>`, aloneTop, gpuTop, pimTop)
	c.put(`<div class="plot"><svg id="tls" width="100%%" height="%d" viewBox="0 0 %s %d" preserveAspectRatio="none" aria-hidden="true">`, lanesHigh, f(end), lanesHigh)
	for _, y := range []int{aloneTop, gpuTop, pimTop} {
		c.put(`<rect class="wash" x="0" y="%d" width="%s" height="%d"/>`, y, f(map[bool]float64{true: p.Baseline, false: p.Total}[y == aloneTop]), laneHigh)
	}
	p.lane(&c, pointers(p.u.Pieces), "gpu", "a", aloneTop, end)
	p.lane(&c, plan, "gpu", "g", gpuTop, end)
	p.lane(&c, plan, "pim", "p", pimTop, end)
	c.put(`<path class="thin" d="%s"/>`, p.joins(plan))
	c.put(`<path class="edge" d="M%s %dL%s %dV%d"/>`, f(p.Baseline), linesTop, f(p.Total), gpuTop, lanesHigh)
	if p.Bound != nil {
		c.put(`<path class="dots" d="M%s %dV%d"/>`, f(*p.Bound), gpuTop-6, lanesHigh)
	}
	c.put(`<g id="tlh"></g></svg>`)
	if saved := p.Baseline - p.Total; saved/end > 0.16 {
		c.put(`<div class="saved" id="saved" style="left:%s;right:0;top:%dpx"><b>%s%sµs saved</b><i></i></div>`, pc(p.Total/end), gpuTop+4, headline(saved), space)
	}
	c.put(`</div></div><div class="unfold"><div class="names"></div><div class="plot"><svg id="tlc" width="100%%" height="0" preserveAspectRatio="none" aria-hidden="true"></svg></div></div>`)
	c.put(`<div class="axisrow"><span></span><div class="plot" id="tlx">`)
	for i, x := range ticks(end / 1e3) {
		class := ""
		if i%2 == 1 {
			class = ` class="odd"`
		}
		c.put(`<span%s style="%s">%s</span>`, class, anchored(1e3*x/end), number(x, decimals(end/1e3)))
	}
	c.put(`</div></div></div>`)
	t.Figure = c.html()

	c.Reset()
	switch saved := p.Baseline - p.Total; {
	case math.Abs(saved) < 50:
		c.put("Both end at %s%sµs. ", us(p.Total), space)
	case saved > 0:
		c.put("The plan ends at %s instead of %s%sµs. ", us(p.Total), us(p.Baseline), space)
	default:
		c.put("The plan ends at %s, the GPU alone at %s%sµs. ", us(p.Total), us(p.Baseline), space)
	}
	if p.Bound != nil {
		c.put("Dotted: the bound %s%sµs, before which no plan of these pieces ends. ", us(*p.Bound), space)
	}
	use := &p.u.Plan
	c.put("Flows, of their peaks: DRAM of the GPU %s%sGB/s (%s)", few(use.DRAM.GBps), space, share(use.DRAM.Share))
	if use.Inner.Bytes > 0 {
		c.put(", banks to multipliers %s%sGB/s (%s), link %s%sGB/s (%s); a PIM channel has commands in %s of the time",
			few(use.Inner.GBps), space, share(use.Inner.Share), few(use.Link.GBps), space, share(use.Link.Share), share(use.Channels))
	}
	c.put(".")
	t.After = c.html()

	c.Reset()
	for _, x := range []struct{ n, text string }{{"1", "launching"}, {"2", "GPU: bound by memory or latency; PIM: link"}, {"3", "GPU: bound by arithmetic; PIM: commands"}} {
		c.put(`<span class="key"><i class="a%s"></i><i class="g%s"></i><i class="p%s"></i> %s</span>`, x.n, x.n, x.n, x.text)
	}
	c.put(`<span class="key"><i class="wash line"></i> idle</span>`)
	t.Legend = c.html()
	return t
}

// share is a percentage with a digit below 10.
func share(x float64) string {
	if x > 0 && x < 0.1 {
		return number(100*x, 1) + thin + "%"
	}
	return percent(x)
}

// decimals is how many digits the ticks of an axis need.
func decimals(largest float64) int {
	t := ticks(largest)
	if len(t) < 2 {
		return 0
	}
	return max(0, int(-math.Floor(math.Log10(t[1])+1e-9)))
}

// pieces are those of the plan, layer by layer.
func (p *pager) pieces() (list []*usage.Piece) {
	for i := range p.Report.Layers {
		for k := range p.Report.Layers[i].Tiles {
			list = append(list, p.Report.Layers[i].Tiles[k].Piece)
		}
	}
	return list
}

// lane draws the pieces of a device: for each strength one path.
func (p *pager) lane(c *canvas, list []*usage.Piece, dev, hue string, top int, end float64) {
	var of []*usage.Piece
	for _, x := range list {
		if x.Device == dev {
			of = append(of, x)
		}
	}
	var paths [3]strings.Builder
	draw := func(k int, from, to float64) {
		if w := f(to - from); w != "0" {
			paths[k].WriteString("M" + f(from) + " 0h" + w + "v" + f(laneHigh) + "h-" + w + "z")
		}
	}
	if len(of) > merged {
		drawMerged(of, end, draw)
	} else {
		for _, x := range of {
			at := x.Start
			for k, t := range []float64{x.Launch, x.Moving, x.Computing} {
				draw(k, at, at+t)
				at += t
			}
		}
	}
	c.put(`<g transform="translate(0 %d)">`, top)
	for k := range paths {
		if paths[k].Len() > 0 {
			c.put(`<path class="%s%d" d="%s"/>`, hue, k+1, paths[k].String())
		}
	}
	c.put(`</g>`)
}

// drawMerged draws parts of the axis with the strength that most of each is.
func drawMerged(of []*usage.Piece, end float64, draw func(k int, from, to float64)) {
	step := end / fine
	var cells [fine][3]float64
	for _, x := range of {
		at := x.Start
		for k, t := range []float64{x.Launch, x.Moving, x.Computing} {
			for i := int(at / step); i < fine && float64(i)*step < at+t; i++ {
				cells[i][k] += max(0, min(at+t, float64(i+1)*step)-max(at, float64(i)*step))
			}
			at += t
		}
	}
	most := func(i int) int {
		k, n, sum := -1, 0.0, 0.0
		for j, t := range cells[i] {
			if sum += t; t > n {
				k, n = j, t
			}
		}
		if sum < step/2 {
			return -1
		}
		return k
	}
	for i := 0; i < fine; {
		k, from := most(i), i
		for i < fine && most(i) == k {
			i++
		}
		if k >= 0 {
			draw(k, float64(from)*step, float64(i)*step)
		}
	}
}

// blocks are runs of layers whose names are the same up to their first number, with where they start in both runs.
type blockAt struct {
	tag         string
	alone, plan float64
}

func (p *pager) blocks(plan []*usage.Piece) (list []blockAt) {
	first := make([]float64, len(p.Report.Layers))
	for i := range first {
		first[i] = math.Inf(1)
	}
	alone := make([]float64, len(first))
	copy(alone, first)
	for _, x := range plan {
		first[x.Layer] = min(first[x.Layer], x.Start)
	}
	for _, x := range p.u.Pieces {
		alone[x.Layer] = min(alone[x.Layer], x.Start)
	}
	last := ""
	for i, l := range p.Report.Layers {
		b := block(p.names.short(l.Name))
		if b == last || math.IsInf(first[i], 1) || math.IsInf(alone[i], 1) {
			continue
		}
		last = b
		list = append(list, blockAt{tag(fault.Name(b)), alone[i], first[i]})
	}
	return list
}

// joins is a line from the start of each block in one run to that in the other, of at most 60 blocks.
func (p *pager) joins(plan []*usage.Piece) string {
	var b strings.Builder
	list := p.blocks(plan)
	for i, x := range list {
		if i%(len(list)/60+1) == 0 {
			b.WriteString("M" + f(x.alone) + " " + f(linesTop) + "L" + f(x.plan) + " " + f(gpuTop))
		}
	}
	return b.String()
}

// tags are the labels of blocks above the first lane, as many as find room: some at every width, others where it is wide.
func (p *pager) tags(end float64) string {
	var c canvas
	next, nextWide := -1.0, -1.0
	for _, x := range p.blocks(p.pieces()) {
		at := x.alone / end
		if at < nextWide || at > 0.97 {
			continue
		}
		letters := float64(len([]rune(x.tag)))
		class := ` class="odd"`
		if at >= next {
			class, next = "", at+(letters*7.5+8)/250
		}
		nextWide = at + (letters*7.5+8)/860
		c.put(`<span%s data-x="%s" style="left:%s">%s</span>`, class, f(x.alone), pc(at), esc(x.tag))
	}
	return c.String()
}

func pointers(list []usage.Piece) (out []*usage.Piece) {
	for i := range list {
		out = append(out, &list[i])
	}
	return out
}
