package report

import (
	"slices"

	"pimflow/internal/tensor"
)

// Top returns the n largest values of each image of an output, whose first
// dimension is images, with their index within the image; the first on a tie.
func Top(x *tensor.Tensor, n int, labels []string) [][]Class {
	images := 1
	if len(x.Shape) > 1 {
		images = x.Shape[0]
	}
	if x.Shape.Size() == 0 || !x.Type.Float() {
		return nil
	}
	each := x.Shape.Size() / images
	var out [][]Class
	for i := range images {
		v := x.Floats()[i*each : (i+1)*each]
		index := make([]int, each)
		for k := range index {
			index[k] = k
		}
		slices.SortStableFunc(index, func(a, b int) int {
			switch {
			case v[a] > v[b]:
				return -1
			case v[a] < v[b]:
				return 1
			}
			return 0
		})
		var top []Class
		for _, k := range index[:min(n, each)] {
			c := Class{Index: k, Score: float64(v[k])}
			if k < len(labels) {
				c.Label = labels[k]
			}
			top = append(top, c)
		}
		out = append(out, top)
	}
	return out
}
