package op

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"pimflow/internal/tensor"
)

// drawCounted draws the size of an instance.
func drawCounted(name string, draws func(*rapid.T) instance) func(*rapid.T) instance {
	return func(t *rapid.T) instance {
		x := draws(t)
		o, _ := Lookup(name)
		x.attrs["size"] = int64(draw(t, "size", 0, o.Largest(x.attrs, x.shapes())))
		return x
	}
}

// drawDistinct draws values of which many are equal.
func drawDistinct(t *rapid.T) instance {
	s := drawShape(t, 1, 3)
	typ := rapid.SampledFrom([]tensor.Type{tensor.Float32, tensor.Int64}).Draw(t, "type")
	return instance{Attrs{"axis": drawAxis(t, len(s)), "sorted": int64(draw(t, "sorted", 0, 1))},
		[]*tensor.Tensor{fillInts(tensor.Int64, s, draw(t, "seed", 0, 99), 0, 1).Convert(typ)}}
}

// TestCounted makes each value with an extent that depends on data at a drawn size and at the largest: what is
// found comes first, and is the same; after it are zeros.
func TestCounted(t *testing.T) {
	for _, name := range Names() {
		if o, _ := Lookup(name); o.Count == nil && o.Largest == nil {
			continue
		}
		t.Run(name, rapid.MakeCheck(func(t *rapid.T) {
			x := generators[name](t)
			at := func(size int) *tensor.Tensor {
				a := x.attrs.Clone()
				a["size"] = int64(size)
				o, done, y := prepare(t, name, instance{a, x.in})
				y = poisoned(y.Type, y.Shape)
				o.Eval(done, x.in, y, tensor.Full(y.Shape))
				return y
			}
			o, a, drawn := prepare(t, name, x)
			o.Eval(a, x.in, drawn, tensor.Full(drawn.Shape))
			largest := o.Largest(a, x.shapes())
			whole := at(largest)
			count := o.Count(a, x.in)
			if count < 0 || count > largest {
				t.Fatalf("%d of at most %d", count, largest)
			}
			d := 0 // the extent that is the size
			for i, n := range at(0).Shape {
				if n != whole.Shape[i] {
					d = i
				}
			}
			zeros := tensor.New(whole.Type, whole.Shape)
			rest := tensor.Full(whole.Shape).With(d, tensor.Range{Lo: count, Hi: largest})
			got := tensor.New(whole.Type, whole.Shape)
			move(got, rest, whole, of(whole.Shape))
			if !sameBits(got, zeros) {
				t.Fatalf("%d are found: %v", count, values(whole))
			}
			front := tensor.New(drawn.Type, drawn.Shape)
			move(front, tensor.Full(drawn.Shape), whole, of(whole.Shape))
			if !sameBits(front, drawn) {
				t.Fatalf("size %d: %v, of the largest %v", a.Int("size"), values(drawn), values(whole))
			}
			bad := a.Clone()
			bad["size"] = int64(largest + 1)
			if s, err := o.Shape(bad, x.shapes()); err == nil {
				t.Fatalf("size %d of at most %d: %v", largest+1, largest, s)
			}
		}))
	}
}

// TestNonZeroIsGathered gathers what NonZero finds: all other values are 0.
func TestNonZeroIsGathered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawShape(t, 1, 4)
		x := fillInts(tensor.Int64, s, draw(t, "seed", 0, 99), -1, 1)
		o, _ := Lookup("NonZero")
		n := o.Count(nil, []*tensor.Tensor{x})
		_, a, y := prepare(t, "NonZero", instance{Attrs{"size": int64(n)}, []*tensor.Tensor{x}})
		o.Eval(a, []*tensor.Tensor{x}, y, tensor.Full(y.Shape))
		left, before := slices.Clone(x.Ints()), -1
		for k := range n {
			at := 0
			for d, step := range s.Strides() {
				at += int(y.Ints()[d*n+k]) * step
			}
			if at <= before || left[at] == 0 {
				t.Fatalf("entry %d is at %d, after %d", k, at, before)
			}
			left[at], before = 0, at
		}
		if slices.ContainsFunc(left, func(v int64) bool { return v != 0 }) {
			t.Fatalf("%v of %v are not found", left, x.Ints())
		}
	})
}

// TestSuppressionIsMutual holds the definition of non-maximum suppression against what is selected: no selected box of a
// class overlaps one before it, each box that is not selected overlaps one with a score that is not lower, or
// comes after the last that may be.
func TestSuppressionIsMutual(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, most := draw(t, "boxes", 1, 9), draw(t, "most", 0, 9)
		boxes, scores := fillFloats(tensor.Float32, tensor.Shape{1, n, 4}, draw(t, "seed", 0, 99)), fillFloats(tensor.Float32, tensor.Shape{1, 1, n}, draw(t, "scores", 0, 99))
		a := Attrs{"max_output_boxes_per_class": int64(most), "iou_threshold": float32(draw(t, "iou", 0, 9)) / 10, "score_threshold": float32(0), "center_point_box": int64(draw(t, "centre", 0, 1))}
		rows := suppress(a, boxes, scores)
		var selected []int
		for i := 2; i < len(rows); i += 3 {
			selected = append(selected, int(rows[i]))
		}
		iou := func(i, j int) float64 {
			corner := func(k, d int) (lo, hi float64) {
				b := boxes.Floats()[4*k:]
				p, q := float64(b[d]), float64(b[2+d])
				if a.Int("center_point_box") == 1 {
					return p - q/2, p + q/2
				}
				return min(p, q), max(p, q)
			}
			size := func(lo, hi float64) float64 { return max(hi-lo, 0) }
			both, one, other := 1.0, 1.0, 1.0
			for d := range 2 {
				l, h := corner(i, d)
				m, k := corner(j, d)
				both, one, other = both*size(max(l, m), min(h, k)), one*size(l, h), other*size(m, k)
			}
			if both == 0 {
				return 0
			}
			return both / (one + other - both)
		}
		limit := float64(a.Float("iou_threshold"))
		s := scores.Floats()
		for i := range n {
			higher := func(j int) bool { return s[j] > s[i] || s[j] == s[i] && j < i }
			covered := slices.ContainsFunc(selected, func(j int) bool { return higher(j) && iou(i, j) > limit+1e-6 })
			nearly := slices.ContainsFunc(selected, func(j int) bool { return higher(j) && math.Abs(iou(i, j)-limit) <= 1e-6 })
			in := slices.Contains(selected, i)
			last := len(selected) == most && (most == 0 || !slices.ContainsFunc(selected, func(j int) bool { return !higher(j) && j != i }))
			switch {
			case in && (covered || s[i] <= 0):
				t.Fatalf("%d of %v is selected", i, selected)
			case !in && !covered && !nearly && s[i] > 0 && !last:
				t.Fatalf("%d of score %v is not selected: %v", i, s[i], selected)
			}
		}
	})
}
