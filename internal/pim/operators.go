package pim

import (
	"maps"
	"slices"
)

// Operators returns the names of the operators that the channels execute, where their weights are constant, sorted.
func Operators() []string { return slices.Sorted(maps.Keys(lowerings)) }
