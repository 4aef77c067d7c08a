package report

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
)

// CSV writes rows, a slice of structs, as comma-separated values. There is a column for each key of their JSON: that of an object in an
// object is named after both, as gpu.ns; a list of numbers or texts is one cell, with spaces between them. Lists of objects are left
// out. Numbers are those of JSON; what is null is "".
func CSV(w io.Writer, rows any) error {
	list := reflect.ValueOf(rows)
	columns := columnsOf(list.Type().Elem(), "", nil)
	out := csv.NewWriter(w)
	cells := make([]string, len(columns))
	for i, c := range columns {
		cells[i] = c.name
	}
	out.Write(cells) // Error returns its error
	for i := range list.Len() {
		for k, c := range columns {
			cells[k] = c.cell(list.Index(i))
		}
		out.Write(cells)
	}
	out.Flush()
	return out.Error()
}

// csvColumn is a column of CSV: a field of a row, or one of a field.
type csvColumn struct {
	name string
	path []int // of fields
}

// columnsOf lists the columns of a struct's fields.
func columnsOf(t reflect.Type, prefix string, path []int) (list []csvColumn) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	for i := range t.NumField() {
		f := t.Field(i)
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		at := append(path[:len(path):len(path)], i)
		of := f.Type
		if of.Kind() == reflect.Pointer {
			of = of.Elem()
		}
		element := of
		for element.Kind() == reflect.Slice || element.Kind() == reflect.Array {
			element = element.Elem()
		}
		switch {
		case f.Anonymous && key == "":
			list = append(list, columnsOf(of, prefix, at)...)
		case key == "-" || !f.IsExported():
		case of.Implements(marshaler):
			list = append(list, csvColumn{prefix + key, at})
		case of.Kind() == reflect.Struct:
			list = append(list, columnsOf(of, prefix+key+".", at)...)
		case element.Kind() != reflect.Struct && element.Kind() != reflect.Pointer:
			list = append(list, csvColumn{prefix + key, at})
		}
	}
	return list
}

var marshaler = reflect.TypeFor[json.Marshaler]()

// cell is the text of a row's cell; "" where it is in an object that is not there.
func (c *csvColumn) cell(v reflect.Value) string {
	for _, i := range c.path {
		if v = reflect.Indirect(v); !v.IsValid() {
			return ""
		}
		v = v.Field(i)
	}
	return cellText(reflect.Indirect(v))
}

func cellText(v reflect.Value) string {
	if !v.IsValid() {
		return ""
	}
	if v.Type().Implements(marshaler) || v.Kind() == reflect.Map {
		text, err := json.Marshal(v.Interface())
		if err != nil {
			panic("report: " + err.Error()) // no JSON of the command would be
		}
		return string(text)
	}
	switch v.Kind() {
	case reflect.Slice, reflect.Array:
		var list []string
		for i := range v.Len() {
			list = append(list, cellText(v.Index(i)))
		}
		return strings.Join(list, " ")
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	}
	return fmt.Sprint(v.Interface())
}
