package search

import (
	"slices"
	"testing"

	"pimflow/internal/device"
)

// TestCross: between nodes where both lists are cut the better part is taken.
func TestCross(t *testing.T) {
	list := func(parts ...[2]int) (list []*stretch) { // nodes and time
		lo := 0
		for _, p := range parts {
			list = append(list, &stretch{lo: lo, divs: make([]*division, p[0]), time: device.Time(p[1])})
			lo += p[0]
		}
		return list
	}
	times := func(list []*stretch) (ts []int) {
		for _, s := range list {
			ts = append(ts, int(s.time))
		}
		return ts
	}
	a := list([2]int{1, 5}, [2]int{2, 7}, [2]int{3, 9}, [2]int{1, 1})
	b := list([2]int{3, 11}, [2]int{1, 4}, [2]int{2, 6}, [2]int{1, 1})
	if got := times(cross(a, b, objective{1, 0})); !slices.Equal(got, []int{11, 9, 1}) {
		t.Errorf("%v", got)
	}
	if got := times(cross(b, a, objective{1, 0})); !slices.Equal(got, []int{11, 9, 1}) {
		t.Errorf("%v the other way round", got)
	}
	if got := times(cross(nil, a, objective{1, 0})); !slices.Equal(got, times(a)) {
		t.Errorf("%v of one list", got)
	}
}
