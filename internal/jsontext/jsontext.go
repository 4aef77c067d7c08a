// Package jsontext has what readers of JSON share: values that are read whole, and errors in words.
//
// Bytes go in; a value comes out, or an error of one line with the byte, the line and the key, the kind of value there and the kind wanted.
// The package does not know which files there are: their names are the caller's.
package jsontext

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"unicode/utf8"
)

// mark is the byte order mark of UTF-8, which some editors write in front of a text.
var mark = []byte("\ufeff")

// Bare is a text without the byte order mark in front.
func Bare(data []byte) []byte { return bytes.TrimPrefix(data, mark) }

// Decode reads the one value of a JSON text, with or without a byte order mark. Keys that v does not have are left out.
func Decode(data []byte, v any) error {
	data = Bare(data)
	if err := json.Unmarshal(data, v); err != nil {
		return errors.New(Words(data, err))
	}
	return nil
}

// Words has an error that encoding/json made of a text in words: "byte 900, line 3, key clocks: an object wanted, not a text".
func Words(data []byte, err error) string {
	var at *json.SyntaxError
	var of *json.UnmarshalTypeError
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return "it is empty: JSON wanted"
	case errors.As(err, &of):
		return place(data, of.Offset) + key(of.Field) + ": " + kind(of.Type) + " wanted, not " + value(of.Value)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &at) && at.Offset >= int64(len(data)) && strings.HasPrefix(at.Error(), "unexpected end"):
		return "it ends early: the end of the JSON wanted"
	case at != nil:
		return place(data, at.Offset) + ": " + Unexpected(data, at.Offset)
	}
	text := strings.TrimPrefix(strings.ReplaceAll(err.Error(), "\n", " "), "json: ")
	if name, ok := strings.CutPrefix(text, "unknown field "); ok {
		return fmt.Sprintf("key %.80s is not known", strings.Trim(name, `"`))
	}
	return text
}

// Unexpected says that a text is no JSON before an offset, and at which character.
func Unexpected(data []byte, offset int64) string {
	at := min(max(offset-1, 0), int64(len(data)))
	if r, n := utf8.DecodeRune(data[at:]); n > 0 && r > 0x20 && (r != utf8.RuneError || n > 1) {
		return fmt.Sprintf("it is no JSON: %q is not expected", r)
	}
	return "it is no JSON"
}

// place is the byte of an offset, and its line where the text has several.
func place(data []byte, offset int64) string {
	if !bytes.Contains(bytes.TrimSpace(data), []byte("\n")) {
		return fmt.Sprintf("byte %d", offset)
	}
	return fmt.Sprintf("byte %d, line %d", offset, 1+bytes.Count(data[:min(offset, int64(len(data)))], []byte("\n")))
}

// key is the path of a key, without the names of Go's embedded structs, which begin with a capital.
func key(path string) string {
	var keys []string
	for k := range strings.SplitSeq(path, ".") {
		if k != "" && !('A' <= k[0] && k[0] <= 'Z') {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return ""
	}
	return fmt.Sprintf(", key %.80s", strings.Join(keys, "."))
}

// values has the kinds of values of encoding/json in words.
var values = map[string]string{"string": "a text", "number": "a number", "bool": "true or false", "object": "an object", "array": "a list", "null": "null"}

// value is a kind of value, or a number that its place cannot hold.
func value(name string) string {
	if text := values[name]; text != "" {
		return text
	}
	return fmt.Sprintf("%.40s", strings.TrimPrefix(name, "number "))
}

// kinds has the kinds of Go's values in words.
var kinds = map[reflect.Kind]string{
	reflect.Bool: "true or false", reflect.String: "a text", reflect.Float32: "a finite number", reflect.Float64: "a finite number",
	reflect.Slice: "a list", reflect.Array: "a list", reflect.Map: "an object", reflect.Struct: "an object",
}

// kind is what a Go type is in JSON.
func kind(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if text := kinds[t.Kind()]; text != "" {
		return text
	}
	if reflect.New(t).Elem().CanUint() {
		return "a whole number of 0 or more"
	}
	return "a whole number"
}

// Strict is Decode that refuses keys that v does not have, and keys that are twice in the object.
func Strict(data []byte, v any) error {
	data = Bare(data)
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return errors.New(Words(data, err))
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("%s: more after the end of the JSON: nothing wanted", place(data, d.InputOffset()))
	}
	return Once(data)
}

// Members visits the members of an object in their order, each of which may be there once. What is wrong with the text is said after the
// members before it; errors of member are returned as they are.
func Members(data []byte, member func(key string, value json.RawMessage) error) error {
	data = Bare(data)
	wrong := func(err error) error {
		var all json.RawMessage
		if e := json.Unmarshal(data, &all); e != nil {
			err = e // with its byte
		}
		return errors.New(Words(data, err))
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if open, err := d.Token(); err != nil {
		return wrong(err)
	} else if open != json.Delim('{') {
		if open == nil {
			return fmt.Errorf("byte %d: an object wanted, not null", d.InputOffset())
		}
		var object map[string]any
		return wrong(json.Unmarshal(data, &object))
	}
	seen := map[string]bool{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return wrong(err)
		}
		key := name.(string) // an object has no other
		if seen[key] {
			return twice(key)
		}
		seen[key] = true
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return wrong(err)
		}
		if err := member(key, value); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return wrong(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("%s: more after the end of the JSON: nothing wanted", place(data, d.InputOffset()))
	}
	return nil
}

// twice is a key that an object has twice.
type twice string

func (t twice) Error() string { return fmt.Sprintf("key %.80s: twice, once wanted", string(t)) }

// Once is the error of an object that has a key twice at its top; nil of a text that is no object.
func Once(data []byte) error {
	var key twice
	if err := Members(data, func(string, json.RawMessage) error { return nil }); errors.As(err, &key) {
		return key
	}
	return nil
}
