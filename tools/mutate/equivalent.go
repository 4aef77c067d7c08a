package main

import "strings"

// equivalents are faults that change nothing that a test should see, with the reason: by file and
// the beginning of the description.
var equivalents = []struct{ file, what, reason string }{
	{"internal/search/dynamic.go", "dynamic: < => <= in if e := best[len(segments)]", "of sequences that are equally good another one is kept"},
	{"internal/search/dynamic.go", "dynamic: < => <= in if v := b.value", "of sequences that are equally good another one is kept"},
	{"internal/search/exact.go", "partition: < => <=", "branches are followed that end as well as the best: more work, the same objective"},
	{"internal/search/exact.go", "offer: < => <=", "of plans that are equally good the last is kept"},
	{"internal/search/exact.go", "order: tail[i] += e.Tiles()[i].Least() => nothing", "tails are shorter: fewer branches are pruned, and none that is better"},
	{"internal/search/exact.go", "16 => 17 in exactAlways", "a limit that is estimated"},
	{"internal/search/solve.go", "linearize: 0 => 1 in return s.t.Objective.around(0, 0, 0)", "the latency is linear: its tangent is the same everywhere"},
	{"internal/search/local/moves.go", "exchange: < => <=", "a window that is equally good is taken"},
	{"internal/candidate/scheduler.go", "Schedule: 1 => 2", "the limit is infinite, and no objective reaches it"},
	{"internal/candidate/scheduler.go", "Program: slices.Sort(after) => nothing", "a step waits for the same steps in any order"},
	{"internal/candidate/choice.go", "cuts: 1 => 2 in if best < len(ls)-1", "the range that is searched next is larger and has the best in it"},
	{"internal/search/exact.go", "extend: max(then.ready[j], end) => end", "starts are earlier than they can be: fewer branches are pruned, and none that is better"},
	{"internal/graph/parse.go", "operation: 0 => 1 in return 0, fmt.Errorf", "a value beside an error, which nothing reads"},
	{"internal/graph/build.go", "Node: 0 => 1 in return 0, fmt.Errorf", "a value beside an error, which nothing reads"},
	{"internal/device/judge.go", "Compare: 1 => 2 in if got == want", "of the second argument of math.IsInf only the sign counts"},
	{"internal/run/exact.go", "constant: 8 => 9", "any small whole numbers serve as biases"},
	{"internal/pim/fills.go", "max: max(w.inits, o.inits) => o.inits", "streams of this scheme set no accumulator: both are 0"},
	{"internal/pim/weight_layout.go", "layout: 1 => 2 in order = 1", "a number that tells an order of weights from another"},
}

// equivalent is the reason why a fault changes nothing; "" if none is known.
func (f *fault) equivalent() string {
	for _, e := range equivalents {
		if f.file == e.file && strings.HasPrefix(f.what, e.what) {
			return e.reason
		}
	}
	return ""
}
