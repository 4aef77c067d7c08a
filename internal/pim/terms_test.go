package pim

import (
	"testing"

	"pgregory.net/rapid"

	"pimflow/internal/device"
	"pimflow/internal/graph"
)

// TestTerms: terms add up to the time, none is 0, only overlap is below 0, each word is
// there once, and Bound is the largest of what it compares.
func TestTerms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := anyConv(t)
		m := anyMachine(t)
		if rapid.Bool().Draw(t, "link") {
			m.Link = machineOf(t, "newton").Link
			m.Link.Launch = rapid.SampledFrom([]int64{0, 300, 5000}).Draw(t, "launch")
			m.Link.PerByte = rapid.SampledFrom([]float64{0, 1, 100}).Draw(t, "link of bytes")
			m.Link.Finish.PerOp = rapid.SampledFrom([]float64{0, 10, 1000}).Draw(t, "finish")
		}
		code := compile(t, m, anyChannels(t), n.g, graph.Cut{Node: n.id, Box: anyBox(t, n.g.Nodes[n.id].Shape)})
		cost, sum, at := code.Cost(), device.Time(0), map[string]device.Time{}
		for _, x := range code.Breakdown() {
			if _, ok := at[x.Name]; ok || x.Time == 0 || x.Time < 0 && x.Name != "overlap" {
				t.Fatalf("%s %v in %v", x.Name, x.Time, code.Breakdown())
			}
			at[x.Name] = x.Time
			sum += x.Time
		}
		if sum != cost.Time {
			t.Fatalf("%v of %v in %v", sum, cost.Time, code.Breakdown())
		}
		switch around := at["launch"] + at["latency"]; cost.Bound {
		case "launch":
			if around <= cost.Time-around {
				t.Fatalf("bound by launch: %v", code.Breakdown())
			}
		case "link", "finish":
			if at[cost.Bound] == 0 || around > cost.Time-around {
				t.Fatalf("bound by %s: %v", cost.Bound, code.Breakdown())
			}
		default:
			for _, word := range []string{"mac", "activate", "write", "read", "mode", "refresh", "wait"} {
				if at[word] > at[cost.Bound]+1000 { // less than a cycle: rounding
					t.Fatalf("bound by %s: %v", cost.Bound, code.Breakdown())
				}
			}
			if at["link"]+at["finish"] > 0 || around > cost.Time-around {
				t.Fatalf("bound by %s: %v", cost.Bound, code.Breakdown())
			}
		}
	})
}
