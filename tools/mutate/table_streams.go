package main

import "slices"

// streams are faults of command streams and of the rules that they are timed by.
var streams = slices.Concat(
	file("internal/dram/channel.go", in("internal/dram", "^(TestNewtonRefresh|TestNewtonWaits|TestAimWaits|TestCheckEngine|TestWindow|TestOverflow|TestArtifactRules|TestRefreshPenalty|TestModes|TestOneAfterTheOther|TestNewtonEnd|TestRefreshAtDue)$"),
		row{"a late refresh", `if s.yield && u >= s.due {`, `if s.yield && u > s.due {`},
		row{"a refresh does not close the row", `if s.open {
		u = c.enter`, `if !s.open {
		u = c.enter`},
		row{"a refresh follows the closing of its row at once", `u = c.enter(s, f.Do, max(u, s.next[f.Do]))`, `u = c.enter(s, f.Do, u)`},
		row{"the run ends before its last result", `x := max(s.t, s.result)`, `x := s.t`},
		row{"refreshes due at the end are not served", `for s.due <= x {`, `for s.due < 0 {`},
		row{"a rule of the last of several commands counts from the first", `max(next[h.op%maxSlots], x+h.wait)`, `max(next[h.op%maxSlots], h.wait)`},
		row{"a window of activations is left out", `r.only = r.windows == nil && !r.opens && !r.closes`, `r.only = !r.closes`},
		row{"a window of four activations has three", `s.next[b] = max(s.next[b], last[0]+w.wait)`, `s.next[b] = max(s.next[b], last[len(last)-1]+w.wait)`},
		row{"a change of mode takes a cycle less", `s.next[o] = max(s.next[o], x-1+m.wait)`, `s.next[o] = max(s.next[o], x-2+m.wait)`},
		row{"a queue of refreshes never overflows", `>= Cycle(f.Queue) {`, `> Cycle(f.Queue) {`},
		row{"the host does not wait for a result", `w = max(w, book.Result[Op(a)]+1)`, `w = max(w, 0)`},
	),
	file("internal/pim/notation.go", in("internal/pim", "^(TestNotationDrawn|TestPrint)$"),
		row{"the step -1 of an address is printed as 1", `			s.WriteByte('-')`, `			s.WriteByte('+')`},
		row{"a fill is printed without its pitch", ` pitch=%d", g.Count, g.Len, g.Pitch)`, ` pitch=%d", g.Count, g.Len, g.Len)`},
	),
	file("internal/pim/notation_parse.go", in("internal/pim", "^(TestNotation.*)$"),
		row{"a loop of too many commands is read", `if over > 0 {
		commands`, `if over > 0 && false {
		commands`},
		row{"the commands of a stream are not added up", `if l.commands += commands; l.commands > maxCommands {`, `if l.commands = commands; l.commands > maxCommands {`},
		row{"an address reaches out of its range", `if reach += int64(far); reach > maxAddress {`, `if reach = int64(far); reach > maxAddress {`},
		row{"an index of no loop is read", `case d < 0 || d >= len(p.loops)-1:`, `case d < 0 || d >= len(p.loops):`},
		row{"a step is counted twice", `if a.Stride[d] != 0 {
			return`, `if a.Stride[d] < 0 {
			return`},
	),
	file("internal/dram/audit.go", in("internal/dram", "^(TestCheck|TestCheckEngine|TestModeChecks|TestAudit.*)$"),
		row{"a command a cycle too early passes", `int64(since) < r.Wait {`, `int64(since) < r.Wait-1 {`},
		row{"two commands in a cycle pass", `if at <= a.at {`, `if at < a.at {`},
		row{"a column access without an open row passes", `broken(RuleRow, 0, 1, text("with no row open"))`, `_ = text`},
		row{"a row is opened twice", `broken(RuleRow, 0, 1, text("on banks whose row is open"))`, `_ = text`},
		row{"a refresh with a row open passes", `broken(RuleRow, 0, 1, text("with a row open"))`, `_ = text`},
		row{"a refresh may wait an interval longer", `late := Cycle(int64(f.Queue) * a.book.Interval)`, `late := Cycle(int64(f.Queue+1) * a.book.Interval)`},
	),
	file("internal/dram/check.go", in("internal/dram", "^(TestCheck|TestCheckEngine|TestModeChecks)$"),
		row{"a refresh is missing and passes", `issued < requested {`, `issued < 0 {`},
		row{"a refresh before its request passes", `int64(at) < due {`, `int64(at) < 0 {`},
	),
	file("internal/pim/teams.go", in("internal/pim", "^(TestShares|TestProductsOnce)$"),
		row{"a team's units are one box over several matrices", `case p.count == 1: // whole units`, `case p.count >= 1: // whole units`},
		row{"a team leaves out its last unit", `box[byUnit] = tensor.Range{Lo: lo, Hi: hi}`, `box[byUnit] = tensor.Range{Lo: lo, Hi: hi - 1}`},
		row{"channels of shorter teams are counted from the first", `c -= long`, `c -= 0`},
	),
	file("internal/pim/columns_kinds.go", in("internal/pim", "^TestFewerEstimates$"),
		row{"channels that do alike move once", `one.moved *= k.channels`, `one.moved *= 1`},
		row{"the last channel and those alike move once", `p.moved *= s.kinds[0].channels`, `p.moved *= 1`},
		row{"the link's bound is that of the fuller teams", `n = min(n, of(o.used/o.teams+1))`, `n = max(n, of(o.used/o.teams+1))`},
		row{"all columns of a class are written for each row", `more*ceilDiv(few+1, p.rowGroups)`, `size*ceilDiv(few+1, p.rowGroups)`},
	),
	file("internal/pim/columns_estimate.go", in("internal/pim", "^TestEstimates$"),
		row{"a measure is taken for another in its place", `x != nil && x.key == key`, `x != nil`},
	),
	file("internal/pim/columns_candidates.go", in("internal/pim", "^TestShorterChunks$"),
		row{"tilings beyond the longest chunks are not tried", `const mostMissed = 4`, `const mostMissed = 1`},
	),
	file("internal/pim/timeline.go", in("internal/pim", "^TestEstimates$"),
		row{"the last refresh delays the end", `max(0, l.serve(l.t)-l.cycles)`, `l.serve(l.t)`},
	),
	file("internal/dram/newton.go", in("internal/dram", "^(TestNewtonWaits|TestNewtonRefresh|TestNewtonSets|TestNewtonEnd)$"),
		row{"a column is read before its row is sensed", `Wait: t["rcdr_ck"]}`, `Wait: t["rcdr_ck"] - 1}`},
		row{"a row is closed before it is restored", `Wait: t["ras_ck"]}`, `Wait: t["ras_ck"] - 1}`},
		row{"a row is opened while bit lines are charged", `{After: prea, Before: append(ref, acts...), Wait: t["rp_ck"]}`, `{After: prea, Before: ref, Wait: t["rp_ck"]}`},
		row{"a refresh takes nothing", `Wait: t["rfc_ck"]}`, `Wait: 1}`},
		row{"a write does not wait for the bus to turn", `t["cl_ck"] + t["ccds_ck"] + t["rtw_ck"] - t["cwl_ck"]`, `t["cl_ck"] + t["ccds_ck"] - t["cwl_ck"]`},
		row{"four activations come as two", `Wait: max(t["rrd_ck"], t["faw_ck"])}`, `Wait: t["rrd_ck"]}`},
		row{"a buffer is multiplied before its data arrive", `Wait: t["cwl_ck"] + t["bl_ck"]},`, `Wait: t["cwl_ck"]},`},
		row{"a result arrives before its burst", `newREADRES: t["cl_ck"] + t["bl_ck"]}`, `newREADRES: t["cl_ck"]}`},
	),
	file("internal/dram/aim.go", in("internal/dram", "^TestAimWaits$"),
		row{"a MAC of all banks needs no sensed row", `Before: ops(aimMAC16), Wait: t["rcdrdmac_ck"]}`, `Before: ops(aimMAC16), Wait: t["rcdrd_ck"]}`},
		row{"the bus turns without its bubble", `turn    = t["bl_ck"] + 3 + t["wpre_ck"]`, `turn    = t["bl_ck"] + t["wpre_ck"]`},
		row{"activations of a group wait as of others", `Wait: t["rrdl_ck"]}`, `Wait: t["rrds_ck"]}`},
	),
	file("internal/dram/stream.go", in("internal/dram", "^(TestTrace|TestTraceRoundTrip|TestNewtonSets|TestShared|TestWalk)$"),
		row{"an address forgets its innermost loop", `v += s * int64(index[d])`, `v += s * int64(index[max(0, d-1)])`},
		row{"a loop's body counts once", `it.Body.count(times*int64(it.Times), n)`, `it.Body.count(times, n)`},
	),
	file("internal/dram/mode.go", in("internal/dram", "^(TestModes|TestModeTable|TestModeChecks|TestBanksModes)$"),
		row{"the last change of mode in the table is taken", `c.from == at && m.runs[op].Has(c.to) })`, `m.runs[op].Has(c.to) })`},
		row{"a command amid a change passes", `op != c.issue[t.step] {`, `op != c.issue[t.step] && false {`},
	),
	file("internal/pim/columns_stream.go", in("internal/pim", "^(TestEval|TestReplayDrawn|TestColumnsReferee|TestCost|TestReplayZoo)$"),
		row{"the last row of a chunk is not visited", `if full < v.p.rows {
		st = w.join(st, v.row(`, `if full > v.p.rows {
		st = w.join(st, v.row(`},
		row{"a span begins in the rows of the first", `x.address.row = row`, `x.address.row = 0`},
		row{"a batch's last pixels are left out", `c.tail = b.tail`, `c.tail = 0`},
	),
	file("internal/pim/accumulators_stream.go", in("internal/pim", "^(TestCandidates|TestEval|TestReplayDrawn|TestAccumulatorsForms|TestAccumulatorsReferee|TestReplayZoo)$"),
		row{"the last chunk is not read", `v.read = true
	st = append(st, fill`, `v.read = false
	st = append(st, fill`},
		row{"sums are set anew at each chunk", `v.init = false`, `v.init = true`},
		row{"the last fill of a chunk is left out", `st = append(st, fill(w.ahead(all.full, v.k.unit), all.tail)...)`, `_ = all.tail`},
		row{"rows stay open at the end", `if v.opened {
		st`, `if !v.opened {
		st`},
	),
	file("internal/emit/expand.go", in("internal/emit", "^TestTimed$"),
		row{"refreshes at the end are not written", `		run.Finish()
		tell()`, `		run.Finish()`},
	),
	file("internal/emit/emit.go", in("internal/emit", ""),
		row{"streams count rows from 0", `code.Commands().Moved(c.Stream, w.places[c.Channel].Lo)`, `code.Commands().Moved(c.Stream, 0*w.places[c.Channel].Lo)`},
		row{"writing goes on after the end of its context", `if err := u.ctx.Err(); err != nil {`, `if err := u.ctx.Err(); err != nil && false {`},
	),
	file("internal/emit/instructions.go", in("internal/emit", "^TestInstructions$"),
		row{"instructions of several rows are one", `if w.units > 0 && w.name == name && at == w.begin.after(name, w.units) {`, `if w.units > 0 && w.name == name {`},
		row{"the last instruction is not written", `	if err := w.flush(); err != nil {
		return err
	}
	_, err = `, `	_, err = `},
	),
	file("internal/files/folder.go", in("internal/files", "^TestNewFolder$"),
		row{"what is written in part gets its name", `	if err := write(place); err != nil {
		return err
	}`, `	_ = write(place)`},
		row{"the temporary folder stays", `	defer temporary.remove(private)
`, ``},
	),
	file("internal/memory/memory.go", in("internal/memory", ""),
		row{"a node without room is not named", `full.Nodes = append(full.Nodes, e.Node)`, `_ = e`},
	),
)
