package figure

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"
	"pgregory.net/rapid"

	"pimflow"

	"pimflow/internal/report"
	"pimflow/internal/result"
	"pimflow/internal/usage"
)

// set is a text on a canvas: its corners, in order around it.
type set struct {
	text    string
	corners [4]vg.Point
}

// texts are those that a canvas has, and whether all that is drawn is on it.
func texts(t interface{ Errorf(string, ...any) }, c *recorder.Canvas, w, h vg.Length) (list []set) {
	type state struct {
		angle float64
		at    vg.Point
	}
	stack := []state{{}}
	inside := func(p vg.Point, what string) {
		if !(p.X >= -0.01 && p.X <= w+0.01 && p.Y >= -0.01 && p.Y <= h+0.01) {
			t.Errorf("%s at %v is off the canvas of %v by %v points", what, p, w, h)
		}
	}
	place := func(p vg.Point) vg.Point {
		s := stack[len(stack)-1]
		sin, cos := math.Sincos(s.angle)
		return vg.Point{X: s.at.X + p.X*vg.Length(cos) - p.Y*vg.Length(sin), Y: s.at.Y + p.X*vg.Length(sin) + p.Y*vg.Length(cos)}
	}
	for _, a := range c.Actions {
		top := &stack[len(stack)-1]
		switch a := a.(type) {
		case *recorder.Push:
			stack = append(stack, *top)
		case *recorder.Pop:
			stack = stack[:len(stack)-1]
		case *recorder.Translate:
			top.at = place(a.Point)
		case *recorder.Rotate:
			top.angle += a.Angle
		case *recorder.Stroke:
			for _, q := range a.Path {
				inside(place(q.Pos), "a line")
			}
		case *recorder.FillString:
			wide := width(a.String)
			e := handler().Extents(font.From(sans, a.Size))
			p := a.Point
			s := set{text: a.String}
			for i, q := range []vg.Point{{X: 0, Y: -e.Descent}, {X: wide, Y: -e.Descent}, {X: wide, Y: e.Ascent}, {X: 0, Y: e.Ascent}} {
				s.corners[i] = place(p.Add(q))
				inside(s.corners[i], fmt.Sprintf("text %q", a.String))
			}
			list = append(list, s)
		}
	}
	return list
}

// apart reports whether a line between two texts keeps them apart: two convex shapes overlap if no side of either does.
func apart(a, b *set) bool {
	for _, of := range []*set{a, b} {
		for i := range of.corners {
			p, q := of.corners[i], of.corners[(i+1)%4]
			nx, ny := q.Y-p.Y, p.X-q.X
			norm := vg.Length(math.Hypot(float64(nx), float64(ny)))
			if norm == 0 {
				return true // nothing is drawn
			}
			low := func(s *set) (low, high vg.Length) {
				low, high = vg.Length(math.Inf(1)), vg.Length(math.Inf(-1))
				for _, c := range s.corners {
					d := (c.X*nx + c.Y*ny) / norm
					low, high = min(low, d), max(high, d)
				}
				return low, high
			}
			al, ah := low(a)
			bl, bh := low(b)
			if ah <= bl+0.05 || bh <= al+0.05 {
				return true
			}
		}
	}
	return false
}

// clear fails where texts of a figure overlap or leave the picture.
func clear(t interface{ Errorf(string, ...any) }, f *Figure, inches float64) {
	across := vg.Length(inches) * vg.Inch
	l := f.layout(across)
	c := &recorder.Canvas{}
	l.draw(draw.NewCanvas(c, across, l.height))
	list := texts(t, c, across, l.height)
	for i := range list {
		for k := range i {
			if !apart(&list[i], &list[k]) {
				t.Errorf("at %g inches texts %q and %q overlap: %v, %v", inches, list[i].text, list[k].text, list[i].corners, list[k].corners)
			}
		}
	}
}

// someRows draws rows of results: networks, policies and two keys, each with each, some left out.
func someRows(t *rapid.T) *Data {
	name := rapid.OneOf(rapid.StringMatching(`[a-z]{1,12}(-[a-z0-9]{1,5})?`), rapid.StringN(1, 60, -1), rapid.StringMatching(`[A-Za-z./_-]{30,90}`))
	size := rapid.Custom(func(t *rapid.T) float64 {
		return rapid.Float64Range(0.5, 2).Draw(t, "v") * math.Pow(10, float64(rapid.SampledFrom([]int{0, 0, 0, 1, 3, 6, -3}).Draw(t, "exp")))
	})
	some := func(what string, most int) []string {
		return rapid.SliceOfNDistinct(name, 1, most, rapid.ID[string]).Draw(t, what)
	}
	models, policies := some("models", rapid.SampledFrom([]int{1, 3, 40}).Draw(t, "most")), some("policies", 3)
	channels := rapid.SliceOfNDistinct(rapid.IntRange(1, 64), 1, 6, rapid.ID[int]).Draw(t, "channels")
	others := some("values", 4)
	if len(models) > 4 {
		channels, others = channels[:1], others[:1]
	}
	d := &Data{files: []string{"x.csv"}}
	for _, m := range models {
		for _, p := range policies {
			for _, c := range channels {
				for _, o := range others {
					if len(d.Rows) > 0 && rapid.IntRange(0, 9).Draw(t, "left out") == 0 {
						continue
					}
					v := size.Draw(t, "speedup")
					r := result.Row{
						Point: len(d.Rows), Model: m, Batch: 1, Machine: "newton", Policy: p, Set: map[string]string{"memory.pim_channels": fmt.Sprint(c), "launch.gpu": o},
						Total: 1e5 * size.Draw(t, "total"), Speedup: v, SpeedupLow: v * 0.7, SpeedupHigh: v * 1.4,
						Energy: 1e9 * size.Draw(t, "energy"), BaselineEnergy: 1e9, Ratio: v, RatioLow: v * 0.5, RatioHigh: v * 3,
						Parts: map[string]result.Energy{"gpu_standby": {Value: 3}, "pim_mac": {Value: 1}},
					}
					d.Rows = append(d.Rows, Record{Row: r, File: "x.csv"})
				}
			}
		}
	}
	run := &pimflow.Report{Model: models[0], Policy: policies[0], Total: 1e5 * size.Draw(t, "run")}
	for i := range 5 {
		run.Layers = append(run.Layers, pimflow.Layer{Kind: kinds[i%4], Tiles: []pimflow.Tile{{Device: "gpu", Start: run.Total * float64(i) / 5, NS: run.Total / 5}}})
	}
	run.Utilization = &usage.Network{Peaks: usage.Peaks{Tensor: size.Draw(t, "tensor"), BaselineDRAM: size.Draw(t, "DRAM"), PIM: size.Draw(t, "PIM")}}
	for i := range run.Layers {
		run.Layers[i].Use = &usage.Layer{FLOPs: 2, Intensity: size.Draw(t, "intensity")}
		run.Utilization.Pieces = append(run.Utilization.Pieces, usage.Piece{Layer: i, Device: "gpu", End: size.Draw(t, "time"), FLOPs: int64(1 + 1e6*size.Draw(t, "operations"))})
	}
	d.Runs = []*pimflow.Report{run}
	for _, m := range models {
		b := report.ReproducedModel{Model: m}
		for _, s := range some("steps", 15) {
			b.Bridge = append(b.Bridge, report.BridgeResult{Step: s, EndToEnd: size.Draw(t, "step")})
		}
		d.Bridges = append(d.Bridges, b)
	}
	causes := some("causes", 15)
	for i := range rapid.SampledFrom([]int{1, 2, 20}).Draw(t, "streams") {
		for _, c := range causes {
			d.Stalls = append(d.Stalls, report.Stall{Layer: models[i%len(models)], Channel: fmt.Sprint(i), Part: "wait", Of: c, Cycles: size.Draw(t, "cycles")})
		}
	}
	return d
}

// TestTextIsClear: no text of a figure overlaps another or leaves the picture, whatever is drawn.
func TestTextIsClear(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := someRows(t)
		kind := rapid.SampledFrom(Kinds).Draw(t, "kind").Name
		o := &Options{}
		if rapid.Bool().Draw(t, "title") {
			o.Title = rapid.StringN(1, 200, -1).Draw(t, "words")
		}
		if kind == "pareto" && rapid.Bool().Draw(t, "groups") {
			o.Group = []string{"policy"}
		}
		if kind == "heat" {
			o.X, o.Y = "memory.pim_channels", "launch.gpu"
		}
		if kind == "stalls" && rapid.Bool().Draw(t, "layers") {
			o.Y, o.Group = "layer", []string{"layer"}
		}
		f, err := d.Make(kind, o)
		if err != nil && kind == "heat" && strings.Contains(err.Error(), "at most 24 wanted") { // as it should be
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		clear(t, f, rapid.SampledFrom([]float64{3.3, 7, 2, 12}).Draw(t, "inches"))
	})
}

// TestLevel: panels beside each other have their data at one height.
func TestLevel(t *testing.T) {
	axis := Axis{Label: "x", Low: 0, High: 1}
	f := &Figure{Beside: true, Panels: []Panel{{X: axis, Y: axis}, {Title: "a title", X: Axis{Low: 0, High: 1}, Y: axis}}}
	row := f.layout(7 * vg.Inch).rows[0]
	if len(row) != 2 || row[0].top != row[1].top || row[0].bottom != row[1].bottom || row[0].height != row[1].height {
		t.Errorf("%d panels; from the top %v and %v", len(row), row[0].top, row[1].top)
	}
}

// TestApart: the test of overlap sees it, at angles too.
func TestApart(t *testing.T) {
	c := &recorder.Canvas{}
	d := draw.NewCanvas(c, 100, 100)
	write(d, "across", vg.Point{X: 50, Y: 50}, draw.XCenter, draw.YCenter, 0, black)
	write(d, "steep", vg.Point{X: 50, Y: 50}, draw.XCenter, draw.YCenter, steep, black)
	write(d, "above", vg.Point{X: 50, Y: 50 + leading()/2}, draw.XCenter, draw.YBottom, 0, black)
	write(d, "beyond", vg.Point{X: 99, Y: 80}, draw.XLeft, draw.YCenter, 0, black)
	off := &counter{}
	list := texts(off, c, 100, 100)
	if off.n == 0 {
		t.Error("a text that leaves the canvas is not seen")
	}
	if apart(&list[0], &list[1]) || !apart(&list[0], &list[2]) || !apart(&list[0], &list[3]) {
		t.Errorf("overlap: %v %v %v, true, false and false wanted", !apart(&list[0], &list[1]), !apart(&list[0], &list[2]), !apart(&list[0], &list[3]))
	}
	if !strings.Contains(list[1].text, "steep") {
		t.Error(list[1].text)
	}
}

type counter struct{ n int }

func (c *counter) Errorf(string, ...any) { c.n++ }

// TestConcise: labels that are too wide lose what they have in common, and keep every value that differs.
func TestConcise(t *testing.T) {
	names := []string{"toy, memory.pim_channels 8, pim.buffers 1", "toy, memory.pim_channels 8, pim.buffers 4", "toy, memory.pim_channels 16, pim.buffers 1"}
	for _, c := range []struct {
		most string // the widest that fits
		want []string
	}{
		{names[2], names},
		{"memory.pim_channels 16, pim.buffers 1", []string{"memory.pim_channels 8, pim.buffers 1", "memory.pim_channels 8, pim.buffers 4", "memory.pim_channels 16, pim.buffers 1"}},
		{"pim_channels 16, buffers 1", []string{"pim_channels 8, buffers 1", "pim_channels 8, buffers 4", "pim_channels 16, buffers 1"}},
		{"channels 16, buf", []string{"8, 1", "8, 4", "16, 1"}},
	} {
		if got := shorts(names, width(c.most)+0.01); !slices.Equal(got, c.want) {
			t.Errorf("as wide as %q: %q: %q wanted", c.most, got, c.want)
		}
	}
	if got := shorts([]string{"a 11111, toy", "b 22222, toy"}, width("a 1111")); !strings.HasPrefix(got[0], "a") || !strings.HasPrefix(got[1], "b") {
		t.Errorf("%q of different keys", got)
	}
	same := []string{"a, b", "a, b"}
	if got := shorts(same, width("a,")); !slices.Equal(got, []string{"a", "a"}) && !slices.Equal(got, []string{"b", "b"}) {
		t.Errorf("%q of equal ones", got)
	}
	if got := shorts([]string{"x, y", "a long name of one part"}, width("a long")); len(got) != 2 || !strings.Contains(got[1], string(dots)) {
		t.Errorf("%q of different numbers of parts", got)
	}
}
