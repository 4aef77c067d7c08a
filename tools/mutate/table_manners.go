package main

import "slices"

// manners are faults of what commands promise: forms of JSON, flags, files, progress.
var manners = slices.Concat(
	file("internal/report/diff.go", in("cmd/pimflow", "^TestJSON$"),
		row{"a key of JSON has another name, and its form the same version", "`json:\"same_layers\"`", "`json:\"equal_layers\"`"},
	),
	file("internal/report/csv.go", in("internal/report", "^TestCSV$"),
		row{"keys of an object in an object have no columns in CSV", `list = append(list, columnsOf(of, prefix+key+".", at)...)`, `_ = of`},
		row{"what is null is 0 in CSV", `if v = reflect.Indirect(v); !v.IsValid() {
			return ""`, `if v = reflect.Indirect(v); !v.IsValid() {
			return "0"`},
	),
	file("internal/report/rows.go", in("cmd/pimflow", "^TestForms$"),
		row{"CSV of calibrate leaves sets out that are not fitted to", `for _, s := range r.Eval {`, `for _, s := range r.Data[:0] {`},
	),
	file("cmd/pimflow/progress.go", in("cmd/pimflow", "^(TestProgressOfAllWork|TestQuiet|TestHowFar)$"),
		row{"progress of a phase counts as that of all work", `done += p.weight * b.share`, `done += all * b.share`},
		row{"a phase that does not come is never done", `b.at = i + 1`, `b.at++`},
		row{"progress goes back where a phase comes that was not expected", `b.most = max(b.most, b.done())`, `b.most = b.done()`},
		row{"--quiet shows progress", `if quiet(c) || way == noProgress {`, `if way == noProgress {`},
	),
	file("internal/files/stdin.go", in("internal/files", "^TestKeep$"),
		row{"the beginning of a standard input is lost", `io.MultiReader(bytes.NewReader(head), in)`, `in`},
		row{"a standard input stays in the temporary folder", `os.RemoveAll(filepath.Dir(kept.path))`, `_ = os.RemoveAll`},
	),
	file("cmd/pimflow/stdin.go", in("cmd/pimflow", "^TestScripts$/^stdin$"),
		row{"the standard input is taken twice", `case len(places) > 1:`, `case len(places) > 9:`},
	),
	file("cmd/pimflow/cluster.go", in("cmd/pimflow", "^TestBadValues$"),
		row{"a negative --patience is taken", `{"patience", f.patience, 0, f.patience >= 0},`, ``},
	),
	file("machine.go", in("cmd/pimflow", "^TestBadValues$"),
		row{"a machine that --set makes impossible is a fault of its file", `return fault.As(fault.Usage, err)`, `return err`},
	),
	file("internal/hw/hw.go", in("cmd/pimflow", "^TestMachineFile$"),
		row{"a key of the machine file accepts another range than its reference says", `json:"channels" want:"1..1024"`, `json:"channels" want:"1..1023"`},
	),
	file("internal/figure/heat.go", in("internal/figure", "^TestRefused$"),
		row{"a heat map has any number of panels", `len(parts) > mostFacets`, `len(parts) > 1<<20`},
	),
)
