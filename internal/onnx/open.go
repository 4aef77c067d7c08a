package onnx

import (
	"fmt"
	"maps"
	"slices"

	"pimflow/internal/fault"
	"pimflow/internal/nearest"
	"pimflow/internal/tensor"
)

// Options bind what a file leaves open. A dimension of an input is open if it has a name, or nothing, or 0 or -1 in
// place of its extent.
type Options struct {
	Batch  int              // of inputs whose first dimension is open; 0: 1
	Shapes map[string][]int // of inputs by name; "": of the only input
	Dims   map[string]int   // of open dimensions by their names
	// Given, unless nil, returns the file given for the value of an input, nil for none. It is asked where neither of
	// the above binds all dimensions.
	Given  func(input string) (*Given, error)
	Values Values   // which extents that depend on data are worked out from; nil: the largest
	Until  []string // the values that end the network, made by nodes; none: the model's outputs
}

// Given is a file that is the value of an input, with its shape: that of a tensor, or the height and width of a picture.
type Given struct {
	File    string
	Shape   []int
	Picture bool
}

// Bound is a dimension of an input that the file leaves open, and its extent.
type Bound struct {
	Input string
	Dim   int    // its number, from 0
	Name  string // as the file has it; "": none
	Value int
	by    string
}

// binding is the inputs of a graph while their open dimensions are bound.
type binding struct {
	inputs []*valueProto
	dims   [][]dimProto // of each input; a copy, in which open dimensions become known
	names  map[string]*Bound
	bound  map[[2]int]*Bound // by input and dimension
}

// inputs makes the inputs; one that has an initializer is its constant.
func (l *lowering) inputs(g *graphProto, o Options, f *File) error {
	seen := map[string]bool{}
	b := &binding{names: map[string]*Bound{}, bound: map[[2]int]*Bound{}}
	var types []tensor.Type
	for _, p := range g.inputs {
		if p.name == "" || seen[p.name] {
			return fmt.Errorf("input %.80q has no name, or is there twice", p.name)
		}
		seen[p.name] = true
		if l.env[p.name] != nil {
			continue
		}
		typ, err := p.inputType()
		if err != nil {
			return fmt.Errorf("input %.80q: %w", p.name, err)
		}
		types = append(types, typ)
		b.inputs, b.dims = append(b.inputs, p), append(b.dims, slices.Clone(p.dims))
	}
	if err := b.bind(o); err != nil {
		return err
	}
	for i, p := range b.inputs {
		shape := make(tensor.Shape, len(b.dims[i]))
		for k, d := range b.dims[i] {
			shape[k] = int(d.value)
		}
		if err := shape.Check(); err != nil {
			return fmt.Errorf("input %.80q: %w", p.name, err)
		}
		l.env[p.name] = &value{name: p.name, typ: types[i], shape: shape, id: l.b.Input(p.name, types[i], shape)}
	}
	f.names = b.names
	for i := range b.inputs {
		for k := range b.dims[i] {
			if x := b.bound[[2]int{i, k}]; x != nil {
				f.Bound = append(f.Bound, *x)
			}
		}
	}
	return nil
}

func (p *valueProto) inputType() (tensor.Type, error) {
	if p.kind != aTensor {
		return 0, fmt.Errorf("%s: a tensor wanted", or(p.kind, "no type"))
	}
	return elemType(p.elem)
}

// bind binds all open dimensions: what the user says first, the batch last.
func (b *binding) bind(o Options) error {
	for _, name := range slices.Sorted(maps.Keys(o.Shapes)) {
		if err := b.shape(name, o.Shapes[name]); err != nil {
			return err
		}
	}
	if err := b.named(o.Dims); err != nil {
		return err
	}
	if o.Batch > 0 {
		if err := b.batch(o.Batch, "--batch"); err != nil {
			return err
		}
	}
	for i, p := range b.inputs {
		if o.Given == nil || !b.leaves(i) {
			continue
		}
		given, err := o.Given(p.name)
		if err == nil && given != nil {
			err = b.given(i, given)
		}
		if err != nil {
			return err
		}
	}
	if err := b.batch(1, ""); err != nil {
		return err
	}
	return b.rest(o.Given != nil)
}

// set binds dimension k of input i, and all others of its name. No text says by what: where it is bound already, that holds.
func (b *binding) set(i, k, extent int, by string) error {
	p, d := b.inputs[i], &b.dims[i][k]
	if !b.free(i, k) {
		if int64(extent) == d.value || by == "" {
			return nil
		}
		was := "the file fixes it"
		if x := b.bound[[2]int{i, k}]; x != nil {
			was = x.by + " binds it"
		}
		return fault.Usagef("input %.80q: dimension %d is %d by %s: %s to %d", p.name, k, extent, by, was, d.value)
	}
	name := d.param
	if x := b.names[name]; name != "" && x != nil && x.Value != extent {
		if by == "" {
			extent, by = x.Value, x.by
		} else {
			return fault.Usagef("dimension %.80q is %d by %s, and %d by %s: one extent wanted", name, x.Value, or(x.by, "default"), extent, by)
		}
	}
	x := &Bound{p.name, k, name, extent, by}
	b.bound[[2]int{i, k}] = x
	*d = dimProto{value: int64(extent), known: true, param: name}
	if name != "" && b.names[name] == nil {
		b.names[name] = x
	}
	return nil
}

// free reports whether dimension k of input i is still to be bound.
func (b *binding) free(i, k int) bool { return b.dims[i][k].open() && b.bound[[2]int{i, k}] == nil }

// same binds what has the name of something bound.
func (b *binding) same() error {
	for i := range b.inputs {
		for k, d := range b.dims[i] {
			if x := b.names[d.param]; x != nil && d.param != "" && b.free(i, k) {
				if err := b.set(i, k, x.Value, x.by); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// leaves reports whether the shape of input i, or a dimension of it, is open.
func (b *binding) leaves(i int) bool {
	for k := range b.dims[i] {
		if b.free(i, k) {
			return true
		}
	}
	return !b.inputs[i].hasShape && b.dims[i] == nil
}

// shape binds an input to a shape that the user states.
func (b *binding) shape(name string, s []int) error {
	i := slices.IndexFunc(b.inputs, func(p *valueProto) bool { return p.name == name })
	switch {
	case name == "" && len(b.inputs) == 1:
		i = 0
	case name == "":
		return fault.Usagef("--shape %v: the model has the inputs %s: --shape NAME=%v wanted", tensor.Shape(s), fault.Names(b.list()), tensor.Shape(s))
	case i < 0:
		return fault.Usagef("--shape %.80s=%v: the model's inputs are %s%s", name, tensor.Shape(s), fault.Names(b.list()), nearest.Hint(name, b.list()))
	}
	by := "--shape " + tensor.Shape(s).String()
	if name != "" {
		by = fmt.Sprintf("--shape %.80s=%v", name, tensor.Shape(s))
	}
	if slices.ContainsFunc(s, func(d int) bool { return d < 1 }) {
		return fault.Usagef("%s: extents of 1 or more wanted", by)
	}
	return b.all(i, s, by)
}

// all binds all dimensions of an input.
func (b *binding) all(i int, s []int, by string) error {
	p := b.inputs[i]
	if !p.hasShape && b.dims[i] == nil {
		b.dims[i] = make([]dimProto, len(s))
	}
	if len(s) != len(b.dims[i]) {
		return fault.Usagef("input %.80q: %d dimensions by %s: the file says %s", p.name, len(s), by, p.shape())
	}
	for k, d := range s {
		if err := b.set(i, k, d, by); err != nil {
			return err
		}
	}
	return b.same()
}

// named binds dimensions by their names.
func (b *binding) named(dims map[string]int) error {
	known := map[string]bool{}
	for i := range b.inputs {
		for _, d := range b.inputs[i].dims {
			if d.open() && d.param != "" {
				known[d.param] = true
			}
		}
	}
	list := slices.Sorted(maps.Keys(known))
	for _, name := range slices.Sorted(maps.Keys(dims)) {
		by := fmt.Sprintf("--dim %.80s=%d", name, dims[name])
		if dims[name] < 1 {
			return fault.Usagef("%s: 1 or more wanted", by)
		}
		switch x := b.names[name]; {
		case !known[name] && len(list) == 0:
			return fault.Usagef("%s: no open dimension of the model's inputs has a name", by)
		case !known[name]:
			return fault.Usagef("%s: the open dimensions with a name are %s%s", by, fault.Names(list), nearest.Hint(name, list))
		case x == nil:
			b.names[name] = &Bound{Name: name, Value: dims[name], by: by}
		case x.Value != dims[name]:
			return fault.Usagef("dimension %.80q is %d by %s, and %d by %s: one extent wanted", name, x.Value, x.by, dims[name], by)
		}
	}
	return b.same()
}

// batch binds the first dimension of each input that leaves it open.
func (b *binding) batch(n int, by string) error {
	found, fixed := false, error(nil)
	for i, p := range b.inputs {
		switch {
		case len(b.dims[i]) == 0:
		case !p.hasShape || p.dims[0].open():
			found = true
			if err := b.set(i, 0, n, by); err != nil {
				return err
			}
		case p.dims[0].value != int64(n) && fixed == nil:
			fixed = fmt.Errorf("input %.80q: a batch of %d wanted, the file fixes it to %d", p.name, n, p.dims[0].value)
		}
	}
	if by != "" && !found {
		return fixed
	}
	return b.same()
}

// given binds what an input leaves open to the file that is its value.
func (b *binding) given(i int, g *Given) error {
	p := b.inputs[i]
	if !g.Picture {
		return b.all(i, g.Shape, g.File)
	}
	if !p.hasShape && b.dims[i] == nil {
		b.dims[i] = make([]dimProto, 4)
	}
	if len(b.dims[i]) != 4 {
		return nil // reading the picture says so
	}
	for k, d := range []int{1, 3, g.Shape[0], g.Shape[1]} {
		by := g.File
		if k < 2 || !b.free(i, k) { // a picture is resized to what is asked for
			by = ""
		}
		if err := b.set(i, k, d, by); err != nil {
			return err
		}
	}
	return b.same()
}

func (b *binding) list() (names []string) {
	for _, p := range b.inputs {
		names = append(names, p.name)
	}
	return names
}
