package bound

import (
	"context"
	"math/rand/v2"
	"testing"

	"pimflow/internal/candidate"
	"pimflow/internal/device"
	"pimflow/internal/fake"
	"pimflow/internal/plan"
)

// TestDivisions: the divisions of the bound's own minimum are partitions of the gates in at most two tiles that the store has costed, and where a
// chain has nothing but gates their schedule is no sooner than the bound and often takes exactly that. A node that is kept from
// the PIM, and a plan that is known to be as fast, have none.
func TestDivisions(t *testing.T) {
	equal := 0
	for seed := range uint64(40) {
		random := rand.New(rand.NewPCG(seed, 3))
		g := fake.Chain(2+random.IntN(4), 2+random.IntN(5))
		s := candidate.NewStore(g, []device.Device{
			&fake.Stairs{Called: plan.GPU, Seed: seed, Launch: 5}, &fake.Stairs{Called: plan.PIM, Seed: seed + 100, Launch: 5, Fusible: true},
		})
		s.Launch.Fuses = seed%2 == 1
		costAll(s)
		o := Options{Histories: 8}
		list := Divisions(context.Background(), s, o)
		if len(list) != len(s.Order) {
			t.Fatalf("seed %d: %d divisions of %d nodes", seed, len(list), len(s.Order))
		}
		for i, p := range list {
			if p == nil || len(p.Tiles) > 2 || p.Tiles[0].Pos != i {
				t.Fatalf("seed %d: node %d: %v", seed, i, p)
			}
		}
		_, two := Of(context.Background(), s, nil, o)
		total := (&candidate.Scheduler{Store: s}).Schedule(0, list).Time
		if total < two {
			t.Errorf("seed %d: %v, the bound is %v", seed, total, two)
		}
		if total == two {
			equal++
		}
		if list := Divisions(context.Background(), s, Options{Histories: 8, Below: two}); list != nil {
			t.Errorf("seed %d: divisions of a plan faster than the bound", seed)
		}
		s.Evict(0)
		for i, p := range Divisions(context.Background(), s, o) {
			if p != nil && i == 0 && p.OnPIM() {
				t.Errorf("seed %d: a node on the PIM that is kept from it", seed)
			}
		}
	}
	if equal < 10 {
		t.Errorf("%d schedules take as long as the bound", equal)
	}
}
