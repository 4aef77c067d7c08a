package main

import "slices"

// figures are faults of figures, and of what is best among results.
var figures = slices.Concat(
	file("internal/result/front.go", in("internal/result", "^TestFront$"),
		row{"points that are equal in one number do not dominate each other", `if a[i] > b[i] {`, `if a[i] >= b[i] {`},
		row{"of equal points one is kept", `		if kept {
			front`, `		if kept && (n == 0 || !slices.Equal(points[order[n-1]], points[i])) {
			front`},
	),
	file("internal/result/value.go", in("internal/result", "^TestValues$"),
		row{"a part of an energy has no column", `list[p.name] = reader{p.cell().get, "pJ"}`, `list[p.part] = reader{p.cell().get, "pJ"}`},
	),
	file("internal/figure/roofline.go", in("internal/figure", "^TestGolden$"),
		row{"pieces of the PIM count the operations of the layer", `flops = 2 * float64(x.MACs)`, `flops = float64(x.FLOPs) / 2`},
		row{"the slope ends at the FMA units", `ridge := peaks.Tensor / peaks.BaselineDRAM`, `ridge := peaks.PIM / peaks.BaselineDRAM`},
	),
	file("internal/figure/stalls.go", in("internal/figure", "^(TestGolden|TestRefused)$"),
		row{"cycles of units are added to all", `if slices.Contains(report.StallSum, s.Part) {
			t.all`, `if slices.Contains(report.StallParts, s.Part) {
			t.all`},
		row{"causes that are folded are lost", `+= n
		}`, `+= 0 * n
		}`},
		row{"channel 10 comes before channel 9", `	t.sort()
`, ``},
		row{"lines of other layers are drawn", `appendNew(there, text); text == value {`, `appendNew(there, text); text != "" {`},
	),
	file("internal/report/stalls.go", in("internal/figure", "^TestRefused$"),
		row{"parts of stalls may be any", `if !slices.Contains(StallParts, s.Part) {`, `if false {`},
	),
	file("internal/figure/load.go", in("internal/figure", "^(TestLacking|TestRefused)$"),
		row{"what a file lacks is 0", `return !slices.Contains(columns, c)`, `return false`},
		row{"a row with an error is drawn", `if r.Error != "" {`, `if false {`},
	),
	file("internal/figure/column.go", in("internal/figure", "^(TestVarying|TestRefused)$"),
		row{"a number that is none is drawn", `if !(math.Abs(at) <= most) {`, `if math.Abs(at) > most {`},
		row{"an interval is upside down", `if low > high {`, `if false {`},
		row{"any file has every column", `if len(rows) == 0 || has(c) {`, `if true {`},
		row{"columns that follow from others are series", `with > n {`, `with >= n {`},
	),
	file("internal/figure/kinds.go", in("internal/figure", "^(TestFrontOf|TestRefused)$"),
		row{"less of a speed-up is better", `sense == "" && slices.Contains(more, c)`, `false`},
		row{"networks compete with each other", `labels, parts = split(d.Rows, networks(d.Rows))`, `labels, parts = split(d.Rows, nil)`},
		row{"rows without the value are taken", `if t := r.text(column); t == value {`, `if t := r.text(column); t == value || true {`},
	),
	file("internal/figure/bars.go", in("internal/figure", "^(TestGolden|TestMeans|TestRefused)$"),
		row{"a mean is arithmetic", `sum += math.Log(of(g[s]))`, `sum += of(g[s]) - 1`},
		row{"a second row takes the place of the first", `			if seen[s] != nil {`, `			if false {`},
		row{"parts of an energy stand on the ground", `		low = high
`, `		low = 0
`},
	),
	file("internal/figure/layout.go", in("internal/figure", "^(TestTextIsClear|TestLevel)$"),
		row{"the last name of an axis leaves the picture", `right, left = max(right, half-(1-at)*f.width), max(left, half-at*f.width)`, `left = max(left, half-at*f.width)`},
		row{"names at an angle leave the picture", `f.left += out`, `f.left += 0`},
		row{"names are level without room for them", `if s := wrapped(names, slot-4); s != nil {`, `if s := names; s != nil {`},
		row{"panels beside each other begin at different heights", `p.top, p.bottom, p.height = top, bottom, tall`, `p.top, p.bottom, p.height = p.top, bottom, tall`},
	),
	file("internal/figure/text.go", in("internal/figure", "^TestConcise$"),
		row{"labels lose values that differ", `same && p[k] == parts[0][k], keyed`, `same, keyed`},
		row{"keys are left out where only a part of labels has them", `keyed && strings.HasPrefix(p[k], key+" ")`, `keyed`},
		row{"keys keep their groups", `p[k] = p[k][strings.LastIndex(key, ".")+1:]`, ``},
	),
	file("internal/figure/fold.go", in("internal/figure", "^TestTextIsClear$"),
		row{"any number of categories is in one panel", `if n <= per {`, `if true {`},
	),
	file("internal/figure/axis.go", in("internal/figure", "^(TestTextIsClear|TestRound|TestSettle|TestNumbers)$"),
		row{"ticks are never too close", `if at-half < end`, `if false && at-half < end`},
		row{"a wide range is linear", `a.Log = true`, `a.Log = false`},
		row{"a number at the end of an axis is beyond it", `a.Low, a.High = min(a.Low, v), max(a.High, v)`, `a.Low, a.High = min(a.Low, v), a.High`},
	),
	file("internal/figure/canvas.go", in("internal/figure", "^TestBytes$"),
		row{"a PDF has the date of today", `		fpdf.SetDefaultCreationDate(date) // else bytes differ from run to run
`, ``},
		row{"dots are no letter of a PDF", `r = 0x85`, `r = 0x2026`},
	),
)
