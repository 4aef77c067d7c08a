package space

import (
	"cmp"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"

	"pimflow/internal/fault"
	"pimflow/internal/hw"
)

// constrain compiles the constraints.
func (s *Space) constrain() error {
	for _, w := range s.spec.Where {
		read := map[int]bool{}
		t, err := compile(w.Text, func(name string) (kind, term, error) { return s.lookup(name, read) })
		if err != nil {
			return s.spec.errorf(w.Line, "where", "%.80q: %s", w.Text, fault.Line(err))
		}
		c := constraint{t, 1, w.Text}
		for d := len(s.dims) - 1; d >= 0 && !slices.ContainsFunc(s.dims[d].axes, func(a int) bool { return read[a] }); d-- {
			c.same *= s.dims[d].size
		}
		s.where = append(s.where, c)
	}
	slices.SortStableFunc(s.where, func(a, b constraint) int { return cmp.Compare(b.same, a.same) })
	return nil
}

// constraint is a compiled constraint. Points whose numbers differ within a multiple of same have all that it reads in common.
type constraint struct {
	term
	same int
	text string
}

// excludes reports whether a constraint does not hold at a point. One without a value does.
func (c *constraint) excludes(at []int) bool {
	v, ok := c.term(at)
	return ok && !v.truth
}

// lookup finds a word, or a key of the machine as the point has it, and notes the axes that it reads.
func (s *Space) lookup(name string, read map[int]bool) (kind, term, error) {
	for _, w := range words {
		if w.flag == name {
			k := text
			if w.name == batches {
				k = number
			}
			read[s.find(w.name)] = true
			return k, s.table(s.find(w.name), k), nil
		}
	}
	var k kind
	for i := range s.pairs {
		x, err := s.pairs[i].hw.Value(name)
		if err != nil {
			if !strings.Contains(name, ".") {
				_, flags := Names()
				err = fmt.Errorf("%.80q is no key of the machine, and none of %s", name, strings.Join(flags, ", "))
			}
			return 0, nil, err
		}
		k = valueOf(x).kind
	}
	if a := s.find(name); a >= 0 {
		read[a] = true
		return k, s.table(a, k), nil
	}
	t, err := s.derived(name, read)
	return k, t, err
}

// table is the values of an axis.
func (s *Space) table(a int, k kind) term {
	list := make([]value, len(s.axes[a].values))
	for i, t := range s.axes[a].values {
		v := value{kind: k, text: t}
		switch k {
		case number:
			v = valueOf(math.NaN()) // the machine will refuse it
			if x, ok := rational(t); ok {
				v = valueOf(x)
			}
		case truth:
			v = valueOf(t == "true")
		}
		list[i] = v
	}
	return func(at []int) (value, bool) { return list[at[a]], true }
}

// rational reads a decimal number, or a period as 8000/7.
func rational(t string) (float64, bool) {
	over, under, both := strings.Cut(t, "/")
	if !decimal.MatchString(over) || both && !decimal.MatchString(under) {
		return 0, false
	}
	x, _ := new(big.Rat).SetString(over)
	if both {
		y, _ := new(big.Rat).SetString(under)
		if y.Sign() == 0 {
			return 0, false
		}
		x.Quo(x, y)
	}
	f, _ := x.Float64()
	return f, true
}

// derived is a number that the space does not change by its key. It is the machine's, or where it follows from keys that the
// space changes, that of the machine with these keys.
func (s *Space) derived(name string, read map[int]bool) (term, error) {
	type source struct {
		value value
		from  []int // axes
	}
	m, g := s.find(machines), s.find(gpus)
	read[m], read[g] = true, true
	byPair := map[[2]int]source{}
	for i := range s.pairs {
		p := &s.pairs[i]
		x, err := p.hw.Value(name)
		if err != nil {
			return nil, err
		}
		src := source{valueOf(x), s.from(p.hw, name)}
		for _, a := range src.from {
			read[a] = true
		}
		byPair[[2]int{p.machine, p.gpu}] = src
	}
	return func(at []int) (value, bool) {
		src := byPair[[2]int{at[m], at[g]}]
		if len(src.from) == 0 {
			return src.value, true
		}
		v := s.jointly(name, src.from, at)
		return v.value, v.ok
	}, nil
}

// from lists the axes that a number of a machine may depend on: keys that it follows from, and texts, which decide what follows
// from what.
func (s *Space) from(m *hw.Machine, name string) (axes []int) {
	follows := m.Follows(name)
	for i := range s.axes {
		if a := &s.axes[i]; a.key() {
			x, err := m.Value(a.Name)
			_, isText := x.(string)
			if err == nil && isText || slices.Contains(follows, a.Name) {
				axes = append(axes, i)
			}
		}
	}
	return axes
}

// jointKey is a number on a machine with some keys changed; jointValue is what it is there.
type jointKey struct {
	name  string
	place int // mixed radix of machine, GPU and the values of the axes
}

type jointValue struct {
	value value
	ok    bool // the machine takes the values
}

// maxJoint bounds the numbers that are remembered. Estimated: some tens of megabytes.
const maxJoint = 1 << 18

// jointly is a number of the machine with the values of some axes.
func (s *Space) jointly(name string, axes []int, at []int) jointValue {
	m, g := s.find(machines), s.find(gpus)
	k := jointKey{name, 0}
	for _, a := range append([]int{m, g}, axes...) {
		k.place = k.place*len(s.axes[a].values) + at[a]
	}
	s.mu.Lock()
	v, ok := s.joint[k]
	s.mu.Unlock()
	if ok {
		return v
	}
	var changes []string
	for _, a := range axes {
		changes = append(changes, s.axes[a].Name+"="+s.axes[a].values[at[a]])
	}
	if changed, err := s.pair(at).hw.Set(changes...); err == nil {
		if x, err := changed.Value(name); err == nil {
			v = jointValue{valueOf(x), true}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.joint) >= maxJoint {
		clear(s.joint)
	}
	s.joint[k] = v
	return v
}
