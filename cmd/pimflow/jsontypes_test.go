package main

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"pimflow/internal/hw"
)

// jsonRow is a key of a form of JSON.
type jsonRow struct {
	key, kind, about, where string
	tag                     reflect.StructTag
}

// source reads the doc comments of types.
type source struct {
	root  string
	files map[string]*parsedPackage
}

// parsedPackage has the types of a package by name.
type parsedPackage struct{ types map[string]*typeText }

// typeText is a type as the source has it.
type typeText struct {
	doc string
	of  ast.Expr
}

// load parses the package of a path.
func (s *source) load(t *testing.T, path string) *parsedPackage {
	if p := s.files[path]; p != nil {
		return p
	}
	p := &parsedPackage{map[string]*typeText{}}
	s.files[path] = p
	dir := filepath.Join(s.root, strings.TrimPrefix(strings.TrimPrefix(path, "pimflow"), "/"))
	if path == "main" || path == "pimflow/cmd/pimflow" {
		dir = filepath.Join(s.root, "cmd/pimflow")
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range g.Specs {
				if ts, ok := spec.(*ast.TypeSpec); ok {
					doc := ts.Doc.Text()
					if doc == "" {
						doc = g.Doc.Text()
					}
					p.types[ts.Name.Name] = &typeText{doc, ts.Type}
				}
			}
		}
	}
	return p
}

// written are types whose JSON is written by a method: the keys that it writes.
var written = map[string][]jsonRow{
	"device.Counts": {{key: "*", kind: "integer", about: "how often, by the name of the command"}},
	"pimflow.Class": {
		{key: "index", kind: "integer", about: "place of the value in the output"},
		{key: "label", kind: "string", about: "its name (run --labels)"},
		{key: "score", kind: "number", about: "the value"},
	},
}

// rows lists the keys of a value's type.
func (s *source) rows(t *testing.T, value any) []jsonRow {
	typ := reflect.TypeOf(value)
	var list []jsonRow
	s.walk(t, typ, s.load(t, typ.PkgPath()).types[typ.Name()].of, "", nil, &list)
	return list
}

// walk adds the keys of a struct.
func (s *source) walk(t *testing.T, typ reflect.Type, text ast.Expr, prefix string, above []reflect.Type, list *[]jsonRow) {
	st, ok := text.(*ast.StructType)
	if !ok || slices.Contains(above, typ) {
		return
	}
	above = append(slices.Clone(above), typ)
	fields := map[string]*ast.Field{}
	keys := map[string]string{}
	for _, f := range st.Fields.List {
		for _, n := range f.Names {
			fields[n.Name] = f
		}
	}
	for i := range typ.NumField() {
		if key := jsonKey(typ.Field(i)); key != "" {
			keys[typ.Field(i).Name] = key
		}
	}
	for i := range typ.NumField() {
		f := typ.Field(i)
		key := keys[f.Name]
		if f.Anonymous && f.Tag.Get("json") == "" {
			s.walk(t, f.Type, s.load(t, f.Type.PkgPath()).types[f.Type.Name()].of, prefix, above, list)
			continue
		}
		if key == "" {
			continue
		}
		about, of := "", ast.Expr(nil)
		if x := fields[f.Name]; x != nil {
			about, of = strings.TrimSpace(x.Doc.Text()+" "+x.Comment.Text()), x.Type
		}
		s.field(t, f, of, prefix+key, inWords(about, f.Name, keys), above, list)
	}
}

// jsonKey is the key of a field; "" for none.
func jsonKey(f reflect.StructField) string {
	key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if !f.IsExported() || key == "-" {
		return ""
	}
	if key == "" {
		return f.Name
	}
	return key
}

// field adds a key, and those of what it holds.
func (s *source) field(t *testing.T, f reflect.StructField, of ast.Expr, path, about string, above []reflect.Type, list *[]jsonRow) {
	typ, suffix := f.Type, ""
	switch {
	case strings.Contains(f.Tag.Get("json"), ",omitempty"), strings.Contains(f.Tag.Get("json"), ",omitzero"):
		suffix = " or absent"
	case typ.Kind() == reflect.Pointer:
		suffix = " or null"
	}
	depth := 0
	for {
		if written[typ.String()] != nil {
			break
		}
		switch typ.Kind() {
		case reflect.Pointer:
			typ = typ.Elem()
			if x, ok := of.(*ast.StarExpr); ok {
				of = x.X
			}
			continue
		case reflect.Slice, reflect.Array:
			typ, path, depth = typ.Elem(), path+"[]", depth+1
			if x, ok := of.(*ast.ArrayType); ok {
				of = x.Elt
			}
			continue
		case reflect.Map:
			typ, path = typ.Elem(), path+".*"
			if x, ok := of.(*ast.MapType); ok {
				of = x.Value
			}
			continue
		}
		break
	}
	doc := ""
	if typ.PkgPath() != "" {
		if x := s.load(t, typ.PkgPath()).types[typ.Name()]; x != nil {
			of, doc = x.of, x.doc
		}
	}
	if about == "" {
		about = s.otherwise(f, above[len(above)-1], typ, doc)
	}
	own := written[typ.String()]
	kind := kindOf(typ, len(own) > 0)
	*list = append(*list, jsonRow{path, kind + suffix, about, above[len(above)-1].String() + "." + jsonKey(f), f.Tag})
	for _, r := range own {
		*list = append(*list, jsonRow{key: path + "." + r.key, kind: r.kind, about: r.about})
	}
	if kind == "object" && len(own) == 0 {
		s.walk(t, typ, of, path+".", above, list)
	}
}

// otherwise is what a key means whose field has no comment: that of its type, of the number that it bounds, or of keys of that name.
func (s *source) otherwise(f reflect.StructField, of, typ reflect.Type, doc string) string {
	key := jsonKey(f)
	if text := keyWords[of.Name()+"."+key]; text != "" {
		return text
	}
	for _, end := range []struct{ word, about string }{{"low", "the least of"}, {"high", "the most of"}} {
		for _, base := range []string{strings.Replace(key, "_"+end.word, "", 1), strings.Replace(key, end.word+"_", "", 1), strings.Replace(key, end.word, "total", 1)} {
			if base != key && hasKey(of, base) {
				return end.about + " `" + base + "`"
			}
		}
	}
	if typ.Kind() == reflect.Struct && doc != "" {
		first, _, _ := strings.Cut(strings.ReplaceAll(doc, "\n", " "), ". ")
		return inWords(first, typ.Name(), nil)
	}
	return keyWords[key]
}

// hasKey reports whether an object has a key.
func hasKey(typ reflect.Type, key string) bool {
	for i := range typ.NumField() {
		if jsonKey(typ.Field(i)) == key {
			return true
		}
	}
	return false
}

// kindOf is a type in JSON's words.
func kindOf(typ reflect.Type, own bool) string {
	switch k := typ.Kind(); {
	case typ == reflect.TypeFor[hw.Range]():
		return "number with bounds"
	case typ == reflect.TypeFor[hw.Period]():
		return "number or fraction"
	case typ.Implements(reflect.TypeFor[json.Marshaler]()) && !own:
		return "string"
	case k == reflect.Bool:
		return "true or false"
	case k == reflect.String:
		return "string"
	case k == reflect.Float64 || k == reflect.Float32:
		return "number"
	case k == reflect.Struct || own:
		return "object"
	case k == reflect.Interface:
		return "any"
	}
	return "integer"
}

// The words of those who write in Go, which are those of the library too.
var (
	notYet  = regexp.MustCompile(`(nil|"") until (it is asked for|they are asked for|[A-Z]\w+(\.\w+)?)( \([^)]*\))?`)
	inGo    = regexp.MustCompile(` \((Session|Tensor|Pin)[.\w]*\)`)
	isNil   = regexp.MustCompile(`\bnil\b`)
	devices = []string{"GPU", "PIM", "DRAM"} // words, where they are names of fields too
)

// inWords is a comment with keys in place of the names of fields.
func inWords(text, own string, keys map[string]string) string {
	text = strings.Join(strings.Fields(text), " ")
	for _, verb := range []string{"is", "are", "has", "holds"} {
		text = strings.TrimPrefix(text, own+" "+verb+" ")
	}
	text = inGo.ReplaceAllString(notYet.ReplaceAllString(text, "where it is asked for"), "")
	text = strings.ReplaceAll(text, "pimflow.Report.Layers", "`layers`")
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		if key := keys[name]; name != key && !slices.Contains(devices, name) {
			text = regexp.MustCompile(`\b`+name+`\b`).ReplaceAllString(text, "`"+key+"`")
		}
	}
	text = isNil.ReplaceAllString(text, "null")
	return lower(strings.TrimSuffix(text, "."))
}

// lower is a text that begins with a small letter, unless its first word is an abbreviation.
func lower(text string) string {
	r := []rune(text)
	if len(r) > 1 && unicode.IsUpper(r[0]) && !unicode.IsUpper(r[1]) {
		r[0] = unicode.ToLower(r[0])
	}
	return string(r)
}

var schemaText = regexp.MustCompile(`"(pimflow(?:\.[a-z]+)+/\d+)"`)

// schemas lists the names of forms in the source.
func (s *source) schemas(t *testing.T) (list []string) {
	for _, dir := range []string{".", "cmd/pimflow", "internal"} {
		err := filepath.WalkDir(filepath.Join(s.root, dir), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() && dir == "." && path != filepath.Join(s.root, dir) {
				return filepath.SkipDir
			}
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			data, err := os.ReadFile(path)
			for _, m := range schemaText.FindAllSubmatch(data, -1) {
				list = append(list, string(m[1]))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return list
}
