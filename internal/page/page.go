// Package page writes the result of a run as one HTML file that needs no server and no network: eight sections, each with a question, a
// title that its numbers choose, and a figure.
//
// The report of a run with its utilization goes in. Figures are finished SVG and HTML whose coordinates are percentages, so that they fit
// every width without a script; a short script adds zoom, sorting, unfolding and what is shown under the pointer. No number is computed here
// but shares, sums and differences for people.
package page

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"reflect"

	"pimflow"

	"pimflow/internal/fault"
	"pimflow/internal/usage"
)

//go:embed page.html
var frame string

//go:embed page.css
var style string

//go:embed page.js
var script string

var pageTemplate = template.Must(template.New("page").Parse(frame))

// view is what the template is filled with.
type view struct {
	Title   string
	Style   template.CSS
	Colours template.CSS
	Script  template.JS
	Command string
	Setting string

	Answer   answer
	Timeline timeline
	Limits   limits
	Roofline roofline
	Energy   energy
	Layers   layers
	Policies policies
	Basis    basis

	Data *data
}

// Check reports whether a report that was read from a file has what a page needs: the utilization of its network, layers and tiles. Errors
// begin with the file's name.
func Check(r *pimflow.Report, file string) error {
	wrong := func(format string, a ...any) error {
		return fault.As(fault.Input, fmt.Errorf("%s: %s: the output of pimflow run --json of this version wanted", file, fmt.Sprintf(format, a...)))
	}
	u := r.Utilization
	if u == nil || len(u.Limits) == 0 {
		return wrong("key \"utilization\" is missing")
	}
	if r.Model == "" {
		return wrong("key model: empty, the name of a network wanted")
	}
	for _, x := range values(r) {
		if !x.holds {
			return wrong("key %s: %v, %s wanted", x.key, x.x, x.wanted)
		}
	}
	layer := func(what string, n int) error {
		if n < 0 || n >= len(r.Layers) {
			return wrong("%s: layer %d: 0 to %d wanted", what, n, len(r.Layers)-1)
		}
		return nil
	}
	end := max(r.Baseline, r.Total)
	piece := func(what string, x *usage.Piece) error {
		const slack = 1e-6 // of sums of decimal numbers
		switch least := min(x.Launch, x.Moving, x.Computing); {
		case !(x.Start >= 0 && x.End >= x.Start && x.End <= end*(1+slack)):
			return wrong("%s: start_ns %v, end_ns %v: 0 to %v wanted, in order", what, x.Start, x.End, end)
		case least < 0 || math.Abs(x.Launch+x.Moving+x.Computing-(x.End-x.Start)) > slack*(end+1):
			return wrong("%s: launch_ns %v, moving_ns %v, computing_ns %v: %v wanted in all", what, x.Launch, x.Moving, x.Computing, x.End-x.Start)
		case x.For != nil:
			return layer(what+": waited_for", x.For.Layer)
		}
		return nil
	}
	for i := range r.Layers {
		l := &r.Layers[i]
		if l.Use == nil {
			return wrong("layer %.80q: key \"use\" is missing", l.Name)
		}
		for k := range l.Tiles {
			x := l.Tiles[k].Piece
			if x == nil {
				return wrong("layer %.80q: tile %d: key \"piece\" is missing", l.Name, k)
			}
			if x.Layer != i {
				return wrong("layer %.80q: tile %d: piece of layer %d: %d wanted", l.Name, k, x.Layer, i)
			}
			if err := piece(fmt.Sprintf("layer %.80q: tile %d", l.Name, k), x); err != nil {
				return err
			}
		}
	}
	for i := range u.Pieces {
		x := &u.Pieces[i]
		if err := layer(fmt.Sprintf("baseline_pieces: piece %d", i), x.Layer); err != nil {
			return err
		}
		if err := piece(fmt.Sprintf("baseline_pieces: piece %d", i), x); err != nil {
			return err
		}
	}
	if x := impossible(reflect.ValueOf(r), ""); x != nil {
		return wrong("key %s: %v, %s wanted", x.key, x.x, x.wanted)
	}
	return nil
}

// Write writes the page of a report that Session.Utilize has completed, or that Check has let pass.
func Write(w io.Writer, r *pimflow.Report) error {
	u := r.Utilization
	p := &pager{Report: r, u: u, names: newNames(r.Layers)}
	v := view{
		Style: template.CSS(style), Colours: template.CSS(colours()), Script: template.JS(script),
		Answer: p.answer(), Timeline: p.timeline(), Limits: p.limits(), Roofline: p.roofline(), Energy: p.energy(),
		Layers: p.layers(), Policies: p.policies(), Basis: p.basis(), Data: p.data(),
	}
	v.Title = v.Answer.Plain
	v.Command = p.command()
	v.Setting = p.setting()
	return pageTemplate.Execute(w, v)
}

// pager makes the sections of a report.
type pager struct {
	*pimflow.Report
	u     *network
	names names
}
