package hw

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"pimflow/internal/nearest"
)

// Parse reads a machine. Errors are one line, "name:line: gpu.sm: …".
func Parse(name string, data []byte) (*Machine, error) {
	m := &Machine{Sources: map[string]string{}}
	if err := decode(name, data, reflect.ValueOf(m).Elem(), m.Sources); err != nil {
		return nil, err
	}
	if m.Memory.PIMChannels > m.Memory.Channels {
		return nil, fmt.Errorf("%s: memory.pim_channels: %d: at most memory.channels, %d, wanted",
			name, m.Memory.PIMChannels, m.Memory.Channels)
	}
	return m, nil
}

// decode reads one object into a struct and the sources of its numbers.
func decode(name string, data []byte, v reflect.Value, sources map[string]string) error {
	d := &decoder{file: name, data: data, dec: json.NewDecoder(bytes.NewReader(data)), sources: sources}
	d.dec.UseNumber()
	if err := d.value("", v, ""); err != nil {
		return err
	}
	if _, err := d.dec.Token(); !errors.Is(err, io.EOF) {
		return d.errorf("", "text after the end of the %s", strings.ToLower(v.Type().Name()))
	}
	return nil
}

// decoder fills a struct token by token; its depth is that of the Go types.
type decoder struct {
	file    string
	data    []byte
	dec     *json.Decoder
	sources map[string]string
}

var (
	periodType = reflect.TypeFor[Period]()
	rangeType  = reflect.TypeFor[Range]()
)

// errorf places an error on the line of the last token read.
func (d *decoder) errorf(path, format string, a ...any) error {
	return d.errorAt(d.dec.InputOffset(), path, format, a...)
}

func (d *decoder) errorAt(offset int64, path, format string, a ...any) error {
	line := 1 + bytes.Count(d.data[:min(offset, int64(len(d.data)))], []byte("\n"))
	if path != "" {
		path += ": "
	}
	return fmt.Errorf("%s:%d: %s%s", d.file, line, path, fmt.Sprintf(format, a...))
}

func (d *decoder) token(path string) (json.Token, error) {
	t, err := d.dec.Token()
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return nil, d.errorAt(syntax.Offset, path, "not JSON: %v", err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, d.errorAt(int64(len(d.data)), path, "the file ends too early")
	case err != nil:
		return nil, d.errorf(path, "not JSON: %v", err)
	}
	return t, nil
}

// value reads what belongs into v: a struct or map is an object, a number an
// object of value and source, anything else a plain JSON value.
func (d *decoder) value(path string, v reflect.Value, tag reflect.StructTag) error {
	want := tag.Get("want")
	switch {
	case v.Type() == rangeType:
		return d.bounded(path, v, want)
	case v.Type() == periodType || v.CanInt() || v.CanFloat():
		return d.number(path, map[string]reflect.Value{"value": v}, []string{"value", "source"}, want)
	case v.Kind() == reflect.Struct:
		return d.object(path, structKeys(v), func(key string) error {
			f, tag := structField(v, key)
			return d.value(join(path, key), f, tag)
		})
	case v.Kind() == reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		return d.object(path, nil, func(key string) error {
			if suffix := tag.Get("key"); !strings.HasSuffix(key, suffix) || key == suffix {
				if suffix == "" {
					return d.errorf(path, "a key is empty: a name wanted")
				}
				return d.errorf(join(path, key), "the name of a number of cycles ends in _ck")
			}
			x := reflect.New(v.Type().Elem()).Elem()
			if err := d.value(join(path, key), x, tag); err != nil {
				return err
			}
			v.SetMapIndex(reflect.ValueOf(key), x)
			return nil
		})
	}
	t, err := d.token(path)
	if err != nil {
		return err
	}
	if x := reflect.ValueOf(t); t != nil && x.Type() == v.Type() {
		if t == "" {
			return d.errorf(path, "empty: a text wanted")
		}
		v.Set(x)
		return nil
	}
	return d.errorf(path, "%s: a %v wanted", show(t), v.Kind())
}

// object reads { … } and calls field for each key, the value being next. known
// lists the keys, all of which are wanted; nil: any key, at least one.
func (d *decoder) object(path string, known []string, field func(key string) error) error {
	t, err := d.token(path)
	if err != nil {
		return err
	}
	if t != json.Delim('{') {
		return d.errorf(path, "%s: an object { … } wanted", show(t))
	}
	var seen []string
	for {
		t, err := d.token(path)
		if err != nil {
			return err
		}
		key, ok := t.(string)
		switch {
		case !ok: // the closing brace
			for _, k := range known {
				if !slices.Contains(seen, k) {
					return d.errorf(join(path, k), "missing")
				}
			}
			if known == nil && len(seen) == 0 {
				return d.errorf(path, "empty: at least one number wanted")
			}
			return nil
		case known != nil && !slices.Contains(known, key):
			return d.errorf(join(path, key), "unknown key%s", nearest.Hint(key, known))
		case slices.Contains(seen, key):
			return d.errorf(join(path, key), "written twice")
		}
		seen = append(seen, key)
		if err := field(key); err != nil {
			return err
		}
	}
}

// number reads {"value": …, "source": "…"}: each key but source into its field.
func (d *decoder) number(path string, fields map[string]reflect.Value, keys []string, want string) error {
	return d.object(path, keys, func(key string) error {
		t, err := d.token(path)
		if err != nil {
			return err
		}
		if key == "source" {
			s, ok := t.(string)
			if strings.TrimSpace(s) == "" || !ok {
				return d.errorf(path, "source is %s: where the number comes from wanted", show(t))
			}
			d.sources[path] = s
			return nil
		}
		if err := set(fields[key], t, want); err != nil {
			if key != "value" {
				return d.errorf(join(path, key), "%v", err)
			}
			return d.errorf(path, "%v", err)
		}
		return nil
	})
}

// bounded reads {"value": …, "low": …, "high": …, "source": "…"} into a Range.
func (d *decoder) bounded(path string, v reflect.Value, want string) error {
	r := v.Addr().Interface().(*Range)
	err := d.number(path, map[string]reflect.Value{
		"value": reflect.ValueOf(&r.Value).Elem(), "low": reflect.ValueOf(&r.Low).Elem(), "high": reflect.ValueOf(&r.High).Elem(),
	}, rangeKeys, want)
	if err == nil && !(r.Low <= r.Value && r.Value <= r.High) {
		return d.errorf(path, "low %v, value %v, high %v: in this order wanted", r.Low, r.Value, r.High)
	}
	return err
}

// rangeKeys are the keys of a Range in the order of Print.
var rangeKeys = []string{"value", "low", "high", "source"}

// set stores a token in a number.
func set(v reflect.Value, t json.Token, want string) error {
	text := show(t)
	n, isNumber := t.(json.Number)
	if v.Type() == periodType {
		if s, ok := t.(string); ok {
			text = s
		} else if !isNumber {
			return fmt.Errorf("%s: picoseconds wanted, a positive whole number or a fraction as \"8000/7\"", text)
		}
		p, err := ParsePeriod(text)
		v.Set(reflect.ValueOf(p))
		return err
	}
	var x float64
	if v.CanInt() {
		i, err := strconv.ParseInt(string(n), 10, 64)
		if err != nil {
			return fmt.Errorf("%s: a whole number wanted", text)
		}
		v.SetInt(i)
		x = float64(i)
	} else {
		f, err := strconv.ParseFloat(string(n), 64)
		if err != nil {
			return fmt.Errorf("%s: a number wanted", text)
		}
		v.SetFloat(f)
		x = f
	}
	if lo, hi, open := bounds(want); x < lo || x > hi || open && x == lo {
		if x > limit {
			want = "at most 2^53" // whatever the field
		}
		return fmt.Errorf("%s is out of range: %s wanted", text, want)
	}
	return nil
}

// limit is the largest number in a file: whole numbers up to it are exact.
const limit = 1 << 53

// bounds reads a want tag: ">0", ">=0", "1..64" or ">0..1" (0 excluded).
func bounds(want string) (lo, hi float64, open bool) {
	low, high, both := strings.Cut(want, "..")
	hi = limit
	if both {
		hi = mustFloat(high)
	}
	if open = strings.HasPrefix(low, ">") && !strings.HasPrefix(low, ">="); open || strings.HasPrefix(low, ">=") {
		low = strings.TrimLeft(low, ">=")
	}
	return mustFloat(low), hi, open
}

// mustFloat reads a number of a want tag, which is our text.
func mustFloat(s string) float64 {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) {
		panic("hw: want tag: " + s)
	}
	return f
}

// show prints a token as the file has it.
func show(t json.Token) string {
	switch t := t.(type) {
	case nil:
		return "null"
	case string:
		return strconv.Quote(t)
	}
	return fmt.Sprint(t)
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// structKeys lists the keys of a struct in order.
func structKeys(v reflect.Value) []string {
	var keys []string
	for i := range v.NumField() {
		if k := v.Type().Field(i).Tag.Get("json"); k != "-" {
			keys = append(keys, k)
		}
	}
	return keys
}

func structField(v reflect.Value, key string) (reflect.Value, reflect.StructTag) {
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.Tag.Get("json") == key {
			return v.Field(i), f.Tag
		}
	}
	panic("hw: no field " + key)
}
