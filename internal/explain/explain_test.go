package explain

import (
	"context"
	"slices"
	"strings"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/platform"
	"pimflow/internal/run"
	"pimflow/internal/search"
	"pimflow/internal/simplify"
	"pimflow/internal/zoo"
)

// explained is the plan of a network under a policy, and its Explainer.
func explained(t *testing.T, network, machine, policy string) (*graph.Graph, *search.Result, []search.Layer, *Explainer) {
	t.Helper()
	m, err := hw.Load(machine)
	if err != nil {
		t.Fatal(err)
	}
	g, err := zoo.Build(network, 1)
	if err == nil {
		g, err = simplify.Run(t.Context(), g)
	}
	if err != nil {
		t.Fatal(err)
	}
	target, err := platform.Target(m, platform.Makers{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := search.Lookup(policy)
	if err != nil {
		t.Fatal(err)
	}
	res, err := search.Best(context.Background(), g, p, target)
	if err != nil {
		t.Fatal(err)
	}
	e, err := New(g, res, target)
	if err != nil {
		t.Fatal(err)
	}
	layers, err := res.Layers()
	if err != nil {
		t.Fatal(err)
	}
	return g, res, layers, e
}

// TestOptions: of every layer the placement is one of the options, once; options are in
// the order of their times, which are those of the parts; a part's terms add up to its
// time; what is said of an option is what its numbers say; the placement, put where it
// was, changes nothing in the plan.
func TestOptions(t *testing.T) {
	causes := map[string]bool{}
	defer func() {
		if len(causes) < 3 {
			t.Errorf("few causes: %v", causes)
		}
	}()
	for _, c := range []struct{ network, machine, policy string }{
		{"toy", "newton", "auto"}, {"toy", "artifact", "auto"}, {"toy", "aim", "mddp"}, {"toy", "newton", "pipeline"},
		{"toy", "newton", "exclusive"}, {"toy", "newton", "gpu"}, {"toy", "toy", "auto"}, {"toy", "toy", "by-operator"}, {"mobilenet-v2", "newton", "pimflow"},
	} {
		g, res, layers, e := explained(t, c.network, c.machine, c.policy)
		for i := range layers {
			if len(layers) > 20 && i%6 != 1 {
				continue // for the test to be short
			}
			l := &layers[i]
			name := c.network + " " + c.machine + " " + c.policy + " " + g.Nodes[l.Node].Name
			p, err := e.Placed(l)
			if err != nil {
				t.Fatal(err)
			}
			options, refused, err := e.Options(p)
			if err != nil {
				t.Fatal(err)
			}
			few, _, err := e.Fastest(p, 1)
			if err != nil {
				t.Fatal(err)
			}
			if last := few[len(few)-1]; few[0].Time != options[0].Time || !last.Chosen || len(few) > 2 || len(few) == 2 && few[0].Chosen {
				t.Errorf("%s: the fastest is %v of %d, want %v and the placement", name, few[0].Time, len(few), options[0].Time)
			}
			wholes := len(refused)
			for k := range options {
				o := &options[k]
				if k > 0 && options[k-1].Time > o.Time {
					t.Errorf("%s: option %d of %v after one of %v", name, k, o.Time, options[k-1].Time)
				}
				if len(o.Parts) == 1 && o.Parts[0].Box.Equal(g.Whole(l.Node).Box) {
					wholes++
				}
				longest, all := device.Time(0), device.Time(0)
				for j := range o.Parts {
					sum := device.Time(0)
					for _, x := range o.Parts[j].Breakdown() {
						sum += x.Time
					}
					if sum != o.Parts[j].Cost.Time {
						t.Errorf("%s: terms of %v: %v wanted", name, sum, o.Parts[j].Cost.Time)
					}
					longest, all = max(longest, sum), all+sum
				}
				if o.Time < longest || o.Time > all || o.With < o.Energy {
					t.Errorf("%s: %v, %v pJ, %v with standby: parts take %v to %v", name, o.Time, o.Energy, o.With, longest, all)
				}
				alone, after, ok := strings.Cut(o.Why, "; ")
				switch {
				case o.Chosen:
					ok = o.Why == "chosen" && same(o.Tiles(), p.Tiles) && o.Time == p.Alone
				case o.Total == 0:
					ok = strings.HasPrefix(o.Why, "no room") || after == "no place in the plan's order"
				default:
					ok = ok && strings.HasPrefix(alone, sign(o.Time-p.Alone, "slower alone by ", "as fast alone", "faster alone by ")) &&
						strings.HasSuffix(after, sign(o.Total-res.Timeline.Total, " more", "as long", " less"))
				}
				if !ok {
					t.Errorf("%s: option of %v, the plan %v with it; %v and %v: %q", name, o.Time, o.Total, p.Alone, res.Timeline.Total, o.Why)
				}
			}
			if n := len(slices.DeleteFunc(slices.Clone(options), func(o Option) bool { return !o.Chosen })); n != 1 || wholes < 2 {
				t.Errorf("%s: %d options chosen, %d devices", name, n, wholes)
			}
			chosen := options[slices.IndexFunc(options, func(o Option) bool { return o.Chosen })]
			if tl, err := e.instead(p, &chosen); len(p.Tiles) == 1 && (err != nil || tl == nil || tl.Total != res.Timeline.Total) {
				t.Errorf("%s: the plan is %v (%v) with the placement in its own place: %v wanted", name, tl, err, res.Timeline.Total)
			}
			best, err := e.Best(p)
			if err != nil {
				t.Fatal(err)
			}
			for k := range options {
				if kind(options[k].Tiles()) != kind(p.Tiles) && (best == nil || options[k].Time < best.Time) {
					t.Errorf("%s: the best elsewhere takes %v: not %v", name, options[k].Time, best)
				}
				if best != nil && same(options[k].Tiles(), best.Tiles()) {
					got, err := e.Cause(p, best)
					if want := causeOf(&options[k], p.Alone, res.Timeline.Total); err != nil || got != want {
						t.Errorf("%s: the best elsewhere lost by %s (%v): %q is %s", name, got, err, options[k].Why, want)
					}
					causes[got] = true
				}
			}
		}
	}
}

// causeOf is the cause that the reason of an option tells.
func causeOf(o *Option, alone, total device.Time) string {
	switch {
	case o.Time > alone:
		return BySlower
	case strings.HasPrefix(o.Why, "no room"):
		return ByRoom
	case o.Total == 0:
		return ByOrder
	case o.Total < total:
		return ByBetter
	case o.Total == total:
		return ByTie
	case strings.Contains(o.Why, "would be launched"):
		return ByLaunch
	case strings.Contains(o.Why, "is busy with"):
		return ByBusy
	}
	return ByChain
}

func sign(t device.Time, above, none, below string) string {
	switch {
	case t > 0:
		return above
	case t < 0:
		return below
	}
	return none
}

// TestWaits: a tile waits for something unless it starts with the plan, and what it
// names ends when it starts.
func TestWaits(t *testing.T) {
	for _, policy := range []string{"auto", "exclusive", "pimflow"} {
		g, res, layers, e := explained(t, "toy", "newton", policy)
		tl := res.Timeline
		for i := range layers {
			p, err := e.Placed(&layers[i])
			if err != nil {
				t.Fatal(err)
			}
			for _, tile := range e.Tiles(p) {
				ok := tile.Start == 0 && strings.HasPrefix(tile.Waited, "nothing")
				for k, s := range tl.Program.Steps {
					ok = ok || tl.Spans[k] != (run.Span{}) && tl.Spans[k].End == tile.Start && strings.Contains(tile.Waited, `"`+g.Nodes[s.Node].Name+`"`)
				}
				if !ok {
					t.Errorf("%s: %s starts at %v and waits for %s", policy, g.Nodes[tile.Node].Name, tile.Start, tile.Waited)
				}
			}
		}
	}
}
