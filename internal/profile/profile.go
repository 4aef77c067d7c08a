package profile

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"pimflow/internal/csvtext"
	"pimflow/internal/device"
	"pimflow/internal/nearest"
)

// Profile is a table of kernels, measured or to be measured, of one GPU.
type Profile struct {
	File string // for messages
	Rows []Row
}

// Row is a kernel with its measurement.
type Row struct {
	Kernel
	Line       int         // in the file; 0: none
	Channels   int         // memory channels of the GPU; 0: any number
	Time       device.Time // from the first launch to the last value; 0: not measured
	Repeats    int         // measurements, Time is their median; 0: unknown
	Spread     device.Time // from the first to the third quartile; 0: unknown
	MeasuredOn string
	Network    string // a network with the kernel, and its layer there; comments
	Layer      string
	Machine    string      // the machine of Model
	Model      device.Time // the model's time; 0: unknown
	Effect     float64     // see package survey; in percent
}

// column is a column of the table that is no part of the kernel.
type column struct {
	name     string
	required bool
	print    func(r *Row) string
	parse    func(r *Row, text string) error
}

// columns are the columns before and after kernelColumns.
var before, after = []column{
	{"network", false, func(r *Row) string { return r.Network }, func(r *Row, s string) error { r.Network = s; return nil }},
	{"layer", false, func(r *Row) string { return r.Layer }, func(r *Row, s string) error { r.Layer = s; return nil }},
}, []column{
	{"channels", true, func(r *Row) string {
		if r.Channels == 0 {
			return "any"
		}
		return strconv.Itoa(r.Channels)
	}, func(r *Row, s string) (err error) {
		if s == "any" {
			return nil
		}
		if r.Channels, err = strconv.Atoi(s); err != nil || r.Channels < 1 {
			return fmt.Errorf("%.80q: the number of the GPU's memory channels, or any, wanted", s)
		}
		return nil
	}},
	{"time_us", true, func(r *Row) string { return printTime(r.Time) }, func(r *Row, s string) error { return parseTime(&r.Time, s) }},
	{"repeats", false, func(r *Row) string {
		if r.Repeats == 0 {
			return ""
		}
		return strconv.Itoa(r.Repeats)
	}, func(r *Row, s string) (err error) {
		if s == "" {
			return nil
		}
		if r.Repeats, err = strconv.Atoi(s); err != nil || r.Repeats < 1 {
			return fmt.Errorf("%.80q: a whole number above 0, or nothing, wanted", s)
		}
		return nil
	}},
	{"spread_us", false, func(r *Row) string {
		if r.Repeats > 0 && r.Spread == 0 {
			return "0"
		}
		return printTime(r.Spread)
	}, func(r *Row, s string) error {
		if s == "0" {
			return nil
		}
		return parseTime(&r.Spread, s)
	}},
	{"measured_on", false, func(r *Row) string { return r.MeasuredOn }, func(r *Row, s string) error { r.MeasuredOn = s; return nil }},
	{"machine", false, func(r *Row) string { return r.Machine }, func(r *Row, s string) error { r.Machine = s; return nil }},
	{"model_us", false, func(r *Row) string { return printTime(r.Model) }, func(r *Row, s string) error { return parseTime(&r.Model, s) }},
	{"effect_percent", false, func(r *Row) string { return strconv.FormatFloat(r.Effect, 'f', 3, 64) }, func(r *Row, s string) (err error) {
		if s == "" {
			return nil
		}
		if r.Effect, err = csvtext.Number(s); err != nil || !(r.Effect >= 0 && r.Effect <= math.MaxFloat64) {
			return fmt.Errorf("%.80q: a number of 0 or more wanted", s)
		}
		return nil
	}},
}

// Columns are the names of all columns, in the order of Print.
func Columns() []string {
	var names []string
	for _, c := range before {
		names = append(names, c.name)
	}
	names = append(names, kernelColumns...)
	for _, c := range after {
		names = append(names, c.name)
	}
	return names
}

// longest is the longest time of a kernel, in picoseconds: an hour. Estimated.
const longest = device.Time(3600e12)

// printTime is a time in microseconds, to the picosecond; 0 is left out.
func printTime(t device.Time) string {
	if t == 0 {
		return ""
	}
	return strconv.FormatFloat(float64(t)/1e6, 'f', -1, 64)
}

func parseTime(t *device.Time, text string) error {
	if text == "" {
		return nil
	}
	us, err := csvtext.Number(text)
	ps := math.Round(us * 1e6)
	if err != nil || !(ps >= 1 && ps <= float64(longest)) {
		return fmt.Errorf("%.80q: microseconds, above 0 and at most an hour, wanted, or nothing", text)
	}
	*t = device.Time(ps)
	return nil
}

// Print writes the profile as CSV with all columns; Parse reads it.
func (p *Profile) Print(w io.Writer) error {
	out := csv.NewWriter(w)
	out.Write(Columns()) // Error returns its error
	for i := range p.Rows {
		r := &p.Rows[i]
		var cells []string
		for _, c := range before {
			cells = append(cells, c.print(r))
		}
		cells = append(cells, r.cells()...)
		for _, c := range after {
			cells = append(cells, c.print(r))
		}
		out.Write(cells)
	}
	out.Flush()
	return out.Error()
}

// Parse reads a profile. Columns have any order. The columns of a kernel, channels and time_us
// are required; unknown columns are refused. A row without a time is not measured. A kernel
// with two rows for the same channels, and times of different GPUs, are errors.
func Parse(in io.Reader, file string) (*Profile, error) {
	p := &Profile{File: file}
	t, err := newTable(csv.NewReader(in), file)
	if err != nil {
		return nil, err
	}
	type place struct {
		kernel   string
		channels int
	}
	seen := map[place]int{}
	on := -1 // the first row with a GPU
	for {
		r, err := t.next()
		if err == io.EOF {
			return p, nil
		}
		if err != nil {
			return nil, err
		}
		at := place{r.key(), r.Channels}
		if line, dup := seen[at]; dup {
			return nil, fmt.Errorf("%s:%d: the kernel of line %d again, for the same channels", file, r.Line, line)
		}
		seen[at] = r.Line
		if r.Time > 0 && r.MeasuredOn != "" {
			if on >= 0 && p.Rows[on].MeasuredOn != r.MeasuredOn {
				return nil, fmt.Errorf("%s:%d: measured_on %.80q, line %d has %.80q: a file for each GPU wanted",
					file, r.Line, r.MeasuredOn, p.Rows[on].Line, p.Rows[on].MeasuredOn)
			}
			on = len(p.Rows)
		}
		p.Rows = append(p.Rows, *r)
	}
}

// Measured is the number of rows with a time, and their GPU.
func (p *Profile) Measured() (n int, on string) {
	for i := range p.Rows {
		if r := &p.Rows[i]; r.Time > 0 {
			n++
			if on == "" {
				on = r.MeasuredOn
			}
		}
	}
	return n, on
}

// table is a CSV file with a header.
type table struct {
	file string
	in   *csv.Reader
	at   map[string]int // index of each column
}

func newTable(in *csv.Reader, file string) (*table, error) {
	t := &table{file, in, map[string]int{}}
	head, err := in.Read()
	if err == io.EOF {
		return nil, fmt.Errorf("%s:1: it is empty: the columns %s wanted", file, strings.Join(Columns(), ","))
	}
	if err != nil {
		return nil, csvtext.Broken(t.file, err)
	}
	required := slices.Clone(kernelColumns)
	for _, c := range slices.Concat(before, after) {
		if c.required {
			required = append(required, c.name)
		}
	}
	head[0] = strings.TrimPrefix(head[0], "\ufeff") // a spreadsheet's byte order mark
	for i, name := range head {
		if _, twice := t.at[name]; twice {
			return nil, fmt.Errorf("%s:1: column %.80q is there twice", file, name)
		}
		if !slices.Contains(Columns(), name) {
			missing := slices.DeleteFunc(Columns(), func(c string) bool { return slices.Contains(head, c) })
			return nil, fmt.Errorf("%s:1: column %.80q is not known%s: one of %s wanted", file, name, nearest.Hint(name, missing), strings.Join(Columns(), ","))
		}
		t.at[name] = i
	}
	for _, name := range required {
		if _, ok := t.at[name]; !ok {
			return nil, fmt.Errorf("%s:1: column %.80q is missing: the columns %s wanted", file, name, strings.Join(required, ","))
		}
	}
	return t, nil
}

// next returns the next row, or io.EOF.
func (t *table) next() (*Row, error) {
	record, err := t.in.Read()
	if err == io.EOF {
		return nil, err
	}
	if err != nil {
		return nil, csvtext.Broken(t.file, err)
	}
	r := &Row{}
	r.Line, _ = t.in.FieldPos(0)
	cell := func(name string) string {
		if i, ok := t.at[name]; ok {
			return strings.TrimSpace(record[i])
		}
		return ""
	}
	if r.Kernel, err = parseKernel(cell); err != nil {
		return nil, fmt.Errorf("%s:%d: %w", t.file, r.Line, err)
	}
	for _, c := range slices.Concat(before, after) {
		if _, ok := t.at[c.name]; !ok {
			continue
		}
		if err := c.parse(r, cell(c.name)); err != nil {
			return nil, fmt.Errorf("%s:%d: %s: %w", t.file, r.Line, c.name, err)
		}
	}
	return r, nil
}
