package memory_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/memory"
	"pimflow/internal/op"
	"pimflow/internal/pim"
	"pimflow/internal/plan"
	"pimflow/internal/platform"
	"pimflow/internal/program"
	"pimflow/internal/tensor"
)

type fataler interface{ Fatal(args ...any) }

// devices are those of a machine with so many rows in a bank.
func devices(t fataler, machine string, rows, channels int) []device.Device {
	m, err := hw.Load(machine)
	if err != nil {
		t.Fatal(err)
	}
	m.PIM.Rows, m.Memory.Channels = rows, channels+1
	ds, err := platform.Devices(m, platform.Makers{}, channels, plan.Extended)
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

// chain is convolutions one after the other that keep the shape 1 x channels x 16 x
// 2, of kernels as given; those of one size multiply by the same constant.
func chain(t fataler, channels int, kernels ...int) (*graph.Graph, []graph.ID) {
	b := graph.NewBuilder("chain")
	id := b.Input("x", tensor.Float32, tensor.Shape{1, channels, 16, 2})
	var ids []graph.ID
	weights := map[int]graph.ID{}
	for i, k := range kernels {
		if _, ok := weights[k]; !ok {
			weights[k] = b.Const(fmt.Sprintf("w%d", k), tensor.New(tensor.Float32, tensor.Shape{channels, channels, k, k}))
		}
		pad, size := int64(k/2), int64(k)
		next, err := b.Op(fmt.Sprintf("conv%d", i), "Conv", op.Attrs{
			"group": int64(1), "kernel_shape": []int64{size, size}, "strides": []int64{1, 1}, "dilations": []int64{1, 1},
			"pads": []int64{pad, pad, pad, pad},
		}, id, weights[k])
		if err != nil {
			t.Fatal(err)
		}
		id = next
		ids = append(ids, id)
	}
	b.Output("y", id)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return g, ids
}

func build(g *graph.Graph, ds []device.Device, segments ...plan.Segment) (*program.Program, error) {
	return program.Build(g, &plan.Plan{Graph: g.Fingerprint(), PIM: plan.Extended, Launch: plan.Each, Segments: segments}, ds)
}

// anyPlan places each node of a chain whole or split, or pipes two of them.
func anyPlan(t *rapid.T, g *graph.Graph, ids []graph.ID) (segs []plan.Segment) {
	for i := 0; i < len(ids); i++ {
		row := func(name string) int { return rapid.IntRange(1, g.Nodes[ids[i]].Shape[plan.Rows]-1).Draw(t, name) }
		switch rapid.IntRange(0, 3).Draw(t, "way") {
		case 0:
			segs = append(segs, plan.Whole(g, ids[i], rapid.SampledFrom([]string{plan.GPU, plan.PIM}).Draw(t, "device")))
			continue
		case 1:
			if s, ok := plan.Split(g, ids[i], plan.Rows, row("at"), plan.GPU, plan.PIM); ok {
				segs = append(segs, s)
				continue
			}
		case 2:
			if s, ok := plan.Split(g, ids[i], plan.Rows, row("at"), plan.PIM, plan.PIM); ok {
				segs = append(segs, s)
				continue
			}
		default:
			if i+1 < len(ids) {
				cuts := rapid.SliceOfNDistinct(rapid.IntRange(1, 15), 1, 3, rapid.ID).Draw(t, "cuts")
				slices.Sort(cuts)
				if s, ok := plan.Pipe(g, ids[i:i+2], []string{plan.PIM, plan.PIM}, plan.Rows, cuts); ok {
					segs = append(segs, s)
					i++
					continue
				}
			}
		}
		segs = append(segs, plan.Whole(g, ids[i], plan.PIM))
	}
	return segs
}

// TestDisjoint: whatever the plan, every row that a step reads holds the weights of
// that row of its layout and no others; the rows taken are those that are read, and
// no more than there are; two maps of a program are equal.
func TestDisjoint(t *testing.T) {
	fitted, full, shared := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		kernels := rapid.SliceOfN(rapid.SampledFrom([]int{1, 3, 5}), 1, 5).Draw(t, "kernels")
		g, ids := chain(t, rapid.SampledFrom([]int{4, 24, 48}).Draw(t, "inputs"), kernels...)
		channels := rapid.SampledFrom([]int{1, 3, 16}).Draw(t, "channels")
		rows := rapid.SampledFrom([]int{8, 8, 20, 40, 1000}).Draw(t, "rows")
		p, err := build(g, devices(t, rapid.SampledFrom([]string{"artifact", "newton", "toy"}).Draw(t, "machine"), rows, channels), anyPlan(t, g, ids)...)
		if errors.Is(err, device.ErrUnsupported) {
			t.Skip("a layer alone does not fit")
		}
		if err != nil {
			t.Fatal(err)
		}
		m, err := memory.New(p)
		if e := (*memory.FullError)(nil); errors.As(err, &e) {
			full++
			if e.Want <= e.Left || e.Left < 0 || e.Rows != rows {
				t.Fatal(err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		fitted++
		again, err := memory.New(p)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(m, again); d != "" {
			t.Fatal(d)
		}
		n, _ := check(t, p, m)
		shared += n
	})
	if !testing.Short() && (fitted == 0 || full == 0 || shared == 0) { // of few plans all may fit
		t.Errorf("%d plans fitted, %d did not, %d places were shared", fitted, full, shared)
	}
}

type failer interface {
	Fatalf(format string, args ...any)
}

// check checks a map against what the program's codes hold. It returns how often a
// step has its rows from one before, and how often only from the middle of them on.
func check(t failer, p *program.Program, m *memory.Map) (shared, shifted int) {
	type owner struct {
		constant graph.ID
		layout   string
		row      int
	}
	owners := make([]map[int]owner, len(m.Taken))
	type key struct {
		channel int
		layout  string
	}
	lowest := map[key]int{}
	steps, reserved, stored := 0, make([]int, len(m.Taken)), 0
	for i, s := range p.Steps {
		if s.Device != plan.PIM {
			continue
		}
		st := m.Steps[steps]
		steps++
		if st.Index != i {
			t.Fatalf("step %d in the place of %d", st.Index, i)
		}
		for ch, h := range s.Code.(*pim.Code).WeightLayout() {
			at := st.Places[ch]
			if at.Len() != h.Rows.Len() {
				t.Fatalf("%d rows wanted, %d there", h.Rows.Len(), at.Len())
			}
			if owners[ch] == nil {
				owners[ch] = map[int]owner{}
			}
			for r := range at.Len() {
				o := owner{st.Constant, h.Layout, h.Rows.Lo + r}
				if before, ok := owners[ch][at.Lo+r]; ok && before != o {
					t.Fatalf("row %d of channel %d is of two steps", at.Lo+r, ch)
				}
				owners[ch][at.Lo+r] = o
			}
			if at.Len() > 0 && at.Reserved == 0 {
				shared++
				if from, ok := lowest[key{ch, h.Layout}]; ok && h.Rows.Lo > from {
					shifted++
				}
			}
			lowest[key{ch, h.Layout}] = h.Rows.Lo
			reserved[ch] += at.Reserved
			stored += at.Stored
		}
	}
	for ch, n := range m.Taken {
		if n != len(owners[ch]) || n != reserved[ch] || n > m.Rows {
			t.Fatalf("channel %d of %d rows: %d taken, %d reserved, %d read", ch, m.Rows, n, reserved[ch], len(owners[ch]))
		}
		for r := range n {
			if _, ok := owners[ch][r]; !ok {
				t.Fatalf("row %d of channel %d is taken and not read", r, ch)
			}
		}
	}
	if steps != len(m.Steps) || stored != m.Stored || m.Read > m.Stored || m.Read > m.Network {
		t.Fatalf("%d steps, %d mapped; stored %d, %d in all; %d read of %d", steps, len(m.Steps), stored, m.Stored, m.Read, m.Network)
	}
	return shared, shifted
}

// TestBands: two bands of a layer, cut anywhere.
func TestBands(t *testing.T) {
	shared, shifted := 0, 0
	for _, machine := range []string{"artifact", "newton"} {
		for _, channels := range []int{3, 5, 16} {
			for _, n := range []int{40, 90} {
				g, ids := chain(t, n, 3)
				ds := devices(t, machine, 1000, channels)
				for at := 1; at < 16; at++ {
					s, ok := plan.Split(g, ids[0], plan.Rows, at, plan.PIM, plan.PIM)
					if !ok {
						t.Fatal("no split")
					}
					p, err := build(g, ds, s)
					if err != nil {
						t.Fatal(err)
					}
					m, err := memory.New(p)
					if err != nil {
						t.Fatal(err)
					}
					a, b := check(t, p, m)
					shared, shifted = shared+a, shifted+b
				}
			}
		}
	}
	if shared == 0 || shifted == 0 {
		t.Errorf("%d bands in rows of the one before, %d of them shifted", shared, shifted)
	}
}

// TestReaders: weights that a GPU step reads too, by where a layer is cut.
func TestReaders(t *testing.T) {
	const n = 48
	g, ids := chain(t, n, 1)
	whole := g.Whole(ids[0]).Box
	tile := func(dev string, dim, lo, hi int) plan.Tile {
		return plan.Tile{Cut: graph.Cut{Node: ids[0], Box: whole.With(dim, tensor.Range{Lo: lo, Hi: hi})}, Device: dev}
	}
	for _, c := range []struct {
		name       string
		tiles      []plan.Tile
		read, both int
		elsewhere  bool
		all        int // read in all
	}{
		{"whole", []plan.Tile{tile(plan.PIM, 1, 0, n)}, n * n, 0, false, n * n},
		{"by rows", []plan.Tile{tile(plan.GPU, 2, 0, 5), tile(plan.PIM, 2, 5, 16)}, n * n, n * n, true, n * n},
		{"by outputs", []plan.Tile{tile(plan.GPU, 1, 0, 16), tile(plan.PIM, 1, 16, n)}, 32 * n, 0, true, 32 * n},
		{"by outputs on the PIM", []plan.Tile{tile(plan.PIM, 1, 0, 20), tile(plan.PIM, 1, 20, n)}, 20 * n, 0, false, n * n},
	} {
		for _, machine := range []string{"artifact", "newton"} {
			p, err := build(g, devices(t, machine, 1000, 16), plan.Segment{Tiles: c.tiles})
			if err != nil {
				t.Fatal(err)
			}
			m, err := memory.New(p)
			if err != nil {
				t.Fatal(err)
			}
			st := m.Steps[0]
			if st.Read != c.read || st.Both != c.both || st.Elsewhere != c.elsewhere || m.Read != c.all || m.Network != n*n {
				t.Errorf("%s, %s: %d read, %d by both, elsewhere %v, %d in all of %d: %+v wanted", machine, c.name, st.Read, st.Both, st.Elsewhere, m.Read, m.Network, c)
			}
		}
	}
}

// TestOnce: the second of two equal bands, and a layer with another's weights, take
// no rows.
func TestOnce(t *testing.T) {
	g, ids := chain(t, 48, 1, 1)
	half, ok := plan.Split(g, ids[0], plan.Rows, 8, plan.PIM, plan.PIM)
	if !ok {
		t.Fatal("no split")
	}
	other, _ := plan.Split(g, ids[1], plan.Rows, 8, plan.PIM, plan.PIM)
	for _, machine := range []string{"artifact", "newton"} {
		p, err := build(g, devices(t, machine, 1000, 16), half, other)
		if err != nil {
			t.Fatal(err)
		}
		m, err := memory.New(p)
		if err != nil {
			t.Fatal(err)
		}
		for i, st := range m.Steps {
			for ch, at := range st.Places {
				if at.Range != m.Steps[0].Places[ch].Range || at.Reserved > 0 != (i == 0 && at.Len() > 0) {
					t.Errorf("%s: step %d, channel %d: %+v, of the first %+v", machine, i, ch, at, m.Steps[0].Places[ch])
				}
			}
		}
	}
}

// unsaid is code that does not say what it holds.
type unsaid struct{ device.Code }

func TestErrors(t *testing.T) {
	g, ids := chain(t, 48, 3, 5)
	p, err := build(g, devices(t, "artifact", 11, 1), plan.Whole(g, ids[0], plan.PIM), plan.Whole(g, ids[1], plan.PIM))
	if err != nil {
		t.Fatal(err)
	}
	const want = `node %4 "conv1" [0:1 0:48 0:16 0:2] on pim: its weights want 9 rows of channel 0: 8 of 11 are left`
	if _, err := memory.New(p); err == nil || err.Error() != want {
		t.Errorf("%v; wanted %s", err, want)
	}
	p.Steps[0].Code = unsaid{}
	if err := memory.Fits(p); err == nil || !strings.Contains(err.Error(), `"conv0" on pim: code of type memory_test.unsaid does not say where its weights are`) {
		t.Errorf("%v", err)
	}
}

// TestColdStart: on toy a channel moves 16 bytes a ns and opens a row of its 16 banks in 40 ns,
// four times tFAW, which is longer than tRC; a refresh of 100 ns is due each 1000000.
func TestColdStart(t *testing.T) {
	m, err := hw.Load("toy")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		channels, bytes, rows int
		alone                 float64 // ns without refreshes
	}{
		{4, 128, 1, 40},    // 16 weights four times take 8 ns on the pins: the row is longer
		{16, 2048, 1, 128}, // 256 weights four times
		{64, 8192, 4, 512},
	} {
		g, ids := chain(t, c.channels, 1)
		p, err := build(g, devices(t, "toy", 100, 1), plan.Whole(g, ids[0], plan.PIM))
		if err != nil {
			t.Fatal(err)
		}
		w, err := memory.New(p)
		if err != nil {
			t.Fatal(err)
		}
		want := memory.ColdStart{Bytes: c.bytes, Rows: c.rows, Time: device.Time(math.Round(c.alone / 0.9999 * 1e3))}
		if d := cmp.Diff(want, w.ColdStart(m)); d != "" {
			t.Errorf("%d channels (-want +got):\n%s", c.channels, d)
		}
	}
	g, ids := chain(t, 16, 1)
	p, err := build(g, devices(t, "toy", 100, 1), plan.Whole(g, ids[0], plan.GPU))
	if err != nil {
		t.Fatal(err)
	}
	w, err := memory.New(p)
	if err != nil {
		t.Fatal(err)
	}
	if got := w.ColdStart(m); got != (memory.ColdStart{}) {
		t.Errorf("no weights on the PIM: %+v", got)
	}
}

// TestDynamic: rows of weights that are written in each run are held like others, but not written before the first.
func TestDynamic(t *testing.T) {
	b := graph.NewBuilder("products")
	x, w := b.Input("x", tensor.Float32, tensor.Shape{8, 64}), b.Const("w", tensor.New(tensor.Float32, tensor.Shape{64, 96}))
	y, err := b.Op("constant", "MatMul", op.Attrs{}, x, w)
	if err != nil {
		t.Fatal(err)
	}
	z, err := b.Op("dynamic", "MatMul", op.Attrs{}, b.Input("left", tensor.Float32, tensor.Shape{20, 8}), y)
	if err != nil {
		t.Fatal(err)
	}
	b.Output("z", z)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"newton", "aim", "artifact"} {
		p, err := build(g, devices(t, name, 64, 4), plan.Whole(g, y, plan.PIM), plan.Whole(g, z, plan.PIM))
		if err != nil {
			t.Fatal(err)
		}
		m, err := memory.New(p)
		if err != nil {
			t.Fatal(err)
		}
		hm, err := hw.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		stored := 0
		for _, pl := range m.Steps[0].Places {
			stored += pl.Stored
		}
		if m.Steps[0].Dynamic || !m.Steps[1].Dynamic || m.Stored != stored || m.Read != 64*96 {
			t.Errorf("%s: %+v", name, m)
		}
		if c := m.ColdStart(hm); c.Bytes != stored*hm.Memory.ElementSize {
			t.Errorf("%s: cold start %+v, %d weights", name, c, stored)
		}
		for ch, pl := range m.Steps[1].Places {
			if pl.Len() > 0 && (pl.Reserved != pl.Len() || pl.Lo < m.Steps[0].Places[ch].Hi) {
				t.Errorf("%s, channel %d: rows %v after %v", name, ch, pl, m.Steps[0].Places[ch])
			}
		}
	}
}
