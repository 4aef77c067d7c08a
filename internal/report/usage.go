package report

import (
	"fmt"
	"slices"
	"strings"

	"pimflow/internal/plan"
	"pimflow/internal/usage"
)

// usageText writes what a plan and the GPU alone use of the machine, and the causes of each device's time.
func usageText(b *strings.Builder, u *usage.Network) {
	b.WriteByte('\n')
	t := table{{}, {right: true}, {right: true}, {right: true}, {right: true}}
	t.row("utilization", "GPU alone", "of peak", "plan", "of peak")
	percent := func(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }
	flow := func(name string, base, own usage.Flow) {
		t.row(name, fmt.Sprintf("%.1f", base.GBps), percent(base.Share), fmt.Sprintf("%.1f", own.GBps), percent(own.Share))
	}
	base, own := &u.Baseline, &u.Plan
	flow("GPU memory, GB/s", base.DRAM, own.DRAM)
	flow("PIM banks to multipliers, GB/s", base.Inner, own.Inner)
	flow("link, GB/s", base.Link, own.Link)
	t.row("GFLOP/s of the model", fmt.Sprintf("%.1f", base.GFLOPS), "", fmt.Sprintf("%.1f", own.GFLOPS), "")
	t.row("PIM channels busy, mean", "", percent(base.Channels), "", percent(own.Channels))
	t.row("  least and most", "", "", "", percent(own.ChannelsLeast)+", "+percent(own.ChannelsMost))
	hits := func(x *usage.Use) string {
		if x.Reads == 0 {
			return ""
		}
		return percent(float64(x.Hits) / float64(x.Reads))
	}
	t.row("row hits of column reads", fmt.Sprint(base.Hits), hits(base), fmt.Sprint(own.Hits), hits(own))
	t.row("row activations", fmt.Sprint(base.Activations), "", fmt.Sprint(own.Activations), "")
	least, most := powers(base)
	from, to := powers(own)
	t.row("power, least and most, W", least+", "+most, "", from+", "+to, "")
	t.write(b)

	b.WriteByte('\n')
	t = table{{}, {right: true}, {right: true}, {right: true}}
	t.row("causes of each device's time, us", "GPU alone", "GPU of plan", "PIM of plan")
	sums := [3]float64{}
	for _, cause := range causes(u) {
		cells := []string{"  " + cause}
		for k, x := range []struct {
			of  *usage.Use
			dev string
		}{{base, plan.GPU}, {own, plan.GPU}, {own, plan.PIM}} {
			ns := 0.0
			for _, s := range x.of.Stalls {
				if s.Device == x.dev && s.Cause == cause {
					ns += s.NS
				}
			}
			sums[k] += ns
			text := ""
			if ns > 0 {
				text = fmt.Sprintf("%.1f", ns/1e3)
			}
			cells = append(cells, text)
		}
		t.row(cells...)
	}
	t.row("sum", fmt.Sprintf("%.1f", sums[0]/1e3), fmt.Sprintf("%.1f", sums[1]/1e3), fmt.Sprintf("%.1f", sums[2]/1e3))
	t.write(b)
}

// powers are the least and the most of the intervals' powers, in W.
func powers(u *usage.Use) (least, most string) {
	var list []float64
	for i := range u.Power.GPU {
		list = append(list, u.Power.Standby+u.Power.GPU[i]+u.Power.PIM[i])
	}
	if len(list) == 0 {
		list = []float64{u.Power.Standby}
	}
	return fmt.Sprintf("%.1f", slices.Min(list)), fmt.Sprintf("%.1f", slices.Max(list))
}

// causes are those of either run, work before waits, in the order in which they come first.
func causes(u *usage.Network) (list []string) {
	for _, busy := range []bool{true, false} {
		for _, of := range []*usage.Use{&u.Baseline, &u.Plan} {
			for _, s := range of.Stalls {
				if s.Busy == busy && s.NS > 0 && !slices.Contains(list, s.Cause) {
					list = append(list, s.Cause)
				}
			}
		}
	}
	return list
}
