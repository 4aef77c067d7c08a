package op

import (
	"slices"

	"pgregory.net/rapid"

	"pimflow/internal/tensor"
)

// generators makes random instances of each operator.
var generators = map[string]func(*rapid.T) instance{
	"Add": drawBroadcast(2, numbers...), "Sub": drawBroadcast(2, numbers...), "Mul": drawBroadcast(2, numbers...),
	"Div": drawBroadcast(2, numbers...), "Pow": drawBroadcast(2, numbers...), "Min": drawBroadcast(2, numbers...), "Max": drawBroadcast(2, numbers...),
	"Mod": func(t *rapid.T) instance {
		x := drawBroadcast(2, numbers...)(t)
		x.attrs = Attrs{"fmod": int64(draw(t, "fmod", 0, 1))}
		if x.in[0].Type.Float() {
			x.attrs["fmod"] = int64(1)
		}
		return x
	},
	"PRelu": func(t *rapid.T) instance {
		s := drawShape(t, 1, 4)
		return instance{in: []*tensor.Tensor{fill(tensor.Float32, s, 1), fill(tensor.Float32, narrower(t, s), 2)}}
	},
	"Equal": drawBroadcast(2, append(numbers, tensor.Bool)...), "Greater": drawBroadcast(2, numbers...), "Less": drawBroadcast(2, numbers...),
	"GreaterOrEqual": drawBroadcast(2, numbers...), "LessOrEqual": drawBroadcast(2, numbers...),
	"And": drawBroadcast(2, tensor.Bool), "Or": drawBroadcast(2, tensor.Bool), "Xor": drawBroadcast(2, tensor.Bool),
	"Not": drawBroadcast(1, tensor.Bool), "Identity": drawUnary(tensor.Bool, tensor.Int64),
	"Sized": func(t *rapid.T) instance {
		x := drawUnary(tensor.Bool, tensor.Int64)(t)
		x.in, x.attrs = append(x.in, fill(tensor.Int64, drawShape(t, 0, 2), 3)), Attrs{"steps": int64(draw(t, "steps", -1, 2))}
		return x
	},
	"Where": func(t *rapid.T) instance {
		x := drawBroadcast(3, numbers...)(t)
		x.in[0] = fill(tensor.Bool, x.in[0].Shape, 7)
		return x
	},
	"Cast": func(t *rapid.T) instance {
		x := drawUnary(tensor.Bool, tensor.Int64, tensor.Uint8)(t)
		x.attrs = Attrs{"to": rapid.SampledFrom([]string{"float32", "float16", "bfloat16", "int64", "int32", "int8", "uint8", "bool"}).Draw(t, "to")}
		return x
	},

	"Relu": drawUnary(tensor.Int64), "Neg": drawUnary(tensor.Int64, tensor.Int32), "Abs": drawUnary(tensor.Int64), "Sign": drawUnary(tensor.Int64),
	"Clip": func(t *rapid.T) instance {
		x := drawUnary(tensor.Int64)(t)
		x.attrs = Attrs{"min": float32(-2), "max": float32(3)}
		return x
	},
	"Gelu": func(t *rapid.T) instance {
		x := drawUnary()(t)
		x.attrs = Attrs{"approximate": rapid.SampledFrom([]string{"none", "tanh"}).Draw(t, "approximate")}
		return x
	},
	"LeakyRelu": drawUnary(), "Elu": drawUnary(), "Selu": drawUnary(), "Sigmoid": drawUnary(), "HardSigmoid": drawUnary(), "HardSwish": drawUnary(),
	"Swish": drawUnary(), "Tanh": drawUnary(), "Erf": drawUnary(), "Softplus": drawUnary(), "Softsign": drawUnary(), "Mish": drawUnary(),
	"Sqrt": drawUnary(), "Reciprocal": drawUnary(), "Exp": drawUnary(), "Log": drawUnary(), "Floor": drawUnary(), "Ceil": drawUnary(),
	"Round": drawUnary(), "Sin": drawUnary(), "Cos": drawUnary(),

	"Conv": drawConv, "ConvTranspose": drawTransposed,
	"MaxPool": drawPool(false), "AveragePool": drawPool(true), "GlobalAveragePool": drawChannels(0), "GlobalMaxPool": drawChannels(0),
	"BatchNormalization": drawChannels(4), "InstanceNormalization": drawChannels(2),
	"LRN": func(t *rapid.T) instance {
		x := drawChannels(0)(t)
		x.attrs = Attrs{"size": int64(draw(t, "size", 1, 6)), "alpha": float32(0.5)}
		return x
	},
	"LayerNormalization": func(t *rapid.T) instance {
		x := drawAlong(t)
		s := x.in[0].Shape
		for i := range draw(t, "params", 1, 2) {
			x.in = append(x.in, fill(x.in[0].Type, narrower(t, s), i))
		}
		return x
	},
	"LpNormalization": func(t *rapid.T) instance {
		x := drawAlong(t)
		x.attrs["p"] = int64(draw(t, "p", 1, 2))
		return x
	},
	"Softmax": drawAlong, "LogSoftmax": drawAlong, "ArgMax": drawArg, "ArgMin": drawArg,
	"ReduceSum": drawReduce(numbers...), "ReduceMean": drawReduce(numbers...), "ReduceMax": drawReduce(numbers...), "ReduceMin": drawReduce(numbers...),
	"ReduceProd": drawReduce(numbers...), "ReduceL2": drawReduce(tensor.Float32),

	"Gemm":   drawGemm,
	"MatMul": drawMatMul,

	"Concat": func(t *rapid.T) instance {
		s, typ := drawShape(t, 1, 4), rapid.SampledFrom(numbers).Draw(t, "type")
		axis := drawAxis(t, len(s))
		x := instance{attrs: Attrs{"axis": axis}}
		for i := range draw(t, "parts", 1, 4) {
			p := s.Clone()
			p[(int(axis)+len(s))%len(s)] = draw(t, "part", 0, 4)
			x.in = append(x.in, fill(typ, p, i))
		}
		return x
	},
	"Slice": func(t *rapid.T) instance {
		s := drawShape(t, 1, 4)
		var starts, ends, axes, steps []int
		for d := range s {
			if rapid.Bool().Draw(t, "cut") {
				axes, starts = append(axes, d), append(starts, draw(t, "start", -9, 9))
				ends = append(ends, draw(t, "end", -9, 9))
				steps = append(steps, rapid.SampledFrom([]int{-3, -2, -1, 1, 2, 3}).Draw(t, "step"))
			}
		}
		return instance{Attrs{"starts": ints(starts...), "ends": ints(ends...), "axes": ints(axes...), "steps": ints(steps...)},
			[]*tensor.Tensor{fill(rapid.SampledFrom(numbers).Draw(t, "type"), s, 1)}}
	},
	"Pad": func(t *rapid.T) instance {
		s, mode := drawShape(t, 0, 4), rapid.SampledFrom([]string{"constant", "reflect", "edge", "wrap"}).Draw(t, "mode")
		pads := make([]int, 2*len(s))
		for i := range pads {
			n := s[i%len(s)]
			lo, hi := -min(1, (n-1)/2), n-1
			switch mode {
			case "constant":
				hi = 4
			case "wrap":
				lo, hi = 0, 5
			}
			pads[i] = draw(t, "pad", lo, hi)
		}
		return instance{Attrs{"pads": ints(pads...), "mode": mode, "value": float32(3)},
			[]*tensor.Tensor{fill(rapid.SampledFrom(numbers).Draw(t, "type"), s, 1)}}
	},
	"Reshape": func(t *rapid.T) instance {
		s := drawShape(t, 0, 4)
		return instance{Attrs{"shape": ints(1, s.Size())}, []*tensor.Tensor{fill(tensor.Float32, s, 1)}}
	},
	"Transpose": func(t *rapid.T) instance {
		s := drawShape(t, 0, 4)
		perm := []int{}
		for d := range s {
			perm = slices.Insert(perm, draw(t, "at", 0, d), d)
		}
		return instance{Attrs{"perm": ints(perm...)}, []*tensor.Tensor{fill(rapid.SampledFrom(numbers).Draw(t, "type"), s, 1)}}
	},
	"Expand": func(t *rapid.T) instance {
		s := drawShape(t, 0, 4)
		return instance{Attrs{"shape": ints(s...)}, []*tensor.Tensor{fill(tensor.Float32, narrower(t, s), 1)}}
	},
	"Tile": func(t *rapid.T) instance {
		s := drawShape(t, 0, 3)
		r := make([]int, len(s))
		for d := range r {
			r[d] = draw(t, "repeats", 0, 3)
		}
		return instance{Attrs{"repeats": ints(r...)}, []*tensor.Tensor{fill(tensor.Int64, s, 1)}}
	},
	"Gather": func(t *rapid.T) instance {
		s, k := drawShape(t, 1, 3), drawShape(t, 0, 2)
		axis := drawAxis(t, len(s))
		n := s[(int(axis)+len(s))%len(s)]
		return instance{Attrs{"axis": axis}, []*tensor.Tensor{fill(rapid.SampledFrom(numbers).Draw(t, "type"), s, 1), fillInts(tensor.Int64, k, 2, -n, n-1)}}
	},
	"NonZero": drawCounted("NonZero", func(t *rapid.T) instance {
		s := drawShape(t, 0, 3)
		return instance{Attrs{}, []*tensor.Tensor{fillInts(rapid.SampledFrom([]tensor.Type{tensor.Bool, tensor.Int64}).Draw(t, "type"), s, 1, 0, 1)}}
	}),
	"Compress": drawCounted("Compress", func(t *rapid.T) instance {
		s := drawShape(t, 1, 3)
		return instance{Attrs{"axis": drawAxis(t, len(s))}, []*tensor.Tensor{
			fill(rapid.SampledFrom(numbers).Draw(t, "type"), s, 1), fillInts(tensor.Bool, tensor.Shape{draw(t, "conditions", 0, 6)}, 2, 0, 1)}}
	}),
	"NonMaxSuppression": drawCounted("NonMaxSuppression", func(t *rapid.T) instance {
		images, classes, boxes := draw(t, "images", 1, 2), draw(t, "classes", 1, 3), draw(t, "boxes", 0, 6)
		return instance{
			Attrs{"center_point_box": int64(draw(t, "centre", 0, 1)), "max_output_boxes_per_class": int64(draw(t, "most", 0, 7)),
				"iou_threshold": float32(draw(t, "iou", 0, 10)) / 10, "score_threshold": float32(draw(t, "score", -1, 1))},
			[]*tensor.Tensor{fill(tensor.Float32, tensor.Shape{images, boxes, 4}, 1), fill(tensor.Float32, tensor.Shape{images, classes, boxes}, 2)}}
	}),
	"Unique": drawCounted("Unique", func(t *rapid.T) instance {
		x := drawDistinct(t)
		x.attrs["output"] = rapid.SampledFrom([]string{"Y", "indices", "counts"}).Draw(t, "output")
		return x
	}),
	"UniqueInverse": drawDistinct,
	"DepthToSpace": func(t *rapid.T) instance {
		s, b := drawShape(t, 4, 4), draw(t, "blocksize", 1, 3)
		s[1] *= b * b
		return instance{Attrs{"blocksize": int64(b), "mode": rapid.SampledFrom([]string{"DCR", "CRD"}).Draw(t, "mode")},
			[]*tensor.Tensor{fill(rapid.SampledFrom(numbers).Draw(t, "type"), s, 1)}}
	},
	"SpaceToDepth": func(t *rapid.T) instance {
		s, b := drawShape(t, 4, 4), draw(t, "blocksize", 1, 3)
		s[2], s[3] = s[2]*b, s[3]*b
		return instance{Attrs{"blocksize": int64(b)}, []*tensor.Tensor{fill(rapid.SampledFrom(numbers).Draw(t, "type"), s, 1)}}
	},
	"Resize": drawResize,
}

var numbers = []tensor.Type{tensor.Float32, tensor.Float16, tensor.Int64, tensor.Int32}

func drawGemm(t *rapid.T) instance {
	m, n, k := draw(t, "m", 1, 5), draw(t, "n", 1, 5), draw(t, "k", 1, 5)
	a, b := tensor.Shape{m, k}, tensor.Shape{k, n}
	attrs := Attrs{"alpha": float32(0.5), "beta": float32(2), "transA": int64(draw(t, "transA", 0, 1)), "transB": int64(draw(t, "transB", 0, 1))}
	if attrs.Int("transA") == 1 {
		slices.Reverse(a)
	}
	if attrs.Int("transB") == 1 {
		slices.Reverse(b)
	}
	typ := floatType(t)
	x := instance{attrs, []*tensor.Tensor{fill(typ, a, 1), fill(typ, b, 2)}}
	if rapid.Bool().Draw(t, "c") {
		x.in = append(x.in, fill(typ, narrower(t, tensor.Shape{m, n}), 3))
	}
	return x
}

func drawMatMul(t *rapid.T) instance {
	m, n, k := draw(t, "m", 1, 4), draw(t, "n", 1, 4), draw(t, "k", 1, 4)
	batch := drawShape(t, 0, 2)
	a := append(narrower(t, batch), m, k)
	b := append(narrower(t, batch), k, n)
	if rapid.Bool().Draw(t, "vector a") {
		a = tensor.Shape{k}
	}
	if rapid.Bool().Draw(t, "vector b") {
		b = tensor.Shape{k}
	}
	typ := floatType(t)
	return instance{in: []*tensor.Tensor{fill(typ, a, 1), fill(typ, b, 2)}}
}

func drawResize(t *rapid.T) instance {
	s := drawShape(t, 0, 4)
	sizes, scales := make([]int, len(s)), make([]float32, len(s))
	for d := range s {
		sizes[d], scales[d] = s[d], 1
		if rapid.Bool().Draw(t, "changed") {
			sizes[d] = draw(t, "size", 1, 8)
			scales[d] = float32(sizes[d]) / float32(s[d])
		}
	}
	if rapid.Bool().Draw(t, "no scales") {
		scales = []float32{}
	}
	roi := make([]float32, 2*len(s))
	for i := range roi {
		roi[i] = float32(draw(t, "roi", -2, 10)) / 8
	}
	return instance{Attrs{
		"sizes": ints(sizes...), "scales": scales, "roi": roi, "extrapolation_value": float32(7), "antialias": int64(draw(t, "antialias", 0, 1)),
		"mode":                           rapid.SampledFrom([]string{"nearest", "linear", "cubic"}).Draw(t, "mode"),
		"coordinate_transformation_mode": rapid.SampledFrom(coordinateNames()).Draw(t, "coordinates"),
		"nearest_mode":                   rapid.SampledFrom([]string{"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"}).Draw(t, "nearest"),
		"exclude_outside":                int64(draw(t, "exclude_outside", 0, 1)),
	}, []*tensor.Tensor{fill(floatType(t), s, 1)}}
}
