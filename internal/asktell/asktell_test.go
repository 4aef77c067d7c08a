package asktell

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"pimflow/internal/result"
	"pimflow/internal/space"
)

// made is a space of axes in flags.
func made(t testing.TB, spec *space.Spec, axes ...string) *space.Space {
	for _, a := range axes {
		name, text, _ := strings.Cut(a, "=")
		values, err := space.ParseValues(text)
		if err != nil {
			t.Fatal(err)
		}
		spec.Put(space.Axis{Name: name, Values: values})
	}
	s, err := space.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func sample(t testing.TB) (*space.Space, []string) {
	where := []string{"pim.banks < 16 || batch < 4"}
	return made(t, &space.Spec{Where: []space.Text{{Text: where[0]}}, Zip: []space.Group{{Axes: []string{"memory.pim_channels", "launch.pim"}}}},
		"models=toy", "machines=toy", "batches=1,4", "memory.pim_channels=1,2", "pim.banks=4,8,16", "launch.pim=each,joint", "gpu.launch_ck=500..3000/100"), where
}

// TestAnnounce: the first line has all that an asker has to know.
func TestAnnounce(t *testing.T) {
	s, where := sample(t)
	var b bytes.Buffer
	if err := Announce(&b, s, where); err != nil {
		t.Fatal(err)
	}
	const want = `{"schema":"pimflow.asktell/1","axes":[{"name":"model","kind":"text","values":["toy"]},{"name":"batch","kind":"number","values":[1,4]},{"name":"machine","kind":"text","values":["toy"]},` +
		`{"name":"memory.pim_channels","kind":"number","values":[1,2]},` +
		`{"name":"pim.banks","kind":"number","values":[4,8,16]},{"name":"launch.pim","kind":"text","values":["each","joint"]},{"name":"gpu.launch_ck","kind":"number","values":[500,`
	const end = `]}],"together":[["memory.pim_channels","launch.pim"]],"where":["pim.banks < 16 || batch < 4"],"objectives":["total_ns","energy_pj","mac_units"]}` + "\n"
	if got := b.String(); !strings.HasPrefix(got, want) || !strings.HasSuffix(got, end) {
		t.Errorf("%s\n%s...%s wanted", got, want, end)
	}
}

const good = `{"id": 7, "set": {"batch": 4, "memory.pim_channels": "2", "pim.banks": 8.0, "launch.pim": "joint", "gpu.launch_ck": 600, "model": "toy"}}`

// TestParse: what is asked for is the point with these values, and what is wrong is said in a line.
func TestParse(t *testing.T) {
	s, _ := sample(t)
	a, err := Parse([]byte(good), s)
	if err != nil || string(a.ID) != "7" {
		t.Fatal(a, err)
	}
	if p := s.At(a.Point); p.Batch != 4 || strings.Join(p.Set, " ") != "memory.pim_channels=2 pim.banks=8 launch.pim=joint gpu.launch_ck=600" {
		t.Errorf("%+v", p)
	}
	for _, c := range []struct{ old, new, want string }{
		{`7`, `"a"`, ``},
		{`7`, `0`, ``},
		{`8.0`, `8e0`, ``},
		{`, "model": "toy"`, ``, ``},
		{good, ``, `null: it is empty: JSON wanted: {"id": 1, "set": {...}} wanted`},
		{good, `[1]`, `null: byte 1: an object wanted, not a list: {"id": 1, "set": {...}} wanted`},
		{good, good + `{}`, `7: byte 138: more after the end of the JSON: nothing wanted: {"id"`},
		{`}}`, `}`, `7: it ends early: the end of the JSON wanted: {"id"`},
		{`"set"`, `set`, `7: byte `},
		{`"set"`, `"sets"`, `7: "sets" is not known: id and set wanted`},
		{`"set": {`, `"id": 8, "set": {`, `7: key id: twice, once wanted`},
		{`"batch": 4`, `"batch": 4, "batch": 1`, `7: set: key batch: twice, once wanted`},
		{`"id": 7, `, ``, `null: id is missing`},
		{`7`, `-7`, `null: id: -7: a whole number of at most 16 digits, or a text of at most 98 bytes, wanted`},
		{`7`, `7.5`, `null: id: 7.5: `},
		{`7`, `null`, `null: id: null: `},
		{`7`, `"` + strings.Repeat("x", 99) + `"`, `null: id: `},
		{good, `{"id": 7}`, `7: set is missing`},
		{good, `{"id": 7, "set": 3}`, `7: set: byte 1: an object wanted, not a number: {"memory.pim_channels": 16} wanted`},
		{`8.0`, `9`, `7: set: pim.banks: "9": one of 4, 8, 16 wanted`},
		{`8.0`, `[8]`, `7: set: pim.banks: [8]: a number or a text wanted`},
		{`8.0`, `null`, `7: set: pim.banks: null: a number or a text wanted`},
		{`8.0`, `true`, `7: set: pim.banks: "true": one of 4, 8, 16 wanted`},
		{`600`, `601`, `7: set: gpu.launch_ck: "601": one of 500, 600, 700, 800, 900, 1000, 1100, 1200, 1300, 1400, 1500, 1600, ... (26 values) wanted`},
		{`"pim.banks": 8.0, `, ``, `7: set: pim.banks is missing: one of 4, 8, 16 wanted`},
		{`"model": "toy"`, `"models": "toy"`, `7: set: "models" is no axis of the space (did you mean "model"?): `},
		{`"joint"`, `"each"`, `7: set: memory.pim_channels=2 and launch.pim=each: they advance together: joint wanted`},
		{`8.0`, `16`, `7: set: where "pim.banks < 16 || batch < 4": another point wanted, for which it holds`},
		{`toy`, "\xff", `null: text in UTF-8 wanted`},
	} {
		a, err := Parse([]byte(strings.Replace(good, c.old, c.new, 1)), s)
		got := ""
		if err != nil {
			got = string(a.ID) + ": " + err.Error()
		}
		if c.want == "" && err != nil || !strings.HasPrefix(got, c.want) || strings.Contains(got, "\n") {
			t.Errorf("%q in place of %q: %s: %s wanted", c.new, c.old, got, c.want)
		}
	}
}

// TestAnswers: a row is that of a table of JSON lines, and an error names the line.
func TestAnswers(t *testing.T) {
	var b bytes.Buffer
	if err := Row(&b, json.RawMessage(`"a"`), &result.Row{Point: 5, Set: map[string]string{"pim.banks": "8"}, Total: 12}, []result.Key{{Name: "pim.banks", Number: true}}); err != nil {
		t.Fatal(err)
	}
	if err := Error(&b, json.RawMessage("null"), 3, errors.New("set: <none>")); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], `{"id":"a","row":{"schema":"pimflow.point/1","point":5,`) || !strings.Contains(lines[0], `"total_ns":12,`) || !json.Valid([]byte(lines[0])) ||
		lines[1] != `{"id":null,"error":"line 3: set: <none>"}` {
		t.Errorf("%s", &b)
	}
}

// FuzzParse: whatever comes, the error is one line, and the ID is JSON.
func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte(`{"id":"\u00e9","set":{"":{}}}`))
	s, _ := sample(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := Parse(data, s)
		var b bytes.Buffer
		if err == nil && !s.Has(a.Point) {
			t.Fatal(a.Point)
		}
		if err == nil {
			err = errors.New("none")
		}
		if e := Error(&b, a.ID, 1, err); e != nil || !json.Valid(b.Bytes()) || strings.Count(b.String(), "\n") != 1 {
			t.Fatalf("%v: %s", e, &b)
		}
	})
}

// TestLines: blank lines ask for nothing, a long one is told and does not end the others, and a byte order mark is no text.
func TestLines(t *testing.T) {
	long := strings.Repeat("x", MaxLine+3)
	l := NewLines(strings.NewReader("\ufeff{}\n\n  \r\n" + long + "\nlast\r\n" + strings.Repeat("y", MaxLine) + "\n" + long + long))
	for _, want := range []struct {
		line   string
		number int
		long   bool
	}{{"{}", 1, false}, {"", 4, true}, {"last", 5, false}, {strings.Repeat("y", MaxLine), 6, false}, {"", 7, true}} {
		line, number, long, err := l.Next()
		if string(line) != want.line || number != want.number || (long != nil) != want.long || err != nil {
			t.Errorf("%.20q line %d, %v, %v: %.20q of line %d wanted", line, number, long, err, want.line, want.number)
		}
	}
	if _, _, _, err := l.Next(); err != io.EOF {
		t.Error(err)
	}
	l = NewLines(strings.NewReader("a"))
	if line, _, _, err := l.Next(); string(line) != "a" || err != nil {
		t.Errorf("%q, %v", line, err)
	}
	if _, _, _, err := l.Next(); err != io.EOF {
		t.Error(err)
	}
}
