package figure

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot/vg"
)

// tick is a place on an axis and its text; "": a small one.
type tick struct {
	at   float64
	text string
}

// norm is where a number is on the axis: 0 at its low end, 1 at its high end.
func (a *Axis) norm(v float64) float64 {
	if a.Log {
		return (math.Log(v) - math.Log(a.Low)) / (math.Log(a.High) - math.Log(a.Low))
	}
	return (v - a.Low) / (a.High - a.Low)
}

// numbers returns ticks of an axis of numbers whose texts keep apart on so much length: as many as fit. Along an axis
// that is upright, a text takes a line.
func (a *Axis) numbers(length vg.Length, upright bool) []tick {
	if a.At != nil {
		return a.thin(a.At, length, upright)
	}
	if a.Log {
		return a.decades(length, upright)
	}
	for n := 8; n > 2; n-- {
		ticks := round(a.Low, a.High, n)
		if len(ticks) > 1 && a.apart(ticks, length, upright) {
			return ticks
		}
	}
	return a.thin([]float64{a.Low, a.High}, length, upright)
}

// round returns at most n+1 round numbers from low to high: steps of 1, 2 or 5 times a power of ten.
//
// In the literature: P. Heckbert, "Nice numbers for graph labels", Graphics Gems (1990).
func round(low, high float64, n int) []tick {
	rough := (high - low) / float64(n)
	exp := math.Floor(math.Log10(rough))
	step := 0.0
	for _, m := range []float64{1, 2, 5, 10} {
		if step = m * math.Pow(10, exp); step >= rough*(1-1e-9) {
			break
		}
	}
	var list []tick
	for k := math.Ceil(low/step-1e-6) + 0; k*step <= high+1e-6*step; k++ { // + 0: not -0
		list = append(list, tick{k * step, ""})
	}
	for i := range list {
		list[i].text = number(list[i].at, step)
	}
	return list
}

// number is a multiple of a step with as many places as the step has, or with an exponent where that is long.
func number(v, step float64) string {
	places := -magnitude(step)
	if a := math.Abs(v); a != 0 && (a >= 1e6 || a < 1e-4 && places > 5) {
		return exponent(v, max(0, magnitude(v)+places))
	}
	return strconv.FormatFloat(v, 'f', max(0, places), 64)
}

// magnitude is the exponent of a number's first digit.
func magnitude(v float64) int { return int(math.Floor(math.Log10(math.Abs(v)) + 1e-9)) }

// exponent is a number with so many digits after the first, and a short exponent, as 1.5e6.
func exponent(v float64, digits int) string {
	s := strconv.FormatFloat(v, 'e', digits, 64)
	mantissa, e, _ := strings.Cut(s, "e")
	return mantissa + "e" + strings.TrimPrefix(strings.TrimSuffix(e[:1], "+")+strings.TrimLeft(e[1:], "0"), "+")
}

// three is a number in three digits, or in those before its point if these are more.
func three(v float64) string {
	if a := math.Abs(v); a != 0 && (a < 1e-4 || a >= 1e6) {
		return exponent(v, 2)
	}
	if v == 0 {
		return "0"
	}
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'e', 2, 64), 64) // 0.9999 is 1.00
	return strconv.FormatFloat(v, 'f', max(0, 2-magnitude(rounded)), 64)
}

// brief is a number in at most three digits, or in those before its point if these are more.
func brief(v float64) string {
	s, end, long := strings.Cut(three(v), "e")
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	if long {
		s += "e" + end
	}
	return s
}

// decades returns ticks at powers of ten with texts, and the other multiples of them without; if there are few powers,
// 2 and 5 times them have texts too.
func (a *Axis) decades(length vg.Length, upright bool) []tick {
	first, last := math.Floor(math.Log10(a.Low)), math.Ceil(math.Log10(a.High))
	make := func(named ...float64) (list []tick) {
		for e := first; e <= last; e++ {
			for m := 1.0; m < 10; m++ {
				v := m * math.Pow(10, e)
				if v < a.Low*(1-1e-9) || v > a.High*(1+1e-9) {
					continue
				}
				t := tick{v, ""}
				if slices.Contains(named, m) {
					t.text = brief(v)
				}
				list = append(list, t)
			}
		}
		return list
	}
	named := func(list []tick) (n int) {
		for _, t := range list {
			if t.text != "" {
				n++
			}
		}
		return n
	}
	for _, m := range [][]float64{{1, 2, 5}, {1, 3}, {1}} {
		if list := make(m...); named(list) > 1 && a.apart(list, length, upright) {
			return list
		}
	}
	if last-first > 60 { // no room for small ticks either
		return a.thin([]float64{a.Low, a.High}, length, upright)
	}
	var powers []float64
	for e := first; e <= last; e++ {
		if v := math.Pow(10, e); v >= a.Low*(1-1e-9) && v <= a.High*(1+1e-9) {
			powers = append(powers, v)
		}
	}
	if len(powers) < 2 {
		powers = []float64{a.Low, a.High}
	}
	return a.thin(powers, length, upright)
}

// thin gives texts to every place, every second, every third and so on, until they keep apart.
func (a *Axis) thin(at []float64, length vg.Length, upright bool) []tick {
	for every := 1; ; every++ {
		var list []tick
		for i, v := range at {
			t := tick{v, ""}
			if i%every == 0 {
				t.text = brief(v)
			}
			list = append(list, t)
		}
		if every >= len(at) || a.apart(list, length, upright) {
			return list
		}
	}
}

// apart reports whether the texts of ticks keep apart on so much length.
func (a *Axis) apart(ticks []tick, length vg.Length, upright bool) bool {
	const space = 4
	end := vg.Length(math.Inf(-1))
	for _, t := range ticks {
		if t.text == "" {
			continue
		}
		half := leading() / 2
		if !upright {
			half = width(t.text) / 2
		}
		at := vg.Length(a.norm(t.at)) * length
		if at-half < end+space/(1+leading()/8) {
			return false
		}
		end = at + half
	}
	return true
}

// empty is an axis of no numbers yet.
func empty(label string) Axis { return Axis{Label: label, Low: math.Inf(1), High: math.Inf(-1)} }

// categories ends the axis of so many bars, which take no more than a third of it each.
func (a *Axis) categories(n int) {
	room := max(0, float64(3-n)/2)
	a.Low, a.High = -0.5-room, float64(n)-0.5+room
}

// including widens the axis so that numbers are within it.
func (a *Axis) including(numbers ...float64) {
	for _, v := range numbers {
		a.Low, a.High = min(a.Low, v), max(a.High, v)
	}
}

// wide is the quotient of largest and smallest from which an axis that need not begin at 0 is logarithmic. Estimated.
const wide = 50

// settle ends an axis at whole ticks or, if all is above 0 and the range is wide, makes it logarithmic. Room is left
// at the ends that are not 0.
func (a *Axis) settle(zero bool) {
	switch {
	case a.Low > a.High: // of nothing
		a.Low, a.High = 0, 1
	case !zero && a.Low > 0 && (a.Log || a.High/a.Low > wide):
		a.Log = true
		room := max(math.Exp(0.05*(math.Log(a.High)-math.Log(a.Low))), 1.1)
		a.Low, a.High = a.Low/room, a.High*room
	default:
		if zero {
			a.including(0)
		}
		if a.High-a.Low <= 1e-9*max(math.Abs(a.High), math.Abs(a.Low)) { // all the same
			d := max(math.Abs(a.High), 1) / 2
			a.Low, a.High = a.Low-d, a.High+d
		}
		room := (a.High - a.Low) * 0.06
		if a.Low != 0 || !zero {
			a.Low -= room
		}
		if a.High != 0 || !zero {
			a.High += room
		}
	}
}
