package op

import (
	"maps"
	"math"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"pimflow/internal/tensor"
)

func init() {
	maps.Copy(generators, map[string]func(*rapid.T) instance{
		"Tan": drawUnary(), "Asin": drawUnary(), "Acos": drawUnary(), "Atan": drawUnary(), "Sinh": drawUnary(), "Cosh": drawUnary(),
		"Asinh": drawUnary(), "Acosh": drawUnary(), "Atanh": drawUnary(), "Hardmax": drawAlong,
		"Shrink": func(t *rapid.T) instance {
			x := drawUnary()(t)
			x.attrs = Attrs{"bias": float32(0.5), "lambd": float32(1)}
			return x
		},
		"IsNaN": drawUnary(), "IsInf": func(t *rapid.T) instance {
			s := drawShape(t, 0, 3)
			x := fill(tensor.Float32, s, 1)
			x.Floats()[draw(t, "at", 0, s.Size()-1)] = float32(math.Inf(1 - 2*draw(t, "negative", 0, 1)))
			return instance{Attrs{"detect_negative": int64(draw(t, "detect_negative", 0, 1)), "detect_positive": int64(draw(t, "detect_positive", 0, 1))}, []*tensor.Tensor{x}}
		},
		"BitwiseAnd": drawBroadcast(2, integral...), "BitwiseOr": drawBroadcast(2, integral...), "BitwiseXor": drawBroadcast(2, integral...),
		"BitwiseNot": func(t *rapid.T) instance { return drawBroadcast(1, integral...)(t) },
		"BitShift": func(t *rapid.T) instance {
			x := drawBroadcast(2, tensor.Uint8)(t)
			x.attrs = Attrs{"direction": rapid.SampledFrom([]string{"LEFT", "RIGHT"}).Draw(t, "direction")}
			return x
		},

		"TopK": func(t *rapid.T) instance {
			s := drawShape(t, 1, 4)
			axis := drawAxis(t, len(s))
			k := draw(t, "k", 0, s[(int(axis)+len(s))%len(s)])
			return instance{Attrs{"axis": axis, "k": int64(k), "largest": int64(draw(t, "largest", 0, 1))},
				[]*tensor.Tensor{fill(rapid.SampledFrom(numbers).Draw(t, "type"), s, 1)}}
		},
		"CumSum": func(t *rapid.T) instance {
			s := drawShape(t, 1, 4)
			return instance{Attrs{"axis": drawAxis(t, len(s)), "exclusive": int64(draw(t, "exclusive", 0, 1)), "reverse": int64(draw(t, "reverse", 0, 1))},
				[]*tensor.Tensor{fill(rapid.SampledFrom(numbers).Draw(t, "type"), s, 1)}}
		},
		"ReverseSequence": func(t *rapid.T) instance {
			s := drawShape(t, 2, 4)
			b := draw(t, "batch_axis", 0, len(s)-1)
			i := (b + draw(t, "time_axis", 1, len(s)-1)) % len(s)
			return instance{Attrs{"batch_axis": int64(b), "time_axis": int64(i)},
				[]*tensor.Tensor{fill(rapid.SampledFrom(numbers).Draw(t, "type"), s, 1), fillInts(tensor.Int64, tensor.Shape{s[b]}, 2, 0, s[i])}}
		},
		"Trilu": func(t *rapid.T) instance {
			return instance{Attrs{"upper": int64(draw(t, "upper", 0, 1)), "k": int64(draw(t, "k", -6, 6))},
				[]*tensor.Tensor{fill(rapid.SampledFrom(numbers).Draw(t, "type"), drawShape(t, 2, 4), 1)}}
		},
		"OneHot": func(t *rapid.T) instance {
			s, n := drawShape(t, 0, 3), draw(t, "depth", 1, 5)
			in := fillInts(tensor.Int64, s, 1, -n-1, n)
			if rapid.Bool().Draw(t, "float") {
				in = in.Convert(tensor.Float32)
			}
			return instance{Attrs{"depth": int64(n), "axis": drawAxis(t, len(s)+1)},
				[]*tensor.Tensor{in, fill(rapid.SampledFrom(numbers).Draw(t, "type"), tensor.Shape{2}, 2)}}
		},

		"RNN": drawRecurrent(1, 1), "GRU": drawRecurrent(3, 2), "LSTM": drawRecurrent(4, 3),
		"Det": func(t *rapid.T) instance {
			n := draw(t, "n", 1, 4)
			return instance{in: []*tensor.Tensor{fill(floatType(t), append(drawShape(t, 0, 2), n, n), 1)}}
		},
		"GridSample": func(t *rapid.T) instance {
			n := draw(t, "spatial", 1, 3)
			modes := []string{"linear", "nearest", "cubic"}
			if n != 2 {
				modes = modes[:2]
			}
			mode := rapid.SampledFrom(modes).Draw(t, "mode")
			s, typ := drawShape(t, n+2, n+2), floatType(t)
			grid := fill(typ, append(append(tensor.Shape{s[0]}, drawShape(t, n, n)...), n), 2)
			for i, v := range grid.Floats() {
				grid.Floats()[i] = v / 2
			}
			return instance{Attrs{"mode": mode, "padding_mode": rapid.SampledFrom([]string{"zeros", "border", "reflection"}).Draw(t, "padding"),
				"align_corners": int64(draw(t, "align_corners", 0, 1))}, []*tensor.Tensor{fill(typ, s, 1), grid}}
		},
		"RoiAlign": func(t *rapid.T) instance {
			s, n := drawShape(t, 4, 4), draw(t, "rois", 0, 3)
			return instance{Attrs{
				"mode":          rapid.SampledFrom([]string{"avg", "max"}).Draw(t, "mode"),
				"output_height": int64(draw(t, "height", 1, 3)), "output_width": int64(draw(t, "width", 1, 3)),
				"sampling_ratio": int64(draw(t, "sampling_ratio", 0, 2)), "spatial_scale": float32(1) / float32(draw(t, "scale", 1, 2)),
				"coordinate_transformation_mode": rapid.SampledFrom([]string{"half_pixel", "output_half_pixel"}).Draw(t, "coordinates"),
			}, []*tensor.Tensor{fill(tensor.Float32, s, 1), fill(tensor.Float32, tensor.Shape{n, 4}, 2), fillInts(tensor.Int64, tensor.Shape{n}, 3, 0, s[0])}}
		},
		"MaxRoiPool": func(t *rapid.T) instance {
			s, n := drawShape(t, 4, 4), draw(t, "rois", 0, 3)
			rois := fill(tensor.Float32, tensor.Shape{n, 5}, 2)
			for i := range n {
				rois.Floats()[5*i] = float32(draw(t, "image", 0, s[0]))
			}
			return instance{Attrs{"pooled_shape": ints(draw(t, "height", 1, 3), draw(t, "width", 1, 3))}, []*tensor.Tensor{fill(tensor.Float32, s, 1), rois}}
		},
		"MaxPoolIndices": func(t *rapid.T) instance {
			x := drawPool(false)(t)
			x.attrs["storage_order"] = int64(draw(t, "storage_order", 0, 1))
			return x
		},
		"LpPool": func(t *rapid.T) instance {
			x := drawPool(true)(t)
			delete(x.attrs, "count_include_pad")
			x.attrs["p"] = int64(draw(t, "p", 1, 3))
			return x
		},
		"MaxUnpool": func(t *rapid.T) instance {
			a, _, x := drawWindows(t, draw(t, "spatial", 1, 3), 2)
			a["pads"] = make([]int64, len(a["pads"].([]int64)))
			delete(a, "dilations")
			s := append(tensor.Shape{1, draw(t, "c", 1, 2)}, x...)
			return instance{a, []*tensor.Tensor{fill(rapid.SampledFrom(numbers).Draw(t, "type"), s, 1), fillInts(tensor.Int64, s, 2, -1, 4*s.Size())}}
		},

		"GatherElements": func(t *rapid.T) instance {
			x, indices := drawBeside(t)
			return instance{x.attrs, append(x.in, indices)}
		},
		"ScatterElements": func(t *rapid.T) instance {
			x, indices := drawBeside(t)
			x.attrs["reduction"] = drawReduction(t)
			return instance{x.attrs, append(x.in, indices, fill(x.in[0].Type, indices.Shape, 3))}
		},
		"GatherND": func(t *rapid.T) instance {
			s := drawShape(t, 1, 4)
			b := draw(t, "batch_dims", 0, len(s)-1)
			return instance{Attrs{"batch_dims": int64(b)},
				[]*tensor.Tensor{fill(rapid.SampledFrom(numbers).Draw(t, "type"), s, 1), drawTuples(t, s, b)}}
		},
		"ScatterND": func(t *rapid.T) instance {
			s, typ := drawShape(t, 1, 4), rapid.SampledFrom(numbers).Draw(t, "type")
			indices := drawTuples(t, s, 0)
			q := len(indices.Shape)
			u := append(indices.Shape[:q-1].Clone(), s[indices.Shape[q-1]:]...)
			return instance{Attrs{"reduction": drawReduction(t)}, []*tensor.Tensor{fill(typ, s, 1), indices, fill(typ, u, 3)}}
		},
	})
}

var integral = []tensor.Type{tensor.Int64, tensor.Int32, tensor.Int8, tensor.Uint8}

func drawReduction(t *rapid.T) string {
	return rapid.SampledFrom([]string{"none", "add", "mul", "max", "min"}).Draw(t, "reduction")
}

func drawRecurrent(gates, functions int) func(*rapid.T) instance {
	return func(t *rapid.T) instance {
		steps, batch, inputs, h := draw(t, "steps", 0, 4), draw(t, "batch", 1, 2), draw(t, "inputs", 1, 3), draw(t, "hidden", 1, 3)
		a := Attrs{"direction": rapid.SampledFrom([]string{"forward", "reverse", "bidirectional"}).Draw(t, "direction"), "hidden_size": int64(h), "clip": float32(draw(t, "clip", 0, 1))}
		d := directions(a)
		var names []string
		for range d * functions {
			names = append(names, rapid.SampledFrom(slices.Sorted(maps.Keys(activations))).Draw(t, "activation"))
		}
		a["activations"] = strings.Join(names, " ")
		a["activation_alpha"], a["activation_beta"] = slices.Repeat([]float32{0.5}, len(names)), slices.Repeat([]float32{0.25}, len(names))
		x := instance{a, nil}
		for i, s := range []tensor.Shape{{steps, batch, inputs}, {d, gates * h, inputs}, {d, gates * h, h}, {d, 2 * gates * h}, {batch}, {d, batch, h}, {d, batch, h}, {d, 3 * h}} {
			if i == 4 {
				x.in = append(x.in, fillInts(tensor.Int32, s, i, -1, steps+1))
			} else {
				x.in = append(x.in, fill(tensor.Float32, s, i))
			}
		}
		if gates < 4 {
			x.in = x.in[:6]
		}
		return x
	}
}

// drawBeside draws a value and an axis, and indices on it, some of them out of range.
func drawBeside(t *rapid.T) (instance, *tensor.Tensor) {
	s := drawShape(t, 1, 4)
	axis := drawAxis(t, len(s))
	d := (int(axis) + len(s)) % len(s)
	is := s.Clone()
	for k := range is {
		is[k] = draw(t, "indices", 0, s[k])
	}
	is[d] = draw(t, "along", 0, 6)
	return instance{Attrs{"axis": axis}, []*tensor.Tensor{fill(rapid.SampledFrom(numbers).Draw(t, "type"), s, 1)}},
		fillInts(tensor.Int64, is, 2, -s[d], s[d])
}

// drawTuples draws tuples of indices into the dimensions of s after the first batch
// ones.
func drawTuples(t *rapid.T, s tensor.Shape, batch int) *tensor.Tensor {
	k := draw(t, "tuple", 1, len(s)-batch)
	is := append(append(s[:batch].Clone(), drawShape(t, 0, 2)...), k)
	x := tensor.New(tensor.Int64, is)
	for i := range x.Ints() {
		n := s[batch+i%k]
		x.Ints()[i] = int64(hash(i, 5)%(2*n+1) - n) // n is out of range
	}
	return x
}
