package figure

import (
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// palette is that of Okabe and Ito, "Color Universal Design: how to make figures and presentations that are friendly to
// colorblind people" (2008), https://jfly.uni-koeln.de/color/, with the grey that is often added for "other"; neighbours
// differ in lightness.
var palette = []color.RGBA{
	{0x00, 0x72, 0xB2, 0xFF}, // blue
	{0xE6, 0x9F, 0x00, 0xFF}, // orange
	{0x00, 0x9E, 0x73, 0xFF}, // bluish green
	{0x56, 0xB4, 0xE9, 0xFF}, // sky blue
	{0xD5, 0x5E, 0x00, 0xFF}, // vermillion
	{0xF0, 0xE4, 0x42, 0xFF}, // yellow
	{0xCC, 0x79, 0xA7, 0xFF}, // reddish purple
	{0x99, 0x99, 0x99, 0xFF}, // grey
}

var (
	black = color.RGBA{0, 0, 0, 0xFF}
	white = color.RGBA{0xFF, 0xFF, 0xFF, 0xFF}
	faint = color.RGBA{0xDD, 0xDD, 0xDD, 0xFF} // lines behind the data
)

// hatches are the directions of the lines on boxes, in degrees.
var hatches = [][]float64{{}, {45}, {135}, {0}, {45, 135}, {90}, {0, 90}}

// markers are the shapes of points.
var markers = []draw.GlyphDrawer{
	draw.CircleGlyph{}, draw.SquareGlyph{}, draw.TriangleGlyph{}, diamond{}, draw.CrossGlyph{}, draw.BoxGlyph{}, draw.PlusGlyph{}, draw.RingGlyph{}, draw.PyramidGlyph{},
}

// dashes are the strokes of lines, in points.
var dashes = [][]vg.Length{nil, {4, 1.5}, {1.2, 1.2}, {4, 1.2, 1.2, 1.2}, {7, 2}}

// shaded is the style of boxes that have a shade.
const shaded = -1

// quarter is a quarter of a turn.
const quarter = math.Pi / 2

// of returns the element of a table for a style. The tables have lengths without a common factor, so that many styles
// differ.
func of[T any](table []T, style int) T { return table[style%len(table)] }

// shade is a colour between pale and dark blue: of one hue, so that it is the same order in grey.
func shade(t float64) color.RGBA {
	stops := []color.RGBA{{0xF7, 0xFB, 0xFF, 0xFF}, {0x56, 0xB4, 0xE9, 0xFF}, {0x00, 0x72, 0xB2, 0xFF}, {0x00, 0x26, 0x4D, 0xFF}}
	at := min(max(t, 0), 1) * float64(len(stops)-1)
	i := min(int(at), len(stops)-2)
	mix := func(a, b uint8) uint8 { return uint8(math.Round(float64(a) + (at-float64(i))*(float64(b)-float64(a)))) }
	a, b := stops[i], stops[i+1]
	return color.RGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 0xFF}
}

// over is black or white, whichever is seen better on a colour.
func over(c color.RGBA) color.RGBA {
	if luma := 0.299*float64(c.R) + 0.587*float64(c.G) + 0.114*float64(c.B); luma < 140 { // ITU-R BT.601
		return white
	}
	return black
}

// diamond is a square on its corner.
type diamond struct{}

func (diamond) DrawGlyph(c *draw.Canvas, sty draw.GlyphStyle, p vg.Point) {
	r := sty.Radius * 1.2
	c.FillPolygon(sty.Color, []vg.Point{{X: p.X - r, Y: p.Y}, {X: p.X, Y: p.Y + r}, {X: p.X + r, Y: p.Y}, {X: p.X, Y: p.Y - r}})
}

// hatch draws the lines of a style on a rectangle.
func hatch(c draw.Canvas, r vg.Rectangle, style int) {
	const apart = 3.2 // points between lines
	var path vg.Path
	for _, degrees := range of(hatches, style) {
		sin, cos := math.Sincos(degrees * math.Pi / 180)
		// Lines are those of -x sin + y cos = k, in places that do not depend on the rectangle.
		at := func(x, y vg.Length) float64 { return -float64(x)*sin + float64(y)*cos }
		ks := []float64{at(r.Min.X, r.Min.Y), at(r.Min.X, r.Max.Y), at(r.Max.X, r.Min.Y), at(r.Max.X, r.Max.Y)}
		low, high := min(ks[0], ks[1], ks[2], ks[3]), max(ks[0], ks[1], ks[2], ks[3])
		for k := apart * math.Ceil((low+0.3)/apart); k < high-0.3; k += apart {
			if a, b, ok := across(r, sin, cos, k); ok {
				path.Move(a)
				path.Line(b)
			}
		}
	}
	if len(path) > 0 {
		c.SetLineStyle(draw.LineStyle{Color: black, Width: 0.4})
		c.Stroke(path)
	}
}

// across returns the ends of the line -x sin + y cos = k in a rectangle.
func across(r vg.Rectangle, sin, cos, k float64) (a, b vg.Point, ok bool) {
	low, high := math.Inf(-1), math.Inf(1) // of the distance t along the line from its foot
	for _, side := range []struct{ foot, step, min, max float64 }{
		{-k * sin, cos, float64(r.Min.X), float64(r.Max.X)},
		{k * cos, sin, float64(r.Min.Y), float64(r.Max.Y)},
	} {
		if math.Abs(side.step) < 1e-9 {
			if side.foot < side.min || side.foot > side.max {
				return a, b, false
			}
			continue
		}
		s, e := (side.min-side.foot)/side.step, (side.max-side.foot)/side.step
		low, high = max(low, min(s, e)), min(high, max(s, e))
	}
	at := func(t float64) vg.Point {
		return vg.Point{X: vg.Length(-k*sin + t*cos), Y: vg.Length(k*cos + t*sin)}
	}
	return at(low), at(high), high > low
}
