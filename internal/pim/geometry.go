package pim

import (
	"fmt"

	"pimflow/internal/hw"
)

// geometry is the sizes of a channel. The first five are equal where each bank has a MAC unit,
// and differ where several banks share one.
type geometry struct {
	banks   int // that one command closes
	opened  int // banks whose row one activation opens
	outputs int // of an output group: the results that one column access adds to
	results int // values that a result read moves, or that a command sets
	units   int // MAC units, each of a bank that a column access reads

	acts    int // activations that open a row in all banks
	lanes   int // elements of a column access, of one output
	wide    int // outputs of a column access of a MAC unit
	columns int // column accesses of a row
	rows    int // of a bank
	buffer  int // column accesses of a buffer
	buffers int
	sums    int // accumulators of a MAC unit
}

// newGeometry is the geometry of a machine whose channels have these commands. The error
// names the number that does not fit.
func newGeometry(m *hw.Machine, ops *Commands) (geometry, error) {
	p := &m.PIM
	acts := len(ops.Open)
	g := geometry{
		banks: p.Banks, opened: p.Banks / acts, outputs: p.Banks, results: p.Banks, units: p.Banks,
		acts: acts, lanes: p.Lanes(), columns: p.Columns(), rows: p.Rows, buffers: p.Buffers, sums: p.Sums,
	}
	wrong := func(format string, a ...any) (geometry, error) {
		return g, fmt.Errorf("machine %s: %s", m.Name, fmt.Sprintf(format, a...))
	}
	switch {
	case p.Units > 0 && p.Units != p.Banks && ops.dialect.programs == nil:
		return wrong("pim.mac_units is %d: %d wanted, one at each bank", p.Units, p.Banks)
	case p.Banks%acts != 0:
		return wrong("pim.banks is %d: a multiple of %d wanted, the activations that open all", p.Banks, acts)
	case p.Lanes() < 1 || p.Columns() < 1 || p.Rows < 1:
		return wrong("pim.column_bytes %d, pim.row_bytes %d, pim.rows_per_bank %d: an element of %s, a column and a row at least wanted", p.Column, p.Row, p.Rows, p.Format)
	case p.Buffers > len(ops.Write):
		return wrong("pim.buffers is %d: at most %d wanted, those that standard %s writes", p.Buffers, len(ops.Write), p.Standard)
	case p.Buffers < 1:
		return wrong("pim.buffers is %d: at least 1 wanted", p.Buffers)
	case p.Sums < 1:
		return wrong("pim.accumulators is %d: at least 1 wanted", p.Sums)
	case p.Sums > 1 && len(ops.Init) == 0 && ops.dialect.programs == nil:
		return wrong("pim.accumulators is %d: 1 wanted, the commands of standard %s name none", p.Sums, p.Standard)
	case p.Buffer < p.Column:
		return wrong("pim.buffer_bytes is %d: at least the %d of pim.column_bytes wanted", p.Buffer, p.Column)
	}
	g.buffer, g.wide = p.Buffer/p.Column, 1
	return g, nil
}

// products is those of a column access of all MAC units.
func (g *geometry) products() int { return g.units * g.lanes * g.wide }

// shared is the number of banks that have a MAC unit together. The unit multiplies the row of
// the first of them.
func (g *geometry) shared() int { return g.banks / g.units }

// activations are those that open the rows of so many MAC units.
func (g *geometry) activations(units int) int { return ceilDiv(units*g.shared(), g.opened) }
