package hw

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"pimflow/internal/fault"
	"pimflow/internal/nearest"
)

// Constant is a number of a machine.
type Constant struct {
	Path  string  // of the file, as "gpu.model.eta"
	Text  string  // the value as in the file
	Value float64 // of a period, in picoseconds
	Range *Range  // nil if the file has no bounds
	whole bool
	clock *Period
}

// Constants lists the numbers of the machine in the order of Print.
func (m *Machine) Constants() []Constant {
	var list []Constant
	leaves("", reflect.ValueOf(m).Elem(), "", func(n leaf) {
		if !n.number() || m.Sources[n.path] == "" { // or the file leaves it out
			return
		}
		c := Constant{Path: n.path}
		switch x := n.v.Interface().(type) {
		case Period:
			c.Text, c.Value, c.clock = x.String(), x.Picoseconds(), &x
		case Range:
			c.Text, c.Value, c.Range = float(x.Value), x.Value, &x
		default:
			if n.v.CanInt() {
				c.Text, c.Value, c.whole = strconv.FormatInt(n.v.Int(), 10), float64(n.v.Int()), true
			} else {
				c.Text, c.Value = float(n.v.Float()), n.v.Float()
			}
		}
		list = append(list, c)
	})
	return list
}

// Changed is the constant increased by percent, as a text for With and as a number. A whole
// number is rounded, and changes by at least 1.
func (c *Constant) Changed(percent int) (text string, value float64) {
	switch {
	case c.clock != nil:
		text = fmt.Sprintf("%d/%d", c.clock.Num*int64(100+percent), c.clock.Den*100)
		if p, err := ParsePeriod(text); err == nil {
			text = p.String()
		}
		return text, c.Value * float64(100+percent) / 100
	case c.whole:
		x := math.Round(c.Value * float64(100+percent) / 100)
		if x == c.Value && percent != 0 {
			x += math.Copysign(1, float64(percent))
		}
		return strconv.FormatInt(int64(x), 10), x
	}
	x := c.Value * float64(100+percent) / 100
	return float(x), x
}

// With returns the machine with the value of one key changed: a number, a switch or a text, as
// in the file but without quotes. The bounds of a number keep their relative distance. Numbers
// that follow from it are computed again; a number that followed from others no longer does. The
// error is that of Parse without file and line: it names the key, the value and the wanted
// values.
func (m *Machine) With(path, text string) (*Machine, error) {
	c, err := m.again()
	if err != nil {
		panic("hw: " + m.Name + " does not parse: " + err.Error())
	}
	if err := c.change(path, text); err != nil {
		return nil, err
	}
	return c.again() // what holds between numbers
}

// Set returns the machine with keys changed, each written as "memory.pim_channels=8", as With
// does. What holds between numbers is asked when all are changed. The source of a number says so.
func (m *Machine) Set(changes ...string) (*Machine, error) {
	c, err := m.set(changes)
	return c, fault.As(fault.Usage, err)
}

// PIMChannels is the key of the number of channels that compute.
const PIMChannels = "memory.pim_channels"

// Changes returns the last of changes, as Set takes them, that is of a key; "" for none.
func Changes(changes []string, key string) string {
	for _, text := range slices.Backward(changes) {
		if k, _, _ := strings.Cut(text, "="); k == key {
			return text
		}
	}
	return ""
}

func (m *Machine) set(changes []string) (*Machine, error) {
	if len(changes) == 0 {
		return m, nil
	}
	if c := m.quickly(changes); c != nil {
		return c, nil
	}
	return m.slowly(changes)
}

// slowly is set with the machine printed and parsed, which checks all.
func (m *Machine) slowly(changes []string) (*Machine, error) {
	c, err := m.again()
	if err != nil {
		return nil, fmt.Errorf("machine %s: %w", m.Name, err)
	}
	for _, text := range changes {
		key, value, ok := strings.Cut(text, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("machine %s: %.80q: KEY=VALUE wanted, as memory.pim_channels=8", m.Name, text)
		}
		if err := c.change(key, value); err != nil {
			return nil, fmt.Errorf("machine %s: %w", m.Name, err)
		}
		c.tell(m, key)
	}
	if c, err = c.again(); err != nil {
		return nil, fmt.Errorf("machine %s: %w", m.Name, err)
	}
	return c, nil
}

// tell makes the source of a key that is changed say so.
func (m *Machine) tell(before *Machine, key string) {
	if from, ok := before.Sources[key]; ok {
		m.Sources[key] = "set; the machine's file has another value, from: " + from
	}
}

// quickly is slowly without the way over a file: nil where that way has an error to tell, or more to check than what holds
// between numbers.
func (m *Machine) quickly(changes []string) *Machine {
	c := m.clone()
	for _, text := range changes {
		key, value, ok := strings.Cut(text, "=")
		if isError(key) || !strings.Contains(key, ".") || !ok || c.change(key, value) != nil {
			return nil
		}
		if v, err := c.Value(key); err != nil || m.Sources[key] == "" && reflect.TypeOf(v).Kind() == reflect.Float64 {
			return nil // a number without a source
		}
		c.tell(m, key)
	}
	if c.checkNames() != nil || c.Derive() != nil || c.check() != nil {
		return nil
	}
	return c
}

// clone is a copy that shares nothing that changes.
func (m *Machine) clone() *Machine {
	c := *m
	c.Waives, c.Sources, c.Given, c.PIM.Timing = maps.Clone(m.Waives), maps.Clone(m.Sources), maps.Clone(m.Given), maps.Clone(m.PIM.Timing)
	return &c
}

// Knows is the error of a key that cannot be set.
func (m *Machine) Knows(path string) error {
	var known []string
	leaves("", reflect.ValueOf(m).Elem(), "", func(l leaf) { known = append(known, l.path) })
	return settable(path, known)
}

// settable is the error of a key that is none of those that can be set.
func settable(path string, known []string) error {
	switch {
	case slices.Contains(known, path):
		return nil
	case slices.ContainsFunc(derivedKeys, func(d derivedKey) bool { return d.key == path }):
		return fmt.Errorf("%s: follows from other keys, which may be set", path)
	}
	return fmt.Errorf("%s: unknown key%s", path, nearest.Hint(path, known))
}

// change sets the value of one key.
func (m *Machine) change(path, text string) (err error) {
	var known []string
	before, place := m.Launch, m.Link.Finish.Where
	leaves("", reflect.ValueOf(m).Elem(), "", func(l leaf) {
		known = append(known, l.path)
		if l.path != path {
			return
		}
		x := reflect.New(l.v.Type()).Elem()
		x.Set(l.v)
		switch {
		case l.v.Type() == rangeType:
			r := x.Addr().Interface().(*Range)
			was := *r
			if err = set(reflect.ValueOf(&r.Value).Elem(), json.Number(text), l.want); err == nil {
				*r = was.at(r.Value)
			}
		case l.v.Kind() == reflect.String && text == "":
			err = errors.New("empty: a text wanted")
		case l.v.Kind() == reflect.String:
			x.SetString(text)
		case l.v.Kind() == reflect.Bool && text != "true" && text != "false":
			err = fmt.Errorf("%s: true or false wanted", text)
		case l.v.Kind() == reflect.Bool:
			x.SetBool(text == "true")
		default:
			err = set(x, json.Number(text), l.want)
		}
		l.put(x)
		delete(m.Given, path)
	})
	if err := settable(path, known); err != nil {
		return err
	}
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", path, err)
	case path == "launch.gpu" && m.Launch != before:
		return m.followMechanism()
	case m.Link.Finish.Where != place:
		m.followPlace(nil)
	}
	return nil
}

// followMechanism makes launches follow from the mechanism. It is an error if the GPU's file
// does not say what that costs.
func (m *Machine) followMechanism() error {
	if m.Start().Value == 0 && (m.Launch.GPU == Stream || m.Launch.GPU == Graph) {
		return fmt.Errorf("launch.gpu: %s: gpu.launches.%s_us is missing: what such a launch takes", m.Launch.GPU, m.Launch.GPU)
	}
	m.Given["gpu.launch_ck"] = Given{Formula: startFormula}
	return nil
}

// again prints and parses the machine: a checked copy.
func (m *Machine) again() (*Machine, error) {
	var b bytes.Buffer
	if err := m.Print(&b); err != nil {
		panic("hw: " + err.Error())
	}
	c, err := Parse("", b.Bytes())
	if err != nil { // ":12: gpu.sm: …" or ": gpu.sm: …"
		_, text, _ := strings.Cut(err.Error(), ": ")
		return nil, &short{text, err}
	}
	return c, nil
}

// short is an error with the file and the line left out.
type short struct {
	text string
	error
}

func (s *short) Error() string { return s.text }

func (s *short) Unwrap() error { return s.error }

// leaf is the value of a key of a machine, and a function that changes it.
type leaf struct {
	path string
	v    reflect.Value
	want string
	put  func(reflect.Value)
}

// number reports whether a leaf is a number, not a switch or a text.
func (l *leaf) number() bool { return l.v.Kind() != reflect.Bool && l.v.Kind() != reflect.String }

// leaves visits the values of v in the order of Print.
func leaves(path string, v reflect.Value, want string, visit func(leaf)) {
	switch {
	case v.Type() == periodType, v.Type() == rangeType, v.CanInt(), v.CanFloat(), v.Kind() == reflect.Bool, v.Kind() == reflect.String:
		visit(leaf{path, v, want, v.Set})
	case v.Kind() == reflect.Struct:
		for _, f := range layoutOf(v.Type()) {
			leaves(join(path, f.key), v.Field(f.index), f.want, visit)
		}
	case v.Kind() == reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, k := range keys {
			visit(leaf{join(path, k.String()), v.MapIndex(k), want, func(x reflect.Value) { v.SetMapIndex(k, x) }})
		}
	}
}

// field is a field of a struct of a machine.
type field struct {
	key, want string
	index     int
}

// layouts holds the fields of structs by their types: tags are slow to read.
var layouts sync.Map

func layoutOf(t reflect.Type) []field {
	if list, ok := layouts.Load(t); ok {
		return list.([]field)
	}
	var list []field
	for i := range t.NumField() {
		if tag := t.Field(i).Tag; tag.Get("json") != "-" {
			list = append(list, field{tag.Get("json"), tag.Get("want"), i})
		}
	}
	layouts.Store(t, list)
	return list
}

func float(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
