package space

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Print writes the spec as a file that Parse reads, but for the folder that Load has put before names of files.
func (s *Spec) Print(w io.Writer) error {
	var b strings.Builder
	keys := false
	for _, a := range s.Axes {
		if a.key() {
			keys = true
			continue
		}
		fmt.Fprintf(&b, "%s: %s\n", a.Name, a.yaml())
	}
	if keys {
		b.WriteString("overrides:\n")
	}
	for _, a := range s.Axes {
		if a.key() {
			fmt.Fprintf(&b, "  %s: %s\n", scalar(a.Name), a.yaml())
		}
	}
	if len(s.Zip) > 0 {
		b.WriteString("zip:\n")
	}
	for _, g := range s.Zip {
		fmt.Fprintf(&b, "  - [%s]\n", join(g.Axes, scalar))
	}
	if len(s.Where) > 0 {
		b.WriteString("where:\n")
	}
	for _, t := range s.Where {
		fmt.Fprintf(&b, "  - %s\n", scalar(t.Text))
	}
	if p := s.Sample; p != nil {
		population := ""
		if p.Population > 0 {
			population = fmt.Sprintf(", population: %d", p.Population)
		}
		fmt.Fprintf(&b, "sample: {points: %d, method: %s, seed: %d%s}\n", p.Points, scalar(p.Method), p.Seed, population)
	}
	for _, t := range []struct{ key, text string }{{"effort", s.Effort.Text}, {"search", s.Search.Text}} {
		if t.text != "" {
			fmt.Fprintf(&b, "%s: %s\n", t.key, scalar(t.text))
		}
	}
	if n := s.Anchors.N; n != 0 {
		fmt.Fprintf(&b, "anchors: %d\n", n)
	}
	if b.Len() == 0 {
		b.WriteString("{}\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// yaml is the values of an axis in a file.
func (a *Axis) yaml() string {
	if len(a.Values) == 1 && a.Values[0].Range != nil {
		return a.Values[0].yaml()
	}
	return "[" + join(a.Values, Value.yaml) + "]"
}

func (v Value) yaml() string {
	r := v.Range
	if r == nil {
		return scalar(v.Text)
	}
	by := "step: " + scalar(r.Step)
	if r.Factor != "" {
		by = "factor: " + scalar(r.Factor)
	}
	return fmt.Sprintf("{from: %s, to: %s, %s}", scalar(r.From), scalar(r.To), by)
}

func join[T any](list []T, text func(T) string) string {
	var all []string
	for _, x := range list {
		all = append(all, text(x))
	}
	return strings.Join(all, ", ")
}

// plain texts need no quotes; those of reserved are other values than texts in some YAML.
var (
	plain    = regexp.MustCompile(`^([A-Za-z/][A-Za-z0-9_./+-]*|-?(0|[1-9][0-9]*)(\.[0-9]+)?)$`)
	reserved = []string{"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
)

// scalar is a text in a file.
func scalar(text string) string {
	if plain.MatchString(text) && (!slices.Contains(reserved, strings.ToLower(text)) || text == "true" || text == "false") {
		return text
	}
	return strconv.Quote(text)
}
