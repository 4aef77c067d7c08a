package ortcheck

import (
	"fmt"
	"math"
	"testing"

	"pimflow/internal/tensor"
)

// rowTolerance is how far a row's values may be off, relative to the largest magnitude of their output: what is near a
// score of another box in float32 comes in another order, through the depth of a detector. Estimated.
const rowTolerance = 1e-4

// sameRows holds the outputs of a detector, a row a box in each, against each other: every wanted row must be there once,
// in any order. It returns how many are in another place.
func sameRows(got, want []*tensor.Tensor) (moved int, err error) {
	n := -1
	for k, w := range want {
		if len(w.Shape) == 0 || n >= 0 && w.Shape[0] != n || len(got) != len(want) || !got[k].Shape.Equal(w.Shape) || got[k].Type != w.Type {
			return 0, fmt.Errorf("output %d is no list of the same rows", k)
		}
		n = w.Shape[0]
	}
	allowed := make([]float64, len(want))
	for k, w := range want {
		for i := range w.Shape.Size() {
			if w.Type.Float() {
				allowed[k] = max(allowed[k], rowTolerance*math.Abs(float64(w.Floats()[i])))
			}
		}
	}
	used := make([]bool, n)
	for i := range n {
		at := -1
		for _, j := range nearby(i, n) {
			if !used[j] && sameRow(got, want, j, i, allowed) {
				at = j
				break
			}
		}
		if at < 0 {
			return 0, fmt.Errorf("row %d is in no place", i)
		}
		if used[at] = true; at != i {
			moved++
		}
	}
	return moved, nil
}

// nearby lists the indices below n, those near i first.
func nearby(i, n int) (list []int) {
	list = append(list, i)
	for d := 1; d < n; d++ {
		for _, j := range []int{i - d, i + d} {
			if 0 <= j && j < n {
				list = append(list, j)
			}
		}
	}
	return list
}

func sameRow(got, want []*tensor.Tensor, j, i int, allowed []float64) bool {
	for k, w := range want {
		width := w.Shape[1:].Size()
		for c := range width {
			if !w.Type.Float() {
				if got[k].Ints()[j*width+c] != w.Ints()[i*width+c] {
					return false
				}
			} else if !(math.Abs(float64(got[k].Floats()[j*width+c]-w.Floats()[i*width+c])) <= allowed[k]) {
				return false
			}
		}
	}
	return true
}

func TestSameRows(t *testing.T) {
	boxes := func(v ...float32) *tensor.Tensor { return tensor.Floats32(tensor.Shape{len(v) / 2, 2}, v) }
	labels := func(v ...int64) *tensor.Tensor { return tensor.Ints64(tensor.Shape{len(v)}, v) }
	want := []*tensor.Tensor{boxes(1, 2, 3, 4, 5, 6), labels(7, 8, 9)}
	for _, c := range []struct {
		got   []*tensor.Tensor
		moved int
		ok    bool
	}{
		{want, 0, true},
		{[]*tensor.Tensor{boxes(3, 4, 1, 2, 5, 6.0003), labels(8, 7, 9)}, 2, true},
		{[]*tensor.Tensor{boxes(3, 4, 1, 2, 5, 6), labels(7, 8, 9)}, 0, false},
		{[]*tensor.Tensor{boxes(1, 2, 1, 2, 5, 6), labels(7, 7, 9)}, 0, false},
		{[]*tensor.Tensor{boxes(1, 2, 3, 4, 5, 6.01), labels(7, 8, 9)}, 0, false},
		{[]*tensor.Tensor{boxes(1, 2), labels(7)}, 0, false},
	} {
		if moved, err := sameRows(c.got, want); moved != c.moved || (err == nil) != c.ok {
			t.Errorf("%v: %d moved, %v", c.got[1].Ints(), moved, err)
		}
	}
}
