package pim

import (
	"math"

	"pimflow/internal/device"
	"pimflow/internal/dram"
	"pimflow/internal/hw"
)

// Weights that are not constant, as the second operand of attention's products, are written into the banks
// before the streams, in each run. They have rows of their own, as constant weights do; a channel waits for
// its own only.

// Writing is the way of weights into the banks of a channel. They pass its pins, or its rows are opened
// if that takes longer: a row takes tRC, and tFAW for each four banks that have weights where the standard
// has one; rows are opened while other banks are written. Refreshes take their share of the time.
type Writing struct {
	perRow float64 // ns
	gbps   float64
	busy   float64 // the share of the time that refreshes leave
}

// NewWriting is that of a machine.
func NewWriting(m *hw.Machine) Writing {
	p := &m.PIM
	ns := func(key string) float64 { return p.Clock.Picoseconds() / 1e3 * float64(p.Timing[key]) }
	banks := p.Banks
	if p.Units > 0 { // of the banks of a unit the first has the weights
		banks = p.Units
	}
	w := Writing{perRow: max(ns("rc_ck"), float64(banks)/4*ns("faw_ck")), gbps: m.Memory.ChannelGBps, busy: 1}
	if interval := ns("refi_ck"); interval > 0 {
		w.busy -= ns("rfc_ck") / interval
	}
	return w
}

// Time is that of a channel for so many bytes in so many rows of all banks.
func (w Writing) Time(bytes, rows int) device.Time {
	return device.Time(math.Round(max(float64(bytes)/w.gbps, float64(rows)*w.perRow) / w.busy * 1e3))
}

// written is the weights that a channel gets for a share, and the rows that hold any: whole columns, since what stands beside them is
// multiplied by zeros and must be a number.
type written struct{ columns, rows int }

// A counting scheme counts the columns and rows of a share without finding the weights of each row.
type counting interface{ written(s share) written }

// written counts the columns of all banks and the rows of a share.
func (d *Device) written(m *mapping, s share) (w written) {
	if len(s) == 0 {
		return w
	}
	if c, ok := d.scheme.(counting); ok {
		return c.written(s)
	}
	r := d.scheme.rows(s)
	for row := r.Lo; row < r.Hi; row++ {
		x := d.scheme.rowWeights(m, s, row)
		outs := min(x.outs, (x.group+x.groups)*d.outputs) - x.group*d.outputs
		if n := outs * x.cols * x.copies; n > 0 {
			w.columns, w.rows = w.columns+n, w.rows+1
		}
	}
	return w
}

// bytes are those of the columns.
func (w written) bytes(d *Device) int { return w.columns * d.lanes * d.element }

// busy is the time of a channel for a share: its stream, with the given result, after its weights where they are written first.
func (d *Device) busy(m *mapping, s share, r dram.Result) int64 {
	t := int64(d.cycles(r))
	if m.layer.dynamic && len(s) > 0 && t != int64(tooLate) {
		w := d.written(m, s)
		t += d.m.Clock.Cycles(int64(d.writing.Time(w.bytes(d), w.rows)))
	}
	return t
}

// writingOf is the longest time, in cycles, that a channel is written for.
func (d *Device) writingOf(w *way, shares []share) (most int64) {
	m := &mapping{way: *w}
	for _, s := range shares {
		n := d.written(m, s)
		most = max(most, d.m.Clock.Cycles(int64(d.writing.Time(n.bytes(d), n.rows))))
	}
	return most
}

// write adds the writing of the weights to the cost of the streams. A column that is written takes as much
// energy as one that is read, and a row is opened and closed for it (estimated: currents of writes and reads
// differ little in the data sheets).
func (c *Code) write(l *layer) {
	if !l.dynamic {
		return
	}
	d, e := c.device, &c.device.m.Energy
	m := &mappedCode{c, c.best.at(l)}
	c.cost.Lanes = append([]device.Time{}, c.cost.Lanes...)
	bytes, busy := 0, 0.0
	for i, s := range m.perChannel() {
		w := d.written(m.mapping, s)
		t := d.writing.Time(w.bytes(d), w.rows)
		c.cost.Lanes[i] += t
		c.cost.Time = max(c.cost.Time, c.cost.Lanes[i])
		bytes, busy = bytes+w.bytes(d), busy+t.NS()
		add := func(p device.Part, constant hw.Range, n float64) {
			c.cost.Energy[p] = c.cost.Energy[p].Plus(device.Of(constant, n))
		}
		add(device.PIMActivate, e.Activate, float64(w.rows*d.units))
		add(device.PIMActivate, e.Precharge, float64(w.rows*d.units))
		add(device.PIMColumnRead, e.ColumnRead, float64(w.columns))
	}
	if d.link.Finish.Where != hw.InDRAM { // where all that travels is in them already
		c.cost.Energy[device.PIMIO] = c.cost.Energy[device.PIMIO].Plus(device.Of(e.IO, 8*float64(bytes)))
		c.cost.Bytes += int64(bytes)
	}
	c.cost.Energy[device.PIMActive] = c.cost.Energy[device.PIMActive].Plus(device.Of(e.Active, busy))
	if stream := device.Time(d.m.Clock.PS(c.cost.Ticks)); c.cost.Time-stream > stream {
		c.cost.Bound = l.storedWord()
	}
}

// writtenBytes is what the weights of all channels have to travel.
func (c *Code) writtenBytes(l *layer) (n int64) {
	m := &mappedCode{c, c.best.at(l)}
	for _, s := range m.perChannel() {
		n += int64(c.device.written(m.mapping, s).bytes(c.device))
	}
	return n
}

// Dynamic reports whether what stands in the banks is written in each run.
func (c *Code) Dynamic() bool { return c.best.layer.dynamic }
