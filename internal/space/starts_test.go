package space

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestStarts: what holds of anchors for every space.
func TestStarts(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		spec := drawnSpec(r)
		spec.Search = Text{}
		s, err := New(spec)
		if err != nil {
			return
		}
		anchors := map[int]bool{}
		for i := range s.Indexes() {
			if len(s.Starts(i)) == 0 {
				anchors[i] = true
			}
		}
		for i := range s.Indexes() {
			list := s.Starts(i)
			p := s.At(i)
			for _, a := range list {
				q := s.At(a)
				q.Set, q.Index, p.Set, p.Index = nil, 0, nil, 0
				if !anchors[a] || !s.Has(a) || cmp.Diff(p, q) != "" {
					r.Fatalf("point %d starts from %d: %+v", i, a, s.At(a))
				}
			}
			if len(list) > starts || len(slices.Compact(slices.Sorted(slices.Values(list)))) != len(list) {
				r.Fatalf("point %d starts from %v", i, list)
			}
		}
	})
}

// searched lists the points without starts.
func searched(s *Space) (list []int) {
	for i := range s.Indexes() {
		if len(s.Starts(i)) == 0 {
			list = append(list, i)
		}
	}
	return list
}

// TestAnchors: how many points of a family are anchors, that they are in the space, that machines take them, and that no two are one.
func TestAnchors(t *testing.T) {
	for _, c := range []struct {
		name  string
		axes  string // values of memory.pim_channels of 4
		where string
		most  int
		want  int // of each family
	}{
		{"few points", "1..4", "", 0, 12},
		{"many", "1..4", "", 5, 5},
		{"more than there are", "1..4", "", 100, 12},
		{"a constraint", "1..4", "memory.pim_channels * pim.timing.ccds_ck < 7", 5, 5},
		{"few that are allowed", "1..4", "memory.pim_channels * pim.timing.ccds_ck < 5", 5, 4},
	} {
		spec := &Spec{Axes: []Axis{
			{Name: models, Values: list("toy")}, {Name: machines, Values: list("toy")}, {Name: policies, Values: list("auto,gpu")},
			{Name: "memory.pim_channels", Values: list(c.axes)}, {Name: "pim.timing.ccds_ck", Values: list("2,3,4")},
		}}
		if spec.Anchors.N = c.most; c.where != "" {
			spec.Where = []Text{{Text: c.where}}
		}
		s := made(t, spec)
		got := searched(s)
		for f := range 2 {
			n := 0
			for _, i := range got {
				if i/12 == f {
					n++
				}
			}
			if n != c.want {
				t.Errorf("%s: %d anchors in family %d: %v", c.name, n, f, got)
			}
		}
	}
	refused := &Spec{Axes: []Axis{
		{Name: models, Values: list("toy")}, {Name: machines, Values: list("toy")},
		{Name: "pim.banks", Values: list("4,8,16")}, {Name: "pim.bank_groups", Values: list("2,4,8")}, // banks 4 in 8 groups are refused
	}}
	for n, want := range map[int][]int{8: {0, 1, 3, 4, 5, 6, 7, 8}, 9: {0, 1, 3, 4, 5, 6, 7, 8}} {
		refused.Anchors.N = n
		if a := made(t, refused).anchorsOf(0).points; !slices.Equal(a, want) {
			t.Errorf("%d anchors %v: point 2 has no machine", n, a)
		}
	}
	full := &Spec{Axes: []Axis{{Name: models, Values: list("toy")}, {Name: "pim.timing.ccds_ck", Values: list("2..41")}}, Search: Text{Text: Full}}
	if got := searched(made(t, full)); len(got) != 40 {
		t.Errorf("%d points are searched", len(got))
	}
	full.Search = Text{}
	if got := searched(made(t, full)); len(got) != fewest {
		t.Errorf("anchors %v", got)
	}
	many := &Spec{Axes: []Axis{{Name: models, Values: list("toy")}, {Name: "gpu.launch_ck", Values: list("0..99")}, {Name: "pim.timing.ccds_ck", Values: list("2..41")}}}
	if got := searched(made(t, many)); len(got) != 4000/share {
		t.Errorf("%d anchors", len(got))
	}
	many.Sample = &Sample{Points: 100, Method: Random}
	if s := made(t, many); len(searched(s)) != fewest {
		t.Errorf("anchors of a sample: %v", searched(s))
	}
}

// TestLattice: every slice of a family has its share of the anchors.
func TestLattice(t *testing.T) {
	s := made(t, &Spec{Axes: []Axis{
		{Name: models, Values: list("toy")}, {Name: "pim.timing.ccds_ck", Values: list("2..9")}, {Name: "pim.buffers", Values: list("1..8")}, {Name: "launch.pim", Values: list("each,joint")},
		{Name: "gpu.launch_ck", Values: list("0..7")},
	}})
	const n = 64
	for k, r := range s.rulers {
		by := make([]int, r.size)
		for i := range s.lattice(0, n) {
			by[i/r.step%r.size]++
		}
		if slices.Max(by) > n/r.size+3 || slices.Min(by) < n/r.size-3 {
			t.Errorf("ruler %d: %v of %d points", k, by, n)
		}
	}
	first := slices.Collect(s.lattice(0, 1))
	if want := []int{4*128 + 4*16 + 1*8 + 4}; !slices.Equal(first, want) { // the middle
		t.Errorf("first %v, %v wanted", first, want)
	}
	if got := powers(1)[0]; got != 11400714819323198485 && got != 11400714819323198485-1 { // of the golden ratio
		t.Errorf("golden ratio: %d", got)
	}
}

// TestNearest: numbers are apart by their logarithms, texts by more than any number, and of equal distances the first point is nearer.
func TestNearest(t *testing.T) {
	s := made(t, &Spec{Axes: []Axis{{Name: models, Values: list("toy")}, {Name: "launch.pim", Values: list("each,joint")}, {Name: "pim.buffers", Values: list("1,2,4,8,16,64")}}})
	s.anchors[0] = &anchors{}
	for _, i := range []int{0, 1, 3, 5, 6, 11} {
		s.anchors[0].points = append(s.anchors[0].points, i)
		for k := range s.rulers {
			s.anchors[0].at = append(s.anchors[0].at, s.rulers[k].place(i))
		}
	}
	for i, want := range map[int][]int{2: {1, 3, 0, 5}, 4: {3, 5, 1, 0}, 9: {6, 11, 3, 1}, 1: nil} {
		if got := s.Starts(i); !slices.Equal(got, want) {
			t.Errorf("point %d starts from %v, %v wanted", i, got, want)
		}
	}
	if p := places([]string{"0", "10", "5"}); !slices.Equal(p, []int{0, scale, scale / 2}) {
		t.Errorf("numbers of which one is 0: %v", p)
	}
	if p := places([]string{"1", "x"}); p != nil {
		t.Errorf("texts: %v", p)
	}
}

// TestAll: every point takes the plans of all points of its family that are in the space, its own first; one that is alone is searched. A
// family of more points than a job has starts is an error.
func TestAll(t *testing.T) {
	spec := func(channels string) *Spec {
		return &Spec{Search: Text{Text: All}, Where: []Text{{Text: "memory.pim_channels != 2"}, {Text: `policy != "gpu" || memory.pim_channels == 3`}}, Axes: []Axis{
			{Name: models, Values: list("toy")}, {Name: machines, Values: list("toy")}, {Name: policies, Values: list("auto,gpu")},
			{Name: "memory.pim_channels", Values: list(channels)},
		}}
	}
	s := made(t, spec("1..4"))
	got := map[int][]int{}
	for task := range s.Tasks() {
		got[task.Index] = nil
		for _, p := range task.Starts {
			got[task.Index] = append(got[task.Index], p.Index)
		}
		if task.Search != All {
			t.Errorf("point %d: search %q", task.Index, task.Search)
		}
	}
	if d := cmp.Diff(map[int][]int{0: {0, 2, 3}, 2: {2, 0, 3}, 3: {3, 0, 2}, 6: nil}, got); d != "" {
		t.Error(d)
	}
	large := spec("1..4")
	large.Axes = append(large.Axes, Axis{Name: "gpu.launch_ck", Values: list("1..86")})
	if _, err := New(large); err == nil || err.Error() != "--search: all: a family has more than 256 points: fewer values or a sample wanted" {
		t.Error(err)
	}
	large.Axes[4].Values = list("1..85") // of 3 numbers of channels
	made(t, large)
}
