package op

import (
	"fmt"

	"pimflow/internal/tensor"
)

// same is the Type of operators whose inputs and value are all of one type.
func same(_ Attrs, in []tensor.Type) (tensor.Type, error) {
	for i, t := range in {
		if t != in[0] {
			return 0, fmt.Errorf("input %d is %v: %v as input 0 wanted", i, t, in[0])
		}
	}
	return in[0], nil
}

// floating is the Type of operators whose inputs and value are all of one
// floating type.
func floating(a Attrs, in []tensor.Type) (tensor.Type, error) {
	if !in[0].Float() {
		return 0, fmt.Errorf("input 0 is %v: a floating type wanted", in[0])
	}
	return same(a, in)
}

// numeric is the Type of operators whose inputs and value are all of one type
// other than bool.
func numeric(a Attrs, in []tensor.Type) (tensor.Type, error) {
	if in[0] == tensor.Bool {
		return 0, fmt.Errorf("input 0 is bool: a number wanted")
	}
	return same(a, in)
}

// logical is the Type of operators on bools.
func logical(_ Attrs, in []tensor.Type) (tensor.Type, error) {
	for i, t := range in {
		if t != tensor.Bool {
			return 0, fmt.Errorf("input %d is %v: bool wanted", i, t)
		}
	}
	return tensor.Bool, nil
}

// axis is the attribute called axis for a value of the given rank, counted from
// the end where negative.
func axis(a Attrs, rank int) (int, error) {
	x := a.Int("axis")
	if x < -rank || x >= rank {
		return 0, fmt.Errorf("axis %d of a value of rank %d: %d to %d wanted", x, rank, -rank, rank-1)
	}
	return (x + rank) % rank, nil
}

// axisOf is axis after Shape has checked it.
func axisOf(a Attrs, rank int) int {
	x, err := axis(a, rank)
	if err != nil {
		panic(err)
	}
	return x
}

// rank refuses a shape whose rank is not within lo to hi.
func rank(i int, s tensor.Shape, lo, hi int) error {
	switch {
	case len(s) >= lo && len(s) <= hi:
		return nil
	case lo == hi:
		return fmt.Errorf("input %d is %v: rank %d wanted", i, s, lo)
	}
	return fmt.Errorf("input %d is %v: rank %d to %d wanted", i, s, lo, hi)
}

// lengths refuses integer attributes that do not have n values.
func lengths(a Attrs, n int, names ...string) error {
	for _, name := range names {
		if v := a[name].([]int64); len(v) != n {
			return fmt.Errorf("%s %v: %d values wanted", name, v, n)
		}
	}
	return nil
}

// line refuses an input that is not n values along one dimension.
func line(in []tensor.Shape, i, n int) error {
	if i < len(in) && !in[i].Equal(tensor.Shape{n}) {
		return fmt.Errorf("input %d is %v: %d wanted", i, in[i], n)
	}
	return nil
}
