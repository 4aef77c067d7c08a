package pim

import (
	"slices"

	"pimflow/internal/tensor"
)

// Padding that need not be multiplied. With K tap by tap, the taps of a pixel that lie in the
// padding are whole columns if a tap has enough channels. Pixels whose padding is the same
// columns are a padding class. A layer's pixels are numbered class by class.

// paddingClass is the pixels of a box of positions, in row-major order, for which the same
// taps of the kernel lie in the padding.
type paddingClass struct {
	at            []tensor.Range // along the layer's axes
	taps          []tensor.Range // along the kernel's dimensions; all others are padding. nil: all taps
	first, pixels int
}

// classOf returns the class of a pixel, and the pixel's number within it.
func (l *layer) classOf(pixel int) (*paddingClass, int) {
	n := 0
	if len(l.classes) > 1 {
		n, _ = slices.BinarySearchFunc(l.classes, pixel, func(q paddingClass, p int) int { return q.first + q.pixels - 1 - p })
	}
	q := &l.classes[n]
	return q, pixel - q.first
}

// position sets at to the position of a pixel along the axes.
func (l *layer) position(pixel int, at []int) {
	q, n := l.classOf(pixel)
	for i := len(q.at) - 1; i >= 0; i-- {
		at[i] = q.at[i].Lo + n%q.at[i].Len()
		n /= q.at[i].Len()
	}
}

// axisClass is the positions along a window axis from which the same taps reach the input.
type axisClass struct{ at, taps tensor.Range }

// classes divides the positions of an axis under a kernel of so many taps.
func (a *axis) classes(kernel, dilation int) []axisClass {
	var all []axisClass
	for p := a.Lo; p < a.Hi; p++ {
		origin, taps := p*a.stride-a.pad, tensor.Range{}
		if last := a.extent - 1 - origin; last >= 0 {
			taps = tensor.Range{Lo: max(0, ceilDiv(-origin, dilation)), Hi: min(kernel, last/dilation+1)}
		}
		if taps.Len() == 0 {
			taps = tensor.Range{}
		}
		if n := len(all) - 1; n >= 0 && all[n].taps == taps {
			all[n].at.Hi++
		} else {
			all = append(all, axisClass{tensor.Range{Lo: p, Hi: p + 1}, taps})
		}
	}
	return all
}

// join returns two neighbouring classes as one.
func (s axisClass) join(o axisClass) axisClass {
	s.at.Hi = o.at.Hi
	switch {
	case s.taps.Len() == 0:
		s.taps = o.taps
	case o.taps.Len() > 0:
		s.taps = tensor.Range{Lo: min(s.taps.Lo, o.taps.Lo), Hi: max(s.taps.Hi, o.taps.Hi)}
	}
	return s
}

// maxClasses bounds the classes of a layer, and so the length of its streams. A 7x7 kernel has
// 49 (estimated: enough).
const maxClasses = 64

// usualClasses are the most classes of nearly all layers: those of a 5x5 kernel.
const usualClasses = 25

// maxClassColumns bounds the columns of a pixel times the classes, so that no layer takes
// long. A 31x31 kernel over 64 channels has fewer (estimated: enough).
const maxClassColumns = 1 << 18

// skipping returns the layer tap by tap with its pixels by padding class. It returns nil if
// less than one of worth columns of lanes elements is all padding for a pixel when merge
// groups are in a matrix.
func (l *layer) skipping(merge, lanes, worth int) *layer {
	if l.phases != nil {
		return l.skippingAny(merge, lanes, worth)
	}
	var dims [][]axisClass // by kernel dimension
	any := false
	for i := range l.axes {
		if a := &l.axes[i]; a.window {
			d := len(dims)
			kernel, dilation := l.taps.kernel[d], l.taps.dilation[d]
			dims = append(dims, nil)
			if !a.padded() {
				dims[d] = []axisClass{{a.Range, tensor.Range{Hi: kernel}}}
				continue
			}
			any, dims[d] = true, a.classes(kernel, dilation)
		}
	}
	if !any {
		return nil
	}
	t := *l
	t.byTap = true
	b := slices.MaxFunc(t.blocks(merge, lanes), func(a, b block) int { return a.merge - b.merge })
	all := b.pitch / lanes
	if all > maxClassColumns {
		return nil
	}
	shorten(dims, 16*maxClasses) // keeps the time short for kernels of any size
	t.joinAlike(&b, dims)
	shorten(dims, maxClasses)
	t.classes = t.product(dims)
	if all*len(t.classes) > maxClassColumns {
		return nil
	}
	skipped := 0
	for _, q := range t.classes {
		skipped += q.pixels * all
		for _, r := range t.needed(&b, q.taps) {
			skipped -= q.pixels * r.Len()
		}
	}
	if skipped*worth < l.pixels*all || skipped == 0 {
		return nil
	}
	return &t
}

// skippingAny is skipping of a layer of several products, where one of them skips padding.
func (l *layer) skippingAny(merge, lanes, worth int) *layer {
	t := *l
	t.phases = slices.Clone(l.phases)
	for i, p := range l.phases {
		if s := p.skipping(merge, lanes, worth); s != nil {
			t.phases[i], t.byTap = s, true
		}
	}
	if !t.byTap {
		return nil
	}
	return &t
}

// classColumns is pixels of a padding class, and the columns of their rows that are not all
// padding.
type classColumns struct {
	first, pixels int
	need          []tensor.Range
}

// classColumns lists the columns that each padding class needs of a block; nil: all columns.
func (l *layer) classColumns(b *block) *[]classColumns {
	if !l.byTap {
		return nil
	}
	s := make([]classColumns, len(l.classes))
	for i, q := range l.classes {
		s[i] = classColumns{q.first, q.pixels, l.needed(b, q.taps)}
	}
	return &s
}

// worth: K is also tried tap by tap if at least one of so many column accesses is padding. At 1
// of 100, VGG-16 as a whole gains 0.2 % on newton, for a third more time of the search
// (measured: BenchmarkWorth).
const worth = 50

// joinAlike joins neighbouring classes whose pixels need the same columns.
func (l *layer) joinAlike(b *block, dims [][]axisClass) {
	alike := func(d, i int) bool {
		same := true
		others := slices.Clone(dims)
		others[d] = []axisClass{{}}
		eachTaps(others, func(taps []tensor.Range) {
			taps[d] = dims[d][i].taps
			one := l.needed(b, taps)
			taps[d] = dims[d][i+1].taps
			same = same && slices.Equal(one, l.needed(b, taps))
		})
		return same
	}
	for d := range dims {
		for i := len(dims[d]) - 2; i >= 0; i-- {
			if alike(d, i) {
				dims[d][i] = dims[d][i].join(dims[d][i+1])
				dims[d] = slices.Delete(dims[d], i+1, i+2)
			}
		}
	}
}

// shorten joins the classes that lose least until at most most classes of pixels are left.
func shorten(dims [][]axisClass, most int) {
	for {
		n, longest := 1, 0
		for d := range dims {
			n *= len(dims[d])
			if len(dims[d]) > len(dims[longest]) {
				longest = d
			}
		}
		if n <= most {
			return
		}
		s := dims[longest]
		lost := func(i int) int {
			all := s[i].join(s[i+1]).taps.Len()
			return s[i].at.Len()*(all-s[i].taps.Len()) + s[i+1].at.Len()*(all-s[i+1].taps.Len())
		}
		least := 0
		for i := range len(s) - 1 {
			if lost(i) < lost(least) {
				least = i
			}
		}
		s[least] = s[least].join(s[least+1])
		dims[longest] = slices.Delete(s, least+1, least+2)
	}
}

// eachTaps calls f with the taps of each combination of one class a dimension.
func eachTaps(dims [][]axisClass, f func(taps []tensor.Range)) {
	n := 1
	for _, d := range dims {
		n *= len(d)
	}
	taps := make([]tensor.Range, len(dims))
	for i := range n {
		for d := len(dims) - 1; d >= 0; d-- {
			taps[d] = dims[d][i%len(dims[d])].taps
			i /= len(dims[d])
		}
		f(taps)
	}
}

// product is the classes of pixels: one for each combination of classes of the window axes.
func (l *layer) product(dims [][]axisClass) []paddingClass {
	n := 1
	for _, d := range dims {
		n *= len(d)
	}
	classes := make([]paddingClass, n)
	first := 0
	for i := range classes {
		q := paddingClass{at: make([]tensor.Range, len(l.axes)), taps: make([]tensor.Range, len(dims)), first: first, pixels: 1}
		d, rest := len(dims), i
		for x := len(l.axes) - 1; x >= 0; x-- {
			q.at[x] = l.axes[x].Range
			if l.axes[x].window {
				d--
				s := dims[d][rest%len(dims[d])]
				rest /= len(dims[d])
				q.at[x], q.taps[d] = s.at, s.taps
			}
			q.pixels *= q.at[x].Len()
		}
		first += q.pixels
		classes[i] = q
	}
	return classes
}

// needed lists the columns of a pixel's row of a block, tap by tap, that hold a tap of the
// box. Nil stands for all taps.
func (l *layer) needed(b *block, taps []tensor.Range) []tensor.Range {
	if taps == nil {
		return []tensor.Range{{Hi: b.pitch / b.lanes}}
	}
	rows, kernel := 1, l.taps.kernel
	last := len(taps) - 1
	for _, t := range taps[:last] {
		rows *= t.Len()
	}
	if taps[last].Len() == 0 {
		return nil
	}
	width := b.merge * l.channels()
	var need []tensor.Range
	for row := range rows { // of the kernel: its taps follow each other
		at, step := 0, kernel[last]
		for d := last - 1; d >= 0; d-- {
			at += (taps[d].Lo + row%taps[d].Len()) * step
			step *= kernel[d]
			row /= taps[d].Len()
		}
		r := tensor.Range{Lo: (at + taps[last].Lo) * width / b.lanes, Hi: ceilDiv((at+taps[last].Hi)*width, b.lanes)}
		if n := len(need) - 1; n >= 0 && need[n].Hi >= r.Lo {
			need[n].Hi = r.Hi
		} else {
			need = append(need, r)
		}
	}
	return need
}

// channels is the number of input channels of a group.
func (l *layer) channels() int { return l.groupK / tensor.Shape(l.taps.kernel).Size() }
