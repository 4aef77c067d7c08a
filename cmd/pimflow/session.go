package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"strconv"

	"github.com/spf13/cobra"

	"pimflow"
)

// PublishedMachine is the machine of the commands that hold this project against the
// published system.
const PublishedMachine = "artifact"

// autoChannels is the number of PIM channels that a search finds.
const autoChannels = "auto"

// request is what the flags of a command ask of a session and a plan.
type request struct {
	model    string
	opts     pimflow.Options
	how      pimflow.Search
	plan     string // a file; "" to search
	channels string // that compute: a number, or autoChannels; "": what the machine says
}

// settle checks that a command asks for a plan in one way only.
func (r *request) settle(c *cobra.Command) error {
	if r.plan != "" && c.Flags().Changed("policy") {
		return fmt.Errorf("--plan %s already is a plan: leave out --policy", r.plan)
	}
	return nil
}

// open opens the session. The caller closes it.
func (r *request) open(bar *bar) (*pimflow.Session, error) {
	r.opts.Progress = bar.tell
	s, err := pimflow.Open(r.model, r.opts)
	if err != nil || r.channels == "" || r.channels == autoChannels {
		return s, err
	}
	on, err := withChannels(s, r.channels)
	if err != nil {
		s.Close()
	}
	return on, err
}

// walk opens the session and finds its plan, with progress on the terminal. The caller closes
// the session.
func (r *request) walk(ctx context.Context, bar *bar) (*pimflow.Session, *pimflow.Plan, error) {
	if r.plan != "" {
		r.opts.Progress = bar.tell
		return pimflow.OpenPlan(r.plan, r.model, r.opts)
	}
	s, err := r.open(bar)
	if err != nil {
		return nil, nil, err
	}
	r.how.Channels = r.channels == autoChannels
	r.how.Exact = r.how.Exact && !r.how.Channels // numbers of channels are compared as they are found
	p, err := find(ctx, s, r.how)
	if err != nil {
		s.Close()
		return nil, nil, err
	}
	return s, p, nil
}

// walked is walk with its own progress bar.
func (r *request) walked(c *cobra.Command) (*pimflow.Session, *pimflow.Plan, error) {
	if err := r.settle(c); err != nil {
		return nil, nil, err
	}
	bar := newBar(c.ErrOrStderr())
	defer bar.stop()
	return r.walk(c.Context(), bar)
}

// find searches a plan, with room for the heap.
func find(ctx context.Context, s *pimflow.Session, how pimflow.Search) (*pimflow.Plan, error) {
	g, _, _, _ := s.Internal()
	defer heap(len(g.Nodes))()
	return s.Plan(ctx, how)
}

// withChannels is a session on the same machine, of whose channels so many compute.
func withChannels(s *pimflow.Session, text string) (*pimflow.Session, error) {
	_, m, _, _ := s.Internal()
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > m.Memory.Channels {
		return nil, fmt.Errorf("--pim-channels %s: %s, or 0 to %d, the memory channels of machine %s, wanted", text, autoChannels, m.Memory.Channels, m.Name)
	}
	machine, err := s.Machine().Set(fmt.Sprintf("memory.pim_channels=%d", n))
	if err != nil {
		return nil, err
	}
	return s.On(machine)
}

// heap lets the heap of a search grow to what it takes at its end before it is collected
// more often, and returns what undoes that. A search makes and drops plans beside few
// bytes that stay, some more a node (measured: a fourth less time than without; of large
// graphs, whose share of that is small, nothing is assumed). What is there before, as the
// weights of a graph that was read as text, counts besides: where that alone is beyond the
// limit, the heap is collected without end (measured: three times as long).
func heap(nodes int) (undo func()) {
	if nodes > 4000 {
		return func() {}
	}
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	percent := debug.SetGCPercent(400)
	limit := debug.SetMemoryLimit(int64(before.HeapAlloc) + 140<<20 + int64(nodes)*100_000)
	return func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}
}

// machineFlag, policyFlag, batchFlag, planFlag and profileFlag add the flags that commands
// share.
func (r *request) machineFlag(c *cobra.Command, machine string) {
	c.Flags().StringVar(&r.opts.Machine, "machine", machine, "machine by name or .json file")
}

func (r *request) policyFlag(c *cobra.Command) {
	c.Flags().StringVar(&r.how.Policy, "policy", pimflow.DefaultPolicy, "policy, see pimflow policy")
}

func (r *request) batchFlag(c *cobra.Command) {
	c.Flags().IntVar(&r.opts.Batch, "batch", 0, "images at once, for models that leave it open (default 1)")
}

// planFlag adds --plan, and --machine, which the plan names too.
func (r *request) planFlag(c *cobra.Command, verb string) {
	c.Flags().StringVar(&r.opts.Machine, "machine", "", "machine by name or .json file (default "+pimflow.DefaultMachine+", or the plan's)")
	c.Flags().StringVar(&r.plan, "plan", "", verb+" the plan in this file instead of searching one")
}

func profileFlag(c *cobra.Command, to *string) {
	c.Flags().StringVar(to, "gpu-profile", "", "take the GPU's times from the measured kernels of this .csv file, as pimflow profile lists them")
}
