package main

import "slices"

// spaces are faults of design spaces, and of the tables of their results.
var spaces = slices.Concat(
	file("internal/space/where.go", in("internal/space", "^TestWhere$"),
		row{"&& and || look at their right side where the left decides", `logic && a.truth == decides`, `logic && a.truth != decides`},
		row{"a quotient by 0 is infinite", `!ok || quotient && b.number == 0`, `!ok`},
		row{"a constraint without a value is false", `		b, ok := y(at)
		if !ok || quotient`, `		b, ok := y(at)
		if quotient`},
	),
	file("internal/space/constrain.go", in("internal/space", "^TestPoints$"),
		row{"a constraint reads no key that a number follows from", `			read[a] = true
		}`, `			_ = a
		}`},
		row{"a number that follows from keys of the space is the file's", `if len(src.from) == 0 {`, `if true {`},
		row{"a number is remembered for one value of the last key", `k.place = k.place*len(s.axes[a].values) + at[a]`, `k.place = k.place*len(s.axes[a].values) + at[m]`},
	),
	file("internal/space/space.go", in("internal/space", "^TestPoints$"),
		row{"axes of a zip are combined", `if g := of[i]; g > 0 && placed[g] > 0 {`, `if g := of[i]; g > 0 && placed[g] < 0 {`},
		row{"constraints count for the first only", `for k, w := range s.where {`, `for k, w := range s.where[:min(1, len(s.where))] {`},
		row{"a constraint excludes points after those that it was asked for", `same := (i/w.same + 1) * w.same`, `same := (i/w.same + 2) * w.same`},
	),
	file("internal/space/anchors.go", in("internal/space", "^(TestAnchors|TestLattice)$"),
		row{"a point that the machine refuses is an anchor", `s.Has(i) && s.accepted(i)`, `s.Has(i)`},
		row{"a point that a constraint excludes is an anchor", `s.Has(i) && s.accepted(i)`, `s.accepted(i)`},
		row{"anchors lie on a diagonal", `uint64(k)*steps[d]`, `uint64(k)*steps[0]`},
		row{"a lattice begins in the corner", `1<<63+uint64(k)`, `uint64(k)`},
	),
	file("internal/space/starts.go", in("internal/space", "^TestNearest$"),
		row{"points start from the farthest anchors", `far < n.far[at-1]`, `far > n.far[at-1]`},
		row{"numbers are as far apart as they are", `if slices.Min(list) > 0 {`, `if slices.Min(list) < 0 {`},
	),
	file("internal/space/sample.go", in("internal/space", "^(TestPermutation|TestLatin|TestPoints)$"),
		row{"the order of a sample has a number twice", `left^mix(right^key)&mask`, `mix(right^key)&mask`},
		row{"a Latin sample has some values only", `column[i] = (i + shift) %`, `column[i] = (2*i + shift) %`},
		row{"a sample has points that constraints exclude", `if s.digits(i, at); s.allowed(at) {
			if s.drawn`, `if s.digits(i, at); true {
			if s.drawn`},
	),
	file("internal/space/guide.go", in("internal/space", "^(TestGuide|TestLevels|TestEfforts|TestOrdered)$"),
		row{"a point that is searched in full has starts", `if level == 0 {
		t = g`, `if level >= 0 {
		t = g`},
		row{"the places of zipped axes are those of the next", `if x.dims[k] == d {
			n += design[k] * step`, `if x.dims[k] == d {
			n += design[k] + step`},
		row{"words are ordered", `_, ok := rational(t)
			return !ok`, `_, ok := rational(t)
			return ok`},
		row{"low is not among the efforts of halving", `if own > search.Low ||`, `if own > search.Normal ||`},
	),
	file("internal/space/find.go", in("internal/asktell", "^TestParse$"),
		row{"values of axes that advance together need not fit", `if at[a] != at[first] {`, `if false {`},
		row{"8.0 is not 8", `canonical(v) == canonical(text)`, `v == text`},
	),
	file("internal/jsontext/jsontext.go", in("internal/asktell", "^TestParse$"),
		row{"the last of two values counts", `if seen[key] {`, `if false {`},
		row{"what follows an ask is not read", `		return wrong(err)
	}
	if _, err := d.Token(); err != io.EOF {`, `		return wrong(err)
	}
	if false {`},
	),
	file("cmd/pimflow/sweep_guided.go", in("cmd/pimflow", "^TestGuided$"),
		row{"the last row of a point is taken, though it is worse", `r.Minimised() <= old.Minimised()`, `true`},
	),
	file("internal/explore/front.go", in("internal/explore", "^(TestRank|TestCrowd|TestHalving)$"),
		row{"equal designs dominate each other", `less = less || a[i] < b[i]`, `less = less || a[i] <= b[i]`},
		row{"a design without objectives dominates", `return a != nil`, `return b != nil`},
		row{"crowded designs are kept", `cmp.Compare(b.crowding, a.crowding)`, `cmp.Compare(a.crowding, b.crowding)`},
		row{"distances are not shares", `/ span`, `/ 1`},
	),
	file("internal/explore/nsga2.go", in("internal/explore", "^(TestNSGA2|TestAsked)$"),
		row{"the worse parent wins", `crowded(b, a) < 0`, `crowded(b, a) > 0`},
		row{"children that constraints exclude are asked for", `if m.space.Allowed(d) && !known(d)`, `if !known(d)`},
		row{"designs are asked for twice", `m.known[key(d)] = true`, `m.known[key(d)] = false`},
	),
	file("internal/explore/halving.go", in("internal/explore", "^(TestHalving|TestAsked)$"),
		row{"designs without objectives go on", `h.list[len(h.list)-1].objectives == nil`, `false`},
		row{"half of the designs go on", `(len(h.list)+eta-1)/eta`, `(len(h.list)+1)/2`},
	),
	file("internal/space/check.go", in("internal/space", "^TestChecked$"),
		row{"a value that no point has is refused", ` || !s.any(fixed, d, digit) {`, ` {`},
		row{"a value is refused that another axis makes right", `err == nil || s.later(err, d) ||`, `err == nil ||`},
	),
	file("internal/space/value.go", in("internal/space", "^TestRanges$"),
		row{"a range has not its last value", `x.Cmp(to) <= 0; x = next(x)`, `x.Cmp(to) < 0; x = next(x)`},
		row{"8 and 8.0 are two values", `same = canonical(text)`, `same = text`},
	),
	file("internal/space/print.go", in("internal/space", "^TestPrint$"),
		row{"null is a text without quotes", `!slices.Contains(reserved, `, `!slices.Contains(reserved[1:], `},
	),
	file("internal/space/spec.go", in("internal/space", "^TestLoad$"),
		row{"files lie in the folder of the command", `filepath.Join(filepath.Dir(file), p)`, `p`},
	),
	file("internal/space/parse.go", in("internal/space", "^TestDamagedSpecs$"),
		row{"an alias stands for what was written before", `token.AnchorType, token.AliasType, token.TagType`, `token.AliasType, token.TagType`},
	),
	file("internal/result/column.go", in("internal/result", "^(TestLine|TestSchema|TestDamaged)$"),
		row{"a number that there is not is 0", `return v, !c.Found || r.Error == "" ||`, `return v, true ||`},
		row{"a column has another name, and the schema the same", `found("idle_ns", "ns",`, `found("idle_us", "ns",`},
		row{"a row without numbers is read as one of zeros", `c.wanted == result && r.Error == ""`, `c.wanted == result && r.Error != ""`},
	),
	file("internal/result/write.go", in("internal/result", "^TestRefused$"),
		row{"a key without a column is lost", `if !isKey(key) || v == "" || !slices.ContainsFunc(`, `if !isKey(key) || v == "" && !slices.ContainsFunc(`},
	),
	file("internal/result/parquet.go", in("internal/result", "^TestRoundTrip$"),
		row{"a column of numbers is read as texts", `f.Type().Kind() == parquet.Double {
		c.numeric()`, `f.Type().Kind() == parquet.Double {
		c.kind = number`},
	),
	file("internal/report/space.go", in("internal/report", "^TestSpaceFront$"),
		row{"of equal rows all stay", `return slices.Equal(points[a], points[b])`, `return false`},
	),
	file("internal/hw/value.go", in("internal/hw", "^TestFollows$"),
		row{"a number of cycles does not follow from the PIM's clock", `			add("pim.clock_ps")
`, ``},
	),
	file("internal/hw/change.go", in("internal/hw", "^TestQuickly$"),
		row{"changes of a machine change the machine", `maps.Clone(m.Given), maps.Clone(m.PIM.Timing)`, `maps.Clone(m.Given), m.PIM.Timing`},
	),
)
