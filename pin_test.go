package pimflow

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"pimflow/internal/fault"
)

// openToy is the toy network on a machine.
func openToy(t *testing.T, machine string) *Session {
	t.Helper()
	s, err := Open(t.Context(), "toy", Options{Machine: machine})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// TestPinsHold searches with pins under every policy: all tiles of a pinned layer are on its device, and the GPU alone
// takes as long as without.
func TestPinsHold(t *testing.T) {
	for _, machine := range []string{"newton", "aim"} {
		s := openToy(t, machine)
		free, err := s.Plan(context.Background(), Search{})
		if err != nil {
			t.Fatal(err)
		}
		for _, pins := range [][]string{
			{"fc=gpu"},
			{"block.*=pim", "block.project=gpu"},
			{"*=gpu", "head.conv=pim"},
			{"*=pim"},
		} {
			for _, policy := range Policies() {
				how := Search{Policy: policy, Pins: pins}
				p, err := s.Plan(context.Background(), how)
				want, _ := s.pinned(pins)
				if errors.Is(err, ErrNoDevice) && fault.Of(err) == fault.Infeasible && !slices.Contains([]string{"auto", "newton++", "pimflow"}, policy) {
					continue // a policy whose devices or layers are others
				}
				if err != nil {
					t.Fatalf("%s, %v, %s: %v", machine, pins, policy, err)
				}
				for _, st := range p.result.Timeline.Program.Steps {
					if dev := want[st.Node]; dev != "" && dev != st.Device {
						t.Errorf("%s, %v, %s: %s runs on %s", machine, pins, policy, s.graph.Nodes[st.Node].Name, st.Device)
					}
				}
				if p.result.Baseline.Total != free.result.Baseline.Total {
					t.Errorf("%s, %v, %s: the GPU alone takes %v, without pins %v", machine, pins, policy, p.result.Baseline.Total, free.result.Baseline.Total)
				}
				if p.result.Bound > p.result.Timeline.Total {
					t.Errorf("%s, %v, %s: a bound of %v above the plan's %v", machine, pins, policy, p.result.Bound, p.result.Timeline.Total)
				}
			}
		}
	}
}

// TestPinsOfLayers finds the layers of pins: by name before by pattern, the last counts, and to the PIM those of a pattern that
// it executes.
func TestPinsOfLayers(t *testing.T) {
	s := openToy(t, "newton")
	find := func(pins ...string) string {
		at, err := s.pinned(pins)
		if err != nil {
			return err.Error()
		}
		var list []string
		for i := range s.graph.Nodes {
			if dev := at[s.graph.Nodes[i].ID]; dev != "" {
				list = append(list, s.graph.Nodes[i].Name+"="+dev)
			}
		}
		return strings.Join(list, " ")
	}
	for _, test := range []struct {
		pins []string
		want string
	}{
		{[]string{"fc=gpu"}, "fc=gpu"},
		{[]string{"block.se.*=pim"}, "block.se.fc1=pim block.se.fc2=pim"},
		{[]string{"b*k.se.f*1=gpu"}, "block.se.fc1=gpu"},
		{[]string{"block.se.fc?=gpu"}, `pin "block.se.fc?=gpu": no layer of toy is called "block.se.fc?" (did you mean "block.se.fc1"?)`},
		{[]string{"head.*=gpu", "head.conv=pim"}, "head.conv=pim head.pool=gpu"},
		{[]string{"head.conv=pim", "head.*=gpu"}, "head.conv=gpu head.pool=gpu"},
		{[]string{"stem.pool=pim"}, `pin "stem.pool=pim": MaxPool: no product of matrices: not supported by the device`},
		{[]string{"stem.p*=pim"}, `pin "stem.p*=pim": MaxPool: no product of matrices: not supported by the device`},
		{[]string{"fc=tpu"}, `pin "fc=tpu": device "tpu": gpu or pim wanted`},
		{[]string{"=gpu"}, `pin "=gpu": LAYERS=gpu or LAYERS=pim wanted`},
		{[]string{"fc"}, `pin "fc": LAYERS=gpu or LAYERS=pim wanted`},
	} {
		if got := find(test.pins...); got != test.want {
			t.Errorf("%v: %s, %s wanted", test.pins, got, test.want)
		}
	}
}
