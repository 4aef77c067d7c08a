package pim

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestTeamKinds: the kinds of shares of teams are those of the shares of all channels, each with as many channels.
func TestTeamKinds(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 9))
	n, short := 0, 0
	for range 60 {
		c := smallSquare(r, "newton")
		c.channels, c.kernel = 1+r.IntN(30), 1
		d, l := c.device(t), c.layer(t).first()
		m := d.newScratch()
		s := &columnSearch{columns: d.scheme.(*columns), memory: m, limit: math.MaxInt64, columnRoom: &m.columns}
		blocks := l.blocks(1, d.lanes)
		ps := s.parts(blocks, 1+r.IntN(d.columns))
		for _, o := range d.shares(ps, nil) {
			if o.teams == 0 {
				continue
			}
			refold(ps, 1+r.IntN(ps[0].pixels))
			for i := range ps {
				ps[i].rowGroups = max(1, d.columns/ps[i].cols)
			}
			w := way{scheme: s.columns, layer: l, merge: 1, teams: o.teams, parts: ps, used: o.used}
			shares := make([]share, d.channels)
			w.assign(shares)
			s.kinds, s.loads = s.kinds[:0], s.loads[:0]
			s.kinds = append(s.kinds, s.newKind(shares[o.used-1]))
			if !s.addTeams(&w, o.used) {
				t.Fatalf("%+v: %v", c, &w)
			}
			busy := int64(0)
			for _, x := range shares {
				if len(x) > 0 {
					busy++
				}
			}
			for i := range s.kinds {
				k := &s.kinds[i]
				of := int64(0)
				for _, x := range shares {
					if k.share.alike(x) && len(x) > 0 {
						of++
					}
				}
				if busy -= of; of != k.channels || slices.ContainsFunc(s.kinds[:i], func(o shareKind) bool { return o.share.alike(k.share) }) {
					t.Errorf("%+v: %v: %d channels of kind %d, %d wanted", c, &w, k.channels, i, of)
				}
			}
			n++
			if p := &ps[0]; p.tail < p.fold && o.used < d.channels {
				short++
			}
			if busy != 0 {
				t.Errorf("%+v: %v: %d channels are of no kind", c, &w, busy)
			}
		}
	}
	if n < 100 || short < 20 {
		t.Errorf("%d ways to share out, %d of some channels with a short unit", n, short)
	}
}
