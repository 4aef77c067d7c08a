package local

import (
	"slices"
	"testing"

	"pimflow/internal/candidate"
	"pimflow/internal/device"
)

// TestCross: between nodes where both lists are cut the better part is taken.
func TestCross(t *testing.T) {
	list := func(parts ...[2]int) (list []*candidate.Window) { // nodes and time
		lo := 0
		for _, p := range parts {
			list = append(list, &candidate.Window{Lo: lo, Partitions: make([]*candidate.Partition, p[0]), Time: device.Time(p[1])})
			lo += p[0]
		}
		return list
	}
	times := func(list []*candidate.Window) (ts []int) {
		for _, s := range list {
			ts = append(ts, int(s.Time))
		}
		return ts
	}
	a := list([2]int{1, 5}, [2]int{2, 7}, [2]int{3, 9}, [2]int{1, 1})
	b := list([2]int{3, 11}, [2]int{1, 4}, [2]int{2, 6}, [2]int{1, 1})
	if got := times(crossover(a, b, candidate.Linear{Time: 1})); !slices.Equal(got, []int{11, 9, 1}) {
		t.Errorf("%v", got)
	}
	if got := times(crossover(b, a, candidate.Linear{Time: 1})); !slices.Equal(got, []int{11, 9, 1}) {
		t.Errorf("%v the other way round", got)
	}
	if got := times(crossover(nil, a, candidate.Linear{Time: 1})); !slices.Equal(got, times(a)) {
		t.Errorf("%v of one list", got)
	}
}
