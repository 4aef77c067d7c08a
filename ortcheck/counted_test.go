package ortcheck

import (
	"context"

	"pimflow/internal/graph"
	"pimflow/internal/onnx"
	"pimflow/internal/run"
	"pimflow/internal/tensor"
)

// counted are operators with an extent that depends on data.
var counted = []generator{
	{"Compress", compress},
	{"NonMaxSuppression", nonMaxSuppression},
	{"NonZero", nonZero},
	{"Unique", unique},
}

// sized is the graph of a file with the extents that its inputs give.
func sized(f *onnx.File, in []*tensor.Tensor) (*graph.Graph, error) {
	if !f.Counted() {
		return f.Graph, nil
	}
	ctx := context.Background()
	return f.Sized(ctx, run.NewSizing(ctx, f.Graph, in, nil).Value)
}

func compress(m *model) {
	m.since(9)
	s := m.shape(m.between(1, 4), 5)
	n := s.Size()
	if m.coin() {
		d := m.IntN(len(s))
		m.attr("axis", int(m.signed(d, len(s))))
		n = s[d]
	}
	m.input(m.whole(pick(m, tensor.Float32, tensor.Int64), -9, 9, s...))
	m.operand(m.whole(tensor.Bool, 0, 1, m.between(1, n)))
}

// nonMaxSuppression draws boxes that overlap, and scores some of which are equal.
func nonMaxSuppression(m *model) {
	m.since(10)
	images, classes, boxes := m.between(1, 2), m.between(1, 3), m.between(1, 12)
	m.maybe("center_point_box", m.IntN(2))
	m.input(m.uniform(0, 5, images, boxes, 4))
	if m.coin() {
		m.input(m.whole(tensor.Float32, 0, 3, images, classes, boxes))
	} else {
		m.input(m.uniform(0, 3, images, classes, boxes))
	}
	last := m.between(0, 3)
	if last > 0 {
		most := m.between(0, boxes+1)
		m.constant(m.whole(tensor.Int64, most, most, 1))
	}
	if last > 1 {
		m.constant(m.uniform(0, 1, 1))
	}
	if last > 2 {
		m.constant(m.uniform(0, 3, 1))
	}
}

func nonZero(m *model) {
	m.since(9)
	m.input(m.whole(pick(m, tensor.Float32, tensor.Int64, tensor.Bool), 0, 1, m.shape(m.between(1, 4), 5)...))
}

func unique(m *model) {
	m.since(11)
	s := m.shape(m.between(1, 3), 4)
	m.maybe("sorted", m.IntN(2))
	if m.coin() {
		m.attr("axis", int(m.signed(m.IntN(len(s)), len(s))))
	}
	m.input(m.whole(pick(m, tensor.Float32, tensor.Int64), 0, 2, s...))
	m.outputs = []string{"y", "first", "inverse", "counts"}
}
