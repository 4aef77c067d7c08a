package report

import (
	"fmt"
	"io"
	"strings"

	"pimflow"

	"pimflow/internal/fault"
	"pimflow/internal/hw"
	"pimflow/internal/sweep"
)

// LaunchesSchema names the form of Launches' JSON.
const LaunchesSchema = "pimflow.launches/1"

// Launches holds the effects of launch latencies on networks on a machine.
type Launches struct {
	Schema  string         `json:"schema"`
	Machine string         `json:"machine"`
	Policy  string         `json:"policy"`
	Clock   float64        `json:"gpu_ps"` // period of the cycles
	Models  []LaunchResult `json:"models"`
}

// LaunchResult holds the rows of one network.
type LaunchResult struct {
	Model string      `json:"model"`
	Rows  []LaunchRow `json:"rows"`

	bindings []pimflow.Binding // what the model's file leaves open
}

// LaunchRow is the plan for one launch latency of the GPU and one of the PIM.
type LaunchRow struct {
	Fused        bool    `json:"fused"` // one GPU kernel for each convolution, not three
	GPU          int64   `json:"gpu_launch_ck"`
	PIM          int64   `json:"pim_launch_ck"` // cycles of the GPU's clock
	Joint        bool    `json:"pim_launch_joint"`
	Own          bool    `json:"own"`         // the unchanged machine
	Baseline     float64 `json:"baseline_ns"` // GPU alone
	Total        float64 `json:"total_ns"`
	Speedup      float64 `json:"speedup"`
	NotGPU       int     `json:"layers_not_gpu"`       // number of layers that are not whole on the GPU
	BaseLaunches float64 `json:"baseline_launches_ns"` // summed over its kernels
	Launches     float64 `json:"launches_ns"`          // summed over the plan's kernels and PIM work
	Gain         float64 `json:"gain_ns"`              // Baseline - Total
	Removed      float64 `json:"removed_ns"`           // BaseLaunches - Launches
	Share        float64 `json:"removed_share"`        // Removed / Gain; 0 without a gain
	FreeGain     float64 `json:"free_gain_ns"`         // of the same plan with launches of no time
	FreeSpeedup  float64 `json:"free_speedup"`
}

// Add appends a network, whose file leaves some dimensions open.
func (l *Launches) Add(model string, open []pimflow.Binding, rows []sweep.Launch) {
	r := LaunchResult{Model: model, bindings: open}
	for i := range rows {
		x := &rows[i]
		row := LaunchRow{
			Fused: x.Fused, GPU: x.GPU, PIM: x.PIM, Joint: x.Joint, Own: x.Own, Baseline: x.Baseline.NS(), Total: x.Total.NS(), Speedup: x.Speedup(), NotGPU: x.Layers,
			BaseLaunches: x.BaseLaunches.NS(), Launches: x.Launches.NS(), Gain: x.Gain().NS(), Removed: x.Removed().NS(),
			FreeGain: (x.Free.Baseline - x.Free.Total).NS(), FreeSpeedup: x.Free.Speedup(),
		}
		if row.Gain > 0 {
			row.Share = row.Removed / row.Gain
		}
		r.Rows = append(r.Rows, row)
	}
	l.Models = append(l.Models, r)
}

// Text writes a table a network.
func (l *Launches) Text(w io.Writer, m *hw.Machine) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "machine %s, policy %s; times in ns, launches in cycles of the GPU's %.4f ns\n", l.Machine, l.Policy, l.Clock/1e3)
	for _, r := range l.Models {
		fmt.Fprintf(b, "\n%s\n%s", fault.Name(r.Model), bindings(r.bindings))
		r.table(b, m)
	}
	_, err := io.WriteString(w, trimLines(b.String()))
	return err
}

func (r *LaunchResult) table(b *strings.Builder, m *hw.Machine) {
	t := table{{}, {right: true}, {right: true}, {right: true}}
	for range 11 {
		t = append(t, column{right: true})
	}
	t[len(t)-1].right = false
	t.row("GPU kernels", "launch", "us", "PIM launch", "GPU only", "plan", "speed-up", "not on GPU", "launches of both", "", "gain", "launches removed", "of gain", "launches free", "")
	for _, x := range r.Rows {
		kernels, own, share := "unfused", "", "-"
		if x.Fused {
			kernels = "fused"
		}
		if x.Own {
			own = "the machine"
		}
		if x.Gain > 0 {
			share = fmt.Sprintf("%.1f %%", 100*x.Share)
		}
		t.row(kernels, fmt.Sprint(x.GPU), fmt.Sprintf("%.2f", float64(m.GPU.Clock.PS(x.GPU))/1e6), x.pim(),
			fmt.Sprintf("%.1f", x.Baseline), fmt.Sprintf("%.1f", x.Total), fmt.Sprintf("%.3f", x.Speedup), fmt.Sprint(x.NotGPU),
			fmt.Sprintf("%.1f", x.BaseLaunches), fmt.Sprintf("%.1f", x.Launches),
			fmt.Sprintf("%.1f", x.Gain), fmt.Sprintf("%.1f", x.Removed), share, fmt.Sprintf("%.3f", x.FreeSpeedup), own)
	}
	t.write(b)
}

// pim describes the launches of PIM work.
func (x *LaunchRow) pim() string {
	switch {
	case x.PIM == 0:
		return "0"
	case x.Joint:
		return fmt.Sprintf("%d fused", x.PIM)
	}
	return fmt.Sprintf("%d each", x.PIM)
}
