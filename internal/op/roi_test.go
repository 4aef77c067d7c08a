package op

import (
	"math"
	"testing"

	"pimflow/internal/tensor"
)

// TestRoiAlignOfLargeBoxes: boxes that end nowhere, or so far away that neighbouring samples are one number, end too.
func TestRoiAlignOfLargeBoxes(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, box := range [][]float32{{0, 0, inf, 4}, {-inf, 0, 4, 4}, {-inf, -inf, inf, inf}, {-3e38, 0, 3e38, 4}, {-2e38, -2e38, 2e38, 2e38}, {float32(math.NaN()), 0, 4, 4}, {inf, 0, inf, 4}} {
		for _, ratio := range []int64{0, 2} {
			x := instance{
				attrs: Attrs{"output_height": int64(2), "output_width": int64(2), "sampling_ratio": ratio},
				in:    []*tensor.Tensor{fill(tensor.Float32, tensor.Shape{1, 1, 4, 4}, 1), tensor.Floats32(tensor.Shape{1, 4}, box), tensor.Ints64(tensor.Shape{1}, []int64{0})},
			}
			o, a, y := prepare(t, "RoiAlign", x)
			o.Eval(a, x.in, y, tensor.Full(y.Shape))
		}
	}
}
