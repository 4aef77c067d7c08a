package tracing

import (
	"bufio"
	"cmp"
	"encoding/json"
	"io"
	"slices"

	"pimflow/internal/device"
)

// event is an entry of the Trace Event Format. Times are in microseconds.
type event struct {
	Name  string         `json:"name"`
	Phase string         `json:"ph"`
	PID   int            `json:"pid"`
	TID   int            `json:"tid"`
	TS    float64        `json:"ts"`
	ID    int            `json:"id,omitempty"`
	Cat   string         `json:"cat,omitempty"`
	Bind  string         `json:"bp,omitempty"`
	Args  map[string]any `json:"args,omitempty"`
}

func micro(t device.Time) float64 { return float64(t) / 1e6 }

// JSON writes the trace in the Trace Event Format (JSON object), which chrome://tracing and Perfetto read. A group is a process, a
// track a thread. Source: Trace Event Format, Google, 2016.
func (t *Trace) JSON(w io.Writer) error {
	b := bufio.NewWriter(w)
	b.WriteString(`{"displayTimeUnit":"ns","traceEvents":[` + "\n")
	first := true
	var err error
	put := func(e event) {
		if err != nil {
			return
		}
		if !first {
			b.WriteString(",\n")
		}
		first = false
		var data []byte
		if data, err = json.Marshal(e); err == nil {
			_, err = b.Write(data)
		}
	}
	groups := t.groups()
	for i, name := range groups {
		put(event{Name: "process_name", Phase: "M", PID: i + 1, Args: map[string]any{"name": name}})
		put(event{Name: "process_sort_index", Phase: "M", PID: i + 1, Args: map[string]any{"sort_index": i}})
	}
	at := func(track int, e event) event {
		e.PID, e.TID = slices.Index(groups, t.Tracks[track].Group)+1, track
		return e
	}
	for i, x := range t.Tracks {
		if x.Unit == "" {
			put(at(i, event{Name: "thread_name", Phase: "M", Args: map[string]any{"name": x.Name}}))
			put(at(i, event{Name: "thread_sort_index", Phase: "M", Args: map[string]any{"sort_index": i}}))
		}
	}
	for _, e := range t.edges() {
		s := &t.Slices[e.slice]
		if e.begins {
			put(at(s.Track, event{Name: s.Name, Phase: "B", TS: micro(s.Start), Args: args(s.Args)}))
		} else {
			put(at(s.Track, event{Name: s.Name, Phase: "E", TS: micro(s.End)}))
		}
	}
	for i, f := range t.Flows {
		from, to := &t.Slices[f.From], &t.Slices[f.To]
		put(at(from.Track, event{Name: "value", Phase: "s", Cat: "value", ID: i + 1, TS: micro(from.End)}))
		put(at(to.Track, event{Name: "value", Phase: "f", Cat: "value", Bind: "e", ID: i + 1, TS: micro(to.Start)}))
	}
	for _, x := range t.Samples {
		put(at(x.Track, event{Name: t.Tracks[x.Track].Name, Phase: "C", TS: micro(x.At), Args: map[string]any{t.Tracks[x.Track].Unit: x.Value}}))
	}
	b.WriteString("\n]}\n")
	return cmp.Or(err, b.Flush())
}

// groups are the names of the tracks' groups, in order.
func (t *Trace) groups() (list []string) {
	for _, x := range t.Tracks {
		if !slices.Contains(list, x.Group) {
			list = append(list, x.Group)
		}
	}
	return list
}

func args(list []Arg) map[string]any {
	m := map[string]any{}
	for _, a := range list {
		m[a.Name] = a.Value
	}
	return m
}

// edge is the begin or the end of a slice.
type edge struct {
	slice  int
	begins bool
}

// edges are the begins and the ends of all slices, track by track, in an order in which they nest.
func (t *Trace) edges() (list []edge) {
	for track := range t.Tracks {
		var open []int
		for i := range t.Slices {
			s := &t.Slices[i]
			if s.Track != track {
				continue
			}
			for len(open) > 0 && t.Slices[open[len(open)-1]].End <= s.Start {
				list = append(list, edge{open[len(open)-1], false})
				open = open[:len(open)-1]
			}
			list, open = append(list, edge{i, true}), append(open, i)
		}
		for _, i := range slices.Backward(open) {
			list = append(list, edge{i, false})
		}
	}
	return list
}
