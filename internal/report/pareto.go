package report

import (
	"fmt"
	"strings"

	"pimflow"
)

// pareto writes the Pareto front.
func pareto(b *strings.Builder, r *pimflow.Report) {
	b.WriteString("\nPareto front of time and energy\n")
	t := table{{right: true}, {right: true}, {right: true}, {right: true}, {}, {}}
	t.row("ns", "speed-up", "mJ", "of GPU only", "policy", "objective")
	for _, p := range r.Pareto {
		t.row(fmt.Sprintf("%.1f", p.Total), fmt.Sprintf("%.3f", p.Speedup), mj(p.Energy), fmt.Sprintf("%.3f", p.Ratio), p.Policy, p.Objective)
	}
	t.write(b)
}
