package hw

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Constant is a number of a machine.
type Constant struct {
	Path  string  // of the file, as "gpu.model.eta"
	Text  string  // the value as the file has it
	Value float64 // picoseconds of a period
	Range *Range  // nil where the file has no bounds
	whole bool
	clock *Period
}

// Constants lists the numbers of the machine in the order of Print.
func (m *Machine) Constants() []Constant {
	var list []Constant
	numbers("", reflect.ValueOf(m).Elem(), "", func(n number) {
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

// Changed is the value that lies that many per cent above the constant, as With takes
// it and as a number. A whole number is rounded; where that leaves it as it is, it
// changes by 1.
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

// With returns the machine with one number changed, written as in its file; bounds
// beside it move with it as far as they must. The error is what Parse would say of the
// file, without its name and line.
func (m *Machine) With(path, text string) (*Machine, error) {
	c, err := m.again()
	if err != nil {
		panic("hw: " + m.Name + " does not parse: " + err.Error())
	}
	err = fmt.Errorf("%s: there is no such number", path)
	numbers("", reflect.ValueOf(c).Elem(), "", func(n number) {
		if n.path != path {
			return
		}
		x := reflect.New(n.v.Type()).Elem()
		if n.v.Type() == rangeType {
			x.Set(n.v)
			r := x.Addr().Interface().(*Range)
			err = set(reflect.ValueOf(&r.Value).Elem(), json.Number(text), n.want)
			r.Low, r.High = min(r.Low, r.Value), max(r.High, r.Value)
		} else {
			err = set(x, json.Number(text), n.want)
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", path, err)
			return
		}
		n.put(x)
	})
	if err != nil {
		return nil, err
	}
	return c.again() // what holds between numbers
}

// again is the machine printed and parsed: a copy, checked.
func (m *Machine) again() (*Machine, error) {
	var b bytes.Buffer
	if err := m.Print(&b); err != nil {
		panic("hw: " + err.Error())
	}
	c, err := Parse("", b.Bytes())
	if err != nil { // ":12: gpu.sm: …" or ": gpu.sm: …"
		_, text, _ := strings.Cut(err.Error(), ": ")
		return nil, errors.New(text)
	}
	return c, nil
}

// number is a number of a machine and the way to change it.
type number struct {
	path string
	v    reflect.Value
	want string
	put  func(reflect.Value)
}

// numbers visits the numbers of v in the order of Print.
func numbers(path string, v reflect.Value, want string, visit func(number)) {
	switch {
	case v.Type() == periodType, v.Type() == rangeType, v.CanInt(), v.CanFloat():
		visit(number{path, v, want, v.Set})
	case v.Kind() == reflect.Struct:
		for _, key := range structKeys(v) {
			f, tag := structField(v, key)
			numbers(join(path, key), f, tag.Get("want"), visit)
		}
	case v.Kind() == reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, k := range keys {
			visit(number{join(path, k.String()), v.MapIndex(k), want, func(x reflect.Value) { v.SetMapIndex(k, x) }})
		}
	}
}

func float(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
