package candidate

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/fake"
	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/plan"
	"pimflow/internal/tensor"
)

// TestLimit: a schedule is dropped if its objective is not below a limit, and in no other case, whatever is known of it early.
func TestLimit(t *testing.T) {
	long := 0
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 11))
		g := fake.Wild(rng, 8, 1, 2, 4)
		s := NewStore(g, []device.Device{
			&fake.Hazard{Called: plan.GPU, Seed: seed, Slope: rng.IntN(30)},
			&fake.Hazard{Called: plan.PIM, Seed: seed + 1, Slope: rng.IntN(30), Fusible: seed%2 == 0},
		})
		s.Launch.Fuses = seed%4 < 2
		var parts []*Partition
		for i := range s.Order {
			list := s.Choices(i, Linear{Time: 1})
			parts = append(parts, list[rng.IntN(len(list))])
		}
		k := &Scheduler{Store: s}
		w, preds, o := k.Schedule(0, parts), k.Predecessors(0, parts), Linear{Time: rng.Float64() + 1e-3, Energy: rng.Float64()}
		v := o.Cost(w)
		if k.ScheduleBelow(0, parts, preds, o, v) != nil {
			t.Fatalf("seed %d: a schedule of %v is below that", seed, v)
		}
		if again := k.ScheduleBelow(0, parts, preds, o, v*(1+1e-9)+1e-9); again == nil || again.Time != w.Time {
			t.Fatalf("seed %d: %v, %v without a limit just above", seed, again, w.Time)
		}
		if len(w.Tiles) > len(parts) && w.Busy[0] > 0 && w.Busy[1] > 0 {
			long++
		}
	}
	if long < 100 {
		t.Errorf("%d schedules of cut nodes on two devices", long)
	}
}

// TestNeeds: what a tile reads by each input is what its graph says, of a node with many inputs too; nil where no operation makes
// it or the tile reads nothing of it. How far a reader reads is what the plan says.
func TestNeeds(t *testing.T) {
	b := graph.NewBuilder("needs")
	x := b.Input("x", tensor.Float32, tensor.Shape{1, 2, 6, 6})
	add := func(kind string, a op.Attrs, in ...graph.ID) graph.ID {
		id, err := b.Op("", kind, a, in...)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	in := []graph.ID{x}
	for k := range 12 {
		y := add("Relu", nil, in[k/3*2%len(in)])
		in = append(in, y)
		if k%4 == 3 {
			in = append(in, add("Concat", op.Attrs{"axis": int64(1)}, y, x, y))
		}
	}
	in = append(in, add("Add", nil, in[1], in[2]), add("MatMul", nil, in[1], in[1]), in[3], x)
	b.Output("y", add("Concat", op.Attrs{"axis": int64(1)}, in...))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	s := NewStore(g, fake.Pair(0, func(bool, int, tensor.Box) device.Time { return 1 }))
	compared, none := 0, 0
	for i, id := range s.Order {
		for _, dim := range s.Dims(i) {
			n := s.Node(i).Shape[dim]
			for lo := range n {
				hi := lo + 1 + (lo*7)%(n-lo)
				p := s.Tile(i, Span{Lane: lo % 2, Dim: dim, Range: tensor.Range{Lo: lo, Hi: hi}})
				for k, want := range g.Need(p.Tile().Cut) {
					if s.Pos[s.Node(i).In[k]] < 0 || want.Empty() {
						want = nil
						none++
					}
					if compared++; (p.Need(k) == nil) != (want == nil) || !p.Need(k).Equal(want) {
						t.Fatalf("%%%d %v reads %v by input %d, by its graph %v", id, p.Box, p.Need(k), k, want)
					}
				}
				for _, r := range s.Reads[i] {
					x := s.Order[r.Pos]
					if got, want := s.Reach(id, x, dim, hi), plan.Reach(g, id, x, dim, hi); got != want {
						t.Fatalf("the first %d of %%%d read %%%d up to %d, by the plan %d", hi, id, x, got, want)
					}
				}
			}
		}
	}
	if compared < 500 || none < 100 || none > compared/2+compared/4 {
		t.Errorf("%d needs compared, %d of nothing", compared, none)
	}
}

// formed is a device that knows which nodes cost the same.
type formed struct{ device.Device }

func (formed) Form(g *graph.Graph, id graph.ID) string { return g.Form(id) }

// TestRepeat: what is asked of nodes, and what another lists and joins, counts as asked of the nodes alike further on.
func TestRepeat(t *testing.T) {
	pair := fake.Pair(0, func(bool, int, tensor.Box) device.Time { return 1 })
	s := NewStore(fake.Chain(6, 8), []device.Device{formed{pair[0]}, formed{pair[1]}})
	row := func(at int) Span { return Span{Dim: plan.Rows, Range: tensor.Range{Lo: at, Hi: at + 1}} }
	a, few := s.Ask(1, 2), s.List()
	few.Tile(1, row(2))
	few.Tile(2, row(3))
	a.Tile(2, row(4))
	a.Join(few)
	a.Repeat(3)
	for i, want := range [][]int{{}, {2}, {3, 4}, {}, {2}, {3, 4}} {
		var got []int
		for _, p := range s.Costed(i) {
			got = append(got, p.Lo)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("node %d is asked for rows %v, want %v", i, got, want)
		}
	}
}
