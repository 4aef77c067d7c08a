package local

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"

	"pimflow/internal/candidate"
	"pimflow/internal/device"
	"pimflow/internal/fake"
	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// formed is a device that knows which nodes cost the same.
type formed struct{ device.Device }

func (formed) Form(g *graph.Graph, id graph.ID) string { return g.Form(id) }

// blocks is a graph of a block of operations again and again, every fourth shorter. A block adds an older value, not always the same.
func blocks(t *testing.T, rng *rand.Rand, times int) *graph.Graph {
	b := graph.NewBuilder("blocks")
	x := b.Input("x", tensor.Float32, tensor.Shape{1, 2, 6, 1})
	add := func(kind string, in ...graph.ID) graph.ID {
		id, err := b.Op("", kind, op.Attrs{}, in...)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	kinds := make([]string, 3+rng.IntN(4))
	for k := range kinds {
		kinds[k] = []string{"Relu", "Neg", "Sigmoid", "Tanh"}[rng.IntN(4)]
	}
	for i := range times {
		y, older := x, x
		for k, kind := range kinds {
			if k > 0 || i%4 > 0 {
				y = add(kind, y)
			}
			if k == i%2 {
				older = y
			}
		}
		x = add("Add", y, older)
	}
	b.Output("y", x)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// planOf is what a search makes of a graph: windows and steps, and the tiles that are costed.
func planOf(t *testing.T, g *graph.Graph, ds []device.Device, evicted int) (text string) {
	s := store(g, ds)
	o := candidate.Linear{Time: 1}
	var choices [][]*candidate.Partition
	var list []*candidate.Window
	for i := range s.Order {
		choices = append(choices, s.Choices(i, o))
	}
	for i := evicted; i < evicted+3; i++ {
		s.Evict(i)
		choices[i] = slices.DeleteFunc(choices[i], (*candidate.Partition).OnPIM)
	}
	for i := range choices {
		on := candidate.NewPartition(s.Whole(i, 0))
		list = append(list, s.NewWindow(i, []*candidate.Partition{on}, on.Tiles))
	}
	opt := Default()
	opt.starts, opt.final = [][]pass{{{4, (*climber).climb}}, {{2, (*climber).climb}}}, []pass{{5, (*climber).perturb}, {6, (*climber).climb}}
	opt.lengths, opt.AllPatterns = []int{2, 3}, 4
	r := opt.improvement(t.Context(), s, choices, o)
	for _, w := range r.best(s.Split(s.Merge(list))) {
		text += fmt.Sprintf("window %d %v %v %v %v %v\n", w.Lo, w.Time, w.Energy, w.Spans, w.Fused, w.Completion)
		for _, p := range w.Tiles {
			text += fmt.Sprintln(p.Tile())
		}
	}
	for i := range s.Order {
		tiles := s.Costed(i)
		slices.SortFunc(tiles, func(a, b *candidate.Tile) int {
			return cmp.Or(cmp.Compare(a.Lane, b.Lane), cmp.Compare(a.Dim, b.Dim), cmp.Compare(a.Lo, b.Lo), cmp.Compare(a.Hi, b.Hi))
		})
		for _, p := range tiles {
			text += fmt.Sprintln(i, p.Pos, p.Tile(), p.Time)
			for k := range s.Node(i).In {
				text += fmt.Sprintln(p.Need(k))
			}
		}
	}
	return text + fmt.Sprint(r.steps.Load(), " steps")
}

// TestAlike: where nodes are alike, what is found for some is used for all, and that changes nothing: neither windows and
// steps, nor which tiles are costed. Memory has no room for three of the nodes.
func TestAlike(t *testing.T) {
	for seed := range uint64(2) {
		rng := rand.New(rand.NewPCG(seed, 5))
		g := blocks(t, rng, 7)
		var asked atomic.Int64
		pair := fake.Pair(3, func(pim bool, k int, box tensor.Box) device.Time {
			asked.Add(1)
			n, name := box.Size(), g.Nodes[k+1].Op.Name
			if pim {
				return device.Time(n * (3 + len(name)%3))
			}
			return device.Time(n*4 + 7*len(name))
		})
		evicted := 12 + rng.IntN(4)
		apart := planOf(t, g, pair, evicted)
		before := asked.Swap(0)
		together := planOf(t, g, []device.Device{formed{pair[0]}, formed{pair[1]}}, evicted)
		if apart != together {
			t.Errorf("seed %d: nodes that are alike:\n%s\neach by itself:\n%s", seed, together, apart)
		}
		if 4*asked.Load() > before {
			t.Errorf("seed %d: %d compilations of nodes that are alike, %d of each by itself", seed, asked.Load(), before)
		}
	}
}
