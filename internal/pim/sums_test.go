package pim

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"pimflow/internal/graph"
	"pimflow/internal/op"
)

// TestPartsOnce: every product of every output is in one part of its sum, and whole numbers have the sums
// of the operator.
func TestPartsOnce(t *testing.T) {
	for _, make := range anyLayers {
		rapid.Check(t, func(t *rapid.T) {
			n := make(t)
			nd := &n.g.Nodes[n.id]
			cut := graph.Cut{Node: n.id, Box: anyBox(t, nd.Shape)}
			code := compile(t, anyMachine(t), anyChannels(t), n.g, cut)
			l, err := lower(n.g, cut)
			if err != nil {
				t.Fatal(err)
			}
			want := fill(nd.Shape)
			n.g.Eval(cut, n.in, want)
			_, tried := code.compared()
			for _, m := range tried {
				code.mapping = m.at(l)
				j := &judge{mappedCode: code}
				parts := j.partsOf()
				for _, p := range l.products() {
					whole := wholeOf(p)
					for out := l.outs.Lo; out < l.outs.Hi; out++ {
						matrix, of := p.phase, out
						if p.batch != nil {
							matrix, of = p.batch[out/p.groupOuts].number, p.cols.Lo+out%p.groupOuts
						}
						all := slices.Concat(parts(matrix, of)...)
						if slices.Sort(all); !slices.Equal(all, whole) {
							t.Fatalf("%v, %v, output %d: parts %v, products %v wanted", cut, m, out, parts(matrix, of), whole)
						}
					}
				}
				got := fill(nd.Shape)
				nd.Op.Sums(nd.Attrs, n.in, nd.Shape, cut.Box, op.SumOrder{Parts: parts}, func(b *op.SumBlock) {
					for i := range b.Outs.Len() {
						for p, at := range b.At {
							v := 0.0
							for _, part := range b.Parts {
								v += part.Sums[i*len(b.At)+p]
							}
							v *= b.Alpha
							if b.Added != nil {
								v += b.Added[i*len(b.At)+p]
							}
							got.Floats()[at+(b.Outs.Lo+i)*b.Step] = float32(v)
						}
					}
				})
				if !slices.Equal(got.Floats(), want.Floats()) {
					t.Fatalf("%v, %v: got %v, want %v", cut, m, got.Floats(), want.Floats())
				}
			}
		})
	}
}

// wholeOf are the numbers of all products of an output.
func wholeOf(l *layer) (all []int) {
	for k := range l.groupK {
		if l.part != nil {
			k = l.part.product(k)
		}
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}
