package space

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"pimflow/internal/nearest"
)

// maxDepth bounds the brackets, and on a line the dashes and colons, that are open at once. Estimated: a spec has four.
const maxDepth = 16

// Parse reads a spec as YAML. Errors are one line, "name:line: models: …".
func Parse(name string, data []byte) (*Spec, error) {
	d := &reader{file: name}
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // editors write it
	if err := d.sane(data); err != nil {
		return nil, err
	}
	f, err := parsed(data)
	if err != nil {
		return nil, d.foreign(err)
	}
	if len(f.Docs) != 1 || f.Docs[0].Body == nil {
		return nil, fmt.Errorf("%s: %d YAML documents: one with models wanted", name, len(f.Docs))
	}
	s := &Spec{File: name}
	return s, d.mapping(f.Docs[0].Body, "the spec", func(key string, line int, v ast.Node) error {
		part, ok := parts[key]
		if !ok {
			return d.errorf(line, "%.80q is not known%s: %s wanted", key, nearest.Hint(key, partNames()), strings.Join(partNames(), ", "))
		}
		return part(d, s, key, line, v)
	})
}

// parsed is the library's parser, whose panics at broken files are errors.
func parsed(data []byte) (f *ast.File, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("not YAML") // the panic has words of the library
		}
	}()
	return parser.ParseBytes(data, 0)
}

// reader reads the nodes of a file.
type reader struct{ file string }

func (d *reader) errorf(line int, format string, a ...any) error {
	return fmt.Errorf("%s:%d: %w", d.file, line, fmt.Errorf(format, a...))
}

// yamlForm is what a spec is written in.
const yamlForm = `lines as "batches: [1, 16]", brackets and quotes with their ends, and no tabs before a key`

// foreign is an error of the library as one line, in words.
func (d *reader) foreign(err error) error {
	var at yaml.Error
	if errors.As(err, &at) && at.GetToken() != nil {
		if key, twice := strings.CutPrefix(at.GetMessage(), "mapping key "); twice {
			name, _, _ := strings.Cut(key, " already")
			return d.errorf(at.GetToken().Position.Line, "%.80s is there twice", name)
		}
		return d.errorf(at.GetToken().Position.Line, "not YAML, here or before: %s wanted", yamlForm)
	}
	return fmt.Errorf("%s: not YAML: %s wanted", d.file, yamlForm)
}

// sane refuses what the library does not read in a short time: it follows what is open one in another.
func (d *reader) sane(data []byte) error {
	if !utf8.Valid(data) {
		return fmt.Errorf("%s: text in UTF-8 wanted", d.file)
	}
	depth, chain, line := 0, 0, 0
	for _, t := range lexer.Tokenize(string(data)) {
		at := t.Position
		if at.Line != line || t.Type == token.CollectEntryType {
			line, chain = at.Line, 0
		}
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			depth, chain = depth+1, 0
		case token.SequenceEndType, token.MappingEndType:
			depth--
		case token.SequenceEntryType, token.MappingKeyType, token.MappingValueType:
			if chain++; depth == 0 && at.Column > 4*maxDepth {
				chain = maxDepth + 1
			}
		case token.AnchorType, token.AliasType, token.TagType, token.MergeKeyType, token.DirectiveType:
			return d.errorf(at.Line, "%.80q: plain keys and values wanted", t.Value)
		default:
			continue
		}
		if depth > maxDepth || chain > maxDepth {
			return d.errorf(at.Line, "%.80q is too deep within others: %d levels at most wanted", t.Value, maxDepth)
		}
	}
	return nil
}

// parts reads the keys of a spec.
var parts map[string]func(d *reader, s *Spec, key string, line int, v ast.Node) error

func init() {
	parts = map[string]func(d *reader, s *Spec, key string, line int, v ast.Node) error{
		"overrides": (*reader).overrides, "zip": (*reader).zip, "where": (*reader).where, "sample": (*reader).sample,
		"effort": func(d *reader, s *Spec, key string, _ int, v ast.Node) (err error) {
			s.Effort, err = d.text(v, key)
			return err
		},
		"search": func(d *reader, s *Spec, key string, _ int, v ast.Node) (err error) {
			s.Search, err = d.text(v, key)
			return err
		},
	}
	parts["anchors"] = func(d *reader, s *Spec, key string, line int, v ast.Node) error {
		t, err := d.text(v, key)
		if err == nil {
			s.Anchors = Count{Line: t.Line}
			if s.Anchors.N, err = strconv.Atoi(t.Text); err != nil || s.Anchors.N < 1 {
				err = d.errorf(t.Line, "anchors: %.80q: a whole number of 1 to %d wanted", t.Text, maxAnchors)
			}
		}
		return err
	}
	for _, w := range words {
		parts[w.name] = (*reader).axis
	}
}

// partNames lists the keys of a spec in the order of Print.
func partNames() []string {
	names, _ := Names()
	return append(names, "overrides", "zip", "where", "sample", "effort", "search", "anchors")
}

func (d *reader) axis(s *Spec, key string, line int, v ast.Node) error {
	list, err := d.values(v, key)
	s.Axes = append(s.Axes, Axis{key, list, line})
	return err
}

func (d *reader) overrides(s *Spec, key string, line int, v ast.Node) error {
	return d.mapping(v, key, func(key string, line int, v ast.Node) error {
		if !strings.Contains(key, ".") {
			return d.errorf(line, "overrides: %.80q: a key of the machine wanted, as memory.pim_channels", key)
		}
		return d.axis(s, key, line, v)
	})
}

func (d *reader) zip(s *Spec, key string, line int, v ast.Node) error {
	return d.sequence(v, key, "lists of names of axes", func(v ast.Node) error {
		g := Group{Line: lineOf(v)}
		err := d.sequence(v, key, "a list of names of axes", func(v ast.Node) error {
			t, err := d.text(v, key)
			g.Axes = append(g.Axes, t.Text)
			return err
		})
		s.Zip = append(s.Zip, g)
		return err
	})
}

func (d *reader) where(s *Spec, key string, line int, v ast.Node) error {
	return d.sequence(v, key, `a list of constraints, as ["pim.banks <= 16"],`, func(v ast.Node) error {
		t, err := d.text(v, key)
		s.Where = append(s.Where, t)
		return err
	})
}

var sampleKeys = []string{"points", "method", "seed", "population"}

func (d *reader) sample(s *Spec, key string, line int, v ast.Node) error {
	s.Sample = &Sample{Method: Random, Line: line}
	err := d.mapping(v, key, func(key string, line int, v ast.Node) error {
		t, err := d.text(v, "sample."+key)
		if err != nil {
			return err
		}
		switch key {
		case "points":
			if s.Sample.Points, err = strconv.Atoi(t.Text); err != nil {
				return d.errorf(t.Line, "sample.points: %.80q: a whole number wanted", t.Text)
			}
		case "method":
			s.Sample.Method = t.Text
		case "seed":
			if s.Sample.Seed, err = strconv.ParseUint(t.Text, 10, 64); err != nil {
				return d.errorf(t.Line, "sample.seed: %.80q: a whole number of 0 to %d wanted", t.Text, uint64(math.MaxUint64))
			}
		case "population":
			if s.Sample.Population, err = strconv.Atoi(t.Text); err != nil || s.Sample.Population < 1 {
				return d.errorf(t.Line, "sample.population: %.80q: a whole number of 1 or more wanted", t.Text)
			}
		default:
			return d.errorf(line, "sample: %.80q is not known%s: %s wanted", key, nearest.Hint(key, sampleKeys), strings.Join(sampleKeys, ", "))
		}
		return nil
	})
	return err
}

// values reads a list of values, or a range in place of one.
func (d *reader) values(v ast.Node, key string) (list []Value, err error) {
	if _, ok := v.(ast.MapNode); ok {
		r, err := d.span(v, key)
		return []Value{r}, err
	}
	err = d.sequence(v, key, "a list of values, or {from: 2, to: 16, step: 2},", func(v ast.Node) error {
		var x Value
		if _, ok := v.(ast.MapNode); ok {
			x, err = d.span(v, key)
		} else {
			var t Text
			t, err = d.text(v, key)
			x = Value{Text: t.Text, Line: t.Line}
		}
		list = append(list, x)
		return err
	})
	return list, err
}

// span reads a range.
func (d *reader) span(v ast.Node, key string) (Value, error) {
	r := &Range{}
	of := map[string]*string{"from": &r.From, "to": &r.To, "step": &r.Step, "factor": &r.Factor}
	err := d.mapping(v, key, func(name string, line int, v ast.Node) error {
		to, ok := of[name]
		if !ok {
			return d.errorf(line, "%s: %.80q is not known: from, to and step or factor wanted", key, name)
		}
		t, err := d.text(v, key)
		*to = t.Text
		return err
	})
	line := lineOf(v)
	switch {
	case err != nil:
	case r.From == "" || r.To == "":
		err = d.errorf(line, "%s: a range without from or to: both wanted", key)
	case r.Step != "" && r.Factor != "":
		err = d.errorf(line, "%s: step %.80s and factor %.80s: one of both wanted", key, r.Step, r.Factor)
	case r.Step == "" && r.Factor == "":
		r.Step = "1"
	}
	return Value{Range: r, Line: line}, err
}

// mapping visits the keys of a mapping. Each may be there once.
func (d *reader) mapping(v ast.Node, what string, each func(key string, line int, v ast.Node) error) error {
	m, ok := v.(ast.MapNode)
	if !ok {
		return d.errorf(lineOf(v), "%s: %.80s: a mapping of keys and values wanted", what, shown(v))
	}
	var seen []string
	for it := m.MapRange(); it.Next(); {
		key, err := d.text(it.Key(), what)
		if err != nil {
			return err
		}
		if slices.Contains(seen, key.Text) {
			return d.errorf(key.Line, "%s: %.80q is there twice", what, key.Text)
		}
		seen = append(seen, key.Text)
		if err := each(key.Text, key.Line, it.Value()); err != nil {
			return err
		}
	}
	return nil
}

// sequence visits the entries of a list.
func (d *reader) sequence(v ast.Node, key, want string, each func(v ast.Node) error) error {
	l, ok := v.(*ast.SequenceNode)
	if !ok {
		return d.errorf(lineOf(v), "%s: %.80s: %s wanted", key, shown(v), want)
	}
	for _, v := range l.Values {
		if err := each(v); err != nil {
			return err
		}
	}
	return nil
}

// text reads a number, a switch or a text, as it is written but for quotes.
func (d *reader) text(v ast.Node, key string) (Text, error) {
	t := Text{Line: lineOf(v)}
	switch n := v.(type) {
	case *ast.StringNode:
		t.Text = n.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		t.Text = n.GetToken().Value
	default:
		return t, d.errorf(t.Line, "%s: %.80s: a number or a text wanted", key, shown(v))
	}
	if strings.TrimSpace(t.Text) == "" {
		return t, d.errorf(t.Line, "%s: empty: a number or a text wanted", key)
	}
	return t, nil
}

// lineOf is the line of a node.
func lineOf(v ast.Node) int {
	if v == nil || v.GetToken() == nil || v.GetToken().Position == nil {
		return 1
	}
	return v.GetToken().Position.Line
}

// shown is a node in an error.
func shown(v ast.Node) string {
	switch v.(type) {
	case nil, *ast.NullNode:
		return "nothing"
	case ast.MapNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	}
	return v.Type().String() + " " + strconv.Quote(v.GetToken().Value)
}
