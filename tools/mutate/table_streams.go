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
	file("internal/dram/check.go", in("internal/dram", "^(TestCheck|TestCheckEngine|TestModeChecks)$"),
		row{"a command a cycle too early passes", `int64(since) < r.Wait {`, `int64(since) < r.Wait-1 {`},
		row{"two commands in a cycle pass", `if at <= c.at {`, `if at < c.at {`},
		row{"a column access without an open row passes", `case o.Row && !any:`, `case o.Row && !any && false:`},
		row{"a row is opened twice", `case o.Opens && c.rows && c.open[op]:`, `case o.Opens && c.rows && c.open[op] && false:`},
		row{"a refresh with a row open passes", `op == c.std.Refresh.Do && any:`, `op == c.std.Refresh.Do && any && false:`},
		row{"a refresh is missing and passes", `due <= int64(end) {`, `due < 0 {`},
		row{"a refresh may wait an interval longer", `late >= int64(f.Queue)*c.book.Interval {`, `late > int64(f.Queue+1)*c.book.Interval {`},
		row{"a refresh before its request passes", `if int64(at) < due {`, `if int64(at) < 0 {`},
	),
	file("internal/pim/share.go", in("internal/pim", "^(TestShares|TestProductsOnce)$"),
		row{"a team's units are one box over several matrices", `case p.count == 1: // whole units`, `case p.count >= 1: // whole units`},
		row{"a team leaves out its last unit", `box[byUnit] = tensor.Range{Lo: lo, Hi: hi}`, `box[byUnit] = tensor.Range{Lo: lo, Hi: hi - 1}`},
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
	file("internal/memory/memory.go", in("internal/memory", ""),
		row{"a node without room is not named", `full.Nodes = append(full.Nodes, e.Node)`, `_ = e`},
	),
)
