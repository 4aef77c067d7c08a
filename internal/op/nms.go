package op

import (
	"fmt"
	"math"
	"slices"

	"pimflow/internal/tensor"
)

// nmsOps select boxes.
var nmsOps = []Op{
	{
		// Boxes N x B x 4 and scores N x C x B: of each class of an image the box with the highest score is
		// selected, and boxes that overlap it are not, until none is left. A row of the value is image, class
		// and box, by image, class and falling score. Boxes with the same score are taken by index, which the
		// standard leaves open.
		Name: "NonMaxSuppression", MinIn: 2, MaxIn: 2,
		Attrs: []Attr{
			{Name: "center_point_box", Kind: Int, Default: int64(0)},
			{Name: "max_output_boxes_per_class", Kind: Int, Wide: true},
			{Name: "iou_threshold", Kind: Float, Default: float32(0)},
			{Name: "score_threshold", Kind: Float, Default: float32(-math.MaxFloat32)}, // scores up to it are left out; the default: none
			size,
		},
		Type: func(_ Attrs, in []tensor.Type) (tensor.Type, error) {
			for i, t := range in {
				if t != tensor.Float32 {
					return 0, fmt.Errorf("input %d is %v: float32 wanted", i, t)
				}
			}
			return tensor.Int64, nil
		},
		Shape: func(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
			if c := a.Int("center_point_box"); c != 0 && c != 1 {
				return nil, fmt.Errorf("center_point_box %d: 0 or 1 wanted", c)
			}
			if iou := a.Float("iou_threshold"); !(iou >= 0 && iou <= 1) {
				return nil, fmt.Errorf("iou_threshold %v: 0 to 1 wanted", iou)
			}
			if s := a.Float("score_threshold"); s != s {
				return nil, fmt.Errorf("score_threshold %v: a number wanted", s)
			}
			if len(in[0]) != 3 || in[0][2] != 4 {
				return nil, fmt.Errorf("input 0 is %v: boxes of images x boxes x 4 wanted", in[0])
			}
			if len(in[1]) != 3 || in[1][0] != in[0][0] || in[1][2] != in[0][1] {
				return nil, fmt.Errorf("input 1 is %v: scores of %d x classes x %d wanted", in[1], in[0][0], in[0][1])
			}
			n, err := counted(nmsLargest, a, in)
			return tensor.Shape{n, 3}, err
		},
		Largest: nmsLargest,
		Count:   func(a Attrs, in []*tensor.Tensor) int { return len(suppress(a, in[0], in[1])) / 3 },
		Eval: func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, _ tensor.Box) {
			y := dst.Ints()
			clear(y[copy(y, suppress(a, in[0], in[1])):])
		},
	},
}

func nmsLargest(a Attrs, in []tensor.Shape) int {
	return in[1][0] * in[1][1] * min(in[1][2], max(a.Int("max_output_boxes_per_class"), 0))
}

// suppress is the rows of the selected boxes.
func suppress(a Attrs, boxes, scores *tensor.Tensor) (rows []int64) {
	classes, n := scores.Shape[1], scores.Shape[2]
	most, iou, least := a.Int("max_output_boxes_per_class"), a.Float("iou_threshold"), a.Float("score_threshold")
	for image := range scores.Shape[0] {
		corners := cornersOf(boxes.Floats()[image*n*4:(image+1)*n*4], a.Int("center_point_box") == 1)
		for class := range classes {
			s := scores.Floats()[(image*classes+class)*n:][:n]
			var kept []rectangle
			for _, i := range byScore(s, least) {
				if len(kept) >= most {
					break
				}
				if !slices.ContainsFunc(kept, func(r rectangle) bool { return r.overlaps(corners[i], iou) }) {
					kept = append(kept, corners[i])
					rows = append(rows, int64(image), int64(class), int64(i))
				}
			}
		}
	}
	return rows
}

// byScore is the indices of the scores above a threshold, the highest first, by index where they are the
// same. A threshold below all numbers is none.
func byScore(scores []float32, least float32) (order []int) {
	for i, s := range scores {
		if s > least || least == -math.MaxFloat32 && s == s {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case scores[a] > scores[b]:
			return -1
		case scores[a] < scores[b]:
			return 1
		}
		return 0
	})
	return order
}

// rectangle is a box as its least and largest coordinates.
type rectangle struct{ x0, y0, x1, y1 float32 }

// cornersOf turns boxes, y x y x of two corners or x y width height of the centre, into rectangles.
func cornersOf(boxes []float32, centre bool) []rectangle {
	list := make([]rectangle, len(boxes)/4)
	for i := range list {
		b := boxes[4*i:][:4]
		if centre {
			list[i] = rectangle{b[0] - b[2]/2, b[1] - b[3]/2, b[0] + b[2]/2, b[1] + b[3]/2}
		} else {
			list[i] = rectangle{min(b[1], b[3]), min(b[0], b[2]), max(b[1], b[3]), max(b[0], b[2])}
		}
	}
	return list
}

func (r rectangle) area() float32 { return (r.x1 - r.x0) * (r.y1 - r.y0) }

// overlaps reports whether the intersection of two rectangles over their union is above a threshold.
func (r rectangle) overlaps(o rectangle, threshold float32) bool {
	common := rectangle{max(r.x0, o.x0), max(r.y0, o.y0), min(r.x1, o.x1), min(r.y1, o.y1)}
	if common.x1 <= common.x0 || common.y1 <= common.y0 {
		return false
	}
	shared, a, b := common.area(), r.area(), o.area()
	all := a + b - shared
	return a > 0 && b > 0 && all > 0 && shared/all > threshold
}
