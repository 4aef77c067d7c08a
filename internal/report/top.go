package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"pimflow/internal/tensor"
)

// Top returns the n largest values of each image of an output, whose first
// dimension is images, with their index within the image; the first on a tie, NaN last.
func Top(x *tensor.Tensor, n int, labels []string) [][]Class {
	images := 1
	if len(x.Shape) > 1 {
		images = x.Shape[0]
	}
	if x.Shape.Size() == 0 {
		return nil
	}
	at := func(i int) float64 { return float64(x.Ints()[i]) }
	if x.Type.Float() {
		at = func(i int) float64 { return float64(x.Floats()[i]) }
	}
	each := x.Shape.Size() / images
	var out [][]Class
	for i := range images {
		index := make([]int, each)
		for k := range index {
			index[k] = k
		}
		slices.SortStableFunc(index, func(a, b int) int {
			return cmp.Compare(at(i*each+b), at(i*each+a))
		})
		var top []Class
		for _, k := range index[:min(n, each)] {
			c := Class{Index: k, Score: Number(at(i*each + k))}
			if k < len(labels) {
				c.Label = labels[k]
			}
			top = append(top, c)
		}
		out = append(out, top)
	}
	return out
}

// Number is a value of a tensor, which may be no number; as JSON it is then the
// text "NaN", "+Inf" or "-Inf".
type Number float64

// MarshalJSON writes a number, or a text where JSON has none.
func (n Number) MarshalJSON() ([]byte, error) {
	if v := float64(n); math.IsNaN(v) || math.IsInf(v, 0) {
		return strconv.AppendQuote(nil, strconv.FormatFloat(v, 'g', -1, 64)), nil
	}
	return json.Marshal(float64(n))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (n *Number) UnmarshalJSON(text []byte) error {
	v, err := strconv.ParseFloat(strings.Trim(string(text), `"`), 64)
	if err != nil {
		return fmt.Errorf("%s: a number, \"NaN\", \"+Inf\" or \"-Inf\" wanted", text)
	}
	*n = Number(v)
	return nil
}
