package search

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/run"
	"pimflow/internal/tensor"
)

// stairs is a device whose times are stairs of the size of a piece, with steps and a
// launch of its own for each node, and a little noise.
type stairs struct {
	name   string
	seed   uint64
	launch device.Time
	joint  bool            // it can be launched with what is before
	only   map[string]bool // operators it executes; nil: all
}

type step struct{ c device.Cost }

func (d *stairs) Name() string { return d.name }
func (d *stairs) Compile(g *graph.Graph, c graph.Cut) (device.Code, error) {
	nd := &g.Nodes[c.Node]
	if d.only != nil && !d.only[nd.Op.Name] {
		return nil, fmt.Errorf("%s: %w", nd.Op.Name, device.ErrUnsupported)
	}
	h := fnv.New64a()
	fmt.Fprint(h, d.seed, c.Node)
	r := rand.New(rand.NewPCG(h.Sum64(), 1))
	tread, rise := 1+r.IntN(5), 1+r.IntN(9)
	fmt.Fprint(h, c.Box)
	noise := rand.New(rand.NewPCG(h.Sum64(), 2)).IntN(3)
	t := d.launch + device.Time((c.Box.Size()+tread-1)/tread*rise+noise)
	joint := device.Time(0)
	if d.joint {
		joint = d.launch
	}
	return step{device.Cost{Time: t, Launch: d.launch, Joint: joint, Energy: device.Ledger{device.GPUMAC: {Value: float64(1 + r.IntN(20) + noise)}}}}, nil
}
func (s step) Cost() device.Cost                           { return s.c }
func (s step) Eval([]*tensor.Tensor, *tensor.Tensor) error { return nil }
func (s step) Print(io.Writer) error                       { return nil }

// synthetic is a machine of stairs, the same with any number of PIM channels.
func synthetic(seed uint64, launch device.Time) Target {
	gpu := &stairs{name: plan.GPU, seed: seed, launch: launch}
	pim := &stairs{name: plan.PIM, seed: seed + 1000, launch: launch, joint: launch > 0, only: map[string]bool{"Conv": true}}
	devices := Devices(func(n int, _ string) ([]device.Device, error) {
		if n == 0 {
			return []device.Device{gpu}, nil
		}
		return []device.Device{gpu, pim}, nil
	})
	standby := device.Ledger{device.GPUStandby: {Value: 5000, Low: 5000, High: 5000}}
	return Target{Machine: "stairs", PIMChannels: 1, Devices: devices.Memo(), Standby: standby}
}

// someGraph draws a graph of up to most operations over values of 1 x C x rows x 1:
// chains, and where an operation reads an older value diamonds and residuals.
func someGraph(rng *rand.Rand, most, channels, rows int) *graph.Graph {
	b := graph.NewBuilder("some")
	values := []graph.ID{b.Input("x", tensor.Float32, tensor.Shape{1, channels, rows, 1})}
	add := func(name string, a op.Attrs, in ...graph.ID) bool {
		id, err := b.Op("", name, a, in...)
		if err == nil {
			values = append(values, id)
		}
		return err == nil
	}
	n := 1 + rng.IntN(most)
	for len(values) <= n {
		x := values[len(values)-1]
		old := values[rng.IntN(len(values))]
		if rng.IntN(4) == 0 {
			x = old
		}
		c := b.Peek().Nodes[x].Shape[1]
		switch rng.IntN(6) {
		case 0:
			add("Relu", nil, x)
		case 1:
			add("Add", nil, x, old)
		case 2:
			if rows == 1 || c > channels || !add("GlobalAveragePool", nil, x) {
				continue
			}
			if len(values) <= n { // what it scales
				add("Mul", nil, x, values[len(values)-1])
			}
		default:
			k, group := []int64{1, 3}[rng.IntN(2)], []int{1, c}[rng.IntN(2)]
			w := b.Const("", tensor.New(tensor.Float32, tensor.Shape{c, c / group, int(k), 1}))
			add("Conv", op.Attrs{"kernel_shape": []int64{k, 1}, "strides": []int64{1, 1}, "dilations": []int64{1, 1},
				"pads": []int64{(k - 1) / 2, 0, (k - 1) / 2, 0}, "group": int64(group)}, x, w)
		}
	}
	b.Output("y", values[len(values)-1])
	g, err := b.Graph()
	if err != nil {
		panic(err)
	}
	return g
}

// brute is the best objective of all plans in which each node is whole or in two
// pieces, in all orders, found by trying each. The time of an order is followed piece
// by piece, as run.Time defines it, with launches that are joint as program.Join does;
// that of the best is run.Time's.
func brute(t *testing.T, g *graph.Graph, to Target) float64 {
	s := newSearch(g, to)
	ds, err := to.Devices(1, plan.Extended)
	if err != nil {
		t.Fatal(err)
	}
	var ways [][][]plan.Tile
	for _, id := range s.order {
		var list [][]plan.Tile
		add := func(seg plan.Segment) {
			if _, err := program.Part(g, []plan.Segment{seg}, ds, nil); err == nil {
				list = append(list, seg.Tiles)
			}
		}
		for _, d := range ds {
			add(plan.Whole(g, id, d.Name()))
			for _, e := range ds {
				for dim, n := range g.Nodes[id].Shape {
					for at := 1; at < n; at++ {
						if seg, ok := plan.Split(g, id, dim, at, d.Name(), e.Name()); ok {
							add(seg)
						}
					}
				}
			}
		}
		ways = append(ways, list)
	}
	best := -1.0
	var choose func(tiles []plan.Tile, i int)
	choose = func(tiles []plan.Tile, i int) {
		if i < len(ways) {
			for _, w := range ways[i] {
				choose(append(tiles[:len(tiles):len(tiles)], w...), i+1)
			}
			return
		}
		p, err := program.Part(g, []plan.Segment{{Tiles: tiles}}, ds, nil)
		if err != nil {
			t.Fatal(err)
		}
		energy := work(run.Time(p))
		value := func(end device.Time) float64 { return to.Objective.value(end, energy, s.standby) }
		ends := make([]device.Time, len(tiles))
		known := make([]uint, len(tiles)) // the steps that have ended before one starts, whatever any takes
		on := map[string]uint{}           // the steps of a device
		for k, st := range p.Steps {
			on[st.Device] |= 1 << k
		}
		var order []plan.Tile
		var next func(free map[string]device.Time, before map[string]int, placed uint, last device.Time)
		next = func(free map[string]device.Time, before map[string]int, placed uint, last device.Time) {
			if best >= 0 && value(last) >= best {
				return
			}
			if len(order) == len(tiles) {
				q, err := program.Part(g, []plan.Segment{{Tiles: order}}, ds, nil)
				if err != nil {
					t.Fatal(err)
				}
				if q.Join(); run.Time(q).Total != last {
					tl := run.Time(q)
					t.Fatalf("%v by hand, %v", last, tl.Total)
				}
				best = value(last)
				return
			}
		tiles:
			for k, st := range p.Steps {
				if placed>>k&1 == 1 {
					continue
				}
				start, had := free[st.Device], uint(0)
				prev, follows := before[st.Device]
				if follows {
					had = known[prev] | 1<<prev
				}
				known[k] = had
				for _, j := range st.After {
					if placed>>j&1 == 0 {
						continue tiles
					}
					start = max(start, ends[j])
					known[k] |= known[j] | 1<<j
				}
				was := free[st.Device]
				ends[k] = start + st.Code.Cost().Time
				if follows && (known[k]&^had)&^on[st.Device] == 0 {
					ends[k] -= st.Code.Cost().Joint
				}
				free[st.Device], before[st.Device] = ends[k], k
				order = append(order, st.Tile)
				next(free, before, placed|1<<k, max(last, ends[k]))
				order = order[:len(order)-1]
				free[st.Device] = was
				if delete(before, st.Device); follows {
					before[st.Device] = prev
				}
			}
		}
		next(map[string]device.Time{}, map[string]int{}, 0, 0)
	}
	choose(nil, 0)
	return best
}

// TestBruteForce: on small graphs the exact mode, which they are decided by without
// being asked for, finds what trying everything finds; and the bound is not above.
func TestBruteForce(t *testing.T) {
	tight := 0.0
	graphs := 240
	if testing.Short() {
		graphs = 60
	}
	auto, err := Lookup("auto")
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(graphs) {
		rng := rand.New(rand.NewPCG(seed, 7))
		most, channels, rows := 6, 1, 2
		switch seed % 4 {
		case 1:
			most, channels = 4, 2
		case 2:
			most, rows = 3, 4
		case 3:
			rows = 1
		}
		g := someGraph(rng, most, channels, rows)
		to := synthetic(seed, device.Time(rng.IntN(2)*rng.IntN(20)))
		to.Objective = Objective(rng.IntN(5) % len(objectives)) // latency most
		r, err := Best(context.Background(), g, auto, to)
		if err != nil {
			t.Fatal(seed, err)
		}
		if err := r.Plan.Check(g); err != nil {
			t.Fatal(seed, err)
		}
		want := brute(t, g, to)
		got := to.Objective.value(r.Timeline.Total, work(r.Timeline), to.Standby.Total().Value)
		if !r.Exact || got > want*(1+1e-12) || rows < 4 && channels == 1 && got < want*(1-1e-12) {
			t.Errorf("seed %d, %v: %v, %v by brute force, exact %v", seed, to.Objective, got, want, r.Exact)
		}
		if to.Objective == Latency {
			if float64(r.Bound) > got || float64(r.Bound) > want {
				t.Errorf("seed %d: bound %v above %v", seed, r.Bound, got)
			}
			if r.Bound <= 0 {
				t.Errorf("seed %d: no bound", seed)
			}
			ds, _ := to.Devices(1, plan.Extended)
			st := newStore(g, newSearch(g, to).order, ds)
			st.joint = true
			costAll(st)
			if _, two := st.bound(nil); float64(two) > want {
				t.Errorf("seed %d: bound of two pieces %v above %v", seed, two, device.Time(want))
			}
			tight = max(tight, float64(r.Bound)/got)
		}
	}
	if tight < 0.99 && !testing.Short() { // of the few graphs then none may be
		t.Errorf("no bound is within 1 %%: the best is %.2f of the optimum", tight)
	}
}
