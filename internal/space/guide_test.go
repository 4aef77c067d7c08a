package space

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// objectivesOf are numbers that follow from a point alone.
func objectivesOf(p *Point) []float64 {
	h := fnv.New64a()
	fmt.Fprint(h, p.Index)
	x := h.Sum64()
	if x%5 == 0 {
		return nil
	}
	return []float64{float64(x % 11), float64(x / 11 % 13), float64(len(p.Set))}
}

// TestGuide: each model and batch has as many points as any other, or all; they are in the space, each once at each effort; their starts are among the
// first set; the same seed asks for the same.
func TestGuide(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		spec := drawnSpec(r)
		spec.Sample = nil
		allowed := map[string]map[int]bool{} // by model and batch
		group := func(p *Point) string { return fmt.Sprint(p.Model, p.Batch) }
		for _, p := range brute(spec) {
			if allowed[group(&p)] == nil {
				allowed[group(&p)] = map[int]bool{}
			}
			allowed[group(&p)][p.Index] = true
		}
		p := &Sample{Points: rapid.IntRange(1, 60).Draw(r, "points"), Method: rapid.SampledFrom([]string{NSGA2, Halving}).Draw(r, "method"), Seed: rapid.Uint64().Draw(r, "seed")}
		if p.Method == NSGA2 {
			p.Population = rapid.IntRange(0, 9).Draw(r, "population")
		} else {
			spec.Effort = Text{Text: rapid.SampledFrom([]string{"1", "normal", "high"}).Draw(r, "effort")}
		}
		spec.Sample = p
		s, err := New(spec)
		if err != nil && (strings.Contains(err.Error(), "for each model and batch") || len(allowed) == 0 && strings.Contains(err.Error(), "hold for no point")) {
			return
		}
		if err != nil {
			r.Fatal(err)
		}
		var first []Task
		asked := map[string]map[int]bool{} // at the first level, by model and batch
		g, same := s.Guide(), s.Guide()
		counts, efforts := g.Rungs()
		for level := 0; ; level++ {
			tasks := g.Ask()
			if d := cmp.Diff(tasks, same.Ask()); d != "" {
				r.Fatalf("%s", d)
			}
			if first == nil {
				first = tasks
			}
			if len(tasks) == 0 {
				break
			}
			var told [][]float64
			here := map[int]bool{}
			for i := range tasks {
				x := &tasks[i]
				if here[x.Index] || !allowed[group(&x.Point)][x.Index] {
					r.Fatalf("set %d asks for %v", level, x)
				}
				here[x.Index] = true
				if asked[group(&x.Point)] == nil {
					asked[group(&x.Point)] = map[int]bool{}
				}
				if known := asked[group(&x.Point)][x.Index]; known != (p.Method == Halving && level > 0) {
					r.Fatalf("set %d asks for %v, known %v", level, x, known)
				}
				asked[group(&x.Point)][x.Index] = true
				if p.Method == Halving && (x.Effort != efforts[level] || level > 0 && len(x.Starts) > 0) {
					r.Fatalf("set %d: %v", level, x)
				}
				for _, from := range x.Starts {
					if from.Effort != x.Effort || !slices.ContainsFunc(first, func(t Task) bool { return t.Index == from.Index && len(t.Starts) == 0 }) {
						r.Fatalf("%v starts from %v", x, from)
					}
				}
				told = append(told, objectivesOf(&x.Point))
			}
			if p.Method == Halving && len(tasks) > counts[level] {
				r.Fatalf("%d at level %d: %v wanted", len(tasks), level, counts)
			}
			g.Tell(told)
			same.Tell(told)
		}
		for k, x := range s.parts() {
			at := s.At(x.first)
			n := p.Points / len(s.parts())
			if k < p.Points%len(s.parts()) {
				n++
			}
			if got, want := len(asked[group(&at)]), min(n, len(allowed[group(&at)])); got != want {
				r.Fatalf("%s: %d points, %d wanted", group(&at), got, want)
			}
		}
	})
}

// TestLevels: points start from anchors at the first level of halving, and are searched in full at the others.
func TestLevels(t *testing.T) {
	g := made(t, &Spec{Axes: []Axis{
		{Name: models, Values: list("toy")}, {Name: "memory.pim_channels", Values: list("1..16")}, {Name: "launch.pim", Values: list("each", "joint")}, {Name: "gpu.launch_ck", Values: list("0..9")},
	}, Sample: &Sample{Points: 60, Method: Halving}}).Guide()
	for level := range 2 {
		started := 0
		tasks := g.Ask()
		var told [][]float64
		for i := range tasks {
			if len(tasks[i].Starts) > 0 {
				started++
			}
			told = append(told, objectivesOf(&tasks[i].Point))
		}
		if len(tasks) == 0 || (started > 0) != (level == 0) {
			t.Errorf("level %d: %d of %d points have starts", level, started, len(tasks))
		}
		g.Tell(told)
	}
}

// TestEfforts: halving goes from the least to the spec's effort.
func TestEfforts(t *testing.T) {
	for _, c := range []struct{ effort, search, want string }{
		{"low", "", "[low low]"}, {"low", Full, "[low]"}, {"", "", "[low normal]"}, {"7", Full, "[low 7]"},
		{"high", "", "[low normal high]"}, {"5000000", "", "[low normal high 5000000]"},
	} {
		s := made(t, &Spec{Axes: []Axis{{Name: models, Values: list("toy")}}, Effort: Text{Text: c.effort}, Search: Text{Text: c.search}})
		if got := fmt.Sprint(s.efforts()); got != c.want {
			t.Errorf("effort %q, search %q: %s, %s wanted", c.effort, c.search, got, c.want)
		}
	}
}

// TestOrdered: axes of numbers are ordered, those of words are not, and a zip of both is not.
func TestOrdered(t *testing.T) {
	s := made(t, &Spec{Axes: []Axis{
		{Name: models, Values: list("toy")}, {Name: policies, Values: list("auto", "gpu")}, {Name: "memory.pim_channels", Values: list("1", "2")},
		{Name: "pim.banks", Values: list("4", "8", "16")}, {Name: "launch.pim", Values: list("each", "joint")},
	}, Zip: []Group{{Axes: []string{"memory.pim_channels", "launch.pim"}}}})
	for name, want := range map[string]bool{policies: false, "pim.banks": true, "memory.pim_channels": false} {
		if got := s.ordered(s.axes[s.find(name)].dim); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestLargeGuide: a space that nobody can list is guided at once.
func TestLargeGuide(t *testing.T) {
	spec := &Spec{Axes: []Axis{{Name: models, Values: list("toy")}}, Sample: &Sample{Points: 50, Method: NSGA2}}
	for _, key := range []string{"gpu.model.eta", "gpu.model.eta_dram", "gpu.model.eta_stream", "gpu.model.eta_dw", "link.ps_per_byte", "gpu.model.lam_ck", "gpu.model.ramp_ck"} {
		spec.Put(Axis{Name: key, Values: list("0.5..1/0.005")})
	}
	g := made(t, spec).Guide()
	n := 0
	for tasks := g.Ask(); len(tasks) > 0; tasks = g.Ask() {
		n += len(tasks)
		var told [][]float64
		for i := range tasks {
			told = append(told, objectivesOf(&tasks[i].Point))
		}
		g.Tell(told)
	}
	if n != 50 {
		t.Error(n)
	}
	if want := "nsga2 with seed 0: generations of 7"; g.String() != want {
		t.Errorf("%s: %s wanted", g, want)
	}
}
