package pim

import (
	"slices"

	"pimflow/internal/op"
)

// Operators lists the operators that the channels execute, sorted: products, on integers too.
func Operators() []string {
	return slices.DeleteFunc(op.Names(), func(name string) bool {
		o, _ := op.Lookup(name)
		return lowerings[o.OnReals()] == nil || o.MACs == nil
	})
}
