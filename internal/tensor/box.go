package tensor

import (
	"fmt"
	"strconv"
	"strings"
)

// Range is the half-open interval [Lo, Hi) of one dimension.
type Range struct{ Lo, Hi int }

// Len is the number of indices in r, never negative.
func (r Range) Len() int { return max(r.Hi-r.Lo, 0) }

// Box is a rectangular part of a value: one Range a dimension. Cutting a layer
// by rows, by output channels or by images are all boxes.
type Box []Range

// Full is the box of the whole of s.
func Full(s Shape) Box {
	b := make(Box, len(s))
	for i, d := range s {
		b[i] = Range{0, d}
	}
	return b
}

// Shape is the extent of b in each dimension.
func (b Box) Shape() Shape {
	s := make(Shape, len(b))
	for i, r := range b {
		s[i] = r.Len()
	}
	return s
}

// Size is the number of values in b; 1 for a scalar's box.
func (b Box) Size() int {
	n := 1
	for _, r := range b {
		n *= r.Len()
	}
	return n
}

// Empty reports whether b holds no value.
func (b Box) Empty() bool { return b.Size() == 0 }

// Clone returns a copy.
func (b Box) Clone() Box { return append(Box{}, b...) }

// With returns a copy of b whose dimension dim is r.
func (b Box) With(dim int, r Range) Box {
	c := b.Clone()
	c[dim] = r
	return c
}

// Equal reports whether both are the same ranges.
func (b Box) Equal(o Box) bool {
	if len(b) != len(o) {
		return false
	}
	for i := range b {
		if b[i] != o[i] {
			return false
		}
	}
	return true
}

// Intersect is the common part, possibly empty. Both have the same rank.
func (b Box) Intersect(o Box) Box {
	c := make(Box, len(b))
	for i := range b {
		c[i] = Range{max(b[i].Lo, o[i].Lo), min(b[i].Hi, o[i].Hi)}
		c[i].Hi = max(c[i].Hi, c[i].Lo)
	}
	return c
}

// Hull is the smallest box that holds both; an empty box adds nothing.
func (b Box) Hull(o Box) Box {
	if b.Empty() {
		return o.Clone()
	}
	if o.Empty() {
		return b.Clone()
	}
	c := make(Box, len(b))
	for i := range b {
		c[i] = Range{min(b[i].Lo, o[i].Lo), max(b[i].Hi, o[i].Hi)}
	}
	return c
}

// Contains reports whether every value of o is in b; an empty o always is.
func (b Box) Contains(o Box) bool {
	if o.Empty() {
		return true
	}
	for i := range b {
		if o[i].Lo < b[i].Lo || o[i].Hi > b[i].Hi {
			return false
		}
	}
	return true
}

// In reports whether b is a well-formed part of a value of shape s.
func (b Box) In(s Shape) bool {
	if len(b) != len(s) {
		return false
	}
	for i, r := range b {
		if r.Lo < 0 || r.Hi < r.Lo || r.Hi > s[i] {
			return false
		}
	}
	return true
}

// Runs calls f for each contiguous run of values of b in a row-major tensor of
// shape s, in order: off is the offset of the run and n its length.
func (b Box) Runs(s Shape, f func(off, n int)) {
	if b.Empty() {
		return
	}
	// The innermost dimensions that b covers whole belong to the run.
	k, n := len(b), 1
	for k > 0 {
		k--
		n *= b[k].Len()
		if b[k].Len() != s[k] {
			break
		}
	}
	st := s.Strides()
	idx := make([]int, k)
	for {
		off := 0
		for i := range b {
			off += b[i].Lo * st[i]
		}
		for i, v := range idx {
			off += v * st[i]
		}
		f(off, n)
		i := k - 1
		for ; i >= 0; i-- {
			if idx[i]++; idx[i] < b[i].Len() {
				break
			}
			idx[i] = 0
		}
		if i < 0 {
			return
		}
	}
}

// String prints [0:1 0:32 5:56 0:56]; a scalar's box prints [].
func (b Box) String() string {
	p := make([]string, len(b))
	for i, r := range b {
		p[i] = strconv.Itoa(r.Lo) + ":" + strconv.Itoa(r.Hi)
	}
	return "[" + strings.Join(p, " ") + "]"
}

// ParseBox reads what Box.String prints.
func ParseBox(text string) (Box, error) {
	bad := func() (Box, error) {
		return nil, fmt.Errorf("box %.80q: ranges like [0:1 0:32 5:56 0:56] wanted", text)
	}
	if !strings.HasPrefix(text, "[") || !strings.HasSuffix(text, "]") {
		return bad()
	}
	b := Box{}
	for _, p := range strings.Fields(text[1 : len(text)-1]) {
		lo, hi, ok := strings.Cut(p, ":")
		l, err1 := strconv.Atoi(lo)
		h, err2 := strconv.Atoi(hi)
		if !ok || err1 != nil || err2 != nil || l < 0 || h < l {
			return bad()
		}
		b = append(b, Range{l, h})
	}
	return b, nil
}
