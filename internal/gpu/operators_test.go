package gpu_test

import (
	"slices"
	"strings"
	"testing"

	"pimflow/internal/gpu"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// sample is how to make one node of an operator: attributes, and operands that are not
// as many float32 values of 1x8x4x4 as the operator wants at least.
type sample struct {
	attrs  op.Attrs
	shapes []tensor.Shape
	types  []tensor.Type
}

var (
	window   = op.Attrs{"kernel_shape": []int64{2, 2}, "strides": []int64{2, 2}, "pads": []int64{0, 0, 0, 0}, "dilations": []int64{1, 1}}
	reduce   = sample{attrs: op.Attrs{"axes": []int64{2, 3}}}
	octets   = sample{types: []tensor.Type{tensor.Uint8, tensor.Uint8}}
	booleans = sample{types: []tensor.Type{tensor.Bool, tensor.Bool}}
	indexed  = []tensor.Type{tensor.Float32, tensor.Int64, tensor.Float32}
	image    = tensor.Shape{1, 8, 4, 4}
	channel  = tensor.Shape{8}
)

// samples are the operators that need more than operands of the usual shape.
var samples = map[string]sample{
	"And": booleans, "Or": booleans, "Xor": booleans, "Not": booleans,
	"AveragePool": {attrs: window}, "MaxPool": {attrs: window}, "MaxPoolIndices": {attrs: window}, "LpPool": {attrs: window},
	"MaxUnpool": {attrs: op.Attrs{"kernel_shape": []int64{2, 2}, "strides": []int64{2, 2}, "pads": []int64{0, 0, 0, 0}}, types: indexed},
	"RNN":       recurrent(1, "Tanh"), "GRU": recurrent(3, "Sigmoid Tanh"), "LSTM": recurrent(4, "Sigmoid Tanh Tanh"),
	"GridSample": {shapes: []tensor.Shape{image, {1, 3, 3, 2}}},
	"RoiAlign":   {shapes: []tensor.Shape{image, {3, 4}, {3}}, types: []tensor.Type{tensor.Float32, tensor.Float32, tensor.Int64}},
	"MaxRoiPool": {attrs: op.Attrs{"pooled_shape": []int64{2, 2}}, shapes: []tensor.Shape{image, {3, 5}}},
	"BitShift":   {attrs: op.Attrs{"direction": "LEFT"}, types: octets.types},
	"BitwiseAnd": octets, "BitwiseOr": octets, "BitwiseXor": octets, "BitwiseNot": octets,
	"CumSum":                {attrs: op.Attrs{"axis": int64(1)}},
	"GatherElements":        {shapes: []tensor.Shape{image, image}, types: indexed},
	"GatherND":              {shapes: []tensor.Shape{image, {3, 2}}, types: indexed},
	"ScatterElements":       {shapes: []tensor.Shape{image, image, image}, types: indexed},
	"ScatterND":             {shapes: []tensor.Shape{image, {3, 1}, {3, 8, 4, 4}}, types: indexed},
	"OneHot":                {attrs: op.Attrs{"depth": int64(5)}, shapes: []tensor.Shape{image, {2}}},
	"ReverseSequence":       {shapes: []tensor.Shape{image, channel}, types: indexed},
	"TopK":                  {attrs: op.Attrs{"k": int64(2)}},
	"BatchNormalization":    {shapes: []tensor.Shape{image, channel, channel, channel, channel}},
	"InstanceNormalization": {shapes: []tensor.Shape{image, channel, channel}},
	"LayerNormalization":    {shapes: []tensor.Shape{image, {4}}},
	"Cast":                  {attrs: op.Attrs{"to": "int32"}},
	"QuantizeLinear":        {shapes: []tensor.Shape{image, {}, {}}, types: []tensor.Type{tensor.Float32, tensor.Float32, tensor.Int8}},
	"DequantizeLinear":      {shapes: []tensor.Shape{image, {}, {}}, types: []tensor.Type{tensor.Int8, tensor.Float32, tensor.Int8}},
	"Compress":              {attrs: op.Attrs{"axis": int64(1), "size": int64(5)}, shapes: []tensor.Shape{image, {8}}, types: []tensor.Type{tensor.Float32, tensor.Bool}},
	"NonMaxSuppression":     {attrs: op.Attrs{"max_output_boxes_per_class": int64(9), "size": int64(9)}, shapes: []tensor.Shape{{1, 30, 4}, {1, 2, 30}}},
	"NonZero":               {attrs: op.Attrs{"size": int64(128)}},
	"Unique":                {attrs: op.Attrs{"axis": int64(1), "size": int64(8)}},
	"UniqueInverse":         {attrs: op.Attrs{"axis": int64(1)}},
	"Concat":                {attrs: op.Attrs{"axis": int64(1)}, shapes: []tensor.Shape{image, image}},
	"Conv":                  {attrs: convAttrs(1, 3, 1, 1), shapes: []tensor.Shape{image, {8, 8, 3, 3}}},
	"ConvTranspose": {attrs: op.Attrs{"group": int64(1), "kernel_shape": []int64{2, 2}, "strides": []int64{2, 2}, "pads": []int64{0, 0, 0, 0},
		"dilations": []int64{1, 1}, "output_padding": []int64{0, 0}}, shapes: []tensor.Shape{image, {8, 8, 2, 2}}},
	"DepthToSpace": {attrs: op.Attrs{"blocksize": int64(2)}}, "SpaceToDepth": {attrs: op.Attrs{"blocksize": int64(2)}},
	"Expand":   {attrs: op.Attrs{"shape": []int64{2, 8, 4, 4}}},
	"Gather":   {shapes: []tensor.Shape{image, {1}}, types: []tensor.Type{tensor.Float32, tensor.Int64}},
	"Gemm":     {shapes: []tensor.Shape{{4, 8}, {8, 6}}},
	"MatMul":   {shapes: []tensor.Shape{{4, 8}, {8, 6}}},
	"LRN":      {attrs: op.Attrs{"size": int64(5)}},
	"Mod":      {attrs: op.Attrs{"fmod": int64(1)}, shapes: []tensor.Shape{image, image}},
	"Pad":      {attrs: op.Attrs{"pads": []int64{0, 0, 1, 1, 0, 0, 1, 1}}},
	"ReduceL2": reduce, "ReduceMax": reduce, "ReduceMean": reduce, "ReduceMin": reduce, "ReduceProd": reduce, "ReduceSum": reduce,
	"Reshape":   {attrs: op.Attrs{"shape": []int64{1, 128}}},
	"Resize":    {attrs: op.Attrs{"sizes": []int64{1, 8, 8, 8}}},
	"Slice":     {attrs: op.Attrs{"starts": []int64{1}, "ends": []int64{3}, "axes": []int64{1}, "steps": []int64{1}}},
	"Tile":      {attrs: op.Attrs{"repeats": []int64{1, 2, 1, 1}}},
	"Transpose": {attrs: op.Attrs{"perm": []int64{0, 2, 3, 1}}},
	"Where":     {types: []tensor.Type{tensor.Bool, tensor.Float32, tensor.Float32}},
}

// sampleOf is the sample of an operator; that of a row on integers is made from the one on real numbers.
func sampleOf(row *op.Op) sample {
	s := samples[row.Name]
	if row.Real == "" {
		return s
	}
	s = samples[row.Real]
	real, _ := op.Lookup(row.Real)
	shapes := slices.Clone(s.shapes)
	for len(shapes) < max(1, real.MinIn) {
		shapes = append(shapes, image)
	}
	types := slices.Repeat([]tensor.Type{tensor.Int8}, len(shapes))
	scale, zero := tensor.Float32, tensor.Int8
	for len(types) < row.MinIn || row.MACs == nil && len(types) < 3*len(s.shapes)+2 {
		if row.Name == real.Name+"Integer" { // zero points alone
			shapes, types = append(shapes, tensor.Shape{}), append(types, zero)
			continue
		}
		shapes, types = append(shapes, tensor.Shape{}, tensor.Shape{}), append(types, scale, zero)
	}
	return sample{s.attrs, shapes, types}
}

// recurrent is 5 steps of 2 sequences of 6 values, with a state of 8.
func recurrent(gates int, functions string) sample {
	n := strings.Count(functions, " ") + 1
	s := sample{attrs: op.Attrs{"hidden_size": int64(8), "activations": functions, "activation_alpha": make([]float32, n), "activation_beta": make([]float32, n)}}
	s.shapes = []tensor.Shape{{5, 2, 6}, {1, gates * 8, 6}, {1, gates * 8, 8}, {1, 2 * gates * 8}, {2}, {1, 2, 8}, {1, 2, 8}, {1, 24}}
	for range s.shapes {
		s.types = append(s.types, tensor.Float32)
	}
	s.types[4] = tensor.Int32
	if gates < 4 {
		s.shapes = s.shapes[:6]
	}
	return s
}

// TestEveryOperator walks the operator table: each operator is kernels of a class, each
// of which takes time, moves bytes and takes energy, or it is a view and takes none.
func TestEveryOperator(t *testing.T) {
	devices := map[string]*hw.Machine{}
	for _, name := range hw.Names() {
		devices[name] = machine(t, name, nil)
	}
	for _, name := range hw.BoardNames() {
		devices["newton+"+name] = machine(t, "newton+"+name, nil)
	}
	classes := map[gpu.Class]int{}
	for _, name := range op.Names() {
		row, err := op.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		s := sampleOf(row)
		b := graph.NewBuilder("sample")
		var ids []graph.ID
		for i := range max(row.MinIn, len(s.shapes)) {
			shape, typ := image, tensor.Float32
			if s.shapes != nil {
				shape = s.shapes[i]
			}
			if s.types != nil {
				typ = s.types[i]
			}
			ids = append(ids, b.Input(string(rune('a'+i)), typ, shape))
		}
		id, err := b.Op("y", name, s.attrs, ids...)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		b.Output("y", id)
		g, err := b.Graph()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for where, m := range devices {
			code := compile(t, newGPU(t, m, m.Memory.Channels), g, g.Whole(id))
			c := code.Cost()
			low, high := c.Bounds()
			switch total := c.Energy.Total(); {
			case row.View:
				if len(code.Kernels()) != 0 || c.Time != 0 || low != 0 || high != 0 {
					t.Errorf("%s on %s is a view and takes %v", name, where, c.Time)
				}
			case len(code.Kernels()) == 0 || c.Time <= c.Launch || total.Value <= 0 || low > c.Time || high < c.Time || low <= 0:
				t.Errorf("%s on %s: %+v", name, where, c)
			}
			for _, k := range code.Kernels() {
				classes[k.Class]++
				if k.Class != gpu.Offset && !(k.US > 0) {
					t.Errorf("%s on %s: %v takes %v us", name, where, k.Class, k.US)
				}
			}
		}
	}
	for _, c := range []gpu.Class{gpu.Matrix, gpu.Vector, gpu.Pool, gpu.Element, gpu.Post} {
		if classes[c] == 0 {
			t.Errorf("no operator is of class %s", c)
		}
	}
}

// TestChannels: bandwidth and L2 are in proportion to the channels that the GPU keeps,
// and nothing else changes with them.
func TestChannels(t *testing.T) {
	for _, name := range hw.Names() {
		m := machine(t, name, nil)
		one := gpu.NewModel(m, 1)
		for n := 1; n <= m.Memory.Channels; n++ {
			got, want := *gpu.NewModel(m, n), *one
			want.GBps *= float64(n)
			want.L2 *= float64(n)
			if got != want {
				t.Errorf("%s, %d channels: %+v: %+v wanted", name, n, got, want)
			}
		}
	}
}

// TestInPlace: a concatenation costs nothing where kernels write its parts, and costs
// what it moves where something else reads a part of it, or a part is given.
func TestInPlace(t *testing.T) {
	build := func(twice, input, output bool) (*graph.Graph, graph.ID) {
		b := graph.NewBuilder("concat")
		x := b.Input("x", tensor.Float32, image)
		must := func(id graph.ID, err error) graph.ID {
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		left, right := must(b.Op("left", "Relu", nil, x)), must(b.Op("right", "Tanh", nil, x))
		if input {
			right = x
		}
		y := must(b.Op("y", "Concat", op.Attrs{"axis": int64(1)}, left, right))
		b.Output("y", y)
		if twice {
			b.Output("z", must(b.Op("z", "Abs", nil, left)))
		}
		if output {
			b.Output("left", left)
		}
		g, err := b.Graph()
		if err != nil {
			t.Fatal(err)
		}
		return g, y
	}
	for _, machineOf := range []string{"artifact", "newton+t4"} {
		d := newGPU(t, machine(t, machineOf, nil), 16) // compiles one graph after the other
		for _, c := range []struct{ twice, input, output bool }{{}, {twice: true}, {input: true}, {output: true}} {
			g, y := build(c.twice, c.input, c.output)
			want := 1
			if machineOf == "newton+t4" && !c.twice && !c.input && !c.output {
				want = 0
			}
			if n := len(compile(t, d, g, g.Whole(y)).Kernels()); n != want {
				t.Errorf("%s %+v: %d kernels, want %d", machineOf, c, n, want)
			}
		}
	}
}
