package report

import (
	"fmt"
	"strconv"
	"strings"

	"pimflow/internal/device"
	"pimflow/internal/plan"
	"pimflow/internal/profile"
	"pimflow/internal/run"
	"pimflow/internal/search"
)

// GPUProfile says how much of the GPU's times is measured.
type GPUProfile struct {
	ProfileFile
	Baseline Sources `json:"baseline"` // of the GPU alone, one a layer
	Plan     Sources `json:"plan"`     // of the plan's tiles on the GPU
	Layers   Sources `json:"layers"`   // of whole layers on the GPU beside the plan's PIM channels
}

// ProfileFile is a file of measured kernels.
type ProfileFile struct {
	File       string `json:"file"`
	Kernels    int    `json:"kernels"` // measured
	MeasuredOn string `json:"measured_on"`
}

// NewProfileFile describes a profile.
func NewProfileFile(p *profile.Profile) ProfileFile {
	n, on := p.Measured()
	return ProfileFile{p.File, n, on}
}

// Sources is a number of times by where they come from. What takes no time, as a layer
// that only renames values, is not counted.
type Sources struct {
	Measured     int `json:"measured"`
	Interpolated int `json:"interpolated"`
	Scaled       int `json:"scaled"`
	Model        int `json:"model"`
}

// NewGPUProfile counts the sources of a result's times.
func NewGPUProfile(p *profile.Profile, r *search.Result) *GPUProfile {
	g := &GPUProfile{ProfileFile: NewProfileFile(p), Baseline: SourcesOf(r.Baseline), Plan: SourcesOf(r.Timeline)}
	for _, l := range r.Layers {
		if l.GPU != nil {
			g.Layers.add(l.GPU)
		}
	}
	return g
}

// SourcesOf counts the sources of a program's times on the GPU.
func SourcesOf(tl *run.Timeline) (n Sources) {
	for _, s := range tl.Program.Steps {
		if s.Device == plan.GPU {
			c := s.Code.Cost()
			n.add(&c)
		}
	}
	return n
}

func (n *Sources) add(c *device.Cost) {
	if c.Time == 0 {
		return
	}
	*[device.Sources]*int{
		device.Modelled: &n.Model, device.Measured: &n.Measured, device.Interpolated: &n.Interpolated, device.Scaled: &n.Scaled,
	}[c.Source]++
}

// cells are the numbers as columns.
func (n Sources) cells() []string {
	var c []string
	for _, v := range []int{n.Measured, n.Interpolated, n.Scaled, n.Model} {
		c = append(c, strconv.Itoa(v))
	}
	return c
}

// sourceHead names the columns of cells.
var sourceHead = []string{"measured", "interpolated", "scaled", "model"}

// text writes the block of the report.
func (g *GPUProfile) text(b *strings.Builder) {
	b.WriteByte('\n')
	t := table{{}, {right: true}, {right: true}, {right: true}, {right: true}, {}}
	t.row(append(append([]string{"GPU times"}, sourceHead...), g.from())...)
	for _, row := range []struct {
		name string
		n    Sources
		of   string
	}{{"  GPU only", g.Baseline, "layers"}, {"  plan", g.Plan, "tiles on the GPU"}, {"  whole layers", g.Layers, "beside the plan's PIM channels"}} {
		t.row(append(append([]string{row.name}, row.n.cells()...), row.of)...)
	}
	t.write(b)
}

// from says whose times they are.
func (p *ProfileFile) from() string {
	s := fmt.Sprintf("by %s: %d kernels", p.File, p.Kernels)
	if p.MeasuredOn != "" {
		s += ", " + p.MeasuredOn
	}
	return s
}

// sourceName is a source for a row of a layer, "-" where there is none.
func sourceName(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
