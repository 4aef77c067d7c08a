package pimflow

import (
	"context"
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
