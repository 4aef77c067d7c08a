package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"pimflow/internal/hw"
	"pimflow/internal/platform"
	"pimflow/internal/report"
	"pimflow/internal/search"
)

// autoChannels is the number of PIM channels that a search finds.
const autoChannels = "auto"

// withChannels is a machine of whose memory channels so many compute.
func withChannels(m *hw.Machine, n int) *hw.Machine {
	c := *m
	c.Memory.PIMChannels = n
	return &c
}

// parseChannels reads a number of PIM channels of a machine.
func parseChannels(text string, m *hw.Machine) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > m.Memory.Channels {
		return 0, fmt.Errorf("--pim-channels %s: %s, or 0 to %d, the memory channels of machine %s, wanted", text, autoChannels, m.Memory.Channels, m.Name)
	}
	return n, nil
}

// use makes another machine, with the same objective, the one that plans are for.
func (p *path) use(m *hw.Machine, progress func(done, total int)) error {
	t, err := platform.Target(m, p.makers)
	if err != nil {
		return err
	}
	t.Objective, t.Progress = p.Target.Objective, progress
	p.Machine, p.Target = m, t
	return nil
}

// eighths are the numbers of PIM channels that are tried first: each eighth of all.
func eighths(all int) (list []int) {
	for k := 1; k <= 8; k++ {
		if n := (all*k + 7) / 8; !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	return list
}

// searchChannels finds how many of the memory channels should compute, and the best plan
// with them: first multiples of an eighth of the channels, then neighbours of the best
// number, and of their best, until none is better. A number between two that are worse can
// so be missed.
func (p *path) searchChannels(ctx context.Context, r request) error {
	all := p.Machine.Memory.Channels
	base := p.Machine
	type tried struct {
		n      int
		target search.Target
		result *search.Result
	}
	var list []tried
	best := -1
	progress := func(done, total int) {
		if r.progress != nil {
			r.progress(len(list), len(list)+1)
		}
	}
	try := func(n int) error {
		if n < 1 || n > all || slices.ContainsFunc(list, func(t tried) bool { return t.n == n }) {
			return nil
		}
		if err := p.use(withChannels(base, n), progress); err != nil {
			return err
		}
		err := p.search(ctx, r.policy)
		if errors.Is(err, search.ErrNoDevice) { // as where all channels compute and a layer cannot be on the PIM
			return nil
		}
		if err != nil {
			return err
		}
		list = append(list, tried{n, p.Target, p.Result})
		if best < 0 || p.Result.Value < list[best].result.Value {
			best = len(list) - 1
		}
		return nil
	}
	for _, n := range eighths(all) {
		if err := try(n); err != nil {
			return err
		}
	}
	for at := -1; best >= 0 && at != best; {
		at = best
		for _, n := range []int{list[at].n - 1, list[at].n + 1} {
			if err := try(n); err != nil {
				return err
			}
		}
	}
	if best < 0 {
		return fmt.Errorf("%s: no number of PIM channels of machine %s has a plan under policy %s", p.Graph.Name, base.Name, r.policy)
	}
	x := list[best]
	p.Machine, p.Target, p.Result = withChannels(base, x.n), x.target, x.result
	slices.SortFunc(list, func(a, b tried) int { return a.n - b.n })
	for _, t := range list {
		p.Channels = append(p.Channels, report.ChannelsTried{PIMChannels: t.n, Total: t.result.Timeline.Total.NS()})
	}
	return nil
}
