package pim

import (
	"slices"

	"pimflow/internal/dram"
)

// What a sum is to which nothing has been added.
const (
	mayBeAdded = -1 // products may be added
	mustBeSet  = -2 // it must be set first
)

// afterRead is the state of a sum that has been read.
func (f *follower) afterRead() int {
	if f.device.ops.cleared() {
		return mayBeAdded
	}
	return mustBeSet
}

// sum returns the accumulator that a command names, nil if there is none.
func (f *follower) sum(c *dram.Command, index []int) *int {
	i := int(c.Acc.At(index))
	if i < 0 || i >= len(f.sums) {
		f.violated("accumulator %d is named: a bank has %d", i, len(f.sums))
		return nil
	}
	return &f.sums[i]
}

func (f *follower) init(sum *int) {
	switch {
	case *sum >= 0:
		f.violated("a sum is set when %s has not been read", f.name(*sum))
	case *sum == mayBeAdded:
		f.violated("a sum is set again before anything is added to it")
	}
	*sum = mayBeAdded
}

// read takes the sums to the results from an element on.
func (f *follower) read(from *int, at int) {
	switch sum := f.sumAt(at); {
	case sum < 0:
		f.violated("READRES to element %d, where no group of outputs begins", at)
	case *from < 0:
		f.violated("READRES to %s of what has not been computed", f.name(sum))
	case *from != sum:
		f.violated("READRES to %s of %s", f.name(sum), f.name(*from))
	}
	*from = f.afterRead()
}

func (f *follower) unread(when string) {
	for _, sum := range f.sums {
		if sum >= 0 {
			f.violated("%s has not been read before %s", f.name(sum), when)
		}
	}
}

// unset finds sums that were set for nothing.
func (f *follower) unset() {
	if f.afterRead() != mayBeAdded && slices.Contains(f.sums, mayBeAdded) {
		f.violated("a sum is set to which nothing is added before the end")
	}
}
