package hw

import (
	"fmt"
	"maps"
	"math/big"
	"reflect"
	"slices"
	"strings"

	"pimflow/internal/dram"
	"pimflow/internal/nearest"
)

// memoryLimits are what holds of the memory of every machine, whatever its standard; the
// others are of the standards (dram.Standard.Limits).
var memoryLimits = []dram.Limit{
	{Name: "one rate", Left: "memory.channel_gb_per_s", Is: "about", Right: "1000 * pim.column_bytes / pim.clock_ps / pim.timing.bl_ck", Why: "GPU and PIM share the pins of a channel"},
	{Name: "pin rate", Left: "8 * memory.channel_gb_per_s", Is: "<=", Right: "48 * memory.pins_per_channel", Why: "the fastest pin of a DRAM has 48 Gb/s (GDDR7, JESD239: 192 GB/s a device of 32 pins)"},
	{Name: "burst and column", Left: "8 * pim.column_bytes", Is: "=", Right: "memory.pins_per_channel * memory.burst_length", Why: "a column access is what the pins move in a burst"},
	{Name: "element", Left: "memory.bytes_per_element", Is: "=", Right: "pim.real_bytes", Why: "real numbers are stored in the number format, or in float16 where it is of integers"},
	{Name: "whole lanes", Left: "pim.column_bytes", Is: "a multiple of", Right: "pim.element_bytes", Why: "a column access has whole elements"},
	{Name: "whole columns", Left: "pim.row_bytes", Is: "a multiple of", Right: "pim.column_bytes", Why: "a row has whole columns"},
	{Name: "whole buffer", Left: "pim.buffer_bytes", Is: "a multiple of", Right: "pim.column_bytes", Why: "a buffer has whole columns"},
	{Name: "whole groups", Left: "pim.banks", Is: "a multiple of", Right: "pim.bank_groups", Why: "groups have as many banks each"},
	{Name: "bank address", Left: "pim.banks", Is: "a power of 2", Why: "banks are addressed in bits"},
	{Name: "group address", Left: "pim.bank_groups", Is: "a power of 2", Why: "bank groups are addressed in bits"},
	{Name: "column address", Left: "pim.row_bytes", Is: "a power of 2", Why: "columns are addressed in bits"},
	{Name: "burst address", Left: "memory.burst_length", Is: "a power of 2", Why: "transfers of a burst are addressed in bits"},
}

// alike is what makes the devices comparable. A machine may break it: Figures says so.
var alike = dram.Limit{Name: "launches alike", Left: "link.pim_launch_ck", Is: "=", Right: "gpu.launch_ck", Why: "the front end that starts a kernel starts PIM work"}

// checkNames refuses a number format, a mechanism of launches, a place or a DRAM standard that is not known, and a timing without
// a parameter of its standard: other numbers follow from them.
func (m *Machine) checkNames() error {
	if m.PIM.ElementSize() == 0 {
		known := slices.Sorted(maps.Keys(formats))
		return fmt.Errorf("pim.number_format: %.80q: one of %s wanted%s", m.PIM.Format, strings.Join(known, ", "), nearest.Hint(m.PIM.Format, known))
	}
	for _, c := range []struct {
		path, value string
		known       []string
	}{{"launch.gpu", m.Launch.GPU, []string{Stream, Graph}}, {"launch.pim", m.Launch.PIM, []string{Each, Joint}}} {
		if !slices.Contains(c.known, c.value) {
			return fmt.Errorf("%s: %.80q: %s wanted%s", c.path, c.value, strings.Join(c.known, " or "), nearest.Hint(c.value, c.known))
		}
	}
	if err := m.checkPlace(); err != nil {
		return err
	}
	std, err := dram.Lookup(m.PIM.Standard)
	if err != nil {
		return fmt.Errorf("pim.standard: %w", err)
	}
	if _, err := std.With(m.PIM.Switches()); err != nil {
		return fmt.Errorf("pim.%w", err)
	}
	var missing []string
	for _, p := range std.Parameters() {
		if _, ok := m.PIM.Timing[p]; !ok {
			missing = append(missing, "pim.timing."+p)
		}
	}
	switch all := listed(missing, func(p string) string { return p }); len(missing) {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("%s: missing: a parameter of standard %s", all, std.Name)
	default:
		return fmt.Errorf("%d keys missing: %s: parameters of standard %s", len(missing), all, std.Name)
	}
}

// limitsOf are the rules of a machine whose DRAM is of a standard.
func limitsOf(std *dram.Standard) []dram.Limit {
	return append(append(slices.Clone(memoryLimits), alike), std.Limits...)
}

// RuleError is the error of a machine whose numbers do not go together.
type RuleError struct {
	Keys []string // of the rule, and those that they follow from: with other values of these the machine may be right
	text string
}

func (e *RuleError) Error() string { return e.text }

// ruled is an error of a rule of keys.
func (m *Machine) ruled(keys []string, format string, a ...any) error {
	e := &RuleError{text: fmt.Sprintf(format, a...)}
	for _, key := range keys {
		e.Keys = append(e.Keys, m.Follows(key)...)
	}
	return e
}

// keysIn lists the keys of a formula.
func keysIn(formula string) (keys []string) {
	for _, f := range strings.Fields(formula) {
		if f[0] < 'a' || f[0] > 'z' {
			continue
		}
		if !strings.Contains(f, ".") {
			f = "pim.timing." + f
		}
		keys = append(keys, f)
	}
	return keys
}

// cadenceKeys are what the pace of column accesses under a power limit follows from.
var cadenceKeys = []string{"pim.power_limit_mw", "pim.clock_ps", "pim.timing.ccds_ck", "pim.timing.ccdab_ck", "pim.banks", "pim.mac_units", "pim.lanes", "pim.energy.column_read_pj", "pim.energy.mac_pj", "pim.energy.broadcast_pj"}

// slowest is the longest pace of column accesses that a power limit may ask for, in cycles.
const slowest = 10000

// check refuses a memory that no DRAM could be, but for the rules that the machine waives.
func (m *Machine) check() error {
	if m.Memory.PIMChannels > m.Memory.Channels {
		return m.ruled([]string{"memory.channels", PIMChannels}, "memory.pim_channels: %d: at most memory.channels, %d, wanted", m.Memory.PIMChannels, m.Memory.Channels)
	}
	std, err := dram.Lookup(m.PIM.Standard)
	if err != nil {
		return fmt.Errorf("pim.standard: %w", err)
	}
	if ck := m.PIM.Cadence(); m.PIM.Limit > 0 && ck > slowest {
		return m.ruled(cadenceKeys, "pim.power_limit_mw: %v: a column access of all banks takes %.6g pJ, every %d cycles: at most %d wanted", m.PIM.Limit, m.PIM.MACEnergy(), ck, int64(slowest))
	}
	limits := limitsOf(std)
	for _, name := range slices.Sorted(maps.Keys(m.Waives)) {
		var names []string
		for _, l := range limits {
			names = append(names, l.Name)
		}
		if !slices.Contains(names, name) {
			return fmt.Errorf("waives: %.80q: no rule of standard %s%s", name, std.Name, nearest.Hint(name, names))
		}
	}
	s := newSolver(reflect.ValueOf(m).Elem(), m.Given, m)
	for i := range limits {
		l := &limits[i]
		broken, err := s.broken(l)
		_, waived := m.Waives[l.Name]
		switch {
		case err != nil:
			return err
		case broken != "" && !waived && l.Name == alike.Name: // a question of the machine, not of its DRAM
		case broken != "" && !waived:
			return m.ruled(append(keysIn(l.Left), keysIn(l.Right)...), "%s: rule %.80q: %s", broken, l.Name, l.Why)
		}
	}
	return nil
}

// tolerance is what "about" allows: a rate is rounded in data sheets.
var tolerance = big.NewRat(1, 200)

// broken is what is wrong with the two sides of a rule, with the values of their keys; "" if
// it holds.
func (s *solver) broken(l *dram.Limit) (string, error) {
	left, err := s.value(l.Left)
	if err != nil {
		return "", err
	}
	right := new(big.Rat)
	if l.Right != "" {
		if right, err = s.value(l.Right); err != nil {
			return "", err
		}
	}
	holds := false
	switch l.Is {
	case "=":
		holds = left.Cmp(right) == 0
	case ">":
		holds = left.Cmp(right) > 0
	case ">=":
		holds = left.Cmp(right) >= 0
	case "<=":
		holds = left.Cmp(right) <= 0
	case "a multiple of":
		holds = right.Sign() > 0 && left.Sign() > 0 && new(big.Rat).Quo(left, right).IsInt()
	case "a power of 2":
		n := left.Num()
		holds = left.IsInt() && n.Sign() > 0 && new(big.Int).And(n, new(big.Int).Sub(n, big.NewInt(1))).Sign() == 0
	case "about":
		off := new(big.Rat).Sub(left, right)
		holds = off.Abs(off).Cmp(new(big.Rat).Mul(tolerance, right)) <= 0
	default:
		panic("hw: relation " + l.Is)
	}
	if holds {
		return "", nil
	}
	text := fmt.Sprintf("%s: %s %s", s.told(l.Left, left), digits(left), l.Is)
	if l.Right != "" {
		text += fmt.Sprintf(" %s wanted, %s", s.told(l.Right, right), digits(right))
	} else {
		text += " wanted"
	}
	return text, nil
}

// told is a formula with full keys, and the values of those keys where it is more than one.
func (s *solver) told(formula string, value *big.Rat) string {
	var words, values []string
	for _, f := range strings.Fields(formula) {
		if c := f[0]; c >= 'a' && c <= 'z' {
			x, err := s.number(f)
			if !strings.Contains(f, ".") {
				f = "pim.timing." + f
			}
			if err == nil && x.Cmp(value) != 0 {
				values = append(values, f+" "+digits(x))
			}
		}
		words = append(words, f)
	}
	text := strings.Join(words, " ")
	if len(values) > 0 {
		text += " (" + strings.Join(values, ", ") + ")"
	}
	return text
}

// digits is a number with as many digits as tell it apart.
func digits(x *big.Rat) string {
	f, _ := x.Float64()
	return fmt.Sprintf("%.6g", f)
}
