package main

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"pimflow/internal/result"
	"pimflow/internal/space"
)

// fixed is an engine whose points take 100 with a plan of their own, and 1 per cent more for each unit of their numbers with that of others.
type fixed struct{ searched *[]int }

func (f fixed) run(_ context.Context, tasks iter.Seq[space.Task], emit func(*result.Row, bool) error) error {
	for t := range tasks {
		r := &result.Row{Point: t.Index, Model: t.Model, Total: 100, Energy: 1, Search: space.Full}
		if len(t.Starts) > 0 {
			r.Search, r.Total = space.Anchors, 100+float64(t.Index)
		} else {
			*f.searched = append(*f.searched, t.Index)
		}
		if err := emit(r, false); err != nil {
			return err
		}
	}
	return nil
}

// spaceOf is a space with axes as flags have them.
func spaceOf(t *testing.T, spec *space.Spec, axes ...string) *space.Space {
	t.Helper()
	for _, a := range axes {
		name, text, _ := strings.Cut(a, "=")
		values, err := space.ParseValues(text)
		if err != nil {
			t.Fatal(err)
		}
		spec.Put(space.Axis{Name: name, Values: values})
	}
	s, err := space.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestComparison: few of the points that take plans of others are searched, by a fixed draw, and what they lose is told.
func TestComparison(t *testing.T) {
	s := spaceOf(t, &space.Spec{}, "models=toy", "memory.pim_channels=1..16", "pim.buffers=1..4")
	var first []int
	for range 2 {
		var searched []int
		var out strings.Builder
		if err := sweepSpace(bare(t, &out), s, fixed{&searched}, "", form{}); err != nil {
			t.Fatal(err)
		}
		anchors := 16
		if len(searched) != anchors+leastOf {
			t.Fatalf("points %v are searched: %d anchors and %d wanted", searched, anchors, leastOf)
		}
		sum, worst := 0, 0
		for _, n := range searched[anchors:] {
			sum, worst = sum+n, max(worst, n)
		}
		if want := fmt.Sprintf("%d points with the plans of others, drawn and searched, too: losses at %d, %d.00 %% at most, %.2f %% in the mean of all\n", leastOf, leastOf, worst, float64(sum)/leastOf); !strings.Contains(out.String(), want) {
			t.Errorf("%s\n%q wanted", out.String(), want)
		}
		if first != nil && !slices.Equal(first, searched) {
			t.Errorf("points %v, then %v", first, searched)
		}
		first = searched
	}
}
