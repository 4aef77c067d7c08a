package dram

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"pimflow/internal/nearest"
)

// Switch is a choice between rules that publications leave open, with its values, the default first.
type Switch struct {
	Name   string
	Values []string
}

// With is the standard with values of its switches; a switch that is not named, or has the value
// "", has its default. The error names a switch or a value that the standard has not.
func (s *Standard) With(values map[string]string) (*Standard, error) {
	chosen := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		value := values[name]
		if value == "" {
			continue
		}
		i := slices.IndexFunc(s.Switches, func(w Switch) bool { return w.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("%s: DRAM standard %s has no such switch", name, s.Name)
		}
		if known := s.Switches[i].Values; !slices.Contains(known, value) {
			return nil, fmt.Errorf("%s: %.80q: one of %s wanted%s", name, value, strings.Join(known, ", "), nearest.Hint(value, known))
		}
		chosen[name] = value
	}
	if len(chosen) == 0 {
		return s, nil
	}
	return s.variant(chosen), nil
}
