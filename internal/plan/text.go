package plan

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"pimflow/internal/fault"
	"pimflow/internal/graph"
	"pimflow/internal/nearest"
	"pimflow/internal/tensor"
)

// Print writes the plan as text that Parse reads. The names of g's nodes are comments.
func (p *Plan) Print(w io.Writer, g *graph.Graph) error {
	b := bufio.NewWriter(w)
	for _, f := range fields {
		fmt.Fprintf(b, "%s %s\n", f.key, f.get(p))
		if f.key == "machine" {
			p.printChanges(b)
		}
	}
	if p.Stopped {
		b.WriteString(stopped + " # the search was stopped before its end: this is the best plan so far\n")
	}
	for _, s := range p.Segments {
		b.WriteString("\n" + opening(s.Exclusive) + "\n")
		for _, t := range s.Tiles {
			fmt.Fprintf(b, "%s %%%d %v # %s\n", t.Device, t.Node, t.Box, fault.Name(g.Nodes[t.Node].Name))
		}
	}
	return b.Flush()
}

// printChanges writes where the machine comes from, after its name.
func (p *Plan) printChanges(w io.Writer) {
	if p.From != "" {
		fmt.Fprintf(w, "from %q\n", p.From)
	}
	for _, s := range p.Set {
		fmt.Fprintf(w, "set %q\n", s)
	}
}

// parseChange reads a line of printChanges; false if it is none.
func (p *Plan) parseChange(key, value string) (bool, error) {
	if key != "from" && key != "set" {
		return false, nil
	}
	text, err := strconv.Unquote(value)
	switch {
	case err != nil || text == "":
		return true, fmt.Errorf("%s %s: a string in double quotes wanted", key, value)
	case key == "from" && (p.From != "" || len(p.Set) > 0):
		return true, fmt.Errorf("%s %s: one such line wanted, before those of set", key, value)
	case key == "from":
		p.From = text
	default:
		p.Set = append(p.Set, text)
	}
	return true, nil
}

// stopped is the line after the head of a plan whose search was stopped.
const stopped = "stopped"

// opening is the line that begins a segment.
func opening(exclusive bool) string {
	if exclusive {
		return "segment exclusive"
	}
	return "segment"
}

// field is one line of a plan's head.
type field struct {
	key string
	get func(*Plan) string
	set func(*Plan, string) error
}

// quoted is the field of a string, which is printed as Go quotes it.
func quoted(key string, at func(*Plan) *string) field {
	return field{key, func(p *Plan) string { return strconv.Quote(*at(p)) }, func(p *Plan, v string) (err error) {
		if *at(p), err = strconv.Unquote(v); err != nil {
			return fmt.Errorf("%s %s: a string in double quotes wanted", key, v)
		}
		return nil
	}}
}

// fields are the lines of a plan's head, in order.
var fields = []field{
	quoted("plan", func(p *Plan) *string { return &p.Model }),
	quoted("graph", func(p *Plan) *string { return &p.Graph }),
	quoted("machine", func(p *Plan) *string { return &p.Machine }),
	quoted("policy", func(p *Plan) *string { return &p.Policy }),
	{"pim_channels", func(p *Plan) string { return strconv.Itoa(p.PIMChannels) }, func(p *Plan, v string) error {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 {
			return fmt.Errorf("pim_channels %.80q: a number of channels wanted", v)
		}
		p.PIMChannels = n
		return nil
	}},
	quoted("pim", func(p *Plan) *string { return &p.PIM }),
	quoted("launch", func(p *Plan) *string { return &p.Launch }),
}

// maxLine bounds a line, since names have any length. Estimated.
const maxLine = 1 << 26

// Parse reads what Print writes: the head's lines in order, "stopped" where the search was, then segments. Text
// after # is a comment. Errors begin with name and line.
func Parse(r io.Reader, name string) (*Plan, error) {
	p, line, begun := &Plan{}, 0, 0
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, maxLine)
	for sc.Scan() {
		line++
		text := strings.TrimSpace(sc.Text())
		if begun == len(fields) || strings.HasPrefix(text, "#") {
			text, _, _ = strings.Cut(text, "#") // values of the head may contain the sign
		}
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		var err error
		if begun < len(fields) {
			key, value, _ := strings.Cut(text, " ")
			if fields[begun-min(begun, 1)].key == "machine" {
				if is, err := p.parseChange(key, strings.TrimSpace(value)); err != nil {
					return nil, fmt.Errorf("%s:%d: %w", name, line, err)
				} else if is {
					continue
				}
			}
			if f := fields[begun]; key != f.key {
				err = fmt.Errorf("%.80q: the line %.80q wanted here", text, f.key+" …")
			} else {
				err = f.set(p, strings.TrimSpace(value))
			}
			begun++
		} else if text == stopped && len(p.Segments) == 0 {
			p.Stopped = true
		} else if exclusive := text == opening(true); exclusive || text == opening(false) {
			p.Segments = append(p.Segments, Segment{Exclusive: exclusive})
		} else {
			err = p.parseTile(text)
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, line, err)
		}
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("%s:%d: %w", name, line+1, err)
	}
	if begun < len(fields) {
		return nil, fmt.Errorf("%s:%d: the file ends before the line %.80q", name, line+1, fields[begun].key+" …")
	}
	return p, nil
}

// parseTile reads `gpu %12 [0:1 0:32 0:60 0:112]` into the last segment.
func (p *Plan) parseTile(text string) error {
	if len(p.Segments) == 0 {
		return fmt.Errorf("%.80q: the line \"segment\" wanted before the first tile", text)
	}
	dev, rest, _ := strings.Cut(text, " ")
	num, box, ok := strings.Cut(strings.TrimSpace(rest), " ")
	id, err := strconv.Atoi(strings.TrimPrefix(num, "%"))
	if !ok || err != nil || !strings.HasPrefix(num, "%") || id < 0 {
		return fmt.Errorf("%.80q: a tile like \"gpu %%12 [0:1 0:32 0:60 0:112]\" or \"segment\" wanted", text)
	}
	if known := []string{GPU, PIM}; !slices.Contains(known, dev) {
		return fmt.Errorf("device %.80q: gpu or pim wanted%s", dev, nearest.Hint(dev, known))
	}
	b, err := tensor.ParseBox(strings.TrimSpace(box))
	if err != nil {
		return err
	}
	s := &p.Segments[len(p.Segments)-1]
	s.Tiles = append(s.Tiles, Tile{graph.Cut{Node: graph.ID(id), Box: b}, dev})
	return nil
}
