package aimhost

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Loops is a text of lines with loops, as "8*i(AiM MAC_ABK 3 0x1 {i%2}) | AiM EOC". Items are
// separated by bars. An item is a line, or N*i(items): the items N times, with i = 0 to N-1.
// {…} is a whole number computed from the indices with + - * // % and parentheses; // and %
// round to minus infinity.
type Loops []loopItem

type loopItem struct {
	times int64 // if body is not nil
	body  Loops
	none  bool // the body has no line
	line  []loopPiece
}

// loopPiece is a text, followed by a number if value is not nil.
type loopPiece struct {
	text  string
	value expression
}

// expression is a number for the values of the indices, the outermost first.
type expression func(index []int64) (int64, error)

// maxLoops bounds the nesting of loops and of parentheses. Estimated.
const maxLoops = 64

// ParseLoops reads a text with loops. The error names the character, from 1.
func ParseLoops(text string) (Loops, error) {
	p := &loopParser{text: text}
	items, err := p.items()
	if err == nil && p.at < len(text) {
		err = errors.New("a ) without its (")
	}
	if err != nil {
		return nil, fmt.Errorf("character %d: %w", p.at+1, err)
	}
	return items, nil
}

// Lines calls f for each line in order until f returns an error, and returns that error.
func (l Loops) Lines(f func(line string) error) error { return l.lines(nil, f) }

func (l Loops) lines(index []int64, f func(string) error) error {
	var line []byte
	for _, it := range l {
		if it.none {
			continue
		}
		if it.body != nil {
			inner := append(index, 0)
			for i := range it.times {
				inner[len(inner)-1] = i
				if err := it.body.lines(inner, f); err != nil {
					return err
				}
			}
			continue
		}
		line = line[:0]
		for _, p := range it.line {
			line = append(line, p.text...)
			if p.value != nil {
				v, err := p.value(index)
				if err != nil {
					return err
				}
				line = strconv.AppendInt(line, v, 10)
			}
		}
		if err := f(string(line)); err != nil {
			return err
		}
	}
	return nil
}

// Count adds up of(line) over all lines, every iteration of the loops written out; the sum is at most the largest integer. The line that
// of gets has 0 in place of numbers that are computed from indices. Where of is nil, Count is the number of lines.
func (l Loops) Count(of func(line string) int64) int64 {
	total := int64(0)
	for _, it := range l {
		n := int64(1)
		switch {
		case it.body != nil:
			if n = it.body.Count(of); n > 0 && it.times > math.MaxInt64/n {
				return math.MaxInt64
			}
			n *= it.times
		case of != nil:
			var line strings.Builder
			for _, p := range it.line {
				line.WriteString(p.text)
				if p.value != nil {
					line.WriteByte('0')
				}
			}
			n = of(line.String())
		}
		if total += n; total < 0 {
			return math.MaxInt64
		}
	}
	return total
}

type loopParser struct {
	text  string
	at    int
	names []string // of the loops around
	depth int
}

func (p *loopParser) blanks() {
	for p.at < len(p.text) && p.text[p.at] == ' ' {
		p.at++
	}
}

// take skips blanks and then s; false: there is no s.
func (p *loopParser) take(s string) bool {
	p.blanks()
	if !strings.HasPrefix(p.text[p.at:], s) {
		return false
	}
	p.at += len(s)
	return true
}

func (p *loopParser) items() (Loops, error) {
	var l Loops
	for {
		it, err := p.item()
		if err != nil {
			return nil, err
		}
		l = append(l, it)
		if !p.take("|") {
			return l, nil
		}
	}
}

func (p *loopParser) item() (loopItem, error) {
	p.blanks()
	from := p.at
	begin := loopBegin.FindStringSubmatch(p.text[p.at:])
	if begin == nil {
		return p.line()
	}
	number, name := strings.TrimRight(begin[1], " "), strings.Trim(begin[2], " ")
	times, err := strconv.ParseInt(number, 10, 64)
	if strings.Trim(number, "0123456789") != "" || err != nil {
		return loopItem{}, fmt.Errorf("count %.80q of a loop: a whole number of 0 to %d wanted", number, int64(math.MaxInt64))
	}
	if name == "" || '0' <= name[0] && name[0] <= '9' || strings.ContainsFunc(name, func(r rune) bool { return r > 127 || !wordByte(byte(r)) }) {
		return loopItem{}, fmt.Errorf("name %.80q of a loop: a letter wanted, then letters, digits and _", name)
	}
	p.at += len(begin[0])
	if len(p.names) == maxLoops {
		p.at = from
		return loopItem{}, fmt.Errorf("over %d loops in each other", maxLoops)
	}
	p.names = append(p.names, name)
	body, err := p.items()
	if err != nil {
		return loopItem{}, err
	}
	if !p.take(")") {
		return loopItem{}, fmt.Errorf("a ) wanted, the end of loop %s", name)
	}
	p.names = p.names[:len(p.names)-1]
	return loopItem{times: times, body: body, none: times == 0 || body.Count(nil) == 0}, nil
}

// loopBegin is the beginning of a loop, with what stands for its count and its name. No line has * and ( outside of {…}.
var loopBegin = regexp.MustCompile(`^([^|(){}*]*)\*([^|(){}*]*)\(`)

func (p *loopParser) line() (loopItem, error) {
	var it loopItem
	for p.at < len(p.text) {
		n := strings.IndexAny(p.text[p.at:], "|{)")
		if n < 0 {
			n = len(p.text) - p.at
		}
		text := p.text[p.at : p.at+n]
		p.at += n
		if !p.starts("{") {
			it.line = append(it.line, loopPiece{text: strings.TrimRight(text, " ")})
			break
		}
		p.at++
		v, err := p.sum()
		if err != nil {
			return it, err
		}
		if !p.take("}") {
			return it, errors.New("a } wanted")
		}
		it.line = append(it.line, loopPiece{text, v})
	}
	if len(it.line) == 0 || len(it.line) == 1 && it.line[0].text == "" && it.line[0].value == nil {
		return it, errors.New("a line or a loop wanted")
	}
	return it, nil
}

func (p *loopParser) starts(s string) bool { return strings.HasPrefix(p.text[p.at:], s) }

// The operators of a sum and of a product, the longer first.
var (
	sumOperators     = []string{"+", "-"}
	productOperators = []string{"//", "*", "%"}
)

func (p *loopParser) sum() (expression, error) { return p.chain(sumOperators, p.product) }

func (p *loopParser) product() (expression, error) { return p.chain(productOperators, p.factor) }

func (p *loopParser) chain(operators []string, part func() (expression, error)) (expression, error) {
	all, err := part()
	if err != nil {
		return nil, err
	}
next:
	for _, o := range operators {
		if p.take(o) {
			place := p.at + 1 - len(o)
			b, err := part()
			if err != nil {
				return nil, err
			}
			a := all
			all = func(index []int64) (int64, error) {
				x, err := a(index)
				if err != nil {
					return 0, err
				}
				y, err := b(index)
				if err != nil {
					return 0, err
				}
				z, err := calculate(x, o, y)
				if err != nil {
					err = fmt.Errorf("character %d: %w", place, err)
				}
				return z, err
			}
			goto next
		}
	}
	return all, nil
}

func calculate(x int64, operator string, y int64) (int64, error) {
	if (operator == "//" || operator == "%") && y == 0 {
		return 0, fmt.Errorf("%d%s0: division by zero", x, operator)
	}
	const large = 1 << 31
	if x < -large || x > large || y < -large || y > large {
		return 0, fmt.Errorf("%d %s %d: numbers of up to %d wanted", x, operator, y, large)
	}
	switch operator {
	case "+":
		return x + y, nil
	case "-":
		return x - y, nil
	case "*":
		return x * y, nil
	}
	div, mod := x/y, x%y
	if mod != 0 && (mod < 0) != (y < 0) {
		div, mod = div-1, mod+y
	}
	if operator == "%" {
		return mod, nil
	}
	return div, nil
}

// factor is a number, an index, a sum in parentheses, or the negative of a factor.
func (p *loopParser) factor() (expression, error) {
	if p.depth == maxLoops {
		return nil, fmt.Errorf("over %d parentheses and signs in each other", maxLoops)
	}
	p.depth++
	defer func() { p.depth-- }()
	if p.take("(") {
		v, err := p.sum()
		if err == nil && !p.take(")") {
			err = errors.New("a ) wanted")
		}
		return v, err
	}
	if p.take("-") {
		v, err := p.factor()
		return func(index []int64) (int64, error) {
			x, err := v(index)
			return -x, err
		}, err
	}
	from := p.at
	word := p.word()
	for i := len(p.names) - 1; i >= 0; i-- {
		if p.names[i] == word {
			return func(index []int64) (int64, error) { return index[i], nil }, nil
		}
	}
	v, err := number(word)
	if err != nil {
		p.at = from
		if len(p.names) == 0 {
			return nil, fmt.Errorf("%.80q is no number, and no loop is around", word)
		}
		return nil, fmt.Errorf("%.80q is neither a number nor an index of the loops around: %.80s", word, strings.Join(p.names, ", "))
	}
	return func([]int64) (int64, error) { return v, nil }, nil
}

// word takes letters, digits and underscores.
func (p *loopParser) word() string {
	from := p.at
	for p.at < len(p.text) && wordByte(p.text[p.at]) {
		p.at++
	}
	return p.text[from:p.at]
}

func wordByte(b byte) bool {
	return b == '_' || '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}
