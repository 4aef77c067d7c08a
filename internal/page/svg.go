package page

import (
	"fmt"
	"html"
	"html/template"
	"strconv"
	"strings"
)

// canvas builds HTML and SVG. Text is escaped by text; formats have numbers and words of this package alone.
type canvas struct{ strings.Builder }

func (c *canvas) put(format string, a ...any) { fmt.Fprintf(&c.Builder, format, a...) }

// html is what was built.
func (c *canvas) html() template.HTML { return template.HTML(c.String()) }

// esc escapes a text that is not of this package.
func esc(s string) string { return html.EscapeString(s) }

// f is a coordinate with at most two decimals.
func f(x float64) string {
	s := strconv.FormatFloat(x, 'f', 2, 64)
	s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	if s == "-0" || s == "" {
		return "0"
	}
	return s
}

// pc is a share as a percentage.
func pc(share float64) string { return f(100*min(max(share, 0), 1)) + "%" }

// anchored places a text at a share of a width, so that it stays within: the text's middle is there, or its start or end near the edges.
func anchored(share float64) (style string) {
	switch {
	case share < 0.08:
		return "left:" + pc(share)
	case share > 0.92:
		return "right:" + pc(1-share)
	}
	return "left:" + pc(share) + ";transform:translateX(-50%)"
}

// ticks are round numbers from 0 to at most a largest, some five of them.
func ticks(largest float64) (list []float64) {
	if !(largest > 1e-300) {
		return []float64{0}
	}
	step := 1.0
	for step*5 > largest {
		step /= 10
	}
	for step*5*10 <= largest {
		step *= 10
	}
	for _, k := range []float64{1, 2, 5, 10} {
		if largest/(step*k) <= 6 {
			step *= k
			break
		}
	}
	for i := 0; float64(i)*step <= largest*(1+1e-9); i++ {
		list = append(list, float64(i)*step)
	}
	return list
}
