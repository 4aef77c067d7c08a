package hw

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"reflect"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// Print writes the machine as JSON with the source of each number. Parse reads it back to an
// equal machine.
func (m *Machine) Print(w io.Writer) error {
	return write(w, reflect.ValueOf(m).Elem(), m.Sources, m.Given)
}

func write(w io.Writer, v reflect.Value, sources map[string]string, given map[string]Given) error {
	p := printer{sources: sources, given: given}
	p.value("", v, 0)
	p.WriteByte('\n')
	_, err := w.Write(p.Bytes())
	return err
}

type printer struct {
	bytes.Buffer
	sources map[string]string
	given   map[string]Given
}

func (p *printer) value(path string, v reflect.Value, depth int) {
	switch {
	case v.Type() == periodType:
		period := v.Interface().(Period)
		if period.Den == 1 {
			p.number(path, period.Num)
		} else {
			p.number(path, period.String())
		}
	case v.Type() == rangeType:
		r := v.Interface().(Range)
		p.number(path, r.Value, r.Low, r.High)
	case v.Type() == textsType:
		p.list(v.Interface().([]string), depth)
	case v.CanInt() || v.CanFloat():
		p.number(path, v.Interface())
	case v.Kind() == reflect.Struct:
		p.object(written(v), depth, func(key string) {
			f, _ := structField(v, key)
			p.value(join(path, key), f, depth+1)
		})
	case v.Kind() == reflect.Map:
		keys := make([]string, 0, v.Len())
		for _, k := range v.MapKeys() {
			keys = append(keys, k.String())
		}
		sort.Strings(keys)
		p.object(keys, depth, func(key string) {
			p.value(join(path, key), v.MapIndex(reflect.ValueOf(key)), depth+1)
		})
	default:
		p.json(v.Interface())
	}
}

// written are the keys of a struct but for those that may be missing and are zero.
func written(v reflect.Value) []string {
	return slices.DeleteFunc(structKeys(v), func(key string) bool {
		f, tag := structField(v, key)
		return tag.Get("missing") == "may" && (f.IsZero() || (f.Kind() == reflect.Map || f.Kind() == reflect.Slice) && f.Len() == 0)
	})
}

// object writes one key a line.
func (p *printer) object(keys []string, depth int, value func(key string)) {
	p.WriteByte('{')
	for i, k := range keys {
		if i > 0 {
			p.WriteByte(',')
		}
		p.WriteString("\n" + strings.Repeat("  ", depth+1))
		p.json(k)
		p.WriteString(": ")
		value(k)
	}
	p.WriteString("\n" + strings.Repeat("  ", depth) + "}")
}

// list writes one text a line.
func (p *printer) list(texts []string, depth int) {
	p.WriteByte('[')
	for i, text := range texts {
		if i > 0 {
			p.WriteByte(',')
		}
		p.WriteString("\n" + strings.Repeat("  ", depth+1))
		p.json(text)
	}
	p.WriteString("\n" + strings.Repeat("  ", depth) + "]")
}

// number writes a value or how it follows from others, the bounds of a Range after it, and
// the source.
func (p *printer) number(path string, xs ...any) {
	for i, x := range xs {
		key := []string{"value", "low", "high"}[i]
		if g, ok := p.given[path]; ok && i == 0 {
			if key, x = "formula", g.Formula; g.NS != "" {
				key, x = "ns", json.Number(g.NS)
			}
		}
		p.WriteString([]string{"{", ", ", ", "}[i] + strconv.Quote(key) + ": ")
		p.json(x)
	}
	p.WriteString(`, "source": `)
	p.json(cmp.Or(p.sources[path], "set")) // one that its file left out
	p.WriteByte('}')
}

// json writes a string, boolean or number. Machines contain no other values.
func (p *printer) json(x any) {
	e := json.NewEncoder(&p.Buffer)
	e.SetEscapeHTML(false)
	if err := e.Encode(x); err != nil {
		panic("hw: " + err.Error())
	}
	p.Truncate(p.Len() - 1) // the encoder's newline
}
