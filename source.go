package pimflow

import (
	"pimflow/internal/device"
	"pimflow/internal/plan"
	"pimflow/internal/profile"
	"pimflow/internal/run"
	"pimflow/internal/search"
)

// GPUProfile counts the measured times of the GPU.
type GPUProfile struct {
	File       string  `json:"file"`
	Kernels    int     `json:"kernels"` // measured
	MeasuredOn string  `json:"measured_on"`
	Baseline   Sources `json:"baseline"` // of the GPU alone, one a layer
	Plan       Sources `json:"plan"`     // of the plan's tiles on the GPU
	Layers     Sources `json:"layers"`   // of whole layers on the GPU beside the plan's PIM channels
}

// Sources counts times of the GPU by source. Layers of no time, such as a Reshape, do not count.
type Sources struct {
	Measured     int `json:"measured"`     // the kernel itself
	Interpolated int `json:"interpolated"` // between sizes of the same layer
	Scaled       int `json:"scaled"`       // the model's time, by what the nearest sizes took against it
	Model        int `json:"model"`
}

func newGPUProfile(p *profile.Profile, r *search.Result, layers []search.Layer) *GPUProfile {
	n, on := p.Measured()
	g := &GPUProfile{File: p.File, Kernels: n, MeasuredOn: on, Baseline: sourcesOf(r.Baseline), Plan: sourcesOf(r.Timeline)}
	for _, l := range layers {
		if l.GPU != nil {
			g.Layers.add(l.GPU)
		}
	}
	return g
}

// sourcesOf counts the sources of a program's times on the GPU.
func sourcesOf(tl *run.Timeline) (n Sources) {
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
