package main

import "slices"

// programs are faults of units that execute programs, and of the streams that feed them.
var programs = slices.Concat(
	file("internal/pim/unit/execute.go", in("internal/pim/unit", ""),
		row{"a loop runs once more", `c.loop, c.left = c.pc+1, i.Count`, `c.loop, c.left = c.pc+1, i.Count+1`},
		row{"EXIT leaves the channel in AB-PIM mode", `c.mode, c.pc = AB, 0`, `c.pc = 0`},
		row{"the row selects no register", `address := row*Columns + col`, `address := col`},
		row{"fixed registers follow the address", `if i.AAM && !o.Fixed {`, `if i.AAM {`},
		row{"a fused MAC rounds its product", `to[l] = half(float64(a[l])*float64(b[l]) + float64(s[l]))`, `to[l] = half(float64(half(float64(a[l])*float64(b[l]))) + float64(s[l]))`},
		row{"loops may be inside loops", `case c.loop > 0 && c.loop != c.pc+1:`, `case false:`},
		row{"a register may be read that was not written", `if f == Bank || r.known[f]>>n&1 == 1 {`, `if true {`},
	),
	file("internal/pim/unit/channel.go", in("internal/pim/unit", ""),
		row{"scalars are exchanged", `r.srf[0][i], r.srf[1][i] = d.half(i), d.half(Registers+i)`, `r.srf[1][i], r.srf[0][i] = d.half(i), d.half(Registers+i)`},
		row{"a row that is closed is read", `case row < 0 || c.open[bank] != row+1:`, `case row < 0:`},
		row{"the mode changes with rows open", `if !c.Closed() {
			return`, `if false {
			return`},
	),
	file("internal/pim/unit/instruction.go", in("internal/pim/unit", ""),
		row{"JUMP goes forward", `far, w = -far, w|1<<18`, `far = -far`},
		row{"the fixed bit is that of the index", `w>>(index+3)&1 == 1}`, `w>>(index+2)&1 == 1}`},
	),
	file("internal/pim/registers_stream.go", in("internal/pim", "^(TestPrograms|TestProgramOrder)$"),
		row{"accumulators are not cleared", `st = v.register(w, unit.RowGRF, clear)`, `_ = clear`},
		row{"a program is loaded once for all", `if v.present != p {`, `if v.present == (crfProgram{}) {`},
		row{"the fifth group is in the row of the first", `v.products(w.ahead(1, address{row: 1})`, `v.products(w.ahead(0, address{row: 1})`},
		row{"a last slice of one column is left out", `if rest > 0 && full >= begun {`, `if rest > 1 && full >= begun {`},
		row{"the host reads half of the units", `return w.loop(unit.Units/2, address{buf: 4}, body)`, `return w.loop(unit.Units/4, address{buf: 4}, body)`},
		row{"blocks store to one place", `pixel.into = slice`, `pixel.into = 0`},
		row{"sets of groups have one row", `set.row = s.blockRows()`, `set.row = 0`},
		row{"the last pixels are left out", `	if n.tail > 0 {
		st = append(st, v.visit`, `	if n.tail > 1 {
		st = append(st, v.visit`},
	),
	file("internal/pim/registers_program.go", in("internal/pim", "^(TestPrograms|TestProgramOrder)$"),
		row{"an instruction serves a command more", `Count: min(n, jumpMost) - 1}`, `Count: min(n, jumpMost)}`},
		row{"an accumulator is that of the next group", `Dst: unit.Operand{File: unit.GRFB, Index: 3}`, `Dst: unit.Operand{File: unit.GRFB, Index: 2}`},
	),
	file("internal/pim/registers_perform.go", in("internal/pim", "^(TestPrograms|TestProgramOrder)$"),
		row{"the host adds half of the lanes", `for _, x := range v {`, `for _, x := range v[:unit.Lanes/2] {`},
		row{"weights are not rounded", `scale.apply(x.out0+x.matrix*x.outs+first, w)`, `scale.apply(x.out0+x.matrix*x.outs+first, w[:0])
			w[0] += 1`},
	),
	file("internal/pim/registers_replay.go", in("internal/pim", "^TestProgramMutations$"),
		row{"products may be computed again", `if f.done(sum + h.k + k) {`, `if f.done(sum+h.k+k) && false {`},
		row{"inputs of another column of K", ` || at%m.k != h.k+k {`, ` {`},
		row{"results may be of another pixel", `case sum != f.stored[col]:`, `case sum != f.stored[col] && false:`},
	),
	file("internal/pim/registers_cost.go", in("internal/pim", "^(TestPrograms|TestProgramEstimates)$"),
		row{"a last slice is as long as the others", `add(1, int64(rest))`, `add(1, slice)`},
		row{"changes of mode take no time in estimates", `v*(2*t.mode+t.host)`, `v*t.host`},
		row{"stores pass the pins", `n[c.more.register] - w.inits`, `n[c.more.register]`},
	),
	file("internal/pim/judge.go", in("internal/pim", "^TestProgramOrder$"),
		row{"sums in fp16 are held to the bound of float32", `u := (n + 1) * roundoff[tensor.Float16]`, `u := (n + 1) * unit32`},
	),
)
