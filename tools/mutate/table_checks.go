package main

import "slices"

// everyMachine are all machines: of each standard, scheme and number format.
var everyMachine = []string{"newton", "artifact", "aim", "toy"}

// checks are faults of values that pimflow's own comparison must see, on every machine.
var checks = slices.Concat(
	file("internal/published/kernels.go", in("internal/published", "^TestKernel.*$"),
		row{"ranges that overlap differ", `case r.High < r.KernelClaim.Low:`, `case r.High < r.KernelClaim.High:`},
		row{"a value that is missing differs", `case r.Missing != "":`, `case false:`},
		row{"the pins of one channel are those of all", `/ float64(m.Memory.Channels) * 1e3`, `* 1e3`},
		row{"results of a kernel pass no pins", `matrix + 2*rows`, `matrix + rows`},
		row{"the units of one channel are those of all", `each / float64(m.Memory.Channels)`, `each`},
		row{"channels that compute take the link of the machine's file", `platform.WithChannels(m, m.Memory.Channels)`, `platform.WithChannels(m, m.Memory.PIMChannels)`},
		row{"claims are about every machine", `of.PIM.Standard == m.PIM.Standard`, `of.PIM.Standard != ""`},
		row{"kernels do not stop", `if err := ctx.Err(); err != nil {
				return nil, err
			}
`, ``},
	),
	file("internal/pim/finisher.go", check("run toy --policy by-operator --check", everyMachine...),
		row{"the bias of a channel is its neighbour's, by the check", `step = f.layer.added(out)`, `step = f.layer.added(max(0, out-1))`},
	),
	file("internal/pim/exact.go", check("run toy --policy by-operator --check", everyMachine...),
		row{"the last result of a channel is lost, by the check", `n := len(sums.Rounded); n > 0`, `n := len(sums.Rounded) - 1; n > 0`},
		row{"a channel's results replace those before, by the check", `vector.Add(to, to, sums.Rounded)`, `vector.Shift(to, sums.Rounded, 1.5)`},
	),
	file("internal/pim/eval.go", check("run toy --policy by-operator --check", everyMachine...),
		row{"padding is 1, by the check", `clear(v[first+i : first+next])`, `v[first+i] = 1`},
		row{"a halo row is read from its neighbour, by the check", `origin[window] = at*a.stride - a.pad`, `origin[window] = at*a.stride - a.pad + 1`},
		row{"an epilogue is applied twice, by the check", `c.graph.Finish(c.cut, e.In, e.Dst)`, `c.graph.Finish(c.cut, e.In, e.Dst)
	for i := range e.Dst.Floats() {
		e.Dst.Floats()[i] *= 1.5
	}`},
	),
	file("internal/pim/perform.go", check("run toy --policy by-operator --check=exact", everyMachine...),
		row{"one product is left out, by the exact check", `r.w.V[from-r.at:], Step: r.w.Step}, to - from`, `r.w.V[from-r.at:], Step: r.w.Step}, to - from - 1`},
		row{"a unit multiplies the row of its neighbour, by the exact check", `vector.Add(s.v, s.v, ch.dots)`, `vector.Add(s.v[1:], s.v[1:], ch.dots[:len(ch.dots)-1])`},
	),
	file("internal/pim/writer.go", check("run toy --policy by-operator --check", everyMachine...),
		row{"commands of a loop take the same inputs, by the check", `p.source + n*q.source`, `p.source`},
		row{"outputs of a group are put one further, by the check", `group = address{row: 1, result: w.d.outputs}`, `group = address{row: 1, result: w.d.outputs + 1}`},
	),
)
