package profile_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pimflow/internal/device"
	"pimflow/internal/gpu"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/profile"
	"pimflow/internal/tensor"
)

// machines are one whose L2 writes through and one whose L2 keeps weights.
func machines(t testing.TB) map[string]*hw.Machine {
	t.Helper()
	list := map[string]*hw.Machine{}
	for _, name := range []string{"through", "back"} {
		m, err := hw.Load("artifact")
		if err != nil {
			t.Fatal(err)
		}
		copied := *m
		copied.GPU.WriteThrough = name == "through"
		list[name] = &copied
	}
	return list
}

func over(t testing.TB, p *profile.Profile, m *hw.Machine, channels int) device.Device {
	t.Helper()
	d, err := p.Over(gpu.New)(m, channels)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func cost(t testing.TB, d device.Device, g *graph.Graph, c graph.Cut) device.Cost {
	t.Helper()
	code, err := d.Compile(g, c)
	if err != nil {
		t.Fatal(err)
	}
	return code.Cost()
}

// TestModelsOwnTimes: with what the model itself says of every cut nothing changes but bounds,
// and where some are left out nothing but what is interpolated: a scale is 1.
func TestModelsOwnTimes(t *testing.T) {
	for kind, m := range machines(t) {
		model, err := gpu.New(m, 16)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"toy", "mobilenet-v2", "efficientnet-b0"} {
			g := network(t, name)
			all := over(t, measuredAll(t, g, m, 16, 1, func(int, graph.Cut) bool { return true }), m, 16)
			wholes := over(t, measuredAll(t, g, m, 16, 1, func(i int, _ graph.Cut) bool { return i == 0 }), m, 16)
			count := map[device.Source]int{}
			for i := range g.Nodes {
				if g.Nodes[i].Op == nil {
					continue
				}
				for n, c := range cuts(g, graph.ID(i)) {
					want := cost(t, model, g, c)
					for k, d := range []device.Device{all, wholes} {
						got := cost(t, d, g, c)
						switch s := got.Source; {
						case want.Time == 0 && s != device.Modelled, want.Time > 0 && k == 0 && s != device.Measured,
							want.Time > 0 && k == 1 && n == 0 && s != device.Measured:
							t.Errorf("%s %s %v: the time is %v", kind, name, c, s)
						case k == 1 && s == device.Interpolated: // between two layers of one family
							continue
						}
						count[got.Source]++
						if low, high := got.Bounds(); got.Source == device.Measured && (low != got.Time-got.Time*8/100 || high != got.Time+got.Time*8/100) {
							t.Errorf("%s %s %v: measured %v, between %v and %v", kind, name, c, got.Time, low, high)
						}
						if got.Source == device.Measured { // the bounds are the model's alone
							got.Uncertain = want.Uncertain
						}
						got.Source = 0
						if d := cmp.Diff(want, got); d != "" {
							t.Errorf("%s %s %v, %v:\n%s", kind, name, c, got.Source, d)
						}
					}
				}
			}
			if count[device.Measured] == 0 || count[device.Scaled] == 0 {
				t.Errorf("%s %s: sources %v", kind, name, count)
			}
		}
	}
}

// rowsOf is the first n rows of a layer's value.
func rowsOf(g *graph.Graph, id graph.ID, n int) graph.Cut {
	c := g.Whole(id)
	c.Box = c.Box.With(2, tensor.Range{Lo: 0, Hi: n})
	return c
}

func find(t testing.TB, g *graph.Graph, layer string) graph.ID {
	t.Helper()
	for i := range g.Nodes {
		if g.Nodes[i].Name == layer && g.Nodes[i].Op != nil {
			return graph.ID(i)
		}
	}
	t.Fatalf("no layer %q", layer)
	return 0
}

// TestInterpolation: times of rows are on a line between the measured ones, so they
// rise where those rise; outside they are the model's, scaled as at the nearest end.
func TestInterpolation(t *testing.T) {
	g := network(t, "mobilenet-v2")
	m := machines(t)["back"]
	model, err := gpu.New(m, 16)
	if err != nil {
		t.Fatal(err)
	}
	id := find(t, g, "features.2.conv.1.0")
	rapid.Check(t, func(t *rapid.T) {
		rows := g.Nodes[id].Shape[2]
		lo := rapid.IntRange(2, rows-3).Draw(t, "lo")
		hi := rapid.IntRange(lo+2, rows).Draw(t, "hi")
		short := device.Time(rapid.IntRange(1, 1e9).Draw(t, "short"))
		long := short + device.Time(rapid.IntRange(0, 1e9).Draw(t, "more"))
		p := &profile.Profile{File: "test.csv"}
		for i, at := range []int{lo, hi} {
			p.Rows = append(p.Rows, profile.Row{Kernel: profile.Of(g, rowsOf(g, id, at), tensor.Float16), Line: i + 2, Channels: 16, Time: []device.Time{short, long}[i]})
		}
		d, err := p.Over(gpu.New)(m, 16)
		if err != nil {
			t.Fatal(err)
		}
		last := device.Time(0)
		for n := 1; n <= rows; n++ {
			code, err := d.Compile(g, rowsOf(g, id, n))
			if err != nil {
				t.Fatal(err)
			}
			got, source := code.Cost(), device.Scaled
			switch {
			case n == lo || n == hi:
				source = device.Measured
			case n > lo && n < hi:
				source = device.Interpolated
			}
			if got.Source != source {
				t.Fatalf("%d rows: %v: %v wanted", n, got.Source, source)
			}
			if n >= lo && n <= hi {
				line := float64(short) + float64(long-short)*float64(n-lo)/float64(hi-lo)
				if got.Time < last || got.Time < short || got.Time > long || got.Time != max(1, device.Time(line+0.5)) {
					t.Fatalf("%d rows: %v after %v, between %v and %v: %v wanted", n, got.Time, last, short, long, line)
				}
				last = got.Time
				continue
			}
			end, at := short, lo
			if n > hi {
				end, at = long, hi
			}
			want := float64(modelTime(t, model, g, rowsOf(g, id, n))) * float64(end) / float64(modelTime(t, model, g, rowsOf(g, id, at)))
			if diff := float64(got.Time) - want; diff > 1+want*1e-9 || diff < -1-want*1e-9 {
				t.Fatalf("%d rows: %v: %v ps wanted", n, got.Time, want)
			}
		}
	})
}

func modelTime(t *rapid.T, d device.Device, g *graph.Graph, c graph.Cut) device.Time {
	code, err := d.Compile(g, c)
	if err != nil {
		t.Fatal(err)
	}
	return code.Cost().Time
}

// TestPlanes: a time between four sizes, in rows and channels, is linear in both.
func TestPlanes(t *testing.T) {
	g := network(t, "mobilenet-v2")
	m := machines(t)["through"]
	id := find(t, g, "features.2.conv.2")
	cut := func(channels, rows int) graph.Cut {
		c := rowsOf(g, id, rows)
		c.Box = c.Box.With(1, tensor.Range{Lo: 0, Hi: channels})
		return c
	}
	p := &profile.Profile{File: "test.csv"}
	for _, r := range []struct {
		channels, rows int
		us             device.Time
	}{{8, 10, 10}, {8, 30, 30}, {24, 10, 50}, {24, 50, 90}} {
		p.Rows = append(p.Rows, profile.Row{Kernel: profile.Of(g, cut(r.channels, r.rows), tensor.Float16), Time: r.us * 1e6})
	}
	d := over(t, p, m, 16)
	for _, c := range []struct {
		channels, rows int
		want           device.Time
		source         device.Source
	}{
		{8, 20, 20e6, device.Interpolated},  // rows of the 8 channels
		{16, 10, 30e6, device.Interpolated}, // channels of the 10 rows
		{16, 20, 40e6, device.Interpolated}, // 20 of 8 channels, 60 of 24
		{24, 30, 70e6, device.Interpolated},
		{16, 40, 0, device.Scaled}, // 40 rows of 8 channels are not known
		{4, 20, 0, device.Scaled},
	} {
		got := cost(t, d, g, cut(c.channels, c.rows))
		if got.Source != c.source || c.want > 0 && got.Time != c.want {
			t.Errorf("%d channels, %d rows: %v, %v: %v, %v wanted", c.channels, c.rows, got.Time, got.Source, c.want, c.source)
		}
	}
}

// TestChannels: rows for the memory channels at hand come before those for any
// number, and those for another number scale the model.
func TestChannels(t *testing.T) {
	g := network(t, "toy")
	m := machines(t)["through"]
	id := find(t, g, "block.depthwise")
	k := profile.Of(g, g.Whole(id), tensor.Float16)
	row := func(channels int, us device.Time) profile.Row {
		return profile.Row{Kernel: k, Channels: channels, Time: us * 1e6, Line: channels + 2}
	}
	model16, model32 := cost(t, must(gpu.New(m, 16)), g, g.Whole(id)), cost(t, must(gpu.New(m, 32)), g, g.Whole(id))
	for _, c := range []struct {
		rows   []profile.Row
		want   device.Time
		source device.Source
	}{
		{[]profile.Row{row(0, 7), row(16, 5)}, 5e6, device.Measured},
		{[]profile.Row{row(0, 7), row(32, 5)}, 7e6, device.Measured},
		{[]profile.Row{row(32, 5)}, device.Time(float64(model16.Time)*5e6/float64(model32.Time) + 0.5), device.Scaled},
		{nil, model16.Time, device.Modelled},
	} {
		got := cost(t, over(t, &profile.Profile{File: "f", Rows: c.rows}, m, 16), g, g.Whole(id))
		if got.Source != c.source || got.Time != c.want {
			t.Errorf("%v, %v: %v, %v wanted", got.Time, got.Source, c.want, c.source)
		}
	}
	p := &profile.Profile{File: "f.csv", Rows: []profile.Row{row(33, 5)}}
	if _, err := p.Over(gpu.New)(m, 16); err == nil || err.Error() != "f.csv:35: channels: 33: at most 32 wanted, as machine artifact has" {
		t.Error(err)
	}
}

func must(d device.Device, err error) device.Device {
	if err != nil {
		panic(err)
	}
	return d
}

// TestEnergy: half of the time is half of the launches and of the busy SMs' energy;
// what is computed and moved takes the same.
func TestEnergy(t *testing.T) {
	g := network(t, "mobilenet-v2")
	m := machines(t)["through"]
	id := find(t, g, "features.2.conv.1.0")
	want := cost(t, must(gpu.New(m, 16)), g, g.Whole(id))
	p := &profile.Profile{File: "f", Rows: []profile.Row{{Kernel: profile.Of(g, g.Whole(id), tensor.Float16), Time: want.Time / 2}}}
	code, err := over(t, p, m, 16).Compile(g, g.Whole(id))
	if err != nil {
		t.Fatal(err)
	}
	got := code.Cost()
	near := func(a, b float64) bool { return a > b*(1-1e-6) && a < b*(1+1e-6) }
	for part, e := range got.Energy {
		share := 1.0
		if device.Part(part) == device.GPUActive {
			share = 0.5
		}
		if w := want.Energy[part].Value; w != 0 && !near(e.Value, share*w) {
			t.Errorf("%v: %v: %v wanted", device.Part(part), e.Value, share*w)
		}
	}
	if !near(float64(got.Launch), float64(want.Launch)/2) || !near(float64(got.Ticks), float64(want.Ticks)/2) || got.Bytes != want.Bytes {
		t.Errorf("%+v of %+v", got, want)
	}
	var b strings.Builder
	if err := code.Print(&b); err != nil || !strings.HasPrefix(b.String(), "measured: f:0, ") {
		t.Errorf("%v %q", err, b.String())
	}
}
