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

// TestAnchors: corners by hand, what takes their place, and the nearest of them.
func TestAnchors(t *testing.T) {
	base := func() *Spec {
		return &Spec{Axes: []Axis{
			{Name: models, Values: list("toy")}, {Name: machines, Values: list("toy")}, {Name: policies, Values: list("auto,gpu")},
			{Name: "memory.pim_channels", Values: list("1..4")}, {Name: "pim.timing.ccds_ck", Values: list("2,3,4")},
		}}
	}
	anchors := func(s *Space) (list []int) {
		for i := range s.Indexes() {
			if len(s.Starts(i)) == 0 {
				list = append(list, i)
			}
		}
		return list
	}
	s := made(t, base())
	if got := anchors(s); !slices.Equal(got, []int{0, 2, 9, 11, 12, 14, 21, 23}) {
		t.Errorf("anchors %v", got)
	}
	if got := s.Starts(4); !slices.Equal(got, []int{0, 2, 9, 11}) { // 1/3 + 1/2 from the first two
		t.Errorf("starts %v", got)
	}
	if got := s.Starts(19); !slices.Equal(got, []int{21, 23, 12, 14}) {
		t.Errorf("starts %v", got)
	}
	excluded := base()
	excluded.Where = []Text{{Text: "memory.pim_channels * pim.timing.ccds_ck < 16"}} // the last corners
	if got := anchors(made(t, excluded)); !slices.Equal(got, []int{0, 2, 8, 9, 12, 14, 20, 21}) {
		t.Errorf("anchors %v", got)
	}
	refused := base()
	refused.Axes = refused.Axes[:3]
	refused.Put(Axis{Name: "pim.banks", Values: list("4,8,16")})
	refused.Put(Axis{Name: "pim.bank_groups", Values: list("2,4,8")}) // banks 4 in 8 groups are refused
	if got := anchors(made(t, refused)); !slices.Equal(got, []int{0, 1, 6, 8, 9, 10, 15, 17}) {
		t.Errorf("anchors %v", got)
	}
	many := base()
	for _, key := range []string{"pim.timing.cl_ck", "pim.timing.act_act_ck", "pim.timing.rfc_ck", "gpu.launch_ck"} {
		many.Put(Axis{Name: key, Values: list("30,31,32")})
	}
	s = made(t, many)
	if got := s.anchorsOf(0); len(got) != maxCorners {
		t.Errorf("%d anchors", len(got))
	}
	for n, want := range map[int][]int{4: {0, 2, 9, 11, 12, 14, 21, 23}, 6: {0, 2, 6, 8, 9, 11, 12, 14, 18, 20, 21, 23}, 8: {0, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18, 20, 21, 23}} {
		more := base()
		more.Anchors.N = n
		if got := anchors(made(t, more)); !slices.Equal(got, want) {
			t.Errorf("%d anchors: %v, %v wanted", n, got, want)
		}
	}
	full := base()
	full.Search = Text{Text: Full}
	if got := anchors(made(t, full)); len(got) != 24 {
		t.Errorf("anchors %v", got)
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
