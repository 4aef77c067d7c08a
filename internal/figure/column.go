package figure

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"pimflow/internal/nearest"
	"pimflow/internal/result"
)

// value is that of a column of a record; not ok where it has none.
func (r *Record) value(column string) (any, bool) {
	get, _ := result.Values(column)
	if get == nil || r.lacks != nil && r.lacks(column) {
		return nil, false
	}
	return get(&r.Row)
}

// has reports whether a record has a value of a column.
func (r *Record) has(column string) bool {
	_, ok := r.value(column)
	return ok
}

// text is a value as a table has it; "" for none.
func (r *Record) text(column string) string {
	switch v, _ := r.value(column); x := v.(type) {
	case float64:
		return strconv.FormatFloat(x, 'g', -1, 64)
	case nil:
		return ""
	default:
		return fmt.Sprint(x)
	}
}

// most bounds numbers: differences and quotients of them are numbers, too.
const most = 1e100

// number is the value of a column of numbers. The error names the file, the point and the column.
func (r *Record) number(column string) (float64, error) {
	v, _ := r.value(column)
	at := math.NaN()
	switch x := v.(type) {
	case int:
		at = float64(x)
	case float64:
		at = x
	case string:
		if f, err := strconv.ParseFloat(x, 64); err == nil {
			at = f
		}
	}
	if !(math.Abs(at) <= most) {
		return 0, fmt.Errorf("%s: point %d: %s %.80q: a number of at most %g wanted", r.File, r.Point, column, r.text(column), float64(most))
	}
	return at, nil
}

// span is the interval of a column's value; nil where there is none. It has the value within it.
func (r *Record) span(column string, scale float64) (*Span, error) {
	name := func(end string) string {
		for _, unit := range []string{"_ns", "_pj"} {
			if s, ok := strings.CutSuffix(column, unit); ok {
				return s + end + unit
			}
		}
		return column + end
	}
	if _, ok := r.value(name("_low")); !ok {
		return nil, nil
	}
	low, err := r.number(name("_low"))
	if err != nil {
		return nil, err
	}
	high, err := r.number(name("_high"))
	if err != nil {
		return nil, err
	}
	if low > high {
		return nil, fmt.Errorf("%s: point %d: %s %g above %s %g: an interval wanted", r.File, r.Point, name("_low"), low, name("_high"), high)
	}
	return &Span{low * scale, high * scale}, nil
}

// keys are the columns of rows that are keys of the machine, in order of their names.
func keys(rows []Record) (list []string) {
	for i := range rows {
		for k := range rows[i].Set {
			if !slices.Contains(list, k) {
				list = append(list, k)
			}
		}
	}
	slices.Sort(list)
	return list
}

// Check refuses a column that a file has no value of. It names those that the file has.
func (d *Data) Check(columns ...string) error {
	for _, c := range columns {
		for _, file := range d.files {
			var rows []*Record
			for i := range d.Rows {
				if d.Rows[i].File == file {
					rows = append(rows, &d.Rows[i])
				}
			}
			has := func(c string) bool { return slices.ContainsFunc(rows, func(r *Record) bool { return r.has(c) }) }
			if len(rows) == 0 || has(c) {
				continue
			}
			var there []string
			for _, n := range append(result.Names(), keys(d.Rows)...) {
				if has(n) {
					there = append(there, n)
				}
			}
			return fmt.Errorf("%s: no column %.80q%s: it has %s", file, c, nearest.Hint(c, there), strings.Join(there, ", "))
		}
	}
	return nil
}

// named are the columns that say what a row is of, in the order of labels, and after them and the keys of the machine, the
// last of them.
var (
	named = []string{"model", "batch", "policy", "machine", "gpu", "objective"}
	later = []string{"effort", "search", "pim_channels"}
)

// varying lists columns that tell rows apart which have the same values in others: none that follows from the others and
// those before.
func varying(rows []Record, others ...string) (list []string) {
	chosen := slices.Clone(others)
	n := groups(rows, chosen)
	for _, c := range slices.Concat(named, keys(rows), later) {
		if slices.Contains(chosen, c) || groups(rows, []string{c}) < 2 {
			continue
		}
		if with := groups(rows, append(chosen, c)); with > n {
			list, chosen, n = append(list, c), append(chosen, c), with
		}
	}
	return list
}

// identity lists columns that differ between rows which would be one series along others: a series has one value of each. What follows from one of
// the others alone is none, and neither is how a plan was searched, unless it alone tells rows apart.
func identity(rows []Record, others ...string) (list []string) {
	follows := func(c string) bool {
		return slices.ContainsFunc(others, func(o string) bool {
			return groups(rows, []string{o}) == groups(rows, []string{o, c})
		})
	}
	for _, c := range slices.Concat(named, keys(rows), later) {
		if c != "search" && !slices.Contains(others, c) && !follows(c) && groups(rows, append(list, c)) > groups(rows, list) {
			list = append(list, c)
		}
	}
	return append(list, varying(rows, append(list, others...)...)...)
}

// groups counts the different values of rows in columns.
func groups(rows []Record, columns []string) int {
	seen := map[string]bool{}
	for i := range rows {
		key := ""
		for _, c := range columns {
			key += rows[i].text(c) + "\x00"
		}
		seen[key] = true
	}
	return len(seen)
}

// label says which values a row has in columns: names as they are, numbers with what they are of.
func (r *Record) label(columns []string) string {
	var parts []string
	for _, c := range columns {
		v := r.text(c)
		switch c {
		case "model", "policy", "machine":
		case "batch":
			v = "batch " + v
		case "gpu":
			if v == "" {
				v = "own GPU"
			}
		default:
			if v == "" {
				v = "as it is"
			}
			v = c + " " + v
		}
		parts = append(parts, v)
	}
	return strings.Join(parts, ", ")
}

// quantity is a column's numbers in a unit that keeps them short.
type quantity struct {
	column string
	scale  float64
	label  string // with the unit
}

// scales are the multiples of units, from small to large.
var scales = map[string][]struct {
	unit string
	of   float64
}{
	"ns": {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}},
	"pJ": {{"pJ", 1}, {"nJ", 1e3}, {"uJ", 1e6}, {"mJ", 1e9}, {"J", 1e12}},
	"B":  {{"B", 1}, {"kB", 1e3}, {"MB", 1e6}},
}

// called are the words for columns, where their names are not.
var called = map[string]string{
	"speedup": "speed-up over the GPU alone", "energy_ratio": "energy over the GPU alone", "total_ns": "time", "energy_pj": "energy",
	"images_per_s": "images a second", "baseline_ns": "time of the GPU alone", "baseline_energy_pj": "energy of the GPU alone",
	"mac_units": "MAC units", "buffer_bytes": "buffers", "internal_gb_s": "internal bandwidth", "pim_channels": "PIM channels",
}

// measure is the quantity of a column whose largest number is given.
func measure(column string, largest float64) quantity {
	_, unit := result.Values(column)
	q := quantity{column, 1, called[column]}
	if q.label == "" {
		q.label = strings.ReplaceAll(column, "_", " ")
		for _, end := range []string{" ns", " pj", " gb s", " bytes"} {
			q.label = strings.TrimSuffix(q.label, end)
		}
		if strings.Contains(column, ".") {
			q.label = column
		}
	}
	for _, s := range scales[unit] {
		if largest >= s.of || s.of == 1 {
			q.scale, unit = 1/s.of, s.unit
		}
	}
	if unit != "" && unit != "1/s" {
		q.label += " (" + unit + ")"
	}
	return q
}

// quantity is that of a column of rows.
func (d *Data) quantity(rows []Record, column string) (quantity, error) {
	largest := 0.0
	for i := range rows {
		v, err := rows[i].number(column)
		if err != nil {
			return quantity{}, err
		}
		largest = max(largest, math.Abs(v))
	}
	return measure(column, largest), nil
}

// digits returns how numbers are printed that are to be compared: with the same number of digits, unless all are whole.
func (q *quantity) digits(rows []Record) func(float64) string {
	for i := range rows {
		if v, _ := rows[i].number(q.column); v*q.scale != math.Trunc(v*q.scale) {
			return three
		}
	}
	return brief
}
