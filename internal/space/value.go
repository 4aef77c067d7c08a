package space

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"pimflow/internal/fault"
)

// Value is one value of an axis, or a range of them.
type Value struct {
	Text  string // "" for a range
	Range *Range
	Line  int
}

// Range is numbers from one to another: each is the one before plus Step, or times Factor.
type Range struct {
	From, To string // decimal numbers
	Step     string // "" where there is a Factor
	Factor   string
}

var (
	decimal = regexp.MustCompile(`^-?[0-9]{1,30}(\.[0-9]{1,30})?([eE][-+]?[0-9]{1,2})?$`)
	ranged  = regexp.MustCompile(`^(-?[0-9]+(?:\.[0-9]+)?)\.\.(-?[0-9]+(?:\.[0-9]+)?)(?:([/x])([0-9]+(?:\.[0-9]+)?))?$`)
)

// ParseValues reads the values of a flag: a list with commas, in which a range is 2..16, 2..16/2 with a step or 1..64x2 with a
// factor.
func ParseValues(text string) (list []Value, err error) {
	for _, t := range strings.Split(text, ",") {
		v := Value{Text: t}
		if m := ranged.FindStringSubmatch(t); m != nil {
			r := &Range{From: m[1], To: m[2], Step: "1"}
			switch m[3] {
			case "/":
				r.Step = m[4]
			case "x":
				r.Step, r.Factor = "", m[4]
			}
			v = Value{Range: r}
		}
		if t == "" {
			return nil, fault.Usagef("%.80q: values with commas between them wanted, as 8,16 or 2..16/2", text)
		}
		list = append(list, v)
	}
	return list, nil
}

// String is the value as a flag has it.
func (v Value) String() string {
	switch r := v.Range; {
	case r == nil:
		return v.Text
	case r.Factor != "":
		return r.From + ".." + r.To + "x" + r.Factor
	case r.Step != "1":
		return r.From + ".." + r.To + "/" + r.Step
	default:
		return r.From + ".." + r.To
	}
}

// maxValues bounds the values of an axis. Estimated: a million points of one.
const maxValues = 1 << 20

// parse reads the numbers of a range: the first and the last, and the step or the factor.
func (r *Range) parse() (from, to, grow *big.Rat, err error) {
	number := func(text string) (x *big.Rat) {
		if !decimal.MatchString(text) {
			err = fmt.Errorf("%.80q: a decimal number wanted", text)
			return new(big.Rat)
		}
		x, _ = new(big.Rat).SetString(text)
		return x
	}
	from, to, grow = number(r.From), number(r.To), number(r.Step+r.Factor)
	switch {
	case err != nil:
	case from.Cmp(to) > 0:
		err = fmt.Errorf("from %s to %s: the larger last wanted", r.From, r.To)
	case r.Factor != "" && (grow.Cmp(big.NewRat(1, 1)) <= 0 || from.Sign() <= 0):
		err = fmt.Errorf("from %s, factor %s: a first value above 0 and a factor above 1 wanted", r.From, r.Factor)
	case r.Factor == "" && grow.Sign() <= 0:
		err = fmt.Errorf("step %s: more than 0 wanted", r.Step)
	case r.Factor == "" && between(from, to, grow).Cmp(big.NewRat(maxValues, 1)) >= 0:
		err = errMany
	}
	return from, to, grow, err
}

// between is how many times a number fits between two.
func between(from, to, step *big.Rat) *big.Rat {
	return new(big.Rat).Quo(new(big.Rat).Sub(to, from), step)
}

// size counts the values of a range, which are not written out where steps are equal.
func (r *Range) size() (int, error) {
	from, to, grow, err := r.parse()
	switch {
	case err != nil:
		return 0, err
	case r.Factor != "":
		list, err := r.list()
		return len(list), err
	}
	n := between(from, to, grow)
	return 1 + int(new(big.Int).Quo(n.Num(), n.Denom()).Int64()), nil
}

// list writes out a range.
func (r *Range) list() (texts []string, err error) {
	from, to, grow, err := r.parse()
	if err != nil {
		return nil, err
	}
	next := func(x *big.Rat) *big.Rat { return x.Add(x, grow) }
	if r.Factor != "" {
		next = func(x *big.Rat) *big.Rat { return x.Mul(x, grow) }
	}
	for x := new(big.Rat).Set(from); x.Cmp(to) <= 0; x = next(x) {
		if len(texts) == maxFactors && r.Factor != "" { // digits grow with each
			return nil, errMany
		}
		texts = append(texts, textOf(x))
	}
	return texts, nil
}

// maxFactors bounds the values of a range with a factor. Estimated.
const maxFactors = 1000

var errMany = errors.New("more values than an axis may have: a larger step wanted")

// textOf is a number as strconv writes it; a whole one has all its digits.
func textOf(x *big.Rat) string {
	if x.IsInt() {
		return x.Num().String()
	}
	f, _ := x.Float64()
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// size counts the values of an axis.
func (s *Spec) size(a *Axis) (n int, err error) {
	for _, v := range a.Values {
		one := 1
		if v.Range != nil {
			if one, err = v.Range.size(); err != nil {
				return 0, s.errorf(v.Line, a.Name, "%s: %v", v, err)
			}
		}
		n += one
	}
	switch {
	case n == 0:
		return 0, s.errorf(a.Line, a.Name, "no value: a list wanted")
	case n > maxValues:
		return 0, s.errorf(a.Line, a.Name, "%d values: at most %d wanted", n, maxValues)
	}
	return n, nil
}

// expand writes out the values of an axis. No value may be there twice.
func (s *Spec) expand(a *Axis) (list []string, lines []int, err error) {
	seen := map[string]bool{}
	for _, v := range a.Values {
		texts := []string{v.Text}
		if v.Range != nil {
			if texts, err = v.Range.list(); err != nil {
				return nil, nil, s.errorf(v.Line, a.Name, "%s: %v", v, err)
			}
		}
		for _, text := range texts {
			same := text // of a range as textOf writes it
			if v.Range == nil {
				same = canonical(text)
			}
			if seen[same] {
				return nil, nil, s.errorf(v.Line, a.Name, "%.80q is there twice", text)
			}
			seen[same] = true
			list, lines = append(list, text), append(lines, v.Line)
		}
	}
	return list, lines, nil
}

// canonical is a number as textOf writes it, any other text as it is.
func canonical(text string) string {
	if !decimal.MatchString(text) {
		return text
	}
	x, _ := new(big.Rat).SetString(text)
	return textOf(x)
}

// numbers reports whether texts are numbers as strconv.FormatFloat(x, 'g', -1, 64) writes them.
func numbers(list []string) bool {
	return !slices.ContainsFunc(list, func(t string) bool {
		x, err := strconv.ParseFloat(t, 64)
		return err != nil || strconv.FormatFloat(x, 'g', -1, 64) != t || !decimal.MatchString(t)
	})
}
