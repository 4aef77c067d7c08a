package hw

import (
	"fmt"
	"reflect"
	"slices"

	"pimflow/internal/nearest"
)

// Value is what a key of the machine has: a float64 of a number, of a period in picoseconds, or of a number that formulas may
// name and no file has; a bool of a switch, a string of a text. The error names the nearest key.
func (m *Machine) Value(key string) (any, error) {
	for _, d := range derivedKeys {
		if d.key == key {
			return d.of(m)
		}
	}
	var found any
	var known []string
	leaves("", reflect.ValueOf(m).Elem(), "", func(l leaf) {
		known = append(known, l.path)
		switch {
		case l.path != key:
		case l.number():
			found, _ = l.rational().Float64()
		default:
			found = l.v.Interface()
		}
	})
	if found == nil {
		return nil, fmt.Errorf("%.80s: machine %s has no such key%s", key, m.Name, nearest.Hint(key, known))
	}
	return found, nil
}

// derivedFrom are the keys that derivedKeys follow from.
var derivedFrom = []string{
	"memory.channels", "memory.pim_channels", "pim.number_format", "pim.column_bytes", "pim.row_bytes", "launch.gpu", "gpu.launches.stream_us", "gpu.launches.graph_us",
}

// Follows lists the keys that a number follows from, itself first: it is another one only where one of these is, or where a
// text of the machine is, as launch.gpu.
func (m *Machine) Follows(key string) []string {
	list := []string{key}
	add := func(key string) {
		if !slices.Contains(list, key) {
			list = append(list, key)
		}
	}
	for i := 0; i < len(list); i++ {
		key := list[i]
		if slices.ContainsFunc(derivedKeys, func(d derivedKey) bool { return d.key == key }) {
			for _, from := range derivedFrom {
				add(from)
			}
		}
		g, ok := m.Given[key]
		if ok && g.NS != "" {
			add("gpu.clock_ps")
			add("pim.clock_ps")
		}
		for _, from := range keysIn(g.Formula) {
			add(from)
		}
	}
	return list
}
