package op

import (
	"math"

	"pimflow/internal/tensor"
)

// bins is one dimension of a box that is divided into bins: sample i of bin b is at
// start + b·bin + (i+½)·step.
type bins struct {
	start, bin, step float64
	samples          float64 // of a bin; a whole number
	n                int     // pixels
}

// samplesOf lists the samples of a bin that are within a pixel of the picture, as
// taps; all others are zeros.
func (b bins) samplesOf(bin int) (list []tap) {
	start := b.start + float64(bin)*b.bin
	if math.IsNaN(start) || math.IsInf(start, 0) || math.IsInf(b.bin, 0) {
		return nil // of a box without an end no sample has a place
	}
	first := max(math.Ceil((-1-start)/b.step-0.5)-1, 0)
	last := min(math.Floor((float64(b.n)-start)/b.step-0.5)+1, b.samples-1)
	if !(b.step > 0) { // a box without area, or one from right to left: few samples, as the file gives their number
		first, last = 0, b.samples-1
	}
	// Where a sample's number is so large that the next is the same, their count ends the loop.
	most := last - first
	if b.step > 0 {
		most = min(most, (float64(b.n)+2)/b.step+2)
	}
	for k := 0.0; k <= most; k++ {
		y := start + (first+k+0.5)*b.step
		if y < -1 || y > float64(b.n) {
			continue
		}
		y = min(max(y, 0), float64(b.n-1))
		low := int(y)
		high, frac := min(low+1, b.n-1), y-float64(low)
		list = append(list, tap{[]int{low, high}, []float64{1 - frac, frac}})
	}
	return list
}

func roiAlign(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
	x, rois, images, y := in[0].Floats(), in[1].Floats(), in[2].Ints(), dst.Floats()
	xs, xst, yst := in[0].Shape, in[0].Shape.Strides(), dst.Shape.Strides()
	scale, aligned, greatest := float64(a.Float("spatial_scale")), a.String("coordinate_transformation_mode") == "half_pixel", a.String("mode") == "max"
	divide := func(lo, hi float32, count, n int) bins {
		b := bins{start: float64(lo) * scale, samples: float64(a.Int("sampling_ratio")), n: n}
		size := float64(hi)*scale - b.start
		if aligned {
			b.start -= 0.5
		} else {
			size = max(size, 1)
		}
		b.bin = size / float64(count)
		if b.samples == 0 {
			b.samples = math.Ceil(b.bin)
		}
		b.step = b.bin / b.samples
		return b
	}
	parallel(out[0].Len(), func(i int) {
		r := out[0].Lo + i
		box := rois[4*r : 4*r+4]
		v, h := divide(box[1], box[3], dst.Shape[2], xs[2]), divide(box[0], box[2], dst.Shape[3], xs[3])
		count := max(v.samples*h.samples, 1)
		image := images[r]
		for p := out[2].Lo; p < out[2].Hi; p++ {
			rows := v.samplesOf(p)
			for q := out[3].Lo; q < out[3].Hi; q++ {
				columns := h.samplesOf(q)
				// A sample beyond the picture is a zero.
				some := float64(len(rows))*float64(len(columns)) < count
				for c := out[1].Lo; c < out[1].Hi; c++ {
					o := r*yst[0] + c*yst[1] + p*yst[2] + q*yst[3]
					if image < 0 || image >= int64(xs[0]) {
						y[o] = float32(math.NaN())
						continue
					}
					plane := x[int(image)*xst[0]+c*xst[1]:]
					sum, top := 0.0, math.Inf(-1)
					for _, row := range rows {
						for _, column := range columns {
							s, t := sampleOf(plane, xst[2], row, column)
							sum, top = sum+s, max(top, t)
						}
					}
					switch {
					case !greatest:
						y[o] = float32(sum / count)
					case some:
						y[o] = float32(max(top, 0))
					default:
						y[o] = float32(top)
					}
				}
			}
		}
	})
}

// sampleOf is the sum of the four pixels around a sample by their weights, and the
// greatest of the four products.
func sampleOf(plane []float32, stride int, row, column tap) (sum, top float64) {
	top = math.Inf(-1)
	for i, r := range row.at {
		for j, c := range column.at {
			v := row.weight[i] * column.weight[j] * float64(plane[r*stride+c])
			sum, top = sum+v, max(top, v)
		}
	}
	return sum, top
}

// maxRoiPool takes the greatest pixel of each bin, whose edges are rounded outwards to
// pixels (Girshick, Fast R-CNN, 2015); of a bin without pixels 0.
func maxRoiPool(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
	x, rois, y := in[0].Floats(), in[1].Floats(), dst.Floats()
	xs, xst, yst := in[0].Shape, in[0].Shape.Strides(), dst.Shape.Strides()
	scale := a.Float("spatial_scale")
	edge := func(v float64, n int) int {
		if v != v {
			return 0
		}
		return int(min(max(v, 0), float64(n)))
	}
	parallel(out[0].Len(), func(i int) {
		r := out[0].Lo + i
		roi := rois[5*r : 5*r+5]
		// bin is the pixels of bin b, of count, between two corners.
		bin := func(lo, hi float32, b, count, n int) tensor.Range {
			start := math.Round(float64(lo * scale))
			size := max(math.Round(float64(hi*scale))-start+1, 1) / float64(count)
			return tensor.Range{Lo: edge(start+math.Floor(float64(b)*size), n), Hi: edge(start+math.Ceil(float64(b+1)*size), n)}
		}
		image := math.Trunc(float64(roi[0])) // as ONNX Runtime
		for p := out[2].Lo; p < out[2].Hi; p++ {
			rows := bin(roi[2], roi[4], p, dst.Shape[2], xs[2])
			for q := out[3].Lo; q < out[3].Hi; q++ {
				columns := bin(roi[1], roi[3], q, dst.Shape[3], xs[3])
				for c := out[1].Lo; c < out[1].Hi; c++ {
					o := r*yst[0] + c*yst[1] + p*yst[2] + q*yst[3]
					if !(image >= 0 && image < float64(xs[0])) {
						y[o] = float32(math.NaN())
						continue
					}
					y[o] = 0
					if rows.Len() > 0 && columns.Len() > 0 {
						y[o] = float32(math.Inf(-1))
					}
					for h := rows.Lo; h < rows.Hi; h++ {
						line := x[int(image)*xst[0]+c*xst[1]+h*xst[2]:]
						for _, v := range line[columns.Lo:max(columns.Lo, columns.Hi)] {
							y[o] = max(y[o], v)
						}
					}
				}
			}
		}
	})
}
