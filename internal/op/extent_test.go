package op

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pimflow/internal/tensor"
)

// vast are instances of every operator with extents of 2^31. Operators of one table share one.
var vast = func() map[string]vastCase {
	const n = 1 << 31
	m := map[string]vastCase{
		"Conv": {Attrs{"kernel_shape": ints(3, 3), "strides": ints(1, 1), "dilations": ints(1, 1), "pads": ints(1, 1, 1, 1), "group": int64(1)},
			[]tensor.Shape{{1, 4, n, 8}, {4, 4, 3, 3}}},
		"ConvTranspose": {Attrs{"kernel_shape": ints(2, 2), "strides": ints(1, 1), "dilations": ints(1, 1), "pads": ints(0, 0, 0, 0), "output_padding": ints(0, 0), "group": int64(1)},
			[]tensor.Shape{{1, 4, n, 8}, {4, 4, 2, 2}}},
		"Gemm":                  {Attrs{}, []tensor.Shape{{n, 4}, {4, 8}}},
		"MatMul":                {nil, []tensor.Shape{{4, n}, {n, 4}}},
		"BatchNormalization":    {nil, []tensor.Shape{{1, n, 2}, {n}, {n}, {n}, {n}}},
		"InstanceNormalization": {nil, []tensor.Shape{{1, n, 2}, {n}, {n}}},
		"LayerNormalization":    {nil, []tensor.Shape{{4, n}, {n}}},
		"LRN":                   {Attrs{"size": int64(1 << 30)}, []tensor.Shape{{1, n, 2}}},
		"Concat":                {Attrs{"axis": int64(1)}, []tensor.Shape{{2, n}, {2, 5}, {2, n}}},
		"Slice":                 {Attrs{"starts": ints(n - 1), "ends": ints(-n - 1), "axes": ints(1), "steps": ints(-1)}, []tensor.Shape{{2, n}}},
		"Reshape":               {Attrs{"shape": ints(n, 2)}, []tensor.Shape{{2, n}}},
		"Transpose":             {Attrs{"perm": ints(1, 0)}, []tensor.Shape{{2, n}}},
		"Expand":                {Attrs{"shape": ints(2, n)}, []tensor.Shape{{2, 1}}},
		"Tile":                  {Attrs{"repeats": ints(1, n)}, []tensor.Shape{{2, 3}}},
		"Resize":                {Attrs{"sizes": ints(2, n)}, []tensor.Shape{{2, 3}}},
		"DepthToSpace":          {Attrs{"blocksize": int64(2)}, []tensor.Shape{{1, 8, n, 2}}},
		"SpaceToDepth":          {Attrs{"blocksize": int64(2)}, []tensor.Shape{{1, 8, n, 2}}},
		"Gather":                {Attrs{"axis": int64(0)}, []tensor.Shape{{n, 2}, {n}}},
		"GatherElements":        {Attrs{"axis": int64(0)}, []tensor.Shape{{n, 2}, {n, 2}}},
		"GatherND":              {nil, []tensor.Shape{{n, 2}, {n, 1}}},
		"ScatterElements":       {Attrs{"axis": int64(0)}, []tensor.Shape{{n, 2}, {n, 2}, {n, 2}}},
		"ScatterND":             {nil, []tensor.Shape{{n, 2}, {n, 1}, {n, 2}}},
		"GridSample":            {nil, []tensor.Shape{{1, 2, n, 2}, {1, n, 2, 2}}},
		"RoiAlign":              {nil, []tensor.Shape{{1, 2, n, 2}, {n, 4}, {n}}},
		"MaxRoiPool":            {Attrs{"pooled_shape": ints(2, 2)}, []tensor.Shape{{1, 2, n, 2}, {n, 5}}},
		"Det":                   {nil, []tensor.Shape{{n, 3, 3}}},
		"OneHot":                {Attrs{"depth": int64(4)}, []tensor.Shape{{n}, {2}}},
		"TopK":                  {Attrs{"k": int64(n / 2), "axis": int64(1)}, []tensor.Shape{{2, n}}},
		"CumSum":                {Attrs{"axis": int64(1)}, []tensor.Shape{{2, n}}},
		"ReverseSequence":       {nil, []tensor.Shape{{2, n}, {n}}},
		"Trilu":                 {nil, []tensor.Shape{{2, n}}},
		"BitShift":              {Attrs{"direction": "LEFT"}, []tensor.Shape{{2, n}, {n}}},
		"Pad":                   {Attrs{"pads": ints(0, 1<<30, 0, 1<<30)}, []tensor.Shape{{2, 3}}},
		"Sized":                 {nil, []tensor.Shape{{2, n}, {2}}},
		"Where":                 {nil, []tensor.Shape{{2, n}, {n}, {1}}},
		"Cast":                  {Attrs{"to": "float16"}, []tensor.Shape{{2, n}}},
	}
	for _, pool := range []string{"MaxPool", "AveragePool", "MaxPoolIndices", "LpPool"} {
		m[pool] = vastCase{Attrs{"kernel_shape": ints(1 << 20), "strides": ints(1), "dilations": ints(1), "pads": ints(1<<19, 1<<19)}, []tensor.Shape{{1, 2, n}}}
	}
	for _, r := range reductions {
		m[r.name] = vastCase{Attrs{"axes": ints(1)}, []tensor.Shape{{2, n}}}
	}
	for _, row := range slices.Concat(binaryOps, logicOps, bitOps) {
		if _, own := m[row.Name]; !own && row.MaxIn == 2 {
			m[row.Name] = vastCase{nil, []tensor.Shape{{2, n}, {n}}}
		}
	}
	for _, name := range Names() {
		if o, _ := Lookup(name); o.MinIn == 1 && o.MaxIn == 1 {
			if _, own := m[name]; !own {
				m[name] = vastCase{Attrs{}, []tensor.Shape{{1, 2, n}}}
			}
		}
	}
	m["QuantizeLinear"] = vastCase{Attrs{}, []tensor.Shape{{2, n}, {}, {}}}
	m["DequantizeLinear"] = m["QuantizeLinear"]
	for _, name := range Names() {
		if o, _ := Lookup(name); o.Real != "" {
			m[name] = vastCase{m[o.Real].attrs, onIntegersOf(o, m[o.Real].in)}
		}
	}
	return m
}()

// onIntegersOf are the operands of a row on integers, from those of the row on real numbers.
func onIntegersOf(o *Op, in []tensor.Shape) []tensor.Shape {
	more := 2 * (len(in) + 1)
	if o.product != nil {
		more = fixedOperands[o.product.result] - 2
	}
	return append(slices.Clone(in), slices.Repeat([]tensor.Shape{{}}, more)...)
}

type vastCase struct {
	attrs Attrs
	in    []tensor.Shape
}

// TestNeedOfVastValues asks every operator for what parts of values of 2^31 rows need: the answer takes memory for the
// dimensions, not for the extents.
func TestNeedOfVastValues(t *testing.T) {
	cases := maps.Clone(vast)
	for name, attrs := range map[string][]Attrs{
		"Pad": {
			{"mode": "edge", "pads": ints(0, 1<<30, 0, 1<<30)}, {"mode": "wrap", "pads": ints(0, 1<<30, 0, 1<<30)},
			{"mode": "reflect", "pads": ints(0, 2, 0, 2)},
		},
		"Resize": {{"mode": "linear", "sizes": ints(2, 1<<31)}, {"mode": "cubic", "sizes": ints(2, 1<<31)}, {"mode": "linear", "sizes": ints(2, 1<<31), "antialias": int64(1)}},
	} {
		for i, a := range attrs {
			cases[fmt.Sprintf("%s %d", name, i)] = vastCase{a, vast[name].in}
		}
	}
	for _, name := range Names() {
		if o, _ := Lookup(name); o.Need != nil && cases[name].in == nil {
			t.Errorf("%s has no instance", name)
		}
	}
	for name, c := range cases {
		o, err := Lookup(strings.Fields(name)[0])
		if err != nil {
			t.Fatal(err)
		}
		if o.Need == nil {
			continue
		}
		a, err := c.attrs.Complete(o)
		if err != nil {
			t.Error(err)
			continue
		}
		s, err := o.Shape(a, c.in)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		whole := tensor.Full(s)
		for d, r := range whole {
			for _, part := range []tensor.Range{r, {Lo: 0, Hi: 1}, {Lo: r.Hi - 1, Hi: r.Hi}, {Lo: r.Hi / 2, Hi: r.Hi}} {
				for i, b := range o.Need(a, c.in, whole.With(d, part)) {
					if !b.In(c.in[i]) {
						t.Errorf("%s: %v of dimension %d of %v needs %v of input %d", name, part, d, s, b, i)
					}
				}
			}
		}
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
			t.Errorf("%s: %d bytes allocated", name, n)
		}
	}
}
