// Package asktell is the wire format of a conversation with another program that chooses the points of a design space: a line of JSON
// announces the axes, each line that comes asks for a point, and each line that goes tells a row.
//
// In the literature: the ask-and-tell interface of optimisers (Collette et al. 2010), from the side of the objective.
package asktell

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"unicode/utf8"

	"pimflow/internal/jsontext"
	"pimflow/internal/result"
	"pimflow/internal/space"
)

// Schema names the form of all lines.
const Schema = "pimflow.asktell/1"

// MaxLine bounds a line that asks, in bytes. Estimated: a thousand axes.
const MaxLine = 1 << 18

// errLong is the error of a longer line.
var errLong = fmt.Errorf("more than %d bytes: a shorter line wanted", MaxLine)

// Lines reads lines that ask. Blank ones ask for nothing and are passed over.
type Lines struct {
	in     *bufio.Reader
	number int
}

// NewLines reads the lines of a stream, without the byte order mark that some programs begin with.
func NewLines(in io.Reader) *Lines {
	b := bufio.NewReaderSize(in, MaxLine+2) // with its end
	if mark, _ := b.Peek(3); string(mark) == "\ufeff" {
		b.Discard(3)
	}
	return &Lines{in: b}
}

// Next returns the next line, its number from 1, and whether it is too long to be read; then it is empty. The error is io.EOF
// at the end, or that of the stream.
func (l *Lines) Next() (line []byte, number int, long error, err error) {
	for {
		line, err = l.in.ReadSlice('\n')
		l.number++
		if err == bufio.ErrBufferFull {
			for err == bufio.ErrBufferFull {
				_, err = l.in.ReadSlice('\n')
			}
			if err == io.EOF {
				err = nil // comes again
			}
			return nil, l.number, errLong, err
		}
		if line = bytes.TrimSpace(line); len(line) == 0 && err == nil {
			continue
		}
		if len(line) > 0 && err == io.EOF {
			err = nil // comes again
		}
		return line, l.number, nil, err
	}
}

// Axis is an axis of the space: a value of it is one of Values.
type Axis struct {
	Name   string `json:"name"`
	Kind   string `json:"kind"` // number or text
	Values []any  `json:"values"`
}

// Announcement is the first line.
type Announcement struct {
	Schema     string     `json:"schema"`
	Axes       []Axis     `json:"axes"`
	Together   [][]string `json:"together"` // axes whose values are at the same place of their lists
	Where      []string   `json:"where"`    // constraints
	Objectives []string   `json:"objectives"`
}

// Announce writes the first line.
func Announce(w io.Writer, s *space.Space, where []string) error {
	a := Announcement{Schema: Schema, Axes: []Axis{}, Together: [][]string{}, Where: append([]string{}, where...), Objectives: []string{"total_ns", "energy_pj", "mac_units"}}
	axes, together := s.Axes()
	a.Together = append(a.Together, together...)
	for _, x := range axes {
		of := Axis{Name: x.Name, Kind: "text"}
		for _, v := range x.Values {
			if x.Number {
				of.Kind = "number"
				of.Values = append(of.Values, json.Number(v))
			} else {
				of.Values = append(of.Values, v)
			}
		}
		a.Axes = append(a.Axes, of)
	}
	return line(w, a)
}

func line(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// Ask is a line that asks for a point.
type Ask struct {
	ID    json.RawMessage // a whole number or a text, null where the line has none that can be read
	Point int
}

var whole = regexp.MustCompile(`^(0|[1-9][0-9]{0,15})$`)

// Parse reads a line that asks. With an error the ID is that of the line, if it could be read.
func Parse(data []byte, s *space.Space) (a Ask, err error) {
	a.ID = json.RawMessage("null")
	if !utf8.Valid(data) {
		return a, errors.New("text in UTF-8 wanted")
	}
	var set json.RawMessage
	err = object(data, `{"id": 1, "set": {...}}`, func(key string, value json.RawMessage) error {
		switch key {
		case "id":
			if text := ""; !whole.Match(value) && (json.Unmarshal(value, &text) != nil || len(value) > 100 || value[0] != '"') {
				return fmt.Errorf("id: %.80s: a whole number of at most 16 digits, or a text of at most 98 bytes, wanted", value)
			}
			a.ID = bytes.Clone(value)
		case "set":
			set = value
		default:
			return fmt.Errorf("%.80q is not known: id and set wanted", key)
		}
		return nil
	})
	if err == nil && string(a.ID) == "null" {
		err = errors.New("id is missing: a whole number or a text wanted")
	}
	if err == nil && set == nil {
		err = errors.New("set is missing: values of axes by their names wanted")
	}
	if err != nil {
		return a, err
	}
	values := map[string]string{}
	if err := object(set, `{"memory.pim_channels": 16}`, func(key string, value json.RawMessage) (err error) {
		values[key], err = text(key, value)
		return err
	}); err != nil {
		return a, fmt.Errorf("set: %w", err)
	}
	if a.Point, err = s.Find(values); err != nil {
		return a, fmt.Errorf("set: %w", err)
	}
	return a, nil
}

// text is a number, a switch or a text as a spec has it.
func text(key string, value json.RawMessage) (t string, err error) {
	switch c := value[0]; {
	case c == '"':
		err = json.Unmarshal(value, &t)
		return t, err
	case c == 't', c == 'f', c == '-', '0' <= c && c <= '9':
		return string(value), nil
	}
	return "", fmt.Errorf("%s: %.80s: a number or a text wanted", key, value)
}

// object visits the members of a JSON object, each of which may be there once.
func object(data []byte, wanted string, member func(key string, value json.RawMessage) error) error {
	var refused error
	err := jsontext.Members(data, func(key string, value json.RawMessage) error {
		refused = member(key, value)
		return refused
	})
	if err != nil && refused == nil {
		err = fmt.Errorf("%w: %s wanted", err, wanted)
	}
	return err
}

// Row writes the answer of an ask.
func Row(w io.Writer, id json.RawMessage, r *result.Row, keys []result.Key) error {
	var b bytes.Buffer
	of, err := result.NewWriter(&b, "a.jsonl", keys)
	if err == nil {
		err = of.Write(r)
	}
	if err == nil {
		err = of.Close()
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "{\"id\":%s,\"row\":%s}\n", id, bytes.TrimSpace(b.Bytes()))
	return err
}

// Error writes the answer of an ask, of a line counted from 1, that is none.
func Error(w io.Writer, id json.RawMessage, number int, err error) error {
	return line(w, struct {
		ID    json.RawMessage `json:"id"`
		Error string          `json:"error"`
	}{id, fmt.Sprintf("line %d: %v", number, err)})
}
