package main

import (
	"context"
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/search"
)

// bounds searches again for a GPU that is as fast and as slow as the bounds of its times
// let it be.
func (p *path) bounds(ctx context.Context, policy string, bar *bar) (fast, slow *search.Result, err error) {
	row, err := search.Lookup(policy)
	if err != nil {
		return nil, nil, err
	}
	at := func(name string, of func(*device.Doubt) device.Time) *search.Result {
		if err != nil {
			return nil
		}
		t, devices := p.Target, p.Target.Devices
		t.Progress = bar.phase("search for a " + name + " GPU")
		t.Devices = search.Devices(func(channels int, commands string) ([]device.Device, error) {
			ds, err := devices(channels, commands)
			ds = slices.Clone(ds)
			for i := range ds {
				ds[i] = device.Bound(ds[i], of)
			}
			return ds, err
		}).Memo()
		var r *search.Result
		r, err = search.Best(ctx, p.Graph, row, t)
		return r
	}
	fast = at("fast", func(d *device.Doubt) device.Time { return d.Low })
	slow = at("slow", func(d *device.Doubt) device.Time { return d.High })
	return fast, slow, err
}
