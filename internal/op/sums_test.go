package op

import (
	"testing"

	"pgregory.net/rapid"

	"pimflow/internal/tensor"
)

// TestSumsAreTheValue: sums of whole numbers are the value of the operator, in any box of it.
func TestSumsAreTheValue(t *testing.T) {
	for name, make := range map[string]func(t *rapid.T) instance{"Conv": drawConv, "ConvTranspose": drawTransposed, "MatMul": drawMatMul} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				x := make(t)
				for i, v := range x.in {
					x.in[i] = fillInteger(v.Shape, i)
				}
				if name == "MatMul" && (len(x.in[0].Shape) < 2 || len(x.in[1].Shape) < 2) {
					t.Skip("a vector")
				}
				o, a, y := prepare(t, name, x)
				box := drawBox(t, y.Shape)
				if box.Empty() {
					t.Skip("an empty box")
				}
				want, got := tensor.New(y.Type, y.Shape), tensor.New(y.Type, y.Shape)
				o.Eval(a, x.in, want, box)
				o.Sums(a, x.in, y.Shape, box, SumOrder{}, func(b *SumBlock) {
					for i := range b.Outs.Len() {
						for p, at := range b.At {
							v := 0.0
							for _, part := range b.Parts {
								v += part.Sums[i*len(b.At)+p]
							}
							if b.Added != nil {
								v += b.Added[i*len(b.At)+p]
							}
							got.Floats()[at+(b.Outs.Lo+i)*b.Step] = float32(v)
						}
					}
				})
				if !sameBits(got, want) {
					t.Fatalf("%v of %v: got %v\nwant %v", box, y.Shape, got.Floats(), want.Floats())
				}
			})
		})
	}
}
