package explain

import (
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/run"
)

// Chain says what the PIM work of a plan spends on values that other PIM work reads: each leaves the channels, and comes back. Its times
// are upper bounds of what a system could save that keeps these values in the channels. A step counts in full, even if only some of
// what it makes is read by PIM work, or only some of what it reads was made by PIM work.
type Chain struct {
	Steps int           // on the PIM
	Among int           // of these, that read a value of another or make one
	Terms []device.Term // by name of chainTerms, their sums over the steps
	Free  device.Time   // what the plan takes if these terms take no time
}

// chainTerms are the terms of a PIM step's time (device.Breakdown) that move values: how much of each moves what the step makes,
// and how much what it reads. The latency of the link is that of both ways.
var chainTerms = []struct {
	name       string
	made, read device.Time // halves
}{{"read", 2, 0}, {"latency", 1, 1}, {"link", 2, 2}, {"finish", 2, 0}, {"write", 0, 2}}

// ChainOf is the chain of a timeline.
func ChainOf(tl *run.Timeline) *Chain {
	c := &Chain{}
	for _, x := range chainTerms {
		c.Terms = append(c.Terms, device.Term{Name: x.name})
	}
	steps := tl.Program.Steps
	made, read := make([]bool, len(steps)), make([]bool, len(steps)) // by step: other PIM work reads what it makes; it reads what that makes
	for i := range steps {
		for _, j := range steps[i].After {
			if steps[i].Device == plan.PIM && steps[j].Device == plan.PIM && takes(tl.Program.Graph, &steps[i], &steps[j]) {
				read[i], made[j] = true, true
			}
		}
	}
	p := &program.Program{Graph: tl.Program.Graph, Steps: slices.Clone(steps)}
	for i := range steps {
		if steps[i].Device != plan.PIM {
			continue
		}
		c.Steps++
		if !made[i] && !read[i] {
			continue
		}
		c.Among++
		saved, cost := device.Time(0), steps[i].Code.Cost()
		for _, t := range device.Breakdown(steps[i].Code) {
			for k, x := range chainTerms {
				if x.name != t.Name {
					continue
				}
				halves := device.Time(0)
				if made[i] {
					halves = x.made
				}
				if read[i] {
					halves = min(2, halves+x.read)
				}
				c.Terms[k].Time += halves * t.Time / 2
				saved += halves * t.Time / 2
			}
		}
		cost.Time -= min(saved, cost.Time-cost.Launch) // terms may overlap
		cost.Memory = min(cost.Memory, cost.Time)
		p.Steps[i].Code = costing{steps[i].Code, cost}
	}
	c.Free = run.Time(p).Total
	return c
}

// takes reports whether a step reads any value of another.
func takes(g *graph.Graph, s, of *program.Step) bool {
	need := g.Need(s.Cut)
	for k, x := range g.Nodes[s.Node].In {
		if x == of.Node && !of.Box.Intersect(need[k]).Empty() {
			return true
		}
	}
	return false
}

// costing is code with another cost.
type costing struct {
	device.Code
	cost device.Cost
}

func (c costing) Cost() device.Cost { return c.cost }

// Sum is the time of all terms.
func (c *Chain) Sum() (t device.Time) {
	for _, x := range c.Terms {
		t += x.Time
	}
	return t
}
