package op

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"pimflow/internal/tensor"
)

// TestGarbageIsRefused gives every operator attributes and shapes at random: it
// returns an error, or its Need is within the inputs and a value that is not large
// can be evaluated; it never panics.
func TestGarbageIsRefused(t *testing.T) {
	for _, name := range Names() {
		o, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, rapid.MakeCheck(func(t *rapid.T) {
			n := o.MaxIn
			if n < 0 {
				n = o.MinIn + 2
			}
			var x instance
			var types []tensor.Type
			for i := range draw(t, "inputs", o.MinIn, n) {
				s := make(tensor.Shape, draw(t, "rank", 0, 4))
				for d := range s {
					s[d] = draw(t, "extent", 0, 4)
				}
				x.in = append(x.in, fill(rapid.SampledFrom([]tensor.Type{tensor.Float32, tensor.Float32, tensor.Float32, tensor.Int64, tensor.Bool}).Draw(t, "type"), s, i))
				types = append(types, x.in[i].Type)
			}
			x.attrs = Attrs{}
			for _, d := range o.Attrs {
				x.attrs[d.Name] = drawAttr(t, d)
			}
			a, err := x.attrs.Complete(o)
			if err != nil {
				return
			}
			typ := types[0]
			if o.Type != nil {
				if typ, err = o.Type(a, types); err != nil {
					return
				}
			}
			s, err := o.Shape(a, x.shapes())
			if err != nil {
				return
			}
			full := tensor.Full(s)
			if o.Need != nil {
				for i, b := range o.Need(a, x.shapes(), full) {
					if !b.In(x.in[i].Shape) {
						t.Fatalf("%v needs %v of input %d %v", full, b, i, x.in[i].Shape)
					}
				}
			}
			if o.MACs != nil && o.MACs(a, x.shapes(), full) < 0 {
				t.Fatalf("negative work")
			}
			if s.Size() < 1<<20 {
				o.Eval(a, x.in, tensor.New(typ, s), full)
			}
		}))
	}
}

func drawAttr(t *rapid.T, d Attr) any {
	number := rapid.OneOf(rapid.Int64Range(-2, 4), rapid.Int64Range(0, 1))
	extreme := rapid.OneOf(number, number, number, rapid.SampledFrom([]int64{math.MinInt64, math.MaxInt64}))
	switch d.Kind {
	case Int:
		return extreme.Draw(t, d.Name)
	case Float:
		return rapid.SampledFrom([]float32{0, 1, -1, 0.5, math.MaxFloat32}).Draw(t, d.Name)
	case String:
		if d.OneOf == nil {
			return rapid.SampledFrom([]string{"float32", "int64", "x"}).Draw(t, d.Name)
		}
		return rapid.SampledFrom(d.OneOf).Draw(t, d.Name)
	case Ints:
		return rapid.SliceOfN(extreme, 0, 6).Draw(t, d.Name)
	}
	return rapid.SliceOfN(rapid.Float32Range(-1, 3), 0, 4).Draw(t, d.Name)
}
