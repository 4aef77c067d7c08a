package op

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"pimflow/internal/tensor"
)

// TestPart makes boxes of every operator's value from the boxes of its inputs alone: they are those of the whole.
func TestPart(t *testing.T) {
	for _, name := range Names() {
		o, _ := Lookup(name)
		made := 0
		t.Run(name, rapid.MakeCheck(func(t *rapid.T) {
			x := generators[name](t)
			_, a, whole := prepare(t, name, x)
			if o.Need == nil || whole.Shape.Size() == 0 {
				return
			}
			box := drawBox(t, whole.Shape)
			part, ok := o.Part(a, x.shapes(), box)
			if !ok {
				return
			}
			made++
			o.Eval(a, x.in, whole, tensor.Full(whole.Shape))
			var in []*tensor.Tensor
			for i, b := range o.Need(a, x.shapes(), box) {
				if o.Reads(b) {
					in = append(in, cutOut(x.in[i], b))
				}
			}
			got := tensor.New(whole.Type, box.Shape())
			o.Eval(part, in, got, tensor.Full(got.Shape))
			if want := cutOut(whole, box); !sameBits(got, want) {
				t.Fatalf("%s %v: box %v of %v of %v with %v\n got %v\nwant %v", name, a, box, whole.Shape, x.shapes(), part, values(got), values(want))
			}
		}))
		if made == 0 && o.Need != nil && o.partible() {
			t.Errorf("%s: no part was made", name)
		}
	}
	for _, name := range append(slices.Sorted(maps.Keys(parts)), placeless...) {
		if o, err := Lookup(name); err != nil || o.Need == nil || parts[name] == nil && (o.Map != nil || o.Combine != nil) {
			t.Errorf("%s: no operator that can be cut, or an element-wise one", name)
		}
	}
}

// cutOut is a box of a tensor.
func cutOut(x *tensor.Tensor, b tensor.Box) *tensor.Tensor {
	y := tensor.New(x.Type, b.Shape())
	v := of(x.Shape)
	for d := range b {
		v.off += b[d].Lo * v.st[d]
	}
	move(y, tensor.Full(y.Shape), x, v)
	return y
}
