package candidate

import (
	"slices"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/fake"
	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/tensor"
)

// on are the nodes of a store whole on given lanes.
func on(s *Store, lanes ...int) (parts []*Partition) {
	for i, lane := range lanes {
		parts = append(parts, NewPartition(s.Whole(i, lane)))
	}
	return parts
}

// TestLaunch: the launch model's three questions.
func TestLaunch(t *testing.T) {
	s := NewStore(fake.Branches(2, []int{-1}, []int{0}, []int{1}, []int{2}), fake.Pair(7, func(pim bool, k int, box tensor.Box) device.Time {
		return device.Time(10 * (k + 1) * box[plan.Rows].Len())
	}))
	gpu, pim := s.Whole(0, 0), s.Whole(1, 1)
	late := *pim.Costed
	late.Time += 5
	slow := &Tile{Costed: &late}
	each, joint := LaunchOf(plan.Each), LaunchOf(plan.Fused)
	for _, c := range []struct {
		what      string
		got, want device.Time
	}{
		{"a GPU tile that follows", joint.Marginal(gpu, true), 20},
		{"a PIM tile with a launch", joint.Marginal(pim, false), 47},
		{"a fused PIM tile", joint.Marginal(pim, true), 40},
		{"a PIM tile under plan.Each", each.Marginal(pim, true), 47},
		{"least", pim.Least(), 40},
		{"least launch", joint.Certain([]*Tile{gpu, slow, pim, slow}), 7},
		{"no launch of the PIM", joint.Certain([]*Tile{gpu}), 0},
		{"nothing is fused", each.Certain([]*Tile{pim}), 0},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d, want %d", c.what, c.got, c.want)
		}
	}
	all := NewPartition(pim)
	if joint.Last(all) != 1 || each.Last(all) != 0 || joint.Last(NewPartition(gpu)) != 0 || joint.Last(s.Cut(0, plan.Rows, []int{1, 2}, []int{0, 1})) != 0 {
		t.Error("the launch of a node wholly on the PIM can be shared, and no other")
	}
	one, two := s.NewWindow(1, []*Partition{all}, all.Tiles), s.NewWindow(1, on(s, 0, 1, 1)[1:], []*Tile{pim, s.Whole(2, 1)})
	if joint.After(one, 1) != 40 || joint.After(one, 0) != 47 || joint.After(two, 1) != two.Time {
		t.Errorf("after the PIM %d, after the GPU %d, two nodes %d of %d", joint.After(one, 1), joint.After(one, 0), joint.After(two, 1), two.Time)
	}
	if joint.Alone(all) != 40 || each.Alone(all) != 47 {
		t.Errorf("alone %d and %d", joint.Alone(all), each.Alone(all))
	}
	// PIM, PIM (fused), GPU, PIM (which waits for the GPU).
	var st State
	var seen program.VectorClock
	var ends []device.Time
	for i, lane := range []int{1, 1, 0, 1} {
		var end device.Time
		ready := device.Time(0)
		if i > 0 {
			ready = ends[i-1]
		}
		end, seen = st.Place(joint, s.Whole(i, lane), ready, seen)
		ends = append(ends, end)
	}
	if want := []device.Time{27, 67, 127, 214}; !slices.Equal(ends, want) {
		t.Errorf("%v, want %v", ends, want)
	}
	s.Launch = joint
	if w := (&Scheduler{Store: s}).Schedule(0, on(s, 1, 1, 0, 1)); w.Time != 214 || !slices.Equal(w.Fused, []bool{false, true, false, false}) {
		t.Errorf("a program takes %d, fused %v", w.Time, w.Fused)
	}
	s.Launch = each
	if w := (&Scheduler{Store: s}).Schedule(0, on(s, 1, 1, 0, 1)); w.Time != 221 || slices.Contains(w.Fused, true) {
		t.Errorf("a program without fusing takes %d, fused %v", w.Time, w.Fused)
	}
}

func sum(list []device.Time) (s device.Time) {
	for _, t := range list {
		s += t
	}
	return s
}

// TestScheduler: the tile that can start first is next; of several, the one with the longest
// critical path.
func TestScheduler(t *testing.T) {
	for _, c := range []struct {
		what   string
		inputs [][]int
		lanes  []int
		times  []device.Time
		end    device.Time
	}{
		// Of nodes 0 and 1, both ready on the GPU, the second has node 2 on the PIM behind it.
		{"ties by critical path", [][]int{{-1}, {-1}, {1}}, []int{0, 0, 1}, []device.Time{10, 10, 50}, 60},
		// Node 2, on the GPU, is behind 5 on the PIM and has the longest path; node 0 is ready.
		{"earliest start first", [][]int{{-1}, {-1}, {1}}, []int{0, 1, 0}, []device.Time{10, 5, 50}, 60},
		// Node 2 becomes ready later than node 3 and is known earlier.
		{"known is not ready", [][]int{{-1}, {-1}, {1}, {0}}, []int{0, 1, 0, 0}, []device.Time{10, 50, 10, 10}, 60},
		// On the GPU node 0, then node 3 while node 1 is on the PIM, then node 2.
		// Node 2 reads a node of 10 and a node of 50: node 3, not as long, goes before it.
		{"ready with the last", [][]int{{-1}, {-1}, {0, 1}, {-1}}, []int{0, 1, 1, 1}, []device.Time{50, 10, 30, 20}, 80},
		{"two devices", [][]int{{-1}, {0}, {1}, {-1}}, []int{0, 1, 0, 0}, []device.Time{10, 20, 30, 15}, 60},
	} {
		s := NewStore(fake.Branches(2, c.inputs...), fake.Pair(0, func(_ bool, k int, _ tensor.Box) device.Time { return c.times[k] }))
		k := &Scheduler{Store: s}
		w := k.Schedule(0, on(s, c.lanes...))
		if w.Time != c.end {
			t.Errorf("%s: makespan %d, want %d", c.what, w.Time, c.end)
		}
		if want := float64(len(c.lanes)); w.Energy != want || w.Busy[0]+w.Busy[1] != sum(c.times) {
			t.Errorf("%s: %v pJ and busy for %v, want %v and %v", c.what, w.Energy, w.Busy, want, sum(c.times))
		}
		preds := k.Predecessors(0, w.Partitions)
		if list := (&Scheduler{Store: s}).List(w.Partitions, preds); !slices.Equal(list, w.Tiles) {
			t.Errorf("%s: a list of %d tiles, of another order than the schedule", c.what, len(list))
		}
		if e := k.Evaluate(w, preds, w.Tiles); e.Time != w.Time || e.Completion != w.Completion || e.Energy != w.Energy {
			t.Errorf("%s: evaluated as %d, %v, %v; timed as %d, %v, %v", c.what, e.Time, e.Completion, e.Energy, w.Time, w.Completion, w.Energy)
		}
		o := Linear{Time: 1}
		if k.ScheduleBelow(0, w.Partitions, preds, o, o.Cost(w)) != nil || k.ScheduleBelow(0, w.Partitions, preds, o, o.Cost(w)*1.001) == nil {
			t.Errorf("%s: the limit is not a strict one", c.what)
		}
	}
}

// TestSplit: a window is cut at its barriers alone, and not between fused launches.
func TestSplit(t *testing.T) {
	for _, c := range []struct {
		what    string
		inputs  [][]int
		lanes   []int
		windows []int // how many nodes each has
	}{
		{"a chain", [][]int{{-1}, {0}, {1}}, []int{0, 1, 0}, []int{1, 1, 1}},
		{"side by side", [][]int{{-1}, {0}, {0}, {1, 2}}, []int{0, 0, 1, 0}, []int{1, 2, 1}},
		{"fused", [][]int{{-1}, {0}, {1}, {2}}, []int{0, 1, 1, 0}, []int{1, 2, 1}},
	} {
		s := NewStore(fake.Branches(2, c.inputs...), fake.Pair(3, func(bool, int, tensor.Box) device.Time { return 10 }))
		s.Launch.Fuses = true
		w := (&Scheduler{Store: s}).Schedule(0, on(s, c.lanes...))
		var got []int
		sum := device.Time(0)
		parts := s.Split(w)
		for _, p := range parts {
			got, sum = append(got, len(p.Partitions)), sum+p.Time
		}
		if !slices.Equal(got, c.windows) || sum != w.Time {
			t.Errorf("%s: windows of %v nodes, %d of %d; want %v", c.what, got, sum, w.Time, c.windows)
		}
		if m := s.Merge(parts); m.Time != w.Time || !slices.Equal(m.Tiles, w.Tiles) {
			t.Errorf("%s: merged again, %d of %d", c.what, m.Time, w.Time)
		}
	}
}

// TestDimensions: for each dimension that may be cut there is a node that gains only there.
func TestDimensions(t *testing.T) {
	for dim := range plan.Rows + 1 {
		b := graph.NewBuilder("one")
		y, err := b.Op("", "Relu", nil, b.Input("x", tensor.Float32, tensor.Shape{2, 2, 2, 2}))
		if err != nil {
			t.Fatal(err)
		}
		b.Output("y", y)
		g, err := b.Graph()
		if err != nil {
			t.Fatal(err)
		}
		s := NewStore(g, fake.Pair(0, func(_ bool, _ int, box tensor.Box) device.Time {
			switch {
			case box.Size() == 16:
				return 100
			case box[dim].Len() == 1:
				return 60
			}
			return 1000
		}))
		o := Linear{Time: 1}
		if best := s.Choices(0, o)[0]; best.Dim() != dim || o.Alone(best) != 60 {
			t.Errorf("dimension %d: %v takes %v", dim, best, o.Alone(best))
		}
		if best := s.InTwo(0, o)[0]; best.Dim() != dim || o.Alone(best) != 60 {
			t.Errorf("dimension %d: of all partitions %v takes %v", dim, best, o.Alone(best))
		}
		if n := s.CountInTwo(); n != 2+3*4 {
			t.Errorf("%v partitions in two", n)
		}
	}
}

// TestChoices: the best split point of many is found where times are proportional, whichever device
// is first; of partitions in two only those are kept that no other dominates.
func TestChoices(t *testing.T) {
	const rows = 997
	for _, first := range []int{0, 1} {
		for ratio := device.Time(2); ratio < 7; ratio++ {
			s := NewStore(fake.Chain(1, rows), fake.Pair(0, func(pim bool, _ int, box tensor.Box) device.Time {
				n := device.Time(box[plan.Rows].Len())
				if mine := (box[plan.Rows].Lo == 0) == (pim == (first == 1)); !mine && n < rows {
					return 100 * n // the other order of devices
				}
				if pim {
					return ratio * n
				}
				return n
			}))
			want := device.Time(rows)
			for n := device.Time(1); n < rows; n++ {
				want = min(want, max(n, ratio*(rows-n)))
			}
			list := s.Choices(0, Linear{Time: 1})
			if best := list[0]; best.Tiles[0].Lane != first || max(best.Busy[0], best.Busy[1]) != want {
				t.Errorf("first on %d, ratio %d: %v busy for %v, want %d", first, ratio, best, best.Busy, want)
			}
			if n := len(list); n > 2+2*(maxFront+2) {
				t.Errorf("%d choices", n)
			}
		}
	}
	var list, want []*Partition
	for _, b := range [][3]device.Time{{5, 5, 1}, {4, 8, 1}, {6, 5, 0}, {7, 4, 1}, {4, 9, 0}, {8, 4, 0}} {
		p := &Partition{Busy: [Lanes]device.Time{b[0], b[1]}}
		if list = append(list, p); b[2] == 1 {
			want = append(want, p)
		}
	}
	slices.SortFunc(want, func(a, b *Partition) int { return int(a.Busy[0] - b.Busy[0]) })
	if got := front(list); !slices.Equal(got, want) {
		t.Errorf("%d partitions in the front", len(got))
	}
	// Of a hundred, those on both sides of the balance are kept whatever the spacing.
	for even := 30; even < 70; even++ {
		list = nil
		for k := range 100 {
			list = append(list, &Partition{Busy: [Lanes]device.Time{device.Time(100 + k), device.Time(100 + 2*even - k)}})
		}
		got := front(slices.Clone(list))
		if len(got) > maxFront+2 || !slices.Contains(got, list[even]) || !slices.Contains(got, list[even-1]) {
			t.Errorf("of a front balanced at %d %d are kept, and not both there", even, len(got))
		}
	}
	if got := points(0, 8, 7); !slices.Equal(got, []int{1, 2, 3, 4, 5, 6, 7}) {
		t.Errorf("points %v", got)
	}
	if got := points(100, 180, 7); !slices.Equal(got, []int{110, 120, 130, 140, 150, 160, 170}) {
		t.Errorf("points %v", got)
	}
}

// TestLinear: the linear objective adds up; ties are told apart by device time, then by completion.
func TestLinear(t *testing.T) {
	o := Linear{Time: 2, Energy: 3}
	if v := o.Of(10, 5); v != 35 {
		t.Errorf("%v", v)
	}
	a := &Window{Time: 10, Energy: 5}
	if v := o.Sum([]*Window{a, a}); v != 70 {
		t.Errorf("sum %v", v)
	}
	busier, later := &Window{Time: 10, Energy: 5, Busy: [Lanes]device.Time{3, 4}}, &Window{Time: 10, Energy: 5, Completion: 7}
	if !(o.Cost(a) < o.Cost(busier) && o.Cost(busier) < o.Cost(later) && o.Cost(later) < o.Of(11, 5)) {
		t.Errorf("costs %v %v %v", o.Cost(a), o.Cost(busier), o.Cost(later))
	}
	p := &Partition{Busy: [Lanes]device.Time{10, 20}, Energy: 5}
	if v := o.Alone(p); v != 55 {
		t.Errorf("alone %v", v)
	}
}

// TestWindowOf: the window of a plan's segment has the segment's tiles, cut where they are cut. There is none
// where a device does not execute a tile.
func TestWindowOf(t *testing.T) {
	const rows = 6
	s := NewStore(fake.Chain(2, rows), fake.Pair(0, func(pim bool, k int, box tensor.Box) device.Time {
		if n := device.Time(box[plan.Rows].Len()); !pim || k == 0 {
			return 10 * n
		}
		return 0
	}))
	part := func(node graph.ID, dev string, lo, hi int) plan.Tile {
		c := s.Graph.Whole(node)
		c.Box = c.Box.With(plan.Rows, tensor.Range{Lo: lo, Hi: hi})
		return plan.Tile{Cut: c, Device: dev}
	}
	list := []plan.Tile{part(1, plan.PIM, 2, rows), part(1, plan.GPU, 0, 2), part(2, plan.GPU, 0, rows)}
	w := s.WindowOf(0, plan.Segment{Tiles: list})
	if w == nil || len(w.Tiles) != 3 || len(w.Partitions) != 2 {
		t.Fatalf("%+v", w)
	}
	for i, p := range w.Tiles {
		r := list[i].Box[plan.Rows]
		if p.Device != list[i].Device || p.Node != list[i].Node || !slices.Equal(p.Box, list[i].Box) || p.Least() != 10*device.Time(r.Len()) {
			t.Errorf("tile %d is %v for %v: %v wanted", i, p.Tile(), p.Least(), list[i])
		}
	}
	if first := w.Partitions[0].Tiles; first[0].Hi != 2 || first[1].Lo != 2 || w.Partitions[1].Tiles[0].Dim != Uncut {
		t.Errorf("partitions %v and %v", w.Partitions[0], w.Partitions[1])
	}
	if w := s.WindowOf(0, plan.Segment{Tiles: []plan.Tile{part(2, plan.PIM, 0, rows)}}); w != nil {
		t.Errorf("%+v of a tile that the PIM does not execute", w)
	}
}

// TestReads: a tile takes what its need boxes say.
func TestReads(t *testing.T) {
	b := graph.NewBuilder("conv")
	x := b.Input("x", tensor.Float32, tensor.Shape{1, 1, 8, 1})
	conv := func(x graph.ID) graph.ID {
		w := b.Const("", tensor.New(tensor.Float32, tensor.Shape{1, 1, 3, 1}))
		y, err := b.Op("", "Conv", op.Attrs{"kernel_shape": []int64{3, 1}, "strides": []int64{1, 1}, "dilations": []int64{1, 1}, "pads": []int64{1, 0, 1, 0}, "group": int64(1)}, x, w)
		if err != nil {
			t.Fatal(err)
		}
		return y
	}
	b.Output("y", conv(conv(x)))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	s := NewStore(g, []device.Device{&fake.Func{Called: plan.GPU, Of: func(graph.Cut) (device.Cost, bool) { return device.Cost{Time: 1}, true }}})
	rows := func(i, lo, hi int) *Tile { return s.Tile(i, Span{Dim: plan.Rows, Range: tensor.Range{Lo: lo, Hi: hi}}) }
	for _, c := range []struct {
		lo, hi int // of the reader
		want   bool
	}{{0, 3, false}, {0, 4, true}, {4, 8, true}, {5, 8, true}, {7, 8, false}} {
		if got := s.Uses(rows(1, c.lo, c.hi), rows(0, 4, 5)); got != c.want {
			t.Errorf("rows %d to %d read row 4: %v", c.lo, c.hi, got)
		}
	}
	if s.Uses(rows(1, 5, 8), rows(0, 4, 5)) != s.Uses(rows(1, 5, 8), s.Whole(0, 0)) {
		t.Error("a whole value is read by all")
	}
	if n := len(s.Costed(1)); n != 5 || !s.Complete() {
		t.Errorf("%d tiles costed", n)
	}
}
