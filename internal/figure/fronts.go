package figure

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"pimflow/internal/report"
	"pimflow/internal/result"
)

// Aims lists the words that stand for columns.
func Aims() []string { return slices.Sorted(maps.Keys(aims)) }

// NewFronts is the Pareto front of each network, the best in the first respect first.
func NewFronts(d *Data, by []Aim) (*report.Fronts, error) {
	labels, parts, fronts, err := d.Front(by)
	if err != nil {
		return nil, err
	}
	var all []Record
	for _, rows := range fronts {
		all = append(all, rows...)
	}
	out := &report.Fronts{Schema: report.ParetoSchema, Columns: []string{result.SchemaColumn}}
	describe := varying(d.Rows, networks(d.Rows)...)
	if groups(all, []string{"point"}) > 1 {
		describe = append([]string{"point"}, describe...)
	}
	out.Head = slices.Clone(describe)
	var shown []quantity
	for _, a := range by {
		better := "less"
		if a.More {
			better = "more"
		}
		out.By = append(out.By, report.Aim{Column: a.Column, Better: better})
		q, err := d.quantity(all, a.Column)
		if err != nil {
			return nil, err
		}
		shown, out.Head = append(shown, q), append(out.Head, q.label)
	}
	columns := append(result.Names(), keys(d.Rows)...)
	for _, c := range columns {
		everywhere := true
		for i := range all {
			everywhere = everywhere && all[i].has(c)
		}
		if everywhere {
			out.Columns = append(out.Columns, c)
		}
	}
	for i, rows := range fronts {
		n := report.Front{Network: labels[i], Points: len(parts[i])}
		slices.SortStableFunc(rows, func(a, b Record) int { return cmp.Compare(a.sense(by[0]), b.sense(by[0])) })
		for k := range rows {
			values := map[string]any{result.SchemaColumn: result.Schema}
			for _, c := range columns {
				if v, ok := rows[k].value(c); ok {
					values[c] = v
				}
			}
			var cells []string
			for _, c := range describe {
				cells = append(cells, cmp.Or(rows[k].text(c), "-"))
			}
			for _, q := range shown {
				v, _ := rows[k].number(q.column) // Front has read it
				cells = append(cells, q.digits(all)(v*q.scale))
			}
			n.Rows, n.Cells = append(n.Rows, values), append(n.Cells, cells)
		}
		out.Networks = append(out.Networks, n)
	}
	return out, nil
}

// sense is a number that is smaller where a row is better.
func (r *Record) sense(a Aim) float64 {
	v, err := r.number(a.Column)
	if err != nil {
		return math.NaN()
	}
	if a.More {
		return -v
	}
	return v
}
