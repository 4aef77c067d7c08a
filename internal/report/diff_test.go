package report

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"pimflow"
)

// FuzzReadRun: the difference of a run to itself is none, and both forms of it can be printed.
func FuzzReadRun(f *testing.F) {
	s, err := pimflow.Open(f.Context(), "toy", pimflow.Options{Machine: "toy"})
	if err != nil {
		f.Fatal(err)
	}
	defer s.Close()
	p, err := s.Plan(f.Context(), pimflow.Search{Policy: "newton++"})
	if err != nil {
		f.Fatal(err)
	}
	run, err := s.Time(p)
	if err != nil {
		f.Fatal(err)
	}
	var b bytes.Buffer
	if err := JSON(&b, run); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(`{"schema": "pimflow.run/1", "layers": [{"name": "a", "tiles": null}, {"name": "a"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := ReadRun(bytes.NewReader(data), "f")
		if err != nil {
			if !strings.HasPrefix(err.Error(), "f: ") {
				t.Errorf("%q", err)
			}
			return
		}
		d, err := NewDiff("f", r, "g", r)
		if err != nil {
			return
		}
		for _, l := range d.Layers {
			if l.NSA == l.NSB && l.PJA == l.PJB && strings.Join(l.PlaceA, " ") == strings.Join(l.PlaceB, " ") {
				t.Errorf("layer %q does not differ, and is listed", l.Name)
			}
		}
		if err := d.Text(io.Discard); err != nil {
			t.Error(err)
		}
		if err := JSON(io.Discard, d); err != nil {
			t.Error(err)
		}
	})
}
