package figure

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"pimflow/internal/fault"
	"pimflow/internal/nearest"
	"pimflow/internal/result"
)

// Options say which columns a figure shows; "" or nil: the figure's own.
type Options struct {
	X, Y, Z string
	Group   []string // columns whose values are the series
	By      []Aim    // of the figure pareto
	Title   string
	Where   []string // as "policy=auto": only such rows
}

// Kind is a kind of figure.
type Kind struct {
	Name, About string
	make        func(d *Data, o *Options) (*Figure, error)
	own         bool // it has columns of its own, and no rows
}

// Kinds lists the figures.
var Kinds = []Kind{
	{"speedup", "bars a network, with intervals and the geometric mean; --x, --y and --group take other columns", speedup, false},
	{"energy", "the energy of each network beside that of the GPU alone, divided into standby and work, with intervals; --y energy_pj: not as a ratio", energy, false},
	{"channels", "lines over memory.pim_channels, or any column of --x, of the speed-up, or any column of --y", lines, false},
	{"pareto", "points and their Pareto front, in time and energy or the two columns of --by, a panel a network", pareto, false},
	{"heat", "a column, --z, as shades over two others, --x and --y: by default the speed-up over the two keys of the machine that differ", heat, false},
	{"timeline", "when each device works, of run --json", timeline, false},
	{"roofline", "operations a second of layers and pieces over those a byte, and the peaks of the machine, of run --json", roofline, false},
	{"stalls", "parts of the cycles of each channel, of sim --stalls: by cause, or with --x by unit or banks; --y layer: of each layer", stalls, true},
	{"waterfall", "from the published accounting to this project's, of reproduce --json", waterfall, false},
}

// Names lists the names of the figures.
func Names() (list []string) {
	for _, k := range Kinds {
		list = append(list, k.Name)
	}
	return list
}

// Make makes the figure of a name.
func (d *Data) Make(name string, o *Options) (*Figure, error) {
	i := slices.IndexFunc(Kinds, func(k Kind) bool { return k.Name == name })
	if i < 0 {
		return nil, fault.Usagef("--figure %.80q is not known%s: one of %s wanted", name, nearest.Hint(name, Names()), strings.Join(Names(), ", "))
	}
	d, err := d.Where(o.Where)
	if err != nil {
		return nil, err
	}
	for _, x := range []struct {
		flag    string
		columns []string
	}{{"x", []string{o.X}}, {"y", []string{o.Y}}, {"z", []string{o.Z}}, {"group", o.Group}} {
		for _, c := range x.columns {
			if Kinds[i].own {
				break
			}
			if err := d.Check(c); c != "" && err != nil {
				return nil, fault.Usagef("--%s %.80s: %w", x.flag, c, err)
			}
		}
	}
	f, err := Kinds[i].make(d, o)
	if err != nil {
		return nil, err
	}
	f.Title = o.Title
	return f, nil
}

// Where returns the data of the rows that have all values, as "policy=auto".
func (d *Data) Where(wanted []string) (_ *Data, err error) {
	out := *d
	for _, w := range wanted {
		column, value, ok := strings.Cut(w, "=")
		if !ok {
			return nil, fault.Usagef("--where %.80q: COLUMN=VALUE wanted", w)
		}
		if len(out.Stalls) > 0 {
			if out.Stalls, err = someStalls(out.Stalls, column, value); err != nil {
				return nil, err
			}
			continue
		}
		if err := out.Check(column); err != nil {
			return nil, fault.Usagef("--where %.80s: %w", w, err)
		}
		var there []string
		var rows []Record
		for _, r := range out.Rows {
			if t := r.text(column); t == value {
				rows = append(rows, r)
			} else if !slices.Contains(there, t) {
				there = append(there, t)
			}
		}
		if len(rows) == 0 && len(out.Rows) > 0 {
			return nil, fmt.Errorf("--where %.80s: no row is so%s: %s is %.300s", w, nearest.Hint(value, there), column, strings.Join(there, ", "))
		}
		out.Rows = rows
	}
	return &out, nil
}

// some refuses data without rows, or without a column.
func (d *Data) some(columns ...string) error {
	if len(d.Rows) == 0 {
		return fmt.Errorf("%s: no row has numbers%s: rows of results wanted", strings.Join(d.files, ", "), d.first())
	}
	return d.Check(columns...)
}

// first says what the first row without numbers says.
func (d *Data) first() string {
	if len(d.Left) == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d have an error, the first: %s)", len(d.Left), d.Left[0])
}

// distinct returns the labels of rows, in the order of the rows or, of a column of numbers, in that of the numbers.
func distinct(rows []Record, columns []string) (labels []string) {
	at := map[string]float64{}
	numbers := len(columns) == 1
	for i := range rows {
		l := rows[i].label(columns)
		if _, seen := at[l]; seen {
			continue
		}
		labels = append(labels, l)
		at[l] = 0
		if numbers {
			v, err := strconv.ParseFloat(rows[i].text(columns[0]), 64)
			at[l], numbers = v, err == nil
		}
	}
	if numbers {
		slices.SortStableFunc(labels, func(a, b string) int { return cmp.Compare(at[a], at[b]) })
	}
	return labels
}

// split divides rows by their labels, in the order of distinct.
func split(rows []Record, columns []string) (labels []string, parts [][]Record) {
	labels = distinct(rows, columns)
	of := map[string]int{}
	for i, l := range labels {
		of[l] = i
	}
	parts = make([][]Record, len(labels))
	for i := range rows {
		at := of[rows[i].label(columns)]
		parts[at] = append(parts[at], rows[i])
	}
	return labels, parts
}

// twice is the error of two rows in one place of a figure.
func twice(a, b *Record) error {
	differ := differing(a, b)
	how := "in nothing that says of what they are"
	if len(differ) > 0 {
		how = "in " + strings.Join(differ, ", ")
	}
	return fmt.Errorf("%s: point %d and %s: point %d are in one place of the figure and differ %s: name it in --group, or leave some out with --where COLUMN=VALUE",
		a.File, a.Point, b.File, b.Point, how)
}

// differing lists the columns that say what a row is of, in which two rows differ.
func differing(a, b *Record) (list []string) {
	for _, c := range slices.Concat(named, keys([]Record{*a, *b}), later) {
		if a.text(c) != b.text(c) {
			list = append(list, c)
		}
	}
	return list
}

// networks are the columns that a row's network is named by.
func networks(rows []Record) []string {
	if groups(rows, []string{"model", "batch"}) > groups(rows, []string{"model"}) {
		return []string{"model", "batch"}
	}
	return []string{"model"}
}

// Aim is a column to make small or, with More, large.
type Aim struct {
	Column string
	More   bool
}

// aims are the short words for columns; cost counts each piece of hardware by itself.
var aims = map[string][]string{
	"time": {"total_ns"}, "energy": {"energy_pj"}, "cost": {"mac_units", "buffer_bytes", "channels"},
}

// more are the columns of which more is better, unless it is said otherwise.
var more = []string{"speedup", "speedup_low", "speedup_high", "images_per_s"}

// ParseAims reads what to look for, as "time", "cost", "images_per_s" or "min:COLUMN" and "max:COLUMN".
func ParseAims(words []string) (list []Aim, err error) {
	for _, w := range words {
		columns, sense := []string{w}, ""
		if end, c, ok := strings.Cut(w, ":"); ok {
			if end != "min" && end != "max" {
				return nil, fault.Usagef("--by %.80q: min: or max: wanted before the column", w)
			}
			columns, sense = []string{c}, end
		}
		if full, ok := aims[columns[0]]; ok {
			columns = full
		}
		for _, c := range columns {
			if slices.ContainsFunc(list, func(a Aim) bool { return a.Column == c }) {
				return nil, fault.Usagef("--by %.80q: column %.80s is given twice", strings.Join(words, ","), c)
			}
			list = append(list, Aim{c, sense == "max" || sense == "" && slices.Contains(more, c)})
		}
	}
	return list, nil
}

// Front returns the rows that no other row of the same network and batch dominates, a list each, with their labels.
func (d *Data) Front(by []Aim) (labels []string, parts, fronts [][]Record, err error) {
	var columns []string
	for _, a := range by {
		columns = append(columns, a.Column)
	}
	if err := d.some(columns...); err != nil {
		return nil, nil, nil, err
	}
	labels, parts = split(d.Rows, networks(d.Rows))
	for _, rows := range parts {
		var points [][]float64
		for i := range rows {
			var p []float64
			for _, a := range by {
				v, err := rows[i].number(a.Column)
				if err != nil {
					return nil, nil, nil, err
				}
				if a.More {
					v = -v
				}
				p = append(p, v)
			}
			points = append(points, p)
		}
		var front []Record
		for _, i := range result.Front(points) {
			front = append(front, rows[i])
		}
		fronts = append(fronts, front)
	}
	return labels, parts, fronts, nil
}
