package search

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/plan"
	"pimflow/internal/tensor"
)

// wild draws a graph of strides, dilations, pools, branches and residuals over values
// of images x channels x rows x 1.
func wild(rng *rand.Rand, most, images, channels, rows int) *graph.Graph {
	b := graph.NewBuilder("wild")
	values := []graph.ID{b.Input("x", tensor.Float32, tensor.Shape{images, channels, rows, 1})}
	add := func(name string, a op.Attrs, in ...graph.ID) {
		if id, err := b.Op("", name, a, in...); err == nil {
			values = append(values, id)
		}
	}
	for tries := 0; len(values) <= most && tries < 50; tries++ {
		x, old := values[len(values)-1], values[rng.IntN(len(values))]
		if rng.IntN(4) == 0 {
			x = old
		}
		shape := b.Peek().Nodes[x].Shape
		c, stride := shape[1], int64(1+rng.IntN(5)/4)
		switch rng.IntN(10) {
		case 0:
			add("Relu", nil, x)
		case 1, 2:
			if other := b.Peek().Nodes[old].Shape; other.Equal(shape) {
				add("Add", nil, x, old)
			}
		case 3:
			if shape[2] > 1 {
				add("GlobalAveragePool", nil, x)
				add("Mul", nil, x, values[len(values)-1])
			}
		case 4:
			k := int64(1 + rng.IntN(3))
			add("MaxPool", op.Attrs{"kernel_shape": []int64{k, 1}, "strides": []int64{stride, 1}, "dilations": []int64{1, 1}, "pads": []int64{k / 2, 0, k / 2, 0}, "ceil_mode": int64(0), "storage_order": int64(0)}, x)
		case 5:
			if c < 4 && b.Peek().Nodes[old].Shape[2] == shape[2] {
				add("Concat", op.Attrs{"axis": int64(1)}, x, old)
			}
		default:
			k, group, dilation := []int64{1, 3}[rng.IntN(2)], []int{1, c}[rng.IntN(2)], int64(1+rng.IntN(4)/3)
			out := group * (1 + rng.IntN(max(1, channels/group)))
			w := b.Const("", tensor.New(tensor.Float32, tensor.Shape{out, c / group, int(k), 1}))
			pad := (k - 1) / 2 * dilation
			add("Conv", op.Attrs{"kernel_shape": []int64{k, 1}, "strides": []int64{stride, 1}, "dilations": []int64{dilation, 1},
				"pads": []int64{pad, 0, pad, 0}, "group": int64(group)}, x, w)
		}
	}
	b.Output("y", values[len(values)-1])
	g, err := b.Graph()
	if err != nil {
		panic(err)
	}
	return g
}

// hazard is a device on which any piece can take any time, more or less with its size.
type hazard struct {
	name  string
	seed  uint64
	size  int
	joint bool // it can be launched with what is before
	only  map[string]bool
}

func (d *hazard) Name() string { return d.name }
func (d *hazard) Compile(g *graph.Graph, c graph.Cut) (device.Code, error) {
	if name := g.Nodes[c.Node].Op.Name; d.only != nil && !d.only[name] {
		return nil, fmt.Errorf("%s: %w", name, device.ErrUnsupported)
	}
	h := fnv.New64a()
	fmt.Fprint(h, d.seed, c.Node, c.Box)
	t := rand.New(rand.NewPCG(h.Sum64(), 3)).IntN(100) + d.size*c.Box.Size()
	cost := device.Cost{Time: device.Time(t), Launch: device.Time(t / 3)}
	if d.joint {
		cost.Joint = cost.Launch
	}
	return step{cost}, nil
}

// costAll costs every piece of every node.
func costAll(s *store) {
	for i := range s.order {
		for dev := range s.ds {
			s.whole(i, dev)
			for _, dim := range s.dims(i) {
				for lo := range s.node(i).Shape[dim] {
					for hi := lo + 1; hi <= s.node(i).Shape[dim]; hi++ {
						s.piece(i, span{dev, dim, tensor.Range{Lo: lo, Hi: hi}})
					}
				}
			}
		}
	}
}

// someDivision draws a division of a node in at most so many pieces.
func (s *store) someDivision(rng *rand.Rand, i, pieces int) *division {
	for {
		dims := s.dims(i)
		k := rng.IntN(len(dims) + 1)
		if k == len(dims) {
			if p := s.whole(i, rng.IntN(len(s.ds))); p != nil {
				return newDivision(p)
			}
			continue
		}
		extent := s.node(i).Shape[dims[k]]
		var ends, devs []int
		n := 1 + rng.IntN(min(pieces, extent))
		for at := 1; at <= extent; at++ {
			if at == extent || len(ends) < n-1 && rng.IntN(extent) < n {
				ends, devs = append(ends, at), append(devs, rng.IntN(len(s.ds)))
			}
		}
		if d := s.cut(i, dims[k], ends, devs); d != nil {
			return d
		}
	}
}

// fastest tries random divisions, changes one at a time, and returns the least time, and
// how many pieces are then launched together.
func (s *store) fastest(rng *rand.Rand, starts, steps, pieces int) (least device.Time, joined int) {
	least = device.Time(1 << 62)
	for range starts {
		divs := make([]*division, len(s.order))
		for i := range divs {
			divs[i] = s.someDivision(rng, i, pieces)
		}
		best := (&desk{s: s}).ordered(0, divs)
		for range steps {
			i := rng.IntN(len(divs))
			old := divs[i]
			divs[i] = s.someDivision(rng, i, pieces)
			if t := (&desk{s: s}).ordered(0, divs); t.time <= best.time {
				best = t
			} else {
				divs[i] = old
			}
		}
		if best.time < least {
			least, joined = best.time, 0
			for _, j := range best.joins {
				if j {
					joined++
				}
			}
		}
	}
	return least, joined
}

// serially is what divided nodes take where one device works at a time, their pieces in
// the order of the desk.
func (s *store) serially(divs []*division) (sum device.Time) {
	last := ""
	for _, p := range (&desk{s: s}).ordered(0, divs).list {
		if sum += p.time; p.Device == last {
			sum -= p.time - p.least
		}
		last = p.Device
	}
	return sum
}

// TestSerialBound: where one device works at a time, no plan is faster than the bound.
func TestSerialBound(t *testing.T) {
	close := 0.0
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 13))
		g := wild(rng, 2+rng.IntN(6), 1, 1+rng.IntN(3), 1+rng.IntN(4))
		s := newStore(g, newSearch(g, Target{}).order, []device.Device{
			&stairs{name: plan.GPU, seed: seed, launch: 5},
			&stairs{name: plan.PIM, seed: seed + 1000, launch: 5, joint: true, only: map[string]bool{"Conv": true}},
		})
		s.serial, s.joint = true, true
		costAll(s)
		bound, _ := s.bound(nil)
		for range 200 {
			divs := make([]*division, len(s.order))
			for i := range divs {
				divs[i] = s.someDivision(rng, i, 1+rng.IntN(3))
			}
			took := s.serially(divs)
			if close = max(close, float64(bound)/float64(took)); bound > took {
				t.Fatalf("seed %d: bound %v, a plan takes %v", seed, bound, took)
			}
		}
	}
	if close < 0.99 {
		t.Errorf("no bound is within 1 %%: the closest is %.3f of a plan", close)
	}
}

// TestBoundHolds: no plan of any number of pieces is faster than the bound, none of two
// a node than that of two, whether or not PIM work can be launched together.
func TestBoundHolds(t *testing.T) {
	graphs := uint64(800)
	if testing.Short() {
		graphs = 120
	}
	joined := 0
	for seed := range graphs {
		rng := rand.New(rand.NewPCG(seed, 11))
		g := wild(rng, 2+rng.IntN(6), 1+rng.IntN(5)/4, 1+rng.IntN(3), 1+rng.IntN(7))
		joint, launch := seed%4 >= 2, device.Time(rng.IntN(2)*rng.IntN(20))
		ds := []device.Device{
			&stairs{name: plan.GPU, seed: seed, launch: launch},
			&stairs{name: plan.PIM, seed: seed + 1000, launch: launch, joint: joint, only: map[string]bool{"Conv": true}},
		}
		if seed%2 == 1 {
			size := 4 * rng.IntN(5)
			ds = []device.Device{&hazard{plan.GPU, seed, size, false, nil}, &hazard{plan.PIM, seed + 1, size, joint, map[string]bool{"Conv": true, "MaxPool": true}}}
		}
		s := newStore(g, newSearch(g, Target{}).order, ds)
		s.joint = joint
		costAll(s)
		bound, two := s.bound(nil)
		any, n := s.fastest(rng, 4, 40, 8)
		if joined += n; bound > any {
			t.Errorf("seed %d: bound %v, a plan takes %v", seed, bound, any)
		}
		if halves, _ := s.fastest(rng, 4, 40, 2); two > halves {
			t.Errorf("seed %d: bound of two pieces %v, a plan takes %v", seed, two, halves)
		}
		s.joint = true
		if b, b2 := s.bound(nil); b > bound || b2 > two {
			t.Errorf("seed %d: bounds %v and %v with every launch, %v and %v together", seed, bound, two, b, b2)
		}
	}
	if joined < int(graphs)/10 {
		t.Errorf("%d pieces of the plans are launched together", joined)
	}
}
