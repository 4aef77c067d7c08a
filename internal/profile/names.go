package profile

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"pimflow/internal/csvtext"
	"pimflow/internal/device"
	"pimflow/internal/jsontext"
)

// named is a measured time under a name that another program has for one or more layers.
type named struct {
	name string
	line int
	time device.Time // 0: not measured
}

// names are times by name, as other programs write them.
type names struct {
	file   string
	device string // for people: what measured; "": unknown
	list   []named
}

// byName reads a table of times by name; ok is false if the text is another table.
func byName(data []byte, file string) (n *names, ok bool, err error) {
	if text := bytes.TrimLeft(data, "\ufeff \t\r\n"); len(text) > 0 && (text[0] == '[' || text[0] == '{') {
		n, err = parseExport(data, file)
		return n, true, err
	}
	in := csv.NewReader(bytes.NewReader(jsontext.Bare(data)))
	in.FieldsPerRecord = -1
	head, err := in.Read()
	if err != nil || slices.Contains(head, "op") || !slices.ContainsFunc(head, func(s string) bool { return nameColumn[plainWord(s)] }) {
		return nil, false, nil // the table of kernels says what is wrong
	}
	n, err = parseNames(in, head, file)
	return n, true, err
}

// plainWord is a column's name in small letters and digits.
func plainWord(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == 'µ' || r == 'μ':
			return 'u'
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			return r
		}
		return -1
	}, strings.ToLower(s))
}

// nameColumn has the plain words of a column with names of layers.
var nameColumn = map[string]bool{"name": true, "layer": true, "layername": true, "kernel": true, "kernelname": true, "node": true, "nodename": true}

// units has the picoseconds of the units that a column of times may end with.
var units = []struct {
	word string
	ps   float64
}{{"nanoseconds", 1e3}, {"microseconds", 1e6}, {"milliseconds", 1e9}, {"seconds", 1e12}, {"nsec", 1e3}, {"usec", 1e6}, {"msec", 1e9}, {"ns", 1e3}, {"us", 1e6}, {"ms", 1e9}, {"sec", 1e12}}

// timeWords has what a column of times is called before its unit.
var timeWords = map[string]bool{
	"": true, "time": true, "duration": true, "latency": true, "average": true, "avg": true, "mean": true, "median": true,
	"averagetime": true, "avgtime": true, "meantime": true, "mediantime": true, "layertime": true, "kerneltime": true, "gputime": true,
}

// timeColumn returns the picoseconds of a column's unit; 0 for another column.
func timeColumn(name string) float64 {
	word := plainWord(name)
	for _, u := range units {
		if before, ok := strings.CutSuffix(word, u.word); ok && timeWords[before] {
			return u.ps
		}
	}
	return 0
}

// theColumn returns the only column of some that fit.
func theColumn(file string, head []string, what, example string, fits func(string) bool) (int, error) {
	at := -1
	for i, name := range head {
		switch {
		case !fits(name):
		case at >= 0:
			return 0, fmt.Errorf("%s:1: columns %.80q and %.80q both have %s: leave out one", file, head[at], name, what)
		default:
			at = i
		}
	}
	if at < 0 {
		return 0, fmt.Errorf("%s:1: no column has %s, among %.200q: one such as %s wanted", file, what, strings.Join(head, ","), example)
	}
	return at, nil
}

// parseNames reads the rows of a CSV file with names and times.
func parseNames(in *csv.Reader, head []string, file string) (*names, error) {
	name, err := theColumn(file, head, "names of layers", "layer name", func(s string) bool { return nameColumn[plainWord(s)] })
	if err != nil {
		return nil, err
	}
	at, err := theColumn(file, head, "times with their unit", "time_us or average (ms)", func(s string) bool { return timeColumn(s) > 0 })
	if err != nil {
		return nil, err
	}
	n := &names{file: file}
	for {
		record, err := in.Read()
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return nil, csvtext.Broken(file, err)
		}
		line, _ := in.FieldPos(0)
		if len(record) != len(head) {
			return nil, fmt.Errorf("%s:%d: %d cells: %d wanted, as the header has", file, line, len(record), len(head))
		}
		x := named{name: strings.TrimSpace(record[name]), line: line}
		if text := strings.TrimSpace(record[at]); text != "" {
			v, err := csvtext.Number(text)
			if err == nil {
				x.time, err = picoseconds(v, timeColumn(head[at]))
			}
			if err != nil {
				return nil, fmt.Errorf("%s:%d: %.80q: %.80q: a number of 0 or more, at most an hour, wanted", file, line, head[at], text)
			}
		}
		n.list = append(n.list, x)
	}
}

// picoseconds is a time in a unit.
func picoseconds(v, unit float64) (device.Time, error) {
	ps := math.Round(v * unit)
	if !(ps >= 0 && ps <= float64(longest)) {
		return 0, errors.New("no time")
	}
	return device.Time(ps), nil
}

// parseExport reads what trtexec --exportProfile writes: a list of objects, each with a name and its times; the first may be
// the number of runs. medianMs comes before averageMs, and that before timeMs, the sum of all runs.
func parseExport(data []byte, file string) (*names, error) {
	n := &names{file: file, device: "TensorRT, trtexec"}
	data = jsontext.Bare(data)
	d := json.NewDecoder(bytes.NewReader(data))
	line := func() int {
		rest := data[:min(int(d.InputOffset()), len(data))]
		return 1 + bytes.Count(rest, []byte("\n"))
	}
	wanted := "a list of objects with name and averageMs, as trtexec --exportProfile writes it, wanted"
	if first, err := d.Token(); err != nil || first != json.Delim('[') {
		return nil, fmt.Errorf("%s:%d: %s", file, line(), wanted)
	}
	runs := 0.0
	for i := 0; d.More(); i++ {
		var x map[string]any
		if err := d.Decode(&x); err != nil {
			var of *json.UnmarshalTypeError
			if errors.As(err, &of) {
				return nil, fmt.Errorf("%s:%d: entry %d: %.80s: %s", file, line(), i+1, strings.TrimPrefix(of.Value, "number "), wanted)
			}
			return nil, fmt.Errorf("%s:%d: entry %d: %s", file, line(), i+1, wanted)
		}
		if c, ok := x["count"].(float64); ok && i == 0 && x["name"] == nil {
			runs = c
			continue
		}
		name, ok := x["name"].(string)
		if !ok {
			return nil, fmt.Errorf("%s:%d: entry %d has no name: %s", file, line(), i+1, wanted)
		}
		t, err := exported(x, runs)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: entry %d, %.80q: %w", file, line(), i+1, name, err)
		}
		n.list = append(n.list, named{name, line(), t})
	}
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("%s:%d: the list has no end: %s", file, line(), wanted)
	}
	return n, nil
}

// exported is the time of an entry for one run.
func exported(x map[string]any, runs float64) (device.Time, error) {
	for _, c := range []struct {
		key  string
		runs float64
	}{{"medianMs", 1}, {"averageMs", 1}, {"timeMs", runs}} {
		v, there := x[c.key]
		if !there || c.runs < 1 {
			continue
		}
		ms, ok := v.(float64)
		t, err := picoseconds(ms/c.runs, 1e9)
		if !ok || err != nil {
			return 0, fmt.Errorf("%s %.80q: milliseconds, 0 or more and at most an hour, wanted", c.key, fmt.Sprint(v))
		}
		return t, nil
	}
	return 0, errors.New("no time of a run: medianMs or averageMs wanted, or timeMs after a count of runs")
}
