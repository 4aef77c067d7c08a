package space

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"math"
	"strconv"
	"strings"
)

// The language of constraints is that of Go's expressions: + - * / % of numbers, == != < <= > >= of numbers, == != of texts
// and switches, && || ! of truths, parentheses, decimal numbers, texts in "", true and false. Names are keys of the machine and
// the flags of words. Numbers are float64. A quotient by 0, and its remainder, has no value.

// maxWhere bounds a constraint, in bytes: the parser follows parentheses one in another. Estimated.
const maxWhere = 4096

// A value of a constraint: a float64, a string or a bool.
type kind int

const (
	number kind = iota
	text
	truth
)

func (k kind) String() string { return [...]string{"a number", "a text", "a truth"}[k] }

type value struct {
	kind   kind
	number float64
	text   string
	truth  bool
}

// valueOf wraps a float64, a string or a bool.
func valueOf(x any) value {
	switch x := x.(type) {
	case float64:
		return value{kind: number, number: x}
	case bool:
		return value{kind: truth, truth: x}
	default:
		return value{kind: text, text: x.(string)}
	}
}

// term is a compiled expression. It has no value (not ok) where the machine refuses the point, or divides by 0.
type term func(at []int) (v value, ok bool)

// name finds what a name of a constraint stands for: its kind and its value at a point, as indexes of the values of the axes.
type lookup func(name string) (kind, term, error)

// parseWhere reads a constraint.
func parseWhere(src string) (ast.Expr, error) {
	if len(src) > maxWhere {
		return nil, fmt.Errorf("%d bytes: at most %d wanted", len(src), maxWhere)
	}
	e, err := parser.ParseExprFrom(token.NewFileSet(), "", src, 0)
	if list, ok := err.(scanner.ErrorList); ok && len(list) > 0 {
		return nil, fmt.Errorf("column %d: no constraint here: numbers and keys with + - * / %% < <= == != >= > && || ! and parentheses wanted", list[0].Pos.Column)
	}
	if e == nil && err == nil {
		return nil, fmt.Errorf("empty: a constraint wanted")
	}
	return e, err
}

// compile makes a term of a constraint.
func compile(src string, find lookup) (term, error) {
	e, err := parseWhere(src)
	if err != nil {
		return nil, err
	}
	c := compiler{find}
	k, t, err := c.term(e)
	if err == nil && k != truth {
		err = fmt.Errorf("%s: a comparison wanted, as pim.banks <= 16", k)
	}
	return t, err
}

type compiler struct{ find lookup }

func at(e ast.Expr, format string, a ...any) error {
	return fmt.Errorf("column %d: %s", int(e.Pos()), fmt.Sprintf(format, a...))
}

func (c *compiler) term(e ast.Expr) (kind, term, error) {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return c.term(e.X)
	case *ast.BasicLit:
		return literal(e)
	case *ast.Ident, *ast.SelectorExpr:
		name, ok := dotted(e)
		if !ok {
			break
		}
		if name == "true" || name == "false" {
			v := valueOf(name == "true")
			return truth, func([]int) (value, bool) { return v, true }, nil
		}
		k, t, err := c.find(name)
		if err != nil {
			err = at(e, "%v", err)
		}
		return k, t, err
	case *ast.UnaryExpr:
		return c.unary(e)
	case *ast.BinaryExpr:
		return c.binary(e)
	}
	return 0, nil, at(e, "only numbers, texts, keys, operators and parentheses have a meaning here")
}

// dotted is a key as Go's parser has it.
func dotted(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name, true
	case *ast.SelectorExpr:
		before, ok := dotted(e.X)
		return before + "." + e.Sel.Name, ok
	}
	return "", false
}

func literal(e *ast.BasicLit) (kind, term, error) {
	var v value
	switch e.Kind {
	case token.INT, token.FLOAT:
		if !decimal.MatchString(e.Value) {
			return 0, nil, at(e, "%.80q: a decimal number wanted", e.Value)
		}
		x, err := strconv.ParseFloat(e.Value, 64)
		if err != nil {
			return 0, nil, at(e, "%.80q: a decimal number wanted", e.Value)
		}
		v = valueOf(x)
	case token.STRING:
		s, err := strconv.Unquote(e.Value)
		if err != nil {
			return 0, nil, at(e, "%.80q: a text in quotes wanted", e.Value)
		}
		v = valueOf(s)
	default:
		return 0, nil, at(e, "%.80s: a number, or a text in double quotes, wanted", e.Value)
	}
	return v.kind, func([]int) (value, bool) { return v, true }, nil
}

func (c *compiler) unary(e *ast.UnaryExpr) (kind, term, error) {
	k, x, err := c.term(e.X)
	if err != nil {
		return 0, nil, err
	}
	switch {
	case e.Op == token.SUB && k == number:
		return k, func(at []int) (value, bool) {
			v, ok := x(at)
			v.number = -v.number
			return v, ok
		}, nil
	case e.Op == token.NOT && k == truth:
		return k, func(at []int) (value, bool) {
			v, ok := x(at)
			v.truth = !v.truth
			return v, ok
		}, nil
	}
	return 0, nil, at(e, "%s of %s: - of a number or ! of a truth wanted", e.Op, k)
}

// operators have the kinds of their sides and of what they make.
var operators = map[token.Token]struct {
	of  []kind
	out kind
	do  func(a, b value) value
}{
	token.ADD: {[]kind{number}, number, func(a, b value) value { return value{number: a.number + b.number} }},
	token.SUB: {[]kind{number}, number, func(a, b value) value { return value{number: a.number - b.number} }},
	token.MUL: {[]kind{number}, number, func(a, b value) value { return value{number: a.number * b.number} }},
	token.QUO: {[]kind{number}, number, func(a, b value) value { return value{number: a.number / b.number} }},
	token.REM: {[]kind{number}, number, func(a, b value) value { return value{number: math.Mod(a.number, b.number)} }},

	token.EQL:  {[]kind{number, text, truth}, truth, func(a, b value) value { return valueOf(a == b) }},
	token.NEQ:  {[]kind{number, text, truth}, truth, func(a, b value) value { return valueOf(a != b) }},
	token.LSS:  {[]kind{number}, truth, func(a, b value) value { return valueOf(a.number < b.number) }},
	token.LEQ:  {[]kind{number}, truth, func(a, b value) value { return valueOf(a.number <= b.number) }},
	token.GTR:  {[]kind{number}, truth, func(a, b value) value { return valueOf(a.number > b.number) }},
	token.GEQ:  {[]kind{number}, truth, func(a, b value) value { return valueOf(a.number >= b.number) }},
	token.LAND: {[]kind{truth}, truth, func(a, b value) value { return valueOf(a.truth && b.truth) }},
	token.LOR:  {[]kind{truth}, truth, func(a, b value) value { return valueOf(a.truth || b.truth) }},
}

func (c *compiler) binary(e *ast.BinaryExpr) (kind, term, error) {
	op, ok := operators[e.Op]
	if !ok {
		return 0, nil, at(e, "operator %s is not known: + - * / %% < <= == != >= > && || wanted", e.Op)
	}
	k, x, err := c.term(e.X)
	if err != nil {
		return 0, nil, err
	}
	other, y, err := c.term(e.Y)
	if err != nil {
		return 0, nil, err
	}
	fits := false
	var want []string
	for _, o := range op.of {
		fits = fits || o == k
		want = append(want, "two of "+strings.TrimPrefix(o.String(), "a ")+"s")
	}
	if !fits || k != other {
		return 0, nil, at(e, "%s %s %s: %s wanted", k, e.Op, other, strings.Join(want, ", "))
	}
	quotient := e.Op == token.QUO || e.Op == token.REM
	if quotient && isConstant(e.Y) {
		if v, ok := y(nil); !ok || v.number == 0 {
			return 0, nil, at(e.Y, "a quotient by 0: another divisor wanted")
		}
	}
	short := map[token.Token]bool{token.LAND: false, token.LOR: true} // the truth of the left side that decides
	return op.out, func(at []int) (value, bool) {
		a, ok := x(at)
		if !ok {
			return a, false
		}
		if decides, logic := short[e.Op]; logic && a.truth == decides {
			return a, true
		}
		b, ok := y(at)
		if !ok || quotient && b.number == 0 {
			return b, false
		}
		v := op.do(a, b)
		v.kind = op.out
		return v, true
	}, nil
}

// isConstant reports whether an expression has no names.
func isConstant(e ast.Expr) bool {
	constant := true
	ast.Inspect(e, func(n ast.Node) bool {
		if _, is := n.(*ast.Ident); is {
			constant = false
		}
		return constant
	})
	return constant
}
