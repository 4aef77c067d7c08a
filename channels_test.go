package pimflow

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// TestSwap: a number of PIM channels whose own search found a worse plan gets that of another number.
func TestSwap(t *testing.T) {
	s := openToy(t, "newton")
	few, err := s.withChannels(8)
	if err != nil {
		t.Fatal(err)
	}
	good, err := few.Plan(t.Context(), Search{})
	if err != nil {
		t.Fatal(err)
	}
	poor, err := s.Plan(t.Context(), Search{Policy: "by-operator"})
	if err != nil {
		t.Fatal(err)
	}
	before, all := poor.result.Value, poor.target.PIMChannels
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	if err := swap(stopped, []*Plan{good, poor}); err != nil || poor.result.Value != before {
		t.Errorf("%v: %v after the end of the context, %v before", err, poor.result.Value, before)
	}
	want := good.result.Value
	if err := swap(t.Context(), []*Plan{good, poor}); err != nil {
		t.Fatal(err)
	}
	if good.result.Value != want || good.plan.PIMChannels != 8 {
		t.Errorf("the better plan changed: %v with %d channels", good.result.Value, good.plan.PIMChannels)
	}
	if poor.result.Value >= before || poor.plan.PIMChannels != all || len(poor.plan.Segments) != len(good.plan.Segments) {
		t.Errorf("%v with %d channels, %v before", poor.result.Value, poor.plan.PIMChannels, before)
	}
}

// TestPlaced: plans that differ in no more than the machine that they were made for are one plan, and are timed once.
func TestPlaced(t *testing.T) {
	s := openToy(t, "newton")
	print := func(n int, launch string) string {
		m, err := s.Machine().Set(fmt.Sprintf("memory.pim_channels=%d", n), "link.pim_launch_ck="+launch)
		if err != nil {
			t.Fatal(err)
		}
		on, err := s.On(m)
		if err != nil {
			t.Fatal(err)
		}
		p, err := on.Plan(t.Context(), Search{Policy: "newton+"})
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := p.Print(&b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	texts := []string{print(8, "4000"), print(8, "4001"), print(4, "4000")}
	if list, err := s.parse(texts); err != nil || len(list) != 2 || list[0].PIMChannels != 8 || list[1].PIMChannels != 4 {
		t.Errorf("%v: %d plans of\n%s", err, len(list), strings.Join(texts, "\n"))
	}
}
