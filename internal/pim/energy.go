package pim

import (
	"fmt"
	"math"

	"pimflow/internal/device"
	"pimflow/internal/dram"
	"pimflow/internal/hw"
)

// charge is the energy of a command in counts of hw.PIMEnergy's constants. Its I/O depends on
// its size and is charged by bytes.
type charge struct {
	activate, precharge, column  float64 // banks
	macs                         float64
	broadcast, write, init, read float64
}

// newCharges lists the charges of a standard's commands, by Op. A refresh has none, since the
// channels are refreshed whether they work or not (Standby). A change of mode has none, since
// no energy of it is known. Where a standard names single banks, most commands are not for
// streams.
func (d *Device) newCharges(std *dram.Standard) ([]charge, error) {
	list := make([]charge, len(std.Ops))
	for i, o := range std.Ops {
		switch d.ops.roles[i] {
		case openRole:
			list[i].activate = float64(d.opened)
		case compRole:
			list[i].column, list[i].macs, list[i].broadcast = float64(d.units), float64(d.products()), 1
		case hostRole:
			list[i].activate = 1
		case enterRole: // one bank from SB to AB, all of them back: as often the one as the other
			list[i].activate = float64(1+d.banks) / 2
		case gatherRole, writeRole, registerRole:
			list[i].write = 1
		case initRole:
			list[i].init = 1
		case readRole:
			list[i].read = 1
		default:
			if o.Closes {
				list[i].precharge = float64(d.banks)
			} else if std.Banks == nil && (std.Refresh == nil || dram.Op(i) != std.Refresh.Do) {
				return nil, fmt.Errorf("command %s of standard %s: its energy is not known", o.Name, std.Name)
			}
		}
	}
	return list, nil
}

// energy is the energy of a cost's commands, bytes and busy channels.
func (d *Device) energy(c *device.Cost) (l device.Ledger) {
	e := &d.m.Energy
	for i, n := range c.Commands {
		ch, n := d.charges[i], float64(n.N)
		add := func(p device.Part, constant hw.Range, each float64) { l[p] = l[p].Plus(device.Of(constant, n*each)) }
		add(device.PIMActivate, e.Activate, ch.activate)
		add(device.PIMActivate, e.Precharge, ch.precharge)
		add(device.PIMColumnRead, e.ColumnRead, ch.column)
		add(device.PIMMAC, e.MAC, ch.macs)
		add(device.PIMBuffer, e.Broadcast, ch.broadcast)
		add(device.PIMBuffer, e.Write, ch.write)
		add(device.PIMBuffer, e.Init, ch.init)
		add(device.PIMBuffer, e.Read, ch.read)
	}
	l[device.PIMIO] = device.Of(e.IO, 8*float64(c.Bytes))
	busy := 0.0
	for _, t := range c.Lanes {
		busy += t.NS()
	}
	l[device.PIMActive] = device.Of(e.Active, busy)
	return l
}

// leastEnergy is a lower bound on the energy of a mapping whose channels do so much work: its commands but for those that close rows and change modes, its bytes,
// and channels that are busy for no longer than multiplications take.
func (d *Device) leastEnergy(w *work) float64 {
	e := &d.m.Energy
	of := func(n int64, ops []dram.Op) float64 {
		least := math.Inf(1)
		for _, o := range ops {
			ch := &d.charges[o]
			least = min(least, e.Activate.Value*ch.activate+e.ColumnRead.Value*ch.column+e.MAC.Value*ch.macs+e.Broadcast.Value*ch.broadcast+
				e.Write.Value*ch.write+e.Init.Value*ch.init+e.Read.Value*ch.read)
		}
		if n == 0 {
			return 0
		}
		return float64(n) * least
	}
	o := d.ops
	return of(w.writes, o.Write) + of(w.acts, o.Open) + of(w.comps, o.Comp) + of(w.inits, o.Init) + of(w.reads, []dram.Op{o.Read}) +
		e.IO.Value*8*float64(w.moved*int64(d.element)+w.reads*int64(d.results*(d.sum-d.element))) +
		e.Active.Value*device.Time(d.m.Clock.PS(d.leastBusy(w))).NS()
}

// leastBusy is a lower bound on the cycles of all channels together: rows are opened one after the other, and what is multiplied or read
// in one is done before the next. A channel has at least one visit to a row.
func (d *Device) leastBusy(w *work) int64 {
	t := &d.pace
	return w.comps*t.comp + max(w.reads-w.visits, 0)*t.read + max(w.visits-int64(d.channels), 0)*max(t.close+t.shut+t.open-t.comp, 0)
}

// Standby is the power that the computing channels of a machine draw whether they work or not,
// refresh included, in pJ a nanosecond. A machine pays for them also where a plan leaves them
// to the GPU.
func Standby(m *hw.Machine) (l device.Ledger, err error) {
	if m.Memory.PIMChannels == 0 {
		return l, nil
	}
	p := &m.PIM
	std, err := Standard(m)
	if err != nil {
		return l, err
	}
	timing := dram.Timing(p.Timing)
	if _, err := std.New(timing); err != nil {
		return l, fmt.Errorf("machine %s: pim.timing: %w", m.Name, err)
	}
	channels := float64(m.Memory.PIMChannels)
	l[device.PIMStandby] = device.Of(p.Energy.Standby, channels)
	if std.Refresh != nil {
		if ck := std.Rules(timing).Interval; ck > 0 { // otherwise never
			l[device.PIMRefresh] = device.Of(p.Energy.Refresh, channels/(float64(ck)*p.Clock.Picoseconds()/1e3))
		}
	}
	return l, nil
}
