package pim

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pimflow/internal/tensor"
)

// thorough is expand that leaves out no estimate by the link or by the last channel, and estimates each channel.
func thorough(s *columnSearch) func(t *tiling) {
	return func(t *tiling) {
		var all []option
		for _, o := range slices.Clone(s.share(t.parts)) {
			if o.teams > 0 && !s.gains(t) {
				break
			}
			for _, o.fold = range slices.Clone(s.fold(t.parts)) {
				s.boxes(t, &o)
				o.bound = math.MaxInt64
				for _, f := range s.flow(t, &o) {
					o.bound = min(o.bound, s.bound(t, &o, &f))
				}
				if max(o.boxes[0].cycles, o.boxes[1].cycles) < s.limit {
					all = append(all, o)
				}
			}
		}
		slices.SortStableFunc(all, func(a, b option) int { return cmp.Compare(a.bound, b.bound) })
		shares := make([]share, s.d.channels)
		for i := range all {
			o := &all[i]
			w := way{scheme: s.columns, layer: t.layer, merge: t.merge, teams: o.teams, parts: refold(t.parts, o.fold)}
			if o.used < s.d.channels {
				w.used = o.used
			}
			w.assign(shares)
			for _, f := range slices.Clone(s.flow(t, o)) {
				if s.bound(t, o, &f) >= s.limit {
					continue
				}
				p := candidate{way: w, estimate: estimate{timely: true}}
				for i := range p.parts {
					f.rowGroups = p.parts[i].rowGroups
					p.parts[i].dataflow = f
				}
				for _, sh := range shares {
					k := s.newKind(sh)
					p.estimate = p.with(s.estimateKind(&k))
				}
				s.d.afterLink(&p)
				if p.timely && p.cycles < s.limit && p.rows <= s.d.rows {
					p.parts = slices.Clone(p.parts)
					s.list, s.limit = append(s.list, p), min(s.limit, int64(float64(p.cycles)*(1+slack)))
				}
			}
		}
	}
}

// TestFewerEstimates: the candidates of drawn layers are those of a search that estimates all channels of all mappings.
func TestFewerEstimates(t *testing.T) {
	draws := 40
	if *long {
		draws = 1000
	}
	r := rand.New(rand.NewPCG(1, 2))
	shown := func(list []candidate) (all []string) {
		for i := range list {
			p := &list[i]
			text := fmt.Sprint(p.estimate, p.teams, p.used, p.merge, p.layer.byTap)
			for _, q := range p.parts {
				text += fmt.Sprint(q.k0, q.cols, q.chunks, q.fold, q.units, q.dataflow)
			}
			all = append(all, text)
		}
		return all
	}
	n, classes, linked := 0, 0, 0
	for range draws {
		m := machineOf(t, "newton")
		m.PIM.Timing = maps.Clone(m.PIM.Timing)
		m.PIM.Banks, m.PIM.Buffers, m.PIM.Timing["ccds_ck"] = 8<<r.IntN(3), 1+r.IntN(4), int64(2+r.IntN(7))
		m.Link.PerByte *= []float64{0, 1, 10, 100}[r.IntN(4)]
		dev, err := New(m, 1+r.IntN(20))
		if err != nil {
			t.Fatal(err)
		}
		d, l := dev.(*Device), smallSquare(r, "newton").layer(t)
		if r.IntN(5) == 0 {
			size := tensor.Shape{1, 1 + r.IntN(60), 1 + r.IntN(9), 1 + r.IntN(9)}
			x := transposed(t, r, size, 1+r.IntN(60), 1, []int64{3, 3}, []int64{2, 2}, []int64{1, 1}, []int64{0, 0}, []int64{0, 0, 0, 0}, false)
			if l, err = lower(x.g, x.g.Whole(x.id)); err != nil {
				t.Fatal(err)
			}
		}
		l = l.first()
		c := d.scheme.(*columns)
		every := d.newScratch()
		every.every = true
		got, _ := c.candidates(l, every)
		room := d.newScratch()
		s := &columnSearch{columns: c, memory: room, limit: math.MaxInt64, columnRoom: &room.columns}
		s.tilings(l, thorough(s))
		for i := range got {
			n++
			if got[i].layer.byTap {
				classes++
			}
			if got[i].cycles == int64(d.link.cycles(got[i].moved*int64(d.element), d.m.Clock)) {
				linked++
			}
		}
		if a, b := shown(got), shown(s.list); !slices.Equal(a, b) {
			t.Errorf("%d channels, %+v:\n%q\n%q wanted", d.channels, m.PIM, a, b)
		}
	}
	t.Logf("%d candidates, %d by padding class, %d of the link's time", n, classes, linked)
	if classes == 0 || linked == 0 || max(classes, linked) == n {
		t.Errorf("%d candidates, %d by padding class, %d of the link's time: some of each wanted", n, classes, linked)
	}
}

// TestVisits: machines that differ in the number of channels share the times of visits, which change no candidate; others do not share them. Not
// all are kept.
func TestVisits(t *testing.T) {
	shared, l := &Visits{}, square{machine: "newton", channels: 1, in: 96, out: 40, size: 14, kernel: 3, group: 1}.layer(t).first()
	device := func(channels, buffers int, basic bool) *Device {
		m := machineOf(t, "newton")
		m.PIM.Buffers = buffers
		of := NewMappings(shared)
		made := of.New
		if basic {
			made = of.NewBasic
		}
		d, err := made(m, channels)
		if err != nil {
			t.Fatal(err)
		}
		return d.(*Device)
	}
	first := device(16, 4, false)
	first.scheme.candidates(l, first.newScratch())
	many := 0
	for i := range first.opens.places {
		if first.opens.places[i].Load() != nil {
			many++
		}
	}
	if many == 0 {
		t.Error("no times are kept")
	}
	for _, c := range []struct {
		channels, buffers int
		basic, same       bool
	}{{12, 4, false, true}, {16, 3, false, false}, {16, 4, true, false}} {
		d := device(c.channels, c.buffers, c.basic)
		if same := d.visitTimes == first.visitTimes; same != c.same {
			t.Errorf("%+v: shared is %v", c, same)
		}
		m := *d.m
		machine := machineOf(t, "newton")
		machine.PIM = m
		alone, err := (&Mappings{}).New(machine, c.channels)
		if c.basic {
			alone, err = (&Mappings{}).NewBasic(machine, c.channels)
		}
		if err != nil {
			t.Fatal(err)
		}
		got, _ := d.scheme.candidates(l, d.newScratch())
		want, _ := alone.(*Device).scheme.candidates(l, alone.(*Device).newScratch())
		if !slices.EqualFunc(got, want, func(a, b candidate) bool { return a.estimate == b.estimate && a.teams == b.teams }) {
			t.Errorf("%+v: candidates differ", c)
		}
	}
	m := machineOf(t, "newton")
	for m.PIM.Rows = range 3 * keptVisits {
		shared.at(m, false)
	}
	if n := len(shared.of); n > keptVisits {
		t.Errorf("%d are kept, at most %d wanted", n, keptVisits)
	}
}
