package report

import (
	"fmt"
	"strconv"
	"strings"

	"pimflow"
)

// ProfileFile is a file of measured kernels.
type ProfileFile struct {
	File       string `json:"file"`
	Kernels    int    `json:"kernels"` // measured
	MeasuredOn string `json:"measured_on"`
}

// sourceCells returns the numbers as cells.
func sourceCells(n *pimflow.Sources) []string {
	var c []string
	for _, v := range []int{n.Measured, n.Interpolated, n.Scaled, n.Model} {
		c = append(c, strconv.Itoa(v))
	}
	return c
}

// sourceHead names the columns of sourceCells.
var sourceHead = []string{"measured", "interpolated", "scaled", "model"}

// profileText writes the sources of the GPU's times.
func profileText(b *strings.Builder, g *pimflow.GPUProfile) {
	b.WriteByte('\n')
	t := table{{}, {right: true}, {right: true}, {right: true}, {right: true}, {}}
	t.row(append(append([]string{"GPU times"}, sourceHead...), (&ProfileFile{g.File, g.Kernels, g.MeasuredOn}).from())...)
	for _, row := range []struct {
		name string
		n    *pimflow.Sources
		of   string
	}{{"  GPU only", &g.Baseline, "layers"}, {"  plan", &g.Plan, "tiles on the GPU"}, {"  whole layers", &g.Layers, "beside the plan's PIM channels"}} {
		t.row(append(append([]string{row.name}, sourceCells(row.n)...), row.of)...)
	}
	t.write(b)
}

// from names the profile.
func (p *ProfileFile) from() string {
	s := fmt.Sprintf("by %s: %d kernels", p.File, p.Kernels)
	if p.MeasuredOn != "" {
		s += ", " + p.MeasuredOn
	}
	return s
}

// sourceName returns a source, "-" for none.
func sourceName(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
