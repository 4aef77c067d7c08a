package figure

import (
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Lengths in points.
const (
	margin  = 3   // around the figure
	gap     = 5   // between parts of it
	tickLen = 2.5 // of a tick
	below   = 5.5 // from the data to the names of ticks along x: those along y reach down so far
	swatch  = 11  // width of a key's picture
	narrow  = 150 // least width of panels beside each other
)

// laid is a figure with places, from its upper left corner downwards.
type laid struct {
	f      *Figure
	width  vg.Length
	height vg.Length
	title  string
	keys   [][]Key // a line each
	shades vg.Length
	rows   [][]*frame // of panels
	heads  vg.Length  // height of all above the panels
}

// frame is a panel with its places. All but the data's width is decided before it is drawn.
type frame struct {
	*Panel
	title         string
	xlabel        string
	ylabel        string
	names         []string  // of categories along x
	groups        []string  // of names
	under         vg.Length // from the data to the groups
	turn          float64   // of names along x, in radians
	rest          []string  // of categories along y
	xticks        []tick
	yticks        []tick
	left, right   vg.Length
	bottom, top   vg.Length
	width, height vg.Length // of the data
}

// layout places the parts of a figure for a width; the height is what they need.
func (f *Figure) layout(across vg.Length) *laid {
	l := &laid{f: f, width: across, heads: margin}
	inner := across - 2*margin
	if f.Title != "" {
		l.title = wrap(plain(f.Title), inner)
		l.heads += height(l.title) + gap
	}
	if f.Shades != nil {
		l.shades = leading() + gap
		if label, above := l.shadeLabel(); above {
			l.shades += height(label)
		}
		l.heads += l.shades
	}
	if len(f.Keys) > 0 {
		l.keys = keyLines(f.Keys, inner)
		l.heads += vg.Length(len(l.keys))*(leading()+1) + gap - 1
	}
	l.height = l.heads
	columns := 1
	if f.Beside {
		columns = max(1, min(len(f.Panels), int(inner/narrow), 3))
	}
	each := (inner - gap*2*vg.Length(columns-1)) / vg.Length(columns)
	var panels []Panel
	for i := range f.Panels {
		if p := &f.Panels[i]; len(p.X.Names) > 0 {
			panels = append(panels, p.fold(each)...)
		} else {
			panels = append(panels, *p)
		}
	}
	for part := range slices.Chunk(panels, columns) {
		var row []*frame
		for i := range part {
			row = append(row, newFrame(&part[i], each))
		}
		level(row, each)
		l.rows = append(l.rows, row)
		l.height += row[0].outer() + gap
	}
	l.height += margin - gap
	return l
}

// level gives panels that stand beside each other the same lengths above and below their data.
func level(row []*frame, each vg.Length) {
	var top, bottom, tall vg.Length
	for _, p := range row {
		top, bottom, tall = max(top, p.top), max(bottom, p.bottom), max(tall, p.height)
	}
	for _, p := range row {
		p.top, p.bottom, p.height = top, bottom, tall
	}
}

func (p *frame) outer() vg.Length { return p.top + p.height + p.bottom }

// keyLines breaks a legend into lines.
func keyLines(keys []Key, most vg.Length) (lines [][]Key) {
	var at vg.Length
	var names []string
	for _, k := range keys {
		names = append(names, plain(k.Name))
	}
	names = shorts(names, most-swatch-3)
	for i, k := range keys {
		k.Name = names[i]
		w := keyWidth(k)
		if len(lines) == 0 || at+w > most {
			lines, at = append(lines, nil), 0
		}
		lines[len(lines)-1] = append(lines[len(lines)-1], k)
		at += w + 8
	}
	return lines
}

func keyWidth(k Key) vg.Length { return swatch + 3 + width(k.Name) }

// newFrame decides on the lengths around a panel's data.
func newFrame(p *Panel, across vg.Length) *frame {
	f := &frame{Panel: p, top: leading() / 2, right: 2}
	f.height = min(max(across*0.5, 95), 130)
	if n := len(p.Y.Names); n > 0 {
		f.height = max(vg.Length(n)*(leading()+3), 30, min(width(plain(p.Y.Label)), 95))
	}
	if p.Title != "" {
		f.title = wrap(plain(p.Title), across)
		f.top += height(f.title)
	}
	if f.ylabel = wrap(plain(p.Y.Label), f.height); f.ylabel != "" {
		f.left += height(f.ylabel) + 4
	}
	f.upright(across)
	f.xlabel = wrap(plain(p.X.Label), across)
	f.along(across)
	f.bottom += below
	if f.xlabel != "" {
		f.bottom += height(f.xlabel) + 1
	}
	return f
}

// upright decides on the ticks along y, and on the length that they take.
func (f *frame) upright(across vg.Length) {
	var most vg.Length
	if names := f.Y.Names; len(names) > 0 {
		f.rest = shorts(plains(names), across/3)
		for _, s := range f.rest {
			most = max(most, width(s))
		}
	} else {
		f.yticks = f.Y.numbers(f.height, true)
		for _, t := range f.yticks {
			most = max(most, width(t.text))
		}
	}
	f.left += most + 1 + tickLen
}

// longest bounds the names of categories along x.
const longest = 110

// steep is the angle of names that are wider than their place.
const steep = math.Pi / 4

// along decides on the ticks along x, on the lengths that they take, and on the data's width.
func (f *frame) along(across vg.Length) {
	if names := f.X.Names; len(names) > 0 {
		f.nominal(plains(names), across)
		f.grouped()
		return
	}
	for range 4 { // ends stick out, which makes the data narrower
		f.width = across - f.left - f.right
		f.xticks = f.X.numbers(f.width, false)
		right, left := f.right, f.left
		for _, t := range f.xticks {
			if at, half := vg.Length(f.X.norm(t.at)), width(t.text)/2; t.text != "" {
				right, left = max(right, half-(1-at)*f.width), max(left, half-at*f.width)
			}
		}
		if right == f.right && left == f.left {
			break
		}
		f.right, f.left = right, left
	}
	f.width = across - f.left - f.right
	f.bottom += leading()
}

// nominal places the names of categories along x: level if there is room, else in lines, at an angle, or upright.
func (f *frame) nominal(names []string, across vg.Length) {
	left := f.left
	f.width = across - f.left - f.right
	slot := f.width / vg.Length(f.X.High-f.X.Low)
	f.names = names
	if s := wrapped(names, slot-4); s != nil {
		f.names = s
		most := vg.Length(0)
		for _, n := range s {
			most = max(most, height(n))
		}
		f.bottom += most
		return
	}
	f.names = shorts(names, longest)
	for _, f.turn = range []float64{steep, quarter} {
		f.reach(across)
		slot = f.width / vg.Length(f.X.High-f.X.Low)
		if f.turn == quarter || slot*math.Sqrt2/2 >= leading()+0.5 {
			break
		}
		f.left = left
	}
	var most vg.Length
	for _, n := range f.names {
		sin, cos := math.Sincos(f.turn)
		most = max(most, width(n)*vg.Length(sin)+leading()*vg.Length(cos))
	}
	f.bottom += most
}

// grouped makes room for the names of groups, in lines below those of categories.
func (f *frame) grouped() {
	f.under = below + f.bottom + 1
	most := vg.Length(0)
	for _, g := range f.X.Groups {
		slot := vg.Length(g.To-g.From) * f.width / vg.Length(f.X.High-f.X.Low)
		f.groups = append(f.groups, wrap(plain(g.Name), max(slot-3, 1)))
		most = max(most, height(f.groups[len(f.groups)-1])+1)
	}
	f.bottom += most
}

// reach makes room on the left for names at an angle.
func (f *frame) reach(across vg.Length) {
	for range 8 { // to make room shifts the names, by less than the room
		f.width = across - f.left - f.right
		for i, n := range f.names {
			out := width(n)*vg.Length(math.Cos(f.turn)) - vg.Length(f.X.norm(float64(i)))*f.width - f.left
			if f.turn == steep && out > 0 {
				f.left += out
				f.width = across - f.left - f.right
			}
		}
	}
}

// wrapped breaks names into at most two lines that are no wider than most; nil if they are. Names break at spaces and
// after hyphens.
func wrapped(names []string, most vg.Length) (list []string) {
	for _, n := range names {
		if width(n) > most {
			at := -1
			for i, r := range n {
				if first := strings.TrimSpace(n[:i+len(string(r))]); (r == '-' || r == ' ') && width(first) <= most {
					at = i + len(string(r))
				}
			}
			if at < 0 || width(strings.TrimSpace(n[at:])) > most {
				return nil
			}
			n = strings.TrimSpace(n[:at]) + "\n" + strings.TrimSpace(n[at:])
		}
		list = append(list, n)
	}
	return list
}

func plains(names []string) (list []string) {
	for _, n := range names {
		list = append(list, plain(n))
	}
	return list
}

// draw draws the figure.
func (l *laid) draw(c draw.Canvas) {
	c.SetColor(white)
	c.Fill(c.Rectangle.Path())
	at := vg.Point{X: margin, Y: l.height - margin}
	if l.title != "" {
		write(c, l.title, vg.Point{X: l.width / 2, Y: at.Y}, draw.XCenter, draw.YTop, 0, black)
		at.Y -= height(l.title) + gap
	}
	if l.f.Shades != nil {
		l.drawShades(c, at)
		at.Y -= l.shades
	}
	for _, line := range l.keys {
		x := at.X
		for _, k := range line {
			k.draw(c, vg.Point{X: x, Y: at.Y})
			x += keyWidth(k) + 8
		}
		at.Y -= leading() + 1
	}
	y := l.height - l.heads
	for _, row := range l.rows {
		x := vg.Length(margin)
		for _, p := range row {
			p.draw(c, vg.Point{X: x, Y: y})
			x += p.left + p.width + p.right + 2*gap
		}
		y -= row[0].outer() + gap
	}
}
