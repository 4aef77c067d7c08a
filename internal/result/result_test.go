package result

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// lists are the hashes of the columns, names, units and places, of each schema. Another list is another schema: programs read
// these files.
var lists = map[string]string{"pimflow.point/1": "6ed1e83aa7821246"}

// TestSchema: a changed list of columns has a changed schema.
func TestSchema(t *testing.T) {
	h := sha256.New()
	for _, c := range cells(nil) {
		fmt.Fprintln(h, c.name, c.kind)
	}
	for _, c := range columns {
		fmt.Fprintln(h, c.Name, c.Unit)
	}
	if got := fmt.Sprintf("%x", h.Sum(nil)[:8]); lists[Schema] != got {
		t.Errorf("the columns of %s hash to %s, not to %s: a changed list wants a new schema, and a row here", Schema, got, lists[Schema])
	}
}

// TestColumns: every field of a row is a column, by the name of its JSON, once, and has words.
func TestColumns(t *testing.T) {
	filled := fill(1)
	var names []string
	for i := range columns {
		c := &columns[i]
		if c.Doc == "" || isKey(c.Name) {
			t.Errorf("%s: %q", c.Name, c.Doc)
		}
		names = append(names, c.Name)
		if v := load(c.at(filled)); reflect.ValueOf(v).IsZero() {
			t.Errorf("%s is of no field that is filled", c.Name)
		}
	}
	typ := reflect.TypeFor[Row]()
	var fields []string
	for i := range typ.NumField() {
		if name := typ.Field(i).Tag.Get("json"); name != "set" && name != "energy_parts" {
			fields = append(fields, name)
		}
	}
	if d := cmp.Diff(fields, names); d != "" {
		t.Errorf("fields and columns:\n%s", d)
	}
}

// fill is a row whose fields differ from each other, from n on.
func fill(n int) *Row {
	r := &Row{}
	for i := range columns {
		switch p := columns[i].at(r).(type) {
		case *int:
			*p = n + i
		case *float64:
			*p = float64(n) + float64(i)/8
		case *bool:
			*p = true
		case *string:
			*p = fmt.Sprintf("text %d, %d", n, i)
		}
	}
	r.Error = ""
	r.Set = map[string]string{"memory.pim_channels": fmt.Sprint(n), "launch.gpu": "graph"}
	r.Parts = map[string]Energy{}
	for i, p := range Parts() {
		r.Parts[p] = Energy{float64(n + i), float64(i) / 4, 1e9 + float64(i)}
	}
	r.Error = "none is nil"
	return r
}

var testKeys = []Key{{"launch.gpu", false}, {"memory.pim_channels", true}}

// write writes rows as a file of one form.
func write(t interface{ Fatal(...any) }, dir, form string, keys []Key, rows []*Row) string {
	file := filepath.Join(dir, "rows"+form)
	var b bytes.Buffer
	w, err := NewWriter(&b, file, keys)
	for _, r := range rows {
		if err == nil {
			err = w.Write(r)
		}
	}
	if err == nil {
		err = w.Close()
	}
	if err == nil {
		err = os.WriteFile(file, b.Bytes(), 0o666)
	}
	if err != nil {
		t.Fatal(form, err)
	}
	return file
}

func readAll(file string) (list []*Row, err error) {
	err = Read(file, func(r *Row) error { list = append(list, r); return nil })
	return list, err
}

// anyText draws texts that CSV keeps: it makes \r\n one line end, and readers of text refuse zero bytes.
func anyText(r *rapid.T, name string) string {
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", `a "b", c`, "é\n", "-", "1"})).Draw(r, name)
	return strings.NewReplacer("\r", "", "\x00", "").Replace(strings.ToValidUTF8(text, ""))
}

// TestRoundTrip: what is written in each form is read back.
func TestRoundTrip(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		var rows []*Row
		for range rapid.IntRange(0, 5).Draw(rt, "rows") {
			r := &Row{}
			failed := rapid.Bool().Draw(rt, "failed")
			for i := range columns {
				c := &columns[i]
				if failed && c.Found && rapid.Bool().Draw(rt, "empty") {
					continue
				}
				switch p := c.at(r).(type) {
				case *int:
					*p = rapid.Int().Draw(rt, c.Name)
				case *float64:
					*p = rapid.Float64().Draw(rt, c.Name)
				case *bool:
					*p = rapid.Bool().Draw(rt, c.Name)
				case *string:
					*p = anyText(rt, c.Name)
				}
			}
			if r.Error = ""; failed {
				r.Error = "machine toy: pim.banks: 3"
			}
			if rapid.Bool().Draw(rt, "set") {
				r.Set = map[string]string{"launch.gpu": anyText(rt, "gpu") + "x", "memory.pim_channels": written(rapid.Float64().Draw(rt, "n"))}
			}
			if rapid.Bool().Draw(rt, "parts") {
				r.Parts = fill(rapid.IntRange(0, 9).Draw(rt, "part")).Parts
			}
			rows = append(rows, r)
		}
		for form := range formats {
			got, err := readAll(write(rt, dir, form, testKeys, rows))
			if err != nil {
				rt.Fatalf("%s: %v", form, err)
			}
			if d := cmp.Diff(rows, got); d != "" {
				rt.Fatalf("%s:\n%s", form, d)
			}
		}
	})
}

// TestLine: a line is the row's JSON after its schema, but for the null of numbers that are not there.
func TestLine(t *testing.T) {
	r := fill(1)
	r.Error = ""
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(write(t, t.TempDir(), ".jsonl", testKeys, []*Row{r}))
	if want := `{"schema":"pimflow.point/1",` + string(data[1:]) + "\n"; err != nil || string(got) != want {
		t.Errorf("%v\n%s", err, cmp.Diff(want, string(got)))
	}
	failed := &Row{Model: "toy", Error: "no"}
	got, err = os.ReadFile(write(t, t.TempDir(), ".jsonl", nil, []*Row{failed}))
	if err != nil || strings.Contains(string(got), "_ns\":0") || !strings.Contains(string(got), `"total_ns":null`) {
		t.Errorf("%v %s", err, got)
	}
	got, err = os.ReadFile(write(t, t.TempDir(), ".csv", nil, []*Row{failed}))
	if want := "pimflow.point/1,0,toy,,0,,,,,,,,,,"; err != nil || !strings.Contains(string(got), want) {
		t.Errorf("%v %s", err, got)
	}
}

// TestRefused: a row that a table does not hold is an error, not a loss.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		change func(r *Row)
		want   string
	}{
		{func(r *Row) { r.Total /= 0 * r.Total }, "point 1: total_ns is +Inf: a number wanted"},
		{func(r *Row) { r.Set["pim.banks"] = "4" }, "point 1: pim.banks=4 has no column"},
		{func(r *Row) { r.Parts["cpu"] = Energy{} }, "point 1: energy cpu has no column"},
	} {
		for form := range formats {
			r := fill(1)
			c.change(r)
			w, err := NewWriter(&bytes.Buffer{}, "x"+form, testKeys)
			if err == nil {
				err = w.Write(r)
			}
			if err == nil || err.Error() != c.want {
				t.Errorf("%s: %v, %s wanted", form, err, c.want)
			}
		}
	}
}

// foreign are words of the libraries that read tables.
var foreign = regexp.MustCompile(`json:|struct|Go |thrift|crc32|parquet:|footer|magic`)

// TestDamaged: a table that is not whole is an error of one line that names the place.
func TestDamaged(t *testing.T) {
	dir := t.TempDir()
	text := func(form string) string {
		data, err := os.ReadFile(write(t, dir, form, testKeys, []*Row{fill(1), fill(2)}))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	csv, lines, parquet := text(".csv"), text(".jsonl"), text(".parquet")
	for _, c := range []struct{ form, text, want string }{
		{".csv", "", "empty: a line with the names"},
		{".csv", strings.Replace(csv, "total_ns", "totel_ns", 1), `:1: column "totel_ns" is not known (did you mean "total_ns"?)`},
		{".csv", strings.Replace(csv, ",total_ns", "", 1), ":1: column total_ns is missing"},
		{".csv", strings.Replace(csv, "speedup,", "total_ns,", 1), `:1: column "total_ns" is there twice`},
		{".csv", strings.Replace(csv, "pimflow.point/1", "pimflow.point/0", 1), `:2: schema "pimflow.point/0": "pimflow.point/1" wanted`},
		{".csv", strings.Replace(csv, "pimflow.point/1,1,", "pimflow.point/1,one,", 1), `:2: point "one": a whole number wanted`},
		{".csv", strings.Replace(csv, "pimflow.point/1,1,", "pimflow.point/1,,", 1), `:2: point is empty: a value wanted`},
		{".csv", strings.Replace(csv, ",none is nil", ",none is nil,", 1), `:2: another number of cells than in the line of columns`},
		{".csv", csv[:len(csv)-20], `:3: `},
		{".csv", csv + "\x00", `zero byte`},
		{".jsonl", strings.Replace(lines, "total_ns", "totel_ns", 1), `:1: not the JSON of a row: key totel_ns is not known`},
		{".jsonl", strings.Replace(lines, "point/1", "point/2", 1), `:1: schema "pimflow.point/2"`},
		{".jsonl", strings.Replace(lines, `"point":2,`, "", 1), `:2: point is empty`},
		{".jsonl", strings.Replace(lines, `"error":"none is nil"`, `"error":"","total_ns":null`, 1), `:1: not the JSON of a row: key total_ns: twice, once wanted`},
		{".jsonl", regexp.MustCompile(`"total_ns":[^,]*`).ReplaceAllString(strings.Replace(lines, `"error":"none is nil"`, `"error":""`, 1), `"total_ns":null`), `:1: total_ns is empty`},
		{".jsonl", lines[:len(lines)-9], `:2: not the JSON of a row: it ends early`},
		{".jsonl", strings.Replace(lines, `"point":2,`, `"point":"two",`, 1), `:2: not the JSON of a row: byte 41, key point: a whole number wanted, not a text`},
		{".jsonl", strings.Replace(lines, `"point":2,`, `"point":2.5,`, 1), `:2: not the JSON of a row: byte 39, key point: a whole number wanted, not 2.5`},
		{".jsonl", strings.Replace(lines, `"set":{`, `"set":[{`, 1), `:1: not the JSON of a row: `},
		{".jsonl", strings.Replace(lines, `"stopped":true`, `"stopped":1`, 1), `:1: not the JSON of a row: byte 1842, key stopped: true or false wanted, not a number`},
		{".jsonl", lines[:len(lines)-1] + lines, `:2: not the JSON of a row: byte `},
		{".jsonl", strings.Repeat("x", maxLine+1), `:1: `},
		{".parquet", "", "not a Parquet file"},
		{".parquet", parquet[:len(parquet)/2], "not a Parquet file"},
		{".parquet", parquet[:len(parquet)-20] + strings.Repeat("x", 12) + parquet[len(parquet)-8:], "damaged"},
		{".parquet", strings.ReplaceAll(parquet, "total_ns", "totel_ns"), `column "totel_ns" is not known`},
		{".parquet", strings.ReplaceAll(parquet, "pimflow.point/1", "pimflow.point/0"), `row 1: a damaged Parquet file`},
		{".txt", "", "a file that ends in .csv, .jsonl or .parquet wanted"},
	} {
		file := filepath.Join(dir, "damaged"+c.form)
		if err := os.WriteFile(file, []byte(c.text), 0o666); err != nil {
			t.Fatal(err)
		}
		_, err := readAll(file)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), file) || foreign.MatchString(strings.TrimPrefix(err.Error(), file)) {
			t.Errorf("%s: %v, %q wanted", c.form, err, c.want)
		}
	}
}

// TestEnd: the error of who takes the rows ends the reading, and is handed on.
func TestEnd(t *testing.T) {
	dir, enough := t.TempDir(), errors.New("enough")
	for form := range formats {
		n := 0
		err := Read(write(t, dir, form, testKeys, []*Row{fill(1), fill(2)}), func(*Row) error { n++; return enough })
		if err != enough || n != 1 {
			t.Errorf("%s: %v after %d rows", form, err, n)
		}
	}
}

// FuzzParquet: no damaged file ends the program.
func FuzzParquet(f *testing.F) {
	data, err := os.ReadFile(write(f, f.TempDir(), ".parquet", testKeys, []*Row{fill(1)}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data, 0, byte(0))
	f.Add(data, len(data)-9, byte(0xff))
	f.Fuzz(func(t *testing.T, data []byte, at int, to byte) {
		if at >= 0 && at < len(data) {
			data[at] = to
		}
		file := filepath.Join(t.TempDir(), "x.parquet")
		if err := os.WriteFile(file, data, 0o666); err != nil {
			t.Fatal(err)
		}
		readAll(file)
	})
}

var update = flag.Bool("update", false, "write the table of columns into docs/sweep.md")

// TestDocs: docs/sweep.md has the table of columns.
func TestDocs(t *testing.T) {
	const file, begin, end = "../../docs/sweep.md", "<!-- columns -->\n", "<!-- end -->"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok1 := strings.Cut(string(data), begin)
	table, after, ok2 := strings.Cut(rest, end)
	var b strings.Builder
	b.WriteString("| column | unit | what |\n|---|---|---|\n")
	for _, c := range Columns() {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", c.Name, c.Unit, c.Doc)
	}
	switch {
	case !ok1 || !ok2:
		t.Fatalf("%s has no %s… %s", file, begin, end)
	case *update:
		if err := os.WriteFile(file, []byte(before+begin+b.String()+end+after), 0o666); err != nil {
			t.Fatal(err)
		}
	case table != b.String():
		t.Errorf("the table of %s is another (-update writes it):\n%s", file, cmp.Diff(table, b.String()))
	}
}
