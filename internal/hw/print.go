package hw

import (
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"sort"
	"strings"
)

// Print writes the machine as JSON with the source of each number. Parse reads it back to an
// equal machine.
func (m *Machine) Print(w io.Writer) error { return write(w, reflect.ValueOf(m).Elem(), m.Sources) }

func write(w io.Writer, v reflect.Value, sources map[string]string) error {
	p := printer{sources: sources}
	p.value("", v, 0)
	p.WriteByte('\n')
	_, err := w.Write(p.Bytes())
	return err
}

type printer struct {
	bytes.Buffer
	sources map[string]string
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
	case v.CanInt() || v.CanFloat():
		p.number(path, v.Interface())
	case v.Kind() == reflect.Struct:
		p.object(structKeys(v), depth, func(key string) {
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

// number writes a value, the bounds of a Range after it, and the source.
func (p *printer) number(path string, xs ...any) {
	for i, x := range xs {
		p.WriteString([]string{`{"value": `, `, "low": `, `, "high": `}[i])
		p.json(x)
	}
	p.WriteString(`, "source": `)
	p.json(p.sources[path])
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
