package hw

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"pimflow/internal/nearest"
)

// Given says how a number follows from others: by a formula of keys, or as a duration in
// nanoseconds that is rounded to cycles. One of both is set.
type Given struct{ Formula, NS string }

// The language of formulas has sums and differences of products and quotients of keys and
// decimal numbers, as "1000 / memory.channel_gb_per_s / memory.gpu_channels". It has no
// parentheses; what they would be needed for is a derived key.

// derivedKey is a number that follows from fields of a machine.
type derivedKey struct {
	key string
	of  func(m *Machine) (float64, error)
}

// whole is a derived key that always has a value.
func whole(of func(m *Machine) int) func(m *Machine) (float64, error) {
	return func(m *Machine) (float64, error) { return float64(of(m)), nil }
}

// derivedKeys are the numbers that formulas and rules may name and no file has.
var derivedKeys = []derivedKey{
	{"memory.gpu_channels", whole(func(m *Machine) int { // all, where all compute: inputs are then in the banks of the same channels
		if kept := m.Memory.Channels - m.Memory.PIMChannels; kept > 0 {
			return kept
		}
		return m.Memory.Channels
	})},
	{"pim.element_bytes", whole(func(m *Machine) int { return m.PIM.ElementSize() })},
	{"pim.real_bytes", whole(func(m *Machine) int { return m.PIM.RealSize() })},
	{"pim.lanes", whole(func(m *Machine) int { return m.PIM.Lanes() })},
	{"pim.columns_per_row", whole(func(m *Machine) int { return m.PIM.Columns() })},
	{"gpu.start_us", func(m *Machine) (float64, error) { // of the mechanism
		if us := m.Start().Value; us > 0 {
			return us, nil
		}
		return 0, fmt.Errorf("gpu.launches.%s_us: missing: launch.gpu is %s", m.Launch.GPU, m.Launch.GPU)
	}},
}

// startFormula is a launch as its mechanism has it.
const startFormula = "1000000 * gpu.start_us / gpu.clock_ps"

// atMost are the durations that hardware may shorten and not lengthen: they are rounded
// down to cycles, all others up.
var atMost = []string{"pim.timing.refi_ck"}

// Derive computes every number that follows from others. A caller that changes a field of
// a machine calls it; Load and With have done so. Errors name the key and its formula.
func (m *Machine) Derive() error {
	m.PIM.Timing = maps.Clone(m.PIM.Timing)
	if err := derive(reflect.ValueOf(m).Elem(), m.Given, m); err != nil {
		return err
	}
	if m.Given[finishEnergy].Formula == onGPUEnergy {
		m.Link.Finish.Energy = m.GPU.Energy.FMA
	}
	if m.Given["gpu.launch_ck"].Formula == startFormula { // the bounds of launches are the mechanism's
		r := m.Start()
		third := func(x float64) float64 { return math.Round(x*1e3) / 1e3 }
		m.GPU.Error.Launch = Range{1, max(0.001, min(1, third(r.Low/r.Value))), max(1, third(r.High/r.Value))}
	}
	return nil
}

// derive computes the given numbers of a struct. Without a machine there are no derived keys.
func derive(v reflect.Value, given map[string]Given, m *Machine) error {
	if len(given) == 0 {
		return nil
	}
	s := newSolver(v, given, m)
	for _, path := range slices.Sorted(maps.Keys(given)) {
		if err := s.solve(path); err != nil {
			return err
		}
	}
	return nil
}

// solver computes the numbers that follow from others, each once.
type solver struct {
	m     *Machine
	given map[string]Given
	at    map[string]*leaf
	state map[string]int // 1: being computed; 2: done
}

func newSolver(v reflect.Value, given map[string]Given, m *Machine) *solver {
	s := &solver{m: m, given: given, at: map[string]*leaf{}, state: map[string]int{}}
	leaves("", v, "", func(l leaf) { s.at[l.path] = &l })
	return s
}

// solve computes the number of a path and those that it follows from.
func (s *solver) solve(path string) error {
	g, ok := s.given[path]
	if !ok || s.state[path] == 2 {
		return nil
	}
	if s.state[path] == 1 {
		return fmt.Errorf("%s: its formula %.80q follows from the number itself", path, g.Formula)
	}
	s.state[path] = 1
	l, ok := s.at[path]
	if !ok {
		return fmt.Errorf("%s: a formula of no number", path)
	}
	var x *big.Rat
	var err error
	if g.NS != "" {
		x, err = s.cycles(path, g.NS)
	} else {
		x, err = s.value(g.Formula)
	}
	if err == nil {
		err = l.assign(x)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	s.state[path] = 2
	return nil
}

// cycles is a duration in cycles of its clock, the PIM's or the GPU's. Rounding is that of
// JEDEC (JESD79-4, Rounding Algorithms): 2.5 % of a clock is forgiven.
func (s *solver) cycles(path, ns string) (*big.Rat, error) {
	clock := "gpu.clock_ps"
	if strings.HasPrefix(path, "pim.") {
		clock = "pim.clock_ps"
	}
	period, err := s.number(clock)
	if err != nil {
		return nil, err
	}
	t, ok := new(big.Rat).SetString(ns)
	if !ok {
		return nil, fmt.Errorf("%s ns: a number wanted", ns)
	}
	x := t.Quo(t.Mul(t, big.NewRat(1000, 1)), period)
	forgiven := big.NewRat(974, 1000)
	if slices.Contains(atMost, path) {
		forgiven = big.NewRat(0, 1)
	}
	return floor(x.Add(x, forgiven)), nil
}

// floor is the largest whole number that is not above x.
func floor(x *big.Rat) *big.Rat {
	return new(big.Rat).SetInt(new(big.Int).Div(x.Num(), x.Denom()))
}

// number is the value of a key.
func (s *solver) number(key string) (*big.Rat, error) {
	for _, d := range derivedKeys {
		if d.key == key && s.m != nil {
			for _, path := range []string{"memory.channels", "memory.pim_channels", "pim.column_bytes", "pim.row_bytes"} {
				if err := s.solve(path); err != nil {
					return nil, err
				}
			}
			x, err := d.of(s.m)
			if err != nil {
				return nil, err
			}
			r, _ := new(big.Rat).SetString(float(x))
			return r, nil
		}
	}
	if !strings.Contains(key, ".") {
		key = "pim.timing." + key // a parameter of the DRAM's standard
	}
	l, ok := s.at[key]
	if !ok || !l.number() {
		var known []string
		for path, l := range s.at {
			if l.number() {
				known = append(known, path)
			}
		}
		return nil, fmt.Errorf("unknown number %s%s", key, nearest.Hint(key, known))
	}
	if err := s.solve(key); err != nil {
		return nil, err
	}
	return s.at[key].rational(), nil
}

// value is what a formula gives.
func (s *solver) value(formula string) (*big.Rat, error) {
	fields := strings.Fields(formula)
	sum, product := new(big.Rat), new(big.Rat)
	op := "+"
	for i, f := range fields {
		if i%2 == 1 {
			if op = f; !slices.Contains([]string{"+", "-", "*", "/"}, op) || i == len(fields)-1 {
				return nil, fmt.Errorf("formula %.80q: keys and numbers with + - * / between them wanted, with spaces", formula)
			}
			continue
		}
		x, isNumber := new(big.Rat), false
		if f[0] >= '0' && f[0] <= '9' {
			x, isNumber = x.SetString(f)
		}
		if !isNumber {
			var err error
			if x, err = s.number(f); err != nil {
				return nil, fmt.Errorf("formula %.80q: %w", formula, err)
			}
		}
		switch {
		case op == "/" && x.Sign() == 0:
			return nil, fmt.Errorf("formula %.80q divides by %s, which is 0", formula, f)
		case op == "/":
			product.Quo(product, x)
		case op == "*":
			product.Mul(product, x)
		default:
			sum.Add(sum, product)
			if product.Set(x); op == "-" {
				product.Neg(product)
			}
		}
	}
	if len(fields) == 0 {
		return nil, errors.New("an empty formula")
	}
	return sum.Add(sum, product), nil
}

// rational is the value of a number, that of a Range without its bounds, as its decimal
// digits say.
func (l *leaf) rational() *big.Rat {
	switch x := l.v.Interface().(type) {
	case Period:
		return big.NewRat(x.Num, x.Den)
	case Range:
		r, _ := new(big.Rat).SetString(float(x.Value))
		return r
	}
	if l.v.CanInt() {
		return new(big.Rat).SetInt64(l.v.Int())
	}
	r, _ := new(big.Rat).SetString(float(l.v.Float()))
	return r
}

// assign stores a number, a whole one rounded; the bounds of a Range move as far as they must.
func (l *leaf) assign(x *big.Rat) error {
	v := reflect.New(l.v.Type()).Elem()
	v.Set(l.v)
	var err error
	number := func(to reflect.Value) error {
		f, _ := x.Float64()
		text := float(f)
		if to.CanInt() {
			text = floor(new(big.Rat).Add(x, big.NewRat(1, 2))).Num().String()
		}
		return set(to, json.Number(text), l.want)
	}
	switch l.v.Type() {
	case periodType:
		if !x.Num().IsInt64() || !x.Denom().IsInt64() || x.Num().Int64() > maxPeriod || x.Denom().Int64() > maxPeriod {
			f, _ := x.Float64() // to a millionth of a picosecond
			if f > maxPeriod {
				return fmt.Errorf("%.6g ps: at most %.0e wanted", f, float64(maxPeriod))
			}
			x = new(big.Rat).SetFrac64(int64(f*1e6+0.5), 1e6)
		}
		var p Period
		p, err = ParsePeriod(x.RatString())
		v.Set(reflect.ValueOf(p))
	case rangeType:
		r := v.Addr().Interface().(*Range)
		err = number(reflect.ValueOf(&r.Value).Elem())
		r.Low, r.High = min(r.Low, r.Value), max(r.High, r.Value)
	default:
		err = number(v)
	}
	if err == nil {
		l.put(v)
		l.v = v // that of a map is a copy
	}
	return err
}

// known is how a number is written that follows from others, for messages.
func (g Given) String() string {
	if g.NS != "" {
		return g.NS + " ns"
	}
	return strconv.Quote(g.Formula)
}
