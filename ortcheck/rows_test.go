package ortcheck

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"pimflow/internal/tensor"
)

// rowTolerance is how far a row's values may be off, relative to the largest magnitude of their output, and how far the scores
// of two places may be apart that rows change: what is that near in float32 comes in another order, through the depth of a
// detector. Estimated.
const rowTolerance = 1e-4

// sameRows holds the outputs of a detector, a row a box in each, against each other. Each wanted row must be there once, and
// in another place only if the wanted scores of both places are within the tolerance. It returns how many are in another place.
func sameRows(got, want []*tensor.Tensor) (moved int, err error) {
	n := -1
	for k, w := range want {
		if len(w.Shape) == 0 || n >= 0 && w.Shape[0] != n || len(got) != len(want) || !got[k].Shape.Equal(w.Shape) || got[k].Type != w.Type {
			return 0, fmt.Errorf("output %d is no list of the same rows", k)
		}
		n = w.Shape[0]
	}
	allowed := make([]float64, len(want))
	scores := -1
	for k, w := range want {
		if !w.Type.Float() {
			continue
		}
		for _, v := range w.Floats() {
			allowed[k] = max(allowed[k], rowTolerance*math.Abs(float64(v)))
		}
		if len(w.Shape) == 1 && slices.IsSortedFunc(w.Floats(), func(a, b float32) int { return cmp.Compare(b, a) }) {
			scores = k
		}
	}
	if scores < 0 {
		return 0, errors.New("no output has scores, the largest first")
	}
	score := want[scores].Floats()
	used := make([]bool, n)
	for i := range n {
		at := -1
		for _, j := range nearby(i, n) {
			if !used[j] && math.Abs(float64(score[i]-score[j])) <= allowed[scores] && sameRow(got, want, j, i, allowed) {
				at = j
				break
			}
		}
		if at < 0 {
			return 0, fmt.Errorf("row %d, of score %v, is in no place of such a score", i, score[i])
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
	scores := func(v ...float32) *tensor.Tensor { return tensor.Floats32(tensor.Shape{len(v)}, v) }
	labels := func(v ...int64) *tensor.Tensor { return tensor.Ints64(tensor.Shape{len(v)}, v) }
	tie, apart := scores(0.9, 0.89999, 0.5), scores(0.9, 0.8, 0.5)
	for _, c := range []struct {
		name   string
		scores *tensor.Tensor
		boxes  *tensor.Tensor
		labels *tensor.Tensor
		moved  int
		ok     bool
	}{
		{"equal", apart, boxes(1, 2, 3, 4, 5, 6), labels(7, 8, 9), 0, true},
		{"a tie, in another order", tie, boxes(3, 4, 1, 2, 5, 6.0003), labels(8, 7, 9), 2, true},
		{"scores apart, in another order", apart, boxes(3, 4, 1, 2, 5, 6), labels(8, 7, 9), 0, false},
		{"other labels", tie, boxes(3, 4, 1, 2, 5, 6), labels(7, 8, 9), 0, false},
		{"a row twice", tie, boxes(1, 2, 1, 2, 5, 6), labels(7, 7, 9), 0, false},
		{"another value", tie, boxes(1, 2, 3, 4, 5, 6.01), labels(7, 8, 9), 0, false},
		{"scores that rise", scores(0.5, 0.50001, 0.9), boxes(3, 4, 1, 2, 5, 6), labels(8, 7, 9), 0, false},
		{"fewer rows", apart, boxes(1, 2), labels(7), 0, false},
	} {
		want := []*tensor.Tensor{boxes(1, 2, 3, 4, 5, 6), labels(7, 8, 9), c.scores}
		if moved, err := sameRows([]*tensor.Tensor{c.boxes, c.labels, c.scores}, want); moved != c.moved || (err == nil) != c.ok {
			t.Errorf("%s: %d moved, %v", c.name, moved, err)
		}
	}
	if _, err := sameRows([]*tensor.Tensor{boxes(1, 2)}, []*tensor.Tensor{boxes(1, 2)}); err == nil {
		t.Error("rows without scores: no error")
	}
}
