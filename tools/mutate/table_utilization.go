package main

import "slices"

// utilizations are faults of what the time of a timeline is said to go to.
var utilizations = slices.Concat(
	file("internal/utilization/terms.go", in("internal/utilization", ""),
		row{"a fused launch is a term", `x.Time -= s.Code.Cost().Fusible`, `x.Time -= 0`},
		row{"bandwidth that is shared is no term", `longer > 0 {`, `longer > 1<<40 {`},
		row{"what overlaps is not reduced", `device.Scale(rest, sum, left, cost.Bound)...`, `device.Fill(rest, left)...`},
	),
	file("internal/utilization/share.go", in("internal/utilization", ""),
		row{"an instant is each device's whole", `2 * dt / device.Time(len(now))`, `2 * dt`},
		row{"an instant without work is nobody's", `idle[k] += dt`, `idle[k] += 0`},
	),
	file("internal/utilization/stall.go", in("internal/utilization", ""),
		row{"a device that has ended waits for nothing", `tl.Total-end, 0)`, `0*end, 0)`},
		row{"waits are not counted", `waits[i].Idle, 0)`, `0, 0)`},
	),
	file("internal/utilization/wait.go", in("internal/utilization", "TestWaits$"),
		row{"what only goes first is read", `reads && !Reads(tl.Program, i, j)`, `false`},
		row{"a device was free from the start", `free = tl.Spans[j].End`, `free = tl.Spans[j].Start`},
	),
	file("internal/utilization/class.go", in("internal/utilization", "TestClass$"),
		row{"each group has one channel", `n > 1 && n == in[1]`, `n > 1 && in != nil`},
		row{"what is read twice has twice the bytes", `!slices.Contains(in[:i], in[i])`, `!slices.Contains(in[:0], in[i])`},
	),
	file("internal/utilization/power.go", in("internal/utilization", "TestSums$"),
		row{"each interval has the energy of all", `share * cost.Energy`, `(1 + 0*share) * cost.Energy`},
	),
	file("utilize.go", in(".", "TestUtilization$"),
		row{"the plan's channels carry the baseline", `u.use(r, r.Baseline, macs`, `u.use(r, r.Timeline, macs`},
		row{"layers are alone as long as their last piece", `.Use.Baseline += x.End - x.Start`, `.Use.Baseline = x.Start`},
	),
	file("internal/pim/activity.go", in(".", "TestUtilization$"),
		row{"a column read is one bank's", `n.N * int64(d.units)`, `n.N`},
		row{"the GPU's channels carry nothing of the PIM", `a.DRAM, a.L2 = float64(w.unique)`, `a.DRAM, a.L2 = 0*float64(w.unique)`},
	),
)
