package hw

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"pimflow/internal/dram"
	"pimflow/internal/fault"
	"pimflow/internal/files"
	"pimflow/internal/jsontext"
	"pimflow/internal/nearest"
)

// Parse reads a machine. A base is one that comes with the program, or a file whose path is
// relative to that of name. Errors are one line, "name:line: gpu.sm: …".
func Parse(name string, data []byte) (*Machine, error) { return parse(name, data, nil) }

// parse reads a machine that is the base of others.
func parse(name string, data []byte, others []string) (*Machine, error) {
	m, based, err := begin(name, data, others)
	if err != nil {
		return nil, err
	}
	standard, place := m.PIM.Standard, m.Link.Finish.Where
	d := newDecoder(name, data, m.Sources, m.Given)
	if d.partial = based; based {
		m.Name = ""
	}
	if err := d.whole(reflect.ValueOf(m).Elem()); err != nil {
		return nil, err
	}
	if m.Name == "" {
		return nil, fmt.Errorf("%s: name: missing", name)
	}
	if err := checkName(m.Name); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if based && m.PIM.Standard != standard && !extends(m.PIM.Standard, standard) {
		m.keepTiming(d.read)
	}
	if based && m.Link.Finish.Where != place {
		m.followPlace(d.read)
	}
	if err = m.checkNames(); err == nil {
		err = m.Derive()
	}
	if err == nil {
		err = m.check()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return m, nil
}

// checkName refuses a name that people do not read as it is written.
func checkName(name string) error {
	if fault.Name(name) != name {
		return fmt.Errorf("name: %.80q: up to %d printed characters wanted", name, fault.MaxName)
	}
	return nil
}

// begin is the machine that a file begins from: an empty one, or its base.
func begin(name string, data []byte, others []string) (m *Machine, based bool, err error) {
	var head struct {
		Base json.RawMessage `json:"base"`
	}
	if err := json.NewDecoder(bytes.NewReader(jsontext.Bare(data))).Decode(&head); err != nil || head.Base == nil {
		return &Machine{Sources: map[string]string{}, Given: map[string]Given{}}, false, nil // what is not JSON is told with its line
	}
	var base string
	if err := json.Unmarshal(head.Base, &base); err != nil || base == "" {
		return nil, false, fmt.Errorf("%s: base: %s: the name or the file of a machine wanted", name, head.Base)
	}
	base = besides(name, base)
	if others = append(slices.Clone(others), filepath.Clean(name)); slices.Contains(others, filepath.Clean(base)) {
		return nil, false, fmt.Errorf("%s: base: %s is based on this file", name, base)
	}
	m, err = load(base, others)
	if err != nil {
		return nil, false, fault.As(fault.Input, fmt.Errorf("%s: base: %w", name, err))
	}
	return m, true, nil
}

// Bases lists the files that the machine of a file is based on.
func Bases(file string) (list []string) {
	for strings.HasSuffix(file, ".json") && files.Size(file) > 0 && !slices.Contains(list[:max(len(list)-1, 0)], file) {
		var head struct{ Base string }
		data, err := files.Read(file, maxFile)
		if err != nil || jsontext.Decode(data, &head) != nil || !isPath(head.Base) {
			break
		}
		file = besides(file, head.Base)
		list = append(list, file)
	}
	return list
}

// besides is the path of a base that a file names.
func besides(file, base string) string {
	if isPath(base) && !strings.Contains(base, "+") && !filepath.IsAbs(base) {
		return filepath.Join(filepath.Dir(file), base)
	}
	return base
}

// keepTiming leaves of the base's parameters those that the file has too: another standard
// has parameters of its own.
func (m *Machine) keepTiming(read map[string]bool) {
	for key := range m.PIM.Timing {
		if path := "pim.timing." + key; !read[path] {
			delete(m.PIM.Timing, key)
			delete(m.Sources, path)
			delete(m.Given, path)
		}
	}
}

// extends reports whether a standard has the parameters of another in the same meaning.
func extends(standard, other string) bool {
	s, err := dram.Lookup(standard)
	return err == nil && s.Extends != nil && s.Extends.Name == other
}

func newDecoder(name string, data []byte, sources map[string]string, given map[string]Given) *decoder {
	data = jsontext.Bare(data)
	d := &decoder{file: name, data: data, dec: json.NewDecoder(bytes.NewReader(data)), sources: sources, given: given, read: map[string]bool{}}
	d.dec.UseNumber()
	return d
}

// whole reads the file's one object into a struct and the sources of its numbers.
func (d *decoder) whole(v reflect.Value) error {
	if err := d.value("", v, ""); err != nil {
		return err
	}
	rest := bytes.TrimSpace(d.data[d.dec.InputOffset():])
	if _, err := d.dec.Token(); !errors.Is(err, io.EOF) {
		return d.errorf("", "text after the end of the %s: %.40q", strings.ToLower(v.Type().Name()), rest)
	}
	return d.keys()
}

// mostNamed is how many keys of a kind a message names.
const mostNamed = 6

// keys is the error of all missing and unknown keys together: "FILE: 2 keys missing: a, b; 1
// unknown: c (line 3)". A lone one has its line in front, as a key has that is misspelt.
func (d *decoder) keys() error {
	if len(d.missing) == 1 && len(d.unknown) == 1 && d.unknown[0].means(d.missing[0]) {
		d.missing = nil
	}
	switch {
	case len(d.missing)+len(d.unknown) == 0:
		return nil
	case len(d.unknown) == 0 && len(d.missing) == 1:
		return fmt.Errorf("%s:%d: %s: missing", d.file, d.missing[0].line, d.missing[0].path)
	case len(d.missing) == 0 && len(d.unknown) == 1:
		return fmt.Errorf("%s:%d: %s: unknown key%s", d.file, d.unknown[0].line, d.unknown[0].path, d.unknown[0].hint)
	}
	var texts []string
	if n := len(d.missing); n > 0 {
		texts = append(texts, fmt.Sprintf("%s missing: %s", counted(n), listed(d.missing, func(k keyError) string { return k.path })))
	}
	if n := len(d.unknown); n > 0 {
		count := strconv.Itoa(n)
		if len(texts) == 0 {
			count = counted(n)
		}
		texts = append(texts, fmt.Sprintf("%s unknown: %s", count, listed(d.unknown, func(k keyError) string {
			return fmt.Sprintf("%s (line %d", k.path, k.line) + strings.Replace(cmp.Or(k.hint, ")"), " (", ", ", 1)
		})))
	}
	return fmt.Errorf("%s: %s", d.file, strings.Join(texts, "; "))
}

// counted is "1 key" or "3 keys".
func counted(n int) string {
	if n == 1 {
		return "1 key"
	}
	return fmt.Sprintf("%d keys", n)
}

// listed names the first of a list, and how many there are more.
func listed[T any](list []T, name func(T) string) string {
	var names []string
	for _, k := range list[:min(len(list), mostNamed)] {
		names = append(names, name(k))
	}
	if more := len(list) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}

// decoder fills a struct token by token; its depth is that of the Go types.
type decoder struct {
	file    string
	data    []byte
	dec     *json.Decoder
	sources map[string]string
	given   map[string]Given
	read    map[string]bool // paths of the numbers in the file
	partial bool            // the file has a base: what is missing stays as it is there

	missing, unknown []keyError
}

// keyError is a key that is missing, or one that the file should not have.
type keyError struct {
	path string
	line int
	hint string // which key an unknown one most likely meant; "" for none
}

// means reports whether an unknown key is a misspelling of a missing one.
func (k keyError) means(missing keyError) bool {
	place, key := split(k.path)
	wanted, name := split(missing.path)
	return k.hint != "" && place == wanted && k.hint == nearest.Hint(key, []string{name})
}

// split is a path before its last key, and that key.
func split(path string) (place, key string) {
	at := strings.LastIndexByte(path, '.') + 1
	return path[:at], path[at:]
}

var (
	periodType  = reflect.TypeFor[Period]()
	textsType   = reflect.TypeFor[[]string]()
	machineType = reflect.TypeFor[Machine]()
	notesType   = reflect.TypeFor[map[string]string]()
	rangeType   = reflect.TypeFor[Range]()
)

// errorf places an error on the line of the last token read.
func (d *decoder) errorf(path, format string, a ...any) error {
	return d.errorAt(d.dec.InputOffset(), path, format, a...)
}

func (d *decoder) errorAt(offset int64, path, format string, a ...any) error {
	line := d.lineAt(offset)
	if path != "" {
		path += ": "
	}
	return fmt.Errorf("%s:%d: %s%s", d.file, line, path, fmt.Sprintf(format, a...))
}

// line is that of the last token read.
func (d *decoder) line() int { return d.lineAt(d.dec.InputOffset()) }

func (d *decoder) lineAt(offset int64) int {
	return 1 + bytes.Count(d.data[:min(offset, int64(len(d.data)))], []byte("\n"))
}

func (d *decoder) token(path string) (json.Token, error) {
	t, err := d.dec.Token()
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return nil, d.errorAt(syntax.Offset, path, "%s", jsontext.Unexpected(d.data, syntax.Offset))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, d.errorAt(int64(len(d.data)), path, "the file ends too early")
	case err != nil:
		return nil, d.errorf(path, "%s", jsontext.Words(d.data, err))
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
		return d.number(path, map[string]reflect.Value{"value": v}, want)
	case v.Type() == textsType, v.Type() == notesType:
		return d.texts(path, v)
	case v.Kind() == reflect.Struct:
		keys := structKeys(v)
		known := keys
		if v.Type() == machineType {
			known = append(slices.Clone(keys), "base", "derived")
		}
		may := func(key string) bool {
			if d.partial || !slices.Contains(keys, key) {
				return true
			}
			_, tag := structField(v, key)
			return tag.Get("missing") == "may"
		}
		return d.object(path, anyObject, known, may, func(key string) error {
			if !slices.Contains(keys, key) {
				return d.skip(join(path, key))
			}
			f, tag := structField(v, key)
			return d.value(join(path, key), f, tag)
		})
	case v.Kind() == reflect.Map:
		if !d.partial {
			v.Set(reflect.MakeMap(v.Type()))
		}
		return d.object(path, anyObject, nil, nil, func(key string) error {
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

// skip reads a value that is not kept: what Show adds to a file, or the base.
func (d *decoder) skip(path string) error {
	var x json.RawMessage
	if err := d.dec.Decode(&x); err != nil {
		return d.errorf(path, "%s", jsontext.Words(d.data, err))
	}
	return nil
}

// texts reads a list of texts, or an object of texts.
func (d *decoder) texts(path string, v reflect.Value) error {
	x := reflect.New(v.Type())
	if d.partial && v.Kind() == reflect.Map && !v.IsNil() { // those of the base stay
		x.Elem().Set(reflect.ValueOf(maps.Clone(v.Interface().(map[string]string))))
	}
	if err := d.dec.Decode(x.Interface()); err != nil {
		return d.errorf(path, "a list or an object of texts wanted")
	}
	for _, text := range textsOf(x.Elem()) {
		if strings.TrimSpace(text) == "" {
			return d.errorf(path, "empty: a text wanted")
		}
	}
	v.Set(x.Elem())
	return nil
}

func textsOf(v reflect.Value) []string {
	if m, ok := v.Interface().(map[string]string); ok {
		return slices.Collect(maps.Values(m))
	}
	return v.Interface().([]string)
}

// anyObject is how an error shows an object that is wanted.
const anyObject = "an object { … }"

// object reads { … } and calls field for each key, the value being next. form shows it in an error, with … for a value. known
// lists the keys, of which all are wanted that may not be missing; nil: any key, at least one.
func (d *decoder) object(path, form string, known []string, may func(key string) bool, field func(key string) error) error {
	t, err := d.token(path)
	if err != nil {
		return err
	}
	if t != json.Delim('{') {
		if n, ok := t.(json.Number); ok && form != anyObject {
			form = strings.Replace(form, "…", string(n), 1)
		}
		return d.errorf(path, "%s: %s wanted", show(t), form)
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
				if !slices.Contains(seen, k) && !may(k) {
					d.missing = append(d.missing, keyError{path: join(path, k), line: d.line()})
				}
			}
			if known == nil && len(seen) == 0 {
				return d.errorf(path, "empty: at least one number wanted")
			}
			return nil
		case known != nil && !slices.Contains(known, key):
			d.unknown = append(d.unknown, keyError{join(path, key), d.line(), nearest.Hint(key, known)})
			if err := d.skip(join(path, key)); err != nil {
				return err
			}
			continue
		case slices.Contains(seen, key):
			return d.errorf(join(path, key), "written twice")
		}
		seen = append(seen, key)
		if err := field(key); err != nil {
			return err
		}
	}
}

// number reads {"value": …, "source": "…"}, or "formula" or "ns" in place of the value, with
// the other fields of a Range.
func (d *decoder) number(path string, fields map[string]reflect.Value, want string) error {
	keys := []string{"value", "formula", "ns", "low", "high", "source"}
	if fields["low"] == (reflect.Value{}) {
		keys = []string{"value", "formula", "ns", "source"}
	}
	how := "" // value, formula or ns, whichever is there
	var g Given
	err := d.object(path, `{"value": …, "source": "…"}`, keys, func(key string) bool {
		return key == "formula" || key == "ns" || key == "value" && how != "" || d.partial && key != "value" && key != "source"
	}, func(key string) error {
		t, err := d.token(path)
		if err != nil {
			return err
		}
		if key == "value" || key == "formula" || key == "ns" {
			if how != "" {
				return d.errorf(path, "%s and %s: one of them wanted", how, key)
			}
			how = key
		}
		switch key {
		case "source", "formula":
			s, ok := t.(string)
			if strings.TrimSpace(s) == "" || !ok {
				return d.errorf(path, "%s is %s: %s wanted", key, show(t), map[string]string{"source": "where the number comes from", "formula": "keys and numbers with + - * / between them"}[key])
			}
			if key == "source" {
				d.sources[path] = s
			} else {
				g.Formula = s
			}
			return nil
		case "ns":
			n, ok := t.(json.Number)
			if x, err := n.Float64(); !ok || err != nil || x < 0 || x > 1e9 || !strings.HasSuffix(path, "_ck") {
				return d.errorf(path, "ns is %s: 0 to 1e9 wanted, of a number of cycles", show(t))
			}
			g.NS = string(n)
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
	d.read[path] = true
	if delete(d.given, path); how != "value" && err == nil {
		d.given[path] = g
	}
	return err
}

// bounded reads {"value": …, "low": …, "high": …, "source": "…"} into a Range. A file with a base
// may leave out bounds: they keep their relative distance to the value.
func (d *decoder) bounded(path string, v reflect.Value, want string) error {
	r, complete := v.Addr().Interface().(*Range), len(d.missing)
	base, absent := *r, math.NaN()
	r.Low, r.High = absent, absent
	err := d.number(path, map[string]reflect.Value{
		"value": reflect.ValueOf(&r.Value).Elem(), "low": reflect.ValueOf(&r.Low).Elem(), "high": reflect.ValueOf(&r.High).Elem(),
	}, want)
	_, follows := d.given[path]
	if err == nil && !follows {
		base = base.at(r.Value)
	}
	if math.IsNaN(r.Low) {
		r.Low = base.Low
	}
	if math.IsNaN(r.High) {
		r.High = base.High
	}
	if follows {
		r.Value = r.Low
	}
	switch {
	case err != nil || len(d.missing) != complete:
		return err
	case !(r.Low <= r.Value && r.Value <= r.High):
		return d.errorf(path, "low %v, value %v, high %v: in this order wanted", r.Low, r.Value, r.High)
	case isError(path) && follows:
		return d.errorf(path, "a formula: 1 wanted, since only the bounds of an error have a meaning")
	case isError(path) && r.Value != 1 && (r.Value != 0 || want == ">0"):
		return d.errorf(path, "value %v: 1 wanted, since only the bounds of an error have a meaning", r.Value)
	}
	return nil
}

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
		if err != nil || math.IsNaN(f) {
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
