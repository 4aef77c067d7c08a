package search_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/memory"
	"pimflow/internal/pim"
	"pimflow/internal/plan"
	"pimflow/internal/platform"
	"pimflow/internal/run"
	"pimflow/internal/search"
	"pimflow/internal/simplify"
	"pimflow/internal/zoo"
)

// target is a machine that comes with the program.
func target(t testing.TB, machine string) search.Target {
	m, err := hw.Load(machine)
	if err != nil {
		t.Fatal(err)
	}
	return targetOf(t, m)
}

func targetOf(t testing.TB, m *hw.Machine) search.Target {
	to, err := platform.Target(m, platform.Makers{})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

func network(t testing.TB, name string) *graph.Graph {
	g, err := zoo.Build(name, 1)
	if err != nil {
		t.Fatal(err)
	}
	if g, err = simplify.Run(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	return g
}

func best(t testing.TB, g *graph.Graph, policy string, to search.Target) *search.Result {
	p, err := search.Lookup(policy)
	if err != nil {
		t.Fatal(err)
	}
	r, err := search.Best(context.Background(), g, p, to)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// sumOf adds the times of a plan's segments, each by itself.
func sumOf(t *testing.T, r *search.Result) (sum device.Time) {
	list, err := r.Alone()
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range list {
		sum += x
	}
	return sum
}

// TestPolicies: every plan covers its graph; it takes no longer than its segments
// one after the other; a policy that tries more has segments that sum to no more;
// auto is never slower than any, nor any faster than the bound.
func TestPolicies(t *testing.T) {
	for _, machine := range pim.Machines() {
		to := target(t, machine)
		to.Holds = nil // all of the toy machine's memory is too small for the weights: what its PIM has room for is searched
		for _, name := range []string{"toy", "mobilenet-v2"} {
			if name != "toy" && !*long && slices.Contains([]string{"lpddr5-aim", "hbm-pim", "hbm3-pim"}, machine) {
				continue // a minute of a processor, all three
			}
			g := network(t, name)
			var bound device.Time
			sum, total := map[string]device.Time{}, map[string]device.Time{}
			for _, p := range search.Policies() {
				// The banks of the toy machine are too small for all weights.
				var full *memory.FullError
				r, err := search.Best(context.Background(), g, p, to)
				if machine == "toy" && name != "toy" && (p.Offload != nil || p.Vectors) && errors.As(err, &full) {
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				if err := r.Plan.Check(g); err != nil {
					t.Fatalf("%s %s %s: %v", machine, name, p.Name, err)
				}
				if r.Plan.Policy != p.Name {
					t.Errorf("a plan of %s says it is of %s", p.Name, r.Plan.Policy)
				}
				energies(t, machine+" "+name+" "+p.Name, r)
				sum[p.Name], total[p.Name], bound = sumOf(t, r), r.Timeline.Total, max(bound, r.Bound)
				if total[p.Name] > sum[p.Name] {
					t.Errorf("%s %s %s: %v, its segments alone %v", machine, name, p.Name, total[p.Name], sum[p.Name])
				}
				if r.Baseline.Total != total["gpu"] {
					t.Errorf("%s %s: baseline %v, policy gpu %v", machine, name, r.Baseline.Total, total["gpu"])
				}
				if layers, err := r.Layers(); err != nil || len(layers) == 0 {
					t.Errorf("%s %s %s: %d layers, %v", machine, name, p.Name, len(layers), err)
				}
			}
			for _, c := range [][2]string{{"newton++", "newton+"}, {"mddp", "newton++"}, {"pipeline", "newton++"}, {"pimflow", "mddp"}, {"pimflow", "pipeline"}} {
				if sum[c[0]] > sum[c[1]] {
					t.Errorf("%s %s: segments of %s take %v, of %s %v", machine, name, c[0], sum[c[0]], c[1], sum[c[1]])
				}
			}
			for p, tm := range total {
				if total["auto"] > tm {
					t.Errorf("%s %s: auto takes %v, %s %v", machine, name, total["auto"], p, tm)
				}
				if bound > tm || bound < total["auto"]/3 {
					t.Errorf("%s %s: bound %v, %s takes %v", machine, name, bound, p, tm)
				}
			}
		}
	}
}

// energies checks a result's energies against its steps.
func energies(t *testing.T, what string, r *search.Result) {
	t.Helper()
	near := func(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(a, b) }
	for _, tl := range []*run.Timeline{r.Baseline, r.Timeline} {
		l := tl.Energy(&r.Standby)
		static, dynamic := 0.0, 0.0
		for p, e := range l {
			if e.Low < 0 || e.Low > e.Value || e.Value > e.High {
				t.Errorf("%s: %v %v", what, device.Part(p), e)
			}
			switch p := device.Part(p); p {
			case device.GPUStandby, device.PIMStandby, device.PIMRefresh:
				static += e.Value
				if !near(e.Value, r.Standby[p].Value*tl.Total.NS()) || e.Value == 0 {
					t.Errorf("%s: %v %v for %v", what, p, e, tl.Total)
				}
			default:
				dynamic += e.Value
			}
		}
		steps := 0.0
		for _, s := range tl.Program.Steps {
			c := s.Code.Cost()
			sum := c.Energy.Total().Value
			if (sum > 0) != (c.Time > 0) {
				t.Errorf("%s: a step on %s of %v takes %v pJ", what, s.Device, c.Time, sum)
			}
			steps += sum
		}
		if !near(steps, dynamic) || !near(l.Total().Value, static+dynamic) {
			t.Errorf("%s: steps %v, dynamic parts %v, static %v, total %v", what, steps, dynamic, static, l.Total())
		}
	}
}

// TestBoundVGG: no plan of VGG-16 that cuts no layer in more than two tiles takes a
// quarter less than PIMFlow's, which is one of them.
func TestBoundVGG(t *testing.T) {
	for _, machine := range []string{"newton", "aim"} {
		to, g := target(t, machine), network(t, "vgg-16")
		p, r := best(t, g, "pimflow", to), best(t, g, "auto", to)
		if r.Bound > r.Timeline.Total || r.BoundTwo > p.Timeline.Total || r.Bound > r.BoundTwo {
			t.Errorf("%s: bounds %v and %v, plans take %v and %v", machine, r.Bound, r.BoundTwo, r.Timeline.Total, p.Timeline.Total)
		}
		if float64(r.BoundTwo) < 0.75*float64(p.Timeline.Total) {
			t.Errorf("%s: bound %v, pimflow takes %v", machine, r.BoundTwo, p.Timeline.Total)
		}
	}
}

// TestGiven: a plan that was printed and parsed has the same time.
func TestGiven(t *testing.T) {
	to, g := target(t, "artifact"), network(t, "mobilenet-v2")
	r := best(t, g, "pimflow", to)
	var b bytes.Buffer
	if err := r.Plan.Print(&b, g); err != nil {
		t.Fatal(err)
	}
	p, err := plan.Parse(&b, "p")
	if err != nil {
		t.Fatal(err)
	}
	again, err := search.Given(g, p, to)
	if err != nil {
		t.Fatal(err)
	}
	if again.Timeline.Energy(&to.Standby) != r.Timeline.Energy(&r.Standby) {
		t.Error("the energy is another")
	}
	if again.Timeline.Total != r.Timeline.Total || again.Baseline.Total != r.Baseline.Total {
		t.Errorf("%v and %v, then %v and %v", r.Timeline.Total, r.Baseline.Total, again.Timeline.Total, again.Baseline.Total)
	}
	p.PIMChannels = 99
	if _, err := search.Given(g, p, to); err == nil {
		t.Error("99 PIM channels accepted")
	}
}

// TestDeterministic: the plan does not depend on the number of threads.
func TestDeterministic(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	g := tower(t, 60, 16, 14, 14)
	var want string
	for _, n := range []int{1, 2, 8} {
		runtime.GOMAXPROCS(n)
		var b bytes.Buffer
		r := best(t, g, "auto", target(t, "newton"))
		if err := r.Plan.Print(&b, g); err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(&b, r.Bound)
		if want == "" {
			want = b.String()
		}
		if b.String() != want {
			t.Errorf("GOMAXPROCS %d: another plan:\n%s\nthan\n%s", n, b.String(), want)
		}
	}
}

// TestStops: a search that is stopped is an error where there is no plan yet; auto
// returns the best so far, from the GPU alone on.
func TestStops(t *testing.T) {
	g := network(t, "mobilenet-v2")
	last := device.Time(math.MaxInt64)
	for _, c := range []struct {
		policy string
		share  float64 // of the nodes of all policies, when it is stopped
		plan   string  // the policy that the plan is no worse than; "": none
	}{{"pimflow", 0, ""}, {"auto", 0, "gpu"}, {"auto", 0.5, "newton++"}, {"auto", 1, "pimflow"}} {
		ctx, cancel := context.WithCancel(context.Background())
		to := target(t, "artifact")
		to.Progress = func(done, total int) {
			if done > total || done < 1 {
				t.Errorf("%d of %d done", done, total)
			}
			if float64(done) >= c.share*float64(total) {
				cancel()
			}
		}
		p, _ := search.Lookup(c.policy)
		r, err := search.Best(ctx, g, p, to)
		if c.plan == "" {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled: %v", err)
			}
			continue
		}
		if err != nil || !r.Stopped || r.Exact {
			t.Fatalf("%v: %+v, %v", c, r, err)
		}
		if err := r.Plan.Check(g); err != nil {
			t.Fatal(err)
		}
		if least := best(t, g, c.plan, target(t, "artifact")).Timeline.Total; r.Timeline.Total > least || r.Timeline.Total > last {
			t.Errorf("stopped at %v: %v, %v before, %v of %s", c.share, r.Timeline.Total, last, least, c.plan)
		}
		last = r.Timeline.Total
	}
	if _, err := search.Lookup("pimflo"); err == nil || !strings.Contains(err.Error(), `did you mean "pimflow"?`) {
		t.Errorf("unknown policy: %v", err)
	}
}

func BenchmarkAuto(b *testing.B) {
	for _, name := range zoo.Names() {
		g := network(b, name)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				best(b, g, "auto", target(b, "artifact"))
			}
		})
	}
}

// TestFits: where banks are small, layers stay on the GPU that another plan has on
// the PIM; a policy that knows no other way, and a plan given, are refused.
func TestFits(t *testing.T) {
	m, err := hw.Load("artifact")
	if err != nil {
		t.Fatal(err)
	}
	m.PIM.Rows = 200
	to, g := targetOf(t, m), network(t, "mobilenet-v2")
	to.Fits = nil
	free := best(t, g, "pimflow", to)
	to.Fits = memory.Fits
	r := best(t, g, "pimflow", to)
	if err := memory.Fits(r.Timeline.Program); err != nil {
		t.Fatal(err)
	}
	if r.Timeline.Total <= free.Timeline.Total || r.Timeline.Total >= r.Baseline.Total {
		t.Errorf("%v in 200 rows, %v without a limit, %v on the GPU", r.Timeline.Total, free.Timeline.Total, r.Baseline.Total)
	}
	// Moves use more rows, and give nodes back that find none.
	a := best(t, g, "auto", to)
	if err := memory.Fits(a.Timeline.Program); err != nil {
		t.Fatal(err)
	}
	if a.Timeline.Total > r.Timeline.Total {
		t.Errorf("auto takes %v in 200 rows, pimflow %v", a.Timeline.Total, r.Timeline.Total)
	}
	var full *memory.FullError
	if _, err := search.Given(g, free.Plan, to); !errors.As(err, &full) {
		t.Errorf("given: %v", err)
	}
	all := search.Policy{Name: "all", PIM: plan.Extended, Offload: func(*graph.Graph, *graph.Node) bool { return true }}
	if _, err := search.Best(context.Background(), g, all, to); !errors.As(err, &full) {
		t.Errorf("everything on the PIM: %v", err)
	}
}

func BenchmarkNewton(b *testing.B) {
	for _, name := range []string{"efficientnet-b0", "mobilenet-v2", "vgg-16"} {
		g := network(b, name)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				best(b, g, "auto", target(b, "newton"))
			}
		})
	}
}

// TestBatch: images are cut like rows.
func TestBatch(t *testing.T) {
	g, err := zoo.Build("mobilenet-v2", 8)
	if err != nil {
		t.Fatal(err)
	}
	if g, err = simplify.Run(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	to := target(t, "newton")
	r := best(t, g, "auto", to)
	if p := best(t, g, "pimflow", to); r.Timeline.Total >= p.Timeline.Total {
		t.Errorf("%v, pimflow %v", r.Timeline.Total, p.Timeline.Total)
	}
	cuts := map[int]int{}
	for _, tile := range r.Plan.Tiles() {
		for d, n := range g.Nodes[tile.Node].Shape {
			if tile.Box[d].Len() < n {
				cuts[d]++
			}
		}
	}
	if cuts[plan.Images] == 0 || len(cuts) > 3 { // where there are images, others need not be cut
		t.Errorf("tiles cut along each dimension: %v", cuts)
	}
}

// TestObjective: a plan made for an objective has the least of it, but for what moves
// from another start may find.
func TestObjective(t *testing.T) {
	g := network(t, "mnasnet-1.0")
	value := map[search.Objective][3]float64{}
	for _, o := range []search.Objective{search.Latency, search.Energy, search.EDP} {
		to := target(t, "newton")
		to.Objective = o
		r := best(t, g, "auto", to)
		l := r.Timeline.Energy(&r.Standby)
		ns, pj := r.Timeline.Total.NS(), l.Total().Value
		value[o] = [3]float64{ns, pj, ns * pj}
		if back, err := search.ParseObjective(o.String()); err != nil || back != o || r.Objective != o {
			t.Error(o, back, err)
		}
	}
	for o, v := range value {
		for other, w := range value {
			if w[o] < 0.97*v[o] {
				t.Errorf("%v: %v, a plan for %v has %v", o, v[o], other, w[o])
			}
		}
	}
	if _, err := search.ParseObjective("energie"); err == nil || !strings.Contains(err.Error(), `did you mean "energy"?`) {
		t.Error(err)
	}
}

// TestTooLarge: the exact mode refuses what it does not end with.
func TestTooLarge(t *testing.T) {
	to := target(t, "artifact")
	to.Exact = true
	p, _ := search.Lookup("auto")
	if _, err := search.Best(context.Background(), network(t, "toy"), p, to); !errors.Is(err, search.ErrTooLarge) {
		t.Error(err)
	}
}

// TestMoreRows: a plan takes no longer where banks have more rows, since the weights that stay are chosen by what they gain.
func TestMoreRows(t *testing.T) {
	g := network(t, "vgg-16")
	policies := []string{"pimflow"}
	if *long {
		policies = append(policies, "auto")
	}
	for _, policy := range policies {
		before := device.Time(math.MaxInt64)
		for _, rows := range []int{384, 416, 440, 512, 640, 1024, 16384} {
			m, err := hw.Load("newton")
			if err != nil {
				t.Fatal(err)
			}
			if m, err = m.With("pim.rows_per_bank", fmt.Sprint(rows)); err != nil {
				t.Fatal(err)
			}
			to, err := platform.Target(m, platform.Makers{})
			if err != nil {
				t.Fatal(err)
			}
			to.Unbounded = true
			total := best(t, g, policy, to).Timeline.Total
			if total > before {
				t.Errorf("%s, %d rows: %v, %v with fewer", policy, rows, total, before)
			}
			before = total
		}
	}
}
