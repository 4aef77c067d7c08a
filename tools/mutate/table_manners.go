package main

import "slices"

// manners are faults of what commands promise: forms of JSON, flags, files, progress.
var manners = slices.Concat(
	file("internal/report/diff.go", in("cmd/pimflow", "^TestJSON$"),
		row{"a key of JSON has another name, and its form the same version", "`json:\"same_layers\"`", "`json:\"equal_layers\"`"},
	),
)
