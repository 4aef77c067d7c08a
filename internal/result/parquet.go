package result

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"reflect"
	"slices"
	"strconv"

	"github.com/parquet-go/parquet-go"
)

// groupRows is the number of rows of a row group, which are in memory together. Estimated.
const groupRows = 1 << 13

// parquetTypes are the types of columns by their kinds. Cells may be empty, the columns are optional.
var parquetTypes = map[kind]reflect.Type{
	text: reflect.TypeFor[string](), integer: reflect.TypeFor[int64](), number: reflect.TypeFor[float64](), logical: reflect.TypeFor[bool](),
}

// schemaOf is the form of a Parquet file with these columns, in their order.
func schemaOf(list []cell) *parquet.Schema {
	var fields []reflect.StructField
	for i := range list {
		tag := list[i].name + ",optional"
		if list[i].kind == text {
			tag += ",dict"
		}
		fields = append(fields, reflect.StructField{
			Name: "C" + strconv.Itoa(i), Type: parquetTypes[list[i].kind], Tag: reflect.StructTag(`parquet:` + strconv.Quote(tag)),
		})
	}
	return parquet.SchemaOf(reflect.New(reflect.StructOf(fields)).Interface())
}

// parquetWriter writes a Parquet file in groups of rows.
type parquetWriter struct {
	to    *parquet.GenericWriter[any]
	cells []cell
	rows  []parquet.Row // one
}

func newParquet(w io.Writer, keys []Key) Writer {
	list := cells(keys)
	for i := range list[len(list)-len(keys):] {
		if keys[i].Number {
			list[len(list)-len(keys)+i].numeric()
		}
	}
	to := parquet.NewGenericWriter[any](w, schemaOf(list), parquet.Compression(&parquet.Snappy), parquet.MaxRowsPerRowGroup(groupRows),
		parquet.CreatedBy("pimflow", Schema, ""))
	return &parquetWriter{to, list, make([]parquet.Row, 1)}
}

// numeric makes the column of a key one of numbers.
func (c *cell) numeric() {
	get, put := c.get, c.put
	c.kind = number
	c.get = func(r *Row) (any, bool) {
		v, ok := get(r)
		x, err := strconv.ParseFloat(v.(string), 64)
		return x, ok && err == nil
	}
	c.put = func(r *Row, v any) { put(r, written(v)) }
}

func (w *parquetWriter) Write(r *Row) error {
	if err := r.writable(w.cells); err != nil {
		return err
	}
	row := w.rows[0][:0]
	for i := range w.cells {
		v, ok := w.cells[i].get(r)
		if !ok {
			row = append(row, parquet.NullValue().Level(0, 0, i))
			continue
		}
		if n, whole := v.(int); whole {
			v = int64(n)
		}
		row = append(row, parquet.ValueOf(v).Level(0, 1, i))
	}
	w.rows[0] = row
	_, err := w.to.WriteRows(w.rows)
	return err
}

func (w *parquetWriter) Close() error { return w.to.Close() }

// readParquet reads a Parquet file. The library panics at some damaged ones.
func readParquet(s *source, row func(*Row) error) (err error) {
	own := false // the panic is not of the library
	defer func() {
		if p := recover(); p != nil && !own {
			err = fmt.Errorf("%s: a damaged Parquet file", s.name)
		} else if p != nil {
			panic(p)
		}
	}()
	info, err := s.file.Stat()
	if err != nil {
		return err
	}
	f, err := parquet.OpenFile(s.file, info.Size())
	if err != nil {
		return s.damaged(err, "not a Parquet file, or a damaged one")
	}
	var names []string
	for _, path := range f.Schema().Columns() {
		if len(path) != 1 {
			return fmt.Errorf("%s: column %.80q: a table without nested columns wanted", s.name, path)
		}
		names = append(names, path[0])
	}
	list, err := layout(names)
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	for i, c := range f.Schema().Fields() {
		if err := list[i].stored(c); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	n := 0
	for _, group := range f.RowGroups() {
		if err := s.group(group, list, &n, func(r *Row) error {
			own = true
			defer func() { own = false }()
			return row(r)
		}); err != nil {
			return err
		}
	}
	return nil
}

// stored checks that a column is of the type that rows are written with.
func (c *cell) stored(f parquet.Field) error {
	kinds := map[kind]parquet.Kind{text: parquet.ByteArray, integer: parquet.Int64, number: parquet.Double, logical: parquet.Boolean}
	if isKey(c.name) && f.Leaf() && f.Type().Kind() == parquet.Double {
		c.numeric()
	}
	if !f.Leaf() || f.Repeated() || f.Type().Kind() != kinds[c.kind] {
		return fmt.Errorf("column %s of type %.80s: %v wanted", c.name, f.Type().String(), kinds[c.kind])
	}
	return nil
}

// group reads a group of rows; n counts rows of the file.
func (s *source) group(group parquet.RowGroup, list []cell, n *int, row func(*Row) error) error {
	rows := group.Rows()
	defer rows.Close()
	buffer := make([]parquet.Row, 64)
	for {
		m, err := rows.ReadRows(buffer)
		for _, values := range buffer[:m] {
			*n++
			r, err := fromValues(values, list)
			if err != nil {
				return fmt.Errorf("%s: row %d: %w", s.name, *n, err)
			}
			if err := row(r); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return s.damaged(err, fmt.Sprintf("row %d: a damaged Parquet file", *n+1))
		}
		if m == 0 {
			return fmt.Errorf("%s: row %d: a damaged Parquet file", s.name, *n+1)
		}
	}
}

// damaged is an error of the library, whose words are those of its format, or of the file system.
func (s *source) damaged(err error, what string) error {
	var system *fs.PathError
	if errors.As(err, &system) {
		return system
	}
	return fmt.Errorf("%s: %s", s.name, what)
}

// fromValues is the row of a Parquet row.
func fromValues(values parquet.Row, list []cell) (*Row, error) {
	r, schema := &Row{}, ""
	full := make([]bool, len(list))
	for _, v := range values {
		if v.IsNull() {
			continue
		}
		c := &list[v.Column()]
		full[v.Column()] = true
		switch c.kind {
		case text:
			if c.name == SchemaColumn {
				schema = v.String()
			}
			c.put(r, string(slices.Clone(v.ByteArray())))
		case integer:
			c.put(r, int(v.Int64()))
		case number:
			c.put(r, v.Double())
		case logical:
			c.put(r, v.Boolean())
		}
	}
	if schema != Schema {
		return nil, errSchema(schema)
	}
	return r, r.whole(list, func(i int) bool { return !full[i] })
}
