package figure

import (
	"fmt"
	"image/color"
	"slices"
	"strings"
	"sync"

	"codeberg.org/go-fonts/liberation/liberationsansregular"
	"golang.org/x/image/font/opentype"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// size is that of all text, in points: what IEEE and ACM ask of figures at least.
const size = 8

// handler measures and draws text.
var handler = sync.OnceValue(func() text.Plain {
	face, err := opentype.Parse(liberationsansregular.TTF)
	if err != nil {
		panic(err) // the font is built in
	}
	return text.Plain{Fonts: font.NewCache(font.Collection{{Font: sans, Face: face}})}
})

var sans = font.Font{Typeface: "Liberation", Variant: "Sans"}

// width is that of the widest line of a text.
func width(s string) vg.Length {
	return text.Style{Font: font.From(sans, size), Handler: handler()}.Width(s)
}

// leading is the distance of the lines of a text, and the height of a line.
var leading = sync.OnceValue(func() vg.Length {
	e := handler().Extents(font.From(sans, size))
	return e.Ascent + e.Descent
})

// height is that of the lines of a text.
func height(s string) vg.Length { return leading() * vg.Length(1+strings.Count(s, "\n")) }

// dots stand for what is left out of a name.
const dots = '…'

// plain has only letters that every format can show, those of ISO 8859-1: others are written as Go escapes them.
func plain(s string) string {
	b := &strings.Builder{}
	for _, r := range s {
		if r >= ' ' && r <= '~' || r >= 0xA1 && r <= 0xFF && r != 0xAD || r == dots {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(fmt.Sprintf("%+q", string(r)), `"`))
		}
	}
	return b.String()
}

// short keeps both ends of a name that is wider than most.
func short(s string, most vg.Length) string {
	runes := []rune(s)
	for n := len(runes); width(s) > most && n > 2; n-- {
		s = string(runes[:(n-1)/2]) + string(dots) + string(runes[len(runes)-n/2:])
	}
	return s
}

// shorts makes names that are wider than most fit beside each other: what all have in common goes first (concise). Of a name that is still
// wider both ends are kept; different names that become the same are numbered.
func shorts(names []string, most vg.Length) (list []string) {
	names = concise(names, most)
	of := map[string][]string{} // the names that a short one stands for
	for _, full := range names {
		s := short(full, most)
		i := slices.Index(of[s], full)
		if i < 0 {
			i = len(of[s])
			of[s] = append(of[s], full)
		}
		if i > 0 {
			number := fmt.Sprintf(" (%d)", i+1)
			s = short(full, most-width(number)) + number
		}
		list = append(list, s)
	}
	return list
}

// between stands between the parts of a label.
const between = ", "

// concise leaves out of labels, as far as they are wider than most, first the parts that all have, then the groups of keys, as "pim." of
// "pim.buffers 4", then the keys that a part of all labels begins with. Every value that differs stays.
func concise(labels []string, most vg.Length) []string {
	var parts [][]string
	for _, l := range labels {
		parts = append(parts, strings.Split(l, between))
		if len(parts[0]) != len(parts[len(parts)-1]) {
			return labels
		}
	}
	for step := 0; step < 3 && slices.ContainsFunc(labels, func(l string) bool { return width(l) > most }); step++ {
		labels = nil
		for k := len(parts[0]) - 1; k >= 0; k-- {
			key, _, keyed := strings.Cut(parts[0][k], " ")
			same := true
			for _, p := range parts {
				same, keyed = same && p[k] == parts[0][k], keyed && strings.HasPrefix(p[k], key+" ")
			}
			for i, p := range parts {
				switch {
				case step == 0 && same && len(p) > 1:
					parts[i] = slices.Delete(p, k, k+1)
				case step == 1 && keyed:
					p[k] = p[k][strings.LastIndex(key, ".")+1:]
				case step == 2 && keyed:
					p[k] = p[k][len(key)+1:]
				}
			}
		}
		for _, p := range parts {
			labels = append(labels, strings.Join(p, between))
		}
	}
	return labels
}

// wrap breaks a text into lines of at most so much width, at spaces where that can be, else
// after a sign.
func wrap(s string, most vg.Length) string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(s) {
		if with := strings.TrimSpace(line + " " + word); width(with) <= most {
			line = with
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		for line = word; width(line) > most; {
			n := fitting(line, most)
			if at := strings.LastIndexAny(line[:n], "-._/"); at > 0 {
				n = at + 1
			}
			lines, line = append(lines, line[:n]), line[n:]
		}
	}
	return strings.Join(append(lines, line), "\n")
}

// fitting is how many bytes of a word, one letter at least, are no wider than most.
func fitting(word string, most vg.Length) int {
	end := 0
	for i, r := range word {
		n := i + len(string(r))
		if end > 0 && width(word[:n]) > most {
			break
		}
		end = n
	}
	return end
}

// write draws a text of some lines, aligned at a point and turned around it by an angle in radians.
func write(c vg.Canvas, s string, at vg.Point, x draw.XAlignment, y draw.YAlignment, rotation float64, ink color.Color) {
	face := handler().Fonts.Lookup(sans, size)
	e := face.Extents()
	c.SetColor(ink)
	if rotation != 0 {
		c.Push()
		defer c.Pop()
		c.Translate(at)
		c.Rotate(rotation)
		at = vg.Point{}
	}
	lines := strings.Split(s, "\n")
	top := at.Y + leading()*vg.Length(len(lines))*(1+vg.Length(y))
	for i, line := range lines {
		if line != "" {
			c.FillString(face, vg.Point{X: at.X + vg.Length(x)*face.Width(line), Y: top - e.Ascent - leading()*vg.Length(i)}, line)
		}
	}
}
