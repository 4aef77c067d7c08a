package space

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"pimflow/internal/nearest"
)

// AxisValues is an axis with its values written out.
type AxisValues struct {
	Name   string // as constraints have it
	Values []string
	Number bool // every value is a number
}

// Axes lists the axes of the spec in the order of the points, and those that advance together.
func (s *Space) Axes() (list []AxisValues, together [][]string) {
	for _, d := range s.dims {
		var names []string
		for _, a := range d.axes {
			names = append(names, s.axes[a].inConstraints())
		}
		if len(names) > 1 {
			together = append(together, names)
		}
	}
	for i := range s.axes {
		a := &s.axes[i]
		if s.spec.find(a.Name) == nil { // it has one value, which nobody chose
			continue
		}
		list = append(list, AxisValues{a.inConstraints(), slices.Clone(a.values), numbers(a.values)})
	}
	return list, together
}

// inConstraints is the name of an axis in constraints.
func (a *axis) inConstraints() string {
	if i := slices.IndexFunc(words, func(w word) bool { return w.name == a.Name }); i >= 0 {
		return words[i].flag
	}
	return a.Name
}

// Find returns the number of the point with these values by the names of axes. An axis of one value may be left out.
func (s *Space) Find(set map[string]string) (int, error) {
	var names []string
	at := make([]int, len(s.axes))
	for i := range s.axes {
		a := &s.axes[i]
		name := a.inConstraints()
		names = append(names, name)
		text, ok := set[name]
		switch {
		case !ok && len(a.values) > 1:
			return 0, fmt.Errorf("%s is missing: one of %s wanted", name, some(a.values))
		case ok:
			if at[i] = slices.IndexFunc(a.values, func(v string) bool { return canonical(v) == canonical(text) }); at[i] < 0 {
				return 0, fmt.Errorf("%s: %.80q: one of %s wanted", name, text, some(a.values))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(set)) {
		if !slices.Contains(names, name) {
			return 0, fmt.Errorf("%.80q is no axis of the space%s: %s wanted", name, nearest.Hint(name, names), some(names))
		}
	}
	n := 0
	for _, d := range s.dims {
		first := d.axes[0]
		for _, a := range d.axes[1:] {
			if at[a] != at[first] {
				return 0, fmt.Errorf("%s=%s and %s=%s: they advance together: %s wanted", names[first], s.axes[first].values[at[first]], names[a], s.axes[a].values[at[a]], s.axes[a].values[at[first]])
			}
		}
		n = n*d.size + at[first]
	}
	for i := range s.where {
		if s.where[i].excludes(at) {
			return 0, fmt.Errorf("where %.80q: another point wanted, for which it holds", s.where[i].text)
		}
	}
	return n, nil
}

// some lists the first of many texts.
func some(texts []string) string {
	const most = 12
	if len(texts) > most {
		return fmt.Sprintf("%s, ... (%d values)", strings.Join(texts[:most], ", "), len(texts))
	}
	return strings.Join(texts, ", ")
}
