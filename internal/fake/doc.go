// Package fake has devices whose costs are set by hand or drawn from a seed, random small
// graphs for them, and the optimum of a small graph by trying every plan. The tests of the
// packages that make plans use it.
//
// The package does not know how plans are found.
package fake
