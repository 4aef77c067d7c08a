package result

import "sync"

// Names lists the columns that every table has, in order, those of parts of energies last.
func Names() (list []string) {
	for i := range columns {
		list = append(list, columns[i].Name)
	}
	for _, c := range partColumns() {
		list = append(list, c.name)
	}
	return list
}

// reader reads a column of a row.
type reader struct {
	get  func(r *Row) (value any, ok bool)
	unit string
}

// readers has the reader of every column but those of keys.
var readers = sync.OnceValue(func() map[string]reader {
	list := map[string]reader{}
	for i := range columns {
		list[columns[i].Name] = reader{columns[i].cell().get, columns[i].Unit}
	}
	for _, p := range partColumns() {
		list[p.name] = reader{p.cell().get, "pJ"}
	}
	return list
})

// Values returns the function that reads a column of a row, and the column's unit: "" for none. A name with a dot in it is
// that of a key of the machine. The value is an int, float64, bool or string; it is not ok where the row has none. The
// function is nil if no table has such a column.
func Values(column string) (get func(r *Row) (value any, ok bool), unit string) {
	if isKey(column) {
		return (&Key{Name: column}).cell().get, ""
	}
	r := readers()[column]
	return r.get, r.unit
}
