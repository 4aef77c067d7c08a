package main

import "slices"

// values are faults of what is computed.
var values = slices.Concat(
	file("internal/pim/eval.go", in("internal/pim", "^(TestEval|TestEpilogue|TestPaddingLeftOut|TestEvalDeterministic|TestReadsNeedOnly|TestScale|TestForms)$"),
		row{"the bias of a channel is its neighbour's", `bias[ab[p]+out*step[len(step)-1]]`, `bias[ab[p]+max(0, out-1)*step[len(step)-1]]`},
		row{"the bias is forgotten", `v += float32(l.beta * bias`, `v += 0 * float32(l.beta * bias`},
		row{"the sum of a channel replaces that of the one before", `results[at+j] += v`, `results[at+j] = v`},
		row{"the last result of a channel is lost", `for j, v := range sums {`, `for j, v := range sums[:max(0, len(sums)-1)] {`},
		row{"a group of channels reads the inputs of the first", `base := (b.first + matrix*b.merge) *`, `base := b.first *`},
		row{"the first tap is for all", `tb.offset[i] += tb.reach[d][i] * t.step[d]`, `tb.offset[i] += 0 * t.step[d]`},
	),
	file("internal/pim/perform.go", in("internal/pim", "^(TestEval|TestColumnsPanic|TestAccumulatorsPanic|TestPaddingLeftOut|TestNumberFormat|TestFinishRounds|TestAccumulatorFormat|TestJudgeAccepts)$"),
		row{"one product is computed twice", `s.v[u] += dot(x[at:], w)`, `s.v[u] += dot(x[at:], w) + x[at]*w[0]`},
		row{"one product is left out", `s.v[u] += dot(x[at:], w)`, `s.v[u] += dot(x[at:], w[:len(w)-1])`},
		row{"a unit multiplies the row of its neighbour", `ch.rows[row].elements(u, lo, hi)`, `ch.rows[row].elements(max(0, u-1), lo, hi)`},
		row{"an access to a closed row passes", `if ch.open[u*shared] != row {`, `if ch.open[u*shared] == -2 {`},
		row{"a column that was not filled is read", `|| !b.filled[col+i] {`, `|| false {`},
		row{"a fill keeps what the one before left", `clear(b.filled)`, `_ = b.filled`},
	),
	file("internal/pim/perform_sums.go", in("internal/pim", "^(TestEval|TestColumnsPanic|TestAccumulatorsPanic|TestNumberFormat|TestAccumulatorFormat)$"),
		row{"the last bank's result is not read", `n := min(len(s.v), b.outs-(at-b.result)%b.outs)`, `n := min(len(s.v)-1, b.outs-(at-b.result)%b.outs)`},
		row{"a result replaces the parts before", `ch.reads[at-ch.lo+i] += s.v[i]`, `ch.reads[at-ch.lo+i] = s.v[i]`},
		row{"a sum is not cleared when it is read", `clear(s.v)
	clear(s.used)`, `clear(s.used)`},
		row{"a sum that is read needs no new start", `s.set = s.cleared
}`, `s.set = true
}`},
		row{"sums are not rounded as they are read", `s.v[i] = tensor.Round(ch.device.readFormat(), s.v[i])`, `_ = tensor.Round`},
	),
	file("internal/pim/replay.go", in("internal/pim", "^(TestReplayTime|TestReplayEarly|TestReplayMutations|TestReplaySkips)$"),
		row{"a command that is too early passes", `err = &Violation{channel, n, e.Error()}`, `_ = e`},
		row{"a cost that is not the stream's passes", `cost != end {`, `cost < 0 {`},
		row{"a row that is not open passes", `if f.open[q] != row {`, `if f.open[q] == -2 {`},
		row{"a product computed again passes", `if f.done(sum + k) {`, `if f.done(sum + k) && false {`},
		row{"inputs of another pixel pass", `case *into >= 0 && *into != sum:`, `case *into >= 0 && *into < 0:`},
		row{"weights of other products pass", `|| at%m.k != k {`, `{`},
	),
	file("internal/pim/replay.go", in("internal/pim", "^(TestReplayRules|TestReplayEnd)$"),
		row{"a column that is never multiplied passes", `if !buffer[i].used {`, `if !buffer[i].used && false {`},
		row{"a refresh that is missing at the end passes", `if e := check.Finish(end); e != nil {`, `if e := check.Finish(end); e != nil && false {`},
	),
	file("internal/pim/replay_products.go", in("internal/pim", "^(TestReplay|TestProductsOnce|TestPartsOnce)"),
		row{"a product that is missing passes", `for w = ^w; w != 0; w &= w - 1 {`, `for w = ^w; w < 0; w &= w - 1 {`},
	),
	file("internal/pim/judge.go", in("internal/pim", "^TestJudge"),
		row{"the bound of the arithmetic is a thousand times as wide", `off := (gamma`, `off := 1e3 * (gamma`},
		row{"the bound of the arithmetic is nothing", `off := (gamma`, `off := 0 * (gamma`},
		row{"a bias has no rounding", `bound += unit32*(math.Abs(added)+math.Abs(total)) + unit32*bound`, `bound += 0`},
		row{"alpha is 1 in what is wanted", `total, bound = b.Alpha*total, math.Abs(b.Alpha)*bound`, `bound = math.Abs(b.Alpha) * bound`},
	),
	file("internal/device/judge.go", in("internal/device", ""),
		row{"a value that differs passes", `math.Abs(got-want) <= bound ||`, `math.Abs(got-want) >= 0 ||`},
		row{"the last fault is the first", `if j.First == nil || at < j.First.At {`, `if j.First == nil || at > j.First.At {`},
		row{"faults of other elements are lost", `j.Wrong += o.Wrong`, `j.Wrong += 0`},
	),
	file("internal/run/verify.go", in("internal/run", "^(TestVerify|TestVerifyFaults|TestEqual|TestFaultsSeen|TestOrderSeen|TestSpillSeen|TestVerdictOK)$"),
		row{"a step reads values that no step has made", `in[i], exact[i], same = v.nodes[x].seen,`, `in[i], exact[i], same = v.nodes[x].shown,`},
		row{"nothing compared is enough", `len(v.Faults) == 0 && seen(&v.PIM) && seen(&v.GPU)`, `len(v.Faults) == 0 && seen != nil`},
		row{"a wrong epilogue passes", `if j := equal(n.seen, sums, s.Box); j.Wrong > 0 {`, `if j := equal(n.seen, n.seen, s.Box); j.Wrong > 0 {`},
		row{"what no tile makes passes", `if j := equal(n.seen, n.shown, tensor.Full(nd.Shape)); j.Wrong > 0 {`, `if j := equal(n.shown, n.shown, tensor.Full(nd.Shape)); j.Wrong > 0 {`},
	),
	file("internal/run/compare.go", in("internal/run", "^(TestCompare|TestVerify|TestVerifyFaults|TestSimplified)$"),
		row{"a value that became infinite is not lost", `d.Lost++`, `_ = x`},
		row{"the greatest difference is the last", `d.MaxAbs, d.top = max(d.MaxAbs, math.Abs(x-y)), max(d.top, math.Abs(x))`, `d.MaxAbs, d.top = math.Abs(x-y), max(d.top, math.Abs(x))`},
	),
	file("internal/run/eval.go", in("internal/run", "^(TestEqual|TestEvalStops|TestSizes|TestDropped)$"),
		row{"a value is dropped before its last reader", `v.reads[x]++
	}
}

// open`, `v.reads[x] = 1
	}
}

// open`},
	),
	file("internal/op/conv.go", in("internal/op", "^(TestConvIsItsDefinition|TestZeroTimesInfinity|TestNeedIsTight|TestNeedIsHonest|TestMACs)$"),
		row{"a group reads the channels of the one before", `return tensor.Range{Lo: r.Lo * per, Hi: r.Hi * per}`, `return tensor.Range{Lo: max(0, r.Lo-1) * per, Hi: max(1, r.Hi-1) * per}`},
		row{"the last group is not read", `Hi: (r.Hi-1)/per + 1}`, `Hi: max(r.Lo/per+1, (r.Hi-1)/per)}`},
		row{"a product has too few products", `int64(out.Size()) * int64(in[1][1:].Size())`, `int64(out.Size()) * int64(in[1][2:].Size())`},
		row{"the row below the last is read", `id >= d.in || ih < 0 || ih >= h.in || r.Len() == 0 {`, `id >= d.in || ih < 0 || ih > h.in || r.Len() == 0 {`},
	),
	file("internal/tensor/box.go", in("internal/tensor", ""),
		row{"boxes overlap up to the end of the further one", `c[i] = Range{max(b[i].Lo, o[i].Lo), min(b[i].Hi, o[i].Hi)}`, `c[i] = Range{max(b[i].Lo, o[i].Lo), max(b[i].Hi, o[i].Hi)}`},
	),
)
