package onnx

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"pimflow/internal/fault"
)

// mostOpen bounds the inputs, and the flags, that an error lists.
const mostOpen = 5

// rest refuses what is still open, all of it, and says which flags bind it.
func (b *binding) rest(files bool) error {
	var open, flags []string
	for i, p := range b.inputs {
		if !b.leaves(i) {
			continue
		}
		if b.dims[i] == nil {
			open = append(open, fmt.Sprintf("the shape of input %.80q", p.name))
			continue
		}
		var dims []string
		for k, d := range b.dims[i] {
			if !b.free(i, k) {
				continue
			}
			dims = append(dims, fmt.Sprintf("%d", k))
			if d.param == "" {
				continue
			}
			dims[len(dims)-1] += fmt.Sprintf(" (%.80q)", d.param)
			if flag := fmt.Sprintf("--dim %s=N", fault.Name(d.param)); len(flags) <= mostOpen && !slices.Contains(flags, flag) {
				flags = append(flags, flag)
			}
		}
		what := "dimensions"
		if len(dims) == 1 {
			what = "dimension"
		}
		open = append(open, fmt.Sprintf("%s %s of input %.80q, %s", what, strings.Join(dims, ", "), p.name, p.shape()))
	}
	if len(open) == 0 {
		return nil
	}
	if n := len(open) - mostOpen; n > 0 {
		open = append(open[:mostOpen], fmt.Sprintf("%d inputs more", n))
	}
	if len(flags) > mostOpen {
		flags = append(flags[:mostOpen], "…")
	}
	by := []string{"--shape NAME=1x3x224x224"}
	if len(flags) > 0 {
		by = append(by, strings.Join(flags, " "))
	}
	if files {
		by = append(by, "--input FILE")
	}
	return errors.New("the file leaves open " + strings.Join(open, "; ") + ": bind it by " + strings.Join(by, ", or "))
}
