package onnx

import (
	"slices"

	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// affineGrid lowers AffineGrid: the corners of a grid of places from -1 to 1, with a 1
// behind each, times the matrix of its image.
func affineGrid(n *node) []*value {
	n.arity(2, 2)
	theta, size := n.in[0], n.constInts(1, "size")
	d := len(size) - 2 // dimensions
	if d < 2 || d > 3 || !theta.shape.Equal(tensor.Shape{int(size[0]), d, d + 1}) {
		n.fail("theta of %v, size %v: a matrix of 2×3 or 3×4 an image wanted", theta.shape, size)
	}
	extents := n.shapeFrom(size[2:])
	whole := append(extents.Clone(), 1)
	var parts []*value
	for k := d - 1; k >= 0; k-- { // the last dimension first
		line := append(slices.Repeat(tensor.Shape{1}, d), 1)
		line[k] = extents[k]
		places := n.places(theta.typ, line, n.int("align_corners", 0) != 0)
		parts = append(parts, n.sub("Expand", op.Attrs{"shape": int64s(whole)}, places))
	}
	parts = append(parts, n.sub("Expand", op.Attrs{"shape": int64s(whole)}, n.scalar("one", theta.typ, 1)))
	grid := n.via(n.sub("Concat", op.Attrs{"axis": int64(d)}, parts...), tensor.Shape{extents.Size(), d + 1})
	y := n.sub("MatMul", nil, grid, n.sub("Transpose", op.Attrs{"perm": []int64{0, 2, 1}}, theta))
	return n.to(y, append(append(theta.shape[:1].Clone(), extents...), d))
}

// places are as many places from -1 to 1 as s has values: those of the pixels' corners,
// or of their centres.
func (n *node) places(t tensor.Type, s tensor.Shape, corners bool) *value {
	count := s.Size()
	if count > foldSize {
		n.fail("size: extents of at most %d wanted", foldSize)
	}
	x := tensor.New(t, s)
	for i := range count {
		v := float64(2*i+1)/float64(count) - 1
		if corners && count > 1 {
			v = 2*float64(i)/float64(count-1) - 1
		} else if corners {
			v = 0
		}
		x.Floats()[i] = tensor.Round(t, float32(v))
	}
	return known(n.name+"/places", x)
}

// centerCropPad lowers CenterCropPad to a Slice of the middle and a Pad around it. An
// odd value that is cut off is the last, and so is one that is added.
func centerCropPad(n *node) []*value {
	n.arity(2, 2)
	x, want := n.in[0], n.constInts(1, "shape")
	rank := len(x.shape)
	axes := n.ints("axes")
	if axes == nil {
		for k := range rank {
			axes = append(axes, int64(k))
		}
	}
	if len(want) != len(axes) {
		n.fail("shape %v for %d axes", want, len(axes))
	}
	n.shapeFrom(want)
	starts, ends, pads := make([]int64, rank), int64s(x.shape), make([]int64, 2*rank)
	all, ones := []int64{}, []int64{}
	for k := range rank {
		all, ones = append(all, int64(k)), append(ones, 1)
	}
	for i, v := range axes {
		k := n.axis(v, rank, 0)
		have := int64(x.shape[k])
		if more := want[i] - have; more >= 0 {
			pads[k], pads[rank+k] = more/2, more-more/2
		} else {
			starts[k] = -more / 2
			ends[k] = starts[k] + want[i]
		}
	}
	cut := n.sub("Slice", op.Attrs{"starts": starts, "ends": ends, "axes": all, "steps": ones}, x)
	return one(n.op("Pad", op.Attrs{"pads": pads}, cut))
}

// maxTaps bounds the values of a block, whose kernels are a square of it. Estimated: 32 × 32.
const maxTaps = 1 << 10

// col2Im lowers Col2Im to the transposed convolution whose kernels have a single 1
// each: column k of a channel adds its values at tap k of every block.
func col2Im(n *node) []*value {
	n.arity(3, 3)
	x := n.in[0]
	image, block := n.constInts(1, "image_shape"), n.constInts(2, "block_shape")
	r := len(image)
	taps := n.shapeFrom(block).Size()
	if len(x.shape) != 3 || r < 1 || r > 3 || len(block) != r || taps == 0 || x.shape[1]%taps != 0 {
		n.fail("input of %v, image_shape %v, block_shape %v: 1 to 3 dimensions, and columns of whole blocks, wanted", x.shape, image, block)
	}
	if taps > maxTaps {
		n.fail("block_shape %v: at most %d values wanted", block, maxTaps)
	}
	c := x.shape[1] / taps
	n.shapeFrom(image)
	w := window{kernel: block, strides: n.list("strides", r, 1, 1), dilations: n.list("dilations", r, 1, 1), pads: n.list("pads", 2*r, 0, 0)}
	extra, blocks := make([]int64, r), tensor.Shape{}
	for i := range r {
		span := image[i] + w.pads[i] + w.pads[r+i] - (w.dilations[i]*(block[i]-1) + 1)
		if span < 0 {
			n.fail("image_shape %v, block_shape %v: the image is smaller than a block", image, block)
		}
		blocks = append(blocks, int(span/w.strides[i])+1)
		extra[i] = span % w.strides[i]
	}
	if blocks.Size() != x.shape[2] {
		n.fail("%d columns: those of %v blocks wanted", x.shape[2], blocks)
	}
	unit := tensor.New(x.typ, append(tensor.Shape{taps, 1}, n.shapeFrom(block)...))
	for k := range taps {
		unit.Floats()[k*taps+k] = 1
	}
	weights := n.sub("Tile", op.Attrs{"repeats": append([]int64{int64(c)}, slices.Repeat([]int64{1}, r+1)...)}, known(n.name+"/taps", unit))
	a := w.attrs()
	a["group"], a["output_padding"] = int64(c), extra
	return one(n.op("ConvTranspose", a, n.via(x, append(x.shape[:2].Clone(), blocks...)), weights))
}
