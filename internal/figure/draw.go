package figure

import (
	"image/color"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// rectangle is that between two points.
func rectangle(x0, y0, x1, y1 vg.Length) vg.Rectangle {
	return vg.Rectangle{Min: vg.Point{X: min(x0, x1), Y: min(y0, y1)}, Max: vg.Point{X: max(x0, x1), Y: max(y0, y1)}}
}

// fill draws a box of a style.
func fill(c draw.Canvas, r vg.Rectangle, style int) {
	c.SetColor(of(palette, style))
	c.Fill(r.Path())
	hatch(c, r, style)
	outline(c, r)
}

func outline(c draw.Canvas, r vg.Rectangle) {
	c.SetLineStyle(draw.LineStyle{Color: black, Width: 0.4})
	c.Stroke(r.Path())
}

func line(c draw.Canvas, width vg.Length, ink color.Color, dash []vg.Length, points ...vg.Point) {
	c.StrokeLines(draw.LineStyle{Color: ink, Width: width, Dashes: dash}, points)
}

// ink is the colour of a style's lines: yellow is too pale on white.
func ink(style int) color.RGBA {
	c := of(palette, style)
	if c.R > 0xE8 && c.G > 0xD8 {
		return color.RGBA{0xA8, 0x9A, 0x00, 0xFF}
	}
	return c
}

func mark(c draw.Canvas, at vg.Point, style int, radius vg.Length) {
	c.DrawGlyphNoClip(draw.GlyphStyle{Color: ink(style), Radius: radius, Shape: of(markers, style)}, at)
}

// draw draws a key whose upper left corner is at a point.
func (k *Key) draw(c draw.Canvas, at vg.Point) {
	middle := at.Y - leading()/2
	switch k.Kind {
	case boxKey:
		fill(c, rectangle(at.X, middle-3, at.X+swatch, middle+3), k.Style)
	case lineKey:
		line(c, 0.9, ink(k.Style), of(dashes, k.Style), vg.Point{X: at.X, Y: middle}, vg.Point{X: at.X + swatch, Y: middle})
		fallthrough
	default:
		mark(c, vg.Point{X: at.X + swatch/2, Y: middle}, k.Style, 2)
	}
	write(c, k.Name, vg.Point{X: at.X + swatch + 3, Y: at.Y}, draw.XLeft, draw.YTop, 0, black)
}

// shadeWidth is the length of the key of shades.
const shadeWidth = 60

// shadeLabel is the label of the shades, and whether it stands above them: there is no room beside them.
func (l *laid) shadeLabel() (label string, above bool) {
	inner := l.width - 2*margin
	s := l.f.Shades
	label = wrap(plain(s.Label), inner)
	return label, width(label)+width(brief(s.Low))+width(brief(s.High))+shadeWidth+14 > inner || strings.Contains(label, "\n")
}

// drawShades draws the key of shades.
func (l *laid) drawShades(c draw.Canvas, at vg.Point) {
	label, above := l.shadeLabel()
	low, high := brief(l.f.Shades.Low), brief(l.f.Shades.High)
	write(c, label, at, draw.XLeft, draw.YTop, 0, black)
	if above {
		at.Y -= height(label)
	} else {
		at.X += width(label) + 8
	}
	write(c, low, at, draw.XLeft, draw.YTop, 0, black)
	at.X += width(low) + 3
	const steps = 24
	for i := range steps {
		c.SetColor(shade((float64(i) + 0.5) / steps))
		c.Fill(rectangle(at.X+shadeWidth*vg.Length(i)/steps, at.Y-1.5, at.X+shadeWidth*vg.Length(i+1)/steps, at.Y-leading()+1.5).Path())
	}
	outline(c, rectangle(at.X, at.Y-1.5, at.X+shadeWidth, at.Y-leading()+1.5))
	write(c, high, vg.Point{X: at.X + shadeWidth + 3, Y: at.Y}, draw.XLeft, draw.YTop, 0, black)
}

// draw draws a panel whose upper left corner is at a point.
func (p *frame) draw(c draw.Canvas, at vg.Point) {
	data := rectangle(at.X+p.left, at.Y-p.top, at.X+p.left+p.width, at.Y-p.top-p.height)
	if p.title != "" {
		write(c, p.title, vg.Point{X: at.X + (p.left+p.width+p.right)/2, Y: at.Y}, draw.XCenter, draw.YTop, 0, black)
	}
	p.drawY(c, at, data)
	p.drawX(c, at, data)
	for i := range p.Boxes {
		p.Boxes[i].draw(c, p, data)
	}
	if p.Rule != 0 {
		y := p.y(data, p.Rule)
		line(c, 0.6, black, []vg.Length{3, 2}, vg.Point{X: data.Min.X, Y: y}, vg.Point{X: data.Max.X, Y: y})
	}
	for i := range p.Lines {
		p.Lines[i].draw(c, p, data)
	}
	outline(c, data)
}

// x and y are the places of numbers in the data's rectangle.
func (p *frame) x(data vg.Rectangle, v float64) vg.Length {
	return data.Min.X + vg.Length(p.X.norm(v))*(data.Max.X-data.Min.X)
}

func (p *frame) y(data vg.Rectangle, v float64) vg.Length {
	return data.Min.Y + vg.Length(p.Y.norm(v))*(data.Max.Y-data.Min.Y)
}

func (p *frame) drawY(c draw.Canvas, at vg.Point, data vg.Rectangle) {
	if p.ylabel != "" {
		middle := (data.Max.Y + data.Min.Y) / 2
		write(c, p.ylabel, vg.Point{X: at.X, Y: middle}, draw.XCenter, draw.YTop, quarter, black)
	}
	for _, t := range p.yticks {
		y := p.y(data, t.at)
		if t.text == "" {
			line(c, 0.4, black, nil, vg.Point{X: data.Min.X, Y: y}, vg.Point{X: data.Min.X - tickLen/2, Y: y})
			continue
		}
		line(c, 0.3, faint, nil, vg.Point{X: data.Min.X, Y: y}, vg.Point{X: data.Max.X, Y: y})
		line(c, 0.4, black, nil, vg.Point{X: data.Min.X, Y: y}, vg.Point{X: data.Min.X - tickLen, Y: y})
		write(c, t.text, vg.Point{X: data.Min.X - tickLen - 1, Y: y}, draw.XRight, draw.YCenter, 0, black)
	}
	for i, n := range p.rest {
		write(c, n, vg.Point{X: data.Min.X - tickLen - 1, Y: p.y(data, float64(i))}, draw.XRight, draw.YCenter, 0, black)
	}
}

func (p *frame) drawX(c draw.Canvas, at vg.Point, data vg.Rectangle) {
	under := data.Min.Y - below
	for _, t := range p.xticks {
		x := p.x(data, t.at)
		long := vg.Length(tickLen)
		if t.text == "" {
			long /= 2
		} else if p.Y.Names == nil {
			line(c, 0.3, faint, nil, vg.Point{X: x, Y: data.Min.Y}, vg.Point{X: x, Y: data.Max.Y})
		}
		line(c, 0.4, black, nil, vg.Point{X: x, Y: data.Min.Y}, vg.Point{X: x, Y: data.Min.Y - long})
		write(c, t.text, vg.Point{X: x, Y: under}, draw.XCenter, draw.YTop, 0, black)
	}
	for i, n := range p.names {
		at := vg.Point{X: p.x(data, float64(i)), Y: under}
		switch p.turn {
		case 0:
			write(c, n, at, draw.XCenter, draw.YTop, 0, black)
		case steep: // the upper right corner is at the place
			write(c, n, at, draw.XRight, draw.YTop, p.turn, black)
		default:
			write(c, n, at, draw.XRight, draw.YCenter, p.turn, black)
		}
	}
	for i, g := range p.X.Groups {
		from, to := p.x(data, float64(g.From)-0.5), p.x(data, float64(g.To)-0.5)
		y := data.Min.Y - p.under
		line(c, 0.4, black, nil, vg.Point{X: from + 2, Y: y}, vg.Point{X: to - 2, Y: y})
		write(c, p.groups[i], vg.Point{X: (from + to) / 2, Y: y - 1}, draw.XCenter, draw.YTop, 0, black)
	}
	if p.xlabel != "" {
		half := width(p.xlabel) / 2
		x := min(max((data.Min.X+data.Max.X)/2, at.X+half), at.X+p.left+p.width+p.right-half)
		write(c, p.xlabel, vg.Point{X: x, Y: data.Min.Y - p.bottom + height(p.xlabel)}, draw.XCenter, draw.YTop, 0, black)
	}
}

func (b *Box) draw(c draw.Canvas, p *frame, data vg.Rectangle) {
	r := rectangle(p.x(data, b.X0), p.y(data, b.Y0), p.x(data, b.X1), p.y(data, b.Y1))
	words := black
	if b.Style == shaded {
		words = over(shade(b.Shade))
		c.SetColor(shade(b.Shade))
		c.Fill(r.Path())
	} else {
		fill(c, r, b.Style)
	}
	if b.Span != nil {
		bar(c, vg.Point{X: (r.Min.X + r.Max.X) / 2}, p.y(data, b.Span.Low), p.y(data, b.Span.High), min(2.5, (r.Max.X-r.Min.X)/2))
	}
	if width(b.Text)+3 <= r.Max.X-r.Min.X && leading() <= r.Max.Y-r.Min.Y {
		write(c, b.Text, vg.Point{X: (r.Min.X + r.Max.X) / 2, Y: (r.Min.Y + r.Max.Y) / 2}, draw.XCenter, draw.YCenter, 0, words)
	}
}

// bar draws an interval: with white beside it, to be seen on dark boxes.
func bar(c draw.Canvas, at vg.Point, low, high, half vg.Length) {
	for _, s := range []struct {
		width vg.Length
		ink   color.Color
	}{{1.5, white}, {0.6, black}} {
		line(c, s.width, s.ink, nil, vg.Point{X: at.X, Y: low}, vg.Point{X: at.X, Y: high})
		for _, y := range []vg.Length{low, high} {
			line(c, s.width, s.ink, nil, vg.Point{X: at.X - half, Y: y}, vg.Point{X: at.X + half, Y: y})
		}
	}
}

func (l *Line) draw(c draw.Canvas, p *frame, data vg.Rectangle) {
	var points []vg.Point
	for _, q := range l.Points {
		at := l.place(p, data, &q)
		if n := len(points); l.Steps && n > 0 {
			points = append(points, vg.Point{X: at.X, Y: points[n-1].Y})
		}
		points = append(points, at)
		if q.Span != nil {
			low, high := p.y(data, q.Span.Low), p.y(data, q.Span.High)
			line(c, 0.5, ink(l.Style), nil, vg.Point{X: at.X, Y: low}, vg.Point{X: at.X, Y: high})
			for _, y := range []vg.Length{low, high} {
				line(c, 0.5, ink(l.Style), nil, vg.Point{X: at.X - 1.5, Y: y}, vg.Point{X: at.X + 1.5, Y: y})
			}
		}
	}
	if !l.Apart {
		line(c, 0.9, ink(l.Style), of(dashes, l.Style), points...)
	}
	if l.Bare {
		return
	}
	radius := vg.Length(2)
	if l.Hollow {
		radius = 1.2
	}
	for _, q := range l.Points {
		mark(c, l.place(p, data, &q), l.Style, radius)
	}
}

// place is where a point of a line is.
func (l *Line) place(p *frame, data vg.Rectangle, q *Point) vg.Point {
	return vg.Point{X: p.x(data, q.X) + vg.Length(l.Shift), Y: p.y(data, q.Y)}
}
