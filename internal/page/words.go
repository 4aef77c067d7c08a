package page

import (
	"fmt"
	"math"
	"strings"

	"pimflow"

	"pimflow/internal/usage"
)

type (
	network = usage.Network
	powers  = usage.Power
)

// Spaces that keep a number and its unit on a line.
const (
	space = "\u00a0" // before units
	thin  = "\u202f" // before %, and between thousands
	times = "×"
)

// number is a number with so many decimals, a real minus sign and its thousands apart; no −0.
func number(x float64, decimals int) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return "–"
	}
	s := fmt.Sprintf("%.*f", decimals, math.Abs(x))
	whole, rest, _ := strings.Cut(s, ".")
	if len(whole) > 4 {
		for i := len(whole) - 3; i > 0; i -= 3 {
			whole = whole[:i] + thin + whole[i:]
		}
	}
	if rest != "" {
		whole += "." + rest
	}
	if x < 0 && strings.Trim(s, "0.") != "" {
		whole = "−" + whole
	}
	return whole
}

// headline is microseconds without a digit, or with as many as three figures need.
func headline(ns float64) string {
	switch us := math.Abs(ns) / 1e3; {
	case us < 10:
		return number(ns/1e3, 2)
	case us < 100:
		return number(ns/1e3, 1)
	}
	return number(ns/1e3, 0)
}

func us(ns float64) string { return number(ns/1e3, 1) }

// saying is microseconds with their sign.
func saying(ns float64) string {
	if s := us(ns); ns <= 0 || strings.Trim(s, "0.") == "" {
		return s
	}
	return "+" + us(ns)
}

// millijoule is an energy with three figures.
func millijoule(pj float64) string {
	switch mj := math.Abs(pj) / 1e9; {
	case mj < 1:
		return number(pj/1e9, 3)
	case mj < 10:
		return number(pj/1e9, 2)
	}
	return number(pj/1e9, 1)
}

// part is a part of an energy.
func part(pj float64) string {
	mj := pj / 1e9
	switch {
	case pj == 0:
		return "–"
	case mj < 0.0005:
		return "<0.001"
	case mj < 1:
		return number(mj, 3)
	}
	return number(mj, 2)
}

// few is a number with two figures at least.
func few(x float64) string {
	switch x = math.Abs(x); {
	case x == 0 || x >= 10:
		return number(x, 0)
	case x >= 1:
		return number(x, 1)
	}
	return number(x, 2)
}

func percent(x float64) string { return number(100*x, 0) + thin + "%" }

func ratio(x float64) string { return number(x, 2) + times }

// si is a number with a prefix of its unit, as "21 T".
func si(x float64) string {
	for _, p := range []struct {
		of   float64
		name string
	}{{1e15, "P"}, {1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if x >= p.of {
			digits := 0
			if y := x / p.of; y < 9.95 && math.Abs(y-math.Round(y)) > 0.05 {
				digits = 1
			}
			return number(x/p.of, digits) + space + p.name
		}
	}
	return number(x, 0)
}

// more says how a ratio of energies differs from 1: "35 % less".
func more(r float64) string {
	switch p := math.Round(100 * (r - 1)); {
	case p < 0:
		return number(-p, 0) + thin + "% less"
	case p > 0:
		return number(p, 0) + thin + "% more"
	}
	return "no change"
}

// plural is a number with a noun.
func plural(n int, noun string) string {
	if n != 1 && strings.HasSuffix(noun, "ch") {
		noun += "es"
	} else if n != 1 {
		noun += "s"
	}
	return number(float64(n), 0) + space + noun
}

func quotient(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// names shortens the names of layers by what all begin with.
type names struct{ common string }

// separators end a part of a name.
const separators = "./:_"

// newNames finds what all names begin with, up to a separator.
func newNames(list []pimflow.Layer) (n names) {
	if len(list) < 2 {
		return n
	}
	n.common = list[0].Name
	for _, l := range list[1:] {
		for !strings.HasPrefix(l.Name, n.common) {
			n.common = n.common[:len(n.common)-1]
		}
	}
	n.common = n.common[:strings.LastIndexAny(n.common, separators)+1]
	return n
}

// short is a name without what all begin with.
func (n names) short(name string) string { return strings.TrimPrefix(name, n.common) }

// block is the part of a name up to its first number: "features.12" of "features.12.conv.0", "/model.0" of "/model.0/conv/Conv"; without a
// number the name up to its first separator.
func block(name string) string {
	digits := strings.IndexAny(name, "0123456789")
	if digits < 0 {
		if i := strings.IndexAny(strings.TrimLeft(name, separators), separators); i > 0 {
			return name[:len(name)-len(strings.TrimLeft(name, separators))+i]
		}
		return name
	}
	end := digits
	for end < len(name) && name[end] >= '0' && name[end] <= '9' {
		end++
	}
	return name[:end]
}

// tag is the label of a block: the last part of its name, which is a number in most networks.
func tag(block string) string {
	if i := strings.LastIndexAny(block, separators); i >= 0 && i+1 < len(block) {
		block = block[i+1:]
	}
	return cut(block, 8)
}

// cut shortens a text to so many letters.
func cut(s string, most int) string {
	r := []rune(s)
	if len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}
