package pim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// drawnDevice is a device of a drawn machine. A slow link decides, a fast one does not.
func drawnDevice(t *testing.T, r *rand.Rand) *Device {
	name := []string{"newton", "newton", "aim", "lpddr5-aim", "artifact", "hbm-pim"}[r.IntN(6)]
	m := machineOf(t, name)
	m.Link.PerByte *= []float64{0, 1, 10, 100}[r.IntN(4)]
	if name == "newton" {
		m.PIM.Buffers, m.PIM.Timing["ccds_ck"] = 1+r.IntN(4), int64(2+r.IntN(7))
	}
	d, err := New(m, 1+r.IntN(24))
	if err != nil {
		t.Fatal(err)
	}
	if all, ok := d.(programmed); ok { // one for each program; the first multiply matrices
		d = all[r.IntN(2)]
	}
	return d.(*Device)
}

// TestBest: the mapping that is found without simulating those that certainly lose is the one of a comparison of all; some are not simulated.
// The energy of each is at least its bound, and an estimate moves what the mapping does.
func TestBest(t *testing.T) {
	draws := 80
	if *long {
		draws = 3000
	}
	r := rand.New(rand.NewPCG(3, 5))
	all, tied, near := 0, 0, 0
	for range draws {
		d := drawnDevice(t, r)
		c := smallSquare(r, "")
		if r.IntN(4) == 0 && c.kernel == 3 {
			c.group, c.out = c.in, c.in
		}
		l := c.layer(t).first()
		want, tried, err := d.choose(l, d.newScratch())
		if err != nil {
			t.Fatal(err)
		}
		got, err := d.best(l, d.newScratch())
		if err != nil {
			t.Fatal(err)
		}
		if a, b := mappingText(d, got), mappingText(d, want); a != b {
			t.Errorf("%v:\n%s\n%s wanted", c, a, b)
		}
		all += len(tried)
		if want.elapsed > want.slowest {
			tied++
		}
		if !d.traits.counted {
			continue
		}
		list, _ := d.scheme.candidates(l, d.newScratch())
		for i := range list {
			m := &mapping{way: list[i].way, shares: make([]share, d.channels)}
			m.assign(m.shares)
			m.count()
			energy, least := d.costOf(m).Energy.Total().Value, d.leastEnergy(&m.work)
			if least > energy || m.moved != list[i].moved || list[i].work != m.work && list[i].work != (work{}) {
				t.Errorf("%v %v: energy %g, at least %g; work %v, estimated %v", c, m, energy, least, m.work, list[i].work)
			}
			if least > 0.95*energy {
				near++
			}
		}
	}
	t.Logf("%d mappings, the link decides %d of %d layers, %d energies within 5 %% of their bounds", all, tied, draws, near)
	if tied < draws/10 || tied > draws/2 || near < all/2 {
		t.Errorf("%d mappings, the link decides %d of %d layers, %d energies within 5 %% of their bounds", all, tied, draws, near)
	}
}

// mappingText is all that a search learns of a mapping.
func mappingText(d *Device, m *mapping) string {
	x := *m
	x.shares = make([]share, d.channels)
	x.assign(x.shares)
	text := fmt.Sprint(&x, x.teams, x.used, x.merge, x.total, x.moved, x.slowest, x.elapsed, d.merged(&x))
	for i := range x.parts {
		p := &x.parts[i]
		text += fmt.Sprint(" ", p.k0, p.cols, p.chunks, p.fold, p.units, p.tail, p.row, p.dataflow)
	}
	return text + fmt.Sprintf(" %+v", d.cost(&x))
}

// TestTies: of mappings that the link takes as long for, most are not simulated, and the one with the least energy is found.
func TestTies(t *testing.T) {
	m := machineOf(t, "newton")
	m.Link.PerByte *= 10
	dev, err := New(m, 24)
	if err != nil {
		t.Fatal(err)
	}
	d := dev.(*Device)
	l := square{in: 32, out: 16, size: 28, kernel: 1, group: 1}.layer(t).first()
	list, _ := d.scheme.candidates(l, d.newScratch())
	clear(d.timed)
	best, err := d.best(l, d.newScratch())
	if err != nil {
		t.Fatal(err)
	}
	simulated := len(d.timed)
	clear(d.timed)
	if _, _, err := d.choose(l, d.newScratch()); err != nil {
		t.Fatal(err)
	}
	if len(list) < 20 || 2*simulated > len(d.timed) {
		t.Errorf("%d candidates, %d of %d streams are simulated", len(list), simulated, len(d.timed))
	}
	least := math.Inf(1)
	for i := range list {
		m := &mapping{way: list[i].way, shares: make([]share, d.channels)}
		m.assign(m.shares)
		m.count()
		least = min(least, d.costOf(m).Energy.Total().Value)
	}
	best.shares = make([]share, d.channels)
	best.assign(best.shares)
	if e := d.costOf(best).Energy.Total().Value; e != least {
		t.Errorf("%v takes %g pJ, %g the least", best, e, least)
	}
}

// TestAgain: a mapping is another's again where each channel has the same spans of parts that are equal, whatever they are called.
func TestAgain(t *testing.T) {
	d := square{machine: "newton", channels: 4}.device(t)
	l := square{in: 64, out: 32, size: 8, kernel: 1, group: 1}.layer(t).first()
	ps := d.scheme.(*columns).parts(l.blocks(1, d.lanes), 4)
	for i := range ps {
		ps[i].dataflow = dataflow{rowGroups: 1, fillUnits: 1, unitBuffers: 1, bufferColumns: d.buffer}
	}
	of := func(teams int, ps []part, place int) *mapping {
		m := &mapping{way: way{scheme: d.scheme, layer: l, merge: 1, teams: teams, parts: ps}, shares: make([]share, 4), place: place}
		m.assign(m.shares)
		m.count()
		return m
	}
	double := func() []part {
		o := append([]part(nil), ps...)
		o[0].doubleBuffered = true
		return o
	}
	for _, c := range []struct {
		name string
		m    *mapping
		want bool
	}{
		{"teams of one channel", of(4, append([]part(nil), ps...), 1), true},
		{"teams of two channels", of(2, ps, 1), false},
		{"another dataflow", of(0, double(), 1), false},
		{"an earlier candidate", of(4, ps, -1), false},
	} {
		x := comparison{Device: d, best: of(0, ps, 0)}
		if got := x.again(c.m); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
