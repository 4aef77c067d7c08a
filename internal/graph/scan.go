package graph

import (
	"fmt"
	"strconv"
	"strings"
)

// parser holds the rest of the line being read.
type parser struct {
	b    *Builder // nil before the first line
	ids  map[string]ID
	rest string
}

// ref reads %12, the number of a node before this one.
func (p *parser) ref() (ID, error) {
	word := p.word()
	id, ok := p.ids[word]
	if !ok {
		return 0, fmt.Errorf("%.80q: a node before this one wanted, as %%1", word)
	}
	return id, nil
}

// word reads up to a space or a delimiter.
func (p *parser) word() string {
	p.space()
	n := strings.IndexAny(p.rest, " \t(){}[],=\"")
	if n < 0 {
		n = len(p.rest)
	}
	w := p.rest[:n]
	p.rest = p.rest[n:]
	return w
}

func (p *parser) space() { p.rest = strings.TrimLeft(p.rest, " \t") }

// take reads token where it is next.
func (p *parser) take(token string) bool {
	p.space()
	rest, ok := strings.CutPrefix(p.rest, token)
	if ok {
		p.rest = rest
	}
	return ok
}

func (p *parser) expect(token string) error {
	if !p.take(token) {
		return fmt.Errorf("%.80q wanted at %.80q", token, p.near())
	}
	return nil
}

// near is the start of the rest of the line, for an error.
func (p *parser) near() string {
	const most = 20
	r := []rune(p.rest[:min(len(p.rest), 4*most)])
	if len(r) > most {
		return string(r[:most]) + "…"
	}
	return string(r)
}

func (p *parser) quoted() (string, error) {
	p.space()
	q, err := strconv.QuotedPrefix(p.rest)
	if err != nil || q[0] != '"' {
		return "", fmt.Errorf("a quoted name wanted at %.80q", p.near())
	}
	p.rest = p.rest[len(q):]
	return strconv.Unquote(q)
}

func (p *parser) end() error {
	p.space()
	if p.rest != "" {
		return fmt.Errorf("the end of the line wanted at %.80q", p.near())
	}
	return nil
}

func parseInt(word string) (int64, error) {
	v, err := strconv.ParseInt(word, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%.80q: an integer wanted", word)
	}
	return v, nil
}

func parseFloat(word string) (float32, error) {
	v, err := strconv.ParseFloat(word, 32)
	if err != nil {
		return 0, fmt.Errorf("%.80q: a float32 wanted", word)
	}
	return float32(v), nil
}

// list reads [1 2 3].
func list[T any](p *parser, one func(string) (T, error)) ([]T, error) {
	if err := p.expect("["); err != nil {
		return nil, err
	}
	v := []T{}
	for !p.take("]") {
		x, err := one(p.word())
		if err != nil {
			return nil, err
		}
		v = append(v, x)
	}
	return v, nil
}
