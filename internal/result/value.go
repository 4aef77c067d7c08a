package result

import (
	"slices"
)

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

// Values returns the function that reads a column of a row, and the column's unit: "" for none. A name with a dot in it is
// that of a key of the machine. The value is an int, float64, bool or string; it is not ok where the row has none. The
// function is nil if no table has such a column.
func Values(column string) (get func(r *Row) (value any, ok bool), unit string) {
	if isKey(column) {
		c := (&Key{Name: column}).cell()
		return c.get, ""
	}
	if i := slices.IndexFunc(columns, func(c Column) bool { return c.Name == column }); i >= 0 {
		c := columns[i].cell()
		return c.get, columns[i].Unit
	}
	for _, p := range partColumns() {
		if p.name == column {
			c := p.cell()
			return c.get, "pJ"
		}
	}
	return nil, ""
}
