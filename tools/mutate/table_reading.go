package main

import "slices"

// reads are faults of what a model's file is read as.
var reads = slices.Concat(
	file("internal/onnx/open.go", in("internal/onnx", "^(TestOpen|TestBound|TestBatch)$"),
		row{"a name is one extent in one input only", `if x := b.names[d.param]; x != nil && d.param != "" && b.free(i, k) {`, `if x := b.names[d.param]; x != nil && d.param == "" && b.free(i, k) {`},
		row{"a dimension that the file fixes is changed", `if int64(extent) == d.value || by == "" {`, `if true {`},
		row{"a picture's height is its width", `[]int{1, 3, g.Shape[0], g.Shape[1]}`, `[]int{1, 3, g.Shape[1], g.Shape[0]}`},
		row{"the batch goes before what is given for an input", `	for i, p := range b.inputs {
		if o.Given == nil`, `	if err := b.batch(1, ""); err != nil {
		return err
	}
	for i, p := range b.inputs {
		if o.Given == nil`},
	),
	file("internal/onnx/declared.go", in("internal/onnx", "^(TestWarnings|TestOpen)$"),
		row{"an extent of 0 is not open", `!d.known || d.value == 0 ||`, `!d.known ||`},
		row{"a shape that the nodes contradict is no warning", `differ = d.value != int64(v.shape[i])`, `differ = d.value < 0`},
	),
	file("internal/onnx/until.go", in("internal/onnx", "^TestUntil$"),
		row{"what a value is made from is left out", `for _, name := range g.nodes[i].reads() {
			want(name)
		}`, `for _, name := range g.nodes[i].out {
			want(name)
		}`},
	),
	file("internal/onnx/control.go", in("internal/onnx", "^TestControl$"),
		row{"the other branch is taken", `if n.flag(0, "cond") {`, `if !n.flag(0, "cond") {`},
		row{"each step has the number of the first", `[]int64{i})`, `[]int64{0 * i})`},
		row{"what a step carries is not given to the next", `carried = out[1 : 1+k]`, `_ = out[1 : 1+k]`},
		row{"a condition does not end a loop", `for ; more && made != steps; made++ {`, `for ; (more || true) && made != steps; made++ {`},
	),
	file("internal/onnx/control.go", in("internal/onnx", "^TestNoSteps$"),
		row{"no step makes one row", `append(v.shape[:axis:axis], 0)`, `append(v.shape[:axis:axis], 1)`},
	),
	file("internal/onnx/scan.go", in("internal/onnx", "^TestNoSteps$"),
		row{"a negative axis counts from the last of a row", `n.axis(outAxes[j], len(list[0].shape)+1, 0)`, `n.axis(outAxes[j], len(list[0].shape), 1)`},
	),
	file("internal/onnx/narrow.go", in("internal/onnx", "^TestReadErrors$"),
		row{"a quantised type that an attribute names is not counted", `a.i != 0 && err != nil {`, `a.i < 0 && err != nil {`},
		row{"a quantised type is that of its initializers alone", `p.opType == "Constant" && `, `p.opType == "" && `},
	),
	file("internal/op/nms.go", in("internal/onnx", "^TestReadErrors$"),
		row{"boxes overlap by more than all", `!(iou >= 0 && iou <= 1)`, `!(iou >= 0)`},
		row{"a score that is no number is a threshold", `s != s {`, `s > s {`},
	),
	file("internal/npy/npy.go", in("internal/npy", "^TestErrors$"),
		row{"values beyond the shape are left out", `} else if n > 0 {`, `} else if n < 0 {`},
	),
	file("internal/hw/decode.go", in("internal/hw", "^TestErrors$"),
		row{"words behind a machine pass", `if _, err := d.dec.Token(); !errors.Is(err, io.EOF) {`, `if _, err := d.dec.Token(); err == nil {`},
	),
	file("cmd/pimflow/sweep_progress.go", in("cmd/pimflow", "^TestLines$"),
		row{"a sweep is silent at its beginning", `fmt.Fprintln(t.out, "pimflow:", t.now())`, `_ = fmt.Fprintln`},
	),
	file("cmd/pimflow/run.go", in("cmd/pimflow", "^TestOutputFiles$"),
		row{"a file's name is as long as its value's", `for len(safe) > longestName {`, `for len(safe) < 0 {`},
	),
	file("internal/onnx/scan.go", in("internal/onnx", "^TestScanImages$"),
		row{"what an image has beyond its rows is scanned", `back, int(count[b]))`, `back, int(count[0]))`},
		row{"a scan from the last row begins with the first", `at = steps - 1 - t`, `at = t`},
	),
	file("internal/onnx/node.go", in("internal/onnx", "^TestReadErrors$"),
		row{"no value is named that a network can end at", `v.id <= id ||`, `v.id >= id ||`},
	),
	file("internal/onnx/function.go", in("internal/onnx", "^(TestControl|TestWrittenOut)$"),
		row{"a function that calls itself is written out", `if x.key == key {`, `if x.key == key && false {`},
		row{"a call has the defaults of the function only", `		c.attrs[a.name] = a
	}
	if len(n.p.in)`, `	}
	if len(n.p.in)`},
		row{"what is written out has no bound", `r.spent > maxSpent {`, `r.spent < 0 {`},
	),
	file("internal/onnx/lower.go", in("internal/onnx", "^TestReadErrors$"),
		row{"operators after an error are not looked for", `case !l.supported(p):`, `case false:`},
	),
	file("internal/onnx/told.go", in("internal/onnx", "^(TestToldSizes|TestLongest)$"),
		row{"nothing waits for a value that tells a size", `n.wait = append(n.wait, v)`, `_ = v`},
		row{"a size without a bound is read", `n.fixed(n.in[i]) == nil && (k`, `n.fixed(n.in[i]) != nil && (k`},
		row{"an end behind its start is no cut", `distance[0] < 0 && end[0] < 0 && start[1] >= 0`, `distance[0] < 0 && end[0] < 0 && start[1] < 0`},
		row{"a cut has the length of the intervals", `long = min(long, max(last-first, 0))`, `long = max(last-first, 0)`},
		row{"more is taken than there is", `return min(hi[0], int64(entries))`, `return hi[0]`},
	),
	file("internal/onnx/control.go", in("internal/onnx", "^TestToldSizes$"),
		row{"a loop that data end makes no step", `		panic(stop{varying(what)})
	}
	return true`, `		panic(stop{varying(what)})
	}
	return false`},
	),
	file("internal/interval/rules.go", in("internal/interval", ""),
		row{"the chord of a maximum is left out", `z.above = chord(x, y, math.Max)`, `_ = chord`},
		row{"a maximum is not above its operands", `z.below = []form{form{}.plus(1, x), form{}.plus(1, y)}`, `z.below = nil`},
		row{"a value cut to whole numbers is what it was", `		below.c--`, `		below.c -= 0`},
		row{"integers do not wrap around", `lo < least || hi > most {`, `lo < least && hi > most {`},
		row{"numbers are not rounded", `return epsilon*math.Abs(v) + smallest`, `return 0 * epsilon`},
		row{"a product has two corners", `[]float64{y.lo, y.hi}`, `[]float64{y.hi}`},
	),
	file("internal/interval/moves.go", in("internal/interval", "^TestByHand$"),
		row{"an index that is not known is the first", `v, at = a.along(v, axis), tensor.New`, `v, at = v, tensor.New`},
		row{"a sum of what is alike is one of it", `n *= float64(shape[d] / v.dims[d])`, `n *= float64(shape[d] / shape[d])`},
	),
	file("internal/interval/interval.go", in("internal/interval", "^(TestByHand|TestHeightOfABox)$"),
		row{"elements of a large value are told apart", `if p.many || q.many {`, `if false {`},
		row{"other boxes have the same rows", `p, q := a.of(x).each(a.g.Nodes[x].Shape)[i]`, `p, q := a.of(x).each(a.g.Nodes[x].Shape)[j]`},
	),
	file("internal/onnx/legacy.go", in("internal/onnx", "^(TestLegacy|TestSpatial0)$"),
		row{"an old operand is aligned with the last dimensions", `from = n.axis(at.i, len(a.shape), 0)`, `_ = n.axis(at.i, len(a.shape), 0)`},
		row{"an old operand is stretched where broadcast is not set", `case !stretch:`, `case !stretch && false:`},
	),
	file("internal/onnx/contributed.go", in("internal/onnx", "^TestContributed$"),
		row{"a sum before an activation is forgotten", `		if z == nil {
			return put("Conv"`, `		if true {
			return put("Conv"`},
		row{"the batch of a product is not transposed", `perm[r-2] = 0`, `perm[r-2] = int64(r - 2)`},
	),
)
