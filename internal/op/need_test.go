package op

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"pimflow/internal/tensor"
)

// TestNeedIsHonest evaluates a box of every operator with everything that Need
// does not name poisoned: the box is bit for bit that of the whole value, and
// nothing outside is written.
func TestNeedIsHonest(t *testing.T) {
	for _, name := range Names() {
		t.Run(name, rapid.MakeCheck(func(t *rapid.T) {
			x := generators[name](t)
			o, a, whole := prepare(t, name, x)
			o.Eval(a, x.in, whole, tensor.Full(whole.Shape))
			if o.Need == nil {
				return // not to be cut
			}
			box := drawBox(t, whole.Shape)
			need := o.Need(a, x.shapes(), box)
			if len(need) != len(x.in) {
				t.Fatalf("%d boxes for %d inputs", len(need), len(x.in))
			}
			in := make([]*tensor.Tensor, len(x.in))
			for i, v := range x.in {
				if !need[i].In(v.Shape) {
					t.Fatalf("%v of %v needs %v of input %d %v", box, whole.Shape, need[i], i, v.Shape)
				}
				in[i] = poisoned(v.Type, v.Shape)
				move(in[i], need[i], v, of(v.Shape))
			}
			part := poisoned(whole.Type, whole.Shape)
			o.Eval(a, in, part, box)
			want := poisoned(whole.Type, whole.Shape)
			move(want, box, whole, of(whole.Shape))
			if !sameBits(part, want) {
				t.Fatalf("%s %v: box %v of %v from %v of %v\n got %v\nwant %v", name, a, box, whole.Shape, need, x.shapes(), values(part), values(want))
			}
		}))
	}
}

// TestBoxesTile evaluates every operator that can be cut in the parts of a random
// division and compares with the whole, and so does the work.
func TestBoxesTile(t *testing.T) {
	for _, name := range Names() {
		if o, _ := Lookup(name); o.Need == nil {
			continue
		}
		t.Run(name, rapid.MakeCheck(func(t *rapid.T) {
			x := generators[name](t)
			o, a, whole := prepare(t, name, x)
			full := tensor.Full(whole.Shape)
			o.Eval(a, x.in, whole, full)
			got := poisoned(whole.Type, whole.Shape)
			var macs int64
			for _, b := range drawCuts(t, full, 4) {
				o.Eval(a, x.in, got, b)
				if o.MACs != nil {
					macs += o.MACs(a, x.shapes(), b)
				}
			}
			if !sameBits(got, whole) {
				t.Fatalf("got %v\nwant %v", values(got), values(whole))
			}
			if o.MACs != nil && macs != o.MACs(a, x.shapes(), full) {
				t.Fatalf("%d multiply-accumulates in parts, %d in the whole", macs, o.MACs(a, x.shapes(), full))
			}
		}))
	}
}

// TestNeedOfNothing asks for an empty box.
func TestNeedOfNothing(t *testing.T) {
	for _, name := range Names() {
		t.Run(name, rapid.MakeCheck(func(t *rapid.T) {
			x := generators[name](t)
			o, a, whole := prepare(t, name, x)
			if o.Need == nil || len(whole.Shape) == 0 {
				return
			}
			box := tensor.Full(whole.Shape)
			box[len(box)-1].Hi = 0
			for i, b := range o.Need(a, x.shapes(), box) {
				if len(b) > 0 && !b.Empty() || !b.In(x.in[i].Shape) {
					t.Fatalf("input %d: %v", i, b)
				}
			}
			o.Eval(a, x.in, whole, box)
		}))
	}
}

func drawBox(t *rapid.T, s tensor.Shape) tensor.Box {
	b := make(tensor.Box, len(s))
	for d, n := range s {
		lo := draw(t, "lo", 0, max(n-1, 0))
		b[d] = tensor.Range{Lo: lo, Hi: draw(t, "hi", min(lo+1, n), n)}
	}
	return b
}

// drawCuts divides b into boxes.
func drawCuts(t *rapid.T, b tensor.Box, depth int) []tensor.Box {
	if len(b) == 0 || depth == 0 {
		return []tensor.Box{b}
	}
	d := draw(t, "dimension", 0, len(b)-1)
	at := draw(t, "at", b[d].Lo, b[d].Hi)
	return append(drawCuts(t, b.With(d, tensor.Range{Lo: b[d].Lo, Hi: at}), depth-1),
		drawCuts(t, b.With(d, tensor.Range{Lo: at, Hi: b[d].Hi}), depth-2+depth%2)...)
}

// poison is the bits of a NaN.
const poison = 0x7fc12345

// poisoned is a tensor of values that no operator makes by right.
func poisoned(typ tensor.Type, s tensor.Shape) *tensor.Tensor {
	x := tensor.New(typ, s)
	if typ.Float() {
		for i := range x.Floats() {
			x.Floats()[i] = math.Float32frombits(poison)
		}
		return x
	}
	for i := range x.Ints() {
		x.Ints()[i] = 0x5a5a5a5a5a5a5a
	}
	return x
}

// sameBits compares values bit for bit, all NaNs but the poison being one.
func sameBits(x, y *tensor.Tensor) bool {
	if !x.Type.Float() {
		return slices.Equal(x.Ints(), y.Ints())
	}
	return slices.EqualFunc(x.Floats(), y.Floats(), func(v, w float32) bool {
		b, c := math.Float32bits(v), math.Float32bits(w)
		return b == c || v != v && w != w && b != poison && c != poison
	})
}

func values(x *tensor.Tensor) any {
	if x.Type.Float() {
		return x.Floats()
	}
	return x.Ints()
}
