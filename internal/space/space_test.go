package space

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// list is values of an axis.
func list(texts ...string) (vs []Value) {
	for _, t := range texts {
		v, err := ParseValues(t)
		if err != nil {
			panic(err)
		}
		vs = append(vs, v...)
	}
	return vs
}

func made(t testing.TB, spec *Spec) *Space {
	s, err := New(spec)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// drawnSpec is a spec of the toy machine with a few values of a few axes, valid one by one.
func drawnSpec(r *rapid.T) *Spec {
	s := &Spec{}
	pools := []Axis{
		{Name: models, Values: list("toy", "vgg-16", "resnet-50")}, {Name: machines, Values: list("toy", "newton")},
		{Name: gpus, Values: list("own", "t4")}, {Name: policies, Values: list("auto", "gpu", "mddp")},
		{Name: objectives, Values: list("latency", "energy")}, {Name: batches, Values: list("1", "4", "16")},
		{Name: "memory.pim_channels", Values: list("1", "2", "3", "4")}, {Name: "pim.timing.ccds_ck", Values: list("2", "3", "4")},
		{Name: "launch.pim", Values: list("each", "joint")}, {Name: "gpu.launch_ck", Values: list("0", "100", "1000")},
	}
	for i, a := range pools {
		n := rapid.IntRange(0, len(a.Values)).Draw(r, a.Name)
		if i == 0 {
			n = max(n, 1)
		}
		if n > 0 {
			s.Put(Axis{Name: a.Name, Values: a.Values[:n]})
		}
	}
	free := slices.Clone(s.Axes)
	for range rapid.IntRange(0, 2).Draw(r, "zips") {
		g := Group{}
		n := 0
		for _, a := range rapid.Permutation(free).Draw(r, "zip") {
			if len(g.Axes) > 0 && len(a.Values) != n || rapid.Bool().Draw(r, "skip") {
				continue
			}
			n = len(a.Values)
			g.Axes = append(g.Axes, a.Name)
		}
		if len(g.Axes) > 1 {
			s.Zip = append(s.Zip, g)
			free = slices.DeleteFunc(free, func(a Axis) bool { return slices.Contains(g.Axes, a.Name) })
		}
	}
	for _, w := range []string{`memory.pim_channels <= pim.timing.ccds_ck`, `memory.gpu_channels * 2 > memory.channels && batch < 16`, `policy != "gpu" || model == "toy"`, `link.pim_launch_ck > 0`} {
		if rapid.Bool().Draw(r, w) {
			s.Where = append(s.Where, Text{Text: w})
		}
	}
	switch rapid.IntRange(0, 3).Draw(r, "sample") {
	case 1:
		s.Sample = &Sample{Points: rapid.IntRange(1, 40).Draw(r, "points"), Method: Random, Seed: rapid.Uint64().Draw(r, "seed")}
	case 2:
		s.Sample = &Sample{Points: rapid.IntRange(1, 40).Draw(r, "points"), Method: Latin, Seed: rapid.Uint64().Draw(r, "seed")}
	}
	if rapid.Bool().Draw(r, "full") {
		s.Search = Text{Text: Full}
	}
	return s
}

// brute is the points of a spec by nested loops and constraints written by hand, without a sample.
func brute(s *Spec) (points []Point) {
	names, _ := Names()
	var order [][]string // axes that advance together
	placed := map[string]bool{}
	axes := map[string][]string{}
	for _, w := range words {
		axes[w.name] = []string{w.empty}
	}
	for _, a := range s.Axes {
		axes[a.Name] = nil
		for _, v := range a.Values {
			axes[a.Name] = append(axes[a.Name], v.Text)
		}
		if a.key() {
			names = append(names, a.Name)
		}
	}
	for _, n := range names {
		g := []string{n}
		for _, z := range s.Zip {
			if slices.Contains(z.Axes, n) {
				g = z.Axes
			}
		}
		if !placed[n] {
			order = append(order, g)
		}
		for _, n := range g {
			placed[n] = true
		}
	}
	index := 0
	var visit func(d int, at map[string]string)
	visit = func(d int, at map[string]string) {
		if d < len(order) {
			for i := range axes[order[d][0]] {
				for _, n := range order[d] {
					at[n] = axes[n][i]
				}
				visit(d+1, at)
			}
			return
		}
		p := Point{Index: index, Model: at[models], Machine: at[machines], GPU: at[gpus], Policy: at[policies], Objective: at[objectives], Effort: "normal"}
		fmt.Sscan(at[batches], &p.Batch)
		if p.GPU == Own {
			p.GPU = ""
		}
		for _, n := range names[len(words):] {
			p.Set = append(p.Set, n+"="+at[n])
		}
		index++
		if byHand(s, at) {
			points = append(points, p)
		}
	}
	visit(0, map[string]string{})
	return points
}

// byHand evaluates the constraints of drawnSpec.
func byHand(s *Spec, at map[string]string) bool {
	number := func(key string, otherwise float64) float64 {
		if text, ok := at[key]; ok {
			fmt.Sscan(text, &otherwise)
		}
		return otherwise
	}
	channels, pim, ccd, launch := 4.0, 2.0, 2.0, 1000.0
	if at[machines] == "newton" {
		channels, pim, launch = 32, 16, 4014
		if at[gpus] == "t4" {
			launch = 3700 / 0.9217 // about
		}
	} else if at[gpus] == "t4" {
		launch = 4014
	}
	pim, ccd, launch = number("memory.pim_channels", pim), number("pim.timing.ccds_ck", ccd), number("gpu.launch_ck", launch)
	kept := channels - pim
	if kept == 0 {
		kept = channels
	}
	for _, w := range s.Where {
		ok := true
		switch w.Text[0] {
		case 'm':
			ok = pim <= ccd
			if strings.HasPrefix(w.Text, "memory.gpu") {
				ok = kept*2 > channels && number(batches, 0) < 16
			}
		case 'p':
			ok = at[policies] != "gpu" || at[models] == "toy"
		case 'l':
			ok = launch > 0
		}
		if !ok {
			return false
		}
	}
	return true
}

// TestPoints: the points are the product of the axes, but for those that a constraint excludes; a sample has some of them, each
// once, in order; any point is found by its number.
func TestPoints(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		spec := drawnSpec(r)
		want := brute(spec)
		s, err := New(spec)
		if err != nil && spec.Sample != nil && strings.Contains(err.Error(), "no point of those that were drawn") {
			return
		}
		if err != nil {
			r.Fatal(err)
		}
		got := slices.Collect(s.Points())
		if len(got) != s.Count() {
			r.Fatalf("%d points, %d counted", len(got), s.Count())
		}
		for _, p := range got {
			if d := cmp.Diff(p, s.At(p.Index)); d != "" || !s.Has(p.Index) {
				r.Fatalf("by its number:\n%s", d)
			}
		}
		if p := spec.Sample; p != nil {
			if n := min(p.Points, len(want)); p.Method == Random && len(got) != n || len(got) > n {
				r.Fatalf("%d points of %d: %d wanted", len(got), len(want), n)
			}
			want = slices.DeleteFunc(want, func(p Point) bool { return !slices.ContainsFunc(got, func(q Point) bool { return q.Index == p.Index }) })
		}
		if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
			r.Fatalf("%s", d)
		}
	})
}

// TestSkipped: a constraint that excludes long runs of points is asked a few times only.
func TestSkipped(t *testing.T) {
	s := made(t, &Spec{Axes: []Axis{
		{Name: models, Values: list("toy")}, {Name: "memory.pim_channels", Values: list("1..4")}, {Name: "gpu.launch_ck", Values: list("1..500")}, {Name: "pim.timing.ccds_ck", Values: list("2..11")},
	}, Where: []Text{{Text: "memory.pim_channels == 3"}, {Text: "gpu.launch_ck > 499"}}})
	asked := make([]int, len(s.where))
	for k := range s.where {
		of := s.where[k].term
		s.where[k].term = func(at []int) (value, bool) { asked[k]++; return of(at) }
	}
	if n := s.Count(); n != 10 || !slices.Equal(asked, []int{4, 500}) {
		t.Errorf("%d points, the constraints are asked %v times: 10, 4 and 500 wanted", n, asked)
	}
}

// TestLatin: of n points each of m values of an axis has n/m, rounded up or down.
func TestLatin(t *testing.T) {
	for _, n := range []int{1, 2, 3, 7, 12, 100} {
		for seed := range uint64(2) {
			s := made(t, &Spec{Axes: []Axis{
				{Name: models, Values: list("toy")}, {Name: batches, Values: list("1..30")},
				{Name: "memory.pim_channels", Values: list("1..7")}, {Name: "pim.timing.rp_ck", Values: list("5..24")}, {Name: "pim.buffers", Values: list("1..9")},
			}, Sample: &Sample{Points: n, Method: Latin, Seed: seed}})
			used := map[string]int{}
			at := make([]int, len(s.axes))
			total := 0
			for i := range s.Indexes() {
				total++
				s.digits(i, at)
				for a := range at {
					used[fmt.Sprint(s.axes[a].Name, at[a])]++
				}
			}
			if total != n {
				t.Errorf("%d points of %d", total, n)
			}
			for _, a := range s.axes {
				for v := range a.values {
					if k, m := used[fmt.Sprint(a.Name, v)], len(a.values); k < n/m || k > (n+m-1)/m {
						t.Errorf("%s=%s is in %d of %d points", a.Name, a.values[v], k, n)
					}
				}
			}
		}
	}
}

// TestPermutation: each number once.
func TestPermutation(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		size := rapid.IntRange(1, 3000).Draw(r, "size")
		p := newPermutation(size, rapid.Uint64().Draw(r, "seed"))
		seen := make([]bool, size)
		for n := range size {
			if seen[p.at(n)] {
				r.Fatalf("%d twice", p.at(n))
			}
			seen[p.at(n)] = true
		}
	})
}

// TestLargeSample: a sample of a space that nobody can list is drawn at once.
func TestLargeSample(t *testing.T) {
	spec := &Spec{Axes: []Axis{{Name: models, Values: list("toy")}}, Sample: &Sample{Points: 1000, Method: Random}}
	for _, key := range []string{"gpu.cta_per_sm", "pim.timing.rfc_ck", "gpu.launch_ck"} {
		spec.Put(Axis{Name: key, Values: list("331..341")})
	}
	for _, key := range []string{"gpu.model.eta", "gpu.model.eta_dram", "gpu.model.eta_stream", "gpu.model.eta_dw", "link.ps_per_byte", "gpu.model.lam_ck", "gpu.model.ramp_ck", "gpu.model.om"} {
		spec.Put(Axis{Name: key, Values: list("0.5..1/0.02")})
	}
	s := made(t, spec)
	sum := 0.0
	for i := range s.Indexes() {
		sum += float64(i) / float64(s.Size())
	}
	if s.Count() != 1000 || math.Abs(sum/1000-0.5) > 0.05 {
		t.Errorf("%d points, of the mean place %v", s.Count(), sum/1000)
	}
	spec.Sample = nil
	if _, err := New(spec); err == nil || !strings.Contains(err.Error(), "at most 100000000 wanted, or a sample") {
		t.Error(err)
	}
}

// TestPrint: what is printed is read as the same spec.
func TestPrint(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		spec := drawnSpec(r)
		word := rapid.StringMatching(`[a-z \\"'#:,\[\]{}é&*!|>%@\t-]{1,9}[a-z0-9]`)
		spec.Put(Axis{Name: "about." + word.Draw(r, "key"), Values: []Value{
			{Text: word.Draw(r, "value")}, {Range: &Range{From: "1", To: word.Draw(r, "to"), Factor: "2"}}, {Text: rapid.SampledFrom([]string{"true", "null", "0x10", "1e3", "~", "no", "-1.5", "<<", "|", "- a"}).Draw(r, "odd")},
		}})
		spec.Where = append(spec.Where, Text{Text: word.Draw(r, "where")})
		spec.Effort, spec.Anchors = Text{Text: "200"}, Count{N: 9}
		if rapid.Bool().Draw(r, "guided") {
			spec.Sample = &Sample{Points: 7, Method: NSGA2, Population: rapid.IntRange(0, 3).Draw(r, "population")}
		}
		var b bytes.Buffer
		if err := spec.Print(&b); err != nil {
			r.Fatal(err)
		}
		got, err := Parse("s.yaml", b.Bytes())
		if err != nil {
			r.Fatalf("%v\n%s", err, &b)
		}
		spec.File = "s.yaml"
		lines := cmpopts.IgnoreFields
		if d := cmp.Diff(spec, got, lines(Axis{}, "Line"), lines(Value{}, "Line"), lines(Text{}, "Line"), lines(Group{}, "Line"), lines(Sample{}, "Line"), lines(Count{}, "Line"), cmpopts.EquateEmpty(),
			cmpopts.SortSlices(func(a, b Axis) bool { return a.Name < b.Name })); d != "" {
			r.Fatalf("%s\n%s", d, &b)
		}
	})
}

// TestLoad: files of a spec lie in its folder.
func TestLoad(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "s.yaml")
	if err := os.WriteFile(file, []byte("models: [toy, a.onnx, /b.onnx, x/c.graph, x/../../d.onnx]\nmachines: [newton, m.json, newton+g.json]\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	s, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range s.Axes {
		for _, v := range a.Values {
			got = append(got, strings.ReplaceAll(v.Text, dir, "DIR"))
		}
	}
	if d := cmp.Diff([]string{"toy", "DIR/a.onnx", "/b.onnx", "DIR/x/c.graph", filepath.Join(filepath.Dir(dir), "d.onnx"), "newton", "DIR/m.json", "newton+DIR/g.json"}, got); d != "" {
		t.Error(d)
	}
}

// TestChecked: a value that a machine refuses is an error only where a point has it, and not where another axis decides.
func TestChecked(t *testing.T) {
	base := func() *Spec {
		return &Spec{Axes: []Axis{
			{Name: models, Values: list("toy")}, {Name: machines, Values: list("toy,newton")}, {Name: "memory.pim_channels", Values: list("2,8")},
		}}
	}
	const refused = "--set memory.pim_channels: machine toy: memory.pim_channels: 8: at most memory.channels, 4, wanted"
	if _, err := New(base()); err == nil || err.Error() != refused {
		t.Errorf("%v: %s wanted", err, refused)
	}
	where := base()
	where.Where = []Text{{Text: `machine != "toy" || memory.pim_channels < 4`}}
	if s := made(t, where); s.Count() != 3 {
		t.Errorf("%d points", s.Count())
	}
	other := base()
	other.Put(Axis{Name: "memory.channels", Values: list("8,16")})
	made(t, other)
	zip := base()
	zip.Zip = []Group{{Axes: []string{machines, "memory.pim_channels"}}}
	if s := made(t, zip); s.Count() != 2 {
		t.Errorf("%d points", s.Count())
	}
	typed := other // a type is refused whatever the other axes are
	typed.Put(Axis{Name: "memory.pim_channels", Values: list("2,many")})
	if _, err := New(typed); err == nil || !strings.Contains(err.Error(), "many: a whole number wanted") {
		t.Error(err)
	}
}
